//! How faithful v2 is to what v1 had.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a v1 field survives in v2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Values map one to one, and both APIs mean the same by them.
    #[default]
    Exact,
    /// Some value, meaning or moment cannot be carried.
    Lossy,
    /// v2 has nothing for it.
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
