//! `nc [-uvzN] [-w SECONDS] HOST PORT`, `nc -l[k][u] PORT`, and `curl [-sS] [-m SECONDS] URL`.

use super::{Machine, Program, State, address, error_text};
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{Payload, proto};
use hookwalk_engine::socket::{Behaviour, Listener, SockEvent, SockId};
use hookwalk_engine::time::{Duration, Time};
use hookwalk_lang::output::Output;
use hookwalk_lang::shell::Word;

/// A connection and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    tool: Tool,
    sock: SockId,
    to: (Family, Addr, u16),
    started: Time,
    /// When it gives up.
    limit: Option<Time>,
    /// How long it is patient: until it is connected, then without a word from the peer.
    wait: Option<Duration>,
    connected: bool,
    /// When it closes its side (`nc -N`): after what it wrote has gone out.
    shuts: Option<Time>,
    /// When it is clear that nobody will say anything.
    patience: Option<Time>,
}

/// How long a silent server is waited for where the real program would wait for ever.
const PATIENCE: Duration = Duration::secs(5);

#[derive(Clone, Debug)]
enum Tool {
    Nc { verbose: bool, scan: bool, shuts: bool, data: Option<u32> },
    Curl { request: u32, silent: bool },
}

/// Starts `nc`.
pub(crate) fn start_nc(machine: &mut Machine<'_>, words: &[Word], stdin: Option<&str>) -> State {
    let refuse = |message: &str, word: &Word| State::Ended(Output::refuse(message, word.span.clone()));
    let (mut udp, mut verbose, mut scan, mut wait) = (false, false, false, None);
    let (mut serves, mut again, mut shuts, mut family) = (false, false, false, Family::V4);
    let mut rest = Vec::new();
    let mut iter = words.iter().skip(1);
    while let Some(word) = iter.next() {
        let Some(letters) = word.text.strip_prefix('-').filter(|l| !l.is_empty()) else {
            rest.push(word);
            continue;
        };
        for letter in letters.chars() {
            match letter {
                'u' => udp = true,
                'v' => verbose = true,
                'z' => scan = true,
                'l' => serves = true,
                'k' => again = true,
                'N' => shuts = true,
                '6' => family = Family::V6,
                'n' | '4' => {}
                'p' if serves => {}
                'w' => match iter.next().and_then(|w| w.text.parse::<u32>().ok()) {
                    Some(seconds) => wait = Some(Duration::secs(seconds.into())),
                    None => return State::Ended(Output::fail(1, "nc: timeout invalid")),
                },
                _ => return refuse(&format!("nc -{letter} is not simulated"), word),
            }
        }
    }
    if serves {
        return State::Ended(serve(machine, udp, again, family, rest.last().map_or("", |w| w.text.as_str())));
    }
    let [host, port] = rest.as_slice() else {
        return State::Ended(Output::fail(1, "usage: nc [-uvz] [-w SECONDS] HOST PORT"));
    };
    let Some((family, addr)) = address(&host.text) else {
        let message = format!(
            "nc: getaddrinfo for host \"{}\" port {}: Temporary failure in name resolution",
            host.text, port.text
        );
        return State::Ended(Output::fail(1, message));
    };
    let Some(port) = port.text.parse::<u16>().ok().filter(|p| *p > 0) else {
        return State::Ended(Output::fail(1, format!("nc: port number invalid: {}", port.text)));
    };
    if udp {
        let data = stdin.unwrap_or("");
        if !data.is_empty() || scan {
            let payload = Payload::Bytes(data.as_bytes().into());
            let sent = machine.host.udp_send(family, None, (addr, port), payload, machine.ids, machine.cpu);
            if let Err(error) = sent {
                let message =
                    format!("nc: connect to {} port {port} (udp) failed: {}", host.text, error_text(error));
                return State::Ended(if verbose { Output::fail(1, message) } else { Output::fail(1, "") });
            }
        }
        return State::Ended(Output::default());
    }
    let data = stdin.map(|s| s.len() as u32);
    let tool = Tool::Nc { verbose, scan, shuts, data };
    connect(machine, tool, (family, addr, port), wait)
}

