//! Who connects to what: one line, and the lines of a whole conversation.

use super::network::Network;
use crate::session::Session;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_lang::frames::Way;
use std::net::IpAddr;

/// `PROTO SOURCE[:PORT] -> DESTINATION[:PORT]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Talk {
    /// IPv4 or IPv6.
    pub family: Family,
    /// `tcp`, `udp` or `icmp`.
    pub proto: &'static str,
    /// Who begins.
    pub from: Addr,
    /// The source port.
    pub sport: u16,
    /// To whom.
    pub to: Addr,
    /// The destination port.
    pub dport: u16,
}

/// Why a line could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum TalkError {
    NoArrow,
    Protocol,
    Source,
    Destination,
    Port,
    Families,
}

impl TalkError {
    /// In words.
    pub fn message(self) -> String {
        match self {
            TalkError::NoArrow => "write who connects to what: tcp 203.0.113.9 -> 203.0.113.1:80",
            TalkError::Protocol => "the protocol is tcp, udp or icmp",
            TalkError::Source => "the source is an address: tcp 203.0.113.9 -> …",
            TalkError::Destination => "the destination is an address",
            TalkError::Port => "tcp and udp need a destination port: … -> 203.0.113.1:80",
            TalkError::Families => "source and destination are of one family",
        }
        .to_string()
    }
}

/// An address with a port where one stands.
fn endpoint(text: &str) -> Option<(Family, Addr, Option<u16>)> {
    let of = |ip: IpAddr| (if ip.is_ipv4() { Family::V4 } else { Family::V6 }, Addr::from(ip));
    if let Ok(ip) = text.parse::<IpAddr>() {
        let (family, addr) = of(ip);
        return Some((family, addr, None));
    }
    let socket: std::net::SocketAddr = text.parse().ok()?;
    let (family, addr) = of(socket.ip());
    Some((family, addr, Some(socket.port())))
}

impl Talk {
    /// Reads a line.
    ///
    /// # Errors
    /// What is missing.
    pub fn read(text: &str) -> Result<Talk, TalkError> {
        let (left, right) =
            text.split_once("->").or_else(|| text.split_once('>')).ok_or(TalkError::NoArrow)?;
        let (proto, from) = left.trim().split_once(char::is_whitespace).ok_or(TalkError::NoArrow)?;
        let proto = match proto {
            "tcp" => "tcp",
            "udp" => "udp",
            "icmp" | "ping" | "icmp6" => "icmp",
            _ => return Err(TalkError::Protocol),
        };
        let (family, from, sport) = endpoint(from.trim()).ok_or(TalkError::Source)?;
        let (other, to, dport) = endpoint(right.trim()).ok_or(TalkError::Destination)?;
        if family != other {
            return Err(TalkError::Families);
        }
        if proto != "icmp" && dport.is_none() {
            return Err(TalkError::Port);
        }
        Ok(Talk { family, proto, from, sport: sport.unwrap_or(40000), to, dport: dport.unwrap_or(0) })
    }

    fn end(&self, addr: Addr, port: u16) -> String {
        let ip = addr.ip(self.family);
        match (self.proto, self.family) {
            ("icmp", _) => ip.to_string(),
            (_, Family::V4) => format!("{ip}:{port}"),
            (_, Family::V6) => format!("[{ip}]:{port}"),
        }
    }

