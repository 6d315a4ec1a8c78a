//! Loading certificate authorities: what is accepted, and the words for each file that is not.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;

fn authority() -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority").pem()
}

fn load(name: &str, content: &str) -> (PathBuf, Result<TlsRoots, TlsRootsError>) {
    let path = std::env::temp_dir().join(format!("tls-roots-{}-{name}", std::process::id()));
    std::fs::write(&path, content).expect("write");
    let roots = TlsRoots::load(std::slice::from_ref(&path));
    std::fs::remove_file(&path).expect("remove");
    (path, roots)
}

#[test]
fn every_certificate_of_a_bundle_is_added_to_the_systems() {
    let system = TlsRoots::load(&[]).expect("load").store.len();
    let bundle = format!("# ours\n{}\n{}", authority(), authority());
    let (_, roots) = load("bundle.pem", &bundle);
    assert_eq!(roots.expect("load").store.len(), system + 2);
}

#[test]
fn a_missing_file_is_named() {
    let path = PathBuf::from("no-such-directory/ca.pem");
    let error = TlsRoots::load(std::slice::from_ref(&path)).err().expect("must fail");
    assert!(matches!(&error, TlsRootsError::Unreadable { path: named, .. } if *named == path), "{error:?}");
    assert!(error.to_string().contains("no-such-directory/ca.pem"));
}

#[test]
fn a_file_without_certificates_is_refused() {
    let key = KeyPair::generate().expect("key").serialize_pem();
    for (name, content) in [("empty.pem", ""), ("text.pem", "not a certificate\n"), ("key.pem", &key)] {
        let (path, roots) = load(name, content);
        assert_eq!(roots.err(), Some(TlsRootsError::NoCertificate { path }));
    }
}

#[test]
fn a_broken_certificate_is_counted() {
    let bundle = format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", authority());
    let (path, roots) = load("broken.pem", &bundle);
    let error = roots.err().expect("must fail");
    let expected = matches!(&error, TlsRootsError::BadCertificate { path: p, number: 2, .. } if *p == path);
    assert!(expected, "{error:?}");
}

#[test]
fn only_one_of_the_settings_offers_h2() {
    let configs = TlsRoots::load(&[]).expect("load").configs().expect("configs");
    assert_eq!(configs.h2.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(configs.http1.alpn_protocols, [b"http/1.1".to_vec()]);
}
