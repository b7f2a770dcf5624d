//! Do two transcripts agree? Equal but for what the kernel leaves free; and if not, where they differ, in words.
//!
//! Free are: the order of conntrack lines and of tables, conntrack timeouts within two seconds, ports and ids that are
//! drawn at random (the same one everywhere: up to renaming), the initial sequence numbers of a real stack, and the
//! order of the elements of a hash in `ipset`, with the seed that it hangs on.

mod place;
mod sets;
mod words;

use crate::file::Lab;
use crate::transcript::{Block, Kind, Transcript};
use std::fmt;
use words::Excuse;

/// A place where two transcripts differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The command whose output differs.
    pub command: String,
    /// Where in it: `filter FORWARD rule 3`, `frame 5 of eth0`.
    pub place: String,
    /// The first transcript's line (the kernel's).
    pub kernel: Option<String>,
    /// The second one's (ours).
    pub ours: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.command, self.place)?;
        for (whose, line) in [("kernel", &self.kernel), ("ours", &self.ours)] {
            match line {
                Some(line) => writeln!(f, "  {whose:6} {line}")?,
                None => writeln!(f, "  {whose:6} (nothing)")?,
            }
        }
        Ok(())
    }
}

/// All differences between a kernel's transcript and ours; none if they agree.
///
/// The lab tells commands from output, and which numbers were written by hand and thus cannot be random.
pub fn compare(kernel: &str, ours: &str, lab: Option<&Lab>) -> Vec<Difference> {
    let kernel = Transcript::parse(kernel, lab);
    let ours = Transcript::parse(ours, lab);
    let mut differences = Vec::new();
    let mut pairs = Vec::new();
    for (k, o) in align(&kernel.blocks, &ours.blocks, |a, b| a.command == b.command) {
        match (k.map(|i| &kernel.blocks[i]), o.map(|i| &ours.blocks[i])) {
            (Some(k), Some(o)) => pairs.push((pairs.len(), k, o)),
            (k, o) => differences.push((pairs.len(), one_side(k, o))),
        }
    }
    // What stands in order teaches which random port is which, before the lists without order are matched.
    let mut excuse = Excuse::new(lab);
    pairs.sort_by_key(|(i, k, _)| (Kind::of(&k.command) == Kind::Entries, *i));
    for (i, k, o) in pairs {
        let kind = Kind::of(&k.command);
        excuse.kind = kind;
        let found = match kind {
            Kind::Entries => unordered(k, o, &mut excuse),
            Kind::Save => ordered(&place::sort_tables(k), &place::sort_tables(o), &mut excuse),
            Kind::Stats => ordered(&place::sum_processors(k), &place::sum_processors(o), &mut excuse),
            Kind::Sets => ordered(&sets::settle(k), &sets::settle(o), &mut excuse),
            _ => ordered(k, o, &mut excuse),
        };
        differences.extend(found.into_iter().map(|d| (i, d)));
    }
    differences.sort_by_key(|(i, _)| *i);
    differences.into_iter().map(|(_, d)| d).collect()
}

/// A command that printed something on one side only.
fn one_side(kernel: Option<&Block>, ours: Option<&Block>) -> Difference {
    let text = |b: &Block| match b.lines.as_slice() {
        [] => "(an empty output)".to_string(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} (and {} lines more)", rest.len()),
    };
    Difference {
        command: kernel.or(ours).map(|b| b.command.clone()).unwrap_or_default(),
        place: "printed on one side only".into(),
        kernel: kernel.map(text),
        ours: ours.map(text),
    }
}

/// Line by line, in order.
fn ordered(kernel: &Block, ours: &Block, excuse: &mut Excuse) -> Vec<Difference> {
    let places = (place::places(kernel), place::places(ours));
    // Where both have the same number of lines, the n-th belongs to the n-th: most differences are in a number.
    let pairs: Vec<(Option<usize>, Option<usize>)> = if kernel.lines.len() == ours.lines.len()
        && kernel.lines.iter().zip(&ours.lines).all(|(k, o)| place::same_subject(k, o))
    {
        (0..kernel.lines.len()).map(|i| (Some(i), Some(i))).collect()
    } else {
        let trial = excuse.clone();
        pair_gaps(align(&kernel.lines, &ours.lines, |k, o| {
            trial.clone().agree(k, o) || place::same_subject(k, o)
        }))
    };
    let mut differences = Vec::new();
    for (k, o) in pairs {
        let lines = (k.map(|i| &kernel.lines[i]), o.map(|i| &ours.lines[i]));
        if let (Some(k), Some(o)) = lines
            && excuse.agree(k, o)
        {
            continue;
        }
        let place = match (k, o) {
            (Some(i), _) => places.0[i].clone(),
            (None, Some(i)) => places.1[i].clone(),
            (None, None) => continue,
        };
        differences.push(Difference {
            command: kernel.command.clone(),
            place,
            kernel: lines.0.cloned(),
            ours: lines.1.cloned(),
        });
    }
    differences
}

