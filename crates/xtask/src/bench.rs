//! `cargo xtask bench`: how fast the engine is, natively and as wasm, beside the kernel; and how many instructions it takes.

use crate::run::{Done, command, read, root, say, show, www};
use crate::sheet::Sheet;
use crate::{page, wasm};
use std::fmt::Write as _;
use std::path::PathBuf;

const USAGE: &str = "usage: cargo xtask bench [--only NAME] [--quick] | --count [--keep]";

/// How far an instruction count may be off what is kept, in percent.
const TOLERANCE: f64 = 3.0;

/// Measures everything and writes `docs/PERFORMANCE.md`; or counts instructions and compares them with those kept.
pub(crate) fn run(args: &[&str]) -> Done {
    let (mut only, mut quick) = (None, false);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match *word {
            "--only" => only = Some(*words.next().ok_or(USAGE)?),
            "--quick" => quick = true,
            "--count" => return count(words.next() == Some(&"--keep")),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let names = read(&mut command("cargo", program(&["names"]), &root()))?;
    if only.is_some_and(|only| !names.lines().any(|n| n == only)) {
        return Err(format!("bench: there is no such workload; there are:\n{names}"));
    }
    let sheet = Sheet::read()?;
    page::install()?;
    if only.is_none() {
        wasm::build(&sheet)?;
    }
    let package = wasm::target_dir().join("bench-wasm");
    wasm::build_as(&sheet, "hookwalk-bench", "bench", &package)?;
    say("bench: native");
    let bench = ["bench", "--locked", "--quiet", "--package", "hookwalk-bench", "--bench", "engine"];
    let mut criterion = command("cargo", bench, &root());
    criterion.envs(only.map(|only| ("HOOKWALK_BENCH_ONLY", only)));
    criterion.envs(quick.then_some(("HOOKWALK_BENCH_QUICK", "1")));
    show(&mut criterion)?;
    say("bench: wasm, the kernel, memory");
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let paths = [
        ("--package", text(package)),
        ("--estimates", text(wasm::target_dir().join("criterion"))),
        ("--script", text(www().join("scripts/bench.mjs"))),
        ("--out", text(root().join("docs/PERFORMANCE.md"))),
    ];
    let mut words = vec!["report"];
    words.extend(paths.iter().flat_map(|(name, path)| [*name, path.as_str()]));
    words.extend(only.iter().flat_map(|only| ["--only", only]));
    words.extend(quick.then_some("--quick"));
    show(&mut command("cargo", program(&words), &root()))
}

/// The words that make cargo run the bench's program.
fn program<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["run", "--locked", "--quiet", "--release", "--package", "hookwalk-bench", "--"];
    all.extend(words);
    all
}

/// Where the counts are kept.
fn kept_file() -> PathBuf {
    root().join("crates/bench/instructions.txt")
}

/// Counts the instructions of one lap of each workload with callgrind. They say more than a clock on a busy machine, but
/// only of the same compiler.
fn count(keep: bool) -> Done {
    say("bench: instructions a packet (callgrind)");
    show(&mut command(
        "cargo",
        ["build", "--locked", "--quiet", "--release", "--package", "hookwalk-bench"],
        &root(),
    ))?;
    let compiler = read(&mut command("rustc", ["--version"], &root()))?;
    let kept = std::fs::read_to_string(kept_file()).unwrap_or_default();
    let comparable = kept.lines().any(|l| l == compiler.trim());
    let binary = wasm::target_dir().join("release/hookwalk-bench").to_string_lossy().into_owned();
    let mut text = format!(
        "Instructions a packet, counted by `cargo xtask bench --count --keep` with\n{}\n\n",
        compiler.trim()
    );
    let mut off = Vec::new();
    for name in read(&mut command(&binary, ["names"], &root()))?.lines() {
        let (packets, instructions) = callgrind(&binary, name)?;
        let each = instructions as f64 / packets as f64;
        let before = kept.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<f64>().ok());
        let change = before.map(|b| (each / b - 1.0) * 100.0);
        let said = change.map_or_else(String::new, |c| format!(" ({c:+.1} %)"));
        eprintln!("   {name:20} {each:>8.1}{said}");
        let _ = writeln!(text, "{name:20} {each:.1}");
        if comparable && change.is_none_or(|c| c.abs() > TOLERANCE) {
            off.push(name.to_owned());
        }
    }
    if keep {
        return std::fs::write(kept_file(), text).map_err(|e| e.to_string());
    }
    if !comparable {
        eprintln!("   not compared: what is kept was counted with another compiler than {}", compiler.trim());
    }
    match off.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "bench: more than {TOLERANCE} % off: {}; if it has to be so, `cargo xtask bench --count --keep`",
            off.join(", ")
        )),
    }
}

/// Packets of a lap, and the instructions that it took.
fn callgrind(binary: &str, name: &str) -> Done<(u64, u64)> {
    let out = wasm::target_dir().join("callgrind.out");
    let file = format!("--callgrind-out-file={}", out.display());
    let toggle = "--toggle-collect=*counted_lap*";
    let args = ["--tool=callgrind", "-q", "--collect-atstart=no", toggle, &file, binary, "count", name];
    let packets = read(&mut command("valgrind", args, &root()))?;
    let text = std::fs::read_to_string(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let instructions = text.lines().find_map(|l| l.strip_prefix("totals: ")?.trim().parse().ok());
    match (packets.trim().parse(), instructions) {
        (Ok(packets), Some(instructions)) if instructions > 0 => Ok((packets, instructions)),
        _ => Err(format!("bench: callgrind counted nothing in {name}")),
    }
}
