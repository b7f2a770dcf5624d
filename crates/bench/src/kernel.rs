//! The kernel's own rate: three network namespaces (client, router, server) joined by two veths, the same ruleset, the same
//! packets in the same order, sent through AF_PACKET sockets in batches from one thread on one processor. A veth's
//! packets are worked on by the processor that sent them, so the time is that of sending and forwarding together.

use hookwalk_bench::traffic::{self, Sent, Side};
use hookwalk_bench::workload::Workload;
use nix::sched::{CloneFlags, CpuSet, sched_setaffinity, setns, unshare};
use nix::sys::socket::{LinkAddr, MsgFlags, MultiHeaders, SockaddrLike, sendmmsg};
use nix::unistd::Pid;
use socket2::{Domain, Protocol, Socket, Type};
use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many packets go to the kernel in one call.
const BATCH: usize = 64;

/// What the kernel did in its best lap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Packets a second.
    pub(crate) per_second: f64,
    /// Packets that were sent in a lap.
    pub(crate) sent: u64,
    /// Frames that came out at the other ends.
    pub(crate) forwarded: u64,
}

/// A network namespace without a name, gone when nobody holds it any more.
struct Netns(File);

impl Netns {
    fn create() -> io::Result<Netns> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        Ok(Netns(File::open("/proc/thread-self/ns/net")?))
    }
    fn enter(&self) -> io::Result<()> {
        Ok(setns(&self.0, CloneFlags::CLONE_NEWNET)?)
    }
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }
}

/// One end that sends.
struct Sender {
    netns: Netns,
    socket: Socket,
    to: LinkAddr,
    device: &'static str,
}

impl Sender {
    /// Frames that its device received.
    fn received(&self) -> io::Result<u64> {
        self.netns.enter()?;
        let text = std::fs::read_to_string("/proc/thread-self/net/dev")?;
        let line = text.lines().find_map(|l| l.trim().strip_prefix(self.device)?.strip_prefix(':'));
        let packets = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok());
        packets.ok_or_else(|| io::Error::other("no counter in /proc/net/dev"))
    }
}

/// Measures a workload.
///
/// # Errors
/// Where namespaces cannot be made, or a tool is missing: one line that says so.
pub(crate) fn measure(workload: Workload, budget: Duration) -> io::Result<Rate> {
    // The namespaces belong to the thread that made them, and end with it.
    let thread = std::thread::spawn(move || measure_here(workload, budget));
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the measuring thread failed")))
}

