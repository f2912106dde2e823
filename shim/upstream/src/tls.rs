//! TLS to v2 and its token endpoint.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Makes rustls use ring in this process, unless it uses something already. A `reqwest` client of
/// this workspace cannot be made before.
pub fn install_tls() {
    // Fails only if something is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What `reqwest` uses, made here so that both ways to v2 share it: the certificates that the
/// platform trusts, or none for what is on this machine and without TLS.
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
