//! Capture filters: the part of pcap-filter(7) that people type. What is not in it is refused with its place.

use crate::names::{parse_addr, parse_prefix, protocol_number};
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::packet::{L4, Packet, Payload, proto};
use hookwalk_engine::wire;
use std::ops::Range;

/// A filter as a tree.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Family(Family),
    Proto(Option<Family>, u8),
    Net(Side, Family, AddrMask),
    /// Ports from and to, of one transport protocol or of any.
    Port(Side, Option<u8>, u16, u16),
    /// `less`, `greater`: the frame's length.
    Length(Relation, u32),
    /// `tcp[13] & 2 != 0`.
    Bytes(Field, u32, Relation, u32),
    Multicast,
    Broadcast,
}

/// Which end a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Src,
    Dst,
    Either,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

impl Relation {
    fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Relation::Eq => a == b,
            Relation::Ne => a != b,
            Relation::Lt => a < b,
            Relation::Gt => a > b,
            Relation::Le => a <= b,
            Relation::Ge => a >= b,
        }
    }
}

/// Bytes of a header: which one, from where, how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// Of this transport protocol; `None`: of the IP header.
    proto: Option<u8>,
    family: Option<Family>,
    at: usize,
    len: usize,
}

/// What is wrong with a filter: the words, and where.
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) span: Range<usize>,
}

impl Filter {
    /// Does the frame pass?
    pub(super) fn passes(&self, p: &Packet) -> bool {
        match self {
            Filter::And(a, b) => a.passes(p) && b.passes(p),
            Filter::Or(a, b) => a.passes(p) || b.passes(p),
            Filter::Not(a) => !a.passes(p),
            Filter::Family(family) => p.family == *family,
            Filter::Proto(family, number) => family.is_none_or(|f| f == p.family) && p.proto == *number,
            Filter::Net(side, family, net) => {
                p.family == *family && side.test(net.contains(p.src), net.contains(p.dst))
            }
            Filter::Port(side, of, low, high) => {
                // Ports of a later fragment cannot be seen.
                if p.is_later_fragment() || of.is_some_and(|n| n != p.proto) {
                    return false;
                }
                if !matches!(p.proto, proto::TCP | proto::UDP | proto::SCTP) {
                    return false;
                }
                let fits = |port: u16| (*low..=*high).contains(&port);
                p.ports().is_some_and(|(s, d)| side.test(fits(s), fits(d)))
            }
            Filter::Length(relation, n) => relation.holds(14 + p.len(), *n),
            Filter::Bytes(field, mask, relation, value) => {
                field.read(p).is_some_and(|v| relation.holds(v & mask, *value))
            }
            Filter::Multicast => p.dst.is_multicast(p.family),
            Filter::Broadcast => p.family == Family::V4 && p.dst == Addr::v4(u32::MAX),
        }
    }

    /// Reads a filter from the words of a command line; without words everything passes.
    pub(super) fn read(words: &[Word]) -> Result<Option<Filter>, Wrong> {
        let mut tokens = Vec::new();
        for word in words {
            tokens_of(word, &mut tokens);
        }
        if tokens.is_empty() {
            return Ok(None);
        }
        let mut parser = Parser { tokens, at: 0, last: Last::default() };
        let filter = parser.or()?;
        match parser.peek() {
            None => Ok(Some(filter)),
            Some(_) => Err(parser.wrong("is not understood here")),
        }
    }
}

impl Side {
    fn test(self, src: bool, dst: bool) -> bool {
        match self {
            Side::Src => src,
            Side::Dst => dst,
            Side::Either => src || dst,
            Side::Both => src && dst,
        }
    }
}

