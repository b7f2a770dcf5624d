//! `ping [-c N] [-i SECONDS] [-s BYTES] [-t TTL] [-W SECONDS] [-q] HOST`, as iputils prints it.

use super::{Machine, Program, State, address, error_text};
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{Icmp, L4, Packet, Payload, proto};
use hookwalk_engine::route::{Dst, DstKind, Flow};
use hookwalk_engine::socket::SockEvent;
use hookwalk_engine::time::{Duration, Time};
use hookwalk_lang::output::Output;
use hookwalk_lang::shell::Word;

const BROADCAST: &str =
    "ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules";

/// A `ping` at work.
#[derive(Clone, Debug)]
pub(crate) struct Ping {
    name: String,
    to: (Family, Addr),
    count: u16,
    interval: Duration,
    /// How long the last answer is waited for.
    linger: Duration,
    size: u32,
    ttl: u8,
    quiet: bool,
    id: u16,
    sent: u16,
    received: u16,
    errors: u16,
    /// Requests that `sendmsg` refused with an error that came at once.
    refused: u16,
    started: Time,
    /// When the next request leaves, or when waiting ends.
    due: Time,
    last_sent: Time,
    stdout: String,
}

/// Starts a ping.
pub(crate) fn start(machine: &mut Machine<'_>, words: &[Word]) -> State {
    let mut ping = Ping {
        name: String::new(),
        to: (Family::V4, Addr::UNSPECIFIED),
        count: 0,
        interval: Duration::secs(1),
        linger: Duration::secs(10),
        size: 56,
        ttl: 64,
        quiet: false,
        id: machine.host.net.rng.next_u16() | 1,
        sent: 0,
        received: 0,
        errors: 0,
        refused: 0,
        started: machine.host.net.now,
        due: machine.host.net.now,
        last_sent: machine.host.net.now,
        stdout: String::new(),
    };
    if let Err(output) = ping.options(words) {
        return State::Ended(output);
    }
    let (family, _) = ping.to;
    let header = family.header_len() + 8;
    ping.stdout = match family {
        Family::V4 => {
            format!("PING {0} ({0}) {1}({2}) bytes of data.\n", ping.name, ping.size, ping.size + header)
        }
        Family::V6 => format!("PING {0}({0}) {1} data bytes\n", ping.name, ping.size),
    };
    ping.go_on(machine, &[])
}

