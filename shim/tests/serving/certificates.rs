//! A certificate authority and clients that trust it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use reqwest::{Certificate, Client, ClientBuilder};
use shim::{front::server::Tls, settings::identity::Identity};

/// Host name of the shim.
pub(crate) const HOST: &str = "localhost";

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        shim::install_tls();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A new certificate for the shim.
    pub(crate) fn identity(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let now = std::time::SystemTime::now().into();
        Identity::read(&certificate.pem(), &key.serialize_pem().into(), now).unwrap()
    }

    pub(crate) fn tls(&self) -> Tls {
        Tls::new(&self.identity())
    }

    /// A client that trusts only this authority.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|builder| builder)
    }

    /// For clients that trust several authorities.
    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    pub(crate) fn client_with(
        &self,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Client {
        let builder = Client::builder()
            .no_proxy()
            .tls_certs_only([self.certificate()]);
        change(builder).build().unwrap()
    }
}
