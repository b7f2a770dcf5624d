//! Runs one lab on the kernel, line by line, and writes down what its commands printed.

use super::clock::Clock;
use super::listen::{Datagrams, Server};
use super::network::{Network, know_neighbours, wire_device};
use super::packet_socket::{Capture, Direction, Sender, ifindex};
use super::process::{Job, Stop};
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::Packet;
use hookwalk_engine::wire;
use hookwalk_lab::file::{End, Lab, Prompt, Statement, StationId};
use hookwalk_lab::run::pace;
use hookwalk_lab::topology::{Topology, mac};
use hookwalk_lab::transcript::{Block, Transcript, normalise};
use hookwalk_lang::frames::{Way, frame_line};
use hookwalk_lang::packet::{PacketSpec, Seen};
use hookwalk_lang::shell::Word;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap_file::DataLink;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What running a lab on the kernel gave.
pub(crate) struct Recording {
    /// What its commands printed.
    pub(crate) transcript: Transcript,
    /// `expect` lines that did not hold, as messages with their line number.
    pub(crate) failed: Vec<(u32, String)>,
}

/// Nothing moves any more when no frame and no socket has stirred for so long. The kernel hands a packet through a
/// whole chain of namespaces before `send` returns; this is for what it hands to another thread.
const QUIET: Duration = Duration::from_millis(6);
/// A packet's consequences end at the latest after this long: a loop on a switch would go on for ever.
const LONGEST: Duration = Duration::from_millis(1500);
/// A command that runs longer is killed.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Of util-linux: sets what a process is told when its parent dies.
const SETPRIV: &str = "/usr/bin/setpriv";
/// `conntrack -E` and `xtables-monitor` are given so long to subscribe.
const EVENTS_LIMIT: Duration = Duration::from_secs(2);
/// And at the end so long to print what was told last.
const LAST_EVENTS: Duration = Duration::from_millis(50);

/// Records a lab. The calling thread wanders through namespaces and ends up in one of the lab's.
///
/// # Errors
/// What the kernel or a tool refused while the network was built or a packet was sent.
pub(crate) fn record(lab: &Lab, stop: &Stop) -> io::Result<Recording> {
    let mut run = Run::start(lab, stop)?;
    for line in &lab.lines {
        if stop.asked() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        run.line(line).map_err(|e| io::Error::new(e.kind(), format!("line {}: {e}", line.number)))?;
    }
    run.finish()
}

/// What a command printed, on the way into the transcript.
enum Printed {
    Lines(Vec<String>),
    /// It still runs.
    Running(Box<Job>),
}

struct Printing {
    station: StationId,
    command: String,
    printed: Printed,
}

/// What a station's interfaces carried.
#[derive(Default)]
struct Station {
    /// Interface, way, packet, in order of time.
    frames: Vec<(u16, Way, Packet)>,
    received: Option<Packet>,
    sent: Option<Packet>,
}

struct Run<'a> {
    lab: &'a Lab,
    stop: &'a Stop,
    clock: Clock,
    topology: Topology,
    network: Network,
    sender: Sender,
    /// One a namespace, with what its device indexes mean.
    captures: Vec<(Capture, Vec<(usize, End)>)>,
    servers: Vec<Server>,
    background: Vec<Job>,
    stations: Vec<Station>,
    printed: Vec<Printing>,
    /// `expect` lines with the command that they are about.
    expected: Vec<(u32, usize, bool, String)>,
    failed: Vec<(u32, String)>,
}

