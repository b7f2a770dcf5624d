//! The table, and `docs/PERFORMANCE.md`.

use crate::browser::{self, Place};
use crate::memory::{self, Memory};
use hookwalk_bench::start;
use hookwalk_bench::workload::{ALL, Workload};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Options {
    package: PathBuf,
    estimates: PathBuf,
    script: PathBuf,
    out: Option<PathBuf>,
    only: Option<String>,
    quick: bool,
}

/// One line of the table; rates in packets a second.
struct Row {
    name: &'static str,
    kernel: Result<f64, String>,
    native: Option<f64>,
    node: Option<f64>,
    chromium: Option<f64>,
    memory: Memory,
}

fn options(words: &[&str]) -> Option<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--package" => options.package = words.next()?.into(),
            "--estimates" => options.estimates = words.next()?.into(),
            "--script" => options.script = words.next()?.into(),
            "--out" => options.out = Some(words.next()?.into()),
            "--only" => options.only = Some((*words.next()?).to_owned()),
            "--quick" => options.quick = true,
            _ => return None,
        }
    }
    Some(options)
}

/// Measures what is left to measure, prints the table and writes it.
pub(crate) fn main(words: &[&str]) -> Result<(), String> {
    let options = options(words).ok_or(crate::USAGE)?;
    let only = options.only.as_deref();
    let wasm = |place| {
        let measured = browser::measure(place, &options.script, &options.package, only, options.quick);
        if let Err(why) = &measured {
            eprintln!("   {place:?} is left out: {why}");
        }
        measured.unwrap_or_default()
    };
    let (node, chromium) = (wasm(Place::Node), wasm(Place::Chromium));
    let lap = |of: &Value, name: &str| of["laps"][name].as_f64();
    let mut rows = Vec::new();
    for (name, workload) in ALL.iter().filter(|(n, _)| only.is_none_or(|only| only == *n)) {
        eprintln!("   {name}");
        rows.push(Row {
            name,
            kernel: kernel(*workload, options.quick),
            native: native(&options.estimates, name),
            node: lap(&node, name),
            chromium: lap(&chromium, name),
            memory: memory::measure(*workload)?,
        });
    }
    let mut text = table(&rows);
    text.push_str(&growth(&rows));
    if only.is_none() {
        text.push_str(&waits(&node, &chromium));
    }
    println!("{text}");
    if let Some(out) = options.out.filter(|_| only.is_none() && !options.quick) {
        let page = format!("{PREFACE}{}{text}{NOTES}", machine(&node, &chromium));
        std::fs::write(&out, page).map_err(|e| format!("{}: {e}", out.display()))?;
        eprintln!("   written to {}", out.display());
    }
    Ok(())
}

const PREFACE: &str = "\
# How fast it is

`cargo xtask bench` measures this, all in one run on one machine, and writes this page. Ratios are what we claim: packets a
second are those of the machine below, on one of its cores. The kernel forwards the same packets in the same order through the same
ruleset between two veths; its time includes that of sending them, in batches, through AF_PACKET. The wasm has the page's
profile. Nobody looks on: no events are built, as when a capture is replayed.

";

const NOTES: &str = "
## How to read it

- `×` is the rate in Chromium over the kernel's. Every rate is that of the best lap, criterion's (native) the median.
- Bytes a connection: what the whole table grows by, divided by its entries: entry, hash links, empty places.
- Allocations a packet: counted over a lap of a router that has had the same packets before.
- Growth: the exponent `e` in cost ~ n^e, between the smallest and the largest n. 0: it costs the same; 1: linear.
- Flows of `nat-*` are UDP and established (every packet has an answer); of `nat-new-flows` every packet is a new one.
- `kube-10k-services`: SYNs to services all over the list, each choosing one of two endpoints by chance.
- `capture-100k` reads a pcap file: headers are parsed and checksums verified, payloads are not kept.
- What makes many rules cheap, and why it changes no counter, is said in `crates/engine/src/index.rs`; that it does not is
  tested on random rulesets (`crates/cli/src/fuzz/indexed.rs`).
";

fn kernel(workload: Workload, quick: bool) -> Result<f64, String> {
    #[cfg(target_os = "linux")]
    {
        let budget = Duration::from_millis(if quick { 300 } else { 2_000 });
        let rate = crate::kernel::measure(workload, budget).map_err(|e| e.to_string())?;
        // A rate of packets that did not arrive would be none.
        if rate.forwarded < rate.sent * 99 / 100 {
            return Err(format!("only {} of {} packets arrived", rate.forwarded, rate.sent));
        }
        Ok(rate.per_second)
    }
    #[cfg(not(target_os = "linux"))]
    Err(format!("no Linux here: {workload:?} {quick}"))
}

/// Criterion's median, as packets a second.
fn native(estimates: &Path, name: &str) -> Option<f64> {
    let folder = estimates.join("engine").join(name).join("new");
    let read = |file: &str| -> Option<Value> {
        serde_json::from_slice(&std::fs::read(folder.join(file)).ok()?).ok()
    };
    let nanoseconds = read("estimates.json")?["median"]["point_estimate"].as_f64()?;
    let packets = read("benchmark.json")?["throughput"]["Elements"].as_f64()?;
    Some(packets * 1e9 / nanoseconds)
}

