//! The terminal, borrowed by a value and given back when it is dropped: on return, on an error and
//! on a panic alike.

use std::fs::File;
use std::io::{self, Write};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::tui::model::Model;
use crate::tui::settings::Settings;
use crate::tui::speech::Speech;
use crate::tui::view::view;

/// Collects a frame and writes it in one piece, inside synchronized output. A frame in which no
/// cell changed writes no byte.
pub struct Output {
    buffer: Vec<u8>,
}

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Hidden once when the terminal is taken; the drawing library says it again with every frame.
const HIDE: &[u8] = b"\x1b[?25l";

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.buffer);
        if bytes.ends_with(HIDE) {
            bytes.truncate(bytes.len() - HIDE.len());
        }
        // Every changed cell comes after a cursor position (H), every clearing is a J; what is left
        // without them only resets styles.
        if memchr::memchr2(b'H', b'J', &bytes).is_none() {
            return Ok(());
        }
        let frame = [BEGIN, &bytes, END].concat();
        raw(&frame)
    }
}

/// Writes past the drawing library.
fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// The terminal while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Output>>,
    mode: Mode,
    /// For a screen reader: nothing is drawn, it is said.
    speech: Option<Speech>,
}

/// What is switched on, and must be switched off again.
#[derive(Debug, Clone, Copy)]
struct Mode {
    mouse: bool,
    plain: bool,
}

impl Screen {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste. For a screen reader the
    /// terminal stays as it is, so that its history holds what was said.
    pub fn take(settings: Settings) -> io::Result<Self> {
        let plain = settings.screen_reader;
        let mode = Mode { mouse: settings.mouse && !plain, plain };
        enable_raw_mode()?;
        let output = Output { buffer: Vec::with_capacity(16 * 1024) };
        let terminal = Terminal::new(CrosstermBackend::new(output))
            .inspect_err(|_| drop(disable_raw_mode()))?;
        let mut screen = Self { terminal, mode, speech: plain.then(Speech::default) };
        speak_after_leaving(mode);
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        if self.mode.plain {
            return execute!(io::stdout(), EnableBracketedPaste);
        }
        // Whoever was killed here left the alternate screen on, with what it drew.
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            ResetColor,
            Clear(ClearType::All),
            EnableBracketedPaste,
            Hide
        )?;
        if self.mode.mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Draws a frame.
    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        if let Some(speech) = &mut self.speech {
            let mut said = speech.say(model);
            if model.theme.is_narrow {
                said = said.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
            }
            return if said.is_empty() { Ok(()) } else { raw(said.as_bytes()) };
        }
        self.terminal.draw(|frame| view(model, frame)).map(|_| ())
    }

    /// Rings the bell and asks the terminal for a notification (OSC 9).
    pub fn bell(&mut self, text: &str) -> io::Result<()> {
        if self.mode.plain {
            return raw(b"\x07"); // What it is about is said.
        }
        let safe: String = crate::domain::text::visible(text).chars().take(120).collect();
        raw(format!("\x07\x1b]9;warroom: {safe}\x07").as_bytes())
    }

    /// Puts a text into the clipboard of the person's own terminal (OSC 52).
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        use base64::Engine as _;
        let safe = crate::domain::text::visible(text);
        let encoded = base64::engine::general_purpose::STANDARD.encode(safe.as_bytes());
        raw(format!("\x1b]52;c;{encoded}\x07").as_bytes())
    }

    /// Forgets what is on the screen, so that the next frame draws all of it.
    pub fn forget(&mut self) -> io::Result<()> {
        if let Some(speech) = &mut self.speech {
            speech.forget();
            return raw(b"\r\n");
        }
        // Not `Terminal::clear`: it asks the terminal where the cursor is, and the answer would be
        // read by the thread that reads what is typed.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal.swap_buffers();
        Ok(())
    }

    /// The size that the terminal has now.
    pub fn size(&self) -> (u16, u16) {
        crossterm::terminal::size().unwrap_or((80, 24))
    }

    /// Gives the terminal back, stops this process, and takes the terminal again afterwards.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP)?;
        enable_raw_mode()?;
        self.enter()?;
        self.forget()
    }

    fn leave(&mut self) {
        give_back(self.mode);
    }
}

/// Switches everything off that was switched on.
fn give_back(mode: Mode) {
    if mode.plain {
        drop(execute!(io::stdout(), DisableBracketedPaste));
        drop(raw(b"\r\n"));
        drop(disable_raw_mode());
        return;
    }
    if mode.mouse {
        drop(execute!(io::stdout(), DisableMouseCapture));
    }
    drop(execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    ));
    drop(disable_raw_mode());
}

/// A panic's message comes after the terminal was given back, so that it can be read.
fn speak_after_leaving(mode: Mode) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back(mode);
        before(panic);
    }));
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Standard input is a terminal, or there is no point in drawing.
pub fn is_terminal() -> bool {
    use std::io::IsTerminal as _;
    io::stdin().is_terminal() && io::stdout().is_terminal() && File::open("/dev/tty").is_ok()
}
