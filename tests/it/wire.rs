//! The wire as it really is: hello, versions, torn and huge lines, slow readers, two consoles.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use warroom::domain::ids::{CommandId, IncidentId};
use warroom::proto::frame::{FRAME_MAX, Frames, encode};
use warroom::proto::{Ask, ClientKind, ClientMsg, KeeperMsg, PROTOCOL, Push, Reply};

use crate::home::{Home, act, until};

fn hello(protocol: u32, kind: ClientKind, parts: bool) -> ClientMsg {
    ClientMsg::Hello { protocol, version: "9.9".into(), kind, parts, from: String::new() }
}

/// A raw connection.
struct Raw {
    stream: UnixStream,
    frames: Frames,
}

impl Raw {
    fn connect(home: &Home) -> Self {
        let stream = UnixStream::connect(home.path().join("keeper.sock")).expect("a connection");
        stream.set_read_timeout(Some(crate::home::PATIENCE)).expect("a limit");
        Self { stream, frames: Frames::default() }
    }

    fn hello(home: &Home, kind: ClientKind) -> Self {
        let mut raw = Self::connect(home);
        raw.say(&hello(PROTOCOL, kind, false));
        assert!(matches!(raw.hear(), Some(KeeperMsg::Welcome(_))));
        raw
    }

    fn say(&mut self, message: &ClientMsg) {
        self.stream.write_all(&encode(message)).expect("the keeper listens");
    }

    fn ask(&mut self, id: &str, ask: Ask) {
        self.say(&ClientMsg::Request { id: CommandId(id.to_owned()), ask });
    }

    /// The next message; `None` when the keeper hung up.
    fn hear(&mut self) -> Option<KeeperMsg> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.frames.take().expect("sound lines") {
                return Some(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.frames.push(&buffer[..n]),
            }
        }
    }

    /// Reads what is left: how many messages there were before the keeper hung up. A line that is
    /// only silent, and still open, is a failure.
    fn drain(&mut self) -> usize {
        let mut heard = 0;
        let mut buffer = [0; 4096];
        loop {
            while self.frames.take::<KeeperMsg>().expect("sound lines").is_some() {
                heard += 1;
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return heard,
                Ok(n) => self.frames.push(&buffer[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return heard,
                Err(error) => panic!("not hung up on: {error}"),
            }
        }
    }

    fn hear_until<T>(&mut self, what: &str, found: impl Fn(KeeperMsg) -> Option<T>) -> T {
        loop {
            let message = self.hear().unwrap_or_else(|| panic!("hung up before {what}"));
            if let Some(value) = found(message) {
                return value;
            }
        }
    }
}

#[test]
fn a_wrong_version_is_told_which_side_is_older() {
    let home = Home::new();
    let _keeper = home.keeper();
    for (protocol, words) in
        [(PROTOCOL + 1, "this keeper is older"), (0, "is older than this keeper")]
    {
        let mut raw = Raw::connect(&home);
        raw.say(&hello(protocol, ClientKind::Cli, false));
        let Some(KeeperMsg::Refused { why, .. }) = raw.hear() else { panic!("not refused") };
        assert!(why.contains(words), "{why}");
        assert!(raw.hear().is_none(), "and let go");
    }
}

#[test]
fn what_is_no_message_ends_the_conversation_and_nothing_else() {
    let home = Home::new();
    let keeper = home.keeper();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"{}\n", b"\xff\xfe\n", b"[[[[[[\n"] {
        let mut raw = Raw::connect(&home);
        raw.stream.write_all(bytes).expect("the keeper listens");
        assert!(matches!(raw.hear(), Some(KeeperMsg::Refused { .. })), "{bytes:?}");
        assert!(raw.hear().is_none());
    }
    let mut raw = Raw::hello(&home, ClientKind::Cli);
    raw.stream.write_all(b"not a request\n").expect("the keeper listens");
    let reply = raw.hear_until("a refusal", |m| match m {
        KeeperMsg::Reply { id, reply: Reply::Rejected(rejection) } => Some((id, rejection)),
        _ => None,
    });
    assert_eq!(reply.0.0, "?");
    assert!(raw.hear().is_none());
    drop(keeper.caller());
}