fn rate(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(v) if v >= 1e6 => format!("{:.2} M", v / 1e6),
        Some(v) => format!("{:.0} k", v / 1e3),
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| workload | kernel, packets/s | native | wasm in Node | wasm in Chromium | × | bytes a connection | allocations a packet |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let kernel = row.kernel.as_ref().ok().copied();
        let times = kernel.zip(row.chromium).map_or("–".into(), |(k, c)| format!("{:.1}", c / k));
        let bytes = row.memory.per_connection.map_or("–".into(), |b| format!("{b:.0}"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {times} | {bytes} | {} |",
            row.name,
            rate(kernel),
            rate(row.native),
            rate(row.node),
            rate(row.chromium),
            row.memory.allocations,
        );
    }
    for (name, why) in rows.iter().filter_map(|r| Some((r.name, r.kernel.as_ref().err()?))) {
        let _ = writeln!(text, "\nThe kernel is left out of {name}: {why}.");
    }
    text
}

fn growth(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| growth of the cost of a packet | kernel | native | Node | Chromium |\n|---|--:|--:|--:|--:|\n",
    );
    let series = [
        ("with rules, 100 to 10,000", "nat-100-rules", "nat-10k-rules", 100.0_f64),
        ("with flows, 1,000 to 100,000", "nat-1k-flows", "nat-100k-flows", 100.0),
    ];
    let mut any = false;
    for (what, few, many, factor) in series {
        let find = |name| rows.iter().find(|r| r.name == name);
        let (Some(few), Some(many)) = (find(few), find(many)) else { continue };
        any = true;
        let exponent = |of: &dyn Fn(&Row) -> Option<f64>| match (of(few), of(many)) {
            (Some(a), Some(b)) => format!("{:.2}", (a / b).ln() / factor.ln()),
            _ => "–".into(),
        };
        let _ = writeln!(
            text,
            "| {what} | {} | {} | {} | {} |",
            exponent(&|r| r.kernel.as_ref().ok().copied()),
            exponent(&|r| r.native),
            exponent(&|r| r.node),
            exponent(&|r| r.chromium),
        );
    }
    if any { text } else { String::new() }
}

/// What a person waits for.
fn waits(node: &Value, chromium: &Value) -> String {
    let mut text =
        String::from("\n| what one waits for | native | Node | Chromium | goal |\n|---|--:|--:|--:|--:|\n");
    let dump = start::dump(6_200);
    let load = best(10, || {
        start::load(&dump);
    });
    let mut edited = start::Edited::new(1_000);
    let edit = best(10, || edited.edit());
    let began = Instant::now();
    let mut recorded = start::Recorded::new(1_000_000);
    let events = f64::from(recorded.events());
    let record = events / began.elapsed().as_secs_f64();
    let mut worst = Duration::ZERO;
    let mut at = 1_u32;
    for _ in 0..60 {
        at = at.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let began = Instant::now();
        recorded.seek(at % recorded.events());
        worst = worst.max(began.elapsed());
    }
    let ms = |d: Duration| format!("{:.1} ms", d.as_secs_f64() * 1e3);
    let of = |v: &Value, key: &str| v["start"][key].as_f64().map_or("–".into(), |ms| format!("{ms:.1} ms"));
    let mut line = |what: &str, native: String, key: &str, goal: &str| {
        let _ = writeln!(text, "| {what} | {native} | {} | {} | {goal} |", of(node, key), of(chromium, key));
    };
    line("loading a dump of 6,200 rules", ms(load), "load", "20 ms native, 60 ms wasm");
    line("changing one rule of a lab with 1,000", ms(edit), "edit", "16 ms");
    line("seeking in a million events, the longest of 60", ms(worst), "seek", "16 ms");
    line("the page's wasm made ready and its first lab run", "–".into(), "first", "100 ms");
    let per_second =
        |v: &Value| v["start"]["record"].as_f64().map_or("–".into(), |n| format!("{:.2} M", n / 1e6));
    let _ = writeln!(
        text,
        "| events recorded a second | {:.2} M | {} | {} | 1 M |",
        record / 1e6,
        per_second(node),
        per_second(chromium)
    );
    text
}

fn best(times: u32, mut act: impl FnMut()) -> Duration {
    let one = |_| {
        let began = Instant::now();
        act();
        began.elapsed()
    };
    (0..times).map(one).min().unwrap_or_default()
}

fn machine(node: &Value, chromium: &Value) -> String {
    let first = |program: &str, args: &[&str]| {
        let out = Command::new(program).args(args).output().ok()?;
        String::from_utf8_lossy(&out.stdout).lines().next().map(|l| l.trim().to_owned())
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map(|c| c.1);
    let mut text = String::from("| | |\n|---|---|\n");
    let mut line = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "| {what} | {value} |");
        }
    };
    line("processor", cpu.map(str::to_owned));
    line("kernel", first("uname", &["-sr"]));
    line("iptables", first("iptables", &["--version"]));
    line("rustc", first("rustc", &["--version"]));
    line("Node", node["version"].as_str().map(str::to_owned));
    line("Chromium", chromium["version"].as_str().map(str::to_owned));
    text.push('\n');
    text
}
