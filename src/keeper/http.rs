//! The intake over HTTP: from a sender's socket to the writer's inbox and back.
//!
//! Invariants:
//! - 2xx is only answered after the events are durable.
//! - Every post is accounted for: taken, or refused with a receipt.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::clock::wall_now;
use crate::config::settings::Settings;
use crate::domain::command::Command;
use crate::domain::rejection::RejectionKind;
use crate::ingest::{Refused, Taken, alertmanager, generic, pagerduty, reply};
use crate::keeper::gate::{Gate, Pass};
use crate::keeper::inbox::Inbox;
use crate::keeper::writer::Mail;

/// Everything a connection needs.
pub struct Intake {
    pub gate: Arc<Gate>,
    pub inbox: Inbox,
}

type Answer = Response<Full<Bytes>>;

static FRESH: AtomicU64 = AtomicU64::new(1);

/// Accepts until the listener fails or the task is dropped.
pub async fn serve(listener: TcpListener, intake: Arc<Intake>) {
    let seats = Arc::new(Semaphore::new(intake.gate.settings().intake.connections));
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors or the like: give the others time to finish.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let seat = Arc::clone(&seats).try_acquire_owned();
        drop(stream.set_nodelay(true));
        let intake = Arc::clone(&intake);
        tokio::spawn(async move {
            let Ok(_seat) = seat else {
                intake.gate.refuse("intake", 503, "too many connections at once", b"");
                return refuse_connection(stream).await;
            };
            intake.gate.connections.fetch_add(1, Ordering::Relaxed);
            let limit = Duration::from_secs(intake.gate.settings().intake.timeout_s);
            let for_requests = Arc::clone(&intake);
            let service =
                service_fn(move |request| handle(request, peer, Arc::clone(&for_requests)));
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limit)
                .max_buf_size(64 * 1024)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended");
            }
            intake.gate.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn refuse_connection(mut stream: tokio::net::TcpStream) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let text = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    drop(stream.write_all(text).await);
    drop(stream.shutdown().await);
    // What was sent and not read would have the answer thrown away with it.
    let mut rest = stream.take(DRAIN_MAX);
    let mut sink = tokio::io::sink();
    let drained = tokio::io::copy(&mut rest, &mut sink);
    drop(tokio::time::timeout(DRAIN_WITHIN, drained).await);
}

fn answer(status: u16, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if matches!(status, 429 | 503 | 507) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn plain(status: u16, text: impl Into<Bytes>) -> Answer {
    let mut response = answer(status, text);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn error_body(what: &str) -> String {
    serde_json::json!({ "status": "error", "message": what }).to_string()
}

async fn handle(
    request: Request<Incoming>,
    peer: SocketAddr,
    intake: Arc<Intake>,
) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    if let Some(name) = path.strip_prefix("/v1/heartbeat/") {
        let is_taken = matches!(*request.method(), Method::GET | Method::POST);
        return Ok(if is_taken {
            beat(&request, name.trim_end_matches('/'), peer, &intake).await
        } else {
            intake.gate.refuse("heartbeat", 405, "GET or POST is taken here", b"");
            answer(405, error_body("GET or POST is taken here"))
        });
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(match path.as_str() {
            "/healthz" => plain(200, "ok\n"),
            "/readyz" if intake.gate.tight.load(Ordering::Relaxed) => plain(503, "disk is tight\n"),
            "/readyz" => plain(200, "ready\n"),
            "/metrics" => plain(200, intake.gate.metrics()),
            path if Kind::of(path).is_some() => answer(405, error_body("only POST is taken here")),
            _ => answer(404, error_body("there is no such page")),
        });
    }
    let Some(kind) = Kind::of(&path).filter(|_| request.method() == Method::POST) else {
        let (status, what) = if Kind::of(&path).is_some() {
            (405, "only POST is taken here")
        } else {
            (404, "there is no such page; see 'warroom help intake'")
        };
        intake.gate.refuse("intake", status, what, path.as_bytes());
        return Ok(answer(status, error_body(what)));
    };
    Ok(post(request, kind, peer, &intake).await)
}

/// What is posted where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alertmanager,
    AlertsApi,
    Enqueue,
    Change,
    Events,
    /// A gateway passes on an answer to a page.
    Answer,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        match path.trim_end_matches('/') {
            "/v1/alertmanager" => Some(Self::Alertmanager),
            "/api/v2/alerts" => Some(Self::AlertsApi),
            "/v2/enqueue" => Some(Self::Enqueue),
            "/v2/change/enqueue" => Some(Self::Change),
            "/v1/events" => Some(Self::Events),
            "/v1/ack" => Some(Self::Answer),
            _ => None,
        }
    }

    /// The source's name where no token gives one.
    const fn source(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::AlertsApi => "prometheus",
            Self::Enqueue | Self::Change => "pagerduty",
            Self::Events => "events",
            Self::Answer => "gateway",
        }
    }
}

