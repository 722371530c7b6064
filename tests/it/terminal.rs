//! The console in real terminals: tmux, a pseudo-terminal of our own, and over a real sshd.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::home::{Home, PROGRAM, act, has, until, utf8};

/// A tmux server of our own.
struct Tmux {
    name: String,
}

impl Tmux {
    fn start(size: (u16, u16), command: &str) -> Self {
        let name = format!("warroom-test-{}-{}", std::process::id(), warroom::client::fresh_id().0);
        let tmux = Self { name };
        let (x, y) = (size.0.to_string(), size.1.to_string());
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-s", "a", "-x", &x, "-y", &y, command]);
        tmux
    }

    fn run(&self, args: &[&str]) -> String {
        let out =
            Command::new("tmux").args(["-L", &self.name]).args(args).output().expect("tmux runs");
        utf8(&out.stdout)
    }

    fn window(&self, name: &str, command: &str) {
        self.run(&["new-session", "-d", "-s", name, "-x", "120", "-y", "40", command]);
    }

    fn keys(&self, session: &str, keys: &[&str]) {
        let mut args = vec!["send-keys", "-t", session];
        args.extend(keys);
        self.run(&args);
    }

    fn screen(&self, session: &str) -> String {
        self.run(&["capture-pane", "-p", "-t", session])
    }

    #[track_caller]
    fn shows(&self, session: &str, words: &str) -> String {
        let mut last = String::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(words, || {
                last = self.screen(session);
                last.contains(words).then(|| last.clone())
            })
        }));
        found.unwrap_or_else(|_| panic!("'{words}' never came; the screen was:\n{last}"))
    }
}

impl Drop for Tmux {
    /// Ends it, and waits until all that ran in it has ended: a console that outlives its keeper
    /// starts another.
    fn drop(&mut self) {
        let sessions = self.run(&["list-panes", "-a", "-F", "#{pane_pid}"]);
        self.run(&["kill-server"]);
        for session in sessions.lines() {
            if !std::thread::panicking() {
                until("what ran in tmux has ended", || (!lives(session)).then_some(()));
            }
        }
    }
}

/// Whether a process of this session is there, its keeper aside, which is to outlive it. The session
/// is the fourth word after the program's name in `/proc/PID/stat` (`proc_pid_stat(5)`).
fn lives(session: &str) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.map(|entry| entry.path()).any(|process| {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let is_of_it = after.split(' ').nth(3) == Some(session) && !after.starts_with('Z');
        let called = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        is_of_it && !called.contains("\0keeper\0")
    })
}

fn console(home: &Home) -> String {
    format!(
        "env WARROOM_HOME={0} XDG_CONFIG_HOME={0}/none WARROOM_LISTEN=127.0.0.1:0 {PROGRAM}; \
         echo ended with $?; exec cat",
        home.path().display()
    )
}

