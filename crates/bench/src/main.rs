//! `hookwalk-bench`: what `cargo xtask bench` runs besides criterion. `report` measures the kernel, memory and the wasm,
//! and writes the table; `count NAME` runs one lap for callgrind to count.

mod browser;
#[cfg(target_os = "linux")]
mod kernel;
mod memory;
mod report;

use hookwalk_bench::router::Router;
use hookwalk_bench::workload::{self, ALL};
use std::process::ExitCode;

const USAGE: &str = "usage: hookwalk-bench report --package DIR --estimates DIR --script FILE [--out FILE] [--only NAME] [--quick]
       hookwalk-bench count NAME
       hookwalk-bench names";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["report", rest @ ..] => report::main(rest),
        ["count", name] => count(name),
        ["names"] => {
            ALL.iter().for_each(|(name, _)| println!("{name}"));
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// One lap that is counted, after those that warm up.
fn count(name: &str) -> Result<(), String> {
    let workload = workload::named(name).ok_or(USAGE)?.for_counting();
    let (mut router, packets) = Router::of(workload)?;
    let lap = router.counted_lap(&packets);
    println!("{}", lap.packets);
    Ok(())
}
