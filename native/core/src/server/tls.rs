//! The endpoint's own certificate: two PEM files that the user named, read once when the endpoint opens. It serves
//! HTTP/1.1 only, because a WebSocket cannot be opened otherwise. Who may connect is not decided here.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::settings::{Problem, TlsFiles};

/// Reads certificates from disk: not for the request path.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, Problem> {
    let chain = certificates(&files.cert_file)?;
    let key = private_key(&files.key_file)?;
    let misfit = |error: rustls::Error| {
        let (certificate, key) = (&files.cert_file, &files.key_file);
        Problem::new(
            "server.tls",
            format!(
                "The certificate in {certificate} and the key in {key} cannot be used together: {error}."
            ),
        )
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(misfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(misfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let problem = |words: String| Problem::new("server.tls.certFile", words);
    let text = read(path).map_err(|reason| problem(format!("The certificate file {path} {reason}")))?;
    let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&text).collect();
    let chain =
        chain.map_err(|error| problem(format!("The certificate file {path} is damaged: {error}.")))?;
    if chain.is_empty() {
        return Err(problem(format!(
            "The certificate file {path} contains no PEM certificate. Give a file with a \"-----BEGIN CERTIFICATE-----\" \
             section, the endpoint's own certificate first."
        )));
    }
    Ok(chain)
}

fn private_key(path: &str) -> Result<PrivateKeyDer<'static>, Problem> {
    let problem = |words: String| Problem::new("server.tls.keyFile", words);
    let text = read(path).map_err(|reason| problem(format!("The key file {path} {reason}")))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        problem(match error {
            PemError::NoItemsFound => format!(
                "The key file {path} contains no private key in PEM that can be read. Give one that is not encrypted."
            ),
            // Never the parser's words here: they may quote what it read.
            _ => format!("The key file {path} is damaged."),
        })
    })
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(Path::new(path))
        .map_err(|error| format!("cannot be read: {error}. Check the path and its permissions."))
}
