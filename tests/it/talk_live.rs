//! The shipped keeper telling stakeholders: by mail and by hook, on a status page that another web
//! server could serve, and with a program that carries it away. What is hostile stays inert.

use std::path::PathBuf;

use crate::home::{Home, act, until, utf8};
use crate::sinks::{Answer, Sink};

const HOSTILE: &str = "{{ 7*7 }}{% for x in y %}<script>alert(1)</script>\u{202e}\r\nBcc: all@example.org=cmd|' /C calc'!A0";

fn write_plan(home: &Home, hook: &Sink, mail: &Sink, more: &str) {
    let dir = home.path().join("plan");
    std::fs::create_dir_all(&dir).expect("the plan's folder");
    let text = format!(
        r#"
default_policy = "none"
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
[people.ann]
contacts = ["terminal"]
[[policies.none.levels]]
name = "L1"
targets = ["person:ann"]
[policies.none]
from_severity = "SEV1"
[services.payments]
public_name = "Card payments"
[page]
name = "Example Shop"
url = "https://status.example.org"
[stakeholders.support]
audience = "internal"
channels = ["hook:support", "mail:support@example.org"]
from_severity = "SEV3"
every_min = 30
[stakeholders.customers]
audience = "public"
channels = ["status page"]
subscribers = ["mail:one@example.com"]
from_severity = "SEV2"
every_min = 20
approval = "none"
{more}
[[rules]]
name = "default"
"#,
        hook.url("/update"),
        mail.address
    );
    std::fs::write(dir.join("plan.toml"), text).expect("the plan");
}

fn page(home: &Home, file: &str) -> String {
    std::fs::read_to_string(home.path().join("status").join(file)).unwrap_or_default()
}

#[test]
fn two_audiences_are_told_two_things_and_the_page_changes() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let keeper = home.keeper();
    until("an empty page is there", || page(&home, "index.html").contains("</html>").then_some(()));
    home.ok(&["declare", "db7 pool is exhausted", "-s", "2", "--service", "payments"]);
    home.ok(&["update", "1", "--for", "internal", "--what", "db7 is out of connections"]);
    home.ok(&[
        "update",
        "1",
        "--for",
        "public",
        "--title",
        "Card payments fail",
        "--component",
        "payments=partial",
        "--what",
        "One in ten card payments fails.",
    ]);
    let inside = hook.wait_for(1);
    assert!(inside[0].text().contains("db7 is out of connections"), "{}", inside[0].text());
    let letters = mail.wait_for(1);
    let letter = letters[0].text();
    assert!(letter.contains("Card payments fail"), "{letter}");
    assert!(!letter.contains("db7") && !letter.contains("exhausted"), "{letter}");
    until("the page says it", || {
        page(&home, "index.html").contains("Card payments fail").then_some(())
    });
    let summary: serde_json::Value =
        serde_json::from_str(&page(&home, "summary.json")).expect("JSON");
    assert_eq!(summary["incidents"][0]["status"], "investigating");
    assert_eq!(summary["components"][0]["status"], "partial_outage");
    for file in ["index.html", "summary.json", "history.atom", "incidents.json"] {
        assert!(!page(&home, file).contains("db7"), "{file}");
    }
    let told = until("both have their proof", || {
        let told = home.ok(&["updates", "1"]);
        (told.contains("accepted") && told.contains("on the status page")).then_some(told)
    });
    assert!(told.contains("support"), "{told}");
    drop(keeper);
}

#[test]
fn what_is_hostile_is_inert_in_every_output() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let _keeper = home.keeper();
    home.ok(&["declare", "x", "-s", "2", "--service", "payments"]);
    let title = HOSTILE.replace("\r\n", " ");
    for audience in ["internal", "public"] {
        home.ok(&["update", "1", "--for", audience, "--title", &title, "--what", HOSTILE]);
    }
    let hooked = hook.wait_for(1)[0].text();
    let is_text = hooked.contains("SEV2] {{ 7*7 }}{%") && hooked.contains("What: {{ 7*7 }}");
    assert!(is_text, "it is text: {hooked}");
    let letter = mail.wait_for(1)[0].text();
    let (head, _) = letter.split_once("\r\n\r\n").expect("a head and a body");
    assert!(!head.to_lowercase().contains("\nbcc:"), "{head}");
    assert!(!letter.contains('\u{202e}'), "no hidden direction: {letter}");
    let html = until("the page says it", || {
        let html = page(&home, "index.html");
        html.contains("7*7").then_some(html)
    });
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    let atom = page(&home, "history.atom");
    assert!(!atom.contains("<script") && !atom.contains('\u{202e}'), "{atom}");
    let updates = home.ok(&["updates", "1"]);
    assert!(!updates.contains('\u{202e}') && !updates.contains('\r'), "{updates:?}");
}

