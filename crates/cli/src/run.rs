//! `hookwalk run FILE`: prints the transcript of a lab; exit 1 on a failed `expect`, a bad line, or something that is not
//! simulated.

use crate::{load, say};
use hookwalk_lab::Run;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let [file] = args else {
        eprintln!("usage: hookwalk run FILE");
        return ExitCode::from(2);
    };
    let path = Path::new(file);
    let Some(lab) = load::lab(path) else { return ExitCode::FAILURE };
    let run = Run::to_end(Arc::new(lab));
    say(&run.transcript().to_string());
    let diagnostics: Vec<_> = run.failures.iter().map(|f| f.diagnostic.clone()).collect();
    eprint!("{}", load::messages(path, &diagnostics));
    if run.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
