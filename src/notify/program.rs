//! The driver for programs: arguments as a list, the message as JSON on standard input, no shell.
//!
//! Invariants:
//! - A program and all it starts in its process group are gone when the delivery ends: when it
//!   has ended well, when its time is up, and when the delivery is given up. What leaves the group
//!   on purpose (`setsid`) is beyond our reach.
//! - It gets PATH, HOME and LANG of our environment and nothing else: no secret of another channel.
//! - A program that does not read, or never stops writing, blocks nobody.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::domain::channel::{self, PLACEHOLDER};
use crate::notify::forms::generic;
use crate::notify::message::Message;
use crate::notify::send::{Context, Outcome, Step};

/// How long the last output is waited for when the program has ended and its group was killed: a
/// process outside the group may hold the pipe open.
const LAST_OUTPUT: Duration = Duration::from_millis(250);
/// Variables that a program gets.
const KEPT: &[&str] = &["PATH", "HOME", "LANG"];

/// Runs the program.
pub(crate) async fn deliver(
    program: &channel::Program,
    to: &str,
    message: &Message,
    context: &Context,
    step: &Step,
) -> Outcome {
    let Some((name, arguments)) = program.argv.split_first() else {
        return Outcome::permanent("argv is empty; name a program in the plan");
    };
    let mut command = Command::new(name);
    command
        .args(arguments.iter().map(|item| item.replace(PLACEHOLDER, to)))
        .env_clear()
        .envs(KEPT.iter().filter_map(|key| Some((key, std::env::var_os(key)?))))
        .current_dir(&context.home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    step.enter("the program to start");
    let child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return not_started(name, &e),
    };
    step.enter("the program to end; it and all it started were killed");
    let input = generic(message, to).to_string().into_bytes();
    let cap = usize::from(program.output_kib).clamp(1, 1_024) * 1_024;
    run(name, child, &input, cap).await
}

fn not_started(name: &str, e: &std::io::Error) -> Outcome {
    let reason = format!("cannot start {name}: {e}");
    if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) {
        let hint = "install it, make it executable, or correct argv in the plan";
        return Outcome::permanent(&format!("{reason}; {hint}"));
    }
    Outcome::temporary(&reason)
}

/// Feeds, drains and awaits a program that was started.
async fn run(name: &str, mut child: Child, input: &[u8], cap: usize) -> Outcome {
    // Declared after the child, so dropped before it: the group is killed while the child's
    // number is still its own.
    let mut group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read says with its exit code whether that is well.
                drop(stdin.write_all(input).await);
            }
        };
        let pipes = async {
            tokio::join!(feed, drain(stdout, &mut out, cap), drain(stderr, &mut err, cap));
        };
        tokio::pin!(pipes);
        let mut is_drained = false;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = &mut pipes, if !is_drained => is_drained = true,
            }
        };
        group.kill();
        if !is_drained {
            drop(tokio::time::timeout(LAST_OUTPUT, pipes).await);
        }
        status
    };
    match status {
        Ok(status) if status.success() => {
            Outcome::handed_over(format!("exit 0 {}", last_line(&out)).trim_end())
        }
        Ok(status) => {
            let said = Some(last_line(&err)).filter(|line| !line.is_empty());
            let said = said.unwrap_or_else(|| "it said nothing on standard error".to_owned());
            Outcome::temporary(&format!("{name} {}: {said}", ended(status)))
        }
        Err(e) => Outcome::temporary(&format!("cannot wait for {name}: {e}")),
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Reads to the end; keeps the last `cap` bytes.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>, cap: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 4_096];
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..count]);
        // Cut in strides, so that a flood costs no more than its own length.
        if kept.len() > 2 * cap {
            kept.drain(..kept.len() - cap);
        }
    }
    if kept.len() > cap {
        kept.drain(..kept.len() - cap);
    }
}

fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// The process group of a child, killed at the latest when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        // The child leads its group, so the group has the child's number.
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    /// Kills all that is left of it; once. A number is not given out again while a process of the
    /// group lives, so a stranger could only be hit if it became a leader under this number in the
    /// instant since the child was awaited.
    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            let _nobody_left = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
