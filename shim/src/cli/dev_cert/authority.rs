//! A local certificate authority, and certificates for host names of other servers: for programs
//! whose base URL cannot be changed, and to test TLS.
//!
//! The authority is name-constrained, so that anyone with its key can only impersonate these hosts.

use std::{fmt, net::IpAddr, str::FromStr};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{GeneralName, X509Certificate};

use crate::settings::identity::{Identity, parse};

/// Time for which certificates are valid before now, for clocks that are behind.
const BEFORE: Duration = Duration::days(1);

/// Lifetime of a certificate. Clients accept at most 398 days, [`BEFORE`] included.
const LEAF_DAYS: Duration = Duration::days(396);

const AUTHORITY_DAYS: Duration = Duration::days(3650);

/// Common name of the authority.
const AUTHORITY: &str = "shim dev-cert: local test authority";

/// A name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServerName {
    /// A host, in lower case.
    Dns(String),
    Address(IpAddr),
}

/// A text that is not a host name or address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host name, as api.zoom.us, or an address; no URL, no port, no *")]
pub(crate) struct NotAName;

/// Reason why no certificate can be issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("the authority's certificate cannot be read")]
    Unreadable,
    #[error("the authority's key does not belong to its certificate, or cannot be read")]
    OtherKey,
    #[error("the certificate is not an authority")]
    NoAuthority,
    #[error("the authority is valid only until {0}")]
    Over(time::Date),
    #[error("the authority is for {allowed} only, and {name} is not among them")]
    NotAllowed { name: ServerName, allowed: String },
    #[error("the certificate cannot be created")]
    Failed(#[from] rcgen::Error),
}

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: SecretString,
}

/// Creates an authority for these names.
pub(crate) fn authority(names: &[ServerName], now: OffsetDateTime) -> Result<Pair, IssueError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.not_before = now - BEFORE;
    params.not_after = now + AUTHORITY_DAYS;
    params
        .distinguished_name
        .push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(subtree).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(Pair {
        certificate: params.self_signed(&key)?.pem(),
        key: key.serialize_pem().into(),
    })
}

/// Issues a certificate for these names.
pub(crate) fn issue(
    authority: &Pair,
    names: &[ServerName],
    now: OffsetDateTime,
) -> Result<Pair, IssueError> {
    check(authority, names, now)?;
    let authority_key = KeyPair::from_pem(authority.key.expose_secret())?;
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, authority_key)?;

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.not_before = now - BEFORE;
    params.not_after = now + LEAF_DAYS;
    let first = names.first().map(ToString::to_string).unwrap_or_default();
    params.distinguished_name.push(DnType::CommonName, first);
    params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(Pair {
        certificate: params.signed_by(&key, &issuer)?.pem(),
        key: key.serialize_pem().into(),
    })
}

/// The last day of a certificate issued now.
pub(crate) fn until(now: OffsetDateTime) -> time::Date {
    (now + LEAF_DAYS).date()
}

/// Checks that the authority can issue for these names.
fn check(authority: &Pair, names: &[ServerName], now: OffsetDateTime) -> Result<(), IssueError> {
    let der = CertificateDer::from_pem_slice(authority.certificate.as_bytes());
    let der = der.map_err(|_| IssueError::Unreadable)?;
    let certificate = parse(&der).ok_or(IssueError::Unreadable)?;
    if Identity::read(&authority.certificate, &authority.key, now).is_err() {
        return Err(IssueError::OtherKey);
    }
    if !certificate.is_ca() {
        return Err(IssueError::NoAuthority);
    }
    let end = certificate.validity().not_after.to_datetime();
    if end < now + LEAF_DAYS {
        return Err(IssueError::Over(end.date()));
    }
    let Some(allowed) = allowed(&certificate) else {
        return Ok(());
    };
    match names.iter().find(|name| !is_allowed(name, &allowed)) {
        None => Ok(()),
        Some(name) => {
            let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            Err(IssueError::NotAllowed {
                name: name.clone(),
                allowed: allowed.join(", "),
            })
        }
    }
}

/// The names of the authority's constraint; `None` without a constraint.
fn allowed(certificate: &X509Certificate<'_>) -> Option<Vec<ServerName>> {
    let constraints = certificate.name_constraints().ok().flatten()?.value;
    let permitted = constraints.permitted_subtrees.as_ref()?;
    let names = permitted.iter().filter_map(|subtree| match &subtree.base {
        GeneralName::DNSName(name) => name.parse().ok(),
        // An address and a mask.
        GeneralName::IPAddress(bytes) => {
            let (address, _) = bytes.split_at_checked(bytes.len() / 2)?;
            let v4 = <[u8; 4]>::try_from(address).map(IpAddr::from);
            let v6 = || <[u8; 16]>::try_from(address).map(IpAddr::from);
            v4.or_else(|_| v6()).ok().map(ServerName::Address)
        }
        _ => None,
    });
    Some(names.collect())
}

