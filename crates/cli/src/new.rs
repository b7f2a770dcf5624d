//! `hookwalk new`: what a real box printed becomes a lab; a capture becomes its traffic.

use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::{L4, Packet, Payload};
use hookwalk_engine::wire;
use hookwalk_lab::paste::Pasted;
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};
use std::io::Cursor;
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
    let mut capture = None;
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
            capture = Some((*value).to_string());
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
    if let Some(file) = capture {
        match std::fs::read(&file).map_err(|e| e.to_string()).and_then(|bytes| packets(&bytes)) {
            Ok(packets) => lab.push_str(&replay(&packets, &lab)),
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

/// The IP packets of a pcap or pcapng file, with the times at which they were caught, in seconds.
fn packets(bytes: &[u8]) -> Result<Vec<(f64, Packet)>, String> {
    let mut found = Vec::new();
    let mut take = |time: f64, link: u32, data: &[u8]| {
        let ip = match link {
            // LINKTYPE_ETHERNET, with or without a VLAN tag.
            1 if data.len() > 18 && data[12..14] == [0x81, 0] => &data[18..],
            1 if data.len() > 14 => &data[14..],
            // LINKTYPE_RAW, _IPV4, _IPV6.
            101 | 228 | 229 | 12 => data,
            // LINKTYPE_LINUX_SLL and _SLL2.
            113 if data.len() > 16 => &data[16..],
            276 if data.len() > 20 => &data[20..],
            _ => return,
        };
        if let Ok(packet) = wire::decode(ip) {
            found.push((time, packet));
        }
    };
    if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        let mut reader = PcapNgReader::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
        let mut links = Vec::new();
        while let Some(block) = reader.next_block() {
            match block.map_err(|e| e.to_string())? {
                Block::InterfaceDescription(i) => links.push(u32::from(i.linktype)),
                Block::EnhancedPacket(p) => {
                    let link = links.get(p.interface_id as usize).copied().unwrap_or(1);
                    take(p.timestamp.as_secs_f64(), link, &p.data);
                }
                Block::SimplePacket(p) => take(0.0, links.first().copied().unwrap_or(1), &p.data),
                _ => {}
            }
        }
    } else {
        let mut reader = PcapReader::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
        let link = u32::from(reader.header().datalink);
        while let Some(packet) = reader.next_packet() {
            let packet = packet.map_err(|e| e.to_string())?;
            take(packet.timestamp.as_secs_f64(), link, &packet.data);
        }
    }
    Ok(found)
}

/// The packets as lines of the lab: each from the wire whose network its source lies in, else from the one that holds
/// the gateway; what the box itself sends is left to the box.
fn replay(packets: &[(f64, Packet)], lab: &str) -> String {
    let mut out = String::from("\n");
    let parsed = hookwalk_lab::parse(lab).0;
    let nets = |family: Family, packet: &Packet| {
        parsed
            .stations
            .iter()
            .filter(|s| s.name != "box")
            .find(|s| {
                s.ifaces.iter().flat_map(|i| &i.addrs).any(|&(f, a, l)| {
                    f == family && hookwalk_engine::AddrMask::prefix(f, a, l).contains(packet.src)
                })
            })
            .or_else(|| parsed.stations.iter().find(|s| s.name != "box"))
            .map(|s| s.name.clone())
    };
    let own = |packet: &Packet| {
        parsed
            .stations
            .iter()
            .filter(|s| s.name == "box")
            .flat_map(|s| &s.ifaces)
            .any(|i| i.addrs.iter().any(|&(f, a, _)| f == packet.family && a == packet.src))
    };
    let mut last: Option<f64> = None;
    for (time, packet) in packets {
        if own(packet) {
            continue;
        }
        let Some(from) = nets(packet.family, packet) else { continue };
        let Some(line) = packet_line(packet) else {
            out.push_str("# a packet that the lab language cannot write was left out\n");
            continue;
        };
        if let Some(gap) = last.map(|l| time - l).filter(|gap| *gap >= 0.1) {
            out.push_str(&format!("sleep {gap:.1}\n"));
        }
        last = Some(*time);
        out.push_str(&format!("{from}> {line}\n"));
    }
    out
}

/// A packet as the lab language writes it, with the bytes of its payload.
fn packet_line(packet: &Packet) -> Option<String> {
    if matches!(packet.payload, Payload::Quote { .. }) {
        return None;
    }
    let mut line = match &packet.l4 {
        // A header that is not kept as fields is part of the bytes.
        L4::Opaque => {
            let name = if packet.family == Family::V4 { "ip" } else { "ip6" };
            let (src, dst) = (packet.src.ip(packet.family), packet.dst.ip(packet.family));
            format!("{name} {src} > {dst} proto={} ttl={}", packet.proto, packet.ttl)
        }
        _ => {
            let line = hookwalk_lang::frames::packet_line(packet);
            let words = line.split(' ').filter(|w| !w.starts_with("len=") && !w.starts_with("frag="));
            words.collect::<Vec<_>>().join(" ")
        }
    };
    if let L4::Tcp(t) = &packet.l4 {
        line.push_str(&format!(" win={}", t.window));
    }
    match &packet.payload {
        Payload::Bytes(bytes) if bytes.iter().any(|b| *b != 0) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            line.push_str(&format!(" data={hex}"));
        }
        payload if !payload.is_empty() => line.push_str(&format!(" len={}", payload.len())),
        _ => {}
    }
    if let Some(frag) = packet.frag {
        let id = if matches!(packet.l4, L4::Icmp(_)) { "ipid" } else { "id" };
        let more = if frag.more { "+" } else { "" };
        line.push_str(&format!(" frag={}{more} {id}={}", frag.offset, frag.id));
    }
    if packet.tos != 0 {
        line.push_str(&format!(" tos={:#x}", packet.tos));
    }
    if packet.df {
        line.push_str(" df");
    }
    Some(line)
}
