//! `hookwalk fuzz`: draws random labs, runs each on the kernel and in the simulator, and makes those that differ small.
//!
//! Read in this order: [`plan`] (a random lab), [`world`], [`rules`], [`packets`] (its parts), then this file.

#[cfg(test)]
mod indexed;
mod packets;
mod plan;
mod rules;
mod words;
mod world;

use crate::kernel::{Stop, missing, record};
use crate::say;
use hookwalk_lab::run::Run;
use hookwalk_lab::{Lab, compare};
use plan::{Plan, plan};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use world::World;

const USAGE: &str = "\
usage: hookwalk fuzz [--seed S] [--count N] [-j N] [--save DIR] [--family 4|6] [--stop-after N] [--as-drawn] [--case N]
  draws N labs from seed S, runs each on this machine's kernel (root) and in the simulator, and compares
  --save DIR      where labs that differ go, made small (default target/fuzz)
  --stop-after N  so many that differ are enough (default 20)
  --as-drawn      does not make them small
  --case N        only the lab of this number, from 0
";

/// A lab that runs longer than this many steps in the simulator never ends.
const MOST_STEPS: usize = 3_000_000;
/// So many runs on the kernel are spent to make one lab small.
const MOST_TRIES: usize = 250;

struct Options {
    seed: u64,
    count: usize,
    jobs: usize,
    save: PathBuf,
    family: Option<bool>,
    stop_after: usize,
    shrink: bool,
    case: Option<usize>,
}

fn options(args: &[&str]) -> Option<Options> {
    let mut options = Options {
        seed: 1,
        count: 100,
        jobs: std::thread::available_parallelism().map_or(1, usize::from) * 2,
        save: PathBuf::from("target/fuzz"),
        family: None,
        stop_after: 20,
        shrink: true,
        case: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--seed" => options.seed = args.next()?.parse().ok()?,
            "--count" => options.count = args.next()?.parse().ok()?,
            "-j" => options.jobs = args.next()?.parse().ok().filter(|n| *n > 0)?,
            "--save" => options.save = PathBuf::from(args.next()?),
            "--family" => options.family = Some(args.next()? == &"6"),
            "--stop-after" => options.stop_after = args.next()?.parse().ok()?,
            "--case" => options.case = Some(args.next()?.parse().ok()?),
            "--as-drawn" => options.shrink = false,
            _ => return None,
        }
    }
    Some(options)
}

/// `hookwalk fuzz`: exit 0 if no lab differed, 1 if one did, 2 for bad arguments.
pub(crate) fn main(args: &[&str]) -> ExitCode {
    let Some(options) = options(args) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let tools = "host h eth0=10.0.0.1/24\nh# iptables -S\nh# ip6tables -S\nh# conntrack -L\nh# sysctl -a\n";
    if let Some(what) = missing([&hookwalk_lab::parse(tools).0].into_iter()) {
        eprintln!("hookwalk fuzz: {what}");
        return ExitCode::FAILURE;
    }
    let Ok(stop) = Stop::on_signals() else { return ExitCode::FAILURE };
    // The simulator must not panic; if it does, that is a finding with its own report.
    std::panic::set_hook(Box::new(|_| {}));
    let next = AtomicUsize::new(options.case.unwrap_or(0));
    let end = options.case.map_or(options.count, |case| case + 1);
    let found = Mutex::new(Found::default());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let enough = found.lock().is_ok_and(|f| f.differ >= options.stop_after);
                    if case >= end || enough || stop.asked() {
                        break;
                    }
                    try_case(&options, case, &stop, &found);
                }
            });
        }
    });
    let Ok(found) = found.into_inner() else { return ExitCode::FAILURE };
    say(&format!(
        "seed {}: {} labs agree, {} differ, {} are not steady on the kernel itself\n",
        options.seed, found.agree, found.differ, found.unsteady
    ));
    if found.differ == 0 && !stop.asked() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Default)]
struct Found {
    agree: usize,
    differ: usize,
    unsteady: usize,
}

/// What came of one lab.
enum Verdict {
    Agree,
    /// Two runs on the kernel gave different transcripts, or it did not run: chance decided. Says where.
    Unsteady(String),
    /// The kernel's transcript, and where ours differs.
    Differ(String, String),
}

