//! TLS handshakes, and a certificate that can be replaced at run time.

use std::{fmt, io, sync::Arc};

use parking_lot::RwLock;
use rustls::{AlertDescription, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::settings::identity::{HTTP2, Identity};

/// Certificate and configuration of a TLS listener. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Identity>>);

impl Tls {
    /// Uses the certificate of an identity.
    pub fn new(identity: &Identity) -> Self {
        Self(Arc::new(RwLock::new(identity.clone())))
    }

    /// Replaces the certificate for new connections. Open connections stay; earlier sessions cannot
    /// be resumed.
    pub fn replace(&self, identity: &Identity) {
        *self.0.write() = identity.clone();
    }

    /// Expiry of the certificate, in seconds since 1970.
    pub(crate) fn expires(&self) -> Option<i64> {
        self.0.read().expires()
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.0.read().server()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// Reasons of a failed handshake that matter to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandshakeFailure {
    #[error("the client does not accept the certificate ({0:?}); it must trust the issuer")]
    CertificateRefused(AlertDescription),
    #[error("the client and the shim have no version or cipher in common; the lowest is TLS 1.2")]
    Incompatible,
    #[error("the client did not send TLS; plain HTTP has an address of its own")]
    NotTls,
    #[error("the client disconnected or violated the protocol")]
    Other,
}

impl HandshakeFailure {
    /// Returns whether the operator can fix it.
    pub(super) fn is_actionable(self) -> bool {
        self != Self::Other
    }
}

/// Performs the handshake of a connection.
pub(super) async fn open(
    stream: TcpStream,
    server: Arc<ServerConfig>,
) -> Result<TlsStream<TcpStream>, HandshakeFailure> {
    let opened = TlsAcceptor::from(server).accept(stream).await;
    opened.map_err(|error| failure(&error))
}

/// Returns whether HTTP/2 was negotiated.
pub(super) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

fn failure(error: &io::Error) -> HandshakeFailure {
    use AlertDescription as Alert;

    let inner = error.get_ref();
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate),
        )) => HandshakeFailure::CertificateRefused(*alert),
        Some(
            rustls::Error::PeerIncompatible(_)
            | rustls::Error::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure),
        ) => HandshakeFailure::Incompatible,
        Some(rustls::Error::InvalidMessage(_)) => HandshakeFailure::NotTls,
        _ => HandshakeFailure::Other,
    }
}
