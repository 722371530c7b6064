//! The console of a screen reader: what is said, line by line; and the mouse, where it is on.

use std::fmt::Write as _;

use warroom::tui::model::Pane;
use warroom::tui::speech::Speech;
use warroom::tui::update::Msg;

use crate::screens::{Console, busy};
use crate::world::World;

/// A console that speaks, and all that it said, with the keys between.
struct Reader {
    console: Console,
    speech: Speech,
    said: String,
}

impl Reader {
    fn new(world: World) -> Self {
        let console = Console::new(world, "ann", (100, 30));
        let mut reader = Self { console, speech: Speech::default(), said: String::new() };
        reader.listen();
        reader
    }

    fn listen(&mut self) -> String {
        let new = self.speech.say(&self.console.model);
        self.said.push_str(&new);
        new
    }

    fn keys(&mut self, keys: &str) -> String {
        write!(self.said, "\n«{keys}»\n").expect("a String takes it");
        self.console.keys(keys);
        self.listen()
    }

    fn rest(&mut self) -> String {
        self.console.rest();
        self.listen()
    }

    /// What was said, with the editing of lines in words.
    fn transcript(&self) -> String {
        self.said
            .replace("\r\x1b[K", "(again) ")
            .replace("\r\n", "\n")
            .replace("\u{8} \u{8}", "(rubbed)")
            .replace('\u{8}', "(left)")
    }
}

#[test]
fn rows_are_spoken_as_sentences() {
    let mut reader = Reader::new(busy());
    reader.keys("j");
    reader.keys("<space>");
    reader.keys("k");
    reader.keys("<esc>2");
    reader.keys("k");
    reader.keys("3");
    reader.keys("4");
    reader.keys("j");
    insta::assert_snapshot!("plain_panes", reader.transcript());
}

#[test]
fn forms_and_lists_are_spoken_field_by_field() {
    let mut reader = Reader::new(busy());
    reader.keys("S");
    reader.keys("5");
    reader.keys("<tab>");
    reader.keys("one");
    reader.keys("<backspace>");
    reader.keys("<left>x");
    reader.keys("<c-s>");
    reader.keys("n");
    reader.keys("errors fall<enter>since");
    reader.keys("<esc>");
    reader.keys("Al");
    reader.keys("<space>");
    reader.keys("<esc>");
    reader.keys(":acc");
    reader.keys("<esc>");
    reader.keys("c");
    reader.keys("<esc>/kaf");
    reader.keys("<enter>");
    insta::assert_snapshot!("plain_forms", reader.transcript());
}

#[test]
fn what_did_not_change_is_not_said_again() {
    let mut reader = Reader::new(busy());
    for _ in 0..30 {
        assert_eq!(reader.rest(), "", "time alone says nothing");
    }
    let act = r#"{"do":"note","incident":1,"kind":"note","text":"bidi \u202e and \u001b[31m"}"#;
    reader.console.world.act("bob", serde_json::from_str(act).expect("a command"));
    let said = reader.keys("2");
    assert!(said.contains("bob: bidi \u{fffd} and ␛[31m"), "{said}");
}

#[test]
fn what_the_line_cannot_hold_is_said_once_before_it_is_typed_at() {
    let mut reader = Reader::new(busy());
    let words: Vec<String> = (0..30).map(|n| format!("word{n}")).collect();
    let act = serde_json::json!({"do": "set-title", "incident": 1, "title": words.join(" ")});
    reader.console.world.act("bob", serde_json::from_value(act).expect("a command"));
    reader.rest();
    let said = reader.keys("T");
    let lines: Vec<&str> = said.split("\r\n").collect();
    let (typed_at, before) = lines.split_last().expect("a line");
    assert!(typed_at.ends_with("word29") && !typed_at.contains("word0 "), "{said}");
    for word in &words {
        assert!(before.iter().any(|line| line.split(' ').any(|w| w == word)), "{word}: {said}");
    }
    assert_eq!(reader.keys("x"), "x", "only what is typed");
}

#[test]
fn a_lost_keeper_is_said_once() {
    let mut reader = Reader::new(busy());
    reader.console.tell(Msg::Lost("the connection broke".to_owned()));
    assert!(reader.listen().contains("keeper lost, retrying: the connection broke"));
    assert_eq!(reader.rest(), "");
}

#[test]
fn nothing_is_written_but_text_and_what_edits_a_line() {
    let mut reader = Reader::new(busy());
    for keys in ["?", "<esc>i", "<esc>:x", "<esc>f", "<esc>Sj<tab>text<c-s>", "<esc>P", "<esc>[["] {
        reader.keys(keys);
    }
    let plain = reader.said.replace("\r\x1b[K", "").replace("\r\n", "\n");
    let other: String =
        plain.chars().filter(|c| c.is_control() && *c != '\n' && *c != '\u{8}').collect();
    assert!(other.is_empty(), "{other:?}");
    let boxes = plain.chars().any(|c| ('\u{2500}'..='\u{257f}').contains(&c));
    assert!(!boxes, "a frame was drawn");
}

/// The column and the line at which a text begins on the screen.
#[track_caller]
fn place(console: &Console, text: &str) -> (u16, u16) {
    let screen = console.screen();
    for (y, line) in screen.lines().enumerate() {
        if let Some(at) = line.find(text) {
            let x = line[..at].chars().count();
            return (u16::try_from(x).expect("a column"), u16::try_from(y).expect("a line"));
        }
    }
    panic!("'{text}' is not on the screen:\n{screen}");
}

#[test]
fn clicks_focus_and_select_and_the_wheel_scrolls_what_is_under_it() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut console = Console::new(busy(), "ann", size);
        let click = |console: &mut Console, text: &str| {
            let (x, y) = place(console, text);
            console.tell(Msg::Click(x, y));
        };
        click(&mut console, "KafkaLag  ");
        assert_eq!((console.model.focus, console.model.selected), (Pane::Queue, 1));
        click(&mut console, "HighErrorRate  ");
        console.rest();
        click(&mut console, "SEV2 → SEV1");
        assert_eq!((console.model.focus, console.model.entry_back), (Pane::Timeline, 3));
        assert!(console.screen().contains("▶13:21:00"), "{}", console.screen());
        let (x, y) = place(&console, "SEV2 → SEV1");
        console.tell(Msg::Wheel(x, y, false));
        assert_eq!(console.model.entry_back, 6);
        let (x, y) = place(&console, "KafkaLag  ");
        console.tell(Msg::Wheel(x, y, true));
        assert_eq!((console.model.focus, console.model.selected), (Pane::Queue, 2));
    }
}

#[test]
fn a_click_on_a_strip_opens_it() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    console.tell(Msg::Click(10, 21));
    assert_eq!(console.model.focus, Pane::Chain);
    assert!(console.screen().contains("[Escalation INC-1"), "{}", console.screen());
    console.tell(Msg::Click(10, 22));
    let (x, y) = place(&console, "executives");
    console.tell(Msg::Click(x, y));
    assert!(console.screen().contains("▶executives"), "{}", console.screen());
    console.keys("n");
    console.tell(Msg::Click(1, 1));
    assert_eq!(console.model.focus, Pane::Stakeholders, "a form keeps the focus");
}
