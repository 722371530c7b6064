//! Screens as they are seen, driven by keys, with colours in words; and every size without a panic.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use warroom::domain::ids::CommandId;
use warroom::domain::post::Signal;
use warroom::domain::words::AttemptResult;
use warroom::keeper::turn::{Input, Output, ReadJob};
use warroom::proto::{ClientMsg, Detail, KeeperMsg, PROTOCOL, Reply, Welcome};
use warroom::store::snapshot;
use warroom::tui::key::{Code, Key};
use warroom::tui::keymap::Keymap;
use warroom::tui::model::Model;
use warroom::tui::theme::Theme;
use warroom::tui::update::{Effect, Ids, Msg, update};
use warroom::tui::view::view;

use crate::world::{World, alert};

pub struct Count(pub u64);

impl Ids for Count {
    fn fresh(&mut self) -> CommandId {
        self.0 += 1;
        CommandId(format!("s{}", self.0))
    }
}

/// A console on a war room in memory.
pub struct Console {
    pub world: World,
    pub model: Model,
    ids: Count,
    client: u64,
    read: usize,
    pub copied: Vec<String>,
    pub saved: Vec<String>,
    /// What the keeper keeps of them.
    pub drafts: BTreeMap<String, String>,
}

impl Console {
    /// A console of a person's.
    pub fn new(mut world: World, login: &str, size: (u16, u16)) -> Self {
        let client = world.client(login);
        let model = Model::new(size, world.now, Keymap::shipped(), Theme::shipped());
        let mut console = Self {
            read: world.heard.len(),
            world,
            model,
            ids: Count(0),
            client,
            copied: Vec::new(),
            saved: Vec::new(),
            drafts: [("note INC-1".to_owned(), r#"{"text":"half a thought"}"#.to_owned())].into(),
        };
        console.welcome(login);
        console.rest();
        console
    }

    pub fn welcome(&mut self, login: &str) {
        let welcome = Welcome {
            beside: Box::default(),
            protocol: PROTOCOL,
            version: "test".into(),
            login: login.into(),
            client: 1,
            right: warroom::domain::words::Right::Command,
            host: "jump-1".into(),
            seq: self.world.engine.room.seq,
            now: self.world.now,
            plan: self.world.engine.room.plan.clone(),
            intake: Ok("127.0.0.1:9119".into()),
        };
        self.tell(Msg::FromKeeper(Box::new(KeeperMsg::Welcome(Box::new(welcome)))));
    }

    /// One message, and all that follows from it.
    pub fn tell(&mut self, msg: Msg) {
        let now = self.world.now;
        let effects = update(&mut self.model, msg, now, &mut self.ids);
        for effect in effects {
            match effect {
                Effect::Send { id, ask } => self.send(id, ask),
                Effect::Copy(text) => self.copied.push(text),
                Effect::ReadFile(path) => {
                    let read = warroom::tui::evidence::read(std::path::Path::new(&path));
                    self.tell(Msg::FileRead(read));
                }
                Effect::Suspend | Effect::Redraw | Effect::Quit => {}
            }
        }
        self.listen();
    }

    fn send(&mut self, id: CommandId, ask: warroom::proto::Ask) {
        let ClientMsg::Request { id, ask } = (ClientMsg::Request { id, ask }) else { return };
        if let warroom::proto::Ask::SaveDraft { key, text, only_new } = &ask {
            self.saved.push(text.clone());
            if !(*only_new && self.drafts.contains_key(key)) {
                self.drafts.insert(key.clone(), text.clone());
            }
            self.drafts.retain(|_, text| !text.is_empty());
        }
        let (_, out) = self.world.give(Input::Request { client: self.client, id, ask });
        for output in out {
            if let Output::Read { id, job, .. } = output {
                let reply = self.answer(*job);
                // As it comes over the line.
                let line = serde_json::to_string(&KeeperMsg::Reply { id, reply });
                let line = line.expect("a message can be written");
                let message = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("nobody can read it: {error}\n{line}"));
                self.world.heard.push((self.client, message));
            }
        }
    }

    /// What the store would answer.
    fn answer(&self, job: ReadJob) -> Reply {
        match job {
            ReadJob::Incident { incident, head, policy, until, .. } => {
                let events =
                    snapshot::stream(&self.world.journal, incident, until).expect("a stream");
                let folded =
                    snapshot::incident(&self.world.journal, incident, until).expect("a fold");
                let head = head.map(|h| *h).or(folded).expect("an incident");
                let total = events.len() as u64;
                Reply::Incident(Box::new(Detail { head, total, events, policy }))
            }
            ReadJob::Drafts { .. } => {
                Reply::Drafts { drafts: self.drafts.clone().into_iter().collect() }
            }
            _ => Reply::done(0, None),
        }
    }

    fn listen(&mut self) {
        while self.read < self.world.heard.len() {
            let (to, message) = self.world.heard[self.read].clone();
            self.read += 1;
            if to == self.client {
                self.tell(Msg::FromKeeper(Box::new(message)));
            }
        }
    }

    /// What was told on a line that broke is never heard.
    pub fn read_all(&mut self) {
        self.read = self.world.heard.len();
    }

    /// Lets the panes follow the cursor and messages fade.
    pub fn rest(&mut self) {
        self.world.now = self.world.now.plus(10_000);
        self.tell(Msg::Tick);
    }

    /// Types keys as they are written in a keymap: `jj<enter>`.
    pub fn keys(&mut self, keys: &str) {
        let mut rest = keys;
        while !rest.is_empty() {
            let end = if rest.starts_with('<') {
                rest.find('>').map_or(1, |at| at + 1)
            } else {
                rest.chars().next().map_or(1, char::len_utf8)
            };
            let key: Key = rest[..end].parse().expect("a key");
            rest = &rest[end..];
            self.tell(Msg::Key(event(key)));
        }
    }

    /// The screen as text, then the styled runs in words.
    pub fn screen(&self) -> String {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
        terminal.draw(|frame| view(&self.model, frame)).expect("a frame");
        let buffer = terminal.backend().buffer();
        format!("{}\n{}", text(buffer), styled_runs(buffer))
    }
}

pub fn event(key: Key) -> KeyEvent {
    let code = match key.code {
        Code::Char(c) => KeyCode::Char(c),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::F(n) => KeyCode::F(n),
    };
    let mut modifiers = KeyModifiers::NONE;
    if key.ctrl {
        modifiers |= KeyModifiers::CONTROL;
    }
    if key.alt {
        modifiers |= KeyModifiers::ALT;
    }
    KeyEvent::new(code, modifiers)
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `row 2 1..7 LightRed REVERSED` for each run that is not plain.
fn styled_runs(buffer: &Buffer) -> String {
    let mut out = Vec::new();
    for y in 0..buffer.area.height {
        let mut start = 0;
        let style = |x: u16| (buffer[(x, y)].fg, buffer[(x, y)].modifier);
        for x in 1..=buffer.area.width {
            if x < buffer.area.width && style(x) == style(start) {
                continue;
            }
            let (fg, modifier) = style(start);
            if fg != Color::Reset || modifier != Modifier::empty() {
                out.push(format!("row {y} {start}..{x} {fg:?} {modifier:?}"));
            }
            start = x;
        }
    }
    out.join("\n")
}

/// A room with three incidents, one of them well under way.
pub fn busy() -> World {
    let mut world = World::under(crate::world::shipped());
    let fire = |name: &str, instance: &str, severity: &str| {
        vec![alert(name, instance, severity, Signal::Firing)]
    };
    world.post("am", Some("checkout"), fire("HighErrorRate", "payments-api-1", "critical"));
    world.post("am", Some("checkout"), fire("HighErrorRate", "payments-api-2", "critical"));
    world.post("am", Some("kafka"), fire("KafkaLag", "orders", "warning"));
    world.post("am", Some("cert"), fire("CertificateExpiry", "www", "info"));
    // Ann has no console yet; the page goes into the file.
    world.tick();
    world.answer("ann", "file", AttemptResult::HandedOver);
    for act in [
        r#"{"do":"acknowledge","incident":1}"#,
        r#"{"do":"take-command","incident":1}"#,
        r#"{"do":"set-severity","incident":1,"severity":"SEV1","reason":"customers cannot pay"}"#,
        r#"{"do":"note","incident":1,"kind":"hypothesis","text":"pool exhausted after deploy 812"}"#,
        r#"{"do":"remedy","incident":1,"kind":"workaround","text":"pool 50 to 200","expires":"2026-11-23T18:00:00Z"}"#,
        r#"{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"we are on it","next_by":"2026-11-23T13:40:00Z"}"#,
    ] {
        world.now = world.now.plus(20_000);
        world.act("bob", serde_json::from_str(act).expect("a command"));
    }
    world
}

#[test]
fn the_home_view_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let console = Console::new(busy(), "ann", (width, height));
        insta::assert_snapshot!(format!("home_{width}x{height}"), console.screen());
    }
}

