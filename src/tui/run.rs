//! The console's event loop: one ordered queue of terminal, keeper and clock; draw when something
//! changed, at most thirty times a second; idle writes no byte.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::client::link::{self, Incoming, Link, Target};
use crate::client::{ClientError, backoff, fresh_id};
use crate::clock::{monotonic, wall_now};
use crate::config::paths::Home;
use crate::domain::ids::CommandId;
use crate::domain::time::Timestamp;
use crate::proto::{Ask, ClientMsg, KeeperMsg, Push};
use crate::tui::evidence::{self, FileFacts};
use crate::tui::keymap::Keymap;
use crate::tui::model::{Model, SILENT_MS};
use crate::tui::settings::Settings;
use crate::tui::terminal::{Screen, is_terminal};
use crate::tui::theme::Theme;
use crate::tui::update::{Effect, Ids, Msg, next_due, update};

/// The least time between two frames.
pub const FRAME_MIN: Duration = Duration::from_millis(33);

/// Events of the terminal that may wait; whoever types faster waits.
const TYPED_MAX: usize = 256;

/// How long a link must hold until the next try after it is made at once.
const LASTING: Duration = Duration::from_secs(3);
/// How long the first word of a keeper on this machine may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a draft may take to reach the keeper after the line dropped.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// Ids made by the clock and chance.
struct Ulids;

impl Ids for Ulids {
    fn fresh(&mut self) -> CommandId {
        fresh_id()
    }
}

/// Opens the console and runs it until the person leaves. The terminal is given back before any
/// error is returned.
///
/// With `plain` it speaks in lines, for a screen reader, whatever the settings say.
pub fn run(home: &Home, target: &Target, plain: bool) -> Result<(), anyhow::Error> {
    if !is_terminal() {
        anyhow::bail!(
            "the console needs a terminal; 'warroom --help' lists what works without one"
        );
    }
    let config = config_dir(home);
    let mut mistakes = Vec::new();
    let mut take = |result: Result<(), Vec<crate::config::Mistake>>| {
        mistakes.extend(result.err().unwrap_or_default());
    };
    let keymap = Keymap::load(&config.join("keymap.toml"));
    let theme = Theme::load(&config.join("theme.toml"));
    take(keymap.as_ref().map(|_| ()).map_err(Clone::clone));
    take(theme.as_ref().map(|_| ()).map_err(Clone::clone));
    let settings = Settings::load(&config.join("console.toml"));
    take(settings.as_ref().map(|_| ()).map_err(Clone::clone));
    // A war room is not kept shut by a slip in a file of colours: what ships takes its place.
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let keymap = keymap.unwrap_or_else(|_| Keymap::shipped());
    let theme = theme.unwrap_or_else(|_| Theme::shipped());
    let mut settings = settings.unwrap_or_default();
    // Such a terminal cannot place what is drawn; lines it can.
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    settings.screen_reader |= plain || is_dumb;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(console(target, (keymap, theme, mistakes), settings));
    runtime.shutdown_timeout(Duration::from_millis(50));
    result
}

fn config_dir(home: &Home) -> std::path::PathBuf {
    let from =
        |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(std::path::PathBuf::from);
    from("XDG_CONFIG_HOME")
        .or_else(|| from("HOME").map(|h| h.join(".config")))
        .map_or_else(|| home.root.clone(), |dir| dir.join("warroom"))
}

async fn console(
    target: &Target,
    (keymap, theme, mistakes): (Keymap, Theme, Vec<String>),
    settings: Settings,
) -> Result<(), anyhow::Error> {
    // The first link is made, and answered, before the terminal is taken: what fails then is told in
    // plain text, ssh may ask for a password, and a keeper that hangs can be left with ctrl-c.
    let mut first = link::open(target, true, true).await?;
    let welcome = welcomed(&mut first, target).await?;
    let mut screen = Screen::take(settings)?;
    let mut model = Model::new(screen.size(), wall_now(), keymap, theme);
    model.show_mistakes(mistakes);
    let ended = events(&mut screen, &mut model, target, (first, welcome)).await;
    drop(screen);
    ended
}

