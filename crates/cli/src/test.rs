//! `hookwalk test PATH…`: labs with `expect` lines, and labs with a kernel's transcript beside them.
//!
//! Beside `NAME.lab`: `NAME.kernel` is what a kernel printed. `NAME.known` says that we differ from the kernel there, and
//! why; it must hold the differences as this command prints them (lines that begin with `#` are the reason), and the test
//! fails when they are others, or gone.

use crate::{load, say};
use hookwalk_lab::run::FailureKind;
use hookwalk_lab::{Lab, compare, verify};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn main(args: &[&str]) -> ExitCode {
    if args.is_empty() {
        eprintln!("usage: hookwalk test PATH…");
        return ExitCode::from(2);
    }
    let mut labs = Vec::new();
    for arg in args {
        if let Err(e) = find(Path::new(arg), &mut labs) {
            eprintln!("{arg}: {e}");
            return ExitCode::from(2);
        }
    }
    let (mut passed, mut failed) = (0, 0);
    for path in &labs {
        match check(path) {
            Ok(()) => passed += 1,
            Err(report) => {
                failed += 1;
                let body: String = report.lines().map(|line| format!("    {line}\n")).collect();
                say(&format!("FAILED {}\n{body}", path.display()));
            }
        }
    }
    say(&format!("{passed} passed, {failed} failed\n"));
    // No lab at all is no success: the path was meant to have some.
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All labs at or below a path, in order of their names.
pub(crate) fn find(path: &Path, labs: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        labs.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            find(&entry, labs)?;
        } else if entry.extension().is_some_and(|e| e == "lab") {
            labs.push(entry);
        }
    }
    Ok(())
}

/// Runs one lab; the error is a report for people.
fn check(path: &Path) -> Result<(), String> {
    let lab = Arc::new(load::lab_or_messages(path)?);
    judge(path, &lab, read_beside(path, "kernel")?.as_deref())
}

/// Runs one lab against what a kernel printed; the error is a report for people.
pub(crate) fn judge(path: &Path, lab: &Arc<Lab>, kernel: Option<&str>) -> Result<(), String> {
    let run = verify::run(lab.clone()).map_err(|broken| format!("an invariant is broken: {broken}\n"))?;
    let mut report = String::new();
    for failure in &run.failures {
        let _ = writeln!(report, "{}:{}", path.display(), failure.diagnostic);
    }
    // What fails on our side alone is no known difference from a kernel.
    let expects_fail = run.failures.iter().any(|f| f.kind == FailureKind::Expect);
    let differences = match kernel {
        Some(kernel) => compare(kernel, &run.transcript().to_string(), Some(lab))
            .iter()
            .map(ToString::to_string)
            .collect::<String>(),
        None => String::new(),
    };
    match read_beside(path, "known")? {
        None => {
            report.push_str(&differences);
            if report.is_empty() { Ok(()) } else { Err(report) }
        }
        Some(known) => {
            let known: String =
                known.lines().filter(|l| !l.starts_with('#')).map(|l| format!("{l}\n")).collect();
            if differences.is_empty() {
                report.push_str("the known difference is gone: delete the .known file\n");
            } else if known.trim() != differences.trim() {
                let _ = write!(report, "the difference is not the known one:\n{differences}");
            } else if !expects_fail {
                return Ok(());
            }
            Err(report)
        }
    }
}

/// The file with another extension beside a lab, if there is one.
pub(crate) fn read_beside(path: &Path, extension: &str) -> Result<Option<String>, String> {
    let file = path.with_extension(extension);
    if !file.exists() {
        return Ok(None);
    }
    load::transcript(&file).map(Some)
}
