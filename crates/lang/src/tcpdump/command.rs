//! The command `tcpdump`: what it takes, which frames it shows, and the time before each line.

use super::filter::Filter;
use super::{Detail, Tcpdump};
use crate::frames::Way;
use crate::names::mac;
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::Packet;
use hookwalk_engine::time::Time;
use hookwalk_engine::wire;
use std::fmt::Write as _;

/// A frame as a capture sees it.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// The interface, as a place in the list of names.
    pub iface: usize,
    /// In or out.
    pub way: Way,
    /// When.
    pub time: Time,
    /// Source and destination hardware address.
    pub macs: [[u8; 6]; 2],
    /// The packet.
    pub packet: &'a Packet,
}

/// What stands before each line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Clock,
    None,
    Seconds,
    SinceLast,
    Date,
    SinceFirst,
}

/// The bytes below each line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hex {
    None,
    /// `-x`.
    Packet,
    /// `-xx`.
    Frame,
    /// `-X`, `-XX`.
    Text(bool),
}

struct Options<'w> {
    iface: Option<&'w Word>,
    stamp: Stamp,
    detail: Detail,
    ethernet: bool,
    numbers: bool,
    numeric: bool,
    hex: Hex,
    count: usize,
    way: Option<Way>,
    filter: &'w [Word],
}

/// Runs `tcpdump` on what the interfaces of a station carried so far: the tool would print these lines, had it listened
/// since the start and were it stopped now. `clock` is what clocks showed when the run began, in seconds since 1970.
pub fn run<'a>(
    argv: &[Word],
    ifaces: &[&str],
    frames: impl Iterator<Item = Captured<'a>>,
    clock: u64,
) -> Output {
    let options = match options(argv.get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(output) => return output,
    };
    if !options.numeric {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("tcpdump without -n is not simulated: there are no names to look up", span);
    }
    let filter = match Filter::read(options.filter) {
        Ok(filter) => filter,
        Err(wrong) => {
            return Output::refuse(format!("in the filter, {}", wrong.message), wrong.span);
        }
    };
    let any = options.iface.is_some_and(|w| w.text == "any");
    let only = match options.iface {
        Some(word) if !any => match ifaces.iter().position(|i| *i == word.text) {
            Some(at) => Some(at),
            None if word.text == "lo" => {
                return Output::refuse("what lo carries is not kept", word.span.clone());
            }
            None => {
                let text =
                    format!("tcpdump: {}: No such device exists\n(SIOCGIFHWADDR: No such device)", word.text);
                return Output::fail(1, text);
            }
        },
        _ if any => None,
        _ => Some(0),
    };
    let mut dump = Tcpdump { detail: options.detail, ..Tcpdump::default() };
    let mut out = Output::default();
    let mut shown = 0;
    let (mut first, mut last) = (None, None);
    for frame in frames {
        let wanted = only.is_none_or(|i| i == frame.iface)
            && options.way.is_none_or(|w| w == frame.way)
            && filter.as_ref().is_none_or(|f| f.passes(frame.packet));
        if !wanted || shown == options.count {
            continue;
        }
        shown += 1;
        let mut line = String::new();
        if options.numbers {
            let _ = write!(line, "{shown:5}  ");
        }
        let since = |then: Option<Time>| frame.time.since(then.unwrap_or(frame.time)).0;
        put_stamp(&mut line, options.stamp, clock, frame.time, since(last), since(first));
        (first, last) = (first.or(Some(frame.time)), Some(frame.time));
        if any {
            let way = if frame.way == Way::In { "In " } else { "Out" };
            let _ = write!(line, "{} {way} ", ifaces.get(frame.iface).unwrap_or(&"?"));
        }
        if options.ethernet {
            let (name, number) = match frame.packet.family {
                Family::V4 => ("IPv4", 0x0800),
                Family::V6 => ("IPv6", 0x86dd),
            };
            let len = 14 + frame.packet.len();
            let [src, dst] = frame.macs.map(mac);
            let _ = write!(line, "{src} > {dst}, ethertype {name} ({number:#06x}), length {len}: ");
            line.push_str(&dump.text(frame.packet));
        } else {
            line.push_str(&dump.line(frame.packet));
        }
        out.line(&line);
        put_hex(&mut out.stdout, &options, &frame);
    }
    out
}

fn put_stamp(out: &mut String, stamp: Stamp, clock: u64, time: Time, since_last: u64, since_first: u64) {
    let micros = time.0 / 1000 % 1_000_000;
    let seconds = clock + time.as_secs();
    let day = seconds % 86_400;
    let put_clock = |out: &mut String, s: u64, micros: u64| {
        let _ = write!(out, "{:02}:{:02}:{:02}.{micros:06} ", s / 3600, s / 60 % 60, s % 60);
    };
    match stamp {
        Stamp::None => {}
        Stamp::Clock => put_clock(out, day, micros),
        Stamp::Seconds => {
            let _ = write!(out, "{seconds}.{micros:06} ");
        }
        Stamp::Date => {
            let _ = write!(out, "{} ", crate::iptables::date(seconds));
            put_clock(out, day, micros);
        }
        Stamp::SinceLast | Stamp::SinceFirst => {
            let nanos = if stamp == Stamp::SinceLast { since_last } else { since_first };
            out.push(' ');
            put_clock(out, nanos / 1_000_000_000, nanos / 1000 % 1_000_000);
        }
    }
}

