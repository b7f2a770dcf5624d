//! What a command gives back: two streams, an exit status, and what we do not simulate.

use crate::diagnostic::said;
use hookwalk_engine::FULL;
use std::ops::Range;

/// The result of a command, as a shell would see it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Output {
    /// Standard output, complete lines.
    pub stdout: String,
    /// Standard error, complete lines.
    pub stderr: String,
    /// Exit status.
    pub exit: i32,
    /// Set where the real tool may well succeed but we do not simulate what was asked.
    pub refused: Option<Refusal>,
    /// The player (see [`FULL`]) did what the tool does, but not what it prints.
    pub unprinted: bool,
}

/// Something that is not simulated, and the word that asked for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What, in words: `-m bpf is not simulated`.
    pub message: String,
    /// Bytes of the command line (or of its standard input) that asked for it.
    pub span: Range<usize>,
}

impl Output {
    /// Success with this standard output.
    pub fn ok(stdout: impl Into<String>) -> Output {
        Output { stdout: stdout.into(), ..Output::default() }
    }
    /// Failure with this text on standard error (a newline is added where it has none).
    ///
    /// Which errors are the tool's own and which are ours the player does not know; there, all are the latter.
    #[inline(always)]
    pub fn fail(exit: i32, stderr: impl Into<String>) -> Output {
        if FULL { Output::failed(exit, stderr.into()) } else { Output::refuse("", 0..0) }
    }
    fn failed(exit: i32, stderr: String) -> Output {
        let mut stderr = stderr;
        if !stderr.is_empty() && !stderr.ends_with('\n') {
            stderr.push('\n');
        }
        Output { stderr, exit, ..Output::default() }
    }
    /// The tool or option is not simulated: says so on standard error, with exit status 125, and marks the word.
    #[inline(always)]
    pub fn refuse(message: impl Into<String>, span: Range<usize>) -> Output {
        Output::refused(said(message), span)
    }
    fn refused(message: String, span: Range<usize>) -> Output {
        let stderr = words!("hookwalk: {message}\n");
        Output { stderr, exit: 125, refused: Some(Refusal { message, span }), ..Output::default() }
    }
    /// Success of a command in the player, which prints nothing.
    pub fn unprinted() -> Output {
        Output { unprinted: true, ..Output::default() }
    }
    /// Appends a line to standard output.
    pub fn line(&mut self, text: &str) {
        self.stdout.push_str(text);
        self.stdout.push('\n');
    }
    /// Appends a line to standard error.
    pub fn error_line(&mut self, text: &str) {
        self.stderr.push_str(text);
        self.stderr.push('\n');
    }
}