impl Field {
    fn read(&self, p: &Packet) -> Option<u32> {
        if self.family.is_some_and(|f| f != p.family) {
            return None;
        }
        let bytes = wire::encode(p);
        let start = match self.proto {
            None => 0,
            Some(number) => {
                if p.proto != number || p.is_later_fragment() {
                    return None;
                }
                let header = match (&p.l4, &p.payload) {
                    (L4::Opaque, Payload::Zeros(n)) => *n,
                    _ => p.l4_header_len() + p.payload.len(),
                };
                bytes.len() - header as usize
            }
        };
        let part = bytes.get(start + self.at..start + self.at + self.len)?;
        Some(part.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }
}

struct Token {
    text: String,
    span: Range<usize>,
}

/// Parts words into names, numbers and signs.
fn tokens_of(word: &Word, out: &mut Vec<Token>) {
    const SIGNS: [&str; 17] =
        ["&&", "||", "!=", "==", "<=", ">=", "(", ")", "[", "]", "!", "&", "|", "=", "<", ">", "-"];
    let text = &word.text;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(char::is_whitespace) {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let sign = SIGNS.iter().find(|s| rest.starts_with(**s));
        let len = match sign {
            Some(sign) => sign.len(),
            // A dash may stand within a name.
            None => rest
                .char_indices()
                .find(|(i, c)| {
                    *i > 0 && *c != '-' && (c.is_whitespace() || SIGNS.contains(&c.to_string().as_str()))
                })
                .map_or(rest.len(), |(i, _)| i),
        };
        // Where the shell took quotes away, the place within the word is only near.
        let start = (word.span.start + at).min(word.span.end);
        out.push(Token { text: rest[..len].to_string(), span: start..(start + len).min(word.span.end) });
        at += len;
    }
}

/// What a value without a key takes over from the one before: `port 80 or 443`.
#[derive(Clone, Copy, Default)]
struct Last {
    kind: Option<Kind>,
    side: Option<Side>,
    proto: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    last: Last,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(|t| t.text.as_str())
    }
    fn take(&mut self, words: &[&str]) -> bool {
        let yes = self.peek().is_some_and(|t| words.contains(&t));
        self.at += usize::from(yes);
        yes
    }
    fn wrong(&self, message: &str) -> Wrong {
        match self.tokens.get(self.at).or(self.tokens.last()) {
            Some(token) if self.at < self.tokens.len() => {
                Wrong { message: format!("`{}` {message}", token.text), span: token.span.clone() }
            }
            Some(token) => Wrong { message: "the filter ends too early".into(), span: token.span.clone() },
            None => Wrong { message: "the filter is empty".into(), span: 0..0 },
        }
    }
    /// `and` and `or` bind alike, from the left, as in pcap-filter(7).
    fn or(&mut self) -> Result<Filter, Wrong> {
        let mut left = self.not()?;
        loop {
            if self.take(&["or", "||"]) {
                left = Filter::Or(Box::new(left), Box::new(self.not()?));
            } else if self.take(&["and", "&&"]) {
                left = Filter::And(Box::new(left), Box::new(self.not()?));
            } else {
                return Ok(left);
            }
        }
    }
    fn not(&mut self) -> Result<Filter, Wrong> {
        if self.take(&["not", "!"]) {
            return Ok(Filter::Not(Box::new(self.not()?)));
        }
        if self.take(&["("]) {
            let inner = self.or()?;
            if !self.take(&[")"]) {
                return Err(self.wrong("stands where `)` should"));
            }
            return Ok(inner);
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Result<Filter, Wrong> {
        let Some(word) = self.peek().map(str::to_string) else { return Err(self.wrong("")) };
        match word.as_str() {
            "multicast" => {
                self.at += 1;
                return Ok(Filter::Multicast);
            }
            "broadcast" => {
                self.at += 1;
                return Ok(Filter::Broadcast);
            }
            "less" | "greater" => {
                self.at += 1;
                let n = self.number()?;
                let relation = if word == "less" { Relation::Le } else { Relation::Ge };
                return Ok(Filter::Length(relation, n));
            }
            _ => {}
        }
        // A value alone repeats the key before it.
        if self.last.kind.is_some() && word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.value(self.last);
        }
        let mut family = None;
        let mut number = None;
        let mut named = false;
        match word.as_str() {
            "ip" => family = Some(Family::V4),
            "ip6" => family = Some(Family::V6),
            "tcp" => number = Some(proto::TCP),
            "udp" => number = Some(proto::UDP),
            "sctp" => number = Some(proto::SCTP),
            "icmp" => number = Some(proto::ICMP),
            "icmp6" => number = Some(proto::ICMPV6),
            "igmp" => number = Some(proto::IGMP),
            "ah" => number = Some(proto::AH),
            "esp" => number = Some(proto::ESP),
            "proto" => {}
            _ => named = true,
        }
        if !named {
            self.at += usize::from(word != "proto");
            if self.peek() == Some("[") {
                return self.bytes(number, family);
            }
            if self.take(&["proto"]) {
                let Some(n) = self.peek().and_then(|t| protocol_number(t.trim_start_matches('\\'))) else {
                    return Err(self.wrong("is no protocol"));
                };
                self.at += 1;
                return Ok(Filter::Proto(family, n));
            }
        }
        let side = self.side();
        let kind = match self.peek() {
            Some("host") => Some(Kind::Host),
            Some("net") => Some(Kind::Net),
            Some("port") => Some(Kind::Port),
            Some("portrange") => Some(Kind::PortRange),
            _ => None,
        };
        if kind.is_none() && side.is_none() {
            return match (family, number) {
                (Some(family), _) => Ok(Filter::Family(family)),
                (_, Some(n @ proto::ICMP)) => Ok(Filter::Proto(Some(Family::V4), n)),
                (_, Some(n @ proto::ICMPV6)) => Ok(Filter::Proto(Some(Family::V6), n)),
                (_, Some(n)) => Ok(Filter::Proto(None, n)),
                _ => Err(self.wrong("is not simulated in filters")),
            };
        }
        self.at += usize::from(kind.is_some());
        let last = Last { kind: Some(kind.unwrap_or(Kind::Host)), side, proto: number };
        self.last = last;
        let filter = self.value(last)?;
        Ok(match family {
            Some(family) => Filter::And(Box::new(Filter::Family(family)), Box::new(filter)),
            None => filter,
        })
    }

    /// `src`, `dst`, `src or dst`, `src and dst`.
    fn side(&mut self) -> Option<Side> {
        let first = match self.peek() {
            Some("src") => Side::Src,
            Some("dst") => Side::Dst,
            _ => return None,
        };
        self.at += 1;
        let next = |i: usize| self.tokens.get(self.at + i).map(|t| t.text.as_str());
        if next(1) == Some(if first == Side::Src { "dst" } else { "src" }) {
            let both = match next(0) {
                Some("or" | "||") => Side::Either,
                Some("and" | "&&") => Side::Both,
                _ => return Some(first),
            };
            self.at += 2;
            return Some(both);
        }
        Some(first)
    }

    fn value(&mut self, key: Last) -> Result<Filter, Wrong> {
        let side = key.side.unwrap_or(Side::Either);
        let Some(word) = self.peek().map(str::to_string) else { return Err(self.wrong("")) };
        let filter = match key.kind {
            Some(Kind::Port | Kind::PortRange) => {
                let (low, high) = match word.split_once('-') {
                    Some((low, high)) => (port(low), port(high)),
                    None => (port(&word), port(&word)),
                };
                let (Some(low), Some(high)) = (low, high) else { return Err(self.wrong("is no port")) };
                Filter::Port(side, key.proto, low, high)
            }
            Some(Kind::Net) => {
                let Some((family, net)) = network(&word) else { return Err(self.wrong("is no network")) };
                Filter::Net(side, family, net)
            }
            _ => {
                let Some((family, addr)) = parse_addr(&word) else {
                    return Err(self.wrong("is no address, and names are not known here"));
                };
                let host = Filter::Net(side, family, AddrMask::host(family, addr));
                match key.proto {
                    Some(n) => Filter::And(Box::new(Filter::Proto(None, n)), Box::new(host)),
                    None => host,
                }
            }
        };
        self.at += 1;
        Ok(filter)
    }

    fn number(&mut self) -> Result<u32, Wrong> {
        let value = self.peek().and_then(|t| {
            let named = match t {
                "tcp-fin" => 1,
                "tcp-syn" => 2,
                "tcp-rst" => 4,
                "tcp-push" => 8,
                "tcp-ack" => 16,
                "tcp-urg" => 32,
                "tcp-ece" => 64,
                "tcp-cwr" => 128,
                "icmp-echoreply" => 0,
                "icmp-unreach" => 3,
                "icmp-redirect" => 5,
                "icmp-echo" => 8,
                "icmp-timxceed" => 11,
                "tcpflags" => 13,
                "icmptype" => 0,
                "icmpcode" => 1,
                "icmp6type" => 0,
                "icmp6code" => 1,
                "icmp6-echo" => 128,
                "icmp6-echoreply" => 129,
                other => return u32::try_from(crate::names::parse_number(other)?).ok(),
            };
            Some(named)
        });
        let Some(value) = value else { return Err(self.wrong("is no number")) };
        self.at += 1;
        Ok(value)
    }

    /// A number, or several joined with `|`, in brackets or not.
    fn mask(&mut self) -> Result<u32, Wrong> {
        let open = self.take(&["("]);
        let mut value = self.number()?;
        while self.take(&["|"]) {
            value |= self.number()?;
        }
        if open && !self.take(&[")"]) {
            return Err(self.wrong("stands where `)` should"));
        }
        Ok(value)
    }

    /// `[13] & 2 != 0`, `[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn`, `[2:2] = 80`.
    fn bytes(&mut self, number: Option<u8>, family: Option<Family>) -> Result<Filter, Wrong> {
        self.at += 1;
        // `2:2` is one word.
        let word = self.peek().unwrap_or_default().to_string();
        let (at, len) = match word.split_once(':') {
            Some((at, len)) => match (at.parse(), len.parse()) {
                (Ok(at), Ok(len @ (1 | 2 | 4))) => {
                    self.at += 1;
                    (at, len)
                }
                _ => return Err(self.wrong("is no place in a header")),
            },
            None => (self.number()? as usize, 1),
        };
        if at > 65535 || !self.take(&["]"]) {
            return Err(self.wrong("stands where `]` should"));
        }
        let mask = if self.take(&["&"]) { self.mask()? } else { u32::MAX };
        let relation = match self.peek() {
            Some("=" | "==") => Relation::Eq,
            Some("!=") => Relation::Ne,
            Some("<") => Relation::Lt,
            Some(">") => Relation::Gt,
            Some("<=") => Relation::Le,
            Some(">=") => Relation::Ge,
            _ => return Err(self.wrong("is no comparison")),
        };
        self.at += 1;
        let value = self.mask()?;
        let family = match number {
            Some(proto::ICMP | proto::TCP | proto::UDP) => Some(Family::V4),
            Some(proto::ICMPV6) => Some(Family::V6),
            _ => family,
        };
        Ok(Filter::Bytes(Field { proto: number, family, at, len }, mask, relation, value))
    }
}

fn port(word: &str) -> Option<u16> {
    crate::iptables::names::port(word, None)
}

/// `10.0.0.0/8`, `10`, `10.1`, `fd00::/8`.
fn network(word: &str) -> Option<(Family, AddrMask)> {
    if let Some((family, addr, len)) = parse_prefix(word)
        && (word.contains('/') || family == Family::V6)
    {
        return Some((family, AddrMask::prefix(family, addr, len)));
    }
    let parts: Vec<u8> = word.split('.').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    if parts.is_empty() || parts.len() > 4 {
        return None;
    }
    let mut bytes = [0; 4];
    bytes[..parts.len()].copy_from_slice(&parts);
    let addr = Addr::v4(u32::from_be_bytes(bytes));
    Some((Family::V4, AddrMask::prefix(Family::V4, addr, 8 * parts.len() as u8)))
}
