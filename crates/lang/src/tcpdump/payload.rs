//! What tcpdump reads in a payload because of its port.

use hookwalk_engine::packet::{Packet, Payload, Tcp, Udp};
use std::fmt::Write as _;

/// TCP ports at which the protocol is named, and the first line told where it is text.
const NAMED: [(u16, &str); 9] = [
    (21, "FTP"),
    (25, "SMTP"),
    (43, "WHOIS"),
    (80, "HTTP"),
    (8080, "HTTP"),
    (3128, "HTTP"),
    (554, "RTSP"),
    (8554, "RTSP"),
    (179, "BGP"),
];

/// Appends what follows the length of a segment.
pub(super) fn push_tcp(out: &mut String, p: &Packet, tcp: &Tcp) {
    if p.payload.is_empty() {
        return;
    }
    let named = NAMED.iter().find(|(port, _)| *port == tcp.sport || *port == tcp.dport);
    let Some((_, name)) = named else { return };
    let _ = write!(out, ": {name}");
    if let Payload::Bytes(bytes) = &p.payload
        && *name != "BGP"
    {
        let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        if !line.is_empty() && line.iter().all(|b| (0x20..0x7f).contains(b)) {
            let _ = write!(out, ": {}", String::from_utf8_lossy(line));
        }
    }
}

/// Writes what stands in place of `UDP, length N`; false: nothing does.
pub(super) fn push_udp(out: &mut String, p: &Packet, udp: &Udp) -> bool {
    let len = p.payload.len();
    let at = |port: u16| udp.sport == port || udp.dport == port;
    let zeros = match &p.payload {
        Payload::Zeros(_) => true,
        Payload::Bytes(b) => b.iter().all(|b| *b == 0),
        Payload::Quote { .. } => false,
    };
    // Of what somebody wrote, the model does not know the protocols.
    if !zeros || len == 0 {
        return false;
    }
    let _ = if at(53) || at(5353) {
        match len {
            0..12 => write!(out, "domain [length {len} < 12] (invalid)"),
            _ => write!(out, "0 [0q] ({len})"),
        }
    } else if at(67) || at(68) {
        write!(out, "BOOTP/DHCP, unknown (0x00), length {len}")
    } else if at(123) {
        write!(out, "NTPv0, unspecified, length {len}")
    } else if at(69) {
        write!(out, "TFTP, length {len}, tftp-#0")
    } else {
        return false;
    };
    true
}
