//! A second v1: its address and the credentials for it.

use secrecy::{ExposeSecret as _, SecretString};
use shim_upstream::BaseUrl;

use super::origin::{Mistakes, Origin, Placed};

/// Base URL of a second v1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SecondV1 {
    pub(crate) base: BaseUrl,
    pub(crate) credentials: V1Credentials,
}

/// Credentials for a second v1.
#[derive(Clone, Debug)]
pub(crate) enum V1Credentials {
    /// The client's credentials.
    Forwarded,
    /// These credentials.
    Own { key: String, secret: SecretString },
}

impl PartialEq for V1Credentials {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Forwarded, Self::Forwarded) => true,
            (
                Self::Own { key, secret },
                Self::Own {
                    key: other_key,
                    secret: other,
                },
            ) => key == other_key && secret.expose_secret() == other.expose_secret(),
            _ => false,
        }
    }
}

/// The keys of a section for a second v1.
pub(super) struct Keys<'a> {
    /// The name of the section: `shadow`.
    pub(super) section: &'static str,
    pub(super) origin: &'a Origin,
    pub(super) url: &'a Placed<Option<String>>,
    pub(super) forward: &'a Placed<bool>,
    pub(super) key: &'a Placed<Option<String>>,
    pub(super) secret: &'a Placed<Option<SecretString>>,
}

impl SecondV1 {
    /// `None` if no URL is set, or after a mistake.
    pub(super) fn from_settings(keys: &Keys<'_>, mistakes: &Mistakes) -> Option<Self> {
        let url = keys.url.value.as_ref()?;
        let credentials = credentials(keys, mistakes);
        let base = BaseUrl::parse(url).ok();
        if base.is_none() {
            // The URL may contain a password and is not repeated.
            let text = format!(
                "{}.url is no v1 base; write it in full, with its path and without a user or a query, \
                 as http://127.0.0.1:8081/v1",
                keys.section
            );
            mistakes.add(keys.url.origin.clone(), text);
        }
        Some(Self {
            base: base?,
            credentials: credentials?,
        })
    }

    /// True if credentials or users are sent unencrypted over a network.
    pub(crate) fn is_exposed(&self) -> bool {
        self.base.is_plain() && !self.base.is_loopback()
    }
}

/// The client's credentials are forwarded only if the settings allow it.
fn credentials(keys: &Keys<'_>, mistakes: &Mistakes) -> Option<V1Credentials> {
    let forward = keys.forward.value;
    let text = match (forward, &keys.key.value, &keys.secret.value) {
        (true, None, None) => return Some(V1Credentials::Forwarded),
        (false, Some(key), Some(secret)) => {
            let (key, secret) = (key.clone(), secret.clone());
            return Some(V1Credentials::Own { key, secret });
        }
        (true, ..) => "has forward_credentials and credentials of its own; leave one",
        (false, ..) => {
            "has no credentials: set api_key and api_secret_file, or \
             forward_credentials = true to pass on those of the clients"
        }
    };
    mistakes.add(keys.origin.clone(), format!("[{}] {text}", keys.section));
    None
}
