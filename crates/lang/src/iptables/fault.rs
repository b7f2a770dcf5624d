//! Why a command of the iptables family stops, and how the real tools put it: prefix, hint line, exit status.

use super::Tool;
use crate::diagnostic::said;
use crate::output::Output;
use hookwalk_engine::FULL;
use std::ops::Range;

/// The end of a command before it did what was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// `PARAMETER_PROBLEM`: the command line makes no sense; exit 2, with the hint to read the help.
    Parameter(String),
    /// Another problem that the tool reports with its version line; exit status given.
    Other(i32, String),
    /// A word that is no option where none is wanted.
    BadArgument(String),
    /// A message of its own, complete, without the tool's name.
    Plain(i32, String),
    /// An operation on a chain or rule that could not be found, as `iptc_strerror` words it; exit 1.
    Operation(&'static str),
    /// The kernel refused: operation, reason, and what it was about; exit 4.
    Kernel {
        /// `RULE_APPEND` …
        op: &'static str,
        /// The errno in words.
        why: &'static str,
        /// `rule in chain FORWARD`.
        about: String,
    },
    /// The kernel refused these lines of a restore: line, and what the sentence is.
    KernelLines(Vec<(u32, String)>),
    /// An extension was looked at before all of its options were there.
    Incomplete,
    /// Only the hint to read the help (a family option that does not fit the tool).
    HintOnly,
    /// The real tool knows it, Hookwalk does not.
    Refused(String, Range<usize>),
}

/// `EINVAL` in words.
pub(crate) const EINVAL: &str = "Invalid argument";
/// `ENOENT` in words.
pub(crate) const ENOENT: &str = "No such file or directory";
/// `EMLINK` in words: too deep, or a loop.
pub(crate) const EMLINK: &str = "Too many links";
/// What the tools say for `ENOENT` on chains and targets.
pub(crate) const NO_CHAIN: &str = "No chain/target/match by that name.";

impl Fault {
    /// A [`Fault::Parameter`].
    #[inline(always)]
    pub(crate) fn param(text: impl Into<String>) -> Fault {
        Fault::Parameter(said(text))
    }

    /// As the tool prints it. `line` is the input line of a restore.
    pub(crate) fn output(self, tool: &Tool, line: Option<u32>) -> Output {
        if !FULL {
            return Output::refuse("", 0..0);
        }
        let name = &tool.name;
        let hint = format!("Try `{name} -h' or '{name} --help' for more information.\n");
        let at = line.map_or(String::new(), |l| format!("Error occurred at line: {l}\n"));
        match self {
            Fault::Parameter(text) => Output::fail(2, format!("{}: {text}\n{at}{hint}", tool.version())),
            Fault::Other(exit, text) => {
                let hint = if exit == 3 {
                    "Perhaps iptables or your kernel needs to be upgraded.\n"
                } else if exit == 2 {
                    &hint
                } else {
                    ""
                };
                Output::fail(exit, format!("{}: {text}\n{hint}", tool.version()))
            }
            Fault::BadArgument(word) => Output::fail(2, format!("Bad argument `{word}'\n{at}{hint}")),
            Fault::Plain(exit, text) => Output::fail(exit, text),
            Fault::Operation(text) => match line {
                Some(line) => Output::fail(1, format!("{name}: line {line} failed: {text}\n")),
                None => Output::fail(1, format!("{name}: {text}\n")),
            },
            Fault::Kernel { op, why, about } => {
                let at = line.map_or(" ".to_string(), |l| format!("\nline {l}: "));
                Output::fail(4, format!("{}: {at}{op} failed ({why}): {about}\n", tool.version()))
            }
            Fault::KernelLines(lines) => {
                let mut text = format!("{}: ", tool.version());
                for (line, sentence) in lines {
                    text.push_str(&format!("\nline {line}: {sentence}"));
                }
                Output::fail(4, text)
            }
            Fault::Incomplete => Output::fail(2, hint),
            Fault::HintOnly => Output::fail(2, hint),
            Fault::Refused(message, span) => Output::refuse(message, span),
        }
    }
}
