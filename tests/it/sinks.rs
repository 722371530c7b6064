//! Counterparts for deliveries: servers on loopback that record what arrives, and answer well,
//! slowly, wrongly or not at all.
//!
//! Invariants:
//! - A request is recorded when all of it has arrived and before it is answered.
//! - `order` counts over all sinks of the process: it tells which of two arrived first.

mod http;
mod smtp;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How long an arrival may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

static ORDER: AtomicUsize = AtomicUsize::new(1);

/// What a sink does with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Takes it.
    Ok,
    /// Answers with a code; for mail, the value of the first pair is the text. A `content-length`
    /// among the headers is sent as it is, without a body: the answer never ends.
    Status(u16, Vec<(String, String)>),
    /// Takes it, one byte in so many milliseconds.
    Slow(u64),
    /// Never answers, never closes.
    Hang,
    /// Answers what is no answer.
    Garbage,
    /// Closes without an answer.
    Close,
}

/// Where in a mail's delivery an answer is given, besides the receipt after its end: that follows
/// the plan of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Greeting,
    Hello,
    Login,
    Sender,
    Receiver,
    Data,
    Quit,
}

/// What arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Counted over all sinks.
    pub order: usize,
    /// Which connection of this sink, from 0.
    pub connection: usize,
    /// Whether it came encrypted.
    pub is_encrypted: bool,
    /// `POST` and the path; empty for mail.
    pub method: String,
    pub path: String,
    /// Names in lower case. For mail, the headers with folded lines joined.
    pub headers: Vec<(String, String)>,
    /// The body; of a mail all that was sent as data, headers included, dots undone.
    pub body: Vec<u8>,
    /// All bytes of the connection so far, as they came (after decryption).
    pub wire: Vec<u8>,
    /// Of a mail's envelope.
    pub sender: String,
    pub receivers: Vec<String>,
    /// User and password, if there was a login.
    pub login: Option<(String, String)>,
}

impl Received {
    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// The value of a header that must be there once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {:?}", self.headers);
        all[0]
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A certificate for loopback that signs itself, and its key.
pub struct Identity {
    /// The certificate (PEM), to be trusted by the client.
    pub certificate: String,
    /// The private key (PEM).
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A new one for `localhost` and 127.0.0.1.
    pub fn new() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a pair");
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            config: Arc::new(config),
        }
    }
}

/// What a sink speaks.
#[derive(Clone)]
enum Speech {
    Http(Option<Arc<ServerConfig>>),
    Smtp { tls: Option<Arc<ServerConfig>>, is_at_once: bool },
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    plan: VecDeque<Answer>,
    always: Option<Answer>,
    stages: BTreeMap<Stage, Answer>,
    /// Connections opened so far, and closed by the other side.
    opened: usize,
    closed: usize,
}

/// What the connections of a sink share.
#[derive(Default)]
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let value = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
        value
    }

    /// Records a request and says how to answer it.
    fn arrived(&self, mut received: Received) -> Answer {
        received.order = ORDER.fetch_add(1, Ordering::SeqCst);
        self.with(|state| {
            state.received.push(received);
            let next = state.plan.pop_front().or_else(|| state.always.clone());
            next.unwrap_or(Answer::Ok)
        })
    }

    fn at(&self, stage: Stage) -> Answer {
        self.with(|state| state.stages.get(&stage).cloned().unwrap_or(Answer::Ok))
    }
}

/// A server on loopback, on a thread of its own; gone when dropped.
pub struct Sink {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({})", self.address)
    }
}

impl Sink {
    /// HTTP in the clear.
    pub fn http() -> Self {
        Self::start(Speech::Http(None))
    }

    /// HTTP with TLS.
    pub fn https(identity: &Identity) -> Self {
        Self::start(Speech::Http(Some(Arc::clone(&identity.config))))
    }

    /// SMTP in the clear; offers AUTH PLAIN and LOGIN.
    pub fn smtp() -> Self {
        Self::start(Speech::Smtp { tls: None, is_at_once: false })
    }

    /// SMTP that offers STARTTLS.
    pub fn smtp_starttls(identity: &Identity) -> Self {
        Self::start(Speech::Smtp { tls: Some(Arc::clone(&identity.config)), is_at_once: false })
    }

