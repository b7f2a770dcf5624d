//! What `ipset` prints, without what the kernel leaves free: the order of a hash's elements, which hangs on a random
//! seed, that seed (`initval`), and how much memory a set takes.

use crate::transcript::Block;

/// The block with the elements of each hash in alphabetical order, and the free numbers gone.
pub(super) fn settle(block: &Block) -> Block {
    let mut lines: Vec<String> = Vec::with_capacity(block.lines.len());
    // Where the elements of the present set begin; none of a set that keeps an order.
    let mut elements: Option<usize> = None;
    let mut hash = false;
    for line in &block.lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["create", _, kind, ..] => {
                sort_from(&mut lines, elements);
                lines.push(without_seed(&words));
                elements = kind.starts_with("hash:").then_some(lines.len());
                continue;
            }
            ["Name:", ..] => {
                sort_from(&mut lines, elements);
                (elements, hash) = (None, false);
            }
            ["Type:", kind, ..] => hash = kind.starts_with("hash:"),
            ["Header:", ..] => {
                lines.push(without_seed(&words));
                continue;
            }
            ["Size", "in", "memory:", ..] => continue,
            ["Members:"] if hash => {
                lines.push(line.clone());
                elements = Some(lines.len());
                continue;
            }
            [""] => {
                sort_from(&mut lines, elements);
                elements = None;
            }
            _ => {}
        }
        lines.push(line.clone());
    }
    sort_from(&mut lines, elements);
    Block { command: block.command.clone(), lines, ..Block::default() }
}

fn sort_from(lines: &mut [String], from: Option<usize>) {
    if let Some(from) = from {
        lines[from..].sort();
    }
}

/// Without `initval 0x…`.
fn without_seed(words: &[&str]) -> String {
    match words.iter().position(|w| *w == "initval") {
        Some(at) => [&words[..at], words.get(at + 2..).unwrap_or(&[])].concat().join(" "),
        None => words.join(" "),
    }
}
