//! The FTP helper: reads PORT, EPRT and the answers to PASV and EPSV, expects the data connection that they announce,
//! and rewrites them where NAT changes what they say (nf_conntrack_ftp.c, nf_nat_ftp.c).

use super::expect::{self, Expectation, FollowMaster, Refused};
use super::table::scale;
use super::{ConnRef, CtInfo, Direction, FtpMaster, seqadj, status};
use crate::addr::{Addr, Family};
use crate::event::{Emit, KernelDrop, Observer};
use crate::host::Net;
use crate::packet::{L4, Payload, Skb};

/// An announcement found in a line.
struct Announced {
    form: Form,
    addr: Addr,
    port: u16,
    /// Where in the payload the numbers stand.
    at: core::ops::Range<usize>,
}

/// How an announcement is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `10,0,0,1,31,64`: PORT and the answer to PASV.
    Commas,
    /// `|1|10.0.0.1|8000|`: EPRT.
    Extended,
    /// `|||8000|`: the answer to EPSV.
    PortOnly,
}

/// What a line is.
enum Line {
    /// Nothing for us.
    Other,
    /// The beginning of an announcement, cut off: the packet is dropped, so that it comes again whole.
    Partial,
    /// An announcement.
    Says(Announced),
}

/// `help`: one segment of the control connection, at confirm.
pub(crate) fn help<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    conn: ConnRef,
    info: CtInfo,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let dir = match info {
        CtInfo::Established => Direction::Original,
        CtInfo::EstablishedReply => Direction::Reply,
        _ => return Ok(()),
    };
    let (ConnRef::Confirmed(master), L4::Tcp(tcp)) = (conn, &skb.packet.l4) else { return Ok(()) };
    let Payload::Bytes(bytes) = &skb.packet.payload else { return Ok(()) };
    let bytes = bytes.clone();
    let Some(last) = bytes.last() else { return Ok(()) };
    let seq = tcp.seq;
    let Some(entry) = net.ct.conn_mut(conn) else { return Ok(()) };
    let (mine, theirs, zone) = (*entry.tuple(dir), *entry.tuple(dir.flip()), entry.zone);
    let translated = entry.has(status::SRC_NAT | status::DST_NAT);
    let known = entry.rare.as_ref().and_then(|r| r.ftp).unwrap_or_default().knows(dir, seq);
    if known {
        match read_line(&bytes, dir, mine.family, mine.src) {
            Line::Other => {}
            Line::Partial => return Err(KernelDrop::Helper),
            // Only its own address may be announced, else a server could open holes for others.
            Line::Says(said) if said.addr != mine.src => {}
            Line::Says(said) => {
                let mut new = expect::ftp(master, zone, theirs.src, theirs.dst, said.port, &mine);
                if !translated {
                    expect::add(net, new, emit).map_err(|Refused::Clash| KernelDrop::Helper)?;
                } else {
                    new.nat = Some(FollowMaster { port: said.port, dir: dir.flip() });
                    let port = expect_somewhere(net, &mut new, emit)?;
                    let text = write_announcement(said.form, mine.family, theirs.dst, port);
                    replace(net, skb, conn, dir, &bytes, said.at, text.as_bytes());
                }
            }
        }
    }
    if *last == b'\n'
        && let Some(entry) = net.ct.conn_mut(conn)
    {
        let after = seq.wrapping_add(bytes.len() as u32);
        entry.rare.get_or_insert_default().ftp.get_or_insert_default().note(dir, after);
    }
    Ok(())
}

/// `nf_nat_exp_find_port`: the announced port, or, where another connection expects the same, one drawn from those
/// above it.
fn expect_somewhere<O: Observer>(
    net: &mut Net,
    new: &mut Expectation,
    emit: &mut Emit<'_, O>,
) -> Result<u16, KernelDrop> {
    const MAX_ATTEMPTS: u32 = 128;
    let announced = new.tuple.dport;
    let above = u32::from(u16::MAX - announced);
    for _ in 0..=above.min(MAX_ATTEMPTS) {
        match expect::add(net, *new, emit) {
            Ok(()) => return Ok(new.tuple.dport),
            Err(Refused::Clash) if above == 0 => break,
            Err(Refused::Clash) => {
                new.tuple.dport = announced + scale(net.rng.next_u32(), above) as u16;
            }
        }
    }
    Err(KernelDrop::Helper)
}

impl FtpMaster {
    /// `find_nl_seq`: does a segment with this number begin right after a newline?
    fn knows(&self, dir: Direction, seq: u32) -> bool {
        let (numbers, n) = self.after_newline[dir as usize];
        numbers.iter().take(usize::from(n)).any(|s| *s == seq)
    }
    /// `update_nl_seq`: a segment ended with a newline; the older of two numbers makes room.
    fn note(&mut self, dir: Direction, seq: u32) {
        if self.knows(dir, seq) {
            return;
        }
        let (numbers, n) = &mut self.after_newline[dir as usize];
        if usize::from(*n) < numbers.len() {
            numbers[usize::from(*n)] = seq;
            *n += 1;
        } else {
            let older = usize::from(!super::tcp::before(numbers[0], numbers[1]));
            numbers[older] = seq;
        }
    }
}

/// `nf_nat_mangle_tcp_packet`: other text in the payload; if its length differs, later numbers are shifted.
fn replace(
    net: &mut Net,
    skb: &mut Skb,
    conn: ConnRef,
    dir: Direction,
    bytes: &[u8],
    at: core::ops::Range<usize>,
    text: &[u8],
) {
    let mut new = Vec::with_capacity(bytes.len() + text.len());
    new.extend_from_slice(&bytes[..at.start]);
    new.extend_from_slice(text);
    new.extend_from_slice(&bytes[at.end..]);
    let longer = text.len() as i32 - at.len() as i32;
    skb.packet.payload = Payload::Bytes(new.into());
    if let (Some(tcp), Some(entry)) = (skb.packet.tcp(), net.ct.conn_mut(conn)) {
        seqadj::set(entry, dir, tcp.seq, longer);
    }
}