#[test]
fn an_update_arrives_though_the_keeper_is_killed_while_it_is_sent() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    let many: Vec<String> = (0..40).map(|n| format!("\"hook:r{n}\"")).collect();
    let more = format!(
        "[stakeholders.list]\naudience = \"internal\"\nfrom_severity = \"SEV5\"\nevery_min = 30\nsubscribers = [{}]\n",
        many.join(", ")
    );
    write_plan(&home, &hook, &mail, &more);
    let mut keeper = home.keeper();
    home.ok(&["declare", "x", "-s", "3"]);
    home.ok(&["update", "1", "--for", "internal", "--to", "list", "--what", "it"]);
    until("some arrived", || (hook.received().len() > 3).then_some(()));
    keeper.kill();
    let _keeper = home.keeper();
    let all = |sink: &Sink| {
        let mut to: Vec<String> = sink
            .received()
            .iter()
            .map(|received| received.json()["to"].as_str().unwrap_or_default().to_owned())
            .collect();
        to.sort();
        to.dedup();
        to.len()
    };
    until("every one arrived", || (all(&hook) == 40).then_some(()));
    until("the proof is whole", || {
        home.ok(&["updates", "1"]).contains("40 accepted").then_some(())
    });
}

#[test]
fn a_channel_that_fails_is_seen_and_a_program_carries_the_page_away() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    hook.always(Answer::Status(404, Vec::new()));
    write_plan(&home, &hook, &mail, "");
    let carried: PathBuf = home.path().join("carried");
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[status]\npublish = [\"/bin/cp\", \"-r\", \"{{address}}/.\", \"{}\"]\n",
        carried.display()
    );
    std::fs::create_dir_all(&carried).expect("a folder");
    std::fs::write(home.path().join("warroom.toml"), settings).expect("the settings");
    let keeper = home.keeper();
    act(
        &mut keeper.caller(),
        r#"{"do":"open","title":"x","severity":"SEV2","services":["payments"],"declare":true}"#,
    );
    home.ok(&["update", "1", "--for", "internal", "--what", "it"]);
    let letters = mail.wait_for(1);
    assert!(letters[0].text().contains("support@example.org"), "mail follows the hook");
    home.ok(&["update", "1", "--for", "public", "--title", "Payments", "--what", "it"]);
    until("it was carried away", || {
        let there = std::fs::read_to_string(carried.join("summary.json")).unwrap_or_default();
        there.contains("Payments").then_some(())
    });
}

#[test]
fn a_page_that_is_still_being_carried_away_is_no_proof() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let gate = home.path().join("may-go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display());
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[status]\npublish = [\"/bin/sh\", \"-c\", \"{wait}\"]\n"
    );
    std::fs::write(home.path().join("warroom.toml"), settings).expect("the settings");
    let _keeper = home.keeper();
    home.ok(&["declare", "x", "-s", "2", "--service", "payments"]);
    home.ok(&["update", "1", "--for", "public", "--title", "Payments", "--what", "it"]);
    until("it is not there yet", || {
        home.ok(&["updates", "1"]).contains("NOT YET on the status page").then_some(())
    });
    // What is said meanwhile stands in the files all the same.
    home.ok(&["update", "1", "--for", "public", "--what", "Cards work again for most."]);
    until("the files have it", || {
        page(&home, "incidents.json").contains("Cards work again for most.").then_some(())
    });
    std::fs::write(gate, "").expect("a file");
    until("it is there", || {
        let told = home.ok(&["updates", "1"]);
        (told.contains("on the status page") && !told.contains("NOT YET")).then_some(())
    });
}

#[test]
fn a_page_that_cannot_be_written_is_an_alert_and_no_proof() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let place = home.path().join("elsewhere");
    // A file is where the folder should be.
    std::fs::write(&place, "in the way").expect("a file");
    let settings = format!("listen = \"127.0.0.1:0\"\n[status]\ndir = \"{}\"\n", place.display());
    std::fs::write(home.path().join("warroom.toml"), settings).expect("the settings");
    let keeper = home.keeper();
    until("it is an alert", || home.ok(&["list"]).contains("StatusPageFailed").then_some(()));
    act(
        &mut keeper.caller(),
        r#"{"do":"open","title":"x","severity":"SEV2","services":["payments"],"declare":true}"#,
    );
    home.ok(&["update", "2", "--for", "public", "--title", "Payments", "--what", "it"]);
    let said = home.ok(&["updates", "2"]);
    assert!(said.contains("NOT YET on the status page"), "{said}");
    // Closing it makes nothing true that is not.
    home.ok(&["resolve", "2", "quiet"]);
    until("it is closed", || {
        let closed = home.run(&["close", "2", "--silent", "the page is down"]);
        closed.status.success().then_some(())
    });
    let said = home.ok(&["updates", "2"]);
    assert!(said.contains("NOT YET on the status page"), "{said}");
    let brief = home.ok(&["brief", "2", "--for", "exec"]);
    assert!(brief.contains("NOT YET ON THE STATUS PAGE"), "{brief}");
    home.ok(&["reopen", "2", "it is back"]);
    std::fs::remove_file(&place).expect("out of the way");
    // The next word writes it; so would the clock.
    home.ok(&["update", "2", "--for", "public", "--title", "Payments", "--what", "more"]);
    until("it is well again", || {
        let said = home.ok(&["updates", "2"]);
        (place.join("summary.json").exists() && !said.contains("NOT YET")).then_some(())
    });
}

