//! Your box in three pastes: what a real box prints becomes a lab, ready to be asked.
//!
//! [`Pasted`] takes the texts as the tools print them; [`Pasted::lab`] writes the lab: the host, a wire for each of its
//! networks, its rules, routes, sysctls, listeners and connections, and, where one is asked for, a conversation.

mod network;
mod talk;
mod terminal;

pub use talk::{Talk, TalkError};

use hookwalk_engine::host::{Host, HostId};
use hookwalk_lang::{Diagnostic, sysctl};
use network::Network;

/// What was pasted; every field may be empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pasted {
    /// `iptables-save`.
    pub iptables: String,
    /// `ip6tables-save`.
    pub ip6tables: String,
    /// `ip addr`.
    pub addr: String,
    /// `ip route` and `ip -6 route`, also with `show table all`.
    pub route: String,
    /// `ip rule`.
    pub rule: String,
    /// `ss -lntu`.
    pub sockets: String,
    /// `sysctl -a`, or the part of it that matters.
    pub sysctl: String,
    /// `conntrack -L`.
    pub conntrack: String,
    /// `ipset save`.
    pub ipset: String,
    /// Who connects to what, a line each: `tcp 203.0.113.9 -> 203.0.113.1:80`.
    pub talks: Vec<String>,
}

/// Which of the pastes a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Paste {
    Addr,
    Route,
    Talk,
    Conntrack,
}

/// What could not be used, and why; the lab is written without it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Where.
    pub paste: Paste,
    /// Line from 1, column from 1, and what is wrong.
    pub diagnostic: Diagnostic,
}

impl Pasted {
    /// The lab, and what was left out of it. `None`: there is no address to give the host, so there is no lab.
    pub fn lab(&self) -> (Option<String>, Vec<Note>) {
        let talks = self.talks.clone();
        Pasted {
            iptables: terminal::plain(&self.iptables),
            ip6tables: terminal::plain(&self.ip6tables),
            addr: terminal::plain(&self.addr),
            route: terminal::plain(&self.route),
            rule: terminal::plain(&self.rule),
            sockets: terminal::plain(&self.sockets),
            sysctl: terminal::plain(&self.sysctl),
            conntrack: terminal::plain(&self.conntrack),
            ipset: terminal::plain(&self.ipset),
            talks,
        }
        .write()
    }

    /// The lab of texts that hold nothing but what tools printed.
    fn write(&self) -> (Option<String>, Vec<Note>) {
        let mut notes = Vec::new();
        let mut network = Network::read(&self.addr, &self.route, &mut notes);
        let talks: Vec<Talk> = self
            .talks
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
            .filter_map(|(i, text)| match Talk::read(text) {
                Ok(talk) => Some(talk),
                Err(e) => {
                    notes.push(note(Paste::Talk, i as u32 + 1, e.message()));
                    None
                }
            })
            .collect();
        if !network.has_host_address() {
            let hint = "paste the output of `ip addr`";
            notes.push(note(Paste::Addr, 1, format!("no address of the box was found; {hint}")));
            return (None, notes);
        }
        network.lay_wires(talks.iter().map(|t| (t.family, t.from)));
        let mut lab = String::from("title My box\n\n");
        network.declare(&mut lab);
        lab.push('\n');
        self.settings(&network, &mut lab);
        for (command, text) in [
            ("ipset restore", &self.ipset),
            ("iptables-restore", &self.iptables),
            ("ip6tables-restore", &self.ip6tables),
        ] {
            if !text.trim().is_empty() {
                here_document(&mut lab, command, text);
            }
        }
        network.routes(&mut lab);
        self.policy(&mut lab);
        self.listeners(&mut lab);
        self.entries(&mut lab, &mut notes);
        for talk in &talks {
            lab.push('\n');
            talk.write(&network, &mut lab);
        }
        lab.push('\n');
        for (text, commands) in [
            (&self.iptables, ["iptables -t nat -nvL", "iptables -nvL"]),
            (&self.ip6tables, ["ip6tables -t nat -nvL", "ip6tables -nvL"]),
        ] {
            if !text.trim().is_empty() {
                commands.iter().for_each(|c| lab.push_str(&format!("box# {c}\n")));
            }
        }
        lab.push_str("box# conntrack -L\n");
        (Some(lab), notes)
    }

    /// Settings that the model knows and that differ from a fresh namespace's.
    fn settings(&self, network: &Network, lab: &mut String) {
        let mut host = Host::new(HostId(0), 0);
        for name in network.device_names() {
            host.add_device(name, [2, 0, 0, 0, 0, 1]);
        }
        for line in self.sysctl.lines() {
            let Some((key, value)) = line.split_once('=').map(|(k, v)| (k.trim(), v.trim())) else {
                continue;
            };
            let path = format!("/proc/sys/{}", key.replace('.', "/"));
            // A device's name may hold a dot, so the key is tried as it is, too.
            let fresh = sysctl::cat(&mut host, &path);
            if fresh.is_some_and(|f| f.trim() != value && !value.is_empty())
                && !key.contains("conntrack_count")
            {
                lab.push_str(&format!("box# sysctl -qw {key}={value}\n"));
            }
        }
    }

    /// `ip rule` lines beyond the three that every namespace has.
    fn policy(&self, lab: &mut String) {
        for line in self.rule.lines() {
            let Some((pref, rest)) = line.trim().split_once(':') else { continue };
            if matches!(pref, "0" | "32766" | "32767") || pref.parse::<u32>().is_err() {
                continue;
            }
            lab.push_str(&format!("box# ip rule add pref {pref} {}\n", rest.trim()));
        }
    }

    /// A server for each listening socket; one that is bound to loopback alone cannot be reached from a wire.
    fn listeners(&self, lab: &mut String) {
        let mut seen = Vec::new();
        for line in self.sockets.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [proto @ ("tcp" | "udp"), "LISTEN" | "UNCONN", _, _, local, ..] = words[..] else {
                continue;
            };
            let Some((addr, port)) = local.rsplit_once(':') else { continue };
            let addr = addr.split('%').next().unwrap_or(addr).trim_matches(['[', ']']);
            let loopback = addr.starts_with("127.") || addr == "::1";
            let server = format!("{proto}/{port}");
            if port.parse::<u16>().is_err() || seen.contains(&server) {
                continue;
            }
            if loopback {
                lab.push_str(&format!(
                    "# {server} listens on {addr} alone: no packet from a wire reaches it\n"
                ));
                continue;
            }
            lab.push_str(&format!("box$ listen {server}\n"));
            seen.push(server);
        }
    }

    /// Connections that are there already.
    fn entries(&self, lab: &mut String, notes: &mut Vec<Note>) {
        for (i, line) in self.conntrack.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with("conntrack v") {
                continue;
            }
            match talk::entry_command(line) {
                Some(command) => lab.push_str(&format!("box# {command}\n")),
                None => notes.push(note(
                    Paste::Conntrack,
                    i as u32 + 1,
                    "only TCP, UDP and ICMP entries can be loaded".into(),
                )),
            }
        }
    }
}

fn note(paste: Paste, line: u32, message: String) -> Note {
    Note { paste, diagnostic: Diagnostic { line, col: 1, len: 1, message, hint: None } }
}

/// A command with the text as its standard input; the word that ends it is one that the text does not hold.
fn here_document(lab: &mut String, command: &str, text: &str) {
    let mut word = String::from("END");
    while text.lines().any(|l| l.trim() == word) {
        word.push('_');
    }
    lab.push_str(&format!("box# {command} <<{word}\n{}\n{word}\n", text.trim_end()));
}
