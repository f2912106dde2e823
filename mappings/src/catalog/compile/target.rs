//! The operation that a plan, its calls and its lists are compiled for.

use super::{
    super::{
        operation::{Call, Test},
        shape::{OperationShape, PlanShape},
    },
    Scope,
};

/// The operation that a plan is compiled for.
pub(super) struct Target<'a> {
    pub operation: &'a str,
    pub shape: &'a OperationShape,
    pub parameters: &'a [String],
    pub plan: &'a PlanShape,
}

impl Target<'_> {
    /// Kind of the operation's subject.
    pub(super) fn subject(&self) -> Option<&str> {
        let mut kinds = self.shape.subject.keys();
        kinds.next().map(|kind| kind.as_ref().as_str())
    }

    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter == name)
    }

    pub(super) fn check_parameter(&self, scope: &Scope<'_>, name: &str) {
        if !self.has_parameter(name) {
            scope.add(format!("`{name}` is not a parameter of {}", self.operation));
        }
    }

    /// Checks the parameters used in tests.
    pub(super) fn check_tests(&self, scope: &Scope<'_>, tests: &[Test]) {
        for name in tests.iter().filter_map(|test| test.predicate.parameter()) {
            self.check_parameter(scope, name);
        }
    }

    /// True if the operation's date range depends on this call.
    pub(super) fn range_needs(&self, call: &str) -> bool {
        let mut ranges = self.shape.range.iter();
        ranges.any(|range| range.as_ref().calls().any(|name| name == call))
    }
}

impl Scope<'_> {
    /// Index of the call with this name, which must be one of `earlier`.
    pub(super) fn call(&self, name: &str, earlier: &[Call]) -> Option<usize> {
        let found = earlier.iter().position(|call| call.name == name);
        if found.is_none() {
            self.add(format!("unknown earlier call `{name}`"));
        }
        found
    }
}
