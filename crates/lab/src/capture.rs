//! A capture becomes traffic: the IP packets of a pcap or pcapng file, replayed in a lab in the order of the file.
//!
//! The two formats are read here and not by a library, because only the headers of packets are wanted, and what the
//! browser downloads counts: the blocks that matter are four. Formats: draft-ietf-opsawg-pcap, -pcapng, -pcaplinktype.

use hookwalk_engine::AddrMask;
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::{L4, Packet, Payload};
use hookwalk_engine::wire;
use hookwalk_lang::words;
use std::fmt::Write as _;

/// The bytes of the largest capture that is read.
pub const MAX_BYTES: usize = 16 << 20;
/// The packets of the longest capture that is read; a lab is for looking at each.
pub const MAX_PACKETS: usize = 20_000;

/// What was caught.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    /// Each packet with the time at which it was caught, in microseconds, where the file says it.
    pub packets: Vec<(Option<u64>, Packet)>,
    /// Frames without an IP packet (ARP, say) or with a part of one.
    pub others: usize,
}

/// Reads a pcap or a pcapng file. Frames that the catching host itself sent are left out where the file marks them
/// (`tcpdump -i any` does).
///
/// # Errors
/// What is wrong with the file, for people.
pub fn read(bytes: &[u8]) -> Result<Capture, String> {
    if bytes.len() > MAX_BYTES {
        let most = MAX_BYTES >> 20;
        return Err(words!("larger than {most} MB; cut a part out: tcpdump -r FILE -c 1000 -w PART"));
    }
    let mut capture = Capture::default();
    match *bytes {
        [] => return Err(words!("empty")),
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => pcapng(bytes, &mut capture)?,
        [0x1f, 0x8b, ..] => return Err(words!("compressed; unpack it first: gunzip FILE")),
        [a, b, c, d, ..] => match (u32::from_be_bytes([a, b, c, d]), u32::from_le_bytes([a, b, c, d])) {
            (PCAP_MICROS, _) => pcap(bytes, u32::from_be_bytes, 1, &mut capture)?,
            (PCAP_NANOS, _) => pcap(bytes, u32::from_be_bytes, 1000, &mut capture)?,
            (_, PCAP_MICROS) => pcap(bytes, u32::from_le_bytes, 1, &mut capture)?,
            (_, PCAP_NANOS) => pcap(bytes, u32::from_le_bytes, 1000, &mut capture)?,
            _ => return Err(unknown()),
        },
        _ => return Err(unknown()),
    }
    match capture.packets.is_empty() {
        true => Err(words!("no whole IP packet in it, among {} frames", capture.others)),
        false => Ok(capture),
    }
}

const PCAP_MICROS: u32 = 0xa1b2_c3d4;
const PCAP_NANOS: u32 = 0xa1b2_3c4d;

fn unknown() -> String {
    words!("neither pcap nor pcapng; what tcpdump -w writes can be read")
}

impl Capture {
    fn take(&mut self, micros: Option<u64>, link: u16, frame: &[u8]) -> Result<(), String> {
        match ip(link, frame)? {
            Frame::Sent => {}
            Frame::Other => self.others += 1,
            Frame::Ip(bytes) => match wire::decode(bytes) {
                Ok(_) if self.packets.len() == MAX_PACKETS => {
                    return Err(words!(
                        "more than {MAX_PACKETS} packets; cut a part out: tcpdump -r FILE -c 1000 -w PART"
                    ));
                }
                Ok(packet) => self.packets.push((micros, packet)),
                Err(_) => self.others += 1,
            },
        }
        Ok(())
    }
}

enum Frame<'a> {
    Ip(&'a [u8]),
    /// `PACKET_OUTGOING` (include/uapi/linux/if_packet.h).
    Sent,
    Other,
}

