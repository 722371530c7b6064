//! Any one file of the home can be cut, flipped, zeroed or deleted, and nothing acknowledged is lost.

use std::fs;
use std::path::{Path, PathBuf};

use warroom::clock::wall_now;
use warroom::domain::event::{Actor, Body, Recorded};
use warroom::domain::ids::CommandId;
use warroom::domain::words::Via;
use warroom::proto::{Ask, Reply};
use warroom::store::batch::{Batch, Pack};
use warroom::store::journal::Paths;
use warroom::store::{Journal, open};

use crate::home::{Home, act};

/// A word for it, and what it does.
type Harm = (&'static str, fn(&Path));

/// What is done to a file.
const HARMS: &[Harm] = &[
    ("deleted", |path| fs::remove_file(path).expect("a removal")),
    ("cut in half", |path| {
        let file = fs::OpenOptions::new().write(true).open(path).expect("the file");
        let len = file.metadata().expect("its size").len();
        file.set_len(len / 2).expect("a cut");
    }),
    ("zeroed", |path| {
        let len = fs::metadata(path).expect("its size").len();
        fs::write(path, vec![0; usize::try_from(len).expect("small")]).expect("zeros");
    }),
    ("flipped", |path| {
        let mut bytes = fs::read(path).expect("the file");
        let len = bytes.len();
        for at in [len / 7, len / 3, len / 2] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 0xff;
            }
        }
        fs::write(path, bytes).expect("the harm");
    }),
];

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
        fs::copy(&file, &target).expect("a copy");
    }
}

