//! Programs that a user starts on a host: `listen`, and the clients `ping`, `nc` and `curl`, on the engine's sockets.
//!
//! A client is a small state machine: it starts, hears of its sockets' events, wakes up at a time, and ends with output.
//! What it sends goes through OUTPUT like all traffic of the host.

mod client;
mod ping;

use hookwalk_engine::FULL;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::flight::{Cpu, PacketIds};
use hookwalk_engine::host::Host;
use hookwalk_engine::packet::proto;
use hookwalk_engine::route::RouteError;
use hookwalk_engine::socket::{Behaviour, Listener, SockEvent};
use hookwalk_engine::step::SendError;
use hookwalk_engine::time::Time;
use hookwalk_lang::output::Output;
use hookwalk_lang::shell::Word;
use std::net::IpAddr;

/// What a program may touch: its host, and the processor that it runs on.
pub(crate) struct Machine<'a> {
    pub(crate) host: &'a mut Host,
    pub(crate) ids: &'a mut PacketIds,
    pub(crate) cpu: &'a mut Cpu,
}

/// A client at work.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    Ping(ping::Ping),
    Client(client::Client),
}

/// What becomes of a program.
#[derive(Debug)]
pub(crate) enum State {
    /// It works until an event of its sockets, or until this moment.
    Waits(Program, Option<Time>),
    /// It has ended with this output.
    Ended(Output),
}

/// The programs by name, with what they take.
pub(crate) const PROGRAMS: [(&str, &str); 4] = [
    ("listen", "tcp/PORT | udp/PORT [echo]"),
    ("ping", "-c N HOST"),
    ("nc", "[-u] HOST PORT"),
    ("curl", "URL"),
];

/// Starts a program.
pub(crate) fn start(machine: &mut Machine<'_>, words: &[Word], stdin: Option<&str>) -> State {
    let Some(name) = words.first() else { return State::Ended(Output::default()) };
    match name.text.as_str() {
        "listen" => State::Ended(listen(machine.host, &words[1..])),
        _ if !FULL => State::Ended(Output::refuse("", 0..0)),
        "ping" => ping::start(machine, &words[1..]),
        "nc" => client::start_nc(machine, words, stdin),
        "curl" => client::start_curl(machine, words),
        other => {
            State::Ended(Output::refuse(format!("the program {other} is not simulated"), name.span.clone()))
        }
    }
}

impl Program {
    /// Goes on after these events, at the host's time.
    pub(crate) fn go_on(self, machine: &mut Machine<'_>, events: &[SockEvent]) -> State {
        match self {
            Program::Ping(ping) => ping.go_on(machine, events),
            Program::Client(client) => client.go_on(machine, events),
        }
    }
}

/// `listen tcp/PORT [transparent]`, `listen udp/PORT [echo] [transparent]`.
fn listen(host: &mut Host, words: &[Word]) -> Output {
    const USAGE: &str = "usage: listen tcp/PORT [transparent] | listen udp/PORT [echo] [transparent]";
    let (words, transparent) = match words {
        [rest @ .., last] if last.text == "transparent" => (rest, true),
        all => (all, false),
    };
    let (what, behaviour) = match words {
        [what] => (what, Behaviour::Silent),
        [what, echo] if echo.text == "echo" => (what, Behaviour::Echo),
        _ => return Output::fail(2, USAGE),
    };
    let Some((name, port)) = what.text.split_once('/') else { return Output::fail(2, USAGE) };
    let number = match name {
        "tcp" if behaviour == Behaviour::Silent => proto::TCP,
        "udp" => proto::UDP,
        _ => return Output::fail(2, USAGE),
    };
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 => port,
        _ => return Output::fail(2, USAGE),
    };
    if host.net.sockets.listeners.iter().any(|l| l.proto == number && l.port == port && l.addr.is_none()) {
        return Output::fail(1, format!("listen: {}: Address already in use", what.text));
    }
    let listener = Listener { proto: number, addr: None, peer: None, port, behaviour, transparent };
    host.net.sockets.listeners.push(listener);
    Output::default()
}

/// An address as programs take it; there are no names but `localhost`.
fn address(text: &str) -> Option<(Family, Addr)> {
    if text == "localhost" {
        return Some((Family::V4, Addr::LOOPBACK_V4));
    }
    let ip: IpAddr = text.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some((if ip.is_ipv4() { Family::V4 } else { Family::V6 }, ip.into()))
}

/// What `strerror` says.
fn error_text(error: SendError) -> &'static str {
    match error {
        SendError::Route(RouteError::NetUnreachable) => "Network is unreachable",
        SendError::Route(RouteError::HostUnreachable) => "No route to host",
        SendError::Route(RouteError::Prohibited) => "Permission denied",
        SendError::Route(RouteError::Blackhole) => "Invalid argument",
        SendError::Broadcast => "Permission denied",
        SendError::NoPort => "Invalid argument",
        SendError::MessageSize => "Message too long",
    }
}
