//! The section `[tls]`.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;

use super::{
    identity::Identity,
    mistakes::Mistakes,
    network::address,
    section::{Placed, Section},
};

/// What the example shows; there is no default, so that nobody is surprised by an open port.
const EXAMPLE_LISTEN: &str = "127.0.0.1:8443";

/// Where and as whom the shim listens with TLS.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Where to listen, as `host:port`.
    pub listen: String,
    /// The certificate and its key.
    pub identity: Identity,
    /// Where the key was read from.
    pub key_file: PathBuf,
}

/// The section `[tls]`.
#[derive(Default)]
pub(super) struct TlsDraft {
    pub(super) listen: Option<Placed<String>>,
    pub(super) cert_file: Option<Placed<String>>,
    pub(super) key_file: Option<Placed<String>>,
}

impl TlsDraft {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let draft = Self {
            listen: section.text("listen"),
            cert_file: section.text("cert_file"),
            key_file: section.text("key_file"),
        };
        section.finish();
        draft
    }

    pub(super) fn is_begun(&self) -> bool {
        self.listen.is_some() || self.cert_file.is_some() || self.key_file.is_some()
    }

    /// `None` if nothing is said of TLS, or something is wrong.
    pub(super) fn validate(
        self,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
        mistakes: &Mistakes,
    ) -> Option<TlsConfig> {
        if !self.is_begun() {
            return None;
        }
        let written = [&self.listen, &self.cert_file, &self.key_file];
        let line = written.into_iter().flatten().find_map(|placed| placed.line);
        for (key, written, example) in [
            ("listen", &self.listen, EXAMPLE_LISTEN),
            ("cert_file", &self.cert_file, "cert.pem"),
            ("key_file", &self.key_file, "key.pem"),
        ] {
            if written.is_none() {
                let text = format!(
                    "TLS needs listen, cert_file and key_file; write tls.{key}, as {example:?} \
                     (`shim dev-cert` makes a certificate to try)"
                );
                mistakes.add(line, text);
            }
        }
        let listen = self
            .listen
            .map(|listen| address("tls.listen", listen, EXAMPLE_LISTEN, mistakes));
        let file = |key: &str, written: Option<Placed<String>>| {
            let written = written?;
            match read(Path::new(&written.value)) {
                Ok(text) => Some((SecretString::from(text), written)),
                Err(error) => {
                    let hint = match error.kind() {
                        std::io::ErrorKind::InvalidData => {
                            "; it must be PEM: openssl x509 or pkey, with -inform DER, converts it"
                        }
                        _ => "",
                    };
                    let file = &written.value;
                    let text = format!("tls.{key} = {file:?} cannot be read: {error}{hint}");
                    mistakes.add(written.line, text);
                    None
                }
            }
        };
        let certificates = file("cert_file", self.cert_file);
        let key = file("key_file", self.key_file);
        let ((certificates, cert_file), (key, key_file)) = (certificates?, key?);
        let identity = Identity::read(
            certificates.expose_secret(),
            &key,
            OffsetDateTime::now_utc(),
        );
        let identity = identity.map_err(|error| {
            let (name, file) = if error.is_about_key() {
                ("key_file", &key_file)
            } else {
                ("cert_file", &cert_file)
            };
            let text = format!("tls.{name} = {:?} {error}", file.value);
            mistakes.add(file.line, text);
        });
        Some(TlsConfig {
            listen: listen?,
            identity: identity.ok()?,
            key_file: PathBuf::from(key_file.value),
        })
    }
}

impl TlsConfig {
    /// What clients, or somebody else on this machine, may find in them, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.identity.warnings().iter();
        let mut warnings: Vec<_> = warnings.map(ToString::to_string).collect();
        if is_open_to_others(&self.key_file) {
            let file = self.key_file.display();
            warnings.push(format!(
                "{file} can be read by every user of this machine; chmod 600 it"
            ));
        }
        warnings
    }
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}
