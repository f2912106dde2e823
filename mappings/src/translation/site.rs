//! Site configuration used by translations.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};

use crate::catalog::protocol::Options;

/// Site configuration used by translations.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Reject requests with losses before anything is written, instead of warning.
    pub strict: bool,
    /// v2 account id, for responses that contain it.
    pub account_id: Option<String>,
    /// Option values; see [`crate::Catalog::options`].
    pub options: Options,
    /// Tokens that authorize callers of certain operations.
    pub tokens: Tokens,
    /// Creates the site's links to v2 files, if it serves them.
    pub links: Option<Arc<dyn Links>>,
}

/// Creates links of the site that stand for v2's files.
pub trait Links: std::fmt::Debug + Send + Sync {
    /// A link under which the site serves the file at a v2 URL; `None` if it does not serve such
    /// files. `now` is the time of the response in Unix seconds.
    fn link(&self, url: &str, now: i64) -> Option<String>;
}

/// Tokens of a site, by name. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Tokens(pub BTreeMap<String, String>);

impl Tokens {
    /// Compares with the token of this name in constant time.
    pub(super) fn is(&self, name: &str, given: &str) -> bool {
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        self.0.get(name).is_some_and(|token| {
            let differs = digest(token)
                .iter()
                .zip(digest(given))
                .fold(0, |differs, (one, other)| differs | (one ^ other));
            !token.is_empty() && differs == 0
        })
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