impl<'a> Run<'a> {
    fn start(lab: &'a Lab, stop: &'a Stop) -> io::Result<Run<'a>> {
        let network = Network::build(lab)?;
        let mut captures = Vec::new();
        network.ether.enter()?;
        let sender = Sender::open()?;
        let mut wires = Vec::new();
        for (s, station) in lab.stations.iter().enumerate() {
            if network.hosts[s].is_none() {
                for i in 0..station.ifaces.len() {
                    let end = End { station: StationId(s as u16), iface: i as u16 };
                    wires.push((ifindex(&wire_device(end))?, end));
                }
            }
        }
        captures.push((Capture::start()?, wires));
        for (s, station) in lab.stations.iter().enumerate() {
            if let Some(host) = &network.hosts[s] {
                host.enter()?;
                let mut devices = Vec::new();
                for (i, iface) in station.ifaces.iter().enumerate() {
                    let end = End { station: StationId(s as u16), iface: i as u16 };
                    devices.push((ifindex(&iface.name)?, end));
                }
                captures.push((Capture::start()?, devices));
            }
        }
        let mut run = Run {
            lab,
            stop,
            clock: Clock::start()?,
            topology: Topology::new(lab),
            network,
            sender,
            captures,
            servers: Vec::new(),
            background: Vec::new(),
            stations: lab.stations.iter().map(|_| Station::default()).collect(),
            printed: Vec::new(),
            expected: Vec::new(),
            failed: Vec::new(),
        };
        // What the interfaces said when they came up is not the lab's.
        run.settle()?;
        run.stations.iter_mut().for_each(|s| *s = Station::default());
        Ok(run)
    }

    fn line(&mut self, line: &hookwalk_lab::file::Line) -> io::Result<()> {
        match &line.what {
            Statement::Command { station, prompt, words, stdin } => {
                let printed = self.command(*station, *prompt, words, stdin.as_deref())?;
                self.printed.push(Printing {
                    station: *station,
                    command: self.lab.source(line).to_string(),
                    printed,
                });
                Ok(())
            }
            Statement::Packet { station, packet, iface, together } => {
                let early = self.clock.begin()?;
                self.wait(early)?;
                let sent = self.packet(*station, packet, *iface)?;
                if *together {
                    return Ok(());
                }
                if sent {
                    self.settle()?;
                }
                // A packet line takes as long here as in the simulator.
                let time = pace(self.lab.stations[station.index()].kind, sent);
                self.pass(Duration::from_nanos(time.0))
            }
            Statement::Sleep(time) => {
                self.clock.begin()?;
                self.pass(Duration::from_nanos(time.0))
            }
            Statement::Say(_) | Statement::Ask(_) => Ok(()),
            Statement::Expect { not, line: text } => {
                if let Some(command) = self.printed.len().checked_sub(1) {
                    self.expected.push((line.number, command, *not, text.clone()));
                } else {
                    self.failed.push((line.number, "expect: no command stands above".into()));
                }
                Ok(())
            }
        }
    }

    fn command(
        &mut self,
        station: StationId,
        prompt: Prompt,
        words: &[Word],
        stdin: Option<&str>,
    ) -> io::Result<Printed> {
        let name = words.first().map_or("", |w| w.text.as_str());
        let args: Vec<&str> = words.iter().skip(1).map(|w| w.text.as_str()).collect();
        let source: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
        if name == "frames" {
            return Ok(Printed::Lines(self.frames(station, &args)));
        }
        if name == "tcpdump" {
            return self.tcpdump(station, &args);
        }
        let Some(host) = &self.network.hosts[station.index()] else {
            return Err(io::Error::other(format!("a wire cannot run {name}")));
        };
        host.enter()?;
        if name == "listen" && prompt == Prompt::User {
            return Ok(Printed::Lines(match listen(&args) {
                Ok(server) => {
                    self.servers.push(server);
                    Vec::new()
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    normalise(name, "", &format!("listen: {}: Address already in use", args[0]), 1)
                }
                Err(e) => return Err(e),
            }));
        }
        let watches = name == "xtables-monitor"
            || name == "nft" && args.contains(&"monitor")
            || name == "conntrack" && args.iter().any(|a| matches!(*a, "-E" | "--event"));
        // What never ends by itself must end with the recorder, even where that is killed and can do nothing.
        let with_us: &[&str] = match (watches || name == "nc") && Path::new(SETPRIV).is_file() {
            true => &[SETPRIV, "--pdeathsig", "KILL"],
            false => &[],
        };
        let mut job = Job::start(&[with_us, &source].concat(), stdin)?;
        if watches {
            let before = self.printed.iter().filter(|p| p.station == station);
            let before = before.filter(|p| matches!(p.printed, Printed::Running(_))).count();
            job.wait_until_it_listens(before, EVENTS_LIMIT)?;
            return Ok(Printed::Running(Box::new(job)));
        }
        if name == "nc" && args.iter().any(|a| a.starts_with('-') && a.contains('l')) {
            // A server: it works while the lab goes on. What it prints is the payload, which means nothing here.
            job.wait_until_it_is_bound(args.iter().find_map(|a| a.parse().ok()), EVENTS_LIMIT)?;
            if !job.is_over()? {
                self.background.push(job);
                return Ok(Printed::Lines(Vec::new()));
            }
        }
        let begun = Instant::now();
        while !job.is_over()? {
            self.serve(Duration::from_millis(1))?;
            if self.stop.asked() || begun.elapsed() > COMMAND_LIMIT {
                job.kill();
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let (stdout, stderr, exit) = job.output()?;
        if name == "ip" {
            know_neighbours(self.lab, station);
        }
        if prompt == Prompt::User {
            self.settle()?;
        }
        Ok(Printed::Lines(normalise(&source.join(" "), &stdout, &stderr, exit)))
    }

    /// The machine's `tcpdump`, on a capture of what the station's interface carried. It cannot tell hardware addresses,
    /// interfaces or times.
    fn tcpdump(&self, station: StationId, args: &[&str]) -> io::Result<Printed> {
        let ifaces = &self.lab.stations[station.index()].ifaces;
        let named = args.iter().position(|a| *a == "-i");
        let iface = match named.and_then(|at| args.get(at + 1)) {
            Some(name) => ifaces.iter().position(|i| i.name == *name).ok_or_else(|| {
                io::Error::other(format!("tcpdump -i {name}: a recording knows only the lab's interfaces"))
            })?,
            None => 0,
        };
        let mut file = PcapWriter::with_header(
            Vec::new(),
            PcapHeader { datalink: DataLink::RAW, ..PcapHeader::default() },
        )
        .map_err(io::Error::other)?;
        let frames = self.stations[station.index()].frames.iter();
        for (_, _, packet) in frames.filter(|(i, ..)| usize::from(*i) == iface) {
            let data = wire::encode(packet);
            let len = data.len() as u32;
            file.write_packet(&PcapPacket::new(Duration::ZERO, len, &data)).map_err(io::Error::other)?;
        }
        let rest: Vec<&str> = match named {
            Some(at) => [&args[..at], args.get(at + 2..).unwrap_or_default()].concat(),
            None => args.to_vec(),
        };
        // Options come before the file's words, the filter after them.
        let options = rest.iter().take_while(|a| a.starts_with('-')).count();
        let words = [&["tcpdump", "-r", "-"][..], &rest[..options], &rest[options..]].concat();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let bytes = file.into_writer();
        if let Some(mut stdin) = child.stdin.take() {
            io::Write::write_all(&mut stdin, &bytes)?;
        }
        let output = child.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let exit = output.status.code().unwrap_or(-1);
        Ok(Printed::Lines(normalise("tcpdump", &text(&output.stdout), &text(&output.stderr), exit)))
    }

    /// `frames [IF…]`
    fn frames(&mut self, station: StationId, names: &[&str]) -> Vec<String> {
        let ifaces = &self.lab.stations[station.index()].ifaces;
        let of = |index: usize| {
            let iface = &ifaces[index];
            self.stations[station.index()]
                .frames
                .iter()
                .filter(move |(i, _, _)| usize::from(*i) == index)
                .map(|(_, way, packet)| frame_line(&iface.name, *way, packet))
        };
        if names.is_empty() {
            (0..ifaces.len()).flat_map(of).collect()
        } else {
            names.iter().filter_map(|name| ifaces.iter().position(|i| i.name == *name)).flat_map(of).collect()
        }
    }

    /// Sends the packet of a line; false: there was none to send.
    fn packet(&mut self, id: StationId, spec: &PacketSpec, iface: u16) -> io::Result<bool> {
        let station = &self.stations[id.index()];
        let seen = Seen { received: station.received.as_ref(), sent: station.sent.as_ref() };
        let Some(packet) = spec.build(seen) else { return Ok(false) };
        let bytes = wire::encode(&packet);
        // What came since the last line came before this packet.
        self.serve(Duration::ZERO)?;
        self.stations[id.index()].sent = Some(packet.clone());
        match &self.network.hosts[id.index()] {
            Some(host) => {
                host.enter()?;
                send_raw(&packet, &bytes, spec.dev.as_ref().map(|w| w.text.as_str()))?;
            }
            None => {
                let end = End { station: id, iface };
                if let Some(dst) = self.topology.wire_frame(end, packet.family, packet.dst).mac()
                    && self.sender.send(&wire_device(end), dst, mac(end), &bytes)?
                {
                    self.stations[id.index()].frames.push((iface, Way::Out, packet));
                }
            }
        }
        Ok(true)
    }

    /// Serves until nothing stirs.
    fn settle(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while self.serve(QUIET)? && begun.elapsed() < LONGEST && !self.stop.asked() {}
        Ok(())
    }

    /// A line takes this long.
    fn pass(&mut self, time: Duration) -> io::Result<()> {
        self.clock.pass(time);
        let left = self.clock.left()?;
        self.wait(left)
    }

    /// Serves for this long, to the microsecond; `poll` counts in milliseconds.
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match left.checked_sub(Duration::from_millis(2)) {
                Some(most) => self.serve(most.clamp(Duration::from_millis(1), Duration::from_millis(50)))?,
                None => {
                    std::thread::sleep(left);
                    break;
                }
            };
            if self.stop.asked() {
                break;
            }
        }
        Ok(())
    }

    /// Waits for a frame or a socket, at most this long, and deals with what there is; `false`: nothing stirred.
    fn serve(&mut self, patience: Duration) -> io::Result<bool> {
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        let mut fds: Vec<PollFd<'_>> = self
            .captures
            .iter()
            .map(|(c, _)| c.as_fd())
            .chain(self.servers.iter().map(AsFd::as_fd))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut fds, timeout) {
            Ok(0) => return Ok(false),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
        self.servers.iter_mut().for_each(Server::serve);
        for (capture, devices) in &mut self.captures {
            while let Some(frame) = capture.next()? {
                let Some((_, end)) = devices.iter().find(|(i, _)| *i == frame.ifindex) else { continue };
                let Ok(mut packet) = wire::decode(&frame.packet) else { continue };
                // A local sender leaves the checksum to the device, which a virtual one never fills in.
                packet.bad_l4_checksum = false;
                let station = &mut self.stations[end.station.index()];
                let way = match frame.direction {
                    Direction::In => Way::In,
                    Direction::Out => Way::Out,
                };
                // A wire's own frames are known. What a capture shows of them, a host may have changed meanwhile:
                // it writes new headers into the same memory when it takes a datagram apart again.
                if way == Way::Out && self.network.hosts[end.station.index()].is_none() {
                    continue;
                }
                if way == Way::In {
                    station.received = Some(packet.clone());
                }
                station.frames.push((end.iface, way, packet));
            }
        }
        Ok(true)
    }

    fn finish(mut self) -> io::Result<Recording> {
        let mut blocks = Vec::new();
        for printing in self.printed {
            let lines = match printing.printed {
                Printed::Lines(lines) => lines,
                Printed::Running(job) => {
                    // What was told last may still be on its way to the tool.
                    std::thread::sleep(LAST_EVENTS);
                    let (stdout, _, _) = job.interrupt()?;
                    normalise(command_of(&printing.command), &stdout, "", 0)
                }
            };
            blocks.push(Block { command: printing.command, lines, ..Block::default() });
        }
        for (number, command, not, text) in self.expected {
            let block = &blocks[command];
            let there = block.lines.iter().any(|l| squeeze(l) == squeeze(&text));
            if there == not {
                let mut message = format!("expect {}{text}\n", if not { "! " } else { "" });
                message.push_str(&format!("  the kernel printed, for {}\n", block.command));
                block.lines.iter().for_each(|l| message.push_str(&format!("    {l}\n")));
                self.failed.push((number, message));
            }
        }
        blocks.retain(|b| !b.lines.is_empty());
        Ok(Recording { transcript: Transcript { blocks }, failed: self.failed })
    }
}

