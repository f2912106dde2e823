//! `shim usage`: prints the contents of ledgers.

use anyhow::Context as _;

use super::{Failure, Usage, banner};
use crate::{
    observe::ledger::{self, Filter},
    settings::LedgerPlace,
};

/// Prints one line per ledger.
pub(super) fn run(arguments: &Usage) -> Result<(), Failure> {
    let filter = Filter {
        limit: usize::MAX,
        since: arguments.since,
        ..Filter::default()
    };
    let password = std::env::var("SHIM_LEDGER_PASSWORD").ok();
    for place in &arguments.ledgers {
        let place = LedgerPlace::read(place, password.clone().map(Into::into));
        let usage = ledger::read(&place, &filter)
            .with_context(|| format!("the ledger {place} cannot be read"));
        let text = usage.and_then(|usage| Ok(serde_json::to_string(&usage)?));
        banner::print(&format_args!("{}\n", text.map_err(Failure::Running)?));
    }
    Ok(())
}
