//! TLS handshakes, and the certificate, which can be replaced between two of them.

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{AlertDescription, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::settings::identity::{HTTP2, Identity};

/// What TLS connections are opened with. Clones are the same: what one is given, all use.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Identity>>);

impl Tls {
    /// Opens connections as this server.
    pub fn new(identity: &Identity) -> Self {
        Self(Arc::new(RwLock::new(identity.clone())))
    }

    /// Opens connections from now on as another one. Those that are open go on as they are;
    /// sessions of before are not taken up again.
    pub fn replace(&self, identity: &Identity) {
        // It is replaced as a whole: no panic leaves it half done.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity.clone();
    }

    /// When the certificate expires, in seconds since 1970.
    pub(crate) fn expires(&self) -> Option<i64> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .expires()
    }

    pub(super) fn now(&self) -> Arc<ServerConfig> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .server()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// Why a handshake failed, as far as it says something to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandshakeFailure {
    #[error("the client does not accept the certificate ({0:?}); it must trust who issued it")]
    CertificateRefused(AlertDescription),
    #[error("the client and the shim have no version or cipher in common; the lowest is TLS 1.2")]
    Incompatible,
    #[error("what came is not TLS; plain HTTP has an address of its own")]
    NotTls,
    #[error("the client hung up, or broke the protocol")]
    Other,
}

impl HandshakeFailure {
    /// True if the client is one that may be helped.
    pub(super) fn is_telling(self) -> bool {
        self != Self::Other
    }
}

/// The handshake of a connection.
pub(super) async fn open(
    stream: TcpStream,
    server: Arc<ServerConfig>,
) -> Result<TlsStream<TcpStream>, HandshakeFailure> {
    let opened = TlsAcceptor::from(server).accept(stream).await;
    opened.map_err(|error| failure(&error))
}

/// True if HTTP/2 was agreed on.
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
