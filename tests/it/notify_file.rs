//! Files of JSON Lines: whole lines, on the disk, below the home directory.

use std::os::unix::fs::PermissionsExt;

use warroom::domain::channel::Channel;
use warroom::notify::message::Message;
use warroom::notify::send::Outcome;

use crate::notify_mail::{context, deliver, failed, page};

fn file(path: &str) -> Channel {
    let channel: Channel =
        toml::from_str(&format!("kind = 'file'\npath = '{path}'")).expect("a channel");
    assert_eq!(channel.check("file"), Vec::<String>::new());
    channel
}

#[test]
fn every_message_is_one_line_that_only_its_owner_reads() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("pages/all.jsonl");
    let message = Message { subject: "two\r\nlines".into(), ..page() };
    for _ in 0..2 {
        let outcome = deliver(&file("pages/all.jsonl"), "all", &message, &context(home.path()));
        let Outcome::HandedOver { proof } = outcome else { panic!("{outcome:?}") };
        assert!(proof.starts_with("pages/all.jsonl: ") && proof.ends_with("synced"), "{proof}");
    }
    let text = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(text.lines().count(), 2);
    for line in text.lines() {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(json["at"], "2026-11-25T10:00:00.000Z");
        assert_eq!((&json["to"], &json["subject"]), (&"all".into(), &"two  lines".into()));
    }
    let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_torn_line_is_ended_before_the_next() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("all.jsonl");
    std::fs::write(&path, "{\"version\":\"1\",\"id\":\"to").expect("a torn line");
    let outcome = deliver(&file("all.jsonl"), "all", &page(), &context(home.path()));
    assert!(matches!(outcome, Outcome::HandedOver { .. }), "{outcome:?}");
    let text = std::fs::read_to_string(&path).expect("the file");
    let last = text.lines().last().expect("a line");
    assert!(serde_json::from_str::<serde_json::Value>(last).is_ok(), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn links_folders_and_pipes_are_refused() {
    let home = tempfile::tempdir().expect("a home");
    let other = tempfile::tempdir().expect("another place");
    let target = other.path().join("secret.jsonl");
    std::fs::write(&target, "").expect("a file");
    std::os::unix::fs::symlink(&target, home.path().join("link.jsonl")).expect("a link");
    std::fs::create_dir(home.path().join("dir.jsonl")).expect("a folder");
    nix::unistd::mkfifo(&home.path().join("pipe.jsonl"), nix::sys::stat::Mode::S_IRWXU)
        .expect("a pipe");
    for path in ["link.jsonl", "dir.jsonl", "pipe.jsonl"] {
        let outcome = deliver(&file(path), "all", &page(), &context(home.path()));
        failed(&outcome, true, "correct the file");
    }
    assert_eq!(std::fs::read_to_string(&target).expect("the file"), "");
}
