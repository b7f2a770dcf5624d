//! A packet line to [`PacketSpec`].

use super::{Ends, Fields, Kind, PacketSpec, Re, sctp};
use crate::complete::{Choice, Kind as Choices, of};
use crate::diagnostic::{Diagnostic, nearest, said};
use crate::names::{icmp_names, parse_addr, parse_number, protocol_number, tcp_flags_from};
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{proto, tcp_flags};

type Parsed<T> = Result<T, Box<Diagnostic>>;

/// A line's words while they are read.
struct Reader<'a> {
    text: &'a str,
    line: u32,
    words: Vec<Word>,
    next: usize,
}

/// Which options the kind of packet takes, besides those that all take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Tcp,
    Udp,
    Icmp,
    Sctp,
    Ip,
    Reply,
}

impl Takes {
    /// Does it take this option? `None`: there is no such option.
    fn allows(self, name: &str) -> Option<bool> {
        Some(match name {
            "ttl" | "hoplimit" | "tos" | "df" | "ipid" | "frag" | "badsum" => true,
            "len" | "data" | "text" => true,
            "id" => self != Takes::Reply,
            "seq" => matches!(self, Takes::Tcp | Takes::Icmp | Takes::Reply),
            "ack" | "win" | "mss" | "wscale" | "sackok" | "ts" => matches!(self, Takes::Tcp | Takes::Reply),
            "mtu" | "gw" | "re" => self == Takes::Icmp,
            "proto" => self == Takes::Ip,
            "vtag" | "itag" => self == Takes::Sctp,
            _ => return None,
        })
    }
}

/// The options of packets, those first that people write most.
const OPTIONS: [&str; 23] = [
    "len", "seq", "ack", "ttl", "id", "mss", "win", "df", "tos", "data", "text", "re", "mtu", "gw", "proto",
    "frag", "ipid", "badsum", "wscale", "sackok", "ts", "vtag", "itag",
];

/// What can stand after these words of a packet line. `own` are the sender's addresses, `addrs` those of the network.
pub fn choices(words: &[&str], own: &[String], addrs: &[String]) -> Vec<Choice> {
    let Some((kind, rest)) = words.split_first() else { return of(Choices::Command, KINDS) };
    let (takes, ports) = match *kind {
        "tcp" => (Takes::Tcp, true),
        "udp" | "udplite" => (Takes::Udp, true),
        "sctp" => (Takes::Sctp, true),
        "icmp" | "icmp6" => (Takes::Icmp, false),
        "ip" | "ip6" => (Takes::Ip, false),
        "reply" => (Takes::Reply, false),
        "dev" => return if rest.is_empty() { Vec::new() } else { choices(&rest[1..], own, addrs) },
        _ => return Vec::new(),
    };
    let end = |list: &[String]| {
        let fits = |a: &&String| match *kind {
            "icmp" | "ip" => !a.contains(':'),
            "icmp6" | "ip6" => a.contains(':'),
            _ => true,
        };
        let written = list.iter().filter(fits).map(|a| match (ports, a.contains(':')) {
            (false, _) => a.clone(),
            (true, false) => format!("{a}:"),
            (true, true) => format!("[{a}]:"),
        });
        of(Choices::Address, written)
    };
    let after = match (takes, rest.len()) {
        (Takes::Reply, n) => n,
        (_, 0) => return end(own),
        (_, 1) => return of(Choices::Value, [">"]),
        (_, 2) => return end(addrs),
        (_, n) => n - 3,
    };
    let first: Vec<&str> = match takes {
        Takes::Tcp | Takes::Reply => vec!["S", "S.", ".", "P.", "F.", "R", "R."],
        Takes::Icmp => {
            let family = if *kind == "icmp6" { Family::V6 } else { Family::V4 };
            let names = icmp_names(family);
            names.iter().map(|(name, ..)| *name).collect()
        }
        Takes::Sctp => sctp::CHUNKS.iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    };
    let must = matches!(takes, Takes::Icmp | Takes::Sctp);
    let mut all = if after == 0 { of(Choices::Value, first) } else { Vec::new() };
    if after > 0 || !must {
        let options = OPTIONS.iter().filter(|o| takes.allows(o) == Some(true));
        all.extend(of(
            Choices::Option,
            options.map(|o| match *o {
                "df" | "badsum" | "sackok" => (*o).to_string(),
                _ => format!("{o}="),
            }),
        ));
    }
    all
}

const KINDS: [&str; 10] = ["tcp", "udp", "udplite", "icmp", "icmp6", "sctp", "ip", "ip6", "reply", "dev"];

