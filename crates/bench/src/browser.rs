//! The wasm, in Node and in Chromium: a script beside the page runs the laps and prints what the clock said.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Where the wasm runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Node.
    Node,
    /// Chromium, without a window.
    Chromium,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Place::Node => "node",
            Place::Chromium => "chromium",
        }
    }
}

/// What the script prints: `laps` (packets a second by workload), `start` (milliseconds), `version`.
pub(crate) fn measure(
    place: Place,
    script: &Path,
    package: &Path,
    only: Option<&str>,
    quick: bool,
) -> Result<Value, String> {
    let mut command = Command::new("node");
    command.arg(script).arg(place.word()).arg(package);
    command.arg(only.unwrap_or("")).arg(if quick { "quick" } else { "whole" });
    let out = command.output().map_err(|e| format!("node: {e}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(said.lines().find(|l| l.contains("Error")).unwrap_or("it failed").trim().to_owned());
    }
    serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())
}
