//! What a terminal leaves in a text that is copied from it: colours, line ends, prompts.

/// The tools whose output is pasted; a line that calls one of them is no output.
const TOOLS: [&str; 12] = [
    "iptables-save",
    "ip6tables-save",
    "iptables",
    "ip6tables",
    "ip",
    "ss",
    "sysctl",
    "conntrack",
    "ipset",
    "cat",
    "nft",
    "exit",
];

/// The text without escape sequences, carriage returns and lines that are a prompt with a command. Lines keep their
/// numbers, since messages name them.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (line, ""),
        };
        let body = without_escapes(body.trim_end_matches('\r'));
        if !is_prompt(&body) {
            out.push_str(&body);
        }
        out.push_str(end);
    }
    out
}

/// Leaves out control sequences (`ESC [ … letter`) and lone escapes.
fn without_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'[').is_some() {
            // The last character of a sequence is the first that is neither a digit nor a sign.
            while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {}
            chars.next();
        }
    }
    out
}

/// `root@box:~# ip addr`, `$ sudo iptables-save`, `[me@box ~]$ ss -lntu`, or the prompt alone.
fn is_prompt(line: &str) -> bool {
    let line = line.trim();
    // Where a prompt ends: at a sign with a blank or nothing behind it.
    let Some(at) = line.find(['#', '$']).filter(|at| {
        let rest = &line[at + 1..];
        rest.is_empty() || rest.starts_with(' ')
    }) else {
        return false;
    };
    let (before, rest) = (&line[..at], line[at + 1..].trim_start());
    if rest.is_empty() {
        return before.contains('@');
    }
    // A comment of iptables-save begins with the sign, and no tool's name follows.
    let mut words = rest.split_whitespace().skip_while(|w| *w == "sudo");
    let tool = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    TOOLS.contains(&tool) && (before.is_empty() || before.contains(['@', ':', '~', '[']))
}
