//! The queue: one script per operation, on the keys of one queue.

use std::time::Duration;

use super::{
    Argument, Connection, Name, PREFIX, Redis, StateError, WRITE, count, name, number, run_text,
    text, time,
};
use crate::state::{
    engine::Run,
    queue::{
        Claim, Claimed, Counts, DEAD_TIME, Dead, DeadLetter, MAX_DEAD, MAX_WAITING, NewMessage,
        Put, SEEN_TIME, Settlement,
    },
};

fn queue_key(queue: Name) -> String {
    format!("{PREFIX}:q:{{{queue}}}")
}

impl Redis {
    pub(super) async fn put_message(
        &self,
        queue: Name,
        message: NewMessage,
        now: i64,
    ) -> Result<Put, StateError> {
        let arguments = [
            Argument::Number(now),
            text(message.id),
            text(message.group),
            Argument::Bytes(&message.body),
            time(SEEN_TIME),
            count(MAX_WAITING),
        ];
        let keys = [queue_key(queue)];
        let put: String = self
            .run(WRITE, &self.scripts.put, &keys, &arguments)
            .await?;
        match put.as_str() {
            "stored" => Ok(Put::Stored),
            "repeat" => Ok(Put::Repeat),
            "full" => Ok(Put::Full),
            _ => Err(StateError::Unreadable),
        }
    }

    pub(super) async fn has_seen_message(
        &self,
        queue: Name,
        id: Name,
        now: i64,
    ) -> Result<bool, StateError> {
        let arguments = [format!("{}:seen", queue_key(queue)), id.to_string()];
        let until: Option<f64> = self.command(WRITE, "ZSCORE", &arguments).await?;
        // Exact: milliseconds since 1970 fit into the 53 bits of a double.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let now = now as f64;
        Ok(until.is_some_and(|until| until > now))
    }

    pub(super) async fn claim_message(
        &self,
        queue: Name,
        now: i64,
        lease: Duration,
        owner: Run,
    ) -> Result<Option<Claimed>, StateError> {
        let arguments = [
            Argument::Number(now),
            time(lease),
            run_text(owner),
            time(DEAD_TIME),
        ];
        let keys = [queue_key(queue)];
        let script = &self.scripts.claim;
        let found: Vec<Vec<u8>> = self.run(WRITE, script, &keys, &arguments).await?;
        let [group, id, body, attempts] = found.as_slice() else {
            return Ok(None);
        };
        Ok(Some(Claimed {
            claim: Claim {
                id: name(id)?,
                group: name(group)?,
                owner,
            },
            body: body.clone().into(),
            attempts: number(attempts)?,
        }))
    }

    pub(super) async fn renew_claim(
        &self,
        queue: Name,
        claim: Claim,
        now: i64,
        lease: Duration,
    ) -> Result<bool, StateError> {
        let arguments = [
            Argument::Number(now),
            time(lease),
            text(claim.group),
            run_text(claim.owner),
        ];
        let keys = [queue_key(queue)];
        self.run(WRITE, &self.scripts.renew, &keys, &arguments)
            .await
    }

    pub(super) async fn settle_message(
        &self,
        queue: Name,
        claim: Claim,
        settlement: Settlement,
        now: i64,
    ) -> Result<bool, StateError> {
        let (word, at) = match settlement {
            Settlement::Done => ("done", 0),
            Settlement::Dead => ("dead", 0),
            Settlement::RetryAt(at) => ("retry", at),
            Settlement::PutOff(at) => ("put_off", at),
        };
        let arguments = [
            Argument::Number(now),
            text(claim.group),
            run_text(claim.owner),
            text(word),
            Argument::Number(at),
            text(claim.id),
            count(MAX_DEAD),
            time(DEAD_TIME),
        ];
        let keys = [queue_key(queue)];
        self.run(WRITE, &self.scripts.settle, &keys, &arguments)
            .await
    }

    pub(super) async fn next_message_due(&self, queue: Name) -> Result<Option<i64>, StateError> {
        let due = format!("{}:due", queue_key(queue));
        let arguments = [due.as_str(), "0", "0", "WITHSCORES"];
        let found: Vec<Vec<u8>> = self.command(WRITE, "ZRANGE", &arguments).await?;
        let score = found.get(1).map(|score| number::<f64>(score)).transpose()?;
        // Exact: milliseconds since 1970 fit into the 53 bits of a double.
        #[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
        Ok(score.map(|score| score as i64))
    }

    pub(super) async fn dead_messages(
        &self,
        queue: Name,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StateError> {
        let (keys, arguments) = ([queue_key(queue)], [count(limit)]);
        let script = &self.scripts.dead;
        let found: Vec<(Vec<u8>, Vec<u8>, i64)> =
            self.run(WRITE, script, &keys, &arguments).await?;
        let letters = found.into_iter().map(|(id, body, at)| {
            Ok(DeadLetter {
                id: name(&id)?,
                body: body.into(),
                at,
            })
        });
        letters.collect()
    }

    pub(super) async fn requeue_messages(
        &self,
        queue: Name,
        which: Dead,
        now: i64,
    ) -> Result<usize, StateError> {
        let (most, ids) = match &which {
            Dead::Named(ids) => (ids.len(), ids.as_slice()),
            Dead::Oldest(most) => (*most, &[][..]),
        };
        if most == 0 {
            return Ok(0);
        }
        let mut arguments = vec![Argument::Number(now), count(most), count(MAX_WAITING)];
        arguments.extend(ids.iter().map(text));
        let keys = [queue_key(queue)];
        self.run(WRITE, &self.scripts.requeue, &keys, &arguments)
            .await
    }

    pub(super) async fn count_messages(&self, queue: Name) -> Result<Counts, StateError> {
        let queue = queue_key(queue);
        let mut both = redis::pipe();
        both.cmd("GET").arg(format!("{queue}:waiting"));
        both.cmd("ZCARD").arg(format!("{queue}:dead"));
        let both = &both;
        let made =
            |mut connection: Connection| async move { both.query_async(&mut connection).await };
        let (waiting, dead): (Option<u64>, u64) = self.link.within(WRITE, made).await?;
        Ok(Counts {
            waiting: waiting.unwrap_or(0),
            dead,
        })
    }
}