/// Refuses a post with a receipt.
fn refuse(gate: &Gate, kind: Kind, (status, what): (u16, &str), body: &[u8]) -> Answer {
    gate.refuse(kind.source(), status, what, body);
    answer(status, error_body(what))
}

/// The whole body, within its limits.
async fn body_of(request: Request<Incoming>, kind: Kind, gate: &Gate) -> Result<Bytes, Refused> {
    let refused = |status: u16, what: &str| Err(Refused { status, what: what.to_owned() });
    // Answers are taken also while space is short: they stop what is being sent.
    if gate.tight.load(Ordering::Relaxed) && kind != Kind::Answer {
        return refused(507, NEARLY_FULL);
    }
    if let Some(how) = encoding(&request) {
        return refused(415, &format!("the body is encoded ({how}): post it as it is"));
    }
    let settings = gate.settings();
    let limits = &settings.intake;
    let limit = limits.body_kib * 1024;
    let too_large = format!("the body is larger than {} KiB", limits.body_kib);
    let declared = request.headers().get(hyper::header::CONTENT_LENGTH);
    let declared = declared.and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|n| n > limit) {
        return refused(413, &too_large);
    }
    let collect = Limited::new(request.into_body(), limit).collect();
    match tokio::time::timeout(Duration::from_secs(limits.timeout_s), collect).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            refused(413, &too_large)
        }
        Ok(Err(error)) => refused(400, &format!("the body did not arrive: {error}")),
        Err(_) => refused(408, "the body took too long to arrive"),
    }
}

async fn post(request: Request<Incoming>, kind: Kind, peer: SocketAddr, intake: &Intake) -> Answer {
    let gate = &intake.gate;
    let (bearer, cloud) = (bearer(&request), cloud_event(&request));
    let body = match body_of(request, kind, gate).await {
        Ok(body) => body,
        Err(it) => return refuse(gate, kind, (it.status, &it.what), b""),
    };
    let token = match (bearer, kind) {
        (None, Kind::Enqueue | Kind::Change) => match pagerduty::routing_key(&body) {
            Ok(key) => Some(key),
            Err(it) => return refuse(gate, kind, (it.status, &it.what), &body),
        },
        (token, _) => token,
    };
    if kind == Kind::Answer {
        let Some(source) = token.as_deref().and_then(|token| gate.gateway(token)) else {
            let what = "answers need a token of their own ('warroom token new NAME --answers')";
            return refuse(gate, kind, (401, what), b"");
        };
        return answered(source, &body, intake).await;
    }
    let source = match gate.pass(token.as_deref()) {
        Pass::Named(name) => name,
        Pass::Open if peer.ip().is_loopback() => kind.source().to_owned(),
        Pass::Open => {
            let what = "make a token first ('warroom token new NAME'): this is not loopback";
            return refuse(gate, kind, (401, what), b"");
        }
        // PagerDuty knows no 401: a key that is not known is an event that is not right.
        Pass::Denied if matches!(kind, Kind::Enqueue | Kind::Change) => {
            let what = "the routing_key is not known ('warroom token new NAME')";
            return refuse(gate, kind, (400, what), b"");
        }
        Pass::Denied => {
            let what = "the token is missing or not known (Authorization: Bearer …)";
            return refuse(gate, kind, (401, what), b"");
        }
    };
    if !gate.may_post(&source, gate.settings().intake.rate_per_s) {
        gate.refuse(&source, 429, "too many posts a second", b"");
        return answer(429, error_body("too many posts a second"));
    }
    let body = match cloud {
        Some(attributes) if kind == Kind::Events => generic::enveloped(&attributes, &body).into(),
        _ => body,
    };
    hand_in(kind, source, &body, intake).await
}