#[test]
fn a_line_without_an_end_is_cut_off_at_the_limit() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut raw = Raw::hello(&home, ClientKind::Cli);
    let flood = vec![b'x'; FRAME_MAX + 64 * 1024];
    // The keeper may hang up while this is being written.
    drop(raw.stream.write_all(&flood));
    until("the keeper hangs up", || raw.hear().is_none().then_some(()));
    drop(keeper.caller());
}

#[test]
fn a_torn_line_waits_for_its_rest() {
    let home = Home::new();
    let _keeper = home.keeper();
    let mut raw = Raw::hello(&home, ClientKind::Cli);
    let bytes = encode(&ClientMsg::Request { id: CommandId("torn".into()), ask: Ask::Status });
    for byte in bytes {
        raw.stream.write_all(&[byte]).expect("the keeper listens");
        raw.stream.flush().expect("the keeper listens");
    }
    raw.hear_until("the status", |m| {
        matches!(m, KeeperMsg::Reply { reply: Reply::Status(_), .. }).then_some(())
    });
}

#[test]
fn a_console_sees_what_another_does_and_who_looks() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"seen by two","declare":true}"#);
    let mut first = Raw::hello(&home, ClientKind::Console);
    let mut second = Raw::hello(&home, ClientKind::Console);
    first.ask("f", Ask::Follow { first: 10 });
    first.ask("w", Ask::Watch { incident: IncidentId(1) });
    let rows = first.hear_until("the queue", |m| match m {
        KeeperMsg::Reply { reply: Reply::Queue(queue), .. } => Some(queue.rows),
        _ => None,
    });
    assert_eq!(rows.len(), 1);
    first.hear_until("the incident", |m| {
        matches!(m, KeeperMsg::Reply { reply: Reply::Incident(_), .. }).then_some(())
    });
    second.ask("w2", Ask::Writing { incident: Some(IncidentId(1)) });
    first.hear_until("somebody writes", |m| match m {
        KeeperMsg::Push(Push::Presence { people }) => {
            people.iter().any(|p| p.writing).then_some(())
        }
        _ => None,
    });
    let command = serde_json::from_str(r#"{"do":"acknowledge","incident":1}"#).expect("a command");
    second.ask("a", Ask::Do { command: Box::new(command), occurred: None, seen: None });
    first.hear_until("the acknowledged row", |m| match m {
        KeeperMsg::Push(Push::Rows { rows, .. }) => {
            rows.first().is_some_and(|row| row.is_acked).then_some(())
        }
        _ => None,
    });
    first.hear_until("the event", |m| {
        matches!(m, KeeperMsg::Push(Push::Events { .. })).then_some(())
    });
}

#[test]
fn a_slow_reader_is_cut_loose_and_nobody_waits_for_it() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"slow","declare":true}"#);
    let mut slow = Raw::hello(&home, ClientKind::Console);
    slow.ask("f", Ask::Follow { first: 10 });
    slow.ask("w", Ask::Watch { incident: IncidentId(1) });
    let text = "x".repeat(8_000);
    let command = format!(r#"{{"do":"note","incident":1,"kind":"note","text":"{text}"}}"#);
    for _ in 0..1_200 {
        act(&mut caller, &command);
    }
    let Ok(Reply::Status(status)) = caller.ask(Ask::Status) else { panic!("no status") };
    assert_eq!(status.clients, 1, "the slow one is gone");
    let heard = slow.drain();
    assert!(slow.frames.is_torn() || heard > 0, "it was let go in the middle of its backlog");
    assert!(heard < 2_400, "it was cut loose before it had everything");
}

#[test]
fn drafts_outlive_the_connection() {
    let home = Home::new();
    let keeper = home.keeper();
    let save = Ask::SaveDraft { key: "note INC-1".into(), text: "half a".into(), only_new: false };
    assert!(matches!(keeper.caller().ask(save), Ok(Reply::Done { .. })));
    let Ok(Reply::Drafts { drafts }) = keeper.caller().ask(Ask::Drafts) else {
        panic!("no drafts")
    };
    assert_eq!(drafts, [("note INC-1".to_owned(), "half a".to_owned())]);
}