#[test]
fn an_empty_room_says_what_to_do() {
    let console = Console::new(World::new(), "ann", (80, 24));
    insta::assert_snapshot!("empty_80x24", console.screen());
}

#[test]
fn a_note_is_written_by_keys_and_appears() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("n");
    console.keys("errors are falling<enter>since the restart");
    insta::assert_snapshot!("note_form_80x24", console.screen());
    console.keys("<c-s>");
    assert!(console.model.modals.is_empty());
    assert!(console.screen().contains("errors are falling"), "{}", console.screen());
}

#[test]
fn a_refused_form_comes_back_with_the_reason() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("S5<tab><c-s>");
    let screen = console.screen();
    assert!(screen.contains("needs a reason"), "{screen}");
    console.keys("one region only<c-s>");
    assert!(console.screen().contains("SEV1 → SEV5: one region only"), "{}", console.screen());
}

#[test]
fn many_are_acknowledged_after_one_question_that_names_the_number() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("Ma");
    assert!(console.screen().contains("acknowledge 3 incidents?"), "{}", console.screen());
    console.keys("y");
    let screen = console.screen();
    assert!(screen.contains("acknowledge: 3 of 3 done"), "{screen}");
    assert!(!screen.contains("unacked"), "{screen}");
}

#[test]
fn the_filter_narrows_and_comes_off() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("/kafk");
    let screen = console.screen();
    assert!(screen.contains("KafkaLag") && !screen.contains("CertificateExpiry"), "{screen}");
    console.keys("<enter><esc>");
    assert!(console.screen().contains("CertificateExpiry"));
}