    /// Writes the conversation: the first packet, then whoever received it answers, and so on to the end. Who that is
    /// depends on the box's rules, so the lab is run up to here to see.
    pub(super) fn write(&self, network: &Network, lab: &mut String) {
        let own = network.is_own(self.family, self.from);
        let wire = network.wire_of(self.family, self.from).unwrap_or("box");
        let from = if own { "box" } else { wire };
        let (source, target) = (self.end(self.from, self.sport), self.end(self.to, self.dport));
        let first = match self.proto {
            "tcp" => format!("tcp {source} > {target} S seq=1000 mss=1460"),
            "udp" => format!("udp {source} > {target} len=40"),
            _ if self.family == Family::V4 => {
                format!("icmp {source} > {target} echo-request id=1 seq=1 len=56")
            }
            _ => format!("icmp6 {source} > {target} echo-request id=1 seq=1 len=56"),
        };
        let before = received(lab);
        lab.push_str(&format!("{from}> {first}\n"));
        let after = received(lab);
        let heard = after
            .iter()
            .find(|(name, n)| name != from && before.iter().any(|(other, was)| other == name && n > was));
        let peer = heard.map(|(name, _)| name.as_str());
        // The box's own packet goes out through a raw socket: no connection of it answers.
        let talker = (!own).then_some(from);
        let rounds: &[(bool, &str)] = match self.proto {
            "tcp" => &[
                (false, "reply"),
                (true, "reply ."),
                (true, "reply P. len=100"),
                (false, "reply ."),
                (false, "reply P. len=400"),
                (true, "reply ."),
                (true, "reply F."),
                (false, "reply F."),
                (true, "reply ."),
            ],
            "udp" => &[(false, "reply len=120"), (true, "reply len=40"), (false, "reply len=120")],
            _ => &[(false, "reply")],
        };
        for (by_talker, what) in rounds {
            if let Some(who) = if *by_talker { talker } else { peer } {
                lab.push_str(&format!("{who}> {what}\n"));
            }
        }
    }
}

/// How many frames each wire of the lab has received at its end.
fn received(lab: &str) -> Vec<(String, usize)> {
    // Recorded, though only the end counts: without an observer the whole engine would be in the wasm a second time.
    let Ok(session) = Session::new(lab) else { return Vec::new() };
    let run = session.end();
    let wires = run.lab.stations.iter().zip(&run.world.stations);
    wires
        .filter(|(s, _)| s.kind == crate::file::StationKind::Wire)
        .map(|(s, state)| (s.name.clone(), state.frames.iter().filter(|f| f.way == Way::In).count()))
        .collect()
}

/// The command that makes an entry of `conntrack -L` again (`conntrack -I`).
pub(super) fn entry_command(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|w| matches!(*w, "tcp" | "udp" | "icmp" | "icmpv6"))?;
    let proto = words[at];
    let timeout: u32 = words.get(at + 2)?.parse().ok()?;
    let values = |name: &str| -> Vec<&str> {
        words.iter().filter_map(|w| w.strip_prefix(name)?.strip_prefix('=')).collect()
    };
    let (src, dst) = (values("src"), values("dst"));
    let mut command = format!(
        "conntrack -I -p {proto} -s {} -d {} -r {} -q {} --timeout {timeout}",
        src.first()?,
        dst.first()?,
        src.get(1)?,
        dst.get(1)?
    );
    let mut add = |name: &str, value: Option<&&str>| {
        if let Some(value) = value {
            command.push_str(&format!(" {name} {value}"));
        }
    };
    let (sport, dport) = (values("sport"), values("dport"));
    add("--sport", sport.first());
    add("--dport", dport.first());
    add("--reply-port-src", sport.get(1));
    add("--reply-port-dst", dport.get(1));
    let (kind, code, id) = (values("type"), values("code"), values("id"));
    add("--icmp-type", kind.first());
    add("--icmp-code", code.first());
    add("--icmp-id", id.first());
    let mark = values("mark");
    add("--mark", mark.first().filter(|m| **m != "0"));
    if proto == "tcp" {
        add("--state", words.get(at + 3));
    }
    let mut status = Vec::new();
    if !words.contains(&"[UNREPLIED]") {
        status.push("SEEN_REPLY");
    }
    if words.contains(&"[ASSURED]") {
        status.push("ASSURED");
    }
    if !status.is_empty() {
        command.push_str(&format!(" -u {}", status.join(",")));
    }
    Some(command)
}
