//! Mail, handed to relays that take it, refuse it, fall silent, or are written by others.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use warroom::domain::channel::Channel;
use warroom::domain::time::Timestamp;
use warroom::notify::message::{About, Message};
use warroom::notify::send::{Context, Outcome, send};

use crate::sinks::{Answer, Identity, Sink, Stage};

/// A delivery must be over by then, whatever its limit.
const BOUND: Duration = Duration::from_secs(20);

pub fn context(home: &Path) -> Context {
    Context {
        home: home.to_owned(),
        host: "jump1.example.org".to_owned(),
        now: "2026-11-25T10:00:00Z".parse::<Timestamp>().expect("a time"),
    }
}

pub fn page() -> Message {
    Message {
        id: "01JDKQ.3".into(),
        subject: "SEV1 payments down".into(),
        text: "Zahlungen gestört\n.\n..two dots".into(),
        urgent: true,
        to_name: "Änna".into(),
        language: "de".into(),
        in_reply_to: Some("01JDKQ.1".into()),
        incidents: vec![About {
            id: "INC-7".into(),
            key: "INC-7-1".into(),
            title: "Payments down".into(),
            severity: "SEV1".into(),
            services: vec!["payments".into()],
            why: "step 1 of policy 'default'".into(),
            ack_code: Some("K7Q2".into()),
            url: None,
        }],
        ..Message::default()
    }
}

/// Delivers on a runtime of its own, and not for ever.
#[track_caller]
pub fn deliver(channel: &Channel, to: &str, message: &Message, context: &Context) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let sending = send(channel, to, message, context);
        tokio::time::timeout(BOUND, sending).await.expect("within the bound")
    })
}

#[track_caller]
pub fn failed(outcome: &Outcome, is_permanent: bool, part: &str) {
    let Outcome::Failed { reason, permanent, .. } = outcome else {
        panic!("it did not fail: {outcome:?}")
    };
    assert_eq!(*permanent, is_permanent, "{reason}");
    assert!(reason.contains(part), "'{part}' is not in '{reason}'");
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
}

fn relay(server: &str, more: &str) -> Channel {
    let toml = format!(
        "kind = 'smtp'\nserver = '{server}'\nfrom = 'War Room <warroom@example.org>'\n{more}"
    );
    let channel: Channel = toml::from_str(&toml).expect("a channel");
    assert_eq!(channel.check("mail"), Vec::<String>::new());
    channel
}

fn clear(sink: &Sink, more: &str) -> Channel {
    relay(&sink.address.to_string(), &format!("tls = 'none'\n{more}"))
}

fn status(code: u16, words: &str) -> Answer {
    Answer::Status(code, vec![(String::new(), words.to_owned())])
}

#[test]
fn a_mail_arrives_whole_and_the_queue_id_is_the_proof() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::write(home.path().join("pw"), "pass word\n").expect("a secret");
    let sink = Sink::smtp();
    let login = format!("user = 'me'\npassword = 'file:{}/pw'", home.path().display());
    let outcome =
        deliver(&clear(&sink, &login), "anna@example.org", &page(), &context(home.path()));
    let proof = "250 2.0.0 Ok: 2.0.0 queued as SINK42".to_owned();
    assert_eq!(outcome, Outcome::Accepted { code: 250, proof });
    let mail = &sink.wait_for(1)[0];
    assert_eq!(mail.sender, "warroom@example.org");
    assert_eq!(mail.receivers, ["anna@example.org"]);
    assert_eq!(mail.login, Some(("me".into(), "pass word".into())));
    assert_eq!(mail.header("message-id"), "<01JDKQ.3@jump1.example.org>");
    assert_eq!(mail.header("references"), "<01JDKQ.1@jump1.example.org>");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(mail.header("x-priority"), "1 (Highest)");
    assert_eq!(mail.header("subject"), "SEV1 payments down");
    assert_eq!(mail.header("date"), "Wed, 25 Nov 2026 10:00:00 +0000");
    sink.wait_until_left();
}

