//! Reads lab files, and says what is wrong with them as compilers do: `FILE:LINE:COL: MESSAGE (HINT)`.

use hookwalk_lab::Lab;
use hookwalk_lang::Diagnostic;
use std::path::Path;

/// Reads a lab; its messages go to standard error.
pub(crate) fn lab(path: &Path) -> Option<Lab> {
    match lab_or_messages(path) {
        Ok(lab) => Some(lab),
        Err(messages) => {
            eprint!("{messages}");
            None
        }
    }
}

/// Reads a lab.
///
/// # Errors
/// All that is wrong, one message a line.
pub(crate) fn lab_or_messages(path: &Path) -> Result<Lab, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}\n", path.display()))?;
    hookwalk_lab::parse_bytes(&bytes).map_err(|diagnostics| messages(path, &diagnostics))
}

/// Messages about a file, one a line.
pub(crate) fn messages(path: &Path, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{}:{d}\n", path.display())).collect()
}

/// Reads a transcript; a byte that is not UTF-8 is some tool's output, and is shown as what it is not.
pub(crate) fn transcript(path: &Path) -> Result<String, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(e) => Err(format!("{}: {e}\n", path.display())),
    }
}
