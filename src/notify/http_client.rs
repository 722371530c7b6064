//! One HTTP client per set of trusted certificates, shared by all deliveries of the process.
//!
//! Invariants:
//! - No redirect is followed, no proxy is taken from the environment, no cookie is kept.
//! - Certificates are read again every day: a keeper runs for months.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};

use crate::domain::time::{DAY_MS, Timestamp};

pub(crate) type Client =
    hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Clients that are kept: one for the system's certificates, and some for files of them.
const CLIENTS_MAX: usize = 8;
/// Idle connections that are kept per host.
const IDLE_MAX: usize = 2;
/// How long an idle connection is kept: shorter than servers do, so that we close first.
const IDLE_FOR: Duration = Duration::from_secs(4);
/// How long connecting may take over all addresses of a host.
const CONNECT_LIMIT: Duration = Duration::from_secs(8);
/// The largest head of an answer, in bytes.
const HEAD_MAX: usize = 16 * 1_024;

struct Kept {
    /// The digest of the certificates, if they are not the system's.
    trust: Option<[u8; 32]>,
    since: Timestamp,
    client: Client,
}

static CLIENTS: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// The client that trusts these certificates (PEM), or the system's. Reads and parses
/// files the first time: not for the runtime's own threads.
pub(crate) fn client(pem: Option<&[u8]>, now: Timestamp) -> Result<Client, String> {
    let trust = pem.map(|pem| <[u8; 32]>::from(Sha256::digest(pem)));
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    clients.retain(|kept| (0..DAY_MS).contains(&now.since(kept.since)));
    if let Some(kept) = clients.iter().find(|kept| kept.trust == trust) {
        return Ok(kept.client.clone());
    }
    let client = build(pem)?;
    if clients.len() >= CLIENTS_MAX {
        clients.remove(0);
    }
    clients.push(Kept { trust, since: now, client: client.clone() });
    Ok(client)
}

fn build(pem: Option<&[u8]>) -> Result<Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots(pem)?)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_LIMIT));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE_MAX)
        .http1_max_buf_size(HEAD_MAX)
        .build(connector))
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(pem) = pem else {
        // A host without certificates still posts to http://; https:// then says whom it misses.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| format!("not a certificate: {e}"))?;
        store.add(certificate).map_err(|e| format!("not a usable certificate: {e}"))?;
    }
    if store.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clients_are_shared_and_renewed() {
        let count = || CLIENTS.lock().unwrap_or_else(PoisonError::into_inner).len();
        let now = Timestamp(1_000);
        drop(client(None, now).expect("a client"));
        drop(client(None, now.plus(DAY_MS - 1)).expect("the same"));
        assert_eq!(count(), 1);
        drop(client(None, now.plus(DAY_MS)).expect("a new one"));
        assert_eq!(count(), 1);
        assert!(client(Some(b"no certificate"), now).is_err());
    }
}