fn try_case(options: &Options, case: usize, stop: &Stop, found: &Mutex<Found>) {
    let world = World { v6: options.family.unwrap_or(case % 3 == 2) };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&options.seed.to_le_bytes());
    seed[8..16].copy_from_slice(&(case as u64).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let title = format!("seed {} case {case}", options.seed);
    let Ok(mut tree) = plan(world).new_tree(&mut runner) else { return };
    let text = tree.current().text(&title);
    let verdict = judge(&text, stop);
    let Ok(mut all) = found.lock() else { return };
    match verdict {
        Verdict::Agree => all.agree += 1,
        Verdict::Unsteady(why) => {
            all.unsteady += 1;
            drop(all);
            save(&options.save.join("unsteady"), &format!("s{}c{case}", options.seed), &text, "", &why);
        }
        Verdict::Differ(..) if stop.asked() => {}
        Verdict::Differ(kernel, difference) => {
            all.differ += 1;
            drop(all);
            let (text, kernel, difference) = if options.shrink {
                shrink(&mut tree, &title, text, (kernel, difference), stop)
            } else {
                (text, kernel, difference)
            };
            let name = format!("s{}c{case}", options.seed);
            let saved = save(&options.save, &name, &text, &kernel, &difference);
            let body: String = difference.lines().take(12).map(|l| format!("    {l}\n")).collect();
            say(&format!("DIFFERS {saved}\n{body}"));
        }
    }
}

/// Runs a lab on both sides. A difference counts if the kernel agrees with itself.
fn judge(text: &str, stop: &Stop) -> Verdict {
    let (lab, diagnostics) = hookwalk_lab::parse(text);
    if let Some(d) = diagnostics.first() {
        return Verdict::Differ(String::new(), format!("the lab cannot be read: {d}\n"));
    }
    let lab = Arc::new(lab);
    let ours = simulate(&lab);
    let first = match record(&lab, stop) {
        Ok(recording) => recording.transcript.to_string(),
        Err(e) => return Verdict::Unsteady(format!("the kernel did not run it: {e}\n")),
    };
    let difference = difference(&first, &ours, &lab);
    if difference.is_empty() {
        return Verdict::Agree;
    }
    let second = record(&lab, stop).map(|r| r.transcript.to_string()).unwrap_or_default();
    let unsteady = compare(&first, &second, Some(&lab));
    if unsteady.is_empty() {
        Verdict::Differ(first, difference)
    } else {
        Verdict::Unsteady(unsteady.iter().map(ToString::to_string).collect())
    }
}

fn difference(kernel: &str, ours: &Result<String, String>, lab: &Lab) -> String {
    match ours {
        Ok(ours) => compare(kernel, ours, Some(lab)).iter().map(ToString::to_string).collect(),
        Err(what) => what.clone(),
    }
}

/// The simulator's transcript, or what stopped it.
fn simulate(lab: &Arc<Lab>) -> Result<String, String> {
    let lab = Arc::clone(lab);
    std::panic::catch_unwind(move || {
        let mut run = Run::new(lab);
        for _ in 0..MOST_STEPS {
            if !run.step(&mut hookwalk_lab::record::NoSink) {
                return Ok(run.transcript().to_string());
            }
        }
        Err(format!("the simulator did not end within {MOST_STEPS} steps\n"))
    })
    .unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("?");
        Err(format!("the simulator panicked: {text}\n"))
    })
}

/// Makes a lab that differs smaller: first as its strategies know, then line by line.
fn shrink(
    tree: &mut impl ValueTree<Value = Plan>,
    title: &str,
    mut text: String,
    mut outcome: (String, String),
    stop: &Stop,
) -> (String, String, String) {
    let mut tries = 0;
    let mut differs = |candidate: &str| {
        tries += 1;
        if tries > MOST_TRIES || stop.asked() {
            return None;
        }
        match judge(candidate, stop) {
            Verdict::Differ(kernel, difference) => Some((kernel, difference)),
            _ => None,
        }
    };
    'tree: while tree.simplify() {
        loop {
            let candidate = tree.current().text(title);
            if candidate != text
                && let Some(better) = differs(&candidate)
            {
                (text, outcome) = (candidate, better);
                break;
            }
            if !tree.complicate() {
                break 'tree;
            }
        }
    }
    let mut at = 0;
    loop {
        let lines: Vec<&str> = text.lines().collect();
        let Some(line) = lines.get(at) else { break };
        let needed = ["title", "wire", "host", "link"].iter().any(|word| line.starts_with(word));
        if !needed {
            let without: String =
                lines.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, l)| format!("{l}\n")).collect();
            if let Some(better) = differs(&without) {
                (text, outcome) = (without, better);
                continue;
            }
        }
        at += 1;
    }
    (text, outcome.0, outcome.1)
}

/// Keeps a lab with the kernel's transcript and the difference; says where, or why not.
fn save(dir: &Path, name: &str, text: &str, kernel: &str, difference: &str) -> String {
    let write = || {
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join(format!("{name}.kernel")), kernel)?;
        std::fs::write(dir.join(format!("{name}.difference")), difference)?;
        std::fs::write(dir.join(format!("{name}.lab")), text)
    };
    match write() {
        Ok(()) => dir.join(format!("{name}.lab")).display().to_string(),
        Err(e) => format!("{name} (not saved: {e})"),
    }
}