#[test]
fn a_dot_on_its_own_line_does_not_end_the_mail() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::smtp();
    let text = "first\n.\nRCPT TO:<eve@example.net>\n..last".to_owned();
    let message = Message { text, incidents: Vec::new(), ..page() };
    let outcome = deliver(&clear(&sink, ""), "anna@example.org", &message, &context(home.path()));
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let mail = &sink.wait_for(1)[0];
    assert!(mail.text().contains("first\r\n.\r\nRCPT TO:<eve@example.net>\r\n..last"));
    let wire = String::from_utf8_lossy(&mail.wire).into_owned();
    assert!(wire.contains("\r\n..\r\n") && wire.contains("\r\n...last"), "{wire}");
    assert_eq!(mail.receivers, ["anna@example.org"]);
}

#[test]
fn line_ends_in_names_and_titles_become_no_headers_and_no_commands() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::smtp();
    let evil = "x\r\nBcc: eve@example.net\r\nRCPT TO:<eve@example.net>\r\n\r\n".to_owned();
    let message = Message {
        id: evil.clone(),
        subject: evil.clone(),
        to_name: evil.clone(),
        language: evil.clone(),
        watermark: Some(evil.clone()),
        in_reply_to: Some(evil.clone()),
        html: Some(evil),
        ..page()
    };
    let outcome = deliver(&clear(&sink, ""), "anna@example.org", &message, &context(home.path()));
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let mail = &sink.wait_for(1)[0];
    assert_eq!(mail.receivers, ["anna@example.org"]);
    assert!(mail.all("bcc").is_empty() && mail.all("rcpt to").is_empty(), "{:?}", mail.headers);
    // An address with a line end goes nowhere.
    let to = "anna@example.org\r\nRCPT TO:<eve@example.net>";
    failed(&deliver(&clear(&sink, ""), to, &page(), &context(home.path())), true, "correct");
    assert_eq!(sink.connections(), 1);
}

#[test]
fn refusals_are_temporary_or_permanent_as_the_relay_says() {
    let home = tempfile::tempdir().expect("a home");
    let table = [
        (Stage::Greeting, 554, true),
        (Stage::Greeting, 421, false),
        (Stage::Login, 535, true),
        (Stage::Sender, 550, true),
        (Stage::Receiver, 450, false),
        (Stage::Receiver, 550, true),
        (Stage::Data, 452, false),
    ];
    std::fs::write(home.path().join("pw"), "hunter2").expect("a secret");
    let login = format!("user = 'me'\npassword = 'file:{}/pw'", home.path().display());
    for (stage, code, is_permanent) in table {
        let sink = Sink::smtp();
        sink.at(stage, status(code, "no hunter2 \u{1b}[2J here"));
        let channel = clear(&sink, &login);
        let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
        failed(&outcome, is_permanent, &code.to_string());
        failed(&outcome, is_permanent, &sink.address.to_string());
        assert!(!format!("{outcome:?}").contains("hunter2") || stage < Stage::Login, "{outcome:?}");
        assert!(sink.received().is_empty());
    }
    let sink = Sink::smtp();
    sink.plan([status(451, "later"), status(554, "never"), status(354, "more?")]);
    for (is_permanent, part) in [(false, "later"), (true, "never"), (false, "no receipt")] {
        let outcome =
            deliver(&clear(&sink, ""), "anna@example.org", &page(), &context(home.path()));
        failed(&outcome, is_permanent, part);
    }
}

#[test]
fn silence_ends_with_the_time_limit_and_says_where() {
    let home = tempfile::tempdir().expect("a home");
    let table = [
        (Stage::Greeting, Answer::Hang, "greeting"),
        (Stage::Hello, Answer::Hang, "greeting"),
        (Stage::Receiver, Answer::Hang, "receiver"),
        (Stage::Data, Answer::Slow(1_000), "ask for the mail"),
    ];
    std::thread::scope(|scope| {
        for (stage, answer, part) in table {
            let home = home.path();
            scope.spawn(move || {
                let sink = Sink::smtp();
                sink.at(stage, answer);
                let channel = clear(&sink, "timeout_s = 1");
                let outcome = deliver(&channel, "anna@example.org", &page(), &context(home));
                failed(&outcome, false, "time limit of 1 s");
                failed(&outcome, false, part);
                sink.wait_until_left();
            });
        }
    });
    let sink = Sink::smtp();
    sink.plan([Answer::Hang, Answer::Garbage, Answer::Close]);
    let channel = clear(&sink, "timeout_s = 1");
    for part in ["may have been taken", "response error", "hand over the mail"] {
        let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
        failed(&outcome, false, part);
    }
}