#[test]
fn two_consoles_see_each_other_in_tmux() {
    if !has("tmux") {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start((80, 24), &console(&home));
    tmux.shows("a", "nothing is open");
    tmux.window("b", &console(&home));
    tmux.shows("b", "nothing is open");
    tmux.keys("a", &["R"]);
    tmux.shows("a", "what is wrong");
    tmux.keys("a", &["-l", "checkout is slow"]);
    tmux.keys("a", &["C-s"]);
    tmux.shows("a", "INC-1");
    tmux.shows("b", "checkout is slow");
    tmux.keys("b", &["a"]);
    tmux.shows("b", "acknowledged by");
    tmux.shows("a", "acknowledged by");
    tmux.keys("b", &["n"]);
    tmux.shows("a", "writes");
    tmux.run(&["set-buffer", "one\x1b[31mtwo"]);
    tmux.run(&["paste-buffer", "-p", "-t", "b"]);
    tmux.shows("b", "one␛[31mtwo");
    tmux.keys("b", &["C-s"]);
    tmux.shows("a", "one␛[31mtwo");
    tmux.run(&["resize-window", "-t", "a", "-x", "130", "-y", "45"]);
    tmux.shows("a", "Stakeholders INC-1");
    tmux.keys("a", &["q"]);
    tmux.shows("a", "ended with 0");
    tmux.keys("b", &["C-z"]);
    tmux.keys("b", &["?"]);
}

#[test]
fn a_suspended_console_comes_back_with_what_happened_meanwhile() {
    if !has("tmux") || !has("bash") {
        return;
    }
    let home = Home::new();
    let keeper = home.keeper();
    let tmux = Tmux::start((80, 24), "env PS1=shell: bash --norc --noprofile -i");
    tmux.shows("a", "shell:");
    let start = format!(
        "WARROOM_HOME={0} XDG_CONFIG_HOME={0}/none WARROOM_LISTEN=127.0.0.1:0 {PROGRAM}",
        home.path().display()
    );
    tmux.keys("a", &["-l", &start]);
    tmux.keys("a", &["Enter"]);
    tmux.shows("a", "nothing is open");
    tmux.keys("a", &["R"]);
    tmux.shows("a", "what is wrong");
    tmux.keys("a", &["-l", "half a"]);
    tmux.keys("a", &["C-z"]);
    tmux.shows("a", "Stopped");
    act(&mut keeper.caller(), r#"{"do":"open","title":"meanwhile","declare":true}"#);
    tmux.run(&["resize-window", "-t", "a", "-x", "100", "-y", "30"]);
    tmux.keys("a", &["-l", "fg"]);
    tmux.keys("a", &["Enter"]);
    tmux.shows("a", "meanwhile");
    tmux.keys("a", &["-l", " title"]);
    tmux.shows("a", "half a title");
    tmux.shows("a", "Stakeholders INC-1");
}

#[test]
fn a_killed_keeper_comes_back_and_the_console_with_it() {
    if !has("tmux") {
        return;
    }
    let home = Home::new();
    let mut keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"before the kill","declare":true}"#);
    let tmux = Tmux::start((80, 24), &console(&home));
    tmux.shows("a", "before the kill");
    keeper.kill();
    tmux.shows("a", "the keeper is back");
    tmux.keys("a", &["a"]);
    tmux.shows("a", "acknowledged by");
    home.ok(&["stop"]);
    tmux.shows("a", "stopped by");
}

const ROWS: NonZeroU16 = NonZeroU16::new(24).expect("not zero");
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).expect("not zero");

/// A program on a pseudo-terminal, with what it drew.
struct Pty {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    master: Option<Box<dyn portable_pty::MasterPty + Send>>,
}

impl Pty {
    fn start(home: &Home) -> Self {
        Self::with(home, &[])
    }

    fn with(home: &Home, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(PROGRAM);
        command.env("WARROOM_HOME", home.path());
        command.env("XDG_CONFIG_HOME", home.path().join("config"));
        command.env("WARROOM_LISTEN", "127.0.0.1:0");
        command.env("TERM", "xterm-256color");
        command.args(arguments);
        let child = pair.slave.spawn_command(command).expect("the console");
        drop(pair.slave);
        let writer = pair.master.take_writer().expect("a keyboard");
        let mut reader = pair.master.try_clone_reader().expect("a screen");
        let parser = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (to, copy) = (Arc::clone(&parser), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                to.lock().expect("a lock").process(&buffer[..n]);
                copy.lock().expect("a lock").extend_from_slice(&buffer[..n]);
            }
        });
        Self { child, writer, parser, raw, master: Some(pair.master) }
    }

    #[track_caller]
    fn shows(&self, words: &str) {
        until(words, || {
            let screen = self.parser.lock().expect("a lock").screen().contents();
            screen.contains(words).then_some(())
        });
    }

    /// Everything that was switched on is switched off again.
    fn is_restored(&self) -> bool {
        let raw = self.raw.lock().expect("a lock");
        let text = utf8(&raw);
        ["\x1b[?1049l", "\x1b[?2004l", "\x1b[?25h"].iter().all(|code| text.contains(code))
    }
}

