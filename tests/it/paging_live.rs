//! The shipped keeper paging real counterparts: a mail server and a web server that record what
//! arrives, kills while messages are under way, heartbeats, gateways, and the end in good order.

use std::collections::{BTreeMap, BTreeSet};

use warroom::domain::ids::IncidentId;
use warroom::proto::{Ask, Reply};

use crate::home::{Home, act, intake_address, post, until, utf8};
use crate::sim::SplitMix;
use crate::sinks::{Answer, Sink};

fn rounds() -> u64 {
    std::env::var("WARROOM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(50)
}

/// Bob is reached by a hook, and by mail where that fails.
fn write_plan(home: &Home, hook: &Sink, mail: &Sink, more: &str) {
    let dir = home.path().join("plan");
    std::fs::create_dir_all(&dir).expect("the plan's folder");
    let text = format!(
        r#"
default_policy = "standard"
fallback = ["person:bob"]

[channels.hook]
kind = "webhook"
url = "{}"
timeout_s = 2

[channels.mail]
kind = "smtp"
server = "{}"
tls = "none"
from = "warroom@example.org"
timeout_s = 2

[people.bob]
name = "Bob"
contacts = ["hook:bob", "mail:bob@example.org"]

[[policies.standard.levels]]
name = "L1"
targets = ["person:bob"]

{more}

[[rules]]
name = "default"
"#,
        hook.url("/page"),
        mail.address
    );
    std::fs::write(dir.join("plan.toml"), text).expect("the plan");
}

/// How often each incident's page arrived, by the key of the attempt.
fn arrived(hook: &Sink) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for received in hook.received() {
        *found.entry(received.header("idempotency-key").to_owned()).or_default() += 1;
    }
    found
}

fn paged(hook: &Sink) -> BTreeSet<String> {
    hook.received()
        .iter()
        .flat_map(|received| {
            let incidents = received.json()["incidents"].as_array().cloned().unwrap_or_default();
            incidents.into_iter().filter_map(|i| i["id"].as_str().map(ToOwned::to_owned))
        })
        .collect()
}

#[test]
fn every_page_arrives_though_the_keeper_is_killed_while_it_is_sent() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let mut random = SplitMix(crate::sim::seed());
    let mut opened = 0_u32;
    for _ in 0..rounds() {
        let mut keeper = home.keeper();
        let mut caller = keeper.caller();
        let before = hook.received().len();
        for _ in 0..=random.below(3) {
            // Each is about a service that Bob has not heard of: none waits for a bundle.
            opened += 1;
            let command = format!(
                r#"{{"do":"open","title":"t{opened}","severity":"SEV2","services":["s{opened}"]}}"#
            );
            act(&mut caller, &command);
        }
        // Either at once, or once another message has arrived: some of them are under way then.
        let wanted = before + usize::try_from(random.below(2)).expect("small");
        until("another message arrived", || (hook.received().len() >= wanted).then_some(()));
        keeper.kill();
    }
    let keeper = home.keeper();
    let all: BTreeSet<String> = (1..=opened).map(|n| format!("INC-{n}")).collect();
    until("every page arrived", || (paged(&hook) == all).then_some(()));
    let kills = u32::try_from(rounds()).expect("a small number");
    for (key, count) in arrived(&hook) {
        assert!(count <= 1 + kills, "{key} arrived {count} times");
    }
    let repeated: u32 = arrived(&hook).values().map(|count| count - 1).sum();
    // Nothing is sent any more once it is answered.
    let mut caller = keeper.caller();
    for n in 1..=opened {
        act(&mut caller, &format!(r#"{{"do":"acknowledge","incident":{n}}}"#));
    }
    let before = hook.received().len();
    act(&mut caller, r#"{"do":"open","title":"last","severity":"SEV2","services":["last"]}"#);
    until("the last one arrived", || (hook.received().len() > before).then_some(()));
    assert_eq!(hook.received().len(), before + 1, "only the last one was sent after the answers");
    println!("{} rounds, {opened} pages, all arrived, {repeated} of them twice", rounds());
}

#[test]
fn a_hook_that_fails_is_followed_by_mail_and_the_mail_s_code_answers() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    hook.always(Answer::Status(404, Vec::new()));
    write_plan(&home, &hook, &mail, "");
    let keeper = home.keeper();
    act(
        &mut keeper.caller(),
        r#"{"do":"open","title":"disk\r\nBcc: x@example.org","severity":"SEV2","services":["db"]}"#,
    );
    let letters = mail.wait_for(1);
    let text = letters[0].text();
    assert!(!text.to_lowercase().contains("\nbcc:"), "{text}");
    let code = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .find(|word| word.starts_with("1-1-"))
        .expect("a code in the mail")
        .to_owned();
    home.ok(&["ack", "--code", &code]);
    let shown = home.ok(&["show", "INC-1"]);
    assert!(shown.contains("bob        acknowledged"), "{shown}");
    let again = home.run(&["ack", "--code", &code]);
    assert_eq!(again.status.code(), Some(3), "{}", utf8(&again.stderr));
}

#[test]
fn a_gateway_passes_an_answer_on_with_a_token_of_its_own() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"t","severity":"SEV2","services":["db"]}"#);
    let page = hook.wait_for(1)[0].json();
    let code = page["incidents"][0]["ack_code"].as_str().expect("a code").to_owned();
    let address = intake_address(&caller);
    let body = format!("Body=ack+{}", code.to_lowercase());
    assert_eq!(post(&address, "/v1/ack", &[], body.as_bytes()).0, 401);
    let token = home.ok(&["token", "new", "sms", "--answers"]).trim().to_owned();
    let bearer = format!("Bearer {token}");
    let alerts = br#"{"title":"x"}"#;
    assert_eq!(post(&address, "/v1/events", &[], alerts).0, 202, "alerts still need none");
    let (status, said) = post(&address, "/v1/ack", &[("Authorization", &bearer)], body.as_bytes());
    assert_eq!(status, 200, "{said}");
    let shown = home.ok(&["show", "INC-1"]);
    let words = "bob        acknowledged by the code of their page, passed on by the gateway 'sms'";
    assert!(shown.contains(words), "{shown}");
    let intake = home.ok(&["intake"]);
    assert!(intake.contains("sms: 0 posts") && intake.contains("1 answers to pages"), "{intake}");
    // A gateway that heard nothing back posts it again, and that is no failure.
    let again = post(&address, "/v1/ack", &[("Authorization", &bearer)], body.as_bytes());
    assert_eq!(again.0, 200, "{}", again.1);
    assert_eq!(home.ok(&["show", "INC-1"]).matches("bob        acknowledged").count(), 1);
    // Two incidents are two calls, however many messages they took.
    act(&mut caller, r#"{"do":"page","incident":1,"people":["bob"],"reason":"once more"}"#);
    hook.wait_for(3);
    let load = until("both were handed over", || {
        let load = home.ok(&["oncall", "--load", "--for", "1d"]);
        load.contains("2 incidents").then_some(load)
    });
    assert!(load.contains("0 handed over to them"), "{load}");
}