/// `nf_nat_ftp_fmt_cmd`.
fn write_announcement(form: Form, family: Family, addr: Addr, port: u16) -> String {
    use core::fmt::Write;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match (form, family) {
        (Form::PortOnly, _) => write!(text, "|||{port}|"),
        (Form::Commas, _) => {
            let [a, b, c, d] = addr.as_v4().to_be_bytes();
            write!(text, "{a},{b},{c},{d},{},{}", port >> 8, port & 0xff)
        }
        (Form::Extended, Family::V4) => write!(text, "|1|{}|{port}|", addr.ip(family)),
        (Form::Extended, Family::V6) => write!(text, "|2|{}|{port}|", addr.ip(family)),
    };
    text
}

/// The words that announce, by direction.
fn read_line(data: &[u8], dir: Direction, family: Family, own: Addr) -> Line {
    let searches: [(&[u8], Option<u8>, Form); 2] = match dir {
        Direction::Original => [(b"PORT", Some(b' '), Form::Commas), (b"EPRT", Some(b' '), Form::Extended)],
        Direction::Reply => [(b"227 ", None, Form::Commas), (b"229 ", Some(b'('), Form::PortOnly)],
    };
    for (word, skip, form) in searches {
        match read_one(data, word, skip, form, dir, family, own) {
            Line::Other => {}
            found => return found,
        }
    }
    Line::Other
}

/// `find_pattern`.
fn read_one(
    data: &[u8],
    word: &[u8],
    skip: Option<u8>,
    form: Form,
    dir: Direction,
    family: Family,
    own: Addr,
) -> Line {
    if data.len() <= word.len() {
        return if word[..data.len()].eq_ignore_ascii_case(data) { Line::Partial } else { Line::Other };
    }
    if !data[..word.len()].eq_ignore_ascii_case(word) {
        return Line::Other;
    }
    let mut start = word.len();
    if let Some(skip) = skip {
        match data[start..data.len() - 1].iter().position(|c| *c == skip) {
            Some(i) => start += i + 1,
            None => return Line::Partial,
        }
    }
    let rest = &data[start..];
    let numbers = match (form, dir) {
        (Form::Commas, Direction::Original) => read_commas(rest, Some(b'\r')),
        (Form::Commas, Direction::Reply) => {
            let digit = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len());
            start += digit;
            read_commas(&rest[digit..], None)
        }
        (Form::Extended, _) => read_extended(rest, family),
        (Form::PortOnly, _) => read_port_only(rest, own),
    };
    match numbers {
        Some((addr, port, len)) => Line::Says(Announced { form, addr, port, at: start..start + len }),
        None => Line::Partial,
    }
}

/// Six numbers with commas (`try_rfc959`): address and port, and how many bytes they take.
fn read_commas(data: &[u8], end: Option<u8>) -> Option<(Addr, u16, usize)> {
    let mut numbers = [0u32; 6];
    let mut n = 0;
    for (len, c) in data.iter().enumerate() {
        match c {
            b'0'..=b'9' => numbers[n] = numbers[n].wrapping_mul(10).wrapping_add(u32::from(c - b'0')),
            b',' if n < 5 => n += 1,
            _ if n == 5 && end.is_none_or(|e| e == *c) => {
                let [a, b, c, d, high, low] = numbers;
                let addr = (a << 24) | (b << 16) | (c << 8) | d;
                return Some((Addr::v4(addr), ((high << 8) | low) as u16, len));
            }
            _ => return None,
        }
    }
    None
}

/// `|1|10.0.0.1|8000|` (`try_eprt`).
fn read_extended(data: &[u8], family: Family) -> Option<(Addr, u16, usize)> {
    let delimiter = *data.first()?;
    let number = match family {
        Family::V4 => b'1',
        Family::V6 => b'2',
    };
    if !delimiter.is_ascii_graphic() || delimiter.is_ascii_digit() || data.get(1..3)? != [number, delimiter] {
        return None;
    }
    let len = data[3..].iter().position(|c| *c == delimiter)?;
    let text = core::str::from_utf8(&data[3..3 + len]).ok()?;
    let addr: Addr = match family {
        Family::V4 => text.parse::<std::net::Ipv4Addr>().ok()?.into(),
        Family::V6 => text.parse::<std::net::Ipv6Addr>().ok()?.into(),
    };
    let (port, end) = read_port(data, 3 + len + 1, delimiter)?;
    Some((addr, port, end))
}

/// `|||8000|` (`try_epsv_response`).
fn read_port_only(data: &[u8], own: Addr) -> Option<(Addr, u16, usize)> {
    let delimiter = *data.first()?;
    if !delimiter.is_ascii_graphic() || delimiter.is_ascii_digit() || data.get(1..3)? != [delimiter; 2] {
        return None;
    }
    let (port, end) = read_port(data, 3, delimiter)?;
    Some((own, port, end))
}

/// Digits up to the delimiter (`get_port`): the port, and where what follows the delimiter begins.
fn read_port(data: &[u8], start: usize, delimiter: u8) -> Option<(u16, usize)> {
    let mut port = 0u16;
    for (i, c) in data.iter().enumerate().skip(start) {
        match c {
            c if *c == delimiter => return (port != 0).then_some((port, i + 1)),
            b'0'..=b'9' => port = port.wrapping_mul(10).wrapping_add(u16::from(c - b'0')),
            _ => return None,
        }
    }
    None
}
