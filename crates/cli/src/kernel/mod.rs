//! `hookwalk kernel`: runs labs on the Linux kernel of this machine and gives their transcripts.
//!
//! Read in this order: [`network`] (a lab's network out of namespaces), [`recorder`] (running it line by line), then
//! the parts: [`clock`], [`netns`], [`packet_socket`], [`listen`], [`process`].

mod clock;
mod listen;
mod netns;
mod network;
mod packet_socket;
mod process;
mod recorder;

pub(crate) use process::Stop;
pub(crate) use recorder::{Recording, record};

use crate::load;
use hookwalk_lab::Lab;
use hookwalk_lab::file::Statement;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const USAGE: &str = "\
usage: hookwalk kernel [-j N] [--write] FILE…
  runs labs on this machine's kernel (root) and prints their transcripts
  --write   writes each beside its lab, as NAME.kernel
  -j N      so many labs at the same time
";

/// What the command line asks for.
pub(crate) struct Options {
    /// Labs at the same time.
    pub(crate) jobs: usize,
    /// Write transcripts beside the labs.
    pub(crate) write: bool,
    /// What else was named.
    pub(crate) paths: Vec<PathBuf>,
}

/// Reads options; `None` where they make no sense.
pub(crate) fn options(args: &[&str]) -> Option<Options> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options { jobs, write: false, paths: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--write" => options.write = true,
            "-j" => options.jobs = args.next()?.parse().ok().filter(|n| *n > 0)?,
            _ if arg.starts_with('-') => match arg.strip_prefix("-j").map(str::parse) {
                Some(Ok(jobs)) if jobs > 0 => options.jobs = jobs,
                _ => return None,
            },
            _ => options.paths.push(PathBuf::from(arg)),
        }
    }
    (!options.paths.is_empty()).then_some(options)
}

/// `hookwalk kernel`: exit 0, 1 where an `expect` failed or a lab could not run, 2 for bad arguments.
pub(crate) fn main(args: &[&str]) -> ExitCode {
    let Some(options) = options(args) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut labs = Vec::new();
    for path in &options.paths {
        let Some(lab) = load::lab(path) else { return ExitCode::FAILURE };
        labs.push((path.clone(), lab));
    }
    if let Some(what) = missing(labs.iter().map(|(_, lab)| lab)) {
        eprintln!("hookwalk kernel: {what}");
        return ExitCode::FAILURE;
    }
    let Ok(stop) = Stop::on_signals() else { return ExitCode::FAILURE };
    let results = record_all(&labs, options.jobs, &stop);
    if stop.asked() {
        eprintln!("hookwalk kernel: interrupted");
        return ExitCode::from(130);
    }
    let mut good = true;
    for ((path, _), result) in labs.iter().zip(results) {
        match result {
            Ok(recording) => {
                for (line, message) in &recording.failed {
                    good = false;
                    eprint!("{}:{line}: {message}", path.display());
                }
                let text = recording.transcript.to_string();
                if !options.write {
                    print!("{text}");
                } else if let Err(e) = std::fs::write(transcript_path(path), text) {
                    good = false;
                    eprintln!("{}: {e}", transcript_path(path).display());
                }
            }
            Err(e) => {
                good = false;
                eprintln!("{}: {e}", path.display());
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where a lab's transcript is kept: `NAME.kernel` beside `NAME.lab`.
pub(crate) fn transcript_path(lab: &Path) -> PathBuf {
    lab.with_extension("kernel")
}

/// Records labs, `jobs` at a time; results in the labs' order.
pub(crate) fn record_all(
    labs: &[(PathBuf, Lab)],
    jobs: usize,
    stop: &Stop,
) -> Vec<std::io::Result<Recording>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<std::io::Result<Recording>>>> =
        Mutex::new(labs.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(labs.len()) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, lab)) = labs.get(i) else { break };
                    let result = record(lab, stop);
                    if let Ok(mut results) = results.lock() {
                        results[i] = Some(result);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    results
        .into_iter()
        .map(|r| r.unwrap_or_else(|| Err(std::io::Error::other("the recorder failed"))))
        .collect()
}

/// What this machine lacks to run these labs, in one line.
pub(crate) fn missing<'a>(labs: impl Iterator<Item = &'a Lab>) -> Option<String> {
    let mut tools = BTreeSet::from(["ip"]);
    for lab in labs {
        if let Some(max) = lab.machine.conntrack_max {
            let now = std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_max").unwrap_or_default();
            if now.trim() != max.to_string() {
                return Some(format!(
                    "a lab needs nf_conntrack_max={max} of the whole machine, not of a namespace: set it, and set it back"
                ));
            }
        }
        if lab.links.iter().any(|l| l.ends.len() > 2) {
            tools.insert("bridge");
        }
        for line in &lab.lines {
            if let Statement::Command { words, .. } = &line.what
                && let Some(name) = words.first().map(|w| w.text.as_str())
                && !matches!(name, "frames" | "listen")
            {
                tools.insert(name);
            }
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let absent: Vec<&str> = tools
        .into_iter()
        .filter(|tool| !std::env::split_paths(&path).any(|dir| dir.join(tool).is_file()))
        .collect();
    if !absent.is_empty() {
        let packages = "Debian: apt-get install iproute2 iptables conntrack ipset nftables procps";
        return Some(format!("not installed: {} ({packages})", absent.join(", ")));
    }
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root: each host of a lab becomes a network namespace".into());
    }
    None
}