/// What a frame of this link type (`LINKTYPE_…`) carries.
fn ip(link: u16, frame: &[u8]) -> Result<Frame<'_>, String> {
    let word = |at: usize| frame.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    let (kind, at) = match link {
        // ETHERNET, with VLAN tags or without.
        1 => {
            let mut at = 12;
            while matches!(word(at), 0x8100 | 0x88a8) {
                at += 4;
            }
            (word(at), at + 2)
        }
        // NULL and LOOP say the family in ways that differ by system; the packet says it too.
        0 | 108 => (ETH_IP, 4),
        // RAW, IPV4, IPV6.
        12 | 101 | 228 | 229 => (ETH_IP, 0),
        // LINUX_SLL and LINUX_SLL2.
        113 if word(0) == PACKET_OUTGOING => return Ok(Frame::Sent),
        113 => (word(14), 16),
        276 if word(10) >> 8 == PACKET_OUTGOING => return Ok(Frame::Sent),
        276 => (word(0), 20),
        _ => {
            return Err(words!(
                "frames of link type {link}, which is not read; Ethernet, raw IP and Linux's are"
            ));
        }
    };
    match frame.get(at..) {
        Some(bytes) if matches!(kind, ETH_IP | ETH_IPV6) => Ok(Frame::Ip(bytes)),
        _ => Ok(Frame::Other),
    }
}

const ETH_IP: u16 = 0x0800;
const ETH_IPV6: u16 = 0x86dd;
const PACKET_OUTGOING: u16 = 4;

/// How a file writes its 32-bit numbers.
type Order = fn([u8; 4]) -> u32;

fn number(bytes: &[u8], at: usize, order: Order) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| order(*b))
}

/// The 16-bit number at `at`, which must be even: the half of the 32-bit one around it that stands first or second.
fn half(bytes: &[u8], at: usize, order: Order) -> Option<u16> {
    let b = bytes.get(at..)?.first_chunk::<2>()?;
    // In either order, the two bytes in the less significant place of four.
    let big = order([0, 0, 0, 1]) == 1;
    Some(order(if big { [0, 0, b[0], b[1]] } else { [b[0], b[1], 0, 0] }) as u16)
}

fn cut_off(packets: usize) -> String {
    words!("cut off after packet {packets}; copy it anew, or keep the whole part: tcpdump -r FILE -w PART")
}

fn pcap(bytes: &[u8], order: Order, per_micro: u32, to: &mut Capture) -> Result<(), String> {
    // Above the link type's 16 bits stands the length of a frame check sequence.
    let link = number(bytes, 20, order).ok_or_else(unknown)? as u16;
    let mut rest = &bytes[24..];
    let mut count = 0;
    while !rest.is_empty() {
        let field = |at: usize| number(rest, at, order);
        let (Some(secs), Some(part), Some(len)) = (field(0), field(4), field(8)) else {
            return Err(cut_off(count));
        };
        let frame = rest.get(16..).and_then(|r| r.get(..len as usize)).ok_or_else(|| cut_off(count))?;
        to.take(Some(u64::from(secs) * 1_000_000 + u64::from(part / per_micro)), link, frame)?;
        rest = &rest[16 + frame.len()..];
        count += 1;
    }
    Ok(())
}

/// An interface of a pcapng file.
struct Interface {
    link: u16,
    snaplen: u32,
    /// `if_tsresol`: units of a second as a power of ten, or of two with the top bit.
    resolution: u8,
}

fn pcapng(bytes: &[u8], to: &mut Capture) -> Result<(), String> {
    let mut order: Order = u32::from_le_bytes;
    let mut links: Vec<Interface> = Vec::new();
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        let broken = || cut_off(count);
        if rest.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            // A section has its own byte order and its own interfaces.
            order = match rest.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => u32::from_be_bytes,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => u32::from_le_bytes,
                _ => return Err(unknown()),
            };
            links.clear();
        }
        let kind = number(rest, 0, order).ok_or_else(broken)?;
        let len = number(rest, 4, order).ok_or_else(broken)? as usize;
        let block = rest.get(..len).filter(|_| len >= 12).ok_or_else(broken)?;
        let body = &block[8..len - 4];
        let field = |at: usize| number(body, at, order).ok_or_else(broken);
        match kind {
            INTERFACE => links.push(Interface {
                link: half(body, 0, order).ok_or_else(broken)?,
                snaplen: field(4)?,
                resolution: resolution(&body[8..], order),
            }),
            ENHANCED | OBSOLETE => {
                let of = match kind {
                    ENHANCED => field(0)? as usize,
                    _ => half(body, 0, order).ok_or_else(broken)?.into(),
                };
                let from = links.get(of).ok_or_else(|| words!("packet {} is of no interface", count + 1))?;
                let ticks = u64::from(field(4)?) << 32 | u64::from(field(8)?);
                let caught = field(12)? as usize;
                let frame = body.get(20..).and_then(|b| b.get(..caught)).ok_or_else(broken)?;
                to.take(micros(ticks, from.resolution), from.link, frame)?;
                count += 1;
            }
            SIMPLE => {
                let from = links.first().ok_or_else(|| words!("packet {} is of no interface", count + 1))?;
                let most = if from.snaplen == 0 { u32::MAX } else { from.snaplen };
                let caught = field(0)?.min(most) as usize;
                let frame = body.get(4..).and_then(|b| b.get(..caught)).ok_or_else(broken)?;
                to.take(None, from.link, frame)?;
                count += 1;
            }
            _ => {}
        }
        rest = &rest[len..];
    }
    Ok(())
}