/// The keeper's first word.
async fn welcomed(link: &mut Link, target: &Target) -> Result<Box<KeeperMsg>, anyhow::Error> {
    let incoming = match target {
        // Somebody may be asked for a password.
        Target::Ssh(_) => link.rx.recv().await,
        Target::Local(_) => tokio::time::timeout(PATIENCE, link.rx.recv())
            .await
            .map_err(|_| ClientError::Silent(PATIENCE.as_secs()))?,
    };
    match incoming {
        Some(Incoming::Message(message)) => {
            if let KeeperMsg::Refused { why, .. } = *message {
                anyhow::bail!("the keeper refused the connection: {why}");
            }
            Ok(message)
        }
        Some(Incoming::Lost(error)) => anyhow::bail!("{}", link.why(&error)),
        None => anyhow::bail!("the connection is closed"),
    }
}

/// The link in whatever state it is.
struct Wire {
    link: Option<Link>,
    /// Tries since the last link that lasted.
    attempt: u32,
    /// When this link was made.
    since: Instant,
    /// What the keeper's clock shows more than the one here, in milliseconds; nothing on one machine.
    ahead_ms: i64,
    is_far: bool,
    /// A keeper that crashed is started again; one that was stopped is waited for.
    may_start: bool,
    retry_at: Option<Instant>,
    opener: mpsc::Sender<Result<Link, ClientError>>,
}

/// Everything that can wake the console.
struct Ears {
    input: mpsc::Receiver<io::Result<Event>>,
    term: Signal,
    hangup: Signal,
    links: mpsc::Receiver<Result<Link, ClientError>>,
    files: mpsc::Receiver<Result<FileFacts, String>>,
    reader: mpsc::Sender<Result<FileFacts, String>>,
}

/// What is typed, read on a thread of its own: a terminal that hangs up can keep whoever reads it
/// busy for ever, and the console must still save what was written and end.
fn typed() -> mpsc::Receiver<io::Result<Event>> {
    let (tx, rx) = mpsc::channel(TYPED_MAX);
    let reader = std::thread::Builder::new().name("typed".to_owned());
    let started = reader.spawn(move || {
        loop {
            let event = event::read();
            let is_over = event.is_err();
            if tx.blocking_send(event).is_err() || is_over {
                return;
            }
        }
    });
    drop(started);
    rx
}

/// What woke it.
enum Heard {
    Msg(Msg),
    Nothing,
    /// The terminal is gone, or somebody wants the console to end.
    End,
}

impl Ears {
    fn open(links: mpsc::Receiver<Result<Link, ClientError>>) -> io::Result<Self> {
        let (reader, files) = mpsc::channel(1);
        let (term, hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        Ok(Self { input: typed(), term, hangup, links, files, reader })
    }

    async fn next(&mut self, wire: &mut Wire, target: &Target, wake: Instant) -> Heard {
        tokio::select! {
            biased;
            _ = self.term.recv() => Heard::End,
            _ = self.hangup.recv() => Heard::End,
            event = self.input.recv() => match event {
                Some(Ok(event)) => translate(&event).map_or(Heard::Nothing, Heard::Msg),
                Some(Err(_)) | None => Heard::End,
            },
            incoming = wire.next() => Heard::Msg(wire.heard(incoming)),
            Some(read) = self.files.recv() => Heard::Msg(Msg::FileRead(read)),
            link = self.links.recv() => match link {
                Some(Ok(link)) => {
                    (wire.link, wire.since) = (Some(link), monotonic());
                    Heard::Nothing
                }
                Some(Err(error)) => {
                    wire.lose();
                    Heard::Msg(Msg::Lost(error.to_string()))
                }
                None => Heard::Nothing,
            },
            () = tokio::time::sleep_until(wake.into()) => {
                if wire.retry_at.is_some_and(|at| at <= monotonic()) {
                    wire.retry(target);
                }
                Heard::Msg(Msg::Tick)
            }
        }
    }

    /// Reads a file beside the loop: a large one must not freeze the screen.
    fn read_file(&self, typed: &str) {
        let home = std::env::var_os("HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        let path = evidence::path_of(typed, home);
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || drop(reader.blocking_send(evidence::read(&path))));
    }
}

/// Whether a keeper that is lost may be started again. Whoever ended it in good order wants it ended,
/// whatever else was on its way.
const fn may_start(message: &KeeperMsg, so_far: bool) -> bool {
    match message {
        KeeperMsg::Push(Push::Goodbye { .. }) => false,
        KeeperMsg::Welcome(_) => true,
        KeeperMsg::Push(_) | KeeperMsg::Reply { .. } | KeeperMsg::Refused { .. } => so_far,
    }
}

impl Wire {
    async fn next(&mut self) -> Option<Incoming> {
        match self.link.as_mut() {
            Some(link) => link.rx.recv().await,
            None => std::future::pending().await,
        }
    }

