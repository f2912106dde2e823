//! What a site's configuration says to every translation.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};

use crate::catalog::protocol::Options;

/// What a site's configuration says to every translation.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// What v2 cannot honour is an error before anything is written, instead of a warning.
    pub strict: bool,
    /// The v2 account, for the answers that name it.
    pub account_id: Option<String>,
    /// The site's choices; see [`crate::Catalog::options`].
    pub options: Options,
    /// What opens operations that want a token besides the credentials.
    pub tokens: Tokens,
    /// Makes links of the site's own to v2's files, if the site serves them.
    pub links: Option<Arc<dyn Links>>,
}

/// Makes links of a site's own to v2's files.
pub trait Links: std::fmt::Debug + Send + Sync {
    /// A link that the site serves the file of a v2 URL under; `None` if it does not serve such a
    /// file. `now` is the time of the answer, in seconds since 1970.
    fn link(&self, url: &str, now: i64) -> Option<String>;
}

/// The tokens of a site, by name. `Debug` shows the names only.
#[derive(Clone, Default)]
pub struct Tokens(pub BTreeMap<String, String>);

impl Tokens {
    /// True if the token of a name is this one; a comparison takes the same time wherever they
    /// differ.
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
