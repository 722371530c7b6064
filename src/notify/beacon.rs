//! The keeper's own sign of life: one GET to somebody who waits for it.
//!
//! Invariants:
//! - It ends within its time limit, whatever the other side does. No redirect is followed.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::USER_AGENT;
use hyper::{Method, Request};

use crate::domain::channel::Value;
use crate::domain::time::Timestamp;
use crate::notify::http_client::client;
use crate::notify::secrets::read_value;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Gets a URL; the code if it is 2xx, else what went wrong. The URL may be a secret and is not told.
pub async fn get(url: &Value, now: Timestamp) -> Result<u16, String> {
    let attempt = async {
        let (text, _) = read_value(url).await.map_err(|e| e.to_string())?;
        let uri: hyper::Uri = text.expose().parse().map_err(|_| "it is no URL".to_owned())?;
        let client = tokio::task::spawn_blocking(move || client(None, now))
            .await
            .map_err(|e| e.to_string())??;
        let request = Request::builder()
            .method(Method::GET)
            .uri(uri)
            .header(USER_AGENT, concat!("warroom/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::new()))
            .map_err(|e| e.to_string())?;
        let answer = client.request(request).await.map_err(|_| "nobody answered".to_owned())?;
        let status = answer.status();
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(format!("the answer was {}", status.as_u16()))
        }
    };
    match tokio::time::timeout(LIMIT, attempt).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer came within {} s", LIMIT.as_secs())),
    }
}