fn is_allowed(name: &ServerName, allowed: &[ServerName]) -> bool {
    allowed.iter().any(|allowed| match (name, allowed) {
        (ServerName::Dns(name), ServerName::Dns(allowed)) => {
            let before = name.strip_suffix(allowed.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }
        (name, allowed) => name == allowed,
    })
}

fn subtree(name: &ServerName) -> GeneralSubtree {
    match name {
        ServerName::Dns(name) => GeneralSubtree::DnsName(name.clone()),
        ServerName::Address(address) => {
            let all = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, all))
        }
    }
}

fn alternative(name: &ServerName) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        ServerName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        ServerName::Address(address) => SanType::IpAddress(*address),
    })
}

impl FromStr for ServerName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let ends_well = !label.starts_with('-') && !label.ends_with('-');
            (1..=63).contains(&label.len()) && label.bytes().all(is_inner) && ends_well
        };
        // A text that looks like an invalid address is not a host name.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
        if name.len() > 253 || is_number || !name.split('.').all(is_label) {
            return Err(NotAName);
        }
        Ok(Self::Dns(name))
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::date_time_ymd;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        crypto::ring,
        pki_types::UnixTime,
    };

    use super::*;

    fn names(texts: &[&str]) -> Vec<ServerName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn now() -> OffsetDateTime {
        date_time_ymd(2030, 6, 1)
    }

    /// True if a client that trusts the authority accepts the certificate for a name.
    fn is_accepted(authority: &Pair, issued: &Pair, name: &str, days: i64) -> bool {
        let der =
            |pair: &Pair| CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(der(authority)).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let at = (now() + Duration::days(days)).unix_timestamp();
        let at = std::time::Duration::from_secs(at.try_into().unwrap());
        let outcome = verifier.build().unwrap().verify_server_cert(
            &der(issued),
            &[],
            &name.to_owned().try_into().unwrap(),
            &[],
            UnixTime::since_unix_epoch(at),
        );
        outcome.is_ok()
    }

    #[test]
    fn clients_accept_it_only_for_its_names_and_lifetime() {
        let all = names(&["api.zoom.us", "localhost", "127.0.0.1", "::1"]);
        let authority = authority(&all, now()).unwrap();
        let issued = issue(&authority, &all, now()).unwrap();
        for name in ["api.zoom.us", "localhost", "127.0.0.1", "::1"] {
            assert!(is_accepted(&authority, &issued, name, 0), "{name}");
        }
        assert!(!is_accepted(&authority, &issued, "zoom.us", 0));
        assert!(is_accepted(&authority, &issued, "localhost", 395));
        assert!(!is_accepted(&authority, &issued, "localhost", 397));
        let der = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let validity = parse(&der).unwrap().validity().clone();
        let lifetime = validity.not_after.to_datetime() - validity.not_before.to_datetime();
        assert!(lifetime <= Duration::days(397), "{lifetime}");
    }

    #[test]
    fn issues_only_for_the_names_of_the_authority() {
        let own = names(&["api.zoom.us", "127.0.0.1"]);
        let authority = authority(&own, now()).unwrap();
        for other in [
            "example.com",
            "zoom.us",
            "notapi.zoom.us",
            "127.0.0.2",
            "::1",
        ] {
            let refused = issue(&authority, &names(&[other]), now()).err().unwrap();
            assert_eq!(
                refused.to_string(),
                format!(
                    "the authority is for api.zoom.us, 127.0.0.1 only, and {other} is not among them"
                )
            );
        }
        assert!(issue(&authority, &names(&["eu.api.zoom.us"]), now()).is_ok());

        // Clients do not accept other names, even if they are signed with its key.
        let key = KeyPair::from_pem(authority.key.expose_secret()).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&authority.certificate, key).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        let forged = Pair {
            certificate: params.signed_by(&key, &issuer).unwrap().pem(),
            key: key.serialize_pem().into(),
        };
        assert!(!is_accepted(&authority, &forged, "example.com", 0));
    }

    #[test]
    fn refuses_a_certificate_that_is_not_an_authority() {
        let all = names(&["localhost"]);
        let (one, other) = (
            authority(&all, now()).unwrap(),
            authority(&all, now()).unwrap(),
        );
        let error = |certificate: &str, key: &SecretString, now| {
            let pair = Pair {
                certificate: certificate.to_owned(),
                key: key.clone(),
            };
            issue(&pair, &all, now).err().unwrap().to_string()
        };
        let leaf = issue(&one, &all, now()).unwrap();
        let late = now() + Duration::days(3500);
        insta::assert_snapshot!(
            [
                error("", &one.key, now()),
                error(&one.certificate, &other.key, now()),
                error(&leaf.certificate, &leaf.key, now()),
                error(&one.certificate, &one.key, late),
            ]
            .join("\n")
        );
    }

    #[test]
    fn accepts_only_hosts_and_addresses() {
        for text in [
            "",
            "*.zoom.us",
            "https://api.zoom.us",
            "a:443",
            "a..b",
            "-a",
            "1.2.3",
            "a b",
        ] {
            assert_eq!(text.parse::<ServerName>(), Err(NotAName), "{text:?}");
        }
        assert_eq!(
            "API.zoom.us".parse(),
            Ok(ServerName::Dns("api.zoom.us".to_owned()))
        );
    }
}
