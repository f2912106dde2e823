//! Runs of writes, and reservations of v2 calls: scripts on the keys of one account.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Argument, BUDGET, Redis, StateError, WRITE, count, micros, name, number, part, run_text, text,
    time, write_key,
};
use crate::state::engine::{
    ANSWER_TIME, Begun, DAY_TIME, Ending, GENERATION_TIME, Progress, Reservation, Run, Subject,
    UNFINISHED_TIME, Write,
};

impl Redis {
    pub(super) async fn begin_write(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Bytes,
    ) -> Result<Begun, StateError> {
        let arguments = [
            run_text(run),
            time(lease),
            Argument::Bytes(&journal),
            time(UNFINISHED_TIME),
        ];
        let keys = [write_key(write)];
        let script = &self.scripts.begin;
        let found: Vec<Vec<u8>> = if self.wait_replicas > 0 {
            self.run_replicated(script, &keys, &arguments).await?
        } else {
            self.run(WRITE, script, &keys, &arguments).await?
        };
        match found.as_slice() {
            [word, run, left] if word == b"busy" => Ok(Begun::Busy {
                run: name(run)?.0,
                left: Duration::from_millis(number(left)?),
            }),
            [word] if word == b"yours" => Ok(Begun::Leased(None)),
            [word, journal] if word == b"yours" => Ok(Begun::Leased(Some(journal.clone().into()))),
            _ => Err(StateError::Unreadable),
        }
    }

    pub(super) async fn step_write(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Option<Bytes>,
    ) -> Result<bool, StateError> {
        let mut arguments = vec![run_text(run), time(lease), time(UNFINISHED_TIME)];
        arguments.extend(journal.as_deref().map(Argument::Bytes));
        let keys = [write_key(write)];
        self.run(WRITE, &self.scripts.step, &keys, &arguments).await
    }

    pub(super) async fn end_write(
        &self,
        write: Write,
        run: Run,
        ending: Ending,
    ) -> Result<bool, StateError> {
        let (word, value) = match &ending {
            Ending::Finished(answer) => ("finished", answer),
            Ending::Unfinished(journal) => ("unfinished", journal),
        };
        let arguments = [
            run_text(run),
            text(word),
            Argument::Bytes(value),
            time(ANSWER_TIME),
            time(GENERATION_TIME),
        ];
        let keys = [write_key(write), part("g", write.account, None)];
        self.run(WRITE, &self.scripts.end, &keys, &arguments).await
    }

    pub(super) async fn progress_of(&self, write: Write, run: Run) -> Result<Progress, StateError> {
        let (keys, arguments) = ([write_key(write)], [run_text(run)]);
        let script = &self.scripts.progress;
        let found: Vec<Vec<u8>> = self.run(WRITE, script, &keys, &arguments).await?;
        match found.as_slice() {
            [_, answer] => Ok(Progress::Finished(answer.clone().into())),
            [word] if word == b"running" => Ok(Progress::Running),
            _ => Ok(Progress::Gone),
        }
    }

    pub(super) async fn reserve_call(
        &self,
        reservation: Reservation,
    ) -> Result<Option<Duration>, StateError> {
        let Reservation {
            account,
            pace,
            daily,
            refusal,
            subject,
            most,
        } = reservation;
        // A script must name all its keys. A missing limit gets a key that the script ignores.
        let rate = pace.map_or(refusal, |(rate, _)| rate);
        let day = daily.map_or(refusal, |(day, _)| day);
        let keys = [
            part("r", account, Some(refusal)),
            part("b", account, Some(rate)),
            part("d", account, Some(day)),
        ];
        let (interval, burst) =
            pace.map_or((Duration::ZERO, 1), |(_, pace)| (pace.interval, pace.burst));
        let arguments = [
            micros(interval),
            Argument::Number(burst.into()),
            micros(most),
            count(daily.map_or(0, |(_, most)| most)),
            time(DAY_TIME),
            Argument::Number(Subject::number(subject)),
        ];
        let script = &self.scripts.reserve;
        let wait: i64 = self.run(BUDGET, script, &keys, &arguments).await?;
        Ok(u64::try_from(wait).ok().map(Duration::from_micros))
    }
}