/// Lines in any order: each line of one side must find its own on the other.
fn unordered(kernel: &Block, ours: &Block, excuse: &mut Excuse) -> Vec<Difference> {
    let mut left: Vec<&String> = ours.lines.iter().collect();
    let mut missing: Vec<&String> = Vec::new();
    // First those that need no renaming, so that a random port cannot take another line's partner.
    for k in &kernel.lines {
        match left.iter().position(|o| excuse.agree_without_renaming(k, o)) {
            Some(i) => {
                left.swap_remove(i);
            }
            None => missing.push(k),
        }
    }
    // The rest is small; try all assignments, up to a number of steps that keeps a hopeless case short.
    let mut steps = 20_000;
    if assign(&missing, &left, excuse, &mut steps) {
        return Vec::new();
    }
    missing.retain(|k| match left.iter().position(|o| excuse.agree(k, o)) {
        Some(i) => {
            left.swap_remove(i);
            false
        }
        None => true,
    });
    let mut differences: Vec<Difference> = Vec::new();
    for k in missing {
        // The nearest line of the other side makes the difference visible: same addresses, another state.
        let near = left.iter().position(|o| place::same_subject(k, o));
        differences.push(Difference {
            command: kernel.command.clone(),
            place: place::entry(k),
            kernel: Some(k.clone()),
            ours: near.map(|i| left.swap_remove(i).clone()),
        });
    }
    differences.extend(left.into_iter().map(|o| Difference {
        command: kernel.command.clone(),
        place: place::entry(o),
        kernel: None,
        ours: Some(o.clone()),
    }));
    differences
}

/// Finds for each line its own partner, with one renaming that fits them all.
fn assign(kernel: &[&String], ours: &[&String], excuse: &mut Excuse, steps: &mut u32) -> bool {
    let Some((first, rest)) = kernel.split_first() else { return ours.is_empty() };
    for i in 0..ours.len() {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        let mut trial = excuse.clone();
        if trial.agree(first, ours[i]) {
            let others: Vec<&String> =
                ours.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, o)| *o).collect();
            if assign(rest, &others, &mut trial, steps) {
                *excuse = trial;
                return true;
            }
        }
    }
    false
}

/// Where as many lines of one side stand against as many of the other, each was changed into its counterpart.
fn pair_gaps(pairs: Vec<(Option<usize>, Option<usize>)>) -> Vec<(Option<usize>, Option<usize>)> {
    let mut done = Vec::with_capacity(pairs.len());
    for gap in pairs.chunk_by(|a, b| (a.0.is_none() || a.1.is_none()) && (b.0.is_none() || b.1.is_none())) {
        let left: Vec<usize> = gap.iter().filter_map(|p| p.0).collect();
        let right: Vec<usize> = gap.iter().filter_map(|p| p.1).collect();
        if left.len() == right.len() {
            done.extend(left.into_iter().zip(right).map(|(k, o)| (Some(k), Some(o))));
        } else {
            done.extend_from_slice(gap);
        }
    }
    done
}

/// The longest common subsequence of two lists, as pairs; what has no partner stands alone, in order.
fn align<T>(a: &[T], b: &[T], mut same: impl FnMut(&T, &T) -> bool) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::new();
    // Equal beginnings and ends are the rule; the table is for what lies between.
    let head = a.iter().zip(b).take_while(|(x, y)| same(x, y)).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| same(x, y)).count();
    let (n, m) = (a.len() - head - tail, b.len() - head - tail);
    pairs.extend((0..head).map(|i| (Some(i), Some(i))));
    // Beyond this the table costs more than its answer is worth.
    if n.saturating_mul(m) > 4_000_000 {
        pairs.extend((0..n).map(|i| (Some(head + i), None)));
        pairs.extend((0..m).map(|j| (None, Some(head + j))));
    } else {
        let mut equal = vec![false; n * m];
        let mut best = vec![0u32; (n + 1) * (m + 1)];
        for i in (0..n).rev() {
            for j in (0..m).rev() {
                let is = same(&a[head + i], &b[head + j]);
                equal[i * m + j] = is;
                let down = best[(i + 1) * (m + 1) + j].max(best[i * (m + 1) + j + 1]);
                let both = best[(i + 1) * (m + 1) + j + 1] + 1;
                best[i * (m + 1) + j] = if is { down.max(both) } else { down };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < n || j < m {
            let here = best[i * (m + 1) + j];
            if i < n && j < m && equal[i * m + j] && here == best[(i + 1) * (m + 1) + j + 1] + 1 {
                pairs.push((Some(head + i), Some(head + j)));
                i += 1;
                j += 1;
            } else if i < n && (j == m || best[(i + 1) * (m + 1) + j] == here) {
                pairs.push((Some(head + i), None));
                i += 1;
            } else {
                pairs.push((None, Some(head + j)));
                j += 1;
            }
        }
    }
    pairs.extend((0..tail).map(|i| (Some(head + n + i), Some(head + m + i))));
    pairs
}
