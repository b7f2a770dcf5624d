//! The iptables family against what the real tool (1.8.9, nf_tables) answered: `iptables/record.sh` runs the commands
//! of `iptables/*.txt` on Linux and writes the answers below them. Here the same commands run on simulated hosts.

use hookwalk_engine::Host;
use hookwalk_engine::host::HostId;
use hookwalk_lang::{Output, Word, command, shell};

fn host() -> Host {
    Host::new(HostId(0), 1)
}

fn run(host: &mut Host, line: &str, stdin: Option<&str>) -> Output {
    let words: Vec<Word> = shell::split(line, 1).unwrap_or_else(|d| panic!("{line}: {d}")).words;
    command::run(host, &words, stdin)
}

/// What a command printed, in the form of the records.
fn printed(out: &Output) -> Vec<String> {
    let mut lines: Vec<String> = out.stdout.lines().map(str::to_string).collect();
    lines.extend(out.stderr.lines().map(|l| format!("! {l}")));
    if out.exit != 0 {
        lines.push(format!("[exit {}]", out.exit));
    }
    lines
}

/// A recorded command: its line, its standard input, and what it printed.
struct Record {
    command: String,
    stdin: Option<String>,
    answer: Vec<String>,
    /// A new host begins here.
    fresh: bool,
}

fn records(text: &str) -> Vec<Record> {
    let mut all: Vec<Record> = Vec::new();
    let mut fresh = true;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            continue;
        }
        if line.starts_with("== ") {
            fresh = true;
            continue;
        }
        if let Some(rest) = line.strip_prefix("$ ") {
            let (command, stdin) = match rest.strip_suffix("<<EOF") {
                Some(command) => {
                    let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "EOF").collect();
                    let body = body.iter().map(|l| format!("{l}\n")).collect();
                    (command.trim_end(), Some(body))
                }
                None => (rest, None),
            };
            all.push(Record { command: command.to_string(), stdin, answer: Vec::new(), fresh });
            fresh = false;
        } else if let Some(last) = all.last_mut() {
            last.answer.push(line.to_string());
        }
    }
    // Empty lines part the records; a listing may hold some of its own.
    for record in &mut all {
        while record.answer.last().is_some_and(String::is_empty) {
            record.answer.pop();
        }
    }
    all
}

fn verdict(what: &str, total: usize, bad: &[String]) {
    println!("{what}: {} of {total} agree", total - bad.len());
    assert!(bad.is_empty(), "{} of {total} differ:\n{}", bad.len(), bad.join("\n"));
}

fn differ(record: &Record, have: &[String]) -> Option<String> {
    let want = &record.answer;
    let mut have = have.to_vec();
    while have.last().is_some_and(String::is_empty) {
        have.pop();
    }
    if *want == have {
        return None;
    }
    Some(format!(
        "$ {}\n  want {}\n  have {}",
        record.command,
        want.join("\n       "),
        have.join("\n       ")
    ))
}

#[test]
fn rules() {
    let all = records(include_str!("iptables/rules.txt"));
    let mut bad = Vec::new();
    for record in &all {
        let mut host = host();
        let out = run(&mut host, &record.command, None);
        let mut have = printed(&out);
        if out.exit == 0 {
            let tool = record.command.split(' ').next().unwrap_or_default();
            let table = record
                .command
                .split_once(" -t ")
                .map_or("filter", |(_, rest)| rest.split(' ').next().unwrap_or_default());
            let mut list = |letter: char, options: &str, keep: fn(&str) -> bool| {
                let text = run(&mut host, &format!("{tool} -t {table} {options}"), None).stdout;
                have.extend(text.lines().filter(|l| keep(l)).map(|l| format!("{letter} {l}")));
            };
            list('S', "-S", |l| l.starts_with("-A"));
            list('N', "-nvL", |l| {
                l.trim_start().starts_with(|c: char| c.is_ascii_digit()) && l.starts_with(' ')
            });
            list('L', "-L", |l| !l.is_empty() && !l.starts_with("Chain") && !l.starts_with("target"));
        }
        bad.extend(differ(record, &have));
    }
    verdict("rules", all.len(), &bad);
}