/// Parses the packet that is written from byte `from` to the end of `text`, which is line number `line` of its file.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str, from: usize, line: u32) -> Parsed<PacketSpec> {
    let mut reader = Reader { text, line, words: words(text, from), next: 0 };
    let mut dev = None;
    if reader.peek() == Some("dev") {
        reader.next += 1;
        dev = Some(reader.word("an interface")?);
    }
    let kind_word = reader.word("a packet: tcp, udp, icmp, icmp6, ip, ip6 or reply")?;
    let mut fields = Fields::default();
    let kind = match kind_word.text.as_str() {
        "tcp" => {
            let ends = reader.ends(&kind_word, true)?;
            let flags = reader.flags()?.unwrap_or(tcp_flags::SYN);
            reader.fields(Takes::Tcp, &mut fields)?;
            Kind::Tcp { ends, flags }
        }
        "udp" | "udplite" => {
            let ends = reader.ends(&kind_word, true)?;
            reader.fields(Takes::Udp, &mut fields)?;
            Kind::Udp { ends, lite: kind_word.text == "udplite" }
        }
        "sctp" => {
            let ends = reader.ends(&kind_word, true)?;
            let word = reader.word("the chunks: init, init-ack, cookie-echo, cookie-ack, data …")?;
            let chunks = sctp::chunks(&word.text).map_err(|name| {
                let error = reader.error(&word, words!("unknown SCTP chunk: {name}"));
                match nearest(name, sctp::CHUNKS.iter().map(|(n, _)| *n)) {
                    Some(near) => error.hint_boxed(words!("did you mean {near}?")),
                    None => {
                        error.hint_boxed("init, init-ack, cookie-echo, cookie-ack, data, sack, shutdown …")
                    }
                }
            })?;
            reader.fields(Takes::Sctp, &mut fields)?;
            Kind::Sctp { ends, chunks }
        }
        "icmp" | "icmp6" => {
            let ends = reader.ends(&kind_word, false)?;
            let (kind, code) = reader.icmp_message(ends.family)?;
            let (quote, _) = reader.fields(Takes::Icmp, &mut fields)?;
            Kind::Icmp { ends, kind, code, quote }
        }
        "ip" | "ip6" => {
            let ends = reader.ends(&kind_word, false)?;
            let (_, proto) = reader.fields(Takes::Ip, &mut fields)?;
            let proto = proto.ok_or_else(|| {
                reader.error(&kind_word, "proto= is missing").hint_boxed("for example proto=47")
            })?;
            Kind::Ip { ends, proto }
        }
        "reply" => {
            let flags = reader.flags()?;
            reader.fields(Takes::Reply, &mut fields)?;
            Kind::Reply { flags }
        }
        other => {
            let error = reader.error(&kind_word, words!("unknown kind of packet: {other}"));
            return Err(match nearest(other, KINDS) {
                Some(near) => error.hint_boxed(words!("did you mean {near}?")),
                None => error.hint_boxed("tcp, udp, icmp, icmp6, ip, ip6 or reply"),
            });
        }
    };
    Ok(PacketSpec { dev, kind, fields })
}

