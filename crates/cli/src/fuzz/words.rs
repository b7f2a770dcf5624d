//! Small helpers to write strategies for command lines.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// A strategy for a piece of text.
pub(super) type Text = BoxedStrategy<String>;

/// One of these.
pub(super) fn one(of: &'static [&'static str]) -> Text {
    select(of).prop_map(str::to_string).boxed()
}

/// One of these that were made.
pub(super) fn one_of(of: Vec<String>) -> Text {
    select(of).boxed()
}

/// Always this.
pub(super) fn just(text: &str) -> Text {
    Just(text.to_string()).boxed()
}

/// Pieces with a blank between them; empty ones leave none.
pub(super) fn line(pieces: Vec<Text>) -> Text {
    pieces.prop_map(|words| words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")).boxed()
}

/// Pieces without a blank.
pub(super) fn glue(pieces: Vec<Text>) -> Text {
    pieces.prop_map(|words| words.concat()).boxed()
}

/// The text, or with probability `p` nothing; it shrinks towards nothing.
pub(super) fn maybe(p: f64, text: Text) -> Text {
    proptest::option::weighted(p, text).prop_map(Option::unwrap_or_default).boxed()
}

/// One of these strategies, by weight; the first is the simplest.
pub(super) fn weighted(of: Vec<(u32, Text)>) -> Text {
    Union::new_weighted(of).boxed()
}

/// A number of this range, and what it is written after.
pub(super) fn number(before: &str, range: std::ops::RangeInclusive<u32>) -> Text {
    let before = before.to_string();
    range.prop_map(move |n| format!("{before}{n}")).boxed()
}

/// `! ` once in a while.
pub(super) fn not() -> Text {
    maybe(0.2, just("!"))
}