impl Ping {
    fn options(&mut self, words: &[Word]) -> Result<(), Output> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            let Some(option) = text.strip_prefix('-').filter(|o| !o.is_empty()) else {
                let Some(to) = address(text) else {
                    return Err(Output::fail(
                        2,
                        format!("ping: {text}: Temporary failure in name resolution"),
                    ));
                };
                (self.to, self.name) = (to, to.1.ip(to.0).to_string());
                continue;
            };
            let (letter, rest) = option.split_at(option.chars().next().map_or(0, char::len_utf8));
            if matches!(letter, "n" | "q" | "4" | "6" | "A" | "O") && rest.is_empty() {
                self.quiet |= letter == "q";
                if matches!(letter, "A" | "O") {
                    let message = format!("ping -{letter} is not simulated");
                    return Err(Output::refuse(message, word.span.clone()));
                }
                continue;
            }
            let value = if rest.is_empty() { words.next().map_or("", |w| w.text.as_str()) } else { rest };
            let seconds = || {
                let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
                let millis: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
                let whole: u64 = whole.parse().ok()?;
                (whole < 1_000_000).then(|| Duration::millis(whole * 1000 + millis))
            };
            let bad = || Output::fail(1, format!("ping: invalid argument: '{value}'"));
            match letter {
                "c" => self.count = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
                "i" => self.interval = seconds().filter(|s| s.0 > 0).ok_or_else(bad)?,
                "W" => self.linger = seconds().ok_or_else(bad)?,
                "s" => self.size = value.parse().ok().filter(|n| *n <= 65_507).ok_or_else(bad)?,
                "t" => self.ttl = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
                _ => {
                    let message = format!("ping -{letter} is not simulated");
                    return Err(Output::refuse(message, word.span.clone()));
                }
            }
        }
        if self.name.is_empty() {
            return Err(Output::fail(1, "ping: usage error: Destination address required"));
        }
        if self.count == 0 {
            return Err(Output::refuse("ping without -c never ends", 0..4));
        }
        Ok(())
    }

    pub(super) fn go_on(mut self, machine: &mut Machine<'_>, events: &[SockEvent]) -> State {
        let now = machine.host.net.now;
        for event in events {
            self.hear(event, now);
        }
        let done = self.sent == self.count && (self.received + self.errors >= self.count || now >= self.due);
        if done {
            return State::Ended(self.end(now));
        }
        let to_all = |dst: Dst| dst.to == DstKind::Broadcast;
        if self.sent == 0 && machine.host.net.route_output(&Flow::to(self.to.0, self.to.1)).is_ok_and(to_all)
        {
            return State::Ended(Output::fail(2, BROADCAST));
        }
        if self.sent < self.count && now >= self.due {
            if let Err(error) = self.send(machine) {
                // The first packet's route is looked up by connect().
                return State::Ended(if self.sent == 1 {
                    // EACCES is what connect() says of a broadcast address, so ping takes any for that.
                    match (error, self.to.0) {
                        ("Permission denied", Family::V4) => Output::fail(2, BROADCAST),
                        _ => Output::fail(2, format!("ping: connect: {error}")),
                    }
                } else {
                    self.end(now)
                });
            }
            self.last_sent = now;
            self.due = now + if self.sent == self.count { self.linger } else { self.interval };
        }
        let due = self.due;
        State::Waits(Program::Ping(self), Some(due))
    }

    fn send(&mut self, machine: &mut Machine<'_>) -> Result<(), &'static str> {
        self.sent += 1;
        let (family, dst) = self.to;
        let (proto, kind) = match family {
            Family::V4 => (proto::ICMP, 8),
            Family::V6 => (proto::ICMPV6, 128),
        };
        let packet = Packet {
            family,
            src: Addr::UNSPECIFIED,
            dst,
            proto,
            ttl: self.ttl,
            tos: 0,
            ip_id: if family == Family::V4 { machine.host.net.rng.next_u16() } else { 0 },
            df: family == Family::V4,
            frag: None,
            bad_l4_checksum: false,
            l4: L4::Icmp(Icmp { kind, code: 0, rest: u32::from(self.id) << 16 | u32::from(self.sent) }),
            payload: Payload::Zeros(self.size),
        };
        let id = machine.ids.next_id();
        machine.host.send_ip(packet, id, machine.cpu).map_err(error_text)
    }

    fn hear(&mut self, event: &SockEvent, now: Time) {
        match event {
            SockEvent::EchoReply { from, id, seq, ttl, len } if *id == self.id => {
                self.received += 1;
                let micros = (now.since(self.last_sent).0 + 500) / 1000;
                if !self.quiet {
                    self.stdout.push_str(&format!(
                        "{len} bytes from {}: icmp_seq={seq} ttl={ttl} time={}.{:03} ms\n",
                        from.1.ip(from.0),
                        micros / 1000,
                        micros % 1000
                    ));
                }
            }
            SockEvent::IcmpError { from, port: (id, seq), kind, .. } if *id == self.id => {
                self.errors += 1;
                if !self.quiet {
                    self.stdout.push_str(&format!(
                        "From {} icmp_seq={seq} {}\n",
                        from.1.ip(from.0),
                        error_name(from.0, *kind)
                    ));
                }
            }
            // Where a rule drops the request, iputils finds no error to show, and is silent.
            SockEvent::EchoRefused { id } if *id == self.id => self.refused += 1,
            _ => {}
        }
    }

    fn end(mut self, now: Time) -> Output {
        let (sent, received) = (u32::from(self.sent), u32::from(self.received));
        let lost = 100 * (sent - received.min(sent)) / sent.max(1);
        let errors = if self.errors > 0 { format!(", +{} errors", self.errors) } else { String::new() };
        let time = match self.received {
            0 => self.last_sent,
            _ => now,
        };
        self.stdout.push_str(&format!(
            "\n--- {} ping statistics ---\n{sent} packets transmitted, {received} received{errors}, {lost}% packet loss, time {}ms\n",
            self.name,
            time.since(self.started).as_millis()
        ));
        if received > 0 {
            self.stdout.push_str("rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms\n");
        } else {
            self.stdout.push('\n');
        }
        let mut output = Output::ok(self.stdout);
        for _ in 0..self.refused {
            output.error_line("ping: sendmsg: Operation not permitted");
        }
        output.exit = i32::from(received == 0);
        output
    }
}

/// What iputils calls an ICMP error.
fn error_name(family: Family, (kind, code): (u8, u8)) -> String {
    let name = match (family, kind, code) {
        (Family::V4, 3, 0) => "Destination Net Unreachable",
        (Family::V4, 3, 1) => "Destination Host Unreachable",
        (Family::V4, 3, 2) => "Destination Protocol Unreachable",
        (Family::V4, 3, 3) => "Destination Port Unreachable",
        (Family::V4, 3, 4) => "Frag needed and DF set",
        (Family::V4, 3, 9) => "Destination Net Prohibited",
        (Family::V4, 3, 10) => "Destination Host Prohibited",
        (Family::V4, 3, 13) => "Packet filtered",
        (Family::V4, 11, 0) => "Time to live exceeded",
        (Family::V6, 1, 0) => "Destination unreachable: No route",
        (Family::V6, 1, 1) => "Destination unreachable: Administratively prohibited",
        (Family::V6, 1, 3) => "Destination unreachable: Address unreachable",
        (Family::V6, 1, 4) => "Destination unreachable: Port unreachable",
        (Family::V6, 3, 0) => "Time exceeded: Hop limit",
        _ => return format!("icmp type {kind} code {code}"),
    };
    name.to_string()
}
