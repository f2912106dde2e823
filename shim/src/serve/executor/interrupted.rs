//! Writes that a stop of the process interrupts.

use mappings::{
    Outcome,
    catalog::operation::Operation,
    translation::{Call, CallId},
};

/// Logs the completed and unknown calls of a write when dropped before the end of its request. This
/// happens only if the process stops; the client gets no response then.
#[derive(Default)]
pub(super) struct InterruptedWrite {
    operation: String,
    /// Name of each call, and whether v2 completed it.
    calls: Vec<(CallId, String, bool)>,
}

impl InterruptedWrite {
    pub(super) fn begin(&mut self, operation: &Operation, ready: &[(Call, bool)]) {
        for (call, _) in ready {
            if !call.request.method.is_read() {
                operation.name.clone_into(&mut self.operation);
                self.calls.push((call.id, call.name.clone(), false));
            }
        }
    }

    pub(super) fn ended(&mut self, id: CallId, outcome: &Outcome) {
        let is_done = matches!(
            outcome,
            Outcome::Answered {
                status: 200..300,
                ..
            }
        );
        let at = self.calls.iter().position(|(known, ..)| *known == id);
        match at.and_then(|at| self.calls.get_mut(at)) {
            Some((.., done)) if is_done => *done = true,
            Some(_) => self.calls.retain(|(known, ..)| *known != id),
            None => {}
        }
    }

    /// The request has ended; nothing is logged.
    pub(super) fn disarm(&mut self) {
        self.calls.clear();
    }
}

impl Drop for InterruptedWrite {
    fn drop(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let named = |wanted: bool| {
            let calls = self.calls.iter().filter(|(.., done)| *done == wanted);
            let names: Vec<_> = calls.map(|(_, name, _)| name.as_str()).collect();
            names.join(", ")
        };
        tracing::warn!(
            operation = self.operation,
            stored = named(true),
            unknown = named(false),
            "A write was cut off; repeating the request completes it"
        );
    }
}