#[test]
fn a_silent_sender_becomes_an_incident_and_its_voice_ends_it() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    let beat = "[heartbeats.backup]\nevery_s = 1\ngrace_s = 0\nseverity = \"SEV2\"";
    write_plan(&home, &hook, &mail, beat);
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let page = hook.wait_for(1)[0].json();
    assert!(page.to_string().contains("nothing was heard from backup"), "{page}");
    let address = intake_address(&caller);
    assert_eq!(post(&address, "/v1/heartbeat/nobody", &[], b"").0, 404);
    assert_eq!(post(&address, "/v1/heartbeat/backup", &[], b"").0, 200);
    let intake = home.ok(&["intake"]);
    assert!(
        intake.contains("heartbeat/backup: ") && intake.contains("1 signs of life"),
        "{intake}"
    );
    let status = home.ok(&["status"]);
    assert!(status.contains("backup ") && status.contains("no sign of life is sent"), "{status}");
    until("the alert is over", || {
        let ask = Ask::Incident { incident: IncidentId(1), until: None, limit: 10 };
        match caller.ask(ask) {
            Ok(Reply::Incident(detail)) => (detail.head.firing() == 0).then_some(()),
            _ => None,
        }
    });
}

#[test]
fn an_end_in_good_order_waits_for_what_is_under_way() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    hook.plan([Answer::Slow(20)]);
    write_plan(&home, &hook, &mail, "");
    let mut keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"t","severity":"SEV2","services":["db"]}"#);
    hook.wait_for(1);
    assert_eq!(keeper.term(), Some(0));
    let mut keeper = home.keeper();
    let shown = home.ok(&["show", "INC-1"]);
    assert!(shown.contains("took it: HTTP 200"), "{shown}");
    assert!(!shown.contains("unknown whether"), "{shown}");
    assert_eq!(keeper.term(), Some(0));
    let pages = arrived(&hook);
    assert!(pages.values().all(|count| *count == 1), "{pages:?}");
}

#[test]
fn what_a_page_opened_in_a_pagerduty_is_acknowledged_and_closed_there() {
    let home = Home::new();
    let (pager, mail) = (Sink::http(), Sink::smtp());
    pager.always(Answer::Status(202, Vec::new()));
    let more = format!(
        "[channels.pd]\nkind = \"webhook\"\nurl = \"{}\"\nformat = \"pagerduty-v2\"\n[people.pia]\ncontacts = [\"pd:file:{}\"]\n[[policies.pager.levels]]\nname = \"L1\"\ntargets = [\"person:pia\"]\n[services.db]\npolicy = \"pager\"\n",
        pager.url("/v2/enqueue"),
        home.path().join("pager.key").display()
    );
    write_plan(&home, &pager, &mail, &more);
    let secret = "R015WGMPKWT7SL2KVYG3O0BDVUWJLB3P";
    std::fs::write(home.path().join("pager.key"), secret).expect("a key");
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"disk","severity":"SEV2","services":["db"]}"#);
    assert_eq!(pager.wait_for(1)[0].json()["routing_key"], secret);
    assert!(!home.ok(&["export", "-"]).contains(secret), "the key is in no journal");
    let key = pager.wait_for(1)[0].json()["dedup_key"].clone();
    act(&mut caller, r#"{"do":"acknowledge","incident":1}"#);
    pager.wait_for(2);
    home.ok(&["resolve", "1", "--reason", "fixed", "quiet"]);
    let said: Vec<(String, bool)> = pager
        .wait_for(3)
        .iter()
        .map(|post| {
            let event = post.json();
            (
                event["event_action"].as_str().unwrap_or_default().to_owned(),
                event["dedup_key"] == key,
            )
        })
        .collect();
    let expected = ["trigger", "acknowledge", "resolve"].map(|word| (word.to_owned(), true));
    assert_eq!(said, expected);
    until("the timeline tells it", || {
        home.ok(&["show", "1"]).contains("pd was told that it is over").then_some(())
    });
}
