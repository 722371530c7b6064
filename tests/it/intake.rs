//! The intake over HTTP: real senders' bodies, hostile ones, and the account of all of them.

use std::io::Write;
use std::net::TcpStream;

use warroom::client::call::Caller;
use warroom::proto::{Ask, IntakeReport, Reply};

use crate::home::{Home, answer, intake_address, post, until};
use crate::tidy::shared_data;

fn report(caller: &mut Caller) -> IntakeReport {
    match caller.ask(Ask::Intake) {
        Ok(Reply::Intake(report)) => *report,
        other => panic!("no report: {other:?}"),
    }
}

fn alerts(report: &IntakeReport) -> u64 {
    report.sources.values().flat_map(|s| s.alerts.values()).sum()
}

#[test]
fn every_alert_of_a_real_storm_is_accounted_for() {
    let Some(storm) = shared_data("alerts/storm_first400.jsonl") else { return };
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let text = std::fs::read_to_string(storm).expect("the storm");
    let mut sent = 0;
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        sent += value["body"]["alerts"].as_array().map_or(0, Vec::len) as u64;
        let body = value["body"].to_string();
        assert_eq!(post(&address, "/v1/alertmanager", &[], body.as_bytes()).0, 200);
    }
    let report = report(&mut caller);
    assert_eq!(report.sources["alertmanager"].posts, 400);
    assert_eq!(alerts(&report), sent, "each alert became exactly one thing");
    let Ok(Reply::Status(status)) = caller.ask(Ask::Status) else { panic!("no status") };
    assert!(status.live > 0 && u64::from(status.live) <= sent);
}

#[test]
fn bodies_that_other_projects_test_with_are_taken_or_refused_in_words() {
    let Some(folder) = shared_data("alerts/alertmanager_webhook") else { return };
    let home = Home::new();
    let keeper = home.keeper();
    let address = intake_address(&keeper.caller());
    let mut refused = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        let body = std::fs::read(entry.path()).expect("a body");
        let (status, said) = post(&address, "/v1/alertmanager", &[], &body);
        if status != 200 {
            refused.push((entry.file_name().to_string_lossy().into_owned(), said));
        }
    }
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].0.contains("invalid-ends-at"), "{refused:?}");
    assert!(refused[0].1.contains("its endsAt is the zero time"), "{refused:?}");
}