#[test]
fn sigterm_ends_the_keeper_in_order_and_tells_the_consoles() {
    let home = Home::new();
    let mut keeper = home.keeper();
    let mut console = Raw::hello(&home, ClientKind::Console);
    console.ask("f", Ask::Follow { first: 10 });
    console.hear_until("the queue", |m| matches!(m, KeeperMsg::Reply { .. }).then_some(()));
    assert_eq!(keeper.term(), Some(0));
    let reason = console.hear_until("a goodbye", |m| match m {
        KeeperMsg::Push(Push::Goodbye { reason }) => Some(reason),
        _ => None,
    });
    assert!(reason.contains("SIGTERM"), "{reason}");
    assert!(!home.path().join("keeper.sock").exists());
}

#[test]
fn there_is_one_keeper_for_a_home_and_a_stale_socket_is_no_obstacle() {
    let home = Home::new();
    let mut first = home.keeper();
    let second = home.run(&["keeper"]);
    assert_eq!(second.status.code(), Some(1));
    let said = crate::home::utf8(&second.stderr);
    assert!(said.contains("another keeper holds"), "{said}");
    first.kill();
    assert!(home.path().join("keeper.sock").exists(), "stale");
    drop(home.keeper().caller());
}

#[test]
fn who_asks_and_never_reads_is_hung_up_on() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"asked for","declare":true}"#);
    let text = "x".repeat(20_000);
    act(&mut caller, &format!(r#"{{"do":"note","incident":1,"kind":"note","text":"{text}"}}"#));
    let mut raw = Raw::hello(&home, ClientKind::Cli);
    let asked = 3_000;
    for n in 0..asked {
        let ask = Ask::Incident { incident: IncidentId(1), until: None, limit: 10 };
        let request = ClientMsg::Request { id: CommandId(format!("r{n}")), ask };
        if raw.stream.write_all(&encode(&request)).is_err() {
            break;
        }
    }
    until("the keeper let go", || match caller.ask(Ask::Status) {
        Ok(Reply::Status(status)) => (status.clients == 1).then_some(()),
        _ => None,
    });
    let answered = raw.drain();
    assert!(answered < asked, "the line ends instead of missing answers");
}

/// Opens one incident with so many alerts that it does not fit in a line.
fn many_alerts(address: &str) -> usize {
    let (posts, each) = (16, 1_000);
    for post in 0..posts {
        let alerts: Vec<_> = (0..each)
            .map(|n| {
                let fingerprint = format!("{:016x}-and-more-of-a-name", post * each + n);
                serde_json::json!({
                    "status": "firing", "fingerprint": fingerprint,
                    "labels": {"alertname": "A", "host": fingerprint}, "annotations": {},
                    "startsAt": "2026-11-25T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "",
                })
            })
            .collect();
        let body = serde_json::json!({
            "version": "4", "groupKey": "{}:{one=\"group\"}", "truncatedAlerts": 0,
            "status": "firing", "receiver": "r", "groupLabels": {}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "", "alerts": alerts,
        });
        let body = body.to_string();
        assert_eq!(crate::home::post(address, "/v1/alertmanager", &[], body.as_bytes()).0, 200);
    }
    posts * each
}

#[test]
fn no_line_of_the_keeper_is_too_long_and_long_answers_arrive_whole() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let alerts = many_alerts(&crate::home::intake_address(&caller));
    let ask = || Ask::Incident { incident: IncidentId(1), until: None, limit: 5_000 };
    let Ok(Reply::Incident(detail)) = caller.ask(ask()) else { panic!("no incident") };
    assert_eq!(detail.head.members.len(), alerts);
    assert!(serde_json::to_vec(&detail.head).expect("JSON").len() > FRAME_MAX);

    let mut raw = Raw::connect(&home);
    raw.frames = Frames::of_answers();
    raw.say(&hello(PROTOCOL, ClientKind::Cli, true));
    raw.ask("long", ask());
    raw.ask("short", Ask::Status);
    let (mut answered, mut line, mut longest) = (0, 0, 0);
    let mut buffer = vec![0; 64 * 1024];
    while answered < 2 {
        let n = raw.stream.read(&mut buffer).expect("the keeper answers");
        for byte in &buffer[..n] {
            line = if *byte == b'\n' { 0 } else { line + 1 };
            longest = longest.max(line);
        }
        raw.frames.push(&buffer[..n]);
        while let Some(message) = raw.frames.take::<KeeperMsg>().expect("sound lines") {
            answered += usize::from(matches!(message, KeeperMsg::Reply { .. }));
        }
    }
    assert!(longest < FRAME_MAX, "{longest}");

    let mut old = Raw::hello(&home, ClientKind::Cli);
    old.ask("long", ask());
    let refused = old.hear_until("a refusal", |message| match message {
        KeeperMsg::Reply { reply: Reply::Rejected(rejection), .. } => Some(rejection.to_string()),
        _ => None,
    });
    assert!(refused.contains("newer warroom"), "{refused}");
    old.ask("short", Ask::Status);
    old.hear_until("the status", |message| {
        matches!(message, KeeperMsg::Reply { reply: Reply::Status(_), .. }).then_some(())
    });
}