/// Reads a post and gives the keeper what can be read of it.
async fn hand_in(kind: Kind, source: String, body: &[u8], intake: &Intake) -> Answer {
    let gate = &intake.gate;
    let (command, reply, odd) = match read(kind, &source, body, &gate.settings()) {
        Ok(read) => read,
        Err(refused) => {
            gate.refuse(&source, refused.status, &refused.what, body);
            return answer(refused.status, error_body(&refused.what));
        }
    };
    let done = deliver(source.clone(), command, reply, body, intake).await;
    if odd.is_empty() || !done.status().is_success() {
        return done;
    }
    // Nothing is posted again after a 400, and what could be read is durable by now.
    let what = odd.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("; ");
    let what = format!("{} alerts left out: {what}; the others were taken", odd.len());
    gate.refuse(&source, 400, &what, body);
    answer(400, error_body(&what))
}

const NEARLY_FULL: &str = "the disk is nearly full; alerts are not taken until space is freed";

/// Codes that one gateway may try in a second: enough for people, too few for guessing.
const CODES_PER_S: u32 = 5;

/// What is read of a post for which there is no place, and for how long.
const DRAIN_MAX: u64 = 1 << 20;
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// Attributes of a `CloudEvent` at the most.
const ATTRIBUTES_MAX: usize = 24;

/// Signs of life of one name in a second.
const BEATS_PER_S: u32 = 2;

/// An answer to a page, passed on by a gateway.
async fn answered(source: String, body: &[u8], intake: &Intake) -> Answer {
    if !intake.gate.may_post(&source, CODES_PER_S) {
        intake.gate.refuse(&source, 429, "too many answers a second", b"");
        return answer(429, error_body("too many answers a second"));
    }
    match reply::code(body) {
        Ok(code) => {
            let ok = (200, r#"{"status":"success"}"#.to_owned());
            // A code that was not taken may still be good: it is not written down.
            deliver(source, Command::AcknowledgeByCode { code }, ok, b"", intake).await
        }
        Err(refused) => {
            intake.gate.refuse(&source, refused.status, &refused.what, b"");
            answer(refused.status, error_body(&refused.what))
        }
    }
}

/// A sign of life. It needs a token where alerts need one.
async fn beat(
    request: &Request<Incoming>,
    name: &str,
    peer: SocketAddr,
    intake: &Intake,
) -> Answer {
    let token = bearer(request);
    let may = match intake.gate.pass(token.as_deref()) {
        Pass::Named(_) => true,
        Pass::Open => peer.ip().is_loopback(),
        Pass::Denied => false,
    };
    if !may {
        intake.gate.refuse("heartbeat", 401, "the token is missing or not known", b"");
        return answer(401, error_body("the token is missing or not known"));
    }
    // Signs of life are taken also while space is short: they are small, and without them everything
    // that lives would be reported as silent. Names that nobody knows share one place.
    let is_known = intake.gate.plan().heartbeats.contains_key(name);
    let place = if is_known { format!("heartbeat/{name}") } else { "heartbeat".to_owned() };
    if !intake.gate.may_post(&place, BEATS_PER_S) {
        let what = format!("'{name}' beats too often: once in a while is enough");
        let what = if is_known { what.as_str() } else { "names that the plan does not know" };
        intake.gate.refuse("heartbeat", 429, what, b"");
        return answer(429, error_body("once in a while is enough"));
    }
    let command = Command::Beat { name: name.to_owned() };
    let ok = (200, r#"{"status":"success"}"#.to_owned());
    deliver("heartbeat".to_owned(), command, ok, name.as_bytes(), intake).await
}

/// The attributes of a `CloudEvent` in binary mode.
fn cloud_event(request: &Request<Incoming>) -> Option<BTreeMap<String, String>> {
    let headers = request.headers();
    headers.get("ce-specversion")?;
    let attributes = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("ce-")?.to_owned();
        Some((name, value.to_str().ok()?.to_owned()))
    });
    Some(attributes.take(ATTRIBUTES_MAX).collect())
}

