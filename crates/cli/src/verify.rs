//! `hookwalk verify PATH…`: records labs on this machine's kernel, and compares in one go: with the transcript that is
//! kept beside each lab (is it stale?), and with the simulator (is it right?).
//!
//! Beside each transcript, `NAME.versions` says which kernel and which tools gave it. Where `NAME.facts` stands instead, a
//! namespace cannot repeat the recording, and the file says why and how it was made: only the simulator is run there.

use crate::kernel::{self, Options, Stop, options};
use crate::{load, say, test};
use hookwalk_lab::compare;
use hookwalk_lab::file::{Lab, Statement};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

const USAGE: &str = "\
usage: hookwalk verify [-j N] [--write] PATH...
  runs the labs below PATH on this machine's kernel (root); fails where the kernel does not print what NAME.kernel
  says, where an expect line does not hold, and where the simulator prints something else than the kernel
  --write   keeps what the kernel printed, as NAME.kernel, and what it was, as NAME.versions
  -j N      so many labs at the same time
";

/// `hookwalk verify`: exit 0 if all agree, 1 if not, 2 for bad arguments.
pub(crate) fn main(args: &[&str]) -> ExitCode {
    let Some(options) = options(args) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let labs = match labs(&options) {
        Ok(labs) => labs,
        Err(message) => {
            eprint!("{message}");
            return ExitCode::from(2);
        }
    };
    let (kept, labs): (Vec<_>, Vec<_>) = labs.into_iter().partition(|(path, _)| has_facts(path));
    if let Some(what) = kernel::missing(labs.iter().map(|(_, lab)| lab)) {
        eprintln!("hookwalk verify: {what}");
        return ExitCode::FAILURE;
    }
    let Ok(stop) = Stop::on_signals() else { return ExitCode::FAILURE };
    let recordings = kernel::record_all(&labs, options.jobs, &stop);
    if stop.asked() {
        eprintln!("hookwalk verify: interrupted");
        return ExitCode::from(130);
    }
    let (mut passed, mut failed) = (0, 0);
    for (path, lab) in kept {
        match test::read_beside(&path, "kernel")
            .and_then(|kernel| test::judge(&path, &Arc::new(lab), kernel.as_deref()))
        {
            Ok(()) => say(&format!("kept   {}: see its .facts\n", path.display())),
            Err(report) => {
                failed += 1;
                let body: String = report.lines().map(|line| format!("    {line}\n")).collect();
                say(&format!("FAILED {}\n{body}", path.display()));
            }
        }
    }
    for (lab, recording) in labs.into_iter().zip(recordings) {
        let mut verdict = judge(&lab, recording, options.write);
        // What hangs on milliseconds (rates, timers) may differ on a busy machine: such a lab gets the machine for itself,
        // and it is said that it needed it. A real difference is there each time.
        let mut again = 0;
        while verdict.is_err() && again < AGAIN && !options.write && !stop.asked() {
            again += 1;
            let alone = std::slice::from_ref(&lab);
            let recording = kernel::record_all(alone, 1, &stop).pop();
            verdict = recording.map_or(verdict, |recording| judge(&lab, recording, false));
        }
        let path = lab.0;
        match verdict {
            Ok(()) => {
                passed += 1;
                if again > 0 {
                    say(&format!("unsteady {}: agreed when recorded again, alone\n", path.display()));
                }
            }
            Err(report) => {
                failed += 1;
                let body: String = report.lines().map(|line| format!("    {line}\n")).collect();
                say(&format!("FAILED {}\n{body}", path.display()));
            }
        }
    }
    say(&format!("{passed} agree with Linux {}, {failed} do not\n", release()));
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Was this lab's transcript made in a way that a namespace cannot repeat?
fn has_facts(lab: &Path) -> bool {
    lab.with_extension("facts").is_file()
}

fn labs(options: &Options) -> Result<Vec<(PathBuf, Lab)>, String> {
    let mut paths = Vec::new();
    for path in &options.paths {
        test::find(path, &mut paths).map_err(|e| format!("{}: {e}\n", path.display()))?;
    }
    paths.into_iter().map(|path| load::lab_or_messages(&path).map(|lab| (path, lab))).collect()
}

/// How often a lab that differs is recorded again.
const AGAIN: u32 = 2;

/// A lab and what came of recording it; the error is a report for people.
fn judge(
    (path, lab): &(PathBuf, Lab),
    recording: std::io::Result<kernel::Recording>,
    write: bool,
) -> Result<(), String> {
    match recording {
        Ok(recording) => check(path, lab.clone(), &recording, write),
        Err(e) => Err(format!("the kernel did not run it: {e}\n")),
    }
}

/// One recording; the error is a report for people.
fn check(path: &Path, lab: Lab, recording: &kernel::Recording, write: bool) -> Result<(), String> {
    let kernel = recording.transcript.to_string();
    let mut report = String::new();
    for (line, message) in &recording.failed {
        let _ = write!(report, "{}:{line}: on the kernel: {message}", path.display());
    }
    if write {
        for (extension, text) in [("kernel", &kernel), ("versions", &versions(&lab))] {
            let file = path.with_extension(extension);
            std::fs::write(&file, text).map_err(|e| format!("{}: {e}\n", file.display()))?;
        }
    } else if let Some(kept) = test::read_beside(path, "kernel")? {
        let stale = compare(&kept, &kernel, Some(&lab));
        if !stale.is_empty() {
            report.push_str(
                "the transcript beside the lab (\"kernel\") is not what this kernel prints (\"ours\"):\n",
            );
            stale.iter().for_each(|d| report.push_str(&d.to_string()));
        }
    }
    if let Err(differences) = test::judge(path, &Arc::new(lab), Some(&kernel)) {
        report.push_str("the simulator and this kernel differ:\n");
        report.push_str(&differences);
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// The kernel's release, as `uname -r` says it.
fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "?".into(), |r| r.trim().to_string())
}

/// The kernel and the tools that a lab used, a line each.
fn versions(lab: &Lab) -> String {
    let mut text = format!("Linux {}\n", release());
    let names: BTreeSet<&str> = lab
        .lines
        .iter()
        .filter_map(|line| match &line.what {
            Statement::Command { words, .. } => words.first().map(|w| w.text.as_str()),
            _ => None,
        })
        .filter(|name| !matches!(*name, "frames" | "listen"))
        .collect();
    for name in names {
        let option = if name == "ip" { "-V" } else { "--version" };
        let said = Command::new(name).arg(option).output();
        let said = said.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        let _ = writeln!(text, "{name}: {}", said.lines().next().unwrap_or("?"));
    }
    text
}