#[test]
fn the_past_is_shown_as_it_was_known_and_cannot_be_acted_on() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    for _ in 0..4 {
        console.keys("[");
    }
    let screen = console.screen();
    assert!(screen.contains("AS KNOWN AT") && screen.contains("SEV2 P2 triage"), "{screen}");
    console.keys("n");
    assert!(console.screen().contains("you look at the past"), "{}", console.screen());
    console.keys("<esc>");
    assert!(!console.screen().contains("AS KNOWN AT"));
}

#[test]
fn the_palette_and_the_help_name_every_action() {
    let mut console = Console::new(busy(), "ann", (120, 40));
    console.keys(":acc");
    assert!(console.screen().contains("accept-command"), "{}", console.screen());
    console.keys("<esc>?");
    insta::assert_snapshot!("help_120x40", console.screen());
    console.keys("<esc>c");
    assert!(console.screen().contains("t take command"), "which-key: {}", console.screen());
}

#[test]
fn drafts_are_taken_up_again() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("n, whole<esc>");
    assert!(console.screen().contains("kept as a draft"), "{}", console.screen());
    console.keys("P<enter>");
    assert!(console.screen().contains("half a thought, whole"), "{}", console.screen());
    console.keys("!");
    console.rest();
    console.tell(Msg::Lost("the line broke while the draft was on its way".to_owned()));
    console.welcome("ann");
    assert_eq!(console.saved.concat().matches("half a thought, whole!").count(), 2);
}

#[test]
fn pasted_escape_sequences_are_text() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("n");
    console.tell(Msg::Paste("a\tb\u{1b}[31mred\u{7}\r\nnext".to_owned()));
    let screen = console.screen();
    assert!(screen.contains("a    b␛[31mred"), "{screen}");
    assert!(!screen.contains('\u{1b}'));
}

