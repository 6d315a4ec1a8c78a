//! The certificate authorities that this program trusts and the TLS client settings made from them, for upstreams and
//! https proxies alike. Loading is synchronous and done once at start, away from the request path.
//! It must not read the environment's `NODE_EXTRA_CA_CERTS` or any setting itself: the caller passes the files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

#[cfg(test)]
mod tests;

/// Room for the upstream and an https proxy in front of it (rustls counts eight tickets a server).
const SESSIONS_PER_ROUTE: usize = 16;

/// A certificate file that the user named cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsRootsError {
    Unreadable { path: PathBuf, reason: String },
    NoCertificate { path: PathBuf },
    BadCertificate { path: PathBuf, number: usize, reason: String },
    Unsupported { reason: String },
}

impl fmt::Display for TlsRootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => write!(
                f,
                "The certificate authority file {} cannot be read: {reason}. Check the path and its permissions.",
                path.display()
            ),
            Self::NoCertificate { path } => write!(
                f,
                "The certificate authority file {} contains no PEM certificate. Give a file with at least one \
                 \"-----BEGIN CERTIFICATE-----\" section.",
                path.display()
            ),
            Self::BadCertificate { path, number, reason } => write!(
                f,
                "Certificate number {number} in the certificate authority file {} is not usable: {reason}. Replace or \
                 remove it.",
                path.display()
            ),
            Self::Unsupported { reason } => {
                write!(
                    f,
                    "TLS cannot be set up: {reason}. This build of the program is faulty; please report it."
                )
            }
        }
    }
}

impl std::error::Error for TlsRootsError {}

/// The system's certificate authorities and the user's extra ones.
#[derive(Clone)]
pub struct TlsRoots {
    store: Arc<RootCertStore>,
    warning: Option<String>,
}

impl TlsRoots {
    /// Reads the system's store and every file of `extra_ca` (PEM, one or more certificates each).
    /// A bad extra file is an error, because the user named it; trouble with the system's store is only a warning,
    /// because a plain http upstream works without it.
    pub fn load(extra_ca: &[PathBuf]) -> Result<Self, TlsRootsError> {
        let mut store = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(native.certs);
        let warning = store.is_empty().then(|| {
            let reason = native.errors.first().map_or("none was found".to_owned(), ToString::to_string);
            format!(
                "The system's certificate authorities could not be loaded: {reason}. Install the package \
                 ca-certificates, or name a certificate authority file, otherwise no https upstream can be trusted."
            )
        });
        for path in extra_ca {
            add_file(&mut store, path)?;
        }
        Ok(Self { store: Arc::new(store), warning })
    }

    /// What the user should know although loading went on.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    pub fn configs(&self) -> Result<TlsConfigs, TlsRootsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut http1 = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsRootsError::Unsupported { reason: error.to_string() })?
            .with_root_certificates(Arc::clone(&self.store))
            .with_no_client_auth();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut h2 = http1.clone();
        h2.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsConfigs { h2: Arc::new(h2), http1: Arc::new(http1) }.with_own_sessions())
    }
}

/// Client settings that differ only in the protocols they offer (ALPN).
#[derive(Clone)]
pub struct TlsConfigs {
    /// Offers h2, then http/1.1: for direct connections.
    pub h2: Arc<ClientConfig>,
    /// Offers http/1.1 only: for proxies and for everything behind one.
    pub http1: Arc<ClientConfig>,
}

impl TlsConfigs {
    /// The same trust with an empty session cache of its own.
    /// Invariant: a TLS session is never resumed by another key or over another proxy, because its ticket would tell
    /// the upstream that both are one client.
    pub fn with_own_sessions(&self) -> Self {
        let renewed = |config: &ClientConfig| {
            let mut config = config.clone();
            config.resumption = Resumption::in_memory_sessions(SESSIONS_PER_ROUTE);
            Arc::new(config)
        };
        Self { h2: renewed(&self.h2), http1: renewed(&self.http1) }
    }
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<(), TlsRootsError> {
    let text = std::fs::read(path)
        .map_err(|error| TlsRootsError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    let mut number = 0;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        number += 1;
        let bad = |reason: String| TlsRootsError::BadCertificate { path: path.to_owned(), number, reason };
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        store.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if number == 0 {
        return Err(TlsRootsError::NoCertificate { path: path.to_owned() });
    }
    Ok(())
}