/// `nc -l[k][u] PORT`: a server of one family in the background.
fn serve(machine: &mut Machine<'_>, udp: bool, again: bool, family: Family, port: &str) -> Output {
    let Some(port) = port.parse::<u16>().ok().filter(|p| *p > 0) else {
        return Output::fail(1, "usage: nc -l[k][u] PORT");
    };
    let proto = if udp { proto::UDP } else { proto::TCP };
    let taken = |l: &&Listener| l.proto == proto && l.port == port && l.addr.is_none_or(|(f, _)| f == family);
    let listeners = &mut machine.host.net.sockets.listeners;
    if listeners.iter().any(|l| taken(&l)) {
        return Output::fail(1, "nc: Address already in use");
    }
    let behaviour = if again { Behaviour::Again } else { Behaviour::Once };
    let addr = Some((family, Addr::UNSPECIFIED));
    listeners.push(Listener { proto, addr, peer: None, port, behaviour, transparent: false });
    Output::default()
}

/// Starts `curl`.
pub(crate) fn start_curl(machine: &mut Machine<'_>, words: &[Word]) -> State {
    let (mut silent, mut shows) = (false, false);
    let mut limit = None;
    let mut url = None;
    let mut iter = words.iter().skip(1);
    while let Some(word) = iter.next() {
        match word.text.as_str() {
            "-s" | "--silent" => silent = true,
            "-S" | "-sS" | "-Ss" | "--show-error" => shows = true,
            "-4" | "-6" => {}
            "-m" | "--max-time" | "--connect-timeout" => {
                limit =
                    iter.next().and_then(|w| w.text.parse::<u32>().ok()).map(|s| Duration::secs(s.into()));
            }
            option if option.starts_with('-') => {
                let message = format!("curl {option} is not simulated");
                return State::Ended(Output::refuse(message, word.span.clone()));
            }
            _ => url = Some(word),
        }
    }
    let Some(url) = url else {
        return State::Ended(Output::fail(
            2,
            "curl: try 'curl --help' or 'curl --manual' for more information",
        ));
    };
    let (scheme, rest) = url.text.split_once("://").unwrap_or(("http", &url.text));
    if scheme != "http" {
        let message = format!("{scheme} is not simulated");
        return State::Ended(Output::refuse(message, url.span.clone()));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()),
        _ => (authority, Some(80)),
    };
    let (Some((family, addr)), Some(port)) = (address(host), port) else {
        return State::Ended(Output::fail(6, format!("curl: (6) Could not resolve host: {host}")));
    };
    let path = rest.len() - authority.len();
    // GET PATH HTTP/1.1, Host, User-Agent, Accept and the empty line.
    let request = 16 + path.max(1) + 8 + authority.len() + 25 + 13 + 2;
    let tool = Tool::Curl { request: request as u32, silent: silent && !shows };
    connect(machine, tool, (family, addr, port), limit)
}

fn connect(machine: &mut Machine<'_>, tool: Tool, to: (Family, Addr, u16), limit: Option<Duration>) -> State {
    let started = machine.host.net.now;
    match machine.host.tcp_connect(to.0, to.1, to.2, machine.ids, machine.cpu) {
        Ok(sock) => {
            let (wait, limit) = (limit, limit.map(|l| started + l));
            let client = Client {
                tool,
                sock,
                to,
                started,
                limit,
                wait,
                connected: false,
                shuts: None,
                patience: None,
            };
            State::Waits(Program::Client(client), limit)
        }
        Err(error) => State::Ended(failed(&tool, to, error_text(error), Duration::default())),
    }
}

/// The connection could not be made.
fn failed(tool: &Tool, to: (Family, Addr, u16), why: &str, after: Duration) -> Output {
    let (host, port) = (to.1.ip(to.0), to.2);
    match tool {
        Tool::Nc { verbose: true, .. } => {
            Output::fail(1, format!("nc: connect to {host} port {port} (tcp) failed: {why}"))
        }
        Tool::Nc { .. } => Output::fail(1, ""),
        Tool::Curl { silent: true, .. } => Output::fail(7, ""),
        Tool::Curl { .. } => Output::fail(
            7,
            format!(
                "curl: (7) Failed to connect to {host} port {port} after {} ms: Couldn't connect to server",
                after.as_millis()
            ),
        ),
    }
}

