//! `hookwalk new`: what a real box printed becomes a lab; a capture becomes its traffic.

use hookwalk_lab::capture;
use hookwalk_lab::paste::Pasted;
use std::process::ExitCode;

const USAGE: &str = "\
usage: hookwalk new --addr FILE [--route FILE] [--rule FILE] [--iptables FILE] [--ip6tables FILE] [--ipset FILE]
                    [--ss FILE] [--sysctl FILE] [--conntrack FILE] [--talk 'tcp 203.0.113.9 -> 203.0.113.1:80']…
                    [--pcap FILE]
Each FILE holds what the box printed: `ip addr` (or `ip -j addr`), `ip route`, `ip rule`, `iptables-save`, `ss -lntu`,
`sysctl -a`, `conntrack -L`; - is standard input. The lab goes to standard output.
";

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let mut pasted = Pasted::default();
    let mut caught = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(value) = words.next() else {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        };
        if *word == "--talk" {
            pasted.talks.push((*value).to_string());
            continue;
        }
        if *word == "--pcap" {
            caught = Some((*value).to_string());
            continue;
        }
        let field = match *word {
            "--addr" => &mut pasted.addr,
            "--route" => &mut pasted.route,
            "--rule" => &mut pasted.rule,
            "--iptables" => &mut pasted.iptables,
            "--ip6tables" => &mut pasted.ip6tables,
            "--ipset" => &mut pasted.ipset,
            "--ss" => &mut pasted.sockets,
            "--sysctl" => &mut pasted.sysctl,
            "--conntrack" => &mut pasted.conntrack,
            _ => {
                eprintln!("hookwalk: {word} is not an option of new");
                eprint!("{USAGE}");
                return ExitCode::from(2);
            }
        };
        match read(value) {
            Ok(text) => field.push_str(&text),
            Err(e) => {
                eprintln!("{value}: {e}");
                return ExitCode::FAILURE;
            }
        }
    }
    pasted.addr = without_json(pasted.addr);
    let (lab, notes) = pasted.lab();
    for note in &notes {
        eprintln!("hookwalk: {:?} {}", note.paste, note.diagnostic);
    }
    let Some(mut lab) = lab else { return ExitCode::FAILURE };
    if let Some(file) = caught {
        match std::fs::read(&file).map_err(|e| e.to_string()).and_then(|bytes| capture::read(&bytes)) {
            Ok(caught) => lab.push_str(&capture::replay(&caught, &lab)),
            Err(e) => {
                eprintln!("{file}: {e}");
                return ExitCode::FAILURE;
            }
        }
    }
    crate::say(&lab);
    ExitCode::SUCCESS
}

fn read(path: &str) -> std::io::Result<String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
        bytes
    } else {
        std::fs::read(path)?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `ip -j addr` as `ip addr` would have printed it, as far as addresses go.
fn without_json(text: String) -> String {
    if !text.trim_start().starts_with('[') {
        return text;
    }
    let Ok(serde_json::Value::Array(links)) = serde_json::from_str(&text) else { return text };
    let mut out = String::new();
    for link in &links {
        let Some(name) = link["ifname"].as_str() else { continue };
        out.push_str(&format!("{}: {name}: <UP>\n", link["ifindex"].as_u64().unwrap_or(0)));
        for addr in link["addr_info"].as_array().into_iter().flatten() {
            if let (Some(family), Some(local), Some(len)) =
                (addr["family"].as_str(), addr["local"].as_str(), addr["prefixlen"].as_u64())
            {
                out.push_str(&format!("    {family} {local}/{len}\n"));
            }
        }
    }
    out
}