#[test]
fn the_law_s_clocks_and_reports_by_the_command_line() {
    let home = Home::new();
    home.ok(&["declare", "a dump was copied", "-s", "2"]);
    let rules = home.ok(&["obligation", "rules"]);
    for part in ["gdpr-controller", "nis2", "dora", "sec-8k", "NOT IN FORCE", "have counsel look"] {
        assert!(rules.contains(part), "'{part}' is missing:\n{rules}");
    }
    home.ok(&["obligation", "determine", "1", "gdpr-controller", "aware", "seen", "--at", "-40h"]);
    let clocks = home.ok(&["obligation", "list", "1"]);
    assert!(clocks.contains("50% gone"), "{clocks}");
    let file = home.path().join("form.pdf");
    std::fs::write(&file, "the form").expect("a file");
    let path = file.to_string_lossy().into_owned();
    home.ok(&["obligation", "submit", "1", "gdpr-controller", "authority", "--file", &path]);
    assert!(home.ok(&["obligation", "list", "1"]).contains("handed in"), "with the file's hash");
    let brief = home.ok(&["brief", "1"]);
    for part in ["CONDITIONS", "ACTIONS", "NEEDS", "nobody commands", "[#"] {
        assert!(brief.contains(part), "'{part}' is missing:\n{brief}");
    }
    let refused = home.run(&["update", "1", "--for", "public"]);
    assert_eq!(refused.status.code(), Some(2), "{}", utf8(&refused.stderr));
    assert!(utf8(&refused.stderr).contains("ours is for us"));
}

#[test]
fn a_contract_is_an_obligation_of_ones_own() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    let more = r#"
[[own_obligations]]
id = "acme"
name = "Contract with Acme"
kind = "contract"
jurisdiction = "DE"
authority = "Acme's service desk"
as_of = "2026-11-01"
enabled = true
applies_when = "Acme's shop cannot take payments."
zone = "Europe/Berlin"
source = { law = "Service contract 4711", article = "7.2", citation = "contract of 2025-03-01" }
triggers.down = { title = "Acme was affected", question = "Since when could Acme's shop not take payments?" }
[[own_obligations.stages]]
id = "first"
title = "First report to Acme"
limits = [{ within = "4 hours", after = "trigger:down" }]
"#;
    write_plan(&home, &hook, &mail, more);
    let _keeper = home.keeper();
    home.ok(&["declare", "x", "-s", "2"]);
    home.ok(&["obligation", "determine", "1", "acme", "down", "their call", "--at", "-3h"]);
    let clocks = home.ok(&["obligation", "list", "1"]);
    assert!(clocks.contains("First report to Acme") && clocks.contains("75% gone"), "{clocks}");
}

#[test]
fn words_about_several_are_one_message_and_no_recovery_is_told_while_something_else_is_broken() {
    let home = Home::new();
    let (hook, mail) = (Sink::http(), Sink::smtp());
    write_plan(&home, &hook, &mail, "");
    let _keeper = home.keeper();
    for title in ["the pool is empty", "the queue is stuck", "the disk is full"] {
        home.ok(&["declare", title, "-s", "2", "--service", "payments"]);
    }
    let what = ["--for", "internal", "--title", "Payments", "--what", "both are of one cause"];
    let unnamed = home.run(&["update", "1,2", "--for", "internal", "--what", "both"]);
    let said = utf8(&unnamed.stderr);
    assert!(said.contains("say with --title what all of them together are called"), "{said}");
    home.ok(&[&["update", "1,2"], &what[..]].concat());
    let first = hook.wait_for(1);
    assert!(first[0].text().contains("INC-1, INC-2"), "{}", first[0].text());
    for incident in ["1", "2"] {
        until("both have their proof", || {
            home.ok(&["updates", incident]).contains("accepted").then_some(())
        });
    }
    assert_eq!(hook.received().len(), 1, "one message about both");
    let end = ["--data", "No data was lost.", "--lingering", "Nothing."];
    home.ok(&["resolve", "1", "quiet", "--force", "drill"]);
    home.ok(&[&["update", "1", "--for", "internal", "--next", "last"], &end[..]].concat());
    let told = hook.wait_for(2)[1].text();
    assert!(told.contains("other incidents still affect payments"), "{told}");
    assert!(!told.contains("Full recovery"), "{told}");
}