const INTERFACE: u32 = 1;
const OBSOLETE: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// The option `if_tsresol`, or what holds without it: microseconds.
fn resolution(mut options: &[u8], order: Order) -> u8 {
    while let (Some(code @ 1..), Some(len)) = (half(options, 0, order), half(options, 2, order)) {
        if code == 9 && len == 1 {
            return options.get(4).copied().unwrap_or(6);
        }
        options = options.get(4 + usize::from(len).next_multiple_of(4)..).unwrap_or_default();
    }
    6
}

fn micros(ticks: u64, resolution: u8) -> Option<u64> {
    let power = u32::from(resolution & 0x7f);
    let per_second =
        if resolution & 0x80 != 0 { 1u64.checked_shl(power)? } else { 10u64.checked_pow(power)? };
    u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(per_second)).ok()
}

/// The packets as lines of the lab: each from the wire whose network its source lies in, else from the one that holds
/// the gateway; what the box itself sends is left to the box. Where the capture was still for a tenth of a second, the
/// lab sleeps.
pub fn replay(capture: &Capture, lab: &str) -> String {
    let mut out = String::from("\n");
    let stations = crate::parse(lab).0.stations;
    let (own, others): (Vec<_>, Vec<_>) = stations.iter().partition(|s| s.name == "box");
    let mut last: Option<u64> = None;
    let mut unsaid = 0;
    for (time, packet) in &capture.packets {
        let addrs = |s: &&crate::file::Station| {
            let of: Vec<_> =
                s.ifaces.iter().flat_map(|i| &i.addrs).filter(|a| a.0 == packet.family).copied().collect();
            of
        };
        if own.iter().flat_map(addrs).any(|(_, a, _)| a == packet.src) {
            continue;
        }
        let near = |s: &&&crate::file::Station| {
            addrs(s).iter().any(|&(f, a, l)| AddrMask::prefix(f, a, l).contains(packet.src))
        };
        let Some(from) = others.iter().find(near).or(others.first()) else { continue };
        let Some(line) = line(packet) else {
            unsaid += 1;
            continue;
        };
        let gap = time.zip(last).map_or(0, |(now, last)| now.saturating_sub(last));
        // Clocks of broken files jump; no entry of conntrack's defaults outlives five days.
        let tenths = (gap.saturating_add(50_000) / 100_000).min(10 * 86_400 * 6);
        if tenths > 0 {
            let _ = writeln!(out, "sleep {}.{}", tenths / 10, tenths % 10);
        }
        last = time.or(last);
        let _ = writeln!(out, "{}> {line}", from.name);
    }
    if capture.others > 0 {
        let _ = writeln!(out, "# Left out: {} frames without a whole IP packet.", capture.others);
    }
    if unsaid > 0 {
        let _ = writeln!(out, "# Left out: {unsaid} packets that the lab language cannot write.");
    }
    out
}

/// A packet as the lab language writes it, with the bytes of its payload.
fn line(packet: &Packet) -> Option<String> {
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
        let _ = write!(line, " win={}", t.window);
    }
    match &packet.payload {
        Payload::Bytes(bytes) if bytes.iter().any(|b| *b != 0) => {
            line.push_str(" data=");
            for b in bytes.iter() {
                let _ = write!(line, "{b:02x}");
            }
        }
        payload if !payload.is_empty() => {
            let _ = write!(line, " len={}", payload.len());
        }
        _ => {}
    }
    if let Some(frag) = packet.frag {
        let id = if matches!(packet.l4, L4::Icmp(_)) { "ipid" } else { "id" };
        let more = if frag.more { "+" } else { "" };
        let _ = write!(line, " frag={}{more} {id}={}", frag.offset, frag.id);
    }
    if packet.tos != 0 {
        let _ = write!(line, " tos={:#x}", packet.tos);
    }
    if packet.df {
        line.push_str(" df");
    }
    Some(line)
}