    /// What came from the other side, or that it is gone.
    fn heard(&mut self, incoming: Option<Incoming>) -> Msg {
        match incoming {
            Some(Incoming::Message(message)) => {
                // A keeper that ends at once each time is not asked ten times a second.
                if self.since.elapsed() >= LASTING {
                    self.attempt = 0;
                }
                if let KeeperMsg::Welcome(welcome) = message.as_ref()
                    && self.is_far
                {
                    self.ahead_ms = welcome.now.since(wall_now());
                }
                self.may_start = may_start(&message, self.may_start);
                Msg::FromKeeper(message)
            }
            Some(Incoming::Lost(error)) => {
                let why = self.link.as_ref().map_or_else(|| error.to_string(), |l| l.why(&error));
                self.lose();
                Msg::Lost(why)
            }
            None => {
                self.lose();
                Msg::Lost("the connection is closed".to_owned())
            }
        }
    }

    /// Lets go of the link and plans the next try.
    fn lose(&mut self) {
        self.link = None;
        let wait = backoff::wait_ms(self.attempt);
        self.attempt = self.attempt.saturating_add(1);
        self.retry_at = Some(monotonic() + Duration::from_millis(wait));
    }

    fn retry(&mut self, target: &Target) {
        self.retry_at = None;
        let (target, opener, may_start) = (target.clone(), self.opener.clone(), self.may_start);
        tokio::spawn(async move {
            drop(opener.send(link::open(&target, may_start, false).await).await);
        });
    }

    /// The keeper's time.
    fn now(&self) -> Timestamp {
        wall_now().plus(self.ahead_ms)
    }

    /// Gives a request to the link; false: the keeper takes no more. It is never waited for.
    fn give(&self, id: CommandId, ask: Ask) -> bool {
        let request = ClientMsg::Request { id, ask };
        self.link.as_ref().is_none_or(|link| link.tx.try_send(request).is_ok())
    }
}

async fn events(
    screen: &mut Screen,
    model: &mut Model,
    target: &Target,
    (first, welcome): (Link, Box<KeeperMsg>),
) -> Result<(), anyhow::Error> {
    let (opener, links) = mpsc::channel(1);
    let mut ears = Ears::open(links)?;
    let mut wire = Wire {
        link: Some(first),
        attempt: 0,
        since: monotonic(),
        ahead_ms: 0,
        is_far: matches!(target, Target::Ssh(_)),
        may_start: true,
        retry_at: None,
        opener,
    };
    let msg = wire.heard(Some(Incoming::Message(welcome)));
    let effects = update(model, msg, wire.now(), &mut Ulids);
    apply(screen, model, &mut wire, &ears, effects)?;
    let mut last_frame: Option<Instant> = None;
    let mut dirty = true;
    let mut by_key = false;
    loop {
        let now = monotonic();
        // What a person typed is shown at once; everything else at most thirty times a second.
        let draw_at = draw_at(dirty, last_frame.filter(|_| !by_key), now);
        if draw_at.is_some_and(|at| at <= now) && model.size.0 > 0 && has_first_word(model) {
            screen.draw(model)?;
            last_frame = Some(monotonic());
            dirty = false;
            by_key = false;
            continue;
        }
        let wake = sleep_until(model, draw_at.filter(|_| has_first_word(model)), &wire, now);
        let msg = match ears.next(&mut wire, target, wake).await {
            Heard::Msg(msg) => msg,
            Heard::Nothing => continue,
            Heard::End => {
                farewell(model, &mut wire).await;
                return Ok(());
            }
        };
        by_key |= matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Resize(..));
        let effects = update(model, msg, wire.now(), &mut Ulids);
        dirty = true;
        if apply(screen, model, &mut wire, &ears, effects)? {
            farewell(model, &mut wire).await;
            return Ok(());
        }
    }
}

