//! Roles of an account. Their permissions are data: `roles.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::embedded;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Owner,
    Admin,
    #[default]
    Member,
}

/// Id, name and permissions of a role.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) permissions: Vec<String>,
}

impl Role {
    pub(crate) fn row(self) -> &'static RoleRow {
        static ROWS: LazyLock<BTreeMap<Role, RoleRow>> =
            LazyLock::new(|| embedded::toml("roles.toml", include_str!("roles.toml")));
        static NONE: RoleRow = RoleRow {
            id: String::new(),
            name: String::new(),
            permissions: Vec::new(),
        };
        ROWS.get(&self).unwrap_or(&NONE)
    }
}