/// How a body is encoded, where it is.
fn encoding(request: &Request<Incoming>) -> Option<String> {
    let how = request.headers().get(CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase();
    (!how.is_empty() && how != "identity").then_some(how)
}

fn bearer(request: &Request<Incoming>) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    // PagerDuty's own clients say "Token token=…".
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(token.trim().to_owned()),
        "token" => Some(token.trim().trim_start_matches("token=").to_owned()),
        _ => None,
    }
}

/// What is done, what is answered, and what could not be read.
type Read = (Command, (u16, String), Vec<String>);

fn read(kind: Kind, source: &str, body: &[u8], settings: &Settings) -> Result<Read, Refused> {
    let ok = || (200, r#"{"status":"success"}"#.to_owned());
    let now = wall_now();
    let taken = |taken: Taken, reply| (Command::Ingest(taken.post), reply, taken.odd);
    match kind {
        Kind::Alertmanager => {
            match alertmanager::webhook(source, body, now) {
                Ok(post) => Ok(taken(post, ok())),
                // A templated body is not Alertmanager's own: the mapper reads it.
                Err(refused) if !looks_like_webhook(body) => {
                    let post = generic::read(source, body, settings.mapping.get(source));
                    post.map(|post| taken(post, ok())).map_err(|_| refused)
                }
                Err(refused) => Err(refused),
            }
        }
        Kind::AlertsApi => Ok(taken(alertmanager::api_v2(source, body, now)?, ok())),
        Kind::Events => {
            let post = generic::read(source, body, settings.mapping.get(source))?;
            let text = format!(r#"{{"status":"success","accepted":{}}}"#, post.post.alerts.len());
            Ok(taken(post, (202, text)))
        }
        Kind::Enqueue => {
            let number = FRESH.fetch_add(1, Ordering::Relaxed);
            let fresh = format!("{:x}-{number:x}", now.0);
            let (post, key) = pagerduty::enqueue(source, body, &fresh)?;
            let reply = serde_json::json!({
                "status": "success", "message": "Event processed", "dedup_key": key,
            });
            Ok((Command::Ingest(post), (202, reply.to_string()), Vec::new()))
        }
        Kind::Answer => Err(Refused { status: 400, what: "not an alert".to_owned() }),
        Kind::Change => {
            let reply = r#"{"status":"success","message":"Change event processed"}"#.to_owned();
            Ok((pagerduty::change(source, body)?, (202, reply), Vec::new()))
        }
    }
}

fn looks_like_webhook(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"alerts\"").is_some()
}

/// Waits until it is durable, then answers.
async fn deliver(
    source: String,
    command: Command,
    reply: (u16, String),
    body: &[u8],
    intake: &Intake,
) -> Answer {
    let gate = &intake.gate;
    let alerts = if let Command::Ingest(post) = &command { post.alerts.len() as u64 } else { 0 };
    let (tx, rx) = oneshot::channel();
    let mail = Mail::Post { source: source.clone(), command, reply: tx };
    if !intake.inbox.try_send(mail) {
        gate.refuse(&source, 503, "the keeper is busy or stopping", body);
        return answer(503, error_body("busy; post it again"));
    }
    match rx.await {
        Ok(Ok(())) => {
            gate.posts.fetch_add(1, Ordering::Relaxed);
            gate.alerts.fetch_add(alerts, Ordering::Relaxed);
            answer(reply.0, reply.1)
        }
        // What was done before is done: whoever posts it again heard no answer.
        Ok(Err(refusal)) if refusal.kind == RejectionKind::Already => answer(reply.0, reply.1),
        Ok(Err(refusal)) => {
            let status = match refusal.kind {
                RejectionKind::Unavailable => 503,
                RejectionKind::NotFound => 404,
                RejectionKind::NotNow
                | RejectionKind::BadInput
                | RejectionKind::NeedsReason
                | RejectionKind::StillFiring
                | RejectionKind::NotAllowed
                | RejectionKind::Conflict
                | RejectionKind::Already => 400,
            };
            gate.refuse(&source, status, &refusal.what, body);
            answer(status, error_body(&refusal.to_string()))
        }
        Err(_) => {
            gate.refuse(&source, 503, "the keeper is stopping", body);
            answer(503, error_body("the keeper is stopping; post it again"))
        }
    }
}
