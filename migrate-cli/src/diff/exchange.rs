//! Comparison of a recorded v1 response with the v2 responses that it was built from.

use mappings::{Catalog, catalog::operation::Operation};
use recording::{
    Exchange,
    comparison::{self, Comparison},
};

use super::{documents::Documents, join};

/// Compares a recorded v1 response with the recorded v2 responses. Returns `None` if the operation
/// has no v2 plan.
pub(crate) fn compare_with_v2(
    catalog: &Catalog,
    operation: &Operation,
    exchange: &Exchange,
) -> Option<Comparison> {
    let plan = operation.plan()?;
    let mut comparison = Comparison {
        name: exchange.id.clone(),
        operation: Some(operation.name.clone()),
        sides: ("v1".to_owned(), "v2".to_owned()),
        rows: Vec::new(),
    };
    if exchange.v1.answer.get("error").is_some() {
        let site = comparison::site(catalog, exchange.site.as_ref());
        let rehearsed = comparison::rehearse(catalog, operation, &site, exchange);
        "translated from v2".clone_into(&mut comparison.sides.1);
        comparison.rows = comparison::compare(
            catalog,
            Some(operation),
            &exchange.v1.answer,
            &rehearsed.answer,
        );
    } else {
        let documents = Documents::of_exchange(plan, exchange);
        let (given, answer) = (&exchange.v1.parameters, &exchange.v1.answer);
        comparison.rows = join::join(catalog, operation, given, answer, &documents);
    }
    Some(comparison)
}
