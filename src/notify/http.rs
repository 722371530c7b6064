//! The driver for webhooks: posts JSON and judges the answer.
//!
//! Headers of each post: `Idempotency-Key` (the message's id; the same when the same bundle is sent again),
//! `X-Warroom-Timestamp` (seconds since 1970), and with secrets
//! `X-Warroom-Signature: v1=<hex>[,v1=<hex>]`, the HMAC-SHA-256 of the raw body under each.
//!
//! Invariants:
//! - A code 2xx in the head of the answer is the receipt; what the body then does changes nothing.
//! - No redirect is followed: a page goes where the plan says, or nowhere.
//! - Neither a secret nor a secret URL appears in an outcome.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use tokio::task::JoinSet;

use crate::domain::channel::{PLACEHOLDER, Secret, Webhook, WebhookFormat, check_url};
use crate::notify::http_client::{Client, client};
use crate::notify::message::Message;
use crate::notify::secrets::{Resolved, Unreadable, hide, read, read_ca, read_value};
use crate::notify::send::{Context, Outcome, Step};
use crate::notify::{forms, retry_after, sign};

/// Posts of one message that are under way together.
const AT_ONCE: usize = 8;
/// Bytes of an answer's body that are read.
const ANSWER_MAX: usize = 8 * 1_024;
/// How long the body of an answer is waited for once its code is known.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// Characters of an answer that are told.
const ANSWER_TOLD: usize = 160;

/// Everything that a post needs, with the secrets read.
struct Post {
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    keys: Vec<Resolved>,
    /// What may not be told, besides the keys.
    hidden: Vec<Resolved>,
    context: Context,
}

/// Posts the message, in as many posts as its form needs; the last answer counts.
pub(crate) async fn deliver(
    webhook: &Webhook,
    to: &str,
    message: &Message,
    context: &Context,
    step: &Step,
) -> Outcome {
    step.enter("secrets and certificates to be read");
    let (post, to) = match prepare(webhook, to, context).await {
        Ok(ready) => ready,
        Err(reason) => return Outcome::permanent(&reason),
    };
    let bodies = match webhook.format {
        WebhookFormat::Generic => vec![forms::generic(message, &to)],
        WebhookFormat::Slack => vec![forms::slack(message)],
        WebhookFormat::PagerdutyV2 => forms::pagerduty(message, &to, &context.host),
        WebhookFormat::Ntfy => vec![forms::ntfy(message, &to)],
    };
    step.enter("the answer to the post; it may have been taken");
    let is_one = bodies.len() == 1;
    let key = |index: usize| {
        if is_one { message.id.clone() } else { format!("{}.{index}", message.id) }
    };
    let keyed = bodies.into_iter().enumerate().map(|(index, body)| (key(index), body.to_string()));
    post_all(Arc::new(post), keyed.collect()).await
}

/// Several posts at a time. All or nothing: receivers know a repetition by its key.
async fn post_all(post: Arc<Post>, bodies: Vec<(String, String)>) -> Outcome {
    let mut bodies = bodies.into_iter();
    let mut posts = JoinSet::new();
    let mut outcome = Outcome::permanent("there was nothing to post");
    loop {
        while posts.len() < AT_ONCE
            && let Some((key, body)) = bodies.next()
        {
            let post = Arc::clone(&post);
            posts.spawn(async move { post.send(&key, body).await });
        }
        let Some(ended) = posts.join_next().await else { return outcome };
        outcome = ended.unwrap_or_else(|_| Outcome::temporary("the post broke off"));
        if matches!(outcome, Outcome::Failed { .. }) {
            return outcome;
        }
    }
}

async fn prepare(webhook: &Webhook, to: &str, context: &Context) -> Result<(Post, String), String> {
    let said = |e: Unreadable| e.to_string();
    let mut hidden = Vec::new();
    let mut keys = Vec::new();
    for secret in &webhook.secrets {
        keys.push(read(secret).await.map_err(said)?);
    }
    let mut headers = HeaderMap::new();
    for (header, value) in &webhook.headers {
        let (text, is_secret) = read_value(value).await.map_err(said)?;
        let wrong = |what: &str| format!("header {header}: {what}; correct it in the plan");
        let name = HeaderName::try_from(header).map_err(|_| wrong("not a header's name"))?;
        let mut value = HeaderValue::from_str(text.expose())
            .map_err(|_| wrong("its value is not one line of visible characters"))?;
        value.set_sensitive(is_secret);
        headers.insert(name, value);
        if is_secret {
            hidden.push(text);
        }
    }
    let (url, is_secret) = read_value(&webhook.url).await.map_err(said)?;
    check_url(url.expose())?;
    let uri = url
        .expose()
        .replace(PLACEHOLDER, &percent_encoded(to))
        .parse()
        .map_err(|_| "url is not a URL; correct it in the plan".to_owned())?;
    if is_secret {
        hidden.push(url);
    }
    let to = match Secret::parse(to) {
        Ok(place) if webhook.format == WebhookFormat::PagerdutyV2 => {
            let key = read(&place).await.map_err(said)?;
            let to = key.expose().to_owned();
            hidden.push(key);
            to
        }
        Ok(_) | Err(_) => to.to_owned(),
    };
    let client = shared_client(webhook, context).await?;
    Ok((Post { client, uri, headers, keys, hidden, context: context.clone() }, to))
}

