//! Compares two redacted answers after a request was served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use mappings::{Catalog, V1Answer, V1Object};
use recording::{
    Exchange, FORMAT, OutcomeKind, V1Exchange, V2Exchange,
    comparison::{Row, Verdict, compare, is_known_field, rehearse, requests},
    moment,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    NotCompared, Shadowed,
    differences::{Comparison, worst},
};
use crate::observe::{observer::ShadowRecord, served_request::ServedRequest};

/// Prefix of paths in v2 requests, to distinguish them from the answer's.
const REQUEST: &str = "v2 request: ";

/// Parses an answer that this shim serialized.
fn document(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

impl Shadowed {
    /// Compares this shim's answer with the shadow's and records the result; `None` if nothing was
    /// compared.
    pub(super) async fn compare(
        self,
        answer: Bytes,
        request: Arc<dyn ServedRequest>,
    ) -> Option<()> {
        if self.calls.is_some() {
            self.retranslate(answer, request).await
        } else {
            self.compare_answers(answer, request).await
        }
    }

    /// Re-translates with both catalogs, with the recorded calls in place of v2, so that cached
    /// answers of the original request make no difference.
    async fn retranslate(self, answer: Bytes, request: Arc<dyn ServedRequest>) -> Option<()> {
        let shadow = Arc::clone(&self.shadow);
        let compared = shadow.worker.run(move || {
            let mappings = self.shadow.mappings.as_ref()?;
            let catalog = request.catalog();
            let operation = catalog.find(&self.operation)?;
            let Some(other) = mappings.find(&self.operation) else {
                let why = NotCompared::Unreadable;
                self.shadow.not_compared(&self.operation, why);
                return None;
            };
            let calls = self.calls.as_ref()?;
            let calls = calls.lock().clone();
            let exchange = self.exchange(document(&answer), calls);
            let mine = rehearse(catalog, operation, request.site(), &exchange);
            let other = rehearse(mappings, other, request.site(), &exchange);
            let count_unanswered = |calls: &[V2Exchange]| {
                let is_missing = |call: &&V2Exchange| call.outcome == OutcomeKind::NoAnswer;
                calls.iter().filter(is_missing).count()
            };
            // An unrecorded call changes the answer: compare answers only if both sides lack
            // equally many.
            let has_answer = count_unanswered(&mine.requests) == count_unanswered(&other.requests);

            let secrets = self.secrets(request.as_ref());
            let mine = self.redacted(catalog, mine.answer, mine.requests, &secrets);
            let other = self.redacted(catalog, other.answer, other.requests, &secrets);
            let mut rows = compare(catalog, None, &requests(&other.v2), &requests(&mine.v2));
            for row in &mut rows {
                row.path.insert_str(0, REQUEST);
                row.field.insert_str(0, REQUEST);
            }
            if has_answer {
                let (mine, other) = (&mine.v1.answer, &other.v1.answer);
                rows.extend(compare(catalog, Some(operation), other, mine));
            }
            self.note(catalog, &rows);
            Some(())
        });
        compared.await?
    }

    /// Compares with the answer of another server.
    async fn compare_answers(self, answer: Bytes, request: Arc<dyn ServedRequest>) -> Option<()> {
        let until = Instant::now() + self.shadow.timeout;
        let asked = match &self.asked {
            Some(asked) => asked.clone().await,
            None => self.ask(request.catalog(), until).await,
        };
        let theirs = match asked {
            Ok(answer) => answer,
            Err(why) => {
                self.shadow.not_compared(&self.operation, why);
                return None;
            }
        };
        let shadow = Arc::clone(&self.shadow);
        let (this, served) = (self, Arc::clone(&request));
        let compared = shadow.worker.run(move || {
            let catalog = served.catalog();
            let operation = catalog.find(&this.operation)?;
            let secrets = this.secrets(served.as_ref());
            let redacted = |answer| {
                let exchange = this.redacted(catalog, answer, Vec::new(), &secrets);
                exchange.v1.answer
            };
            let mine = redacted(document(&answer));
            let theirs = redacted(theirs.as_ref().clone());
            let mut rows = compare(catalog, Some(operation), &theirs, &mine);
            this.shadow.noise.lock().cancel(&this.operation, &mut rows);
            Some((this, mine, theirs, rows))
        });
        let (this, mine, theirs, mut rows) = compared.await??;
        if has_unexpected(&rows) && this.shadow.may_ask_again() {
            let again = this.serve_again(request.as_ref()).await;
            let compared = shadow.worker.run(move || {
                let catalog = request.catalog();
                let secrets = this.secrets(request.as_ref());
                let again = this.redacted(catalog, again, Vec::new(), &secrets);
                this.learn(catalog, &mut rows, [&mine, &theirs, &again.v1.answer]);
                this.note(catalog, &rows);
            });
            return compared.await;
        }
        this.note(request.catalog(), &rows);
        Some(())
    }

    /// Serves the request a second time; fields that change are volatile.
    async fn serve_again(&self, request: &dyn ServedRequest) -> Value {
        let Some(operation) = request.catalog().find(&self.operation) else {
            return Value::Null;
        };
        let mut arguments = self.arguments.clone();
        let protocol = request.catalog().protocol();
        for name in [&protocol.key, &protocol.secret, &protocol.format] {
            arguments.remove(name);
        }
        let deadline = Instant::now() + self.shadow.timeout;
        document(&request.serve_again(operation, arguments, deadline).await)
    }

    /// Learns volatile fields from this shim's two answers.
    fn learn(&self, catalog: &Catalog, rows: &mut [Row], answers: [&Value; 3]) {
        let [mine, theirs, again] = answers;
        if again.get("error").is_some() != mine.get("error").is_some() {
            return; // a success and an error have no fields in common
        }
        let mut changed = compare(catalog, None, mine, again);
        changed.retain(|row| row.verdict != Verdict::Same);
        let operation = catalog.find(&self.operation);
        let now = compare(catalog, operation, theirs, again);
        let agreed: BTreeSet<_> = now
            .iter()
            .filter(|row| row.verdict == Verdict::Same)
            .map(|row| row.path.as_str())
            .collect();
        // If the second response agrees with the shadow, the value was changed between the two and
        // is not volatile.
        let in_between = |row: &Row| agreed.contains(row.path.as_str());
        for row in rows.iter_mut() {
            if row.verdict == Verdict::Unexpected
                && in_between(row)
                && changed.iter().any(|changed| changed.path == row.path)
            {
                row.verdict = Verdict::Volatile;
                "it was changed between the two answers".clone_into(&mut row.reason);
            }
        }
        changed.retain(|row| !in_between(row));
        let mut noise = self.shadow.noise.lock();
        noise.learn(&self.operation, &changed);
        noise.cancel(&self.operation, rows);
    }

    fn note(&self, catalog: &Catalog, rows: &[Row]) {
        let shadow = &self.shadow;
        shadow.compared.fetch_add(1, Ordering::Relaxed);
        let comparison = Comparison {
            operation: &self.operation,
            at: &moment(self.at),
            rows,
        };
        for (field, kind) in shadow.differences.note(&comparison) {
            // Unknown names could contain anything; they are shown on the pages, but not logged.
            let is_known = field.starts_with(REQUEST) || is_known_field(catalog, &field);
            shadow.observer.shadowed(&ShadowRecord::Found {
                operation: &self.operation,
                field: if is_known { &field } else { "(another)" },
                kind,
            });
        }
        let mut differences = BTreeMap::new();
        for row in rows {
            if row.verdict != Verdict::Same {
                *differences.entry(row.verdict).or_default() += 1;
            }
        }
        shadow.observer.shadowed(&ShadowRecord::Compared {
            operation: &self.operation,
            verdict: worst(rows),
            differences: &differences,
        });
    }

    fn exchange(&self, answer: Value, v2: Vec<V2Exchange>) -> Exchange {
        let nothing = V1Answer {
            result: Ok(V1Object::from(&Map::new())),
            warnings: Vec::new(),
        };
        let mut v1 = V1Exchange::new(&self.operation, self.wrapping, &self.arguments, &nothing);
        v1.answer = answer;
        Exchange {
            format: FORMAT,
            id: String::new(),
            request: None,
            at: moment(self.at),
            micros: 0,
            site: None,
            incomplete: None,
            v1,
            v2,
        }
    }

    fn redacted(
        &self,
        catalog: &Catalog,
        answer: Value,
        v2: Vec<V2Exchange>,
        secrets: &[SecretString],
    ) -> Exchange {
        let mut exchange = self.exchange(answer, v2);
        let secrets: Vec<_> = secrets.iter().map(SecretString::expose_secret).collect();
        let redactor = &self.shadow.redactor;
        redactor.exchange(catalog, &mut exchange, &secrets);
        exchange
    }

    /// Secrets that may be quoted in answers of either side.
    fn secrets(&self, request: &dyn ServedRequest) -> Vec<SecretString> {
        let mut secrets = request.secrets();
        let own = self
            .shadow
            .client
            .as_ref()
            .and_then(|client| client.secret());
        secrets.extend(own.cloned());
        secrets
    }
}

fn has_unexpected(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.verdict == Verdict::Unexpected)
}
