//! Texts that hold what was typed letter by letter: `dtbs` is in `database`.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What was typed, to be looked for in many texts.
pub struct Resembling {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Resembling {
    /// Looks for these words.
    pub fn new(typed: &str) -> Self {
        let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
        Self { pattern, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new() }
    }

    /// How well a text fits; none: it does not hold the letters in order.
    pub fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
    }
}