fn put_hex(out: &mut String, options: &Options<'_>, frame: &Captured<'_>) {
    let (with_frame, text) = match options.hex {
        Hex::None => return,
        Hex::Packet => (false, false),
        Hex::Frame => (true, false),
        Hex::Text(frame) => (frame, true),
    };
    let mut bytes = Vec::new();
    if with_frame {
        let kind: [u8; 2] = if frame.packet.family == Family::V4 { [8, 0] } else { [0x86, 0xdd] };
        bytes.extend([&frame.macs[1][..], &frame.macs[0], &kind].concat());
    }
    bytes.extend(wire::encode(frame.packet));
    for (n, row) in bytes.chunks(16).enumerate() {
        let mut line = format!("\t{:#06x}:  ", n * 16);
        for (i, pair) in row.chunks(2).enumerate() {
            if i > 0 {
                line.push(' ');
            }
            pair.iter().for_each(|b| {
                let _ = write!(line, "{b:02x}");
            });
        }
        if text {
            let width = 9 + 39;
            let _ = write!(line, "{:1$}  ", "", (width + 1usize).saturating_sub(line.len()));
            line.extend(row.iter().map(|b| if (0x21..0x7f).contains(b) { char::from(*b) } else { '.' }));
        }
        out.push_str(&line);
        out.push('\n');
    }
}

fn options(words: &[Word]) -> Result<Options<'_>, Output> {
    let mut o = Options {
        iface: None,
        stamp: Stamp::Clock,
        detail: Detail::default(),
        ethernet: false,
        numbers: false,
        numeric: false,
        hex: Hex::None,
        count: usize::MAX,
        way: None,
        filter: &[],
    };
    let mut stamps = 0;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if !text.starts_with('-') || text.len() < 2 {
            break;
        }
        at += 1;
        if let Some(long) = text.strip_prefix("--") {
            match long {
                "number" => o.numbers = true,
                "absolute-tcp-sequence-numbers" => o.detail.absolute = true,
                "immediate-mode" | "no-promiscuous-mode" | "packet-buffered" => {}
                "version" => {
                    return Err(Output::ok(
                        "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)\n",
                    ));
                }
                _ => match long.strip_prefix("interface=") {
                    Some(_) => return Err(refused(word, "write -i IF instead of")),
                    None => return Err(refused(word, "tcpdump knows here no option")),
                },
            }
            continue;
        }
        for (i, letter) in text.char_indices().skip(1) {
            // The rest of the word, or the next word.
            let mut value = || -> Result<(String, &Word), Output> {
                let rest = &text[i + letter.len_utf8()..];
                if !rest.is_empty() {
                    return Ok((rest.to_string(), word));
                }
                let next = words.get(at);
                at += 1;
                next.map(|w| (w.text.clone(), w)).ok_or_else(|| {
                    Output::fail(1, format!("tcpdump: option requires an argument -- '{letter}'"))
                })
            };
            match letter {
                'n' => o.numeric = true,
                'v' => o.detail.verbose = (o.detail.verbose + 1).min(3),
                'q' => o.detail.quick = true,
                'S' => o.detail.absolute = true,
                'e' => o.ethernet = true,
                '#' => o.numbers = true,
                't' => stamps += 1,
                'x' => o.hex = if o.hex == Hex::Packet { Hex::Frame } else { Hex::Packet },
                'X' => o.hex = Hex::Text(matches!(o.hex, Hex::Text(_))),
                // How output is buffered, and whose frames the device takes: nothing that could be seen here.
                'l' | 'U' | 'p' | 'K' => {}
                'i' => {
                    let (name, word) = value()?;
                    if name != word.text {
                        return Err(refused(word, "put a blank behind -i in"));
                    }
                    o.iface = Some(word);
                    break;
                }
                'c' => {
                    let (n, _) = value()?;
                    match n.parse::<usize>() {
                        Ok(n) if n > 0 => o.count = n,
                        _ => return Err(Output::fail(1, format!("tcpdump: invalid packet count {n}"))),
                    }
                    break;
                }
                's' | 'B' => {
                    value()?;
                    break;
                }
                'Q' => {
                    let (way, word) = value()?;
                    o.way = match way.as_str() {
                        "in" => Some(Way::In),
                        "out" => Some(Way::Out),
                        "inout" => None,
                        _ => return Err(refused(word, "tcpdump knows no direction")),
                    };
                    break;
                }
                _ => return Err(refused(word, "tcpdump knows here no option")),
            }
        }
    }
    o.stamp = match stamps {
        0 => Stamp::Clock,
        1 => Stamp::None,
        2 => Stamp::Seconds,
        3 => Stamp::SinceLast,
        4 => Stamp::Date,
        _ => Stamp::SinceFirst,
    };
    o.filter = words.get(at..).unwrap_or_default();
    Ok(o)
}

fn refused(word: &Word, what: &str) -> Output {
    Output::refuse(format!("{what} {}", word.text), word.span.clone())
}
