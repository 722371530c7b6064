//! A throw-away home with the shipped program: started, asked, killed, removed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use warroom::client::call::Caller;
use warroom::domain::command::Command as Act;
use warroom::proto::{Ask, Reply};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_warroom");
/// How long a condition may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A home of its own.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// An empty home whose intake listens on a free port.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("wr-").tempdir().expect("a temporary folder");
        let home = Self { dir };
        std::fs::create_dir_all(home.path()).expect("the home");
        std::fs::write(home.path().join("warroom.toml"), "listen = \"127.0.0.1:0\"\n")
            .expect("the settings");
        home
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The program with this home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .env("WARROOM_HOME", self.path())
            .env_remove("WARROOM_LISTEN")
            .stdin(Stdio::null());
        command.env("XDG_CONFIG_HOME", self.dir.path().join("config"));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// Runs it, expects success, returns what it printed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let (text, errors) = (utf8(&out.stdout), utf8(&out.stderr));
        assert!(out.status.success(), "warroom {args:?} failed:\n{text}{errors}");
        text
    }

    /// Starts a keeper in the foreground and waits until it answers.
    pub fn keeper(&self) -> Keeper {
        self.start(self.command(&["keeper"]))
    }

    /// The same below another program, which is given the keeper's command line.
    pub fn keeper_under(&self, wrapper: &[&str]) -> Keeper {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).args([PROGRAM, "keeper"]).stdin(Stdio::null());
        command.env("WARROOM_HOME", self.path()).env_remove("WARROOM_LISTEN");
        self.start(command)
    }

    fn start(&self, mut command: Command) -> Keeper {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .expect("a log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("a keeper");
        let mut keeper = Keeper { child, socket: self.path().join("keeper.sock") };
        let log = self.dir.path().join("log");
        until("the keeper answers", || {
            if let Ok(Some(status)) = keeper.child.try_wait() {
                panic!(
                    "the keeper ended ({status}):\n{}",
                    std::fs::read_to_string(&log).unwrap_or_default()
                );
            }
            UnixStream::connect(&keeper.socket).ok().and_then(|stream| Caller::new(stream).ok())
        });
        keeper
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.run(&["stop"]));
    }
}

/// A keeper in the foreground.
pub struct Keeper {
    pub child: Child,
    socket: PathBuf,
}

impl Keeper {
    /// A connection to it.
    pub fn caller(&self) -> Caller {
        Caller::new(UnixStream::connect(&self.socket).expect("a connection")).expect("a welcome")
    }

    /// SIGKILL, as if the plug was pulled.
    pub fn kill(&mut self) {
        self.child.kill().expect("a kill");
        self.child.wait().expect("an end");
    }

    /// SIGTERM, and its exit code.
    pub fn term(&mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("a signal");
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Gives one command and expects that it is done.
#[track_caller]
pub fn act(caller: &mut Caller, command: &str) -> u64 {
    let command: Act = serde_json::from_str(command).expect("a command");
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    match caller.ask(ask).expect("an answer") {
        Reply::Done { seq, .. } => seq,
        other => panic!("refused: {other:?}"),
    }
}

/// Waits for a condition, never for a duration.
#[track_caller]
pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = warroom::clock::monotonic() + PATIENCE;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(warroom::clock::monotonic() < deadline, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// Posts a body; the status and the answer.
pub fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the intake");
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head = format!("{head}{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
    answer(stream)
}

/// Reads an HTTP answer to its end.
pub fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    let text = utf8(&bytes);
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

/// The address that the keeper takes alerts on.
pub fn intake_address(caller: &Caller) -> String {
    caller.welcome.intake.clone().expect("the intake listens")
}

/// Bytes as text.
pub fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a program can be found; required where `CI` is set.
pub fn has(program: &str) -> bool {
    let found = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"]
        .iter()
        .any(|dir| Path::new(dir).join(program).exists());
    assert!(found || std::env::var_os("CI").is_none(), "{program} is required in CI");
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}
