//! Programs: what they get, what they may do, and what is left of them.

use std::path::Path;
use std::time::Duration;

use warroom::domain::channel::Channel;
use warroom::notify::message::Message;
use warroom::notify::send::{Outcome, send};

use crate::home::until;
use crate::notify_mail::{context, deliver, failed, page};

/// A channel that has `sh` read a script: a script that was just written cannot always be
/// executed itself while other threads start programs.
fn script(home: &Path, text: &str, more: &str) -> Channel {
    let path = home.join("script.sh");
    std::fs::write(&path, text).expect("a script");
    let toml = format!(
        "kind = 'program'\nargv = ['/bin/sh', '{}', '--to={{address}}', '$(id)']\n{more}",
        path.display()
    );
    let channel: Channel = toml::from_str(&toml).expect("a channel");
    assert_eq!(channel.check("sms"), Vec::<String>::new());
    channel
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Whether a process has ended; a zombie has.
fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
    state.is_none_or(|state| state.starts_with(['Z', 'X']))
}

#[test]
fn a_program_gets_arguments_json_and_almost_no_environment() {
    let home = tempfile::tempdir().expect("a home");
    let text = "printf '%s\\n' \"$@\" > args; env > env; cat > in; echo first; echo msg-42";
    let channel = script(home.path(), text, "");
    let outcome = deliver(&channel, "+49 170 '$(touch x)'; rm", &page(), &context(home.path()));
    assert_eq!(outcome, Outcome::HandedOver { proof: "exit 0 msg-42".into() });
    let args = lines(&home.path().join("args"));
    assert_eq!(args, ["--to=+49 170 '$(touch x)'; rm", "$(id)"]);
    let input = std::fs::read_to_string(home.path().join("in")).expect("input");
    let json: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    assert_eq!((&json["version"], &json["kind"]), (&"1".into(), &"page".into()));
    assert_eq!(json["to"], "+49 170 '$(touch x)'; rm");
    for line in lines(&home.path().join("env")) {
        let name = line.split('=').next().unwrap_or_default().to_owned();
        assert!(["PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()));
    }
}

#[test]
fn failures_give_the_last_words_of_the_program() {
    let home = tempfile::tempdir().expect("a home");
    let run =
        |text: &str| deliver(&script(home.path(), text, ""), "1", &page(), &context(home.path()));
    failed(
        &run("echo one >&2; printf 'no \\033[2Jcredit\\n\\n' >&2; exit 3"),
        false,
        "code 3: no ␛[2Jcredit",
    );
    failed(&run("exit 1"), false, "said nothing");
    failed(&run("kill -9 $$"), false, "signal 9");
    let missing = toml::from_str("kind = 'program'\nargv = ['/no/such/program']");
    let outcome = deliver(&missing.expect("a channel"), "1", &page(), &context(home.path()));
    failed(&outcome, true, "install it");
    let plain = home.path().join("script.sh");
    let toml = format!("kind = 'program'\nargv = ['{}']", plain.display());
    let outcome =
        deliver(&toml::from_str(&toml).expect("a channel"), "1", &page(), &context(home.path()));
    failed(&outcome, true, "make it executable");
}

#[test]
fn a_hanging_program_and_its_grandchildren_are_gone_after_the_time_limit() {
    let home = tempfile::tempdir().expect("a home");
    let text = "echo $$ > pids; (trap '' TERM HUP; echo $(exec sh -c 'echo $PPID') >> pids; \
                sleep 1000 & echo $! >> pids; wait) & sleep 1000 & echo $! >> pids; wait";
    let channel = script(home.path(), text, "timeout_s = 1");
    failed(&deliver(&channel, "1", &page(), &context(home.path())), false, "were killed");
    let pids = lines(&home.path().join("pids"));
    assert_eq!(pids.len(), 4, "{pids:?}");
    until("all are gone", || pids.iter().all(|pid| is_gone(pid)).then_some(()));
}

#[test]
fn what_a_program_leaves_behind_is_gone_and_delays_nothing() {
    let home = tempfile::tempdir().expect("a home");
    let channel = script(home.path(), "sleep 1000 & echo $! > pids; exit 0", "timeout_s = 60");
    let outcome = deliver(&channel, "1", &page(), &context(home.path()));
    assert_eq!(outcome, Outcome::HandedOver { proof: "exit 0".into() });
    let pids = lines(&home.path().join("pids"));
    until("it is gone", || is_gone(&pids[0]).then_some(()));
}

#[test]
fn a_delivery_that_is_given_up_leaves_nobody_behind() {
    let home = tempfile::tempdir().expect("a home");
    let text = "sleep 1000 & echo $! > pids; echo $$ >> pids; wait";
    let channel = script(home.path(), text, "timeout_s = 60");
    let (context, message) = (context(home.path()), page());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let pids = home.path().join("pids");
    runtime.expect("a runtime").block_on(async {
        let started = async {
            while lines(&pids).len() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            outcome = send(&channel, "1", &message, &context) => panic!("it hangs: {outcome:?}"),
            () = started => {}
        }
    });
    until("all are gone", || lines(&pids).iter().all(|pid| is_gone(pid)).then_some(()));
}

#[test]
fn neither_deafness_nor_a_flood_of_words_blocks() {
    let home = tempfile::tempdir().expect("a home");
    // More than a pipe holds, in both directions, and nobody reads.
    let message = Message { text: "x".repeat(200_000), ..page() };
    let text = "i=0; while [ $i -lt 3000 ]; do echo \"$i ------------------------------------\"; \
                i=$((i+1)); done; echo last";
    let channel = script(home.path(), text, "output_kib = 1\ntimeout_s = 30");
    let outcome = deliver(&channel, "1", &message, &context(home.path()));
    assert_eq!(outcome, Outcome::HandedOver { proof: "exit 0 last".into() });
    let channel = script(home.path(), "yes", "timeout_s = 1");
    failed(&deliver(&channel, "1", &message, &context(home.path())), false, "time limit of 1 s");
}
