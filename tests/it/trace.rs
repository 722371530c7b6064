//! What the kernel is asked for: an acknowledgement is only written to a socket after both copies of
//! the journal were synced.
//!
//! Invariants:
//! - Read off the system calls of the shipped keeper, not off its code. A kill proves nothing here:
//!   the page cache outlives it.

use std::path::Path;

use warroom::domain::ids::CommandId;
use warroom::proto::{Ask, Reply};

use crate::home::{Home, has, intake_address, post, until};

/// Calls that take a question in, make a copy durable, or give an answer.
const CALLS: &str = "trace=read,recvfrom,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,\
                     fdatasync,openat,close,dup,fcntl";

/// A call as the trace has it, once as it begins and once as it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step<'a> {
    Begins { pid: &'a str, call: &'a str, text: &'a str },
    Ends { pid: &'a str, call: &'a str, text: &'a str },
}

/// Splits a line into its steps: a call that no other thread interrupted is both.
fn steps(line: &str) -> Vec<Step<'_>> {
    let Some((pid, rest)) = line.split_once(' ') else { return Vec::new() };
    let rest = rest.trim_start();
    if let Some(resumed) = rest.strip_prefix("<... ") {
        let call = resumed.split(' ').next().unwrap_or_default();
        return vec![Step::Ends { pid, call, text: resumed }];
    }
    let Some((call, _)) = rest.split_once('(') else { return Vec::new() };
    let begins = Step::Begins { pid, call, text: rest };
    if rest.ends_with("<unfinished ...>") {
        return vec![begins];
    }
    vec![begins, Step::Ends { pid, call, text: rest }]
}

/// One copy of the journal, as the trace goes by.
#[derive(Debug, Default)]
struct Copy {
    /// The bytes that belong to the question were handed to the kernel.
    is_written: bool,
    /// The thread that syncs just now, all that was written before included.
    syncing: Option<String>,
    is_durable: bool,
}

impl Copy {
    /// `mark` is what the bytes of the question have in them: the keeper writes of its own accord as
    /// well, and a sync of those bytes proves nothing about these. A write that a sync is not known
    /// to include takes that sync away; once durable, what was written stays so.
    fn see(&mut self, step: &Step<'_>, file: &str, mark: &str) {
        match step {
            _ if self.is_durable => {}
            Step::Begins { call, text, .. } if is_write(call) && text.contains(file) => {
                self.is_written |= text.contains(mark);
                self.syncing = None;
            }
            Step::Begins { pid, call, text } if is_sync(call) && text.contains(file) => {
                self.syncing = Some((*pid).to_owned());
            }
            Step::Ends { pid, call, text } if is_sync(call) && text.ends_with("= 0") => {
                if self.syncing.as_deref() == Some(*pid) {
                    self.syncing = None;
                    self.is_durable = self.is_written;
                }
            }
            Step::Begins { .. } | Step::Ends { .. } => {}
        }
    }
}

fn is_write(call: &str) -> bool {
    matches!(call, "pwrite64" | "pwritev" | "write" | "writev")
}

fn is_sync(call: &str) -> bool {
    matches!(call, "fsync" | "fdatasync")
}

fn is_read(call: &str) -> bool {
    matches!(call, "read" | "recvfrom")
}

/// Between the question and the answer both copies were written and then synced.
#[track_caller]
fn check(trace: &str, question: &str, mark: &str, answer: &str) {
    let (mut database, mut twin) = (Copy::default(), Copy::default());
    let mut asked = false;
    for line in trace.lines() {
        for step in steps(line) {
            match &step {
                Step::Ends { call, text, .. } if is_read(call) && text.contains(question) => {
                    asked = true;
                    (database, twin) = (Copy::default(), Copy::default());
                }
                Step::Begins { call, text, .. }
                    if asked && !is_read(call) && text.contains(answer) =>
                {
                    assert!(database.is_durable, "{answer}: the database is not synced");
                    assert!(twin.is_durable, "{answer}: the twin is not synced");
                    return;
                }
                Step::Begins { .. } | Step::Ends { .. } => {
                    database.see(&step, "/journal/sled/db>", mark);
                    twin.see(&step, "/journal/twin/", mark);
                }
            }
        }
    }
    panic!("{question} was asked: {asked}; the answer {answer} is not in the trace");
}

