//! The iptables family against answers of the real tool that are kept beside the repository, in `../shared/corpus`:
//! single rules with their verdict and saved form, whole dumps, listings. They may not be redistributed, so where the
//! directory is absent these tests say so and check nothing; the repository's own records are in `iptables.rs`.

mod json;

use hookwalk_engine::Host;
use hookwalk_engine::host::HostId;
use hookwalk_lang::{Output, Word, command, shell};
use json::Json;
use std::path::PathBuf;

fn corpus() -> Option<PathBuf> {
    let root = match std::env::var_os("HOOKWALK_SHARED") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let dir = root.join("corpus");
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("{} is absent: nothing checked", dir.display());
    None
}

fn load(name: &str) -> Option<Json> {
    let text = std::fs::read_to_string(corpus()?.join(name)).ok()?;
    Some(json::parse(&text))
}

fn host() -> Host {
    Host::new(HostId(0), 1)
}

fn words(line: &str) -> Vec<Word> {
    shell::split(line, 1).unwrap_or_else(|d| panic!("{line}: {d}")).words
}

fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
    command::run(host, argv, stdin)
}

fn report(what: &str, good: usize, bad: &[String]) {
    println!("{what}: {good} of {} agree", good + bad.len());
    for line in bad.iter().take(2000) {
        println!("  {line}");
    }
}

#[test]
fn single_rules() {
    let Some(Json::Array(rules)) = load("iptables-rules.json") else { return };
    let (mut good, mut bad) = (0, Vec::new());
    for rule in &rules {
        let get = |key| rule.get(key).as_str();
        let tool = if get("family") == "ip6" { "ip6tables" } else { "iptables" };
        let mut host = host();
        let line = format!("{tool} -t {} -A {} {}", get("table"), get("chain"), get("rule"));
        let argv = words(&line);
        let out = run(&mut host, &argv, None);
        // A warning alone is no refusal: the tool says it and adds the rule.
        let warned = get("error").starts_with("warn:") && !get("error").contains('\n');
        let accepted = rule.get("accepted").as_bool() || warned;
        let verdict = (out.exit == 0) == accepted;
        let text = if accepted {
            let prefix = format!("-A {}", get("chain"));
            let saved = run(&mut host, &words(&format!("{tool}-save -t {}", get("table"))), None).stdout;
            let line = saved.lines().find(|l| l.starts_with(&prefix)).unwrap_or("");
            line.strip_prefix(&prefix).unwrap_or("").trim_start().to_string()
        } else {
            out.stderr.chars().take(120).collect()
        };
        let wanted = if accepted { get("saved") } else { get("error") };
        let wanted = if warned { "-j NFLOG" } else { wanted };
        if verdict && text.trim_end() == wanted.trim_end() {
            good += 1;
        } else {
            bad.push(format!(
                "{} {line}\n      want {wanted:?}\n      have {text:?} {}",
                get("file"),
                out.stderr.trim_end()
            ));
        }
    }
    report("single rules", good, &bad);
    assert!(bad.is_empty(), "{} rules differ", bad.len());
}

#[test]
fn listings() {
    let Some(Json::Array(pairs)) = load("list-pairs.json") else { return };
    let (mut good, mut bad) = (0, Vec::new());
    for pair in &pairs {
        let get = |key| pair.get(key).as_str();
        // Some of the pairs only name files that are not there.
        if get("listing").is_empty() || !get("flags").starts_with("-v --line-numbers") {
            continue;
        }
        let mut host = host();
        let mut dropped = false;
        for rule in get("rules").lines() {
            let out = run(&mut host, &words(&format!("iptables -t {} {rule}", get("table"))), None);
            // Some texts go on with excerpts of other dumps; a chain that is made again is where they begin.
            if out.stderr.contains("Chain already exists") {
                break;
            }
            // One listing is of a nat table that drops, which this release does not let anybody make.
            dropped |= out.stderr.contains("the use of DROP is therefore inhibited");
            assert!(dropped || out.exit == 0, "{}: {rule}: {}", get("src"), out.stderr);
        }
        if dropped {
            continue;
        }
        let line = format!("iptables -t {} -vL --line-numbers", get("table"));
        let have = run(&mut host, &words(&line), None).stdout;
        if get("listing").starts_with(have.trim_end()) {
            good += 1;
        } else {
            let differs = have.lines().zip(get("listing").lines()).find(|(a, b)| a != b);
            bad.push(format!("{}: {differs:?}", get("src")));
        }
    }
    report("listings", good, &bad);
    assert!(bad.is_empty(), "{} listings differ", bad.len());
}

#[test]
fn dumps() {
    let Some(Json::Array(dumps)) = load("dumps.json") else { return };
    let Some(dir) = corpus() else { return };
    let (mut good, mut bad) = (0, Vec::new());
    let mut slowest = (std::time::Duration::ZERO, 0, String::new());
    for dump in &dumps {
        let id = dump.get("id").as_str();
        let v6 = dump.get("family").as_str() == "ip6";
        let text = std::fs::read(dir.join("dumps").join(format!("{id}.rules"))).expect("dump");
        let text = String::from_utf8_lossy(&text);
        let mut host = host();
        let tool = if v6 { "ip6tables-nft" } else { "iptables-nft" };
        let began = std::time::Instant::now();
        let out = run(&mut host, &[Word::new(format!("{tool}-restore"))], Some(&text));
        let took = began.elapsed();
        slowest = slowest.max((took, text.lines().count(), id.to_string()));
        let accepted = dump.get("real_tool_accepts").as_bool();
        let (have, want) = if accepted {
            let saved = run(&mut host, &words(&format!("{tool}-save -c")), None).stdout;
            let want = std::fs::read_to_string(dir.join("saved").join(format!("{id}.save"))).expect("saved");
            // The order of tables is free.
            let sort = |text: &str| {
                let mut tables: Vec<&str> = text.split_inclusive("COMMIT\n").collect();
                tables.sort_unstable();
                tables.concat()
            };
            (sort(&saved), sort(&want))
        } else {
            (out.stderr.trim_end().to_string(), dump.get("real_tool_error").as_str().to_string())
        };
        if (out.exit == 0) == accepted && have == want {
            good += 1;
        } else {
            let differs = have.lines().zip(want.lines()).find(|(a, b)| a != b);
            bad.push(format!(
                "{id}: accepted {accepted}, {:?}\n      {differs:?} lines {} {}",
                out.stderr.trim_end(),
                have.lines().count(),
                want.lines().count()
            ));
        }
    }
    println!("slowest to load: {slowest:?}");
    report("dumps", good, &bad);
    assert!(bad.is_empty(), "{} dumps differ", bad.len());
}
