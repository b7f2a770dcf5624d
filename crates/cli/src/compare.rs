//! `hookwalk compare KERNEL OURS LAB`: exit 0 if the transcripts agree, 1 with the differences if not.

use crate::{load, say};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let [kernel, ours, lab] = args else {
        eprintln!("usage: hookwalk compare KERNEL OURS LAB");
        return ExitCode::from(2);
    };
    let Some(lab) = load::lab(Path::new(lab)) else { return ExitCode::from(2) };
    let (kernel, ours) = match (load::transcript(Path::new(kernel)), load::transcript(Path::new(ours))) {
        (Ok(kernel), Ok(ours)) => (kernel, ours),
        (kernel, ours) => {
            for message in [kernel.err(), ours.err()].into_iter().flatten() {
                eprint!("{message}");
            }
            return ExitCode::from(2);
        }
    };
    let differences = hookwalk_lab::compare(&kernel, &ours, Some(&lab));
    for d in &differences {
        say(&d.to_string());
    }
    if differences.is_empty() {
        say("agree\n");
        ExitCode::SUCCESS
    } else {
        say(&format!("{} differences\n", differences.len()));
        ExitCode::FAILURE
    }
}
