//! The TLS server identity: a certificate with its chain, and its private key.

use std::{fmt, sync::Arc};

use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use secrecy::{ExposeSecret as _, SecretString};
use time::{Duration, OffsetDateTime};
use x509_parser::{parse_x509_certificate, prelude::X509Certificate};

/// ALPN id of HTTP/2.
pub(crate) const HTTP2: &[u8] = b"h2";

/// ALPN id of HTTP/1.1.
pub(crate) const HTTP1: &[u8] = b"http/1.1";

/// Remaining lifetime below which a certificate causes a warning.
const SOON: Duration = Duration::days(14);

/// A certificate with its matching key.
#[derive(Clone)]
pub struct Identity {
    server: Arc<ServerConfig>,
    warnings: Vec<IdentityWarning>,
    expires: Option<i64>,
}

/// Reason why a certificate and a key are not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The certificate file has no certificate.
    #[error(
        "has no certificate in it; it must have the server's own, then its chain, as PEM \
         (-----BEGIN CERTIFICATE-----)"
    )]
    NoCertificate,
    /// The certificate is malformed.
    #[error("has something in it that is no certificate (number {0}); write it again, as PEM")]
    BrokenCertificate(usize),
    /// The key file has no key.
    #[error("has no private key in it; it must be PEM (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    /// The key is encrypted.
    #[error(
        "has an encrypted key, and the shim cannot ask for its password; decrypt it: \
         openssl pkey -in FILE -out PLAIN"
    )]
    EncryptedKey,
    /// The key is malformed, or its type is not supported by TLS.
    #[error("has a key that cannot be used; it must be RSA (2048 bits or more), ECDSA or Ed25519")]
    UnusableKey,
    /// The key matches no certificate.
    #[error("has a key that does not belong to the certificate; both are made together")]
    OtherKey,
    /// The key does not match the first certificate.
    #[error(
        "has the key to certificate number {0} of the certificate file; the server's own must be \
         the first there, then its chain"
    )]
    WrongOrder(usize),
}

impl IdentityError {
    /// True if the key file is wrong, false if the certificate file is.
    pub(crate) fn is_about_key(&self) -> bool {
        !matches!(self, Self::NoCertificate | Self::BrokenCertificate(_))
    }
}

/// Problem of a certificate for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityWarning {
    /// Expired.
    #[error("the certificate has expired on {}; clients will refuse it", .0.date())]
    Expired(OffsetDateTime),
    /// Expires soon.
    #[error("the certificate expires on {}; clients will refuse it then", .0.date())]
    ExpiresSoon(OffsetDateTime),
    /// Not valid yet.
    #[error("the certificate is not good before {}; clients will refuse it till then", .0.date())]
    NotYet(OffsetDateTime),
}

impl Identity {
    /// Reads a certificate with its chain and its key, both as PEM.
    ///
    /// # Errors
    ///
    /// Returns the problem, worded to follow the name of the file.
    pub fn read(
        certificates: &str,
        key: &SecretString,
        now: OffsetDateTime,
    ) -> Result<Self, IdentityError> {
        let chain = chain(certificates)?;
        let key = private_key(key.expose_secret())?;
        let warnings = chain.first().map(|own| warnings(own, now));
        let own = chain.first().and_then(parse);
        let expires = own.map(|own| own.validity().not_after.timestamp());
        let certified = certified(chain, key)?;
        Ok(Self {
            server: Arc::new(server(certified)?),
            warnings: warnings.unwrap_or_default(),
            expires,
        })
    }

    /// Problems for clients.
    pub fn warnings(&self) -> &[IdentityWarning] {
        &self.warnings
    }

    /// Expiry of the certificate, in seconds since 1970.
    pub(crate) fn expires(&self) -> Option<i64> {
        self.expires
    }

    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

fn chain(text: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let mut chain = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let broken = IdentityError::BrokenCertificate(chain.len() + 1);
        let certificate = certificate.map_err(|_| broken.clone())?;
        parse(&certificate).ok_or(broken)?;
        chain.push(certificate);
    }
    if chain.is_empty() {
        return Err(IdentityError::NoCertificate);
    }
    Ok(chain)
}

fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, IdentityError> {
    // PKCS#8 is marked by its label, older formats by a header.
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(IdentityError::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => IdentityError::NoKey,
        _ => IdentityError::UnusableKey,
    })
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, IdentityError> {
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|_| IdentityError::UnusableKey)?;
    let belongs = |chain: &[CertificateDer<'static>]| {
        let certified = CertifiedKey::new(chain.to_vec(), Arc::clone(&key));
        !matches!(
            certified.keys_match(),
            Err(rustls::Error::InconsistentKeys(
                InconsistentKeys::KeyMismatch
            ))
        )
    };
    if belongs(&chain) {
        return Ok(CertifiedKey::new(chain, key));
    }
    let owner = (1..chain.len()).find(|at| chain.get(*at..).is_some_and(belongs));
    Err(owner.map_or(IdentityError::OtherKey, |at| {
        IdentityError::WrongOrder(at + 1)
    }))
}