/// `NAME# COMMAND` without its `NAME# `.
fn command_of(source: &str) -> &str {
    source.split_once(['#', '$']).map_or(source, |(_, command)| command.trim_start())
}

/// Runs of blanks count as one.
fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn listen(args: &[&str]) -> io::Result<Server> {
    let bad = || io::Error::other("listen takes tcp/PORT [transparent] or udp/PORT [echo] [transparent]");
    let (args, transparent) = match args {
        [rest @ .., "transparent"] => (rest, true),
        all => (all, false),
    };
    let (what, echo) = match args {
        [what] => (what, false),
        [what, "echo"] => (what, true),
        _ => return Err(bad()),
    };
    let (protocol, port) = what.split_once('/').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    match (protocol, echo) {
        ("tcp", false) => Server::tcp(port, transparent),
        ("udp", _) => Server::udp(port, if echo { Datagrams::Echo } else { Datagrams::Swallow }, transparent),
        _ => Err(bad()),
    }
}

/// Sends through a raw socket that brings its own IP header. The stack may refuse (no route, a rule that drops): then
/// nothing is sent, and that is what the lab is about.
fn send_raw(packet: &Packet, bytes: &[u8], dev: Option<&str>) -> io::Result<()> {
    const IPPROTO_RAW: i32 = 255;
    let domain = match packet.family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(IPPROTO_RAW)))?;
    if let Some(dev) = dev {
        socket.bind_device(Some(dev.as_bytes()))?;
    }
    if packet.family == Family::V4 {
        socket.set_broadcast(true)?;
    }
    let to = SocketAddr::new(packet.dst.ip(packet.family), 0);
    let _ = socket.send_to(bytes, &to.into());
    Ok(())
}
