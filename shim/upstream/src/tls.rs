//! TLS to v2 and its token endpoint.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Installs ring as rustls's process-wide provider, if none is installed. Must be called before any
/// `reqwest` client is built.
pub fn install_tls() {
    // Fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// TLS configuration shared by reqwest and the pool, the same as reqwest's default: the platform's
/// certificates, or none for a local v2 without TLS.
pub(super) fn config(is_local: bool) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder();
    let mut config = if is_local {
        let none = RootCertStore::empty();
        builder.with_root_certificates(none).with_no_client_auth()
    } else {
        let verifier = Verifier::new(Arc::clone(builder.crypto_provider()))?;
        let builder = builder.dangerous();
        let builder = builder.with_custom_certificate_verifier(Arc::new(verifier));
        builder.with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