    /// SMTP with TLS from the first byte.
    pub fn smtps(identity: &Identity) -> Self {
        Self::start(Speech::Smtp { tls: Some(Arc::clone(&identity.config)), is_at_once: true })
    }

    fn start(speech: Speech) -> Self {
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("a listener");
                tokio::select! {
                    () = accept(listener, speech, for_thread) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = told.recv().expect("an address");
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// A URL of this sink; `path` begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How the next requests are answered, in this order.
    pub fn plan(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.with(|state| state.plan.extend(answers));
    }

    /// How requests are answered when the plan is used up.
    pub fn always(&self, answer: Answer) {
        self.shared.with(|state| state.always = Some(answer));
    }

    /// How every mail is answered at a stage before (or after) its data.
    pub fn at(&self, stage: Stage, answer: Answer) {
        self.shared.with(|state| state.stages.insert(stage, answer));
    }

    /// What has arrived so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.with(|state| state.received.clone())
    }

    /// Waits until so many requests have arrived.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let done = self.wait(|state| state.received.len() >= count);
        let received = self.received();
        assert!(done, "waited in vain for {count} requests; there are {}", received.len());
        received
    }

    /// Waits until the other side has closed every connection that it opened.
    #[track_caller]
    pub fn wait_until_left(&self) {
        let done = self.wait(|state| state.opened > 0 && state.opened == state.closed);
        assert!(done, "waited in vain for the connections to be closed");
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.with(|state| state.opened)
    }

    fn wait(&self, is_met: impl Fn(&State) -> bool) -> bool {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !is_met(state))
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        !waited.timed_out()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _already_over = stop.send(());
        }
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn accept(listener: TcpListener, speech: Speech, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        drop(stream.set_nodelay(true));
        let number = shared.with(|state| {
            state.opened += 1;
            state.opened - 1
        });
        let (speech, shared) = (speech.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            converse(stream, speech, number, &shared).await;
            shared.with(|state| state.closed += 1);
        });
    }
}

async fn converse(stream: TcpStream, speech: Speech, number: usize, shared: &Shared) {
    match speech {
        Speech::Http(None) => http::serve(Wire::new(stream, false), number, shared).await,
        Speech::Http(Some(config)) => {
            // A client that does not trust us leaves here.
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                http::serve(Wire::new(stream, true), number, shared).await;
            }
        }
        Speech::Smtp { tls: Some(config), is_at_once: true } => {
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                smtp::serve(Wire::new(stream, true), None, number, shared).await;
            }
        }
        Speech::Smtp { tls, is_at_once: _ } => {
            smtp::serve(Wire::new(stream, false), tls, number, shared).await;
        }
    }
}

/// A stream in both directions.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection that remembers what came over it.
struct Wire {
    stream: Box<dyn Stream>,
    is_encrypted: bool,
    /// Read, but not yet used.
    ahead: Vec<u8>,
    /// All that came.
    all: Vec<u8>,
}

impl Wire {
    fn new(stream: impl Stream + 'static, is_encrypted: bool) -> Self {
        Self { stream: Box::new(stream), is_encrypted, ahead: Vec::new(), all: Vec::new() }
    }

    /// The bytes up to and including `end`; `None` when the other side closes before.
    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.ahead.windows(end.len()).position(|part| part == end) {
                return Some(self.ahead.drain(..at + end.len()).collect());
            }
            self.more().await?;
        }
    }

    /// So many bytes.
    async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.ahead.len() < count {
            self.more().await?;
        }
        Some(self.ahead.drain(..count).collect())
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 4_096];
        let count = self.stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        self.ahead.extend_from_slice(&chunk[..count]);
        self.all.extend_from_slice(&chunk[..count]);
        Some(())
    }

    async fn write(&mut self, text: &str) -> Option<()> {
        self.stream.write_all(text.as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }

    /// Writes byte by byte.
    async fn drip(&mut self, text: &str, pause_ms: u64) -> Option<()> {
        for byte in text.bytes() {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            self.stream.write_all(&[byte]).await.ok()?;
            self.stream.flush().await.ok()?;
        }
        Some(())
    }

    /// Says nothing until the other side closes.
    async fn hang(&mut self) -> Option<()> {
        loop {
            self.more().await?;
        }
    }
}
