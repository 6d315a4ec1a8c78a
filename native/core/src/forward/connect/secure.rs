//! One TLS handshake as a client, and what its failure means in plain words.
//! It must not know whether the peer is an https proxy or the upstream: the caller turns the problem into a fault.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, Error};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::Io;

pub(super) enum HandshakeProblem {
    /// The connection ended or broke; TLS itself had no objection.
    Lost(io::Error),
    /// TLS objected.
    Failed(String),
}

pub(super) async fn handshake<T: Io>(
    config: &Arc<ClientConfig>,
    host: &str,
    io: T,
) -> Result<TlsStream<T>, HandshakeProblem> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| HandshakeProblem::Failed("the host name cannot stand in a certificate".to_owned()))?;
    TlsConnector::from(Arc::clone(config)).connect(name, io).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(objection) => HandshakeProblem::Failed(words(objection)),
            None => HandshakeProblem::Lost(error),
        }
    })
}

fn words(objection: &Error) -> String {
    match objection {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by an authority that is not trusted here".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired, or this machine's clock is wrong".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet, or this machine's clock is wrong".to_owned(),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another host name".to_owned(),
        Error::InvalidCertificate(other) => format!("its certificate is not valid ({other})"),
        Error::InvalidMessage(_) => "its answer is not TLS".to_owned(),
        Error::AlertReceived(alert) => format!("it refused the handshake (alert {alert:?})"),
        other => other.to_string(),
    }
}
