//! Webhooks, posted to servers that take them, refuse them, fall silent or talk nonsense.

use warroom::domain::channel::Channel;
use warroom::domain::text::hex;
use warroom::notify::message::{About, Message};
use warroom::notify::send::Outcome;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::notify_mail::{context, deliver, failed, page};
use crate::sinks::{Answer, Identity, Sink};

fn hook(url: &str, more: &str) -> Channel {
    let channel: Channel =
        toml::from_str(&format!("kind = 'webhook'\nurl = '{url}'\n{more}")).expect("a channel");
    assert_eq!(channel.check("hook"), Vec::<String>::new());
    channel
}

fn status(code: u16, headers: &[(&str, &str)]) -> Answer {
    let owned = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Answer::Status(code, owned.collect())
}

#[test]
fn a_post_is_signed_under_every_secret_and_names_itself() {
    let home = tempfile::tempdir().expect("a home");
    let at = home.path().display();
    std::fs::write(home.path().join("old"), "old secret\n").expect("a secret");
    std::fs::write(home.path().join("new"), "new secret\n").expect("a secret");
    std::fs::write(home.path().join("token"), "Bearer s3cret\n").expect("a secret");
    let sink = Sink::http();
    let more = format!(
        "secrets = ['file:{at}/old', 'file:{at}/new']\n\
         headers = {{ Authorization = 'file:{at}/token', X-Team = 'core' }}"
    );
    let channel = hook(&sink.url("/to/{address}?x=1"), &more);
    let outcome = deliver(&channel, "a/b c", &page(), &context(home.path()));
    assert_eq!(outcome, Outcome::Accepted { code: 200, proof: "HTTP 200 answer 200".into() });
    let post = &sink.wait_for(1)[0];
    assert_eq!((post.method.as_str(), post.path.as_str()), ("POST", "/to/a%2Fb%20c?x=1"));
    assert_eq!(post.header("idempotency-key"), "01JDKQ.3");
    assert_eq!(post.header("x-warroom-timestamp"), "1795600800");
    assert_eq!(post.header("authorization"), "Bearer s3cret");
    assert_eq!(post.header("x-team"), "core");
    assert!(post.header("user-agent").starts_with("warroom/"));
    let sign = |key: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
        mac.update(&post.body);
        format!("v1={}", hex(mac.finalize().into_bytes().as_slice()))
    };
    let expected = format!("{},{}", sign(b"old secret"), sign(b"new secret"));
    assert_eq!(post.header("x-warroom-signature"), expected);
    assert_eq!(post.json()["version"], "1");
    assert_eq!(post.json()["to"], "a/b c");
    assert_eq!(post.json()["incidents"][0]["ack_code"], "K7Q2");
    // Sent again, it is the same to the byte.
    deliver(&channel, "a/b c", &page(), &context(home.path()));
    assert_eq!(sink.wait_for(2)[1].body, post.body);
}

#[test]
fn codes_are_judged_and_retry_after_is_heard() {
    let home = tempfile::tempdir().expect("a home");
    let table = [
        (status(429, &[("Retry-After", "17")]), false, Some(17_000)),
        (status(503, &[("Retry-After", "Wed, 25 Nov 2026 10:01:00 GMT")]), false, Some(60_000)),
        (status(503, &[("Retry-After", "tomorrow")]), false, None),
        (status(500, &[]), false, None),
        (status(408, &[]), false, None),
        (status(425, &[]), false, None),
        (status(400, &[]), true, None),
        (status(404, &[("Retry-After", "5")]), true, None),
        (status(302, &[("Location", "http://127.0.0.1:1/")]), true, None),
    ];
    let sink = Sink::http();
    let channel = hook(&sink.url("/"), "");
    for (answer, is_permanent, wait) in table {
        sink.plan([answer.clone()]);
        let outcome = deliver(&channel, "x", &page(), &context(home.path()));
        failed(&outcome, is_permanent, "answered HTTP");
        let Outcome::Failed { retry_after_ms, .. } = outcome else { unreachable!("it failed") };
        assert_eq!(retry_after_ms, wait, "{answer:?}");
    }
    assert_eq!(sink.received().len(), 9, "no redirect is followed, nothing is sent twice");
}

#[test]
fn silence_and_nonsense_end_with_the_time_limit_at_the_latest() {
    let home = tempfile::tempdir().expect("a home");
    let table = [
        (Answer::Hang, "time limit of 1 s"),
        (Answer::Slow(1_000), "time limit of 1 s"),
        (Answer::Garbage, "could not get an answer"),
        (Answer::Close, "could not get an answer"),
        (status(200, &[("X", &"x".repeat(100_000))]), "could not get an answer"),
    ];
    for (answer, part) in table {
        let sink = Sink::http();
        sink.always(answer);
        let channel = hook(&sink.url("/"), "timeout_s = 1");
        failed(&deliver(&channel, "x", &page(), &context(home.path())), false, part);
        assert_eq!(sink.received().len(), 1);
        sink.wait_until_left();
    }
}

