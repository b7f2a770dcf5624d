//! What is wrong with a text, where, and what may have been meant.

use hookwalk_engine::FULL;
use std::fmt;
use std::ops::Range;

/// Words for people about what is wrong, as `format!` makes them. The player has none: where something is wrong, the whole
/// of Hookwalk takes over and says what.
#[macro_export]
macro_rules! words {
    ($($arg:tt)*) => { if $crate::diagnostic::WORDS { format!($($arg)*) } else { String::new() } };
}

/// Are there words? See [`words!`].
pub const WORDS: bool = FULL;

/// A text for people, or nothing in the player.
#[inline(always)]
pub(crate) fn said(text: impl Into<String>) -> String {
    if WORDS { text.into() } else { String::new() }
}

/// A message about a place in a text. Lines and columns count from 1; columns count characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Line.
    pub line: u32,
    /// Column of the first character.
    pub col: u32,
    /// Number of characters; at least 1.
    pub len: u32,
    /// What is wrong.
    pub message: String,
    /// What may have been meant, or what is allowed.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// About the bytes `span` of `text`, a single line that is number `line` of its file. A span that lies outside of
    /// the text or within a character is moved to where it fits.
    #[inline(always)]
    pub fn new(line: u32, text: &str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { message: said(message), ..Diagnostic::at(line, text, span) }
    }
    fn at(line: u32, text: &str, span: Range<usize>) -> Diagnostic {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let count = |s: &str| u32::try_from(s.chars().count()).unwrap_or(u32::MAX);
        Diagnostic {
            line,
            col: count(&text[..start]).saturating_add(1),
            len: count(&text[start..end]).max(1),
            message: String::new(),
            hint: None,
        }
    }
    /// With a hint.
    #[must_use]
    #[inline(always)]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(said(hint));
        self
    }
}

/// The nearest character boundary at or before a byte offset.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Diagnostic {
    /// `LINE:COL: MESSAGE (HINT)`, as compilers print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.col, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The candidate that is nearest to what was written, where one is near enough to be worth a hint.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if !WORDS {
        return None;
    }
    // A long word is nobody's typing error, and the distance costs its length squared.
    if word.len() > 40 {
        return None;
    }
    candidates
        .into_iter()
        .map(|c| (distance(word, c), c))
        .filter(|(d, c)| *d <= 1 + c.len() / 4 && *d < c.len())
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let d = Diagnostic::new(3, "say 数据 x", 11..12, "no");
        assert_eq!((d.line, d.col, d.len), (3, 8, 1));
        let inside = Diagnostic::new(1, "数", 1..900, "no");
        assert_eq!((inside.col, inside.len), (1, 1));
    }

    #[test]
    fn hints_are_near() {
        assert_eq!(nearest("tpc", ["tcp", "udp"]), None);
        assert_eq!(nearest("tcpp", ["tcp", "udp"]), Some("tcp"));
        assert_eq!(nearest("expct", ["expect", "say"]), Some("expect"));
        assert_eq!(nearest("zzz", ["expect", "say"]), None);
    }
}