/// The blank-separated words from a byte on.
fn words(text: &str, from: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if at < from {
            continue;
        }
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(begin)) => {
                words.push(Word { text: text[begin..at].to_string(), span: begin..at });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Adds a hint to a boxed diagnostic.
trait HintBoxed {
    fn hint_boxed(self, hint: impl Into<String>) -> Self;
}

impl HintBoxed for Box<Diagnostic> {
    #[inline(always)]
    fn hint_boxed(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(said(hint));
        self
    }
}

impl Reader<'_> {
    #[inline(always)]
    fn error(&self, word: &Word, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(self.line, self.text, word.span.clone(), message))
    }

    fn peek(&self) -> Option<&str> {
        self.words.get(self.next).map(|w| w.text.as_str())
    }

    fn word(&mut self, what: &str) -> Parsed<Word> {
        match self.words.get(self.next) {
            Some(word) => {
                self.next += 1;
                Ok(word.clone())
            }
            None => {
                let end = self.text.len();
                Err(Box::new(Diagnostic::new(
                    self.line,
                    self.text,
                    end..end,
                    words!("the line ends here; missing: {what}"),
                )))
            }
        }
    }

    /// `SRC > DST`, with ports or without.
    fn ends(&mut self, kind: &Word, ports: bool) -> Parsed<Ends> {
        let what = if ports { "source, as ADDRESS:PORT" } else { "source address" };
        let source = self.word(what)?;
        let (family, src, sport) = self.end(&source, ports)?;
        let arrow = self.word("> and the destination")?;
        if arrow.text != ">" {
            return Err(self.error(&arrow, "expected > between source and destination"));
        }
        let target = self.word("the destination")?;
        let (target_family, dst, dport) = self.end(&target, ports)?;
        if target_family != family {
            return Err(self.error(&target, "source and destination are of different address families"));
        }
        let fixed = match kind.text.as_str() {
            "icmp" | "ip" => Some(Family::V4),
            "icmp6" | "ip6" => Some(Family::V6),
            _ => None,
        };
        if fixed.is_some_and(|f| f != family) {
            let hint = match (kind.text.as_str(), family) {
                ("icmp", _) => "icmp6 for IPv6 addresses",
                ("ip", _) => "ip6 for IPv6 addresses",
                (_, Family::V4) => "without the 6 for IPv4 addresses",
                _ => "",
            };
            return Err(self
                .error(&source, words!("{} takes the other family's addresses", kind.text))
                .hint_boxed(hint));
        }
        Ok(Ends { family, src, sport, dst, dport })
    }

    fn end(&self, word: &Word, ports: bool) -> Parsed<(Family, Addr, u16)> {
        let text = word.text.as_str();
        if !ports {
            return match parse_addr(text) {
                Some((family, addr)) => Ok((family, addr, 0)),
                None => Err(self.error(word, words!("not an address: {text}"))),
            };
        }
        let hint = "ADDRESS:PORT, for IPv6 [ADDRESS]:PORT";
        let parts = match text.strip_prefix('[') {
            Some(rest) => rest.split_once("]:"),
            None => text.rsplit_once(':').filter(|(addr, _)| !addr.contains(':')),
        };
        let Some((addr, port)) = parts else {
            return Err(self.error(word, words!("a port is missing: {text}")).hint_boxed(hint));
        };
        let Some((family, addr)) = parse_addr(addr) else {
            return Err(self.error(word, words!("not an address: {addr}")).hint_boxed(hint));
        };
        match parse_number(port).and_then(|p| u16::try_from(p).ok()) {
            Some(port) => Ok((family, addr, port)),
            None => Err(self.error(word, words!("not a port: {port}")).hint_boxed("0 to 65535")),
        }
    }

    /// The flags, if the next word is not an option.
    fn flags(&mut self) -> Parsed<Option<u8>> {
        let Some(word) = self.words.get(self.next) else { return Ok(None) };
        if word.text.contains('=') || matches!(word.text.as_str(), "df" | "badsum" | "sackok") {
            return Ok(None);
        }
        match tcp_flags_from(&word.text) {
            Some(flags) => {
                self.next += 1;
                Ok(Some(flags))
            }
            None => {
                let error = self.error(word, words!("not TCP flags: {}", word.text));
                Err(error.hint_boxed("letters as tcpdump prints them: S F R P . U E W (. is ACK)"))
            }
        }
    }

    fn icmp_message(&mut self, family: Family) -> Parsed<(u8, u8)> {
        let word = self.word("the message: a name, or TYPE/CODE")?;
        let text = word.text.as_str();
        let byte = |s: &str| parse_number(s).and_then(|n| u8::try_from(n).ok());
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (kind, code) = text.split_once('/').unwrap_or((text, "0"));
            return match (byte(kind), byte(code)) {
                (Some(kind), Some(code)) => Ok((kind, code)),
                _ => Err(self
                    .error(&word, words!("not TYPE/CODE: {text}"))
                    .hint_boxed("two numbers from 0 to 255")),
            };
        }
        let names = icmp_names(family);
        match names.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text)) {
            Some((_, kind, code)) => Ok((*kind, *code)),
            None => {
                let error = self.error(&word, words!("unknown ICMP message: {text}"));
                Err(match nearest(text, names.iter().map(|(name, ..)| *name)) {
                    Some(near) => error.hint_boxed(words!("did you mean {near}?")),
                    None => error.hint_boxed("a name such as echo-request, or TYPE/CODE"),
                })
            }
        }
    }

    /// All remaining words: options. Those that are not [`Fields`] come back: `re=` and `proto=`.
    fn fields(&mut self, takes: Takes, fields: &mut Fields) -> Parsed<(Option<Re>, Option<u8>)> {
        let (mut quote, mut protocol) = (None, None);
        while self.next < self.words.len() {
            let word = self.words[self.next].clone();
            self.next += 1;
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.text.as_str(), None),
            };
            let Some(allowed) = takes.allows(name) else {
                let error = self.error(&word, words!("unknown option: {name}"));
                return Err(match nearest(name, OPTIONS) {
                    Some(near) => error.hint_boxed(words!("did you mean {near}?")),
                    None => error,
                });
            };
            if !allowed {
                return Err(self.error(&word, words!("{name} does not go with this kind of packet")));
            }
            let bare = matches!(name, "df" | "badsum" | "sackok");
            let value = match (bare, value) {
                (true, None) => "",
                (true, Some(_)) => return Err(self.error(&word, words!("{name} takes no value"))),
                (false, Some(value)) => value,
                (false, None) => {
                    return Err(self
                        .error(&word, words!("{name} needs a value"))
                        .hint_boxed(words!("{name}=…")));
                }
            };
            let number = |max: u64| -> Parsed<u64> {
                parse_number(value).filter(|n| *n <= max).ok_or_else(|| {
                    self.error(&word, words!("not a number for {name}: {value}"))
                        .hint_boxed(words!("0 to {max}"))
                })
            };
            match name {
                "ttl" | "hoplimit" => fields.ttl = Some(number(255)? as u8),
                "tos" => fields.tos = Some(number(255)? as u8),
                "df" => fields.df = true,
                "badsum" => fields.bad_checksum = true,
                "sackok" => fields.sack_permitted = true,
                "id" if takes == Takes::Icmp => fields.icmp_id = Some(number(0xffff)? as u16),
                "id" | "ipid" => fields.ip_id = Some(number(u64::from(u32::MAX))? as u32),
                "seq" => {
                    let max = if takes == Takes::Icmp { 0xffff } else { u64::from(u32::MAX) };
                    fields.seq = Some(number(max)? as u32);
                }
                "ack" => fields.ack = Some(number(u64::from(u32::MAX))? as u32),
                "vtag" => fields.vtag = Some(number(u64::from(u32::MAX))? as u32),
                "itag" => fields.itag = Some(number(u64::from(u32::MAX))? as u32),
                "win" => fields.win = Some(number(0xffff)? as u16),
                "len" => fields.len = Some(number(65535)? as u32),
                "mss" => fields.mss = Some(number(0xffff)? as u16),
                "wscale" => fields.wscale = Some(number(255)? as u8),
                "mtu" => fields.mtu = Some(number(u64::from(u32::MAX))? as u32),
                "ts" => {
                    let pair = value.split_once(':').and_then(|(a, b)| {
                        let word = |s| parse_number(s).and_then(|n| u32::try_from(n).ok());
                        Some((word(a)?, word(b)?))
                    });
                    let Some(pair) = pair else {
                        return Err(self.error(&word, "ts takes two numbers").hint_boxed("ts=VALUE:ECHO"));
                    };
                    fields.timestamps = Some(pair);
                }
                "gw" => match parse_addr(value) {
                    Some((_, addr)) => fields.gateway = Some(addr),
                    None => return Err(self.error(&word, words!("not an address: {value}"))),
                },
                "frag" => {
                    let (offset, more) = match value.strip_suffix('+') {
                        Some(offset) => (offset, true),
                        None => (value, false),
                    };
                    match parse_number(offset).filter(|n| *n <= 65528 && n % 8 == 0) {
                        Some(offset) => fields.frag = Some((offset as u16, more)),
                        None => {
                            let error = self.error(&word, words!("not a fragment offset: {value}"));
                            return Err(
                                error.hint_boxed("bytes, a multiple of 8; + where more follow: frag=0+")
                            );
                        }
                    }
                }
                "data" => match bytes_from_hex(value) {
                    Some(data) => fields.data = Some(data),
                    None => return Err(self.error(&word, "data takes pairs of hexadecimal digits")),
                },
                "text" => fields.data = Some(value.as_bytes().to_vec()),
                "re" => {
                    quote = Some(match value {
                        "last" => Re::Last,
                        "sent" => Re::Sent,
                        _ => {
                            return Err(self
                                .error(&word, words!("unknown: {}", word.text))
                                .hint_boxed("re=last or re=sent"));
                        }
                    });
                }
                // What is left is `proto`.
                _ => match protocol_number(value) {
                    Some(number) => protocol = Some(number),
                    None => return Err(self.error(&word, words!("unknown protocol: {value}"))),
                },
            }
            if fields.data.is_some() && fields.len.is_some() {
                return Err(self.error(&word, "len and data exclude each other"));
            }
            if quote.is_some() && (fields.data.is_some() || fields.len.is_some()) {
                return Err(self.error(&word, "re quotes a packet; len and data do not go with it"));
            }
        }
        if takes == Takes::Ip
            && matches!(
                protocol,
                Some(proto::TCP | proto::UDP | proto::UDPLITE | proto::ICMP | proto::ICMPV6)
            )
            && fields.frag.is_none_or(|(offset, _)| offset == 0)
        {
            let word = self.words[0].clone();
            return Err(self
                .error(&word, "tcp, udp, udplite and icmp packets are written as such")
                .hint_boxed("ip is for other protocols and later fragments"));
        }
        Ok((quote, protocol))
    }
}

fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * 65535 {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}
