//! Fidelity of v2 to v1.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Fidelity of a v1 field or event in v2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Values map one to one and mean the same in both APIs.
    #[default]
    Exact,
    /// Some values, meanings or times are lost.
    Lossy,
    /// v2 has no counterpart.
    None,
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Lossy => "lossy",
            Self::None => "none",
        })
    }
}
