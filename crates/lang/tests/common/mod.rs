//! Replays a console session that was recorded from the real tools on Linux 6.18.
//!
//! A block is `$ COMMAND`, its standard output, its standard error after `2> `, and `[exit N]` if that is not 0. Lines
//! after a command that ends in `<<EOF`, up to `EOF`, are its standard input.

use hookwalk_engine::Host;
use hookwalk_lang::{command, shell};

/// Does the order of a command's output lines mean something?
#[allow(dead_code, reason = "not every test file has a use for both")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Yes.
    Kept,
    /// No: the kernel prints in the order of a hash.
    Free,
}

/// Runs every command of the session on the host, and compares what it prints.
#[allow(dead_code, reason = "not every test file has a use for it")]
pub(crate) fn replay(host: &mut Host, session: &str, order: Order) {
    replay_but(host, session, order, str::to_string);
}

/// As [`replay`], with every line changed before it is compared: what the kernel draws at random is made the same.
pub(crate) fn replay_but(host: &mut Host, session: &str, order: Order, change: fn(&str) -> String) {
    let mut lines = session.lines().peekable();
    let mut commands = 0;
    let mut wrong = Vec::new();
    while let Some(line) = lines.next() {
        let Some(text) = line.strip_prefix("$ ") else {
            assert!(line.is_empty(), "not a command: {line}");
            continue;
        };
        let parsed = shell::split(text, 1).unwrap_or_else(|d| panic!("{text}: {d}"));
        let stdin = parsed.heredoc.map(|end| {
            let mut input = String::new();
            for line in lines.by_ref().take_while(|l| *l != end.text) {
                input.push_str(line);
                input.push('\n');
            }
            input
        });
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|l| !l.starts_with("$ ")) {
            expected.push(change(line));
        }
        while expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        let out = command::run(host, &parsed.words, stdin.as_deref());
        let mut printed: Vec<String> = out.stdout.lines().map(change).collect();
        printed.extend(out.stderr.lines().map(|l| format!("2> {l}")));
        if out.exit != 0 {
            printed.push(format!("[exit {}]", out.exit));
        }
        while printed.last().is_some_and(String::is_empty) {
            printed.pop();
        }
        if order == Order::Free {
            printed.sort();
            expected.sort();
        }
        if printed != expected {
            wrong.push(format!(
                "$ {text}\n--- Linux\n{}\n--- Hookwalk\n{}\n",
                expected.join("\n"),
                printed.join("\n")
            ));
        }
        commands += 1;
    }
    assert!(commands > 0, "the session is empty");
    assert!(wrong.is_empty(), "{} of {commands} commands differ:\n{}", wrong.len(), wrong.join("\n"));
}
