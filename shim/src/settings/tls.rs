//! The section `[tls]`.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;

use super::{
    identity::Identity,
    network::address,
    origin::{Mistakes, Placed},
    table::Tls,
};

/// Example address. There is no default, so that no port opens unexpectedly.
const EXAMPLE_LISTEN: &str = "127.0.0.1:8443";

/// Settings of the TLS listener.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Address as `host:port`.
    pub listen: String,
    /// The certificate and its key.
    pub identity: Identity,
    /// The key file.
    pub key_file: PathBuf,
}

impl TlsConfig {
    /// `None` without `[tls]`, or after a mistake.
    pub(super) fn from_settings(
        tls: Tls,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let written = [&tls.listen, &tls.cert_file, &tls.key_file];
        let is_set = |placed: &&&Placed<Option<String>>| placed.value.is_some();
        let begun = written.iter().find(is_set)?.origin.clone();
        for (key, written, example) in [
            ("listen", &tls.listen, EXAMPLE_LISTEN),
            ("cert_file", &tls.cert_file, "cert.pem"),
            ("key_file", &tls.key_file, "key.pem"),
        ] {
            if written.value.is_none() {
                let text = format!(
                    "TLS needs listen, cert_file and key_file; write tls.{key}, as {example:?} \
                     (`shim dev-cert` makes a certificate to try)"
                );
                mistakes.add(begun.clone(), text);
            }
        }
        let listen = tls.listen.transpose();
        let listen = listen.map(|listen| address("tls.listen", listen, EXAMPLE_LISTEN, mistakes));
        let file = |key: &str, written: Placed<Option<String>>| {
            let written = written.transpose()?;
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
                    mistakes.add(written.origin, text);
                    None
                }
            }
        };
        let certificates = file("cert_file", tls.cert_file);
        let key = file("key_file", tls.key_file);
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
            mistakes.add(file.origin.clone(), text);
        });
        Some(Self {
            listen: listen?,
            identity: identity.ok()?,
            key_file: PathBuf::from(key_file.value),
        })
    }

    /// Problems for clients, and key files that other users can read, one sentence each.
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