/// What was being written and what was just done go to the keeper before the console ends, also
/// when the line dropped. The keeper is waited for, but not for long.
async fn farewell(model: &mut Model, wire: &mut Wire) {
    let effects = update(model, Msg::Leave, wire.now(), &mut Ulids);
    let mut waiting: BTreeSet<CommandId> = model.in_flight.ids().cloned().collect();
    for effect in effects {
        if let Effect::Send { id, ask } = effect {
            waiting.insert(id.clone());
            if !wire.give(id, ask) {
                return; // It has not read for long, and will not within this moment.
            }
        }
    }
    let Some(mut link) = wire.link.take() else { return };
    let answered = async {
        while !waiting.is_empty() {
            match link.rx.recv().await {
                Some(Incoming::Message(message)) => {
                    let KeeperMsg::Reply { id, .. } = *message else { continue };
                    waiting.remove(&id);
                    model.in_flight.answered(&id);
                    for effect in model.in_flight.release() {
                        if let Effect::Send { id, ask } = effect {
                            drop(link.tx.try_send(ClientMsg::Request { id, ask }));
                        }
                    }
                }
                Some(Incoming::Lost(_)) | None => return,
            }
        }
    };
    // What one that hangs was given lies in its socket; it is not waited for.
    let is_silent = model.unanswered_since.is_some_and(|at| model.now.since(at) >= SILENT_MS);
    let most = if is_silent { FAREWELL_MAX / 20 } else { FAREWELL_MAX };
    drop(tokio::time::timeout(most, answered).await);
}

/// Nothing is drawn before the keeper has said what there is: the first picture is a true one.
fn has_first_word(model: &Model) -> bool {
    use crate::tui::model::LinkState;
    match model.link {
        LinkState::Connecting => false,
        LinkState::Up => {
            let is_told = model.mirror.seq > 0;
            is_told && (model.shown.is_empty() || model.mirror.watched.is_some())
        }
        LinkState::Lost { .. } => true,
    }
}

/// When the next frame may be drawn, if one is wanted.
pub fn draw_at(dirty: bool, last_frame: Option<Instant>, now: Instant) -> Option<Instant> {
    dirty.then(|| last_frame.map_or(now, |last| now.max(last + FRAME_MIN)))
}

fn sleep_until(model: &Model, draw: Option<Instant>, wire: &Wire, now: Instant) -> Instant {
    let retry = wire.retry_at;
    let due = next_due(model).map(|at| {
        let ms = at.since(wire.now()).max(0).unsigned_abs();
        now + Duration::from_millis(ms)
    });
    [draw, retry, due].into_iter().flatten().min().unwrap_or(now + Duration::from_secs(3600))
}

fn translate(event: &Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(*key)),
        Event::Paste(text) => Some(Msg::Paste(text.clone())),
        Event::Resize(width, height) => Some(Msg::Resize(*width, *height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Msg::Wheel(mouse.column, mouse.row, true)),
            MouseEventKind::ScrollUp => Some(Msg::Wheel(mouse.column, mouse.row, false)),
            _ => None,
        },
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

/// Does what should happen; true at the end.
fn apply(
    screen: &mut Screen,
    model: &mut Model,
    wire: &mut Wire,
    ears: &Ears,
    effects: Vec<Effect>,
) -> io::Result<bool> {
    for effect in effects {
        match effect {
            Effect::Send { id, ask } => {
                if !wire.give(id, ask) {
                    wire.lose();
                    let lost = Msg::Lost("it does not read what is sent; it hangs".to_owned());
                    drop(update(model, lost, wire.now(), &mut Ulids));
                }
            }
            Effect::ReadFile(path) => ears.read_file(&path),
            Effect::Copy(text) => {
                screen.copy(&text)?;
                model.say(crate::tui::model::Tone::Good, "copied");
            }
            Effect::Suspend => {
                screen.suspend()?;
                model.size = screen.size();
            }
            Effect::Redraw => screen.forget()?,
            Effect::Quit => return Ok(true),
        }
    }
    if std::mem::take(&mut model.bell) {
        let text = model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
        screen.bell(&text)?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_that_said_goodbye_is_not_started_again_by_what_was_on_its_way() {
        let goodbye = KeeperMsg::Push(Push::Goodbye { reason: "stopped by root".to_owned() });
        let late = KeeperMsg::Push(Push::Paged { pages: Vec::new() });
        assert!(may_start(&late, true));
        let after = may_start(&late, may_start(&goodbye, true));
        assert!(!after, "nobody starts what was ended in good order");
    }
}
