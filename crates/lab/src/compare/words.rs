//! Word by word: which differences between two lines the kernel leaves free.

use crate::file::Lab;
use crate::transcript::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far timeouts may lie apart, in seconds.
const TIMEOUT_SLACK: u64 = 2;

/// What has been excused so far: the renaming of random ports and ids, which must be one and the same everywhere.
#[derive(Clone, Debug)]
pub(super) struct Excuse {
    /// The kind of output that is compared now.
    pub(super) kind: Kind,
    /// Numbers that the lab's text names: nobody drew those.
    written: Arc<BTreeSet<u32>>,
    /// Kernel's number to ours, and back.
    to: BTreeMap<u32, u32>,
    from: BTreeMap<u32, u32>,
}

impl Excuse {
    pub(super) fn new(lab: Option<&Lab>) -> Excuse {
        let text = lab.map_or("", |l| &*l.text);
        // The ends of a range (`--to-source 10.0.0.1:6100-6104`) may be drawn like what lies between them.
        let written: BTreeSet<u32> = text
            .split(|c: char| !c.is_ascii_digit() && c != '-')
            .filter(|n| !n.trim_matches('-').contains('-'))
            .filter_map(|n| n.trim_matches('-').parse().ok())
            .collect();
        Excuse { kind: Kind::Plain, written: Arc::new(written), to: BTreeMap::new(), from: BTreeMap::new() }
    }

    /// Do two lines agree? What had to be renamed is remembered if they do.
    pub(super) fn agree(&mut self, kernel: &str, ours: &str) -> bool {
        let kernel = &*without_peer(kernel);
        if kernel == ours {
            kernel.split_whitespace().for_each(|w| self.same(w));
            return true;
        }
        let mut trial = self.clone();
        let fits = trial.words(kernel, ours, true);
        if fits {
            *self = trial;
        }
        fits
    }

    /// The same, with no new renaming.
    pub(super) fn agree_without_renaming(&mut self, kernel: &str, ours: &str) -> bool {
        let mut trial = self.clone();
        let fits = kernel == ours || trial.words(kernel, ours, false);
        if fits {
            kernel
                .split_whitespace()
                .zip(ours.split_whitespace())
                .filter(|(k, o)| k == o)
                .for_each(|(k, _)| self.same(k));
        }
        fits
    }

    fn words(&mut self, kernel: &str, ours: &str, rename: bool) -> bool {
        if self.kind == Kind::Ping && ping_line(kernel) == ping_line(ours) {
            return true;
        }
        let k: Vec<&str> = kernel.split_whitespace().collect();
        let o: Vec<&str> = ours.split_whitespace().collect();
        if k.len() != o.len() {
            return false;
        }
        // Blanks are free only where a number of another length may have moved them.
        let mut excused = matches!(self.kind, Kind::Entries | Kind::Events);
        for i in 0..k.len() {
            if k[i] == o[i] {
                self.same(k[i]);
                continue;
            }
            if !(self.timeout(&k, &o, i) || self.drawn(&k, &o, i) || self.word(k[i], o[i], rename)) {
                return false;
            }
            excused = true;
        }
        excused
    }

    /// A word that is the same on both sides: a port in it is itself, and no random one has its name.
    fn same(&mut self, word: &str) {
        let Some((key, value)) = split(word.trim_matches(['(', ')', '[', ']', ','])) else { return };
        let is_port = matches!(key, "sport" | "dport" | "SPT" | "DPT") || key.contains(['.', ':']);
        if let (true, Ok(n)) = (is_port, value.parse::<u16>()) {
            let n = u32::from(n);
            self.to.entry(n).or_insert(n);
            self.from.entry(n).or_insert(n);
        }
    }

    /// Is word `i` of a line about a traced packet one that the kernel draws: the packet's number, or the IP
    /// identification of a packet of its own?
    fn drawn(&self, k: &[&str], o: &[&str], i: usize) -> bool {
        // `PACKET: 2 1a2b3c4d …`, `trace id 1a2b3c4d …`.
        let number =
            i == 2 && [k, o].iter().all(|w| w[2].len() == 8 && u32::from_str_radix(w[2], 16).is_ok());
        let identification = [k, o].iter().all(|w| w[i].starts_with("ID=") && w[3].starts_with("OUT="));
        // `ip id 7` in nft's words, where no device stands before it that it came in by.
        let own = i > 1 && [k, o].iter().all(|w| w[i - 2..i] == ["ip", "id"] && !w.contains(&"iif"));
        // tcpdump: sequence numbers that a stack draws.
        let numbers = i > 0 && ["seq", "ack"].contains(&k[i - 1]) && k[i - 1] == o[i - 1];
        let long =
            |w: &str| w.trim_end_matches(',').split(':').all(|n| n.len() >= 6 && n.parse::<u32>().is_ok());
        if self.kind == Kind::Frames && numbers && long(k[i]) && long(o[i]) {
            return true;
        }
        self.kind == Kind::Trace && (number || identification || own)
    }