#[test]
fn any_one_file_of_the_journal_can_be_harmed() {
    let sound = Home::new();
    let last = {
        let mut keeper = sound.keeper();
        let mut caller = keeper.caller();
        act(&mut caller, r#"{"do":"open","title":"damage","declare":true}"#);
        let mut last = 0;
        for n in 0..300 {
            let text = "x".repeat(200);
            let command =
                format!(r#"{{"do":"note","incident":1,"kind":"note","text":"note {n} {text}"}}"#);
            last = act(&mut caller, &command);
        }
        // Killed, not stopped: no snapshot hides what the journal lost.
        keeper.kill();
        last
    };
    let journal = sound.path().join("journal");
    for file in files(&journal) {
        let name = file.strip_prefix(&journal).expect("below").to_owned();
        for (harm, hurt) in HARMS {
            let home = Home::new();
            copy(&sound.path(), &home.path());
            let victim = home.path().join("journal").join(&name);
            if !victim.exists() || fs::metadata(&victim).expect("its size").len() == 0 {
                continue;
            }
            hurt(&victim);
            let keeper = home.keeper();
            let mut caller = keeper.caller();
            let Ok(Reply::Incident(detail)) = caller.ask(Ask::Incident {
                incident: warroom::domain::ids::IncidentId(1),
                until: None,
                limit: 5_000,
            }) else {
                panic!("{} {harm}: the incident is gone", name.display())
            };
            let is_note =
                |event: &&warroom::domain::event::Recorded| event.seq <= last && event.has_words();
            let notes = detail.events.iter().filter(is_note).count();
            assert_eq!(notes, 300, "{} {harm}", name.display());
            let next =
                act(&mut caller, r#"{"do":"note","incident":1,"kind":"note","text":"goes on"}"#);
            assert!(next > last, "{} {harm}: goes on after {last}", name.display());
        }
    }
}

#[test]
fn the_twin_alone_can_be_read_and_checked() {
    let home = Home::new();
    let mut keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"t","declare":true}"#);
    keeper.kill();
    let twin = home.path().join("journal/twin");
    let said = home.ok(&["verify", "--twin", &twin.display().to_string()]);
    assert!(said.contains("chain intact"), "{said}");
    let segment = files(&twin).pop().expect("a segment");
    let mut bytes = fs::read(&segment).expect("the segment");
    bytes[40] ^= 1;
    fs::write(&segment, bytes).expect("the harm");
    let said = home.run(&["verify", "--twin", &twin.display().to_string()]);
    assert_eq!(said.status.code(), Some(1), "damage is found: {}", crate::home::utf8(&said.stdout));
}

#[test]
fn what_is_over_is_still_listed_after_the_database_was_lost() {
    let home = Home::new();
    home.ok(&["declare", "kept in the rows"]);
    home.ok(&["declare", "came back"]);
    for id in ["1", "2"] {
        home.ok(&["resolve", id, "ok"]);
        home.ok(&["close", id, "--silent", "nobody noticed"]);
    }
    home.ok(&["reopen", "2", "not over"]);
    // As JSON: the table shows ages, which go on.
    let over = home.ok(&["list", "--closed", "--json"]);
    assert!(over.contains("kept in the rows") && !over.contains("came back"), "{over}");
    home.ok(&["stop"]);
    fs::remove_dir_all(home.path().join("journal/sled")).expect("the loss");
    assert_eq!(home.ok(&["list", "--closed", "--json"]), over);
    assert!(home.ok(&["list"]).contains("came back"));
    assert!(home.ok(&["stats"]).starts_with("2 incidents"));
}

/// Changes a word in an old event of the database, past sled's own checksums, as a bug or a hand
/// would.
fn forge(paths: &Paths, word: &[u8]) {
    let journal = open::open(paths, &mut |_, _| {}).expect("a journal").journal;
    let log = journal.log();
    let mut forged = Batch::default();
    log.packs(0, &mut |first, bytes| {
        let found = bytes.windows(word.len()).position(|window| window == word);
        if let Some(at) = found {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 0x20;
            forged.packs.push(Pack { first, last: first, bytes });
        }
        Ok(found.is_none())
    })
    .expect("a readable database");
    assert_eq!(forged.packs.len(), 1, "the database holds the word");
    log.write(&forged).expect("a write");
    log.sync(&log.handle().expect("a handle")).expect("a sync");
}

#[test]
fn damage_that_only_a_full_read_finds_is_noted_and_mended_by_the_next_start() {
    let home = Home::new();
    let journal = home.path().join("journal");
    let mut keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"damage","declare":true}"#);
    for n in 0..200 {
        let text = format!("{n} {}", "x".repeat(300));
        let note = format!(r#"{{"do":"note","incident":1,"kind":"note","text":"UNIQUE-{text}"}}"#);
        act(&mut caller, &note);
    }
    let draft = Ask::SaveDraft {
        key: "note INC-1".to_owned(),
        text: "half written".to_owned(),
        only_new: false,
    };
    assert!(matches!(caller.ask(draft), Ok(Reply::Done { .. })));
    // Stopped in order: the snapshot spares the next start from reading the events.
    assert_eq!(keeper.term(), Some(0));
    forge(&Paths::new(&journal, None), b"UNIQUE-7 x");

    let mut keeper = home.keeper();
    let noted = journal.join("damaged");
    crate::home::until("the damage is noted", || noted.exists().then_some(()));
    act(&mut keeper.caller(), r#"{"do":"note","incident":1,"kind":"note","text":"goes on"}"#);
    keeper.kill();

    let keeper = home.keeper();
    assert!(!noted.exists(), "the note is done with");
    assert!(journal.join("sled.damaged-1").exists(), "set aside, not deleted");
    let ask =
        Ask::Incident { incident: warroom::domain::ids::IncidentId(1), until: None, limit: 5_000 };
    let Ok(Reply::Drafts { drafts }) = keeper.caller().ask(Ask::Drafts) else { panic!("none") };
    assert_eq!(drafts, [("note INC-1".to_owned(), "half written".to_owned())], "it is kept");
    let Ok(Reply::Incident(detail)) = keeper.caller().ask(ask) else { panic!("no incident") };
    let written = detail.events.iter().filter(|event| event.has_words()).count();
    assert_eq!(written, 201, "200 notes, and one while it was damaged");
    let journal = home.ok(&["export", "-"]);
    assert!(journal.contains("UNIQUE-7 x") && journal.contains("goes on"));
    assert!(journal.contains("store-rebuilt"), "and it is on record");
    let said = home.ok(&["verify"]);
    assert_eq!(said.matches("chain intact").count(), 2, "{said}");
}

/// An event of the keeper's, as one whose clock is `ahead_ms` ahead would write it.
fn written_ahead(paths: &Paths, ahead_ms: i64) {
    let mut journal = open::open(paths, &mut |_, _| {}).expect("a journal").journal;
    let head = journal.head();
    let event = Recorded {
        seq: head.seq + 1,
        cause: CommandId("ahead".to_owned()),
        at: wall_now().plus(ahead_ms),
        occurred: None,
        actor: Actor::of("keeper", Via::Cli),
        body: Body::ClockJumped { by_ms: ahead_ms, incidents: Vec::new() },
    };
    journal.append(&Batch::build(head, &[event])).expect("an append");
}

#[test]
fn a_journal_whose_clock_was_ahead_goes_on_at_the_true_time() {
    let hour = 3_600_000;
    for (ahead, follows) in [(hour, true), (2_000, false)] {
        let home = Home::new();
        let paths = Paths::new(&home.path().join("journal"), None);
        home.ok(&["declare", "before"]);
        home.ok(&["stop"]);
        written_ahead(&paths, ahead);
        let keeper = home.keeper();
        let mut caller = keeper.caller();
        act(&mut caller, r#"{"do":"note","incident":1,"kind":"note","text":"after"}"#);
        let Ok(Reply::Events { events }) = caller.ask(Ask::Events { after: 0, limit: 1_000 })
        else {
            panic!("no events")
        };
        let last = events.last().expect("an event").at;
        let before = events.iter().find(|e| e.cause.0 == "ahead").expect("the event").at;
        assert_eq!(last < before, follows, "{ahead} ms ahead");
        assert!(last.since(wall_now()) <= 5_000, "no deadline waits for the old clock");
        assert!(home.ok(&["verify"]).contains("chain intact"), "the order is that of seq");
    }
}

#[test]
fn what_neither_copy_holds_is_not_passed_over_in_silence() {
    let home = Home::new();
    let paths = Paths::new(&home.path().join("journal"), None);
    let mut journal = open::open(&paths, &mut |_, _| {}).expect("a journal").journal;
    for _ in 0..60 {
        let head = journal.head();
        let event = Recorded {
            seq: head.seq + 1,
            cause: CommandId("c".to_owned()),
            at: wall_now(),
            occurred: None,
            actor: Actor::of("keeper", Via::Cli),
            body: Body::StoreRebuilt { what: "x".repeat(200_000), events: 0 },
        };
        journal.append(&Batch::build(head, &[event])).expect("an append");
    }
    drop(journal);
    let segments = files(&paths.twin);
    assert!(segments.len() > 1, "two segments of the twin");
    let mut bytes = fs::read(&segments[0]).expect("a segment");
    bytes[4_000_000] ^= 0xff;
    fs::write(&segments[0], bytes).expect("the harm");
    fs::remove_dir_all(&paths.sled).expect("the other harm");
    for _ in 0..2 {
        let said = match open::open(&paths, &mut |_, _| {}) {
            Ok(_) => panic!("the hole was passed over"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains("are sound") && said.contains("warroom restore"), "{said}");
    }
    assert!(!paths.sled.with_extension("damaged-1").exists(), "no copy for each try");
}
