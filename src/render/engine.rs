//! Filling a template in.
//!
//! Invariants:
//! - A template sees the values, a few harmless filters, and nothing else: no files, no other
//!   templates, no environment.
//! - Its work, its nesting and what it writes are bounded.
//! - In HTML every value is escaped; what a template does not give as HTML is escaped as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, filters, tests};

use super::context::{Known, context_names};
use crate::domain::markup::paragraphs;
use crate::domain::template::Template;
use crate::domain::text::{visible, visible_lines};

/// Steps that a template may take; the shipped ones need a few hundred.
const FUEL: u64 = 50_000;

/// Bytes that a template may be long, and that an update may be long.
pub(super) const TEMPLATE_MAX: usize = 32 * 1024;
const MESSAGE_MAX: usize = 128 * 1024;

/// How deep a template may nest.
const NESTING_MAX: usize = 32;

/// For what an update is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Plain text.
    Text,
    /// The inside of an HTML body.
    Html,
}

/// An update, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line of plain text, fit for a mail's header once that is encoded.
    pub subject: String,
    /// The text, or HTML.
    pub body: String,
}

/// What a value is called where it is asked for, if otherwise.
fn field_of(name: &str) -> &'static str {
    match name {
        "data_loss" => " ('data')",
        "lingering" => " ('what remains')",
        "action" => " ('what we do')",
        "what" => " ('what happens')",
        "impact" => " ('affected')",
        _ => "",
    }
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Something that it says is not known.
    #[error("the {part} needs '{name}', which is not known yet; fill it in{}", field_of(name))]
    Missing {
        /// Subject, body or html.
        part: &'static str,
        /// The name of the value.
        name: String,
    },
    /// It takes too much work.
    #[error("the {part} takes too many steps; make the template simpler")]
    TooMuch {
        /// Subject, body or html.
        part: &'static str,
    },
    /// It or what it gives is too long.
    #[error("the {part} is longer than {limit} bytes; shorten it")]
    TooLong {
        /// Subject, body or html.
        part: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It is no template.
    #[error("the {part} is no template: {why}; mend it in the plan")]
    Broken {
        /// Subject, body or html.
        part: &'static str,
        /// What is wrong, with the line.
        why: String,
    },
}

/// An environment that holds no template and can load none.
fn environment(output: Output) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(NESTING_MAX);
    // A line that holds only a tag leaves no line behind.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_test("defined", tests::is_defined);
    environment.set_auto_escape_callback(move |_| match output {
        Output::Text => AutoEscape::None,
        Output::Html => AutoEscape::Html,
    });
    environment
}

/// The names that a template uses and that it does not define itself.
pub(super) fn names_used(source: &str) -> Result<BTreeSet<String>, String> {
    let environment = environment(Output::Text);
    let template = environment.template_from_str(source).map_err(|error| detail(&error))?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

/// What a template may be told to do; the others could grow without bound, or hide values.
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// The first tag that templates may not use.
fn forbidden_tag(source: &str) -> Option<&str> {
    let tags = source.split("{%").skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['-', '+']).trim_start();
        rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
    });
    tags.into_iter().find(|tag| !TAGS.contains(tag))
}

/// Keeps what is written, up to a limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MESSAGE_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fills one part in.
fn fill(
    part: &'static str,
    source: &str,
    known: &Known,
    output: Output,
) -> Result<String, RenderError> {
    if source.len() > TEMPLATE_MAX {
        return Err(RenderError::TooLong { part, limit: TEMPLATE_MAX });
    }
    if let Some(tag) = forbidden_tag(source) {
        let known = TAGS.join(", ");
        return Err(RenderError::Broken {
            part,
            why: format!("the tag '{tag}' is not allowed; use one of: {known}"),
        });
    }
    let environment = environment(output);
    let template = environment.template_from_str(source).map_err(|error| broken(part, &error))?;
    let mut filled = Bounded(Vec::new());
    let values = known.values();
    template
        .render_captured_to(Value::from(values.clone()), &mut filled)
        .map_err(|error| failure(part, source, &values, &template, &error))?;
    Ok(String::from_utf8_lossy(&filled.0).into_owned())
}

/// Why it failed, in words that say what to do.
fn failure(
    part: &'static str,
    source: &str,
    values: &BTreeMap<&'static str, Value>,
    template: &minijinja::Template<'_, '_>,
    error: &minijinja::Error,
) -> RenderError {
    if error.kind() == ErrorKind::OutOfFuel {
        return RenderError::TooMuch { part };
    }
    if error.kind() == ErrorKind::WriteFailure {
        return RenderError::TooLong { part, limit: MESSAGE_MAX };
    }
    let used = template.undeclared_variables(false);
    let absent = context_names()
        .iter()
        .map(|meaning| meaning.name)
        .filter(|name| used.contains(*name) && !values.contains_key(name))
        .min_by_key(|name| place(source, name, error.line()));
    match absent.filter(|_| error.kind() == ErrorKind::UndefinedError) {
        Some(name) => RenderError::Missing { part, name: name.to_owned() },
        None => broken(part, error),
    }
}

/// How far a name is from the line of an error: the value to blame is the nearest.
fn place(source: &str, name: &str, line: Option<usize>) -> usize {
    let blamed = line.unwrap_or(1);
    let lines = source.lines().enumerate();
    let distances =
        lines.filter(|(_, text)| text.contains(name)).map(|(at, _)| blamed.abs_diff(at + 1));
    distances.min().unwrap_or(usize::MAX)
}

fn broken(part: &'static str, error: &minijinja::Error) -> RenderError {
    RenderError::Broken { part, why: detail(error) }
}

fn detail(error: &minijinja::Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    format!("{detail}{line}")
}

/// Fills a template in.
pub fn render(template: &Template, known: &Known, output: Output) -> Result<Message, RenderError> {
    let subject = fill("subject", &template.subject, known, Output::Text)?;
    let subject = visible(subject.trim()).split_whitespace().collect::<Vec<&str>>().join(" ");
    let body = match (output, &template.html) {
        (Output::Html, Some(html)) => fill("html", html, known, Output::Html)?,
        (Output::Text, _) => text_body(template, known)?,
        (Output::Html, None) => paragraphs(&text_body(template, known)?),
    };
    Ok(Message { subject, body })
}

/// The text, with no line end at its head, no more than one empty line, and one end at its foot.
fn text_body(template: &Template, known: &Known) -> Result<String, RenderError> {
    let filled = visible_lines(&fill("body", &template.body, known, Output::Text)?);
    let mut body = String::with_capacity(filled.len());
    let mut empty = 0;
    for line in filled.trim().lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            body.push_str(line);
            body.push('\n');
        }
    }
    Ok(body)
}