fn server(certified: CertifiedKey) -> Result<ServerConfig, IdentityError> {
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        // Cannot happen: ring has ciphers for both.
        .map_err(|_| IdentityError::UnusableKey)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    server.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    Ok(server)
}

fn warnings(certificate: &CertificateDer<'_>, now: OffsetDateTime) -> Vec<IdentityWarning> {
    let Some(certificate) = parse(certificate) else {
        return Vec::new();
    };
    let from = certificate.validity().not_before.to_datetime();
    let to = certificate.validity().not_after.to_datetime();
    let mut warnings = Vec::new();
    if now < from {
        warnings.push(IdentityWarning::NotYet(from));
    }
    if now > to {
        warnings.push(IdentityWarning::Expired(to));
    } else if now + SOON > to {
        warnings.push(IdentityWarning::ExpiresSoon(to));
    }
    warnings
}

pub(crate) fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    let (rest, certificate) = parse_x509_certificate(certificate).ok()?;
    rest.is_empty().then_some(certificate)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};

    use super::*;

    struct Made {
        certificate: String,
        key: String,
    }

    fn made(years: (i32, i32)) -> Made {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["api.zoom.us".to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        Made {
            certificate: params.self_signed(&key).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn read(certificates: &str, key: &str) -> Result<Identity, IdentityError> {
        let now = date_time_ymd(2030, 1, 1);
        Identity::read(certificates, &SecretString::from(key), now)
    }

    fn error_message(certificates: &str, key: &str) -> String {
        read(certificates, key).unwrap_err().to_string()
    }

    #[test]
    fn matching_certificate_and_key_are_accepted() {
        let (own, other) = (made((2029, 2031)), made((2029, 2031)));
        assert_eq!(read(&own.certificate, &own.key).unwrap().warnings(), []);
        let both = format!("{}{}", own.certificate, other.certificate);
        assert_eq!(read(&both, &own.key).unwrap().warnings(), []);
        // One file with all parts.
        let all = format!("{}{}", own.key, own.certificate);
        assert_eq!(read(&all, &all).unwrap().warnings(), []);
        // Other types of keys.
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let params = CertificateParams::new(vec!["api.zoom.us".to_owned()]).unwrap();
        let issuer_key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(CertificateParams::default(), issuer_key);
        let signed = params.signed_by(&key, &issuer).unwrap();
        assert!(read(&signed.pem(), &key.serialize_pem()).is_ok());
    }

    #[test]
    fn invalid_identities_are_rejected() {
        let (own, other) = (made((2029, 2031)), made((2029, 2031)));
        let swapped = format!("{}{}", other.certificate, own.certificate);
        let broken = own
            .certificate
            .replace("BEGIN CERTIFICATE-----\nMII", "BEGIN CERTIFICATE-----\nAAA");
        let encrypted = own.key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let encrypted_early = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let all = [
            error_message("", &own.key),
            error_message(&own.key, &own.key),
            error_message(&broken, &own.key),
            error_message("-----BEGIN CERTIFICATE-----\nMIIB\n", &own.key),
            error_message(&own.certificate, ""),
            error_message(&own.certificate, &own.certificate),
            error_message(&own.certificate, no_key),
            error_message(&own.certificate, &encrypted),
            error_message(&own.certificate, encrypted_early),
            error_message(&own.certificate, &other.key),
            error_message(&swapped, &own.key),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn certificates_that_clients_may_reject_give_warnings() {
        let warnings = |years| {
            let made = made(years);
            let identity = read(&made.certificate, &made.key).unwrap();
            let warnings = identity.warnings().iter().map(ToString::to_string);
            warnings.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!([warnings((2027, 2029)), warnings((2031, 2032))].join("\n"));
        let made = made((2029, 2031));
        let now = date_time_ymd(2030, 12, 24);
        let soon = Identity::read(&made.certificate, &SecretString::from(made.key), now).unwrap();
        assert_eq!(
            soon.warnings(),
            [IdentityWarning::ExpiresSoon(date_time_ymd(2031, 1, 1))]
        );
    }

    #[test]
    fn private_key_is_not_printed() {
        let own = made((2029, 2031));
        let identity = read(&own.certificate, &own.key).unwrap();
        assert_eq!(format!("{identity:?}"), "Identity(…)");
    }
}
