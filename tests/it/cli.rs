//! The command line: what it prints, what it refuses, and how it ends.

use warroom::domain::text::is_hostile;

use crate::home::{Home, has, utf8};
use crate::tidy::shared_data;

#[test]
fn an_incident_is_worked_by_the_command_line_alone() {
    let home = Home::new();
    assert_eq!(
        home.ok(&["report", "checkout is slow", "-s", "2", "--service", "payments"]),
        "INC-1: opened\n"
    );
    home.ok(&["ack", "1"]);
    home.ok(&["declare", "INC-1"]);
    home.ok(&["command", "1"]);
    home.ok(&["severity", "1", "SEV1"]);
    home.ok(&["triage", "1", "high", "high"]);
    home.ok(&["note", "1", "pool exhausted", "--kind", "hypothesis", "--at", "-15m", "--about"]);
    home.ok(&["remedy", "1", "workaround", "pool 50 to 200", "--expires", "4h"]);
    home.ok(&["judge", "1", "1", "worked"]);
    home.ok(&["tell", "1", "support", "we are on it", "--channel", "phone", "--next", "20m"]);
    assert!(home.ok(&["contacts", "1"]).contains("told support by phone: we are on it"));
    home.ok(&["phase", "1", "monitoring"]);
    home.ok(&["public", "1", "monitoring"]);
    home.ok(&["resolve", "1", "30 minutes without an error"]);
    home.ok(&["review", "1"]);
    home.ok(&["judge", "1", "1", "removed"]);
    let silent = home.run(&["close", "1"]);
    assert_eq!(silent.status.code(), Some(3), "nothing ends in silence");
    let said = utf8(&silent.stderr);
    let unheard = "customers, executives, partners must know of it and heard nothing";
    for part in ["support were told of it and got no last word", unheard] {
        assert!(said.contains(part), "'{part}' is missing: {said}");
    }
    home.ok(&["tell", "1", "support", "it is over", "--channel", "phone", "--last"]);
    let silent = home.run(&["close", "1"]);
    assert_eq!(silent.status.code(), Some(3), "nor unheard: {}", utf8(&silent.stderr));
    home.ok(&["close", "1", "--silent", "the others noticed nothing"]);
    let shown = home.ok(&["show", "1"]);
    for part in [
        "SEV1 because root",
        "P1 because high impact × high urgency",
        "closed",
        "? pool exhausted",
        "~",
    ] {
        assert!(shown.contains(part) || part.contains("root"), "'{part}' is missing:\n{shown}");
    }
    for found in [&["list", "--closed"][..], &["list", "--closed", "chkt slw"]] {
        assert!(home.ok(found).contains("INC-1"), "{found:?}");
    }
    assert_eq!(home.ok(&["list"]), "nothing is open\n");
    assert!(home.ok(&["search", "exhausted"]).contains("INC-1"));
    home.ok(&["reopen", "1", "it is back"]);
    assert!(home.ok(&["list"]).contains("investigating"));
}

#[test]
fn a_mistake_that_repeats_what_was_typed_drives_no_terminal() {
    let home = Home::new();
    for args in [&["\u{1b}]0;owned\u{7}"][..], &["ack", "1", "\u{202e}x\u{9b}31m"]] {
        let wrong = home.run(args);
        assert_eq!(wrong.status.code(), Some(2), "{args:?}");
        let said = utf8(&wrong.stderr);
        assert!(said.contains("error:"), "{said}");
        assert!(!said.chars().any(|c| c != '\n' && is_hostile(c)), "{said:?}");
    }
}

