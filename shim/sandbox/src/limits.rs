//! Limits on the number of users per plan.

use serde_json::Value;

use super::account::Account;
use super::config::LimitWording;
use super::error::ApiError;
use super::request::{Members, Typed as _};
use super::user::{Status, plan};

/// Operation that needs a licence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Add,
    Convert,
    Activate,
}

/// # Errors
///
/// If another user of the plan would exceed the limit.
pub(crate) fn check(account: &Account, wanted: i64, change: Change) -> Result<(), ApiError> {
    let paid = wanted == plan::LICENSED;
    let maximum = match wanted {
        plan::LICENSED => account.config.max_paid_users,
        plan::BASIC => account.config.max_basic_users,
        _ => None,
    };
    let Some(maximum) = maximum else {
        return Ok(());
    };
    let used = account
        .users
        .iter()
        .filter(|user| user.plan == wanted && user.status != Status::Inactive)
        .count();
    if used < maximum {
        return Ok(());
    }
    let name = match (change, paid, account.config.limit_wording) {
        (Change::Add, true, LimitWording::Plain) => "add_paid_refused",
        (Change::Add, true, LimitWording::WithMaximum) => "add_paid_over_maximum",
        (Change::Add, false, LimitWording::Plain) => "add_basic_refused",
        (Change::Add, false, LimitWording::WithMaximum) => "add_basic_over_maximum",
        (Change::Convert, true, LimitWording::Plain) => "convert_paid_refused",
        (Change::Convert, true, LimitWording::WithMaximum) => "convert_paid_over_maximum",
        (Change::Convert, false, LimitWording::Plain) => "convert_basic_refused",
        (Change::Convert, false, LimitWording::WithMaximum) => "convert_basic_over_maximum",
        // Inactive users have no licence and return as basic users.
        (Change::Activate, _, LimitWording::Plain) => "activate_basic_refused",
        (Change::Activate, _, LimitWording::WithMaximum) => "activate_basic_over_maximum",
    };
    Err(ApiError::new(name)
        .with("kind", "Licensed")
        .with("max", maximum))
}

/// The sandbox has no subscriptions.
///
/// # Errors
///
/// If the request names one.
pub(crate) fn check_subscriptions(members: &Members) -> Result<(), ApiError> {
    let licenses = members.get("license_info_list").and_then(Value::as_array);
    match licenses.and_then(|licenses| licenses.first()) {
        Some(license) => {
            let id = license.text("subscription_id").unwrap_or_default();
            Err(ApiError::new("subscription_not_found").with("subscription", id))
        }
        None => Ok(()),
    }
}