/// The keeper's system calls, from its start to its end, while it takes notes and alerts.
fn traced(home: &Home, trace: &Path, notes: usize) {
    let out = trace.display().to_string();
    let tracer = ["strace", "-f", "-y", "-s", "65536", "-e", CALLS, "-o", &out];
    let mut keeper = home.keeper_under(&tracer);
    let mut caller = keeper.caller();
    for n in 0..notes {
        let command = if n == 0 {
            r#"{"do":"open","title":"traced","declare":true}"#.to_owned()
        } else {
            format!(r#"{{"do":"note","incident":1,"kind":"note","text":"note {n}"}}"#)
        };
        let command = Box::new(serde_json::from_str(&command).expect("a command"));
        let ask = Ask::Do { command, occurred: None, seen: None };
        let reply = caller.ask_as(&CommandId(format!("traced-{n}-")), ask).expect("an answer");
        assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    }
    let address = intake_address(&caller);
    let (status, _) = post(&address, "/v1/events", &[], br#"{"title":"traced-post","host":"h"}"#);
    assert_eq!(status, 202);
    drop(caller);
    home.ok(&["stop"]);
    until("the keeper has ended", || keeper.child.try_wait().expect("a child"));
}

#[test]
fn nothing_is_acknowledged_before_both_copies_are_synced() {
    if !has("strace") {
        return;
    }
    let home = Home::new();
    let path = home.path().join("calls");
    let notes = 20;
    traced(&home, &path, notes);
    let trace = std::fs::read_to_string(&path).expect("the trace");
    for n in 0..notes {
        // In the trace every quotation mark is escaped.
        let id = format!(r#"\"id\":\"traced-{n}-\""#);
        let mark = format!(r#"\"cause\":\"traced-{n}-\""#);
        check(&trace, &id, &mark, &id);
    }
    check(&trace, "traced-post", "traced-post", "HTTP/1.1 202");
}

#[test]
fn a_trace_without_its_syncs_is_found_out() {
    let sound = [
        r#"1 read(9<socket:[1]>, "ask", 100) = 3"#,
        r#"2 pwrite64(7</h/journal/twin/1.log>, "by ask", 1, 0) = 1"#,
        r#"1 pwrite64(5</h/journal/sled/db>, "by ask", 1, 0 <unfinished ...>"#,
        r"2 fdatasync(7</h/journal/twin/1.log> <unfinished ...>",
        r"1 <... pwrite64 resumed>) = 1",
        r"1 fdatasync(5</h/journal/sled/db>) = 0",
        r"2 <... fdatasync resumed>) = 0",
        r#"3 sendto(9<socket:[1]>, "told", 4, 0, NULL, 0) = 4"#,
    ];
    check(&sound.join("\n"), "ask", "by ask", "told");
    for missing in [1, 2, 3, 5, 6] {
        let mut lines = sound.to_vec();
        lines.remove(missing);
        let caught = std::panic::catch_unwind(|| check(&lines.join("\n"), "ask", "by ask", "told"));
        assert!(caught.is_err(), "without line {missing}");
    }
    // The keeper writes of its own accord: before, which is no proof, and after, which is no doubt.
    let own = r#"2 pwrite64(7</h/journal/twin/1.log>, "own", 1, 0) = 1"#;
    let mut lines = sound.to_vec();
    lines.insert(7, own);
    check(&lines.join("\n"), "ask", "by ask", "told");
    lines.remove(1);
    lines.insert(1, own);
    let caught = std::panic::catch_unwind(|| check(&lines.join("\n"), "ask", "by ask", "told"));
    assert!(caught.is_err(), "only the keeper's own bytes were synced");
}