#[test]
fn what_was_hidden_is_not_shown_by_looking_back() {
    let home = Home::new();
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    act(&mut caller, r#"{"do":"open","title":"leak","declare":true}"#);
    let entry = act(
        &mut caller,
        r#"{"do":"remedy","incident":1,"kind":"fix","text":"password hunter2 rotated"}"#,
    );
    let later = act(&mut caller, r#"{"do":"note","incident":1,"kind":"note","text":"later"}"#);
    act(
        &mut caller,
        &format!(r#"{{"do":"redact-entry","incident":1,"entry":{entry},"reason":"a password"}}"#),
    );
    let look = Ask::Incident { incident: IncidentId(1), until: Some(later), limit: 10 };
    let Ok(Reply::Incident(then)) = caller.ask(look) else { panic!("no incident") };
    let text = serde_json::to_string(&*then).expect("json");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("(redacted)"), "{text}");
}

#[test]
fn a_draft_of_many_pages_is_kept_whole() {
    let home = Home::new();
    let keeper = home.keeper();
    let text = "a page of what happened. ".repeat(4_000);
    let save = Ask::SaveDraft { key: "note INC-1".into(), text: text.clone(), only_new: false };
    assert!(matches!(keeper.caller().ask(save), Ok(Reply::Done { .. })));
    let Ok(Reply::Drafts { drafts }) = keeper.caller().ask(Ask::Drafts) else {
        panic!("no drafts")
    };
    assert!(drafts == [("note INC-1".to_owned(), text)], "{} drafts", drafts.len());
}

#[test]
fn all_who_start_it_at_once_are_served() {
    let home = Home::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..5).map(|_| scope.spawn(|| home.run(&["list"]))).collect();
        for one in all {
            let out = one.join().expect("it ends");
            assert!(out.status.success(), "{}", crate::home::utf8(&out.stderr));
        }
    });
}

#[test]
fn a_subcommand_is_done_on_the_machine_that_is_named_or_refused() {
    let (near, far) = (Home::new(), Home::new());
    let _keeper = far.keeper();
    let bin = near.path().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let ssh = format!(
        "#!/bin/sh\nwhile [ \"$1\" != \"--\" ]; do shift; done\nshift 2\n\
         exec env WARROOM_HOME={} \"$@\"\n",
        far.path().display()
    );
    let stub = bin.join("ssh");
    std::fs::write(&stub, ssh).expect("a stub");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&stub, mode).expect("a mode");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let run = |args: &[&str]| {
        let host = ["--host", "ops@jump", "--remote-program", env!("CARGO_BIN_EXE_warroom")];
        let mut command = near.command(&[&host[..], args].concat());
        command.env("PATH", &path).output().expect("it runs")
    };
    let out = run(&["report", "made there"]);
    assert!(out.status.success(), "{out:?}");
    assert!(far.ok(&["list"]).contains("made there"));
    assert!(!near.path().join("journal").exists(), "nothing was begun here");
    let out = run(&["verify"]);
    assert_eq!(out.status.code(), Some(2));
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(words.contains("'verify' works on the machine on which it runs"), "{words}");
}