impl Client {
    pub(super) fn go_on(mut self, machine: &mut Machine<'_>, events: &[SockEvent]) -> State {
        let now = machine.host.net.now;
        let after = now.since(self.started);
        for event in events {
            match event {
                SockEvent::Connected(id) if *id == self.sock => {
                    self.connected = true;
                    match self.tool {
                        Tool::Nc { scan: false, shuts, data, .. } => {
                            if let Some(len) = data.filter(|n| *n > 0) {
                                machine.host.tcp_write(self.sock, len, machine.ids, machine.cpu);
                            }
                            self.shuts = shuts.then(|| now + Duration::millis(1));
                            if self.wait.is_none() && !shuts {
                                // It goes on in the background; nobody says anything to it that it could print.
                                return State::Ended(Output::default());
                            }
                            self.limit = self.wait.map(|w| now + w);
                        }
                        Tool::Nc { verbose, .. } => {
                            machine.host.tcp_close(self.sock, machine.ids, machine.cpu);
                            let (host, port) = (self.to.1.ip(self.to.0), self.to.2);
                            let mut output = Output::default();
                            if verbose {
                                output.error_line(&format!(
                                    "Connection to {host} {port} port [tcp/*] succeeded!"
                                ));
                            }
                            return State::Ended(output);
                        }
                        Tool::Curl { request, .. } => {
                            machine.host.tcp_write(self.sock, request, machine.ids, machine.cpu);
                        }
                    }
                }
                SockEvent::Reset(id) if *id == self.sock => {
                    return State::Ended(match (&self.tool, self.connected) {
                        (Tool::Curl { silent: true, .. }, true) => Output::fail(56, ""),
                        (Tool::Curl { .. }, true) => {
                            Output::fail(56, "curl: (56) Recv failure: Connection reset by peer")
                        }
                        _ => failed(&self.tool, self.to, "Connection refused", after),
                    });
                }
                SockEvent::TimedOut(id) if *id == self.sock => {
                    return State::Ended(failed(&self.tool, self.to, "Connection timed out", after));
                }
                SockEvent::PeerClosed(id) if *id == self.sock => {
                    machine.host.tcp_close(self.sock, machine.ids, machine.cpu);
                    if matches!(self.tool, Tool::Nc { .. }) {
                        return State::Ended(Output::default());
                    }
                    return State::Ended(Output::fail(52, "curl: (52) Empty reply from server"));
                }
                // A connection attempt ends at once on a hard error.
                SockEvent::IcmpError { proto: 6, kind: (3, _), .. } if !self.connected => {
                    let gone = !machine.host.net.sockets.tcp.iter().any(|s| s.id == self.sock);
                    if gone {
                        return State::Ended(failed(&self.tool, self.to, "No route to host", after));
                    }
                }
                _ => {}
            }
        }
        if self.limit.is_some_and(|limit| now >= limit) {
            machine.host.tcp_close(self.sock, machine.ids, machine.cpu);
            return State::Ended(match (&self.tool, self.connected) {
                (Tool::Curl { silent: true, .. }, _) => Output::fail(28, ""),
                (Tool::Curl { .. }, true) => Output::fail(
                    28,
                    format!(
                        "curl: (28) Operation timed out after {} milliseconds with 0 bytes received",
                        after.as_millis()
                    ),
                ),
                (Tool::Curl { .. }, false) => Output::fail(
                    28,
                    format!("curl: (28) Connection timed out after {} milliseconds", after.as_millis()),
                ),
                (Tool::Nc { .. }, true) => Output::default(),
                (Tool::Nc { .. }, false) => failed(&self.tool, self.to, "Operation now in progress", after),
            });
        }
        // The servers of a lab accept and say nothing: the real curl would wait for ever.
        if self.patience.is_some_and(|p| now >= p) {
            machine.host.tcp_close(self.sock, machine.ids, machine.cpu);
            let message = "hookwalk: the server says nothing, and curl would wait for ever: use -m";
            return State::Ended(Output::fail(130, message));
        }
        let asks = matches!(self.tool, Tool::Curl { .. });
        if asks && self.connected && self.limit.is_none() && self.patience.is_none() {
            self.patience = Some(now + PATIENCE);
        }
        if self.shuts.is_some_and(|t| now >= t) {
            self.shuts = None;
            machine.host.tcp_close(self.sock, machine.ids, machine.cpu);
        }
        let due = self.shuts.or(self.limit).or(self.patience);
        State::Waits(Program::Client(self), due)
    }
}