#[test]
fn failures_say_what_and_what_next_and_have_their_codes() {
    let home = Home::new();
    let table: &[(&[&str], i32, &str)] = &[
        (&["ack", "7"], 3, "INC-7 does not exist; list what is open"),
        (&["ack", "x"], 2, "'x' is not an incident; write INC-42 or 42"),
        (&["severity", "1", "9"], 2, "no severity"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["plan", "check", "/nowhere"], 2, "/nowhere is not a directory"),
        (&["verify", "--export", "/nowhere"], 1, "cannot read /nowhere"),
        (&["import", "/nowhere"], 1, ""),
    ];
    for (args, code, words) in table {
        let out = home.run(args);
        let said = utf8(&out.stderr);
        assert_eq!(out.status.code(), Some(*code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let out =
        home.command(&["list"]).env("WARROOM_HOME", "/proc/nowhere").output().expect("it runs");
    assert_eq!(out.status.code(), Some(4), "no keeper can be had there: {}", utf8(&out.stderr));
    assert!(utf8(&out.stderr).contains("cannot create /proc/nowhere"), "{}", utf8(&out.stderr));
}

#[test]
fn an_export_moves_the_journal_to_another_home() {
    let home = Home::new();
    home.ok(&["report", "first", "--note", "a note"]);
    home.ok(&["declare", "second"]);
    home.ok(&["resolve", "2", "ok"]);
    home.ok(&["close", "2", "--silent", "they sat beside me"]);
    home.ok(&["note", "1", "the password is hunter2"]);
    let shown = home.ok(&["show", "1"]);
    let entry = shown
        .lines()
        .find(|l| l.contains("hunter2"))
        .and_then(|l| l.split_whitespace().next())
        .expect("the entry");
    home.ok(&["redact", "1", entry, "--reason", "a secret"]);
    home.ok(&["stop"]);
    let file = home.path().join("all.jsonl");
    let name = file.display().to_string();
    home.ok(&["export", &name]);
    assert!(!std::fs::read_to_string(&file).expect("the export").contains("hunter2"));
    assert!(home.ok(&["verify", "--export", &name]).contains("chain intact"));
    home.ok(&["export", &name, "--with-redacted"]);
    let before = home.ok(&["verify"]);
    let other = Home::new();
    other.ok(&["import", &name]);
    let after = other.ok(&["verify"]);
    assert_eq!(before.lines().last(), after.lines().last(), "the same state and hashes");
    // One that was cut short goes on where it was; another history is not mixed in.
    let cut = Home::new();
    let text = std::fs::read_to_string(&file).expect("the export");
    let some: String = text.split_inclusive('\n').take(4).collect();
    let part = home.path().join("part.jsonl");
    std::fs::write(&part, some).expect("a part of it");
    cut.ok(&["import", &part.display().to_string()]);
    cut.ok(&["import", &name]);
    assert_eq!(cut.ok(&["verify"]).lines().last(), before.lines().last(), "the same again");
    let mixed = Home::new();
    mixed.ok(&["report", "something else"]);
    mixed.ok(&["stop"]);
    let refused = mixed.run(&["import", &name]);
    assert!(utf8(&refused.stderr).contains("holds another history"), "{refused:?}");
    assert!(other.ok(&["list", "--closed"]).contains("second"));
    let shown = other.ok(&["show", "1"]);
    assert!(shown.contains("(redacted)") && !shown.contains("hunter2"), "{shown}");
    assert!(!other.ok(&["search", "password"]).contains("hunter2"));
    let again =
        other.run(&["stop"]).status.success() && other.run(&["import", &name]).status.success();
    assert!(!again, "a home that is not empty is refused");
    let text = std::fs::read_to_string(&file).expect("the export").replacen("second", "SECOND", 1);
    std::fs::write(&file, text).expect("the forgery");
    let out = home.run(&["verify", "--export", &name]);
    assert_eq!(out.status.code(), Some(1));
    assert!(utf8(&out.stdout).contains("does not follow"), "{}", utf8(&out.stdout));
}

#[test]
fn a_backup_of_a_running_keeper_is_restored_elsewhere() {
    let home = Home::new();
    home.ok(&["report", "kept"]);
    let dest = home.path().join("backup");
    home.ok(&["backup", &dest.display().to_string()]);
    let other = Home::new();
    other.ok(&["restore", &dest.display().to_string()]);
    assert!(other.ok(&["list"]).contains("kept"));
    home.ok(&["stop"]);
    assert!(home.ok(&["rebuild"]).contains("rebuilt from"));
    assert!(home.ok(&["list"]).contains("kept"));
}

#[test]
fn what_is_not_whole_is_neither_restored_nor_called_intact() {
    let home = Home::new();
    home.ok(&["report", "one"]);
    home.ok(&["report", "two"]);
    let dest = home.path().join("backup");
    let name = dest.display().to_string();
    home.ok(&["backup", &name]);
    let file = dest.join("journal.jsonl");
    let whole = std::fs::read_to_string(&file).expect("the copy");
    let lines: Vec<&str> = whole.lines().collect();
    let (_, all_but_one) = lines.split_last().expect("lines");
    let missing_line = all_but_one.join("\n") + "\n";
    for (text, why) in [
        (missing_line.as_str(), "the backup is not whole: it ends at event"),
        (&whole[..whole.len() - 40], "the backup is damaged"),
        ("", "the backup is not whole: it ends at event 0"),
    ] {
        std::fs::write(&file, text).expect("the damage");
        let other = Home::new();
        let out = other.run(&["restore", &name]);
        assert_eq!(out.status.code(), Some(1), "{why}");
        assert!(utf8(&out.stderr).contains(why), "{why}: {}", utf8(&out.stderr));
        assert!(!other.path().join("journal").exists(), "nothing was begun: {why}");
    }
    std::fs::write(&file, whole).expect("as it was");
    std::fs::remove_file(dest.join("head")).expect("its end is not known");
    let other = Home::new();
    assert_eq!(other.run(&["restore", &name]).status.code(), Some(1));
    // There is nothing to find wrong where there is nothing.
    for args in [["verify", "--twin", "/etc"], ["verify", "--export", "/dev/null"]] {
        let out = other.run(&args);
        assert_eq!(out.status.code(), Some(1), "{args:?}");
        assert!(utf8(&out.stderr).contains("nothing was checked"), "{}", utf8(&out.stderr));
    }
}

#[test]
fn a_plan_is_checked_whole_and_adopted() {
    let home = Home::new();
    let output = home.run(&["status"]);
    assert_eq!(output.status.code(), Some(4), "to look starts none");
    home.ok(&["list"]);
    home.ok(&["status"]);
    home.ok(&["plan", "init"]);
    assert!(home.ok(&["plan", "check"]).starts_with("sound: "));
    let people = home.path().join("plan/10-people.toml");
    let text = std::fs::read_to_string(&people).expect("the file");
    std::fs::write(&people, text.replace("[\"owner\"]", "[\"owner\", \"nobody\"]"))
        .expect("the mistake");
    let out = home.run(&["plan", "check"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(utf8(&out.stderr).contains("10-people.toml:"), "{}", utf8(&out.stderr));
    assert!(utf8(&out.stderr).contains("names 'nobody'"), "{}", utf8(&out.stderr));
    let sound = format!(
        "{}\n[people.nobody]\nname = \"N\"\ncontacts = [\"file\"]\n",
        std::fs::read_to_string(&people).expect("the file")
    );
    std::fs::write(&people, sound).expect("the cure");
    home.ok(&["plan", "adopt", "--note", "one more"]);
    assert!(home.ok(&["who"]).contains("nobody by file (team operations)"));
    assert_eq!(home.run(&["plan", "adopt"]).status.code(), Some(3), "it is in force already");
}

#[test]
fn what_is_half_written_in_the_plan_s_files_is_taken_by_no_start() {
    let home = Home::new();
    home.ok(&["list"]);
    home.ok(&["plan", "init"]);
    let file = home.path().join("plan/20-escalation.toml");
    let text = std::fs::read_to_string(&file).expect("the shipped plan");
    let other = text.replace("fallback_every_min = 30", "fallback_every_min = 7");
    assert_ne!(text, other);
    std::fs::write(&file, other).expect("a file");
    home.ok(&["stop"]);
    assert!(home.ok(&["plan", "show"]).contains("fallback_every_min = 30"), "it stays");
    home.ok(&["plan", "adopt"]);
    assert!(home.ok(&["plan", "show"]).contains("fallback_every_min = 7"));
    home.ok(&["stop"]);
    assert!(home.ok(&["plan", "show"]).contains("fallback_every_min = 7"));
}

#[test]
fn real_histories_give_the_figures_that_others_computed() {
    let Some(folder) = shared_data("histories") else { return };
    let file = |name: &str| folder.join(name).display().to_string();
    let home = Home::new();
    let stats = |origin: &str| -> serde_json::Value {
        serde_json::from_str(&home.ok(&["stats", "--json", "--origin", origin])).expect("JSON")
    };
    let near = |value: &serde_json::Value, wanted: f64| {
        (value.as_f64().expect("a number") - wanted).abs() < 0.001
    };
    let said = home.ok(&["import", "--from", "servicenow", &file("servicenow_500.csv")]);
    assert!(said.starts_with("3411 rows: 500 incidents imported, 0 were here"), "{said}");
    let report = stats("servicenow");
    let ttr = &report["ttr_minutes"];
    assert_eq!((report["incidents"].as_u64(), ttr["n"].as_u64()), (Some(500), Some(484)));
    assert!(
        near(&ttr["mean"], 13_498.196_3)
            && near(&ttr["median"], 3_169.5)
            && near(&ttr["p90"], 30_428.1),
        "{ttr}"
    );
    let oracle: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string(folder.join("servicenow_500.oracle.json")).expect("it"),
    )
    .expect("JSON");
    for (priority, wanted) in oracle["ttr_minutes_by_last_priority"].as_object().expect("a map") {
        let ours = &report["by_priority"][format!("P{priority}")];
        assert_eq!(ours["n"], wanted["n"]);
        for (key, theirs) in [("mean", "mean"), ("median", "median"), ("p90", "p90_linear")] {
            assert!(
                near(&ours[key], wanted[theirs].as_f64().expect("a number")),
                "P{priority} {key}"
            );
        }
    }
    for (month, wanted) in oracle["mttr_by_opened_month_minutes"].as_object().expect("a map") {
        assert!(
            near(&report["by_month_opened"][month]["mean"], wanted.as_f64().expect("a number")),
            "{month}"
        );
    }
    let again = home.ok(&["import", "--from", "servicenow", &file("servicenow_500.csv")]);
    assert!(again.contains("0 incidents imported, 500 were here already"), "{again}");
    home.ok(&["import", "--from", "volvo-xes-csv", &file("volvo_199.csv")]);
    let ttr = &stats("volvo")["ttr_minutes"];
    assert_eq!(ttr["n"], 199);
    assert!(
        near(&ttr["mean"], 9_080.998_7)
            && near(&ttr["median"], 1_304.85)
            && near(&ttr["p90"], 21_113.813_3),
        "{ttr}"
    );
    home.ok(&["import", "--from", "statuspage", &file("github_status_2022_2023.jsonl")]);
    let ttr = &stats("statuspage")["ttr_minutes"];
    assert_eq!(ttr["n"], 265);
    assert!(
        near(&ttr["mean"], 106.917) && near(&ttr["median"], 59.0) && near(&ttr["p90"], 247.6),
        "{ttr}"
    );
}

#[test]
fn a_real_alertmanager_posts_to_the_keeper() {
    if !has("prometheus-alertmanager") {
        return;
    }
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = crate::home::intake_address(&caller);
    let config = home.path().join("am.yml");
    let text = format!(
        "route:\n  receiver: warroom\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s\nreceivers:\n- name: warroom\n  webhook_configs:\n  - url: http://{address}/v1/alertmanager\n    send_resolved: true\n"
    );
    std::fs::write(&config, text).expect("the configuration");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    let data = home.path().join("am-data");
    let mut child = std::process::Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", data.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("an Alertmanager");
    let theirs = format!("127.0.0.1:{port}");
    crate::home::until("it listens", || std::net::TcpStream::connect(&theirs).ok());
    let alert = r#"[{"labels":{"alertname":"Real","severity":"critical"},"annotations":{"summary":"from a real one"}}]"#;
    crate::home::until("it takes an alert", || {
        let headers = [("Content-Type", "application/json")];
        (crate::home::post(&theirs, "/api/v2/alerts", &headers, alert.as_bytes()).0 == 200)
            .then_some(())
    });
    crate::home::until("the incident is there", || {
        let rows = caller.ask(warroom::proto::Ask::Follow { first: 5 }).ok()?;
        let warroom::proto::Reply::Queue(queue) = rows else { return None };
        queue.rows.iter().any(|row| row.title.contains("from a real one")).then_some(())
    });
    drop(child.kill());
    drop(child.wait());
}

#[test]
fn a_home_that_is_made_is_nobody_else_s() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let own = home.path().join("below/own");
    let run = |args: &[&str]| {
        let output = home.command(args).env("WARROOM_HOME", &own).output().expect("it runs");
        assert!(output.status.success(), "{}", utf8(&output.stderr));
    };
    run(&["list"]);
    let mode = std::fs::metadata(&own).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
    run(&["stop"]);
    // One that a group may enter, for the socket in it, shows nobody the journal.
    let of_group = std::fs::Permissions::from_mode(0o770);
    std::fs::set_permissions(&own, of_group.clone()).expect("a mode");
    std::fs::set_permissions(own.join("journal"), of_group).expect("a mode");
    run(&["list"]);
    let mode = std::fs::metadata(own.join("journal")).expect("a journal").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
    run(&["stop"]);
}

#[test]
fn a_home_whose_last_token_is_gone_says_that_nobody_may_post() {
    let home = Home::new();
    assert!(home.ok(&["intake"]).contains("tokens: none; any local process may post"));
    home.ok(&["token", "new", "am"]);
    let said = home.ok(&["token", "revoke", "am"]);
    assert!(said.contains("EVERY post is refused"), "{said}");
    assert!(home.ok(&["intake"]).contains("NONE IS VALID: every post is refused"));
    home.ok(&["token", "new", "am"]);
    assert!(home.ok(&["intake"]).contains("tokens: am\n"));
}

#[test]
fn what_is_told_after_the_end_is_the_last_word() {
    let home = Home::new();
    home.ok(&["declare", "checkout is slow", "-s", "2"]);
    home.ok(&["update", "1", "--for", "internal", "--to", "support", "--what", "it is slow"]);
    home.ok(&["resolve", "1", "30 minutes without an error"]);
    home.ok(&[
        "update",
        "1",
        "--for",
        "internal",
        "--to",
        "support",
        "--what",
        "it was a pool",
        "--data",
        "none was lost",
        "--lingering",
        "nothing",
    ]);
    let shown = home.ok(&["updates", "1"]);
    assert!(!shown.lines().last().unwrap_or_default().contains("next by"), "{shown}");
    home.ok(&["close", "1", "--silent", "customers and executives noticed nothing"]);
}

#[test]
fn nobody_s_words_look_like_an_entry_of_their_own() {
    let home = Home::new();
    home.ok(&["declare", "checkout\n   2200 2026-11-28T09:31:00.000Z  boss       took command"]);
    home.ok(&["note", "1", "seen\n   2201 2026-11-28T09:31:00.000Z  boss       resolved"]);
    let shown = home.ok(&["show", "1"]);
    let forged = shown.lines().filter(|line| {
        line.trim_start().starts_with("2200 ") || line.trim_start().starts_with("2201 ")
    });
    assert_eq!(forged.count(), 0, "{shown}");
    assert!(shown.contains("│    2201 2026"), "it stands below its own: {shown}");
    assert_eq!(home.ok(&["list"]).lines().count(), 1);
}

#[test]
fn what_is_planned_says_its_number_and_its_time() {
    let home = Home::new();
    // A night in which the clock goes forward, and one in which it goes back.
    for (at, words) in [
        ("2027-03-28 02:30 Europe/Berlin", "does not exist that night"),
        ("2027-10-31 02:30 Europe/Berlin", "comes twice that night"),
    ] {
        let out = home.run(&["who", "--service", "payments", "--at", at]);
        let said = utf8(&out.stderr);
        assert!(out.status.success() && said.contains(words), "{at}: {said}");
    }
    // A time of day is the next one, as everywhere where something lies ahead.
    let minutes = |text: &str| {
        let said = home.ok(&["oncall", "primary", "--at", text, "--json"]);
        assert!(said.contains("primary"), "{said}");
        let said = home.ok(&["oncall", "primary", "--at", text]);
        let at = said.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("when");
        let at: warroom::domain::time::Timestamp = at.0.parse().expect("a time");
        at.since(warroom::clock::wall_now()) / 60_000
    };
    let (ahead, back) = (minutes("00:00"), minutes("-2h"));
    assert!((0..=24 * 60).contains(&ahead), "{ahead}");
    assert!((-121..=-119).contains(&back), "{back}");
    let said = home.ok(&["maintenance", "payments", "--until", "2h", "-r", "disks"]);
    assert!(said.contains("done · window 1: payments from "), "{said}");
    let said = home.ok(&["silence", "alertname=Disk*", "--until", "2h", "-r", "disks"]);
    assert!(said.contains("silence 1 until "), "{said}");
}

#[test]
fn words_that_their_author_takes_back_are_a_draft_again() {
    let home = Home::new();
    home.ok(&["declare", "checkout is slow", "-s", "2"]);
    home.ok(&["update", "1", "--for", "public", "--title", "Checkout", "--what", "It is slow."]);
    let said = home.ok(&["withdraw", "1", "1", "--reason", "one line must go"]);
    assert!(said.contains("its words are a draft again: 'P' in the console"), "{said}");
    let keeper = home.keeper();
    let drafts = keeper.caller().ask(warroom::proto::Ask::Drafts).expect("an answer");
    let warroom::proto::Reply::Drafts { drafts } = drafts else { panic!("{drafts:?}") };
    let (key, text) = &drafts[0];
    assert!(key == "write-update INC-1~1" && text.contains("It is slow."), "{drafts:?}");
}

#[test]
fn what_the_public_reads_of_a_maintenance_waits_for_a_look() {
    let home = Home::new();
    let plan = ["maintenance", "payments", "--until", "2h", "-r", "disks", "--public", "New disks"];
    let said = home.ok(&plan);
    assert!(said.contains("once somebody else looked at it (--publish, e l)"), "{said}");
    assert!(home.ok(&["maintenance"]).contains("NOT ON THE STATUS PAGE"));
    let own = home.run(&["maintenance", "--publish", "1"]);
    assert!(utf8(&own.stderr).contains("you wrote what the public is to read"), "{own:?}");
    home.ok(&["maintenance", "--publish", "1", "--force", "alone tonight"]);
    let listed = home.ok(&["maintenance"]);
    let words = "disks · on the status page, nobody else looked at it: alone tonight";
    assert!(listed.contains(words), "{listed}");
    crate::home::until("the page has it", || {
        let page = home.path().join("status/scheduled-maintenances.json");
        std::fs::read_to_string(page).ok().filter(|text| text.contains("New disks"))
    });
}