#[test]
fn a_relay_that_does_not_take_leave_has_still_taken_the_mail() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::smtp();
    sink.at(Stage::Quit, Answer::Hang);
    let channel = clear(&sink, "timeout_s = 1");
    let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
    assert!(matches!(outcome, Outcome::Accepted { code: 250, .. }), "{outcome:?}");
}

#[test]
fn nobody_listening_is_temporary() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::smtp();
    let channel = clear(&sink, "timeout_s = 2");
    drop(sink);
    let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
    failed(&outcome, false, "could not connect");
}

#[test]
fn mail_is_encrypted_or_not_sent() {
    let home = tempfile::tempdir().expect("a home");
    let identity = Identity::new();
    let trusted = home.path().join("ca.pem");
    std::fs::write(&trusted, &identity.certificate).expect("a certificate");
    std::fs::write(home.path().join("pw"), "hunter2").expect("a secret");
    let more = |tls: &str| {
        let home = home.path().display();
        format!(
            "tls = '{tls}'\nca_file = '{}'\nuser = 'me'\npassword = 'file:{home}/pw'",
            trusted.display()
        )
    };
    let sinks = [("starttls", Sink::smtp_starttls(&identity)), ("tls", Sink::smtps(&identity))];
    for (tls, sink) in &sinks {
        let server = format!("localhost:{}", sink.address.port());
        let channel = relay(&server, &more(tls));
        let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        let mail = &sink.wait_for(1)[0];
        assert!(mail.is_encrypted && mail.login.is_some());
        // Without the file, the system's certificates do not vouch for this server.
        let channel = relay(&server, &format!("tls = '{tls}'"));
        let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
        failed(&outcome, false, "certificate");
        assert_eq!(sink.received().len(), 1);
    }
    let sink = Sink::smtp();
    let channel = relay(&sink.address.to_string(), &more("starttls"));
    let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
    failed(&outcome, true, "offers no STARTTLS");
}

/// Prints its port, then one line of JSON per mail, until its standard input closes.
const AIOSMTPD: &str = r#"
import json, ssl, sys
from aiosmtpd.controller import Controller
class Keep:
    async def handle_DATA(self, server, session, envelope):
        data = envelope.content.decode("utf-8", "replace")
        print(json.dumps([envelope.mail_from, envelope.rcpt_tos, data]), flush=True)
        return "250 2.0.0 queued as PY1"
class AnyPort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
c = AnyPort(Keep(), hostname="127.0.0.1", port=0, tls_context=tls, require_starttls=True)
c.start()
print(c.port, flush=True)
sys.stdin.read()
c.stop()
"#;

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_relay_written_by_others_takes_the_mail_over_starttls() {
    let home = tempfile::tempdir().expect("a home");
    let has = Command::new("python3").args(["-c", "import aiosmtpd"]).output();
    if !has.is_ok_and(|out| out.status.success()) {
        println!("skipped: python3 with aiosmtpd is not installed");
        return;
    }
    let identity = Identity::new();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::File::create(&path)
            .and_then(|mut f| f.write_all(text.as_bytes()))
            .expect("a file");
        path
    };
    let certificate = file("ca.pem", &identity.certificate);
    let key = file("key.pem", &identity.key);
    let mut server = Killed(
        Command::new("python3")
            .arg("-c")
            .arg(AIOSMTPD)
            .args([&certificate, &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server"),
    );
    let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines();
    let port = lines.next().expect("a port").expect("a port");
    let ca = format!("ca_file = '{}'", certificate.display());
    let channel = relay(&format!("localhost:{port}"), &ca);
    let outcome = deliver(&channel, "anna@example.org", &page(), &context(home.path()));
    let proof = "250 2.0.0 queued as PY1".to_owned();
    assert_eq!(outcome, Outcome::Accepted { code: 250, proof });
    let line = lines.next().expect("a mail").expect("a mail");
    let mail: (String, Vec<String>, String) = serde_json::from_str(&line).expect("JSON");
    assert_eq!(mail.1, ["anna@example.org"]);
    assert!(mail.2.contains("Message-ID: <01JDKQ.3@jump1.example.org>\r\n"), "{}", mail.2);
}
