//! What a command gives back: two streams, an exit status, and what we do not simulate.

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
    pub fn fail(exit: i32, stderr: impl Into<String>) -> Output {
        let mut stderr = stderr.into();
        if !stderr.is_empty() && !stderr.ends_with('\n') {
            stderr.push('\n');
        }
        Output { stderr, exit, ..Output::default() }
    }
    /// The tool or option is not simulated: says so on standard error, with exit status 125, and marks the word.
    pub fn refuse(message: impl Into<String>, span: Range<usize>) -> Output {
        let message = message.into();
        let stderr = format!("hookwalk: {message}\n");
        Output { stdout: String::new(), stderr, exit: 125, refused: Some(Refusal { message, span }) }
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
