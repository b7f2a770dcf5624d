//! Where in an output a line stands, in words: table, chain and rule, entry, frame.

use crate::transcript::{Block, Kind};

/// For each line of a block, where it stands.
pub(super) fn places(block: &Block) -> Vec<String> {
    match Kind::of(&block.command) {
        Kind::Save => save_places(block),
        Kind::Frames => frame_places(block),
        Kind::Entries => block.lines.iter().map(|l| entry(l)).collect(),
        _ if block.lines.iter().any(|l| l.starts_with("Chain ")) => listing_places(block),
        _ => (1..=block.lines.len()).map(|n| format!("line {n}")).collect(),
    }
}

/// The counter and the rest of a line of `iptables-save -c`.
fn counted(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|l| l.split_once("] ")) {
        Some((_, rest)) => rest,
        None => line,
    }
}

fn save_places(block: &Block) -> Vec<String> {
    let mut table = String::new();
    let mut rules: Vec<(String, u32)> = Vec::new();
    let mut places = Vec::new();
    for line in &block.lines {
        if let Some(name) = line.strip_prefix('*') {
            table = name.to_string();
            rules.clear();
        }
        let body = counted(line);
        let place = if let Some(rest) = body.strip_prefix("-A ") {
            let chain = rest.split(' ').next().unwrap_or_default();
            let at = rules.iter().position(|(c, _)| c == chain).unwrap_or_else(|| {
                rules.push((chain.to_string(), 0));
                rules.len() - 1
            });
            rules[at].1 += 1;
            format!("{table} {chain} rule {}", rules[at].1)
        } else if let Some(rest) = body.strip_prefix(':') {
            format!("{table} {} policy", rest.split(' ').next().unwrap_or_default())
        } else {
            format!("table {table}")
        };
        places.push(place);
    }
    places
}

/// `iptables -L` in any of its forms.
fn listing_places(block: &Block) -> Vec<String> {
    let mut chain = String::new();
    let mut rule = 0;
    let mut places = Vec::new();
    for line in &block.lines {
        if let Some(rest) = line.strip_prefix("Chain ") {
            chain = rest.split(' ').next().unwrap_or_default().to_string();
            rule = 0;
            places.push(format!("chain {chain}"));
        } else if line.trim_start().starts_with("pkts")
            || line.starts_with("target")
            || line.starts_with("num")
        {
            places.push(format!("chain {chain} heading"));
        } else {
            rule += 1;
            places.push(format!("chain {chain} rule {rule}"));
        }
    }
    places
}

fn frame_places(block: &Block) -> Vec<String> {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    let mut places = Vec::new();
    for line in &block.lines {
        let iface = line.split(' ').next().unwrap_or_default();
        let at = counts.iter().position(|(i, _)| *i == iface).unwrap_or_else(|| {
            counts.push((iface, 0));
            counts.len() - 1
        });
        counts[at].1 += 1;
        places.push(format!("frame {} of {iface}", counts[at].1));
    }
    places
}

/// A conntrack line by its protocol and its original direction.
pub(super) fn entry(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let tuple = words
        .iter()
        .skip_while(|w| !w.starts_with("src="))
        .take_while(|w| w.contains('='))
        .enumerate()
        .take_while(|(i, w)| *i == 0 || !w.starts_with("src="))
        .map(|(_, w)| *w);
    let tuple: Vec<&str> = tuple.collect();
    format!("entry {} {}", words.first().copied().unwrap_or_default(), tuple.join(" "))
}

/// Do two lines speak of the same thing: the same rule without its counters, the same entry in another state, the
/// same frame with another number?
pub(super) fn same_subject(kernel: &str, ours: &str) -> bool {
    let (k, o) = (counted(kernel), counted(ours));
    if k == o {
        return true;
    }
    if k.starts_with(':') || o.starts_with(':') {
        return k.split(' ').next() == o.split(' ').next();
    }
    if k.contains("src=") && o.contains("src=") {
        return entry(k) == entry(o);
    }
    // Frames: interface, direction, protocol and addresses are the same.
    let head = |l: &str| l.split_whitespace().take(6).map(str::to_string).collect::<Vec<_>>();
    let is_frame = |h: &[String]| h.len() == 6 && (h[1] == "in" || h[1] == "out") && h[4] == ">";
    let (a, b) = (head(k), head(o));
    is_frame(&a) && is_frame(&b) && a == b
}

/// A block of `iptables-save` with its tables in alphabetical order.
pub(super) fn sort_tables(block: &Block) -> Block {
    let mut tables: Vec<Vec<String>> = Vec::new();
    for line in &block.lines {
        if line.starts_with('*') || tables.is_empty() {
            tables.push(Vec::new());
        }
        if let Some(table) = tables.last_mut() {
            table.push(line.clone());
        }
    }
    // Stable: lines after the last COMMIT (an error text) stay with their table.
    tables.sort_by(|a, b| a.first().cmp(&b.first()));
    Block { command: block.command.clone(), lines: tables.concat(), ..Block::default() }
}

/// `conntrack -S` with the counts of all processors in one line.
pub(super) fn sum_processors(block: &Block) -> Block {
    let mut names: Vec<&str> = Vec::new();
    let mut sums: Vec<u64> = Vec::new();
    for line in &block.lines {
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|w| w.starts_with("cpu=")) {
            // An error text, or another tool's idea of the format: as it is.
            return block.clone();
        }
        for (i, word) in words.enumerate() {
            let Some((name, value)) = word.split_once('=') else { return block.clone() };
            let Ok(value) = value.parse::<u64>() else { return block.clone() };
            if i == names.len() {
                names.push(name);
                sums.push(0);
            }
            if names[i] != name {
                return block.clone();
            }
            sums[i] = sums[i].saturating_add(value);
        }
    }
    let line = names.iter().zip(&sums).map(|(name, sum)| format!(" {name}={sum}")).collect::<String>();
    Block {
        command: block.command.clone(),
        lines: vec![format!("all processors:{line}")],
        ..Block::default()
    }
}