async fn shared_client(webhook: &Webhook, context: &Context) -> Result<Client, String> {
    let pem = match &webhook.ca_file {
        None => None,
        Some(path) => Some(read_ca(path).await?),
    };
    let now = context.now;
    tokio::task::spawn_blocking(move || client(pem.as_deref(), now))
        .await
        .map_err(|e| format!("cannot prepare TLS: {e}"))?
        .map_err(|e| format!("cannot prepare TLS: {e}; correct ca_file in the plan"))
}

impl Post {
    async fn send(&self, key: &str, body: String) -> Outcome {
        let request = match self.request(key, body) {
            Ok(request) => request,
            Err(e) => return Outcome::permanent(&format!("cannot put the post together: {e}")),
        };
        match self.client.request(request).await {
            Ok(response) => self.judge(response).await,
            Err(e) => {
                let what = if e.is_connect() { "connect to" } else { "get an answer from" };
                let cause = self.told(&root_cause(&e));
                Outcome::temporary(&format!("could not {what} {}: {cause}", self.server()))
            }
        }
    }

    fn request(&self, key: &str, body: String) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("warroom/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", plain_key(key))
            .header("x-warroom-timestamp", self.context.now.0.div_euclid(1_000));
        let keys = self.keys.iter().map(|key| key.expose().as_bytes());
        if let Some(signature) = sign::signature(keys, body.as_bytes()) {
            request = request.header(sign::SIGNATURE, signature);
        }
        let mut request = request.body(Full::new(Bytes::from(body)))?;
        // What the driver writes itself cannot be replaced.
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        Ok(request)
    }

    async fn judge(&self, response: Response<Incoming>) -> Outcome {
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::read(value, self.context.now));
        let answer = self.told(&first_words(response.into_body()).await);
        let said = format!("HTTP {} {answer}", status.as_u16());
        if status.is_success() {
            return Outcome::accepted(status.as_u16(), &said);
        }
        let reason = format!("{} answered {}", self.server(), said.trim_end());
        if is_temporary(status) {
            return Outcome::come_back(&reason, wait);
        }
        let hint = if status.is_redirection() {
            "; redirects are not followed: write the new URL into the plan"
        } else {
            ""
        };
        Outcome::permanent(&format!("{reason}{hint}"))
    }

    /// The host: the rest of a URL may be a secret.
    fn server(&self) -> &str {
        self.uri.authority().map_or("the server", |authority| authority.as_str())
    }

    fn told(&self, text: &str) -> String {
        let secrets: Vec<&Resolved> = self.keys.iter().chain(&self.hidden).collect();
        hide(text, &secrets)
    }
}

/// Whether the same post may succeed later: time-outs, "too early", "too many", and trouble of
/// the server's own.
fn is_temporary(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500..=599)
}

/// The first line of a body. A body that does not come is not waited for: the code is known.
async fn first_words(mut body: Incoming) -> String {
    let mut taken: Vec<u8> = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(data) = frame.data_ref() else { continue };
            let room = ANSWER_MAX - taken.len();
            taken.extend_from_slice(&data[..room.min(data.len())]);
            if taken.len() == ANSWER_MAX {
                break;
            }
        }
    };
    drop(tokio::time::timeout(ANSWER_WAIT, reading).await);
    let text = String::from_utf8_lossy(&taken);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(ANSWER_TOLD).collect()
}

/// The innermost cause: the outer ones only say that there was one.
fn root_cause(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause = error.source();
    let mut words = error.to_string();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

/// Of characters that a header may have.
fn plain_key(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).take(255).collect()
}

/// All but the unreserved characters (RFC 3986, 2.3) as `%XX`.
fn percent_encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_one_segment_of_the_path() {
        assert_eq!(percent_encoded("a/b?c#d%é ~"), "a%2Fb%3Fc%23d%25%C3%A9%20~");
        assert_eq!(plain_key("01J\r\nX: y"), "01J--X:-y");
    }

    #[test]
    fn codes_are_temporary_or_permanent() {
        for code in [408, 425, 429, 500, 502, 503, 504] {
            assert!(is_temporary(StatusCode::from_u16(code).expect("a code")), "{code}");
        }
        for code in [301, 307, 400, 401, 403, 404, 410, 422] {
            assert!(!is_temporary(StatusCode::from_u16(code).expect("a code")), "{code}");
        }
    }
}