#[test]
fn an_answer_that_never_ends_is_still_a_receipt() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::http();
    sink.plan([status(202, &[("Content-Length", "1000000")])]);
    let channel = hook(&sink.url("/"), "");
    let outcome = deliver(&channel, "x", &page(), &context(home.path()));
    assert_eq!(outcome, Outcome::Accepted { code: 202, proof: "HTTP 202".into() });
    sink.wait_until_left();
}

#[test]
fn nobody_listening_is_temporary_and_a_missing_secret_is_not() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::http();
    let channel = hook(&sink.url("/"), "timeout_s = 2");
    let secret = hook(&sink.url("/"), "secrets = ['file:/nowhere/at/all']");
    drop(sink);
    failed(&deliver(&channel, "x", &page(), &context(home.path())), false, "could not connect");
    let outcome = deliver(&secret, "x", &page(), &context(home.path()));
    failed(&outcome, true, "make the file readable");
}

#[test]
fn a_secret_url_is_not_told() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::http();
    std::fs::write(home.path().join("url"), sink.url("/T0/s3cr3tpath")).expect("a secret");
    let place = format!("file:{}/url", home.path().display());
    let channel = hook(&place, "format = 'slack'");
    sink.plan([status(404, &[])]);
    let outcome = deliver(&channel, "", &page(), &context(home.path()));
    failed(&outcome, true, "404");
    assert!(!format!("{outcome:?}").contains("s3cr3t"), "{outcome:?}");
    assert_eq!(sink.wait_for(1)[0].path, "/T0/s3cr3tpath");
}

#[test]
fn chat_services_get_text_that_calls_nobody() {
    let home = tempfile::tempdir().expect("a home");
    let sink = Sink::http();
    let message = Message { subject: "<!here> [x](http://e.example) @all".into(), ..page() };
    let channel = hook(&sink.url("/hook"), "format = 'slack'");
    let outcome = deliver(&channel, "", &message, &context(home.path()));
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let json = sink.wait_for(1)[0].json();
    let text = json["text"].as_str().expect("a text");
    assert!(text.starts_with("&lt;!here&gt; [x] (http://e.example) \u{FF20}all\n"), "{text}");
}

#[test]
fn pagerduty_gets_every_incident_and_a_key_from_a_file() {
    let home = tempfile::tempdir().expect("a home");
    let key = "R015WGMPKWT7SL2KVYG3O0BDVUWJLB3P";
    std::fs::write(home.path().join("key"), key).expect("a secret");
    let sink = Sink::http();
    sink.plan([status(202, &[]), status(202, &[]), status(202, &[]), status(400, &[])]);
    let mut message = page();
    message.incidents.push(About { id: "INC-8".into(), ..About::default() });
    let channel = hook(&sink.url("/v2/enqueue"), "format = 'pagerduty-v2'");
    let place = format!("file:{}/key", home.path().display());
    let outcome = deliver(&channel, &place, &message, &context(home.path()));
    assert_eq!(outcome, Outcome::Accepted { code: 202, proof: "HTTP 202 answer 202".into() });
    let posts = sink.wait_for(2);
    assert_eq!(posts[0].json()["routing_key"], key);
    assert_eq!(posts[0].json()["dedup_key"], "jump1.example.org/INC-7-1");
    assert_eq!(posts[1].json()["dedup_key"], "jump1.example.org/INC-8");
    assert_eq!(posts[1].header("idempotency-key"), "01JDKQ.3.1");
    failed(&deliver(&channel, &place, &message, &context(home.path())), true, "400");
}

#[test]
fn https_is_trusted_by_the_file_or_not_at_all() {
    let home = tempfile::tempdir().expect("a home");
    let identity = Identity::new();
    let trusted = home.path().join("ca.pem");
    std::fs::write(&trusted, &identity.certificate).expect("a certificate");
    let sink = Sink::https(&identity);
    let url = format!("https://localhost:{}/", sink.address.port());
    let channel = hook(&url, &format!("ca_file = '{}'\nformat = 'ntfy'", trusted.display()));
    let outcome = deliver(&channel, "anna", &page(), &context(home.path()));
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let post = &sink.wait_for(1)[0];
    assert!(post.is_encrypted);
    assert_eq!(post.json()["topic"], "anna");
    assert_eq!(post.json()["priority"], 5);
    let channel = hook(&url, "format = 'ntfy'");
    failed(&deliver(&channel, "anna", &page(), &context(home.path())), false, "certificate");
    std::fs::write(&trusted, "no certificate").expect("written");
    let channel = hook(&url, &format!("ca_file = '{}'", trusted.display()));
    failed(&deliver(&channel, "anna", &page(), &context(home.path())), true, "ca_file");
}

#[test]
fn a_hung_server_delays_no_other() {
    let home = tempfile::tempdir().expect("a home");
    let (hung, well) = (Sink::http(), Sink::http());
    hung.always(Answer::Hang);
    let slow = hook(&hung.url("/"), "timeout_s = 60");
    let quick = hook(&well.url("/"), "");
    let (context, message) = (context(home.path()), page());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::select! {
            biased;
            outcome = warroom::notify::send::send(&slow, "x", &message, &context) => {
                panic!("it hangs: {outcome:?}")
            }
            outcome = warroom::notify::send::send(&quick, "x", &message, &context) => {
                assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
            }
        }
    });
}