impl Drop for Pty {
    /// The reader of the screen holds the terminal open, so a console would outlive its test and
    /// start another keeper.
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        signal(self, nix::sys::signal::Signal::SIGTERM);
        if !std::thread::panicking() {
            until("the console has ended", || self.child.try_wait().expect("a state"));
        }
    }
}

/// How a console ends, and what makes it.
type End = (&'static str, fn(&mut Pty));

#[test]
fn the_terminal_is_given_back_at_every_end() {
    let home = Home::new();
    let _keeper = home.keeper();
    let ends: [End; 3] = [
        ("q", |pty| pty.writer.write_all(b"q").expect("a key")),
        ("SIGTERM", |pty| signal(pty, nix::sys::signal::Signal::SIGTERM)),
        ("SIGHUP", |pty| signal(pty, nix::sys::signal::Signal::SIGHUP)),
    ];
    for (name, end) in ends {
        let mut pty = Pty::start(&home);
        pty.shows("nothing is open");
        end(&mut pty);
        until("it ends", || pty.child.try_wait().expect("a state"));
        until(&format!("the terminal is given back after {name}"), || {
            pty.is_restored().then_some(())
        });
    }
}

fn signal(pty: &mut Pty, signal: nix::sys::signal::Signal) {
    let pid = i32::try_from(pty.child.process_id().expect("a pid")).expect("a pid");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("a signal");
}

#[test]
fn a_dropped_line_leaves_the_draft_with_the_keeper() {
    let home = Home::new();
    let keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"line","declare":true}"#);
    let mut pty = Pty::start(&home);
    pty.shows("INC-1");
    pty.writer.write_all(b"n").expect("a key");
    pty.shows("Note on INC-1");
    pty.writer.write_all(b"half a thought").expect("keys");
    pty.shows("half a thought");
    until("the keeper has the draft", || {
        let Ok(warroom::proto::Reply::Drafts { drafts }) =
            keeper.caller().ask(warroom::proto::Ask::Drafts)
        else {
            return None;
        };
        drafts.iter().any(|(_, text)| text.contains("half a thought")).then_some(())
    });
    pty.master = None;
    signal(&mut pty, nix::sys::signal::Signal::SIGHUP);
    until("it ends", || pty.child.try_wait().expect("a state"));
    let pty = Pty::start(&home);
    pty.shows("INC-1");
    let mut pty = pty;
    pty.writer.write_all(b"P").expect("a key");
    pty.shows("note INC-1: half a thought");
    for (key, shown) in [
        ("x", "thrown away; u brings it back"),
        ("u", "brought back"),
        // Help lies over it, so that what is shown afterwards is what the keeper knows.
        ("q?", "Keys that work here"),
        ("qP", "note INC-1: half a thought"),
        ("x", "thrown away; u brings it back"),
        ("qP", "there are no drafts"),
    ] {
        pty.writer.write_all(key.as_bytes()).expect("keys");
        pty.shows(shown);
    }
}

#[test]
fn a_screen_reader_gets_lines_and_the_terminal_as_it_was() {
    let home = Home::new();
    let keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"spoken","declare":true}"#);
    let mut pty = Pty::with(&home, &["--plain"]);
    pty.shows("not acknowledged, spoken");
    pty.writer.write_all(b"a").expect("a key");
    pty.shows("acknowledge INC-1");
    pty.writer.write_all(b"q").expect("a key");
    until("it ends", || pty.child.try_wait().expect("a state"));
    let raw = utf8(&pty.raw.lock().expect("a lock"));
    for code in ["\x1b[?1049h", "\x1b[?25l", "\x1b[7m", "\x1b[2J"] {
        assert!(!raw.contains(code), "{code:?} was written");
    }
}