#[test]
fn sessions() {
    sessions_of("sessions", include_str!("iptables/sessions.txt"));
}

#[test]
fn as_nft_lists_them() {
    sessions_of("nft", include_str!("iptables/nft.txt"));
}

fn sessions_of(name: &str, text: &str) {
    let all = records(text);
    let mut bad = Vec::new();
    let mut host = host();
    for record in &all {
        if record.fresh {
            host = self::host();
        }
        let out = run(&mut host, &record.command, record.stdin.as_deref());
        bad.extend(differ(record, &printed(&out)));
    }
    verdict(name, all.len(), &bad);
}

/// What is saved loads again and saves the same, and every rule finds itself with `-C`.
#[test]
fn saved_rules_load_again() {
    let all = records(include_str!("iptables/rules.txt"));
    for record in &all {
        let mut first = host();
        if run(&mut first, &record.command, None).exit != 0 {
            continue;
        }
        let tool = record.command.split(' ').next().unwrap_or_default();
        let saved = run(&mut first, &format!("{tool}-save -c"), None).stdout;
        let mut second = host();
        let out = run(&mut second, &format!("{tool}-restore -c"), Some(&saved));
        assert_eq!(out.exit, 0, "{}: {saved}{}", record.command, out.stderr);
        assert_eq!(run(&mut second, &format!("{tool}-save -c"), None).stdout, saved, "{}", record.command);
        // The values are the same too, but for handles, and but for one type that is saved as `any`.
        if record.command.contains("255/255") {
            continue;
        }
        let rules = |host: &Host| -> Vec<_> {
            let chains = host.rules.tables[0].chains.iter().flatten();
            chains
                .flat_map(|c| &c.rules)
                .map(|r| (r.header.clone(), r.matches.clone(), r.target.clone()))
                .collect()
        };
        assert_eq!(rules(&first), rules(&second), "{}", record.command);
    }
}

/// Whatever stands on a command line or in a file, there is an answer.
#[test]
fn nothing_panics() {
    let all = records(include_str!("iptables/rules.txt"));
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n.max(1) as u64) as usize
    };
    let pool: Vec<Word> = all
        .iter()
        .flat_map(|r| shell::split(&r.command, 1).map(|c| c.words).unwrap_or_default())
        .chain(
            [
                "",
                "!",
                "-",
                "--",
                "数",
                "-数",
                "--=",
                "[1:",
                "1:2:3",
                "/",
                "-1",
                "99999999999999999999",
                "é:é",
            ]
            .map(Word::new),
        )
        .collect();
    let mut host = host();
    for round in 0..30_000 {
        let record = &all[next(all.len())];
        let mut words = shell::split(&record.command, 1).map(|c| c.words).unwrap_or_default();
        for _ in 0..=next(3) {
            let at = 1 + next(words.len());
            let word = pool[next(pool.len())].clone();
            match next(4) {
                0 => words.insert(at.min(words.len()), word),
                1 if at < words.len() => drop(words.remove(at)),
                2 if at < words.len() => words[at] = word,
                _ if at < words.len() => {
                    // A word cut short, at a character.
                    let text = &mut words[at].text;
                    let cut = (0..=text.len())
                        .rev()
                        .filter(|i| text.is_char_boundary(*i))
                        .nth(next(4))
                        .unwrap_or(0);
                    text.truncate(cut);
                }
                _ => {}
            }
        }
        let _ = command::run(&mut host, &words, None);
        if round % 50 == 0 {
            for tool in ["iptables", "ip6tables"] {
                let saved = run(&mut host, &format!("{tool}-save -c"), None).stdout;
                let mut again = self::host();
                run(&mut again, &format!("{tool}-restore -c"), Some(&saved));
                for table in ["filter", "nat", "mangle"] {
                    run(&mut host, &format!("{tool} -t {table} -vL"), None);
                    run(&mut host, &format!("{tool} -t {table} -F"), None);
                    run(&mut host, &format!("{tool} -t {table} -X"), None);
                }
            }
        }
    }
}