fn measure_here(workload: Workload, budget: Duration) -> io::Result<Rate> {
    let router = Netns::create()?;
    let mut ends = Vec::new();
    for (side, device, near, addr) in
        [(Side::Client, "veth0", "eth0", "10.0.1.1/24"), (Side::Server, "veth1", "eth1", "10.0.2.1/24")]
    {
        let far = Netns::create()?;
        router.enter()?;
        run(
            "ip",
            &[
                "link",
                "add",
                near,
                "address",
                &mac(traffic::router_mac(side)),
                "type",
                "veth",
                "peer",
                "name",
                device,
                "address",
                &mac(traffic::sender_mac(side)),
                "netns",
                &far.path(),
            ],
            None,
        )?;
        run("ip", &["addr", "add", addr, "dev", near], None)?;
        run("ip", &["link", "set", near, "up"], None)?;
        ends.push((side, device, near, far));
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    let neighbours = [("10.0.1.2", Side::Client, "eth0"), ("10.0.2.2", Side::Server, "eth1")];
    for (addr, side, near) in neighbours {
        let lladdr = mac(traffic::sender_mac(side));
        run("ip", &["neigh", "replace", addr, "lladdr", &lladdr, "dev", near, "nud", "permanent"], None)?;
    }
    run("ip", &["route", "add", "10.244.0.0/16", "via", "10.0.2.2"], None)?;
    let ruleset = workload.ruleset();
    if !ruleset.is_empty() {
        run("iptables-restore", &[], Some(&ruleset))?;
    }
    let mut senders = Vec::new();
    for (_, device, _, netns) in ends {
        netns.enter()?;
        // A device without an address, and nobody who answers: what arrives is counted and dropped.
        run("ip", &["link", "set", device, "up"], None)?;
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        let to = link(device)?;
        senders.push(Sender { netns, socket, to, device });
    }
    let mut cpu = CpuSet::new();
    cpu.set(0)?;
    sched_setaffinity(Pid::from_raw(0), &cpu)?;
    let packets = workload.packets();
    let batches = batches(&packets);
    // A lap of established flows is short, so several make one measurement.
    let rounds = if workload.is_new() { 1 } else { 40_000_usize.div_ceil(packets.len()) };
    let lap = || -> io::Result<Rate> {
        if workload.is_new() && !ruleset.is_empty() {
            router.enter()?;
            run("conntrack", &["-F"], None)?;
        }
        let before = senders[0].received()? + senders[1].received()?;
        let start = Instant::now();
        for (side, frames) in std::iter::repeat_n(&batches, rounds).flatten() {
            send(&senders[*side as usize], frames)?;
        }
        let took = start.elapsed().as_secs_f64();
        let forwarded = senders[0].received()? + senders[1].received()? - before;
        let sent = (packets.len() * rounds) as u64;
        Ok(Rate { per_second: sent as f64 / took, sent, forwarded })
    };
    let began = Instant::now();
    // The first lap makes the entries of flows that are to be established, and fills caches.
    let mut best = lap()?;
    best.per_second = 0.0;
    for n in 0.. {
        let enough = if n < 3 { budget * 4 } else { budget };
        if n > 0 && began.elapsed() > enough {
            break;
        }
        let rate = lap()?;
        if rate.per_second > best.per_second {
            best = rate;
        }
    }
    Ok(best)
}

/// Frames of one side that follow each other, at most [`BATCH`] of them.
fn batches(packets: &[Sent]) -> Vec<(Side, Vec<Vec<u8>>)> {
    let mut batches: Vec<(Side, Vec<Vec<u8>>)> = Vec::new();
    for Sent { side, packet } in packets {
        let frame = traffic::frame(*side, packet);
        match batches.last_mut() {
            Some((s, frames)) if s == side && frames.len() < BATCH => frames.push(frame),
            _ => batches.push((*side, vec![frame])),
        }
    }
    batches
}

fn send(sender: &Sender, frames: &[Vec<u8>]) -> io::Result<()> {
    let slices: Vec<[IoSlice<'_>; 1]> = frames.iter().map(|f| [IoSlice::new(f)]).collect();
    let to = vec![Some(sender.to); frames.len()];
    let mut headers = MultiHeaders::<LinkAddr>::preallocate(frames.len(), None);
    let control: [nix::sys::socket::ControlMessage<'_>; 0] = [];
    let fd = sender.socket.as_raw_fd();
    let sent = sendmmsg(fd, &mut headers, &slices, to, control, MsgFlags::empty())?.count();
    if sent < frames.len() { send(sender, &frames[sent.max(1)..]) } else { Ok(()) }
}

fn link(device: &str) -> io::Result<LinkAddr> {
    let all = nix::ifaddrs::getifaddrs()?;
    let mut here = all.filter(|a| a.interface_name == device);
    let found = here.find_map(|a| a.address?.as_link_addr().copied());
    debug_assert!(found.is_none_or(|l| l.len() > 0));
    found.ok_or_else(|| io::Error::other(format!("{device} has no address")))
}

fn mac(bytes: [u8; 6]) -> String {
    bytes.map(|b| format!("{b:02x}")).join(":")
}

fn run(program: &str, args: &[&str], stdin: Option<&str>) -> io::Result<()> {
    let say = |what: &str| io::Error::other(format!("{program} {}: {what}", args.join(" ")));
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| say(&e.to_string()))?;
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
        // A tool that ends early says why itself.
        let _ = pipe.write_all(text.as_bytes());
    }
    let out = child.wait_with_output()?;
    if out.status.success() { Ok(()) } else { Err(say(String::from_utf8_lossy(&out.stderr).trim())) }
}
