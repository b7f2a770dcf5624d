//! `hookwalk export`: a lab as a bash script for any Linux, and what its interfaces carried as pcapng files.

use crate::load;
use hookwalk_engine::addr::Family;
use hookwalk_engine::wire;
use hookwalk_lab::file::{Lab, Prompt, Statement, Station, StationId, StationKind};
use hookwalk_lab::topology::{end, mac};
use hookwalk_lab::world::START_OF_TIME;
use hookwalk_lab::{Run, Session};
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const USAGE: &str = "\
usage: hookwalk export --bash LAB          print a bash script that rebuilds and plays the lab with ip netns (root)
       hookwalk export --pcapng DIR LAB    write what each interface carried to DIR/STATION-IFACE.pcapng
";

pub(crate) fn main(words: &[&str]) -> ExitCode {
    match words {
        ["--bash", file] => {
            let Some(lab) = load::lab(Path::new(file)) else { return ExitCode::FAILURE };
            crate::say(&bash(lab));
            ExitCode::SUCCESS
        }
        ["--pcapng", dir, file] => {
            let Some(lab) = load::lab(Path::new(file)) else { return ExitCode::FAILURE };
            match captures(Path::new(dir), lab) {
                Ok(names) => {
                    names.iter().for_each(|n| println!("{n}"));
                    ExitCode::SUCCESS
                }
                Err(e) => {
                    eprintln!("{dir}: {e}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// What each interface carried, as Ethernet frames with their simulated times.
fn captures(dir: &Path, lab: Lab) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    let run = Run::to_end(Arc::new(lab));
    let mut names = Vec::new();
    for (i, station) in run.lab.stations.iter().enumerate() {
        for (k, iface) in station.ifaces.iter().enumerate() {
            let name = format!("{}-{}.pcapng", station.name, iface.name.replace('/', "_"));
            let mut writer = PcapNgWriter::new(std::fs::File::create(dir.join(&name))?)?;
            writer.write_pcapng_block(InterfaceDescriptionBlock {
                linktype: DataLink::ETHERNET,
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(Cow::Owned(iface.name.clone())),
                    InterfaceDescriptionOption::IfTsResol(9),
                ],
            })?;
            for frame in run.world.stations[i].frames.iter().filter(|f| usize::from(f.iface) == k) {
                let kind: [u8; 2] = if frame.packet.family == Family::V4 { [8, 0] } else { [0x86, 0xdd] };
                let mut data = [&frame.macs[1][..], &frame.macs[0], &kind].concat();
                data.extend(wire::encode(&frame.packet));
                writer.write_pcapng_block(EnhancedPacketBlock {
                    interface_id: 0,
                    timestamp: Duration::from_secs(START_OF_TIME as u64) + Duration::from_nanos(frame.time.0),
                    original_len: data.len() as u32,
                    data: Cow::Owned(data),
                    options: Vec::new(),
                })?;
            }
            names.push(name);
        }
    }
    Ok(names)
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The script. Packets go out as the bytes that they have here; `reply` lines answer what the simulator received, so a
/// number that a real stack draws at random is not answered right.
fn bash(lab: Lab) -> String {
    let lab = Arc::new(lab);
    let mut out = String::from(HEAD);
    if let Some(title) = lab.title("en") {
        let _ = writeln!(out, "# {title}");
    }
    for (i, station) in lab.stations.iter().enumerate() {
        declare(&mut out, station, i);
    }
    for (n, link) in lab.links.iter().enumerate() {
        let place = |e: &hookwalk_lab::file::End| {
            let station = &lab.stations[e.station.index()];
            (station.name.clone(), station.ifaces[usize::from(e.iface)].name.clone(), mac_text(mac(*e)))
        };
        match link.ends.as_slice() {
            [a, b] => {
                let (a, b) = (place(a), place(b));
                let _ = writeln!(
                    out,
                    "ip link add {} address {} netns \"${{P}}{}\" type veth peer name {} address {} netns \"${{P}}{}\"",
                    a.1, a.2, a.0, b.1, b.2, b.0
                );
            }
            ends => {
                let _ = writeln!(
                    out,
                    "ns switch{n}; in_ns switch{n} ip link add br type bridge; in_ns switch{n} ip link set br up"
                );
                for (k, e) in ends.iter().enumerate() {
                    let e = place(e);
                    let _ = writeln!(
                        out,
                        "ip link add {} address {} netns \"${{P}}{}\" type veth peer name p{k} netns \"${{P}}switch{n}\"; in_ns switch{n} ip link set p{k} master br up",
                        e.1, e.2, e.0
                    );
                }
            }
        }
    }
    for (i, station) in lab.stations.iter().enumerate() {
        addresses(&mut out, &lab, station, i);
    }
    out.push('\n');
    lines(&mut out, lab);
    out
}

const HEAD: &str = r#"#!/usr/bin/env bash
# A lab, rebuilt with network namespaces. Needs root, iproute2, the tools that the lab uses, and python3 for packets.
set -u
P="hw$$_"
ns() { ip netns add "$P$1"; ip -n "$P$1" link set lo up; }
in_ns() { local n=$1; shift; ip netns exec "$P$n" "$@"; }
cleanup() { ip netns list | awk '{print $1}' | grep "^$P" | while read -r n; do ip netns pids "$n" | xargs -r kill; ip netns del "$n"; done; }
trap cleanup EXIT
# listen NAMESPACE PROTO PORT [echo]: TCP accepts and says nothing; UDP swallows, or sends every datagram back.
listen() { in_ns "$1" python3 -c 'import socket,sys
udp=sys.argv[1]=="udp"; s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,0); s.bind(("",int(sys.argv[2])))
if not udp: s.listen(128); held=[]
while True:
    if not udp: held.append(s.accept()); continue
    d,a=s.recvfrom(65535)
    if "echo" in sys.argv: s.sendto(d,a)' "$2" "$3" ${4:-} & sleep 0.3; }
# frame NAMESPACE DEVICE HEX: a frame on the wire. raw NAMESPACE ADDRESS HEX: a packet through a host's raw socket.
frame() { in_ns "$1" python3 -c 'import socket,sys;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind((sys.argv[1],0));s.send(bytes.fromhex(sys.argv[2]))' "$2" "$3"; sleep 0.05; }
raw() { in_ns "$1" python3 -c 'import socket,sys;f=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET;s=socket.socket(f,socket.SOCK_RAW,socket.IPPROTO_RAW);s.sendto(bytes.fromhex(sys.argv[2]),(sys.argv[1],0))' "$2" "$3"; sleep 0.05; }
"#;

fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

fn declare(out: &mut String, station: &Station, _index: usize) {
    let _ = writeln!(out, "ns {}", station.name);
    if station.kind == StationKind::Wire {
        // A wire has no stack: nothing answers by itself.
        let _ = writeln!(out, "in_ns {} sysctl -qw net.ipv6.conf.all.disable_ipv6=1", station.name);
    }
}

fn addresses(out: &mut String, lab: &Lab, station: &Station, index: usize) {
    let n = &station.name;
    for (k, iface) in station.ifaces.iter().enumerate() {
        let dev = &iface.name;
        if station.kind == StationKind::Host {
            let _ =
                writeln!(out, "in_ns {n} sysctl -qw net.ipv6.conf.{}.accept_dad=0", dev.replace('.', "/"));
            for (family, addr, len) in &iface.addrs {
                let brd = if *family == Family::V4 { " brd +" } else { " nodad" };
                let _ = writeln!(out, "in_ns {n} ip addr add {}/{len}{brd} dev {dev}", addr.ip(*family));
            }
        } else {
            let _ = writeln!(out, "in_ns {n} ip link set {dev} arp off");
        }
        let _ = writeln!(out, "in_ns {n} ip link set {dev} up");
        if station.kind == StationKind::Host {
            let here = end(StationId(index as u16), k as u16);
            let others = lab.links.iter().filter(|l| l.ends.contains(&here)).flat_map(|l| &l.ends);
            for other in others.filter(|e| **e != here) {
                for (family, addr, _) in
                    &lab.stations[other.station.index()].ifaces[usize::from(other.iface)].addrs
                {
                    let _ = writeln!(
                        out,
                        "in_ns {n} ip neigh add {} lladdr {} dev {dev} nud permanent",
                        addr.ip(*family),
                        mac_text(mac(*other))
                    );
                }
            }
        }
    }
    if station.kind == StationKind::Host {
        for (family, addr) in &station.gateways {
            let minus6 = if *family == Family::V6 { " -6" } else { "" };
            let _ = writeln!(out, "in_ns {n} ip{minus6} route add default via {}", addr.ip(*family));
        }
    }
}

fn lines(out: &mut String, lab: Arc<Lab>) {
    let mut session = Session::of(lab.clone());
    for (i, line) in lab.lines.iter().enumerate() {
        match &line.what {
            Statement::Command { station, prompt, words, stdin } => {
                let name = &lab.stations[station.index()].name;
                let source = lab.source(line);
                let _ = writeln!(out, "echo {}", quote(source));
                let texts: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
                let command: Vec<String> = texts.iter().map(|t| quote(t)).collect();
                match (prompt, texts.as_slice()) {
                    (_, ["frames", ..]) => {
                        let _ = writeln!(out, "# {source}: capture with tcpdump -i");
                    }
                    (Prompt::User, ["listen", what, rest @ ..]) => {
                        let (proto, port) = what.split_once('/').unwrap_or(("tcp", what));
                        let echo = rest.first().copied().unwrap_or("");
                        let _ = writeln!(out, "listen {name} {proto} {port} {echo}");
                    }
                    _ => {
                        let _ = write!(out, "in_ns {name} {}", command.join(" "));
                        match stdin {
                            Some(text) => {
                                let mut word = "HOOKWALK_END".to_string();
                                while text.lines().any(|l| l == word) {
                                    word.push('_');
                                }
                                let _ = writeln!(out, " <<'{word}'\n{}\n{word}", text.trim_end_matches('\n'));
                            }
                            None => out.push('\n'),
                        }
                    }
                }
            }
            Statement::Packet { station, iface, .. } => {
                let before = session.position_of_line(i).map(|p| p.saturating_sub(1));
                let after = session.position_of_line(i + 1).map_or(session.len(), |p| p - 1);
                let sent = |s: &mut Session, at: usize| {
                    s.seek(at);
                    s.world().stations[station.index()].sent.clone()
                };
                let was = before.and_then(|at| sent(&mut session, at));
                let now = sent(&mut session, after);
                let _ = writeln!(out, "# {}", lab.source(line));
                let Some(packet) = now.filter(|p| was.as_ref().is_none_or(|w| !Arc::ptr_eq(w, p))) else {
                    continue;
                };
                let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
                let data = wire::encode(&packet);
                let s = &lab.stations[station.index()];
                if s.kind == StationKind::Host {
                    let _ = writeln!(out, "raw {} {} {}", s.name, packet.dst.ip(packet.family), hex(&data));
                    continue;
                }
                let here = end(*station, *iface);
                let topology = hookwalk_lab::topology::Topology::new(&lab);
                let to = topology.wire_frame(here, packet.family, packet.dst).mac().unwrap_or([0xff; 6]);
                let kind: &[u8] = if packet.family == Family::V4 { &[8, 0] } else { &[0x86, 0xdd] };
                let frame = [&to[..], &mac(here)[..], kind, &data[..]].concat();
                let _ =
                    writeln!(out, "frame {} {} {}", s.name, s.ifaces[usize::from(*iface)].name, hex(&frame));
            }
            Statement::Sleep(time) => {
                let _ = writeln!(out, "sleep {}", time.0 as f64 / 1e9);
            }
            Statement::Say(texts) => {
                if let Some(text) = hookwalk_lab::file::Text::pick(texts, "en") {
                    let _ = writeln!(out, "# {text}");
                }
            }
            Statement::Ask(_) | Statement::Expect { .. } => {}
        }
    }
}