#[test]
fn pagerduty_senders_get_the_answers_they_know() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let send = |body: &str| post(&address, "/v2/enqueue", &[], body.as_bytes());
    let trigger = r#"{"routing_key":"k","event_action":"trigger","dedup_key":"d1","payload":{"summary":"db down","source":"db1","severity":"critical"}}"#;
    let (status, said) = send(trigger);
    assert_eq!(status, 202);
    assert!(said.contains(r#""dedup_key":"d1""#) && said.contains("Event processed"), "{said}");
    assert_eq!(send(trigger).0, 202, "duplicates are normal");
    assert_eq!(send(r#"{"routing_key":"k","event_action":"resolve","dedup_key":"d1"}"#).0, 202);
    assert_eq!(send(r#"{"routing_key":"k","event_action":"explode"}"#).0, 400);
    assert_eq!(send(r#"{"event_action":"trigger"}"#).0, 400);
    let change = r#"{"routing_key":"k","payload":{"summary":"deploy 812","source":"ci"}}"#;
    assert_eq!(post(&address, "/v2/change/enqueue", &[], change.as_bytes()).0, 202);
    let report = until("the refusals are on record", || {
        Some(report(&mut caller))
            .filter(|r| r.sources.get("pagerduty").is_some_and(|s| s.refused == 2))
    });
    assert_eq!(report.changes[0].summary, "deploy 812");
    let Ok(Reply::Status(status)) = caller.ask(Ask::Status) else { panic!("no status") };
    assert_eq!(status.live, 1, "a change never opens an incident");
}

#[test]
fn tokens_are_asked_for_once_there_is_one() {
    let home = Home::new();
    let keeper = home.keeper();
    let address = intake_address(&keeper.caller());
    let body = br#"{"title":"x","host":"h"}"#;
    assert_eq!(post(&address, "/v1/events", &[], body).0, 202);
    let token = home.ok(&["token", "new", "ci"]).trim().to_owned();
    assert_eq!(token.len(), 32);
    assert_eq!(post(&address, "/v1/events", &[], body).0, 401);
    let header = format!("Bearer {token}");
    assert_eq!(post(&address, "/v1/events", &[("Authorization", &header)], body).0, 202);
    assert_eq!(post(&address, "/v1/events", &[("Authorization", "Bearer wrong")], body).0, 401);
    let journal = home.ok(&["export", "-"]);
    assert!(!journal.contains(&token), "only the hash is kept");
    home.ok(&["token", "revoke", "ci"]);
    assert_eq!(post(&address, "/v1/events", &[("Authorization", &header)], body).0, 401);
    assert_eq!(post(&address, "/v1/events", &[], body).0, 401, "revoking does not open the gate");
}

#[test]
fn hostile_bodies_are_refused_early_and_the_keeper_lives() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [deep.as_bytes(), b"\xff\xfe\x00", b"", b"null", b"[]", b"{\"alerts\":5}"] {
        let (status, said) = post(&address, "/v1/alertmanager", &[], body);
        assert_eq!(status, 400, "{said}");
    }
    // A gigabyte is refused by its own declaration, before it is sent.
    let mut stream = TcpStream::connect(&address).expect("the intake");
    let head = format!(
        "POST /v1/alertmanager HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1073741824\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head");
    stream.shutdown(std::net::Shutdown::Write).expect("no body");
    assert_eq!(answer(stream).0, 413);
    // Without a declaration it is refused when the limit is reached.
    let mut stream = TcpStream::connect(&address).expect("the intake");
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    for _ in 0..64 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    drop(stream);
    assert_eq!(post(&address, "/nowhere", &[], b"").0, 404);
    let report = until("all of them are on record", || {
        let report = report(&mut caller);
        let refused: u64 = report.sources.values().map(|s| s.refused).sum();
        (refused >= 9).then_some(report)
    });
    assert_eq!(alerts(&report), 0);
}

#[test]
fn huge_labels_and_escape_sequences_are_kept_small_and_harmless() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let huge = "y".repeat(100_000);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gpj.exe\u{0}";
    let labels =
        serde_json::json!({ "alertname": evil, "huge": huge, evil: evil, "severity": evil });
    let body = serde_json::json!({ "version": "4", "groupKey": evil, "status": "firing", "alerts": [
        { "status": "firing", "labels": labels, "annotations": { "summary": evil }, "startsAt": "2036-01-01T00:00:00Z" },
        { "status": "firing", "labels": { "alertname": "old" }, "startsAt": "1999-01-01T00:00:00Z" },
    ]});
    assert_eq!(post(&address, "/v1/alertmanager", &[], body.to_string().as_bytes()).0, 200);
    for args in [&["list"][..], &["show", "1"], &["alerts"], &["search", "owned"], &["intake"]] {
        let said = home.ok(args);
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{0}']), "{args:?}: {said:?}");
    }
    let Ok(Reply::Alerts { alerts }) = caller.ask(Ask::Alerts { incident: None, limit: 10 }) else {
        panic!("no alerts")
    };
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|(_, alert)| alert.labels.len() < 10_000));
}

#[test]
fn health_and_metrics_are_served() {
    let home = Home::new();
    let keeper = home.keeper();
    let address = intake_address(&keeper.caller());
    let get = |path: &str| {
        let mut stream = TcpStream::connect(&address).expect("the intake");
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        answer(stream)
    };
    assert_eq!(get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").0, 200);
    let metrics = get("/metrics").1;
    assert!(metrics.contains("# TYPE warroom_intake_posts_total counter"), "{metrics}");
}

#[test]
fn sighup_reads_settings_and_plan_again() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let odd = br#"{"what":"odd one","state":"bad"}"#;
    assert_eq!(post(&address, "/v1/events", &[], odd).0, 400);
    let settings = home.path().join("warroom.toml");
    let text = "listen = \"127.0.0.1:0\"\n[mapping.events]\nname = \"what\"\n";
    std::fs::write(settings, text).expect("the settings");
    home.ok(&["plan", "init"]);
    let team = home.path().join("plan/50-more.toml");
    std::fs::write(team, "[services.api]\ndescription = \"added\"\n").expect("the plan");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(keeper.child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).expect("a signal");
    until("the mapping is in force", || {
        (post(&address, "/v1/events", &[], odd).0 == 202).then_some(())
    });
    until("the plan is in force", || match caller.ask(Ask::Plan) {
        Ok(Reply::Plan { plan, .. }) => plan.services.contains_key("api").then_some(()),
        _ => None,
    });
}

#[test]
fn what_is_refused_is_on_record_without_what_opens_the_gate_also_at_the_end() {
    let home = Home::new();
    let mut keeper = home.keeper();
    let address = intake_address(&keeper.caller());
    let token = home.ok(&["token", "new", "pd"]).trim().to_owned();
    let body = format!(
        r#"{{"routing_key":"{token}","event_action":"trigger","payload":{{"summary":"x","source":"h","severity":"warn"}}}}"#
    );
    assert_eq!(post(&address, "/v2/enqueue", &[], body.as_bytes()).0, 400);
    let wrong = br#"{"routing_key":"nobody's","event_action":"trigger"}"#;
    // PagerDuty's API knows no 401: a key that is not known makes an event that is not right.
    assert_eq!(post(&address, "/v2/enqueue", &[], wrong).0, 400);
    assert_eq!(post(&address, "/v1/events", &[], b"{}").0, 401);
    home.ok(&["stop"]);
    keeper.child.wait().expect("an end");
    let _keeper = home.keeper();
    let report = home.ok(&["intake"]);
    let of = |status: &str| {
        let is_it = |line: &&str| line.split(|c: char| !c.is_ascii_digit()).any(|n| n == status);
        report.lines().find(is_it).unwrap_or_else(|| panic!("no {status} in {report}"))
    };
    of("401");
    assert!(report.contains("the routing_key is not known"), "{report}");
    let lines: Vec<&str> = report.lines().filter(|line| line.contains("400")).collect();
    assert!(lines.iter().any(|line| line.contains("pd ")), "under its sender: {lines:?}");
    let journal = home.ok(&["export", "-"]);
    assert!(journal.contains("post-refused"), "{journal}");
    assert!(!journal.contains(&token), "the token opens the gate");
}

#[test]
fn one_bad_alert_takes_no_good_one_with_it_and_is_accounted_for() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let body = br#"[{"labels":{"alertname":"DiskFull","severity":"page"}},{"labels":{}}]"#;
    let (status, said) = post(&address, "/api/v2/alerts", &[], body);
    assert_eq!(status, 400, "{said}");
    assert!(said.contains("1 alerts left out: alert 1: it has no labels"), "{said}");
    assert!(home.ok(&["alerts"]).contains("DiskFull"), "the other one was taken");
    assert_eq!(alerts(&report(&mut caller)), 1);
    until("the other is accounted for", || {
        (report(&mut caller).sources["prometheus"].refused == 1).then_some(())
    });
}

#[test]
fn a_cloud_event_is_taken_in_both_modes_and_what_is_encoded_is_refused_in_words() {
    let home = Home::new();
    let keeper = home.keeper();
    let address = intake_address(&keeper.caller());
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", "org.example.disk.full"),
        ("ce-source", "/hosts/db7"),
        ("ce-id", "A234"),
    ];
    let (status, said) = post(&address, "/v1/events", &headers, br#"{"severity":"critical"}"#);
    assert_eq!(status, 202, "{said}");
    assert!(home.ok(&["alerts"]).contains("org.example.disk.full"));
    let gzip = [("Content-Encoding", "gzip")];
    let (status, said) = post(&address, "/v1/events", &gzip, b"\x1f\x8b\x08");
    assert_eq!(status, 415, "{said}");
    assert!(said.contains("encoded (gzip)"), "{said}");
}
