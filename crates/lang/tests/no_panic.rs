//! Nothing that is typed may panic: commands of the recorded sessions, with words dropped, doubled, swapped, cut and
//! replaced by junk, thousands of them, always the same ones.

use hookwalk_engine::rng::Rng;
use hookwalk_engine::{Host, HostId};
use hookwalk_lang::shell::{self, Word};
use hookwalk_lang::{command, packet};

const SESSIONS: [&str; 7] = [
    include_str!("data/conntrack.txt"),
    include_str!("data/ip-1.txt"),
    include_str!("data/ip-2.txt"),
    include_str!("data/ip-3.txt"),
    include_str!("data/ipset-1.txt"),
    include_str!("data/ipset-2.txt"),
    include_str!("data/sysctl.txt"),
];

const JUNK: [&str; 30] = [
    "",
    "-",
    "--",
    "---",
    "=",
    "==x",
    "/",
    "//",
    ".",
    "..",
    ":",
    ",",
    ",,",
    "-1",
    "+5",
    "0x",
    "0xg",
    "数据",
    "é=é",
    "99999999999999999999",
    "4294967296",
    "65536",
    "255.255.255.255/33",
    "1.2.3.4/-1",
    "::/129",
    "[::1]:",
    "10.0.0.9-10.0.0.1",
    "0.0.0.0/0",
    "a,b,c,d",
    "1:2:3:4:5:6:7:8:9",
];

fn pick<'a, T>(rng: &mut Rng, items: &'a [T]) -> &'a T {
    &items[rng.next_u32() as usize % items.len()]
}

/// A number below `n`; 0 for nothing to choose from.
fn below(rng: &mut Rng, n: usize) -> usize {
    if n == 0 { 0 } else { rng.next_u32() as usize % n }
}

fn mutate(rng: &mut Rng, words: &mut Vec<Word>, all: &[Word]) {
    let at = 1 + below(rng, words.len().saturating_sub(1));
    match rng.next_u32() % 7 {
        0 if at < words.len() => {
            words.remove(at);
        }
        1 => words.insert(at.min(words.len()), Word::new(*pick(rng, &JUNK))),
        2 if at < words.len() => words[at] = Word::new(*pick(rng, &JUNK)),
        3 if at < words.len() => {
            let other = 1 + below(rng, words.len() - 1);
            words.swap(at, other);
        }
        4 => words.insert(at.min(words.len()), pick(rng, all).clone()),
        5 if at < words.len() => {
            // Cut at any character.
            let text = words[at].text.clone();
            let keep = below(rng, text.chars().count() + 1);
            words[at] = Word::new(text.chars().take(keep).collect::<String>());
        }
        _ if at < words.len() => words[at] = pick(rng, all).clone(),
        _ => {}
    }
}

#[test]
fn commands() {
    let lines = SESSIONS.iter().flat_map(|s| s.lines()).filter_map(|l| l.strip_prefix("$ "));
    let commands: Vec<Vec<Word>> =
        lines.filter_map(|l| shell::split(l, 1).ok()).map(|c| c.words).filter(|w| !w.is_empty()).collect();
    let all: Vec<Word> = commands.iter().flat_map(|c| c[1..].to_vec()).collect();
    let mut rng = Rng::new(7);
    let mut host = Host::new(HostId(0), 1);
    for round in 0..40_000 {
        if round % 500 == 0 {
            host = Host::new(HostId(0), 1);
            for mac in 1..3 {
                host.add_device(&format!("eth{}", mac - 1), [2, 0, 0, 0, 0, mac]);
            }
        }
        let mut words = pick(&mut rng, &commands).clone();
        for _ in 0..below(&mut rng, 4) {
            mutate(&mut rng, &mut words, &all);
        }
        let stdin = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
        let out = command::run(&mut host, &words, Some(&stdin));
        // What fails says so, but for tools that were told to be quiet.
        let quiet = words.iter().any(|w| w.text.starts_with('-') && w.text.contains('q'));
        assert!(out.exit == 0 || quiet || !out.stderr.is_empty(), "{words:?}: {out:?}");
        assert!(out.refused.is_none() || out.exit != 0, "{words:?}: {out:?}");
    }
}

#[test]
fn packet_lines() {
    let rows = [include_str!("data/log.txt"), include_str!("data/tcpdump.txt")];
    let lines: Vec<&str> = rows
        .iter()
        .flat_map(|r| r.lines())
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split(" => ").next())
        .collect();
    let mut rng = Rng::new(11);
    for _ in 0..40_000 {
        let line = pick(&mut rng, &lines);
        let mut chars: Vec<char> = line.chars().collect();
        for _ in 0..below(&mut rng, 6) {
            let at = below(&mut rng, chars.len());
            match rng.next_u32() % 3 {
                0 if !chars.is_empty() => {
                    chars.remove(at);
                }
                1 => chars.insert(at, *pick(&mut rng, &['9', ' ', ':', '=', '[', '数', '-', 'x'])),
                _ if !chars.is_empty() => chars[at] = *pick(&mut rng, &chars.clone()),
                _ => {}
            }
        }
        let text: String = chars.into_iter().collect();
        match packet::parse(&text, 0, 1) {
            Ok(spec) => {
                if let Some(packet) = spec.build(packet::Seen::default()) {
                    // Lines about it can be printed, and it can go on a wire.
                    let _ = hookwalk_lang::frames::packet_line(&packet);
                    let _ = hookwalk_lang::tcpdump::Tcpdump::default().line(&packet);
                    let bytes = hookwalk_engine::wire::encode(&packet);
                    assert!(!bytes.is_empty());
                }
            }
            Err(d) => assert!(d.line == 1 && d.col >= 1 && d.len >= 1 && !d.message.is_empty()),
        }
    }
}