    /// Is word `i` a timeout: in a conntrack line the number after the protocol's, in an expectation the first, in a
    /// set's element the one that is called so, of a route what stands behind `expires`?
    fn timeout(&self, k: &[&str], o: &[&str], i: usize) -> bool {
        if i > 0 && k[i - 1] == "expires" {
            let seconds = |w: &str| w.strip_suffix("sec")?.parse::<u64>().ok();
            return seconds(k[i]).zip(seconds(o[i])).is_some_and(|(a, b)| a.abs_diff(b) <= TIMEOUT_SLACK);
        }
        if self.kind == Kind::Sets {
            let named = i > 0 && k[i - 1] == "timeout";
            let seconds = |w: &str| w.parse::<u64>().ok().filter(|n| *n > 0);
            return named
                && seconds(k[i]).zip(seconds(o[i])).is_some_and(|(a, b)| a.abs_diff(b) <= TIMEOUT_SLACK);
        }
        if !matches!(self.kind, Kind::Entries | Kind::Events) {
            return false;
        }
        let number = |w: &str| w.parse::<u64>().ok();
        let (Some(a), Some(b)) = (number(k[i]), number(o[i])) else { return false };
        let is_timeout = match i.checked_sub(1) {
            Some(before) => number(k[before]).is_some(),
            None => k.len() > 1 && k[1].contains('='),
        };
        is_timeout && a.abs_diff(b) <= TIMEOUT_SLACK
    }

    fn word(&mut self, k: &str, o: &str, rename: bool) -> bool {
        let trim = |w| str::trim_matches(w, ['(', ')', '[', ']', ',']);
        let brackets =
            |w: &str| (w.len() - w.trim_start_matches(['(', '[']).len(), w.ends_with([')', ']', ',']));
        if brackets(k) != brackets(o) && !k.contains(':') {
            return false;
        }
        let (k, o) = (trim(k), trim(o));
        let (Some((k_key, k_value)), Some((o_key, o_value))) = (split(k), split(o)) else { return false };
        if k_key != o_key {
            return false;
        }
        let (Ok(a), Ok(b)) = (k_value.parse::<u64>(), o_value.parse::<u64>()) else { return false };
        match k_key {
            // Drawn by a real stack: six digits and more.
            "seq" | "ack" | "SEQ" | "ACK" => k_value.len() >= 6 && o_value.len() >= 6,
            "delta-time" => a.abs_diff(b) <= TIMEOUT_SLACK,
            // An entry's own number (`-o id`) is drawn from all 32 bits; an ICMP id from 16.
            "id" if a > 0xffff && b > 0xffff => true,
            "sport" | "dport" | "id" | "SPT" | "DPT" | "ID" => rename_ok(a, b) && self.rename(a, b, rename),
            // `ADDR:PORT` of a frame.
            key if key.contains(['.', ':']) => rename_ok(a, b) && self.rename(a, b, rename),
            _ => false,
        }
    }

    /// May the kernel's number `a` be our `b`?
    fn rename(&mut self, a: u64, b: u64, learn: bool) -> bool {
        let (a, b) = (a as u32, b as u32);
        match (self.to.get(&a), self.from.get(&b)) {
            (Some(to), Some(from)) => (*to, *from) == (b, a),
            // Where somebody wrote both numbers, neither was drawn (one may be: it can be the end of a range).
            (None, None) if learn && !(self.written.contains(&a) && self.written.contains(&b)) => {
                self.to.insert(a, b);
                self.from.insert(b, a);
                true
            }
            _ => false,
        }
    }
}

/// Are both 16-bit numbers, and not 0, which nobody draws?
fn rename_ok(a: u64, b: u64) -> bool {
    (1..=0xffff).contains(&a) && (1..=0xffff).contains(&b)
}

/// `key=value`, or `address:port`.
fn split(word: &str) -> Option<(&str, &str)> {
    word.split_once('=').or_else(|| word.rsplit_once(':'))
}

/// A line of `ping` without what it measured.
fn ping_line(line: &str) -> String {
    if line.starts_with("rtt ") || line.starts_with("round-trip ") {
        return "rtt".into();
    }
    let words = line.split_whitespace().filter(|w| !w.starts_with("time="));
    let words: Vec<&str> = words.collect();
    match words.iter().position(|w| *w == "time") {
        Some(i) if line.contains("packets transmitted") => words[..i].join(" "),
        _ => words.join(" "),
    }
}

/// A line of `ip link` or `ip addr` without what says where the other end of a veth pair is: a lab's interface is a
/// cable's end, and how the recorder made the cable is its own affair (`eth0@if5:`, `link-netnsid 0`).
fn without_peer(line: &str) -> String {
    let line = line.split(" link-netnsid ").next().unwrap_or(line);
    match line.split_once("@if") {
        Some((name, rest)) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{name}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        _ => line.to_string(),
    }
}