#[test]
fn mistakes_of_all_the_console_s_files_are_told_together() {
    let home = Home::new();
    let dir = home.path().join("config/warroom");
    std::fs::create_dir_all(&dir).expect("a folder");
    for (file, text) in [
        ("console.toml", "mice = true\n"),
        ("theme.toml", "sev1 = \"loud\"\n"),
        ("keymap.toml", "[queue]\n\"j\" = \"explode\"\n"),
    ] {
        std::fs::write(dir.join(file), text).expect("a file");
    }
    let pty = Pty::start(&home);
    for words in ["what ships is used instead", "mice:", "'loud'", "\"explode\""] {
        pty.shows(words);
    }
}

#[test]
fn two_sessions_over_a_real_sshd() {
    if !has("sshd") || !has("tmux") || !has("ssh") {
        return;
    }
    let home = Home::new();
    let Some(sshd) = Sshd::start(&home) else { return };
    let tmux = Tmux::start((80, 24), &sshd.session(&home));
    tmux.shows("a", "nothing is open");
    tmux.window("b", &sshd.session(&home));
    tmux.shows("b", "nothing is open");
    tmux.keys("a", &["R"]);
    tmux.shows("a", "what is wrong");
    tmux.keys("a", &["-l", "over ssh"]);
    tmux.keys("a", &["C-s"]);
    tmux.shows("b", "over ssh");
    // From where somebody came is on record.
    assert!(home.ok(&["export", "-"]).contains(r#""host":"127.0.0.1""#));
}

/// An sshd on loopback with a key of its own.
struct Sshd {
    child: std::process::Child,
    port: u16,
    key: std::path::PathBuf,
}

impl Sshd {
    fn start(home: &Home) -> Option<Self> {
        let dir = home.path().join("ssh");
        std::fs::create_dir_all(&dir).expect("a folder");
        let (host, key) = (dir.join("host"), dir.join("key"));
        for file in [&host, &key] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(file)
                .status();
            assert!(made.is_ok_and(|status| status.success()), "a key");
        }
        let allowed = dir.join("authorized_keys");
        std::fs::copy(key.with_extension("pub"), &allowed).expect("the key");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port")
            .port();
        drop(std::fs::create_dir_all("/run/sshd"));
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", "/dev/null", "-p", &port.to_string(), "-h"])
            .arg(&host)
            .args([
                "-o",
                "ListenAddress=127.0.0.1",
                "-o",
                "StrictModes=no",
                "-o",
                "UsePAM=no",
                "-o",
                "PidFile=none",
            ])
            .args(["-o", "PermitRootLogin=yes", "-o"])
            .arg(format!("AuthorizedKeysFile={}", allowed.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("an sshd");
        let sshd = Self { child, port, key };
        until("it listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        let tried = sshd.ssh().arg("true").output().expect("ssh runs");
        if !tried.status.success() {
            eprintln!("skipped: this machine's sshd lets nobody in: {}", utf8(&tried.stderr));
            assert!(std::env::var_os("CI").is_none(), "required in CI: {}", utf8(&tried.stderr));
            return None;
        }
        Some(sshd)
    }

    fn options(&self) -> String {
        format!(
            "-F /dev/null -i {} -p {} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes 127.0.0.1",
            self.key.display(),
            self.port
        )
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(self.options().split(' ')).stdin(Stdio::null());
        command
    }

    fn session(&self, home: &Home) -> String {
        format!(
            "ssh -tt {} env WARROOM_HOME={} TERM=xterm-256color {PROGRAM}; exec cat",
            self.options(),
            home.path().display()
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_demo_plays_to_its_end() {
    let out = Command::new(PROGRAM)
        .args(["demo", "--headless"])
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let said = utf8(&out.stdout);
    assert!(out.status.success(), "{said}{}", utf8(&out.stderr));
    assert!(said.contains("alert HighErrorRate") && said.contains("\"do\":\"resolve\""), "{said}");
    assert!(!said.contains("refused"), "{said}");
}

#[test]
fn without_a_terminal_the_console_says_so() {
    let home = Home::new();
    let out = home.run(&[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(utf8(&out.stderr).contains("the console needs a terminal"), "{}", utf8(&out.stderr));
}