#[test]
fn a_lost_keeper_is_seen_and_what_was_sent_goes_out_again() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.tell(Msg::Lost("the connection broke".to_owned()));
    console.rest();
    insta::assert_snapshot!("lost_80x24", console.screen());
}

#[test]
fn no_size_makes_a_panic() {
    let modals = [
        "",
        "n",
        "?",
        ":",
        "S",
        "i",
        "x",
        "f",
        "z",
        "3",
        "4",
        "2z",
        "Ma",
        "/x",
        "R",
        "Al",
        "As<enter>",
    ];
    for keys in modals {
        let mut console = Console::new(busy(), "ann", (80, 24));
        console.keys(keys);
        for width in (1..60).chain([80, 99, 100, 179, 180, 220]) {
            for height in [1, 2, 3, 5, 8, 11, 12, 13, 24, 29, 30, 61] {
                console.tell(Msg::Resize(width, height));
                assert!(!console.screen().is_empty());
            }
        }
    }
}

#[test]
fn without_colour_and_without_fancy_marks_everything_is_still_told() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.model.theme = Theme::plain();
    console.model.theme.ascii = true;
    let screen = console.screen();
    let (text, _) = screen.split_once("row ").expect("styled runs");
    let foreign: String = text.chars().filter(|c| !c.is_ascii()).collect();
    assert!(foreign.is_empty(), "{foreign}");
    assert!(
        text.contains("SEV1") && text.contains("! nobody") || text.contains("v acknowledged"),
        "{text}"
    );
}

#[test]
fn counts_move_and_mark() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.keys("02j");
    assert_eq!(console.model.selected, 2);
    console.keys("7k");
    assert_eq!(console.model.selected, 0);
    console.keys("02m");
    assert_eq!(console.model.marks.len(), 2);
    console.keys("<esc>01");
    assert!(console.screen().contains("1×"), "{}", console.screen());
    console.keys("2j");
    assert_eq!(console.model.selected, 2, "twelve rows down is the last row");
}

#[test]
fn leaving_asks_once_while_something_is_unanswered() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.tell(Msg::Lost("the connection broke".to_owned()));
    let ack = event(Key::plain('d'));
    let now = console.world.now;
    update(&mut console.model, Msg::Key(ack), now, &mut Count(500));
    update(
        &mut console.model,
        Msg::Key(event("<c-s>".parse().expect("a key"))),
        now,
        &mut Count(600),
    );
    assert_eq!(console.model.in_flight.len(), 1);
    let quit = || Msg::Key(event(Key::plain('q')));
    assert!(update(&mut console.model, quit(), now, &mut Count(700)).is_empty());
    assert!(console.screen().contains("not answered yet"), "{}", console.screen());
    assert_eq!(update(&mut console.model, quit(), now, &mut Count(700)), [Effect::Quit]);
}

#[test]
fn a_long_title_gives_way_to_the_state_and_the_smallest_screen_shows_the_link() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    let title = "a very long title ".repeat(20);
    let act = serde_json::json!({ "do": "set-title", "incident": 1, "title": title.trim() });
    console.world.act("bob", serde_json::from_value(act).expect("a command"));
    console.tell(Msg::Tick);
    assert!(console.screen().contains("· SEV1 P1 triage ─"), "{}", console.screen());
    console.tell(Msg::Lost("the connection broke".to_owned()));
    console.tell(Msg::Resize(39, 8));
    assert!(console.screen().contains("KEEPER LOST"), "{}", console.screen());
    console.keys("2");
    assert!(console.screen().contains("told support"), "{}", console.screen());
}

#[test]
fn the_readme_shows_the_console_as_it_is() {
    let console = Console::new(busy(), "ann", (100, 30));
    let screen = console.screen();
    let picture = screen.split("\nrow ").next().unwrap_or_default().trim_end();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"))
        .expect("the README");
    assert!(readme.contains(picture), "put this picture into README.md:\n{picture}");
}
