//! A lab's network out of namespaces: one for each host; one for all wires and switches, where only our own sockets
//! look at what arrives.

use super::netns::Netns;
use hookwalk_engine::addr::Family;
use hookwalk_lab::Lab;
use hookwalk_lab::file::{End, StationId, StationKind};
use hookwalk_lab::topology::mac;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The namespaces of a lab.
pub(crate) struct Network {
    /// By station; wires have none.
    pub(crate) hosts: Vec<Option<Netns>>,
    /// Holds every wire's interfaces and the switches.
    pub(crate) ether: Netns,
}

fn mac_text(mac: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// What a wire's interface is called in the common namespace, where two wires may both have an `eth0`.
pub(crate) fn wire_device(end: End) -> String {
    format!("w{}i{}", end.station.0, end.iface)
}

impl Network {
    /// Builds everything. The calling thread ends up in one of the namespaces.
    pub(crate) fn build(lab: &Lab) -> io::Result<Network> {
        let ether = Netns::create()?;
        // A wire has no stack: nothing but its lab's frames must leave it.
        sysctl("net/ipv6/conf/all/disable_ipv6", "1");
        sysctl("net/ipv6/conf/default/disable_ipv6", "1");
        sysctl("net/ipv4/ip_forward", "0");
        let mut hosts = Vec::with_capacity(lab.stations.len());
        for station in &lab.stations {
            hosts.push(match station.kind {
                StationKind::Wire => None,
                StationKind::Host => {
                    let netns = Netns::create()?;
                    defaults();
                    Some(netns)
                }
            });
        }
        let network = Network { hosts, ether };
        network.plug(lab)?;
        for (i, _) in lab.stations.iter().enumerate() {
            if let Some(host) = &network.hosts[i] {
                host.enter()?;
                // Reports of multicast groups would pass OUTPUT and count there; a policy stops them before.
                let _ = ip(&["-6"], "xfrm policy add src ::/0 dst ff02::16/128 dir out action block\n");
                ip(&[], &host_setup(lab, StationId(i as u16)))?;
            }
        }
        for netns in network.hosts.iter().flatten().chain([&network.ether]) {
            netns.enter()?;
            wait_for_carrier()?;
        }
        Ok(network)
    }

    /// Makes the cables and switches, from the common namespace.
    fn plug(&self, lab: &Lab) -> io::Result<()> {
        let mut batch = String::new();
        let mut bridge_batch = String::new();
        let mut plugged = Vec::new();
        for (number, link) in lab.links.iter().enumerate() {
            plugged.extend_from_slice(&link.ends);
            if let [a, b] = link.ends[..] {
                self.cable(lab, &mut batch, a, b);
                continue;
            }
            let bridge = format!("sw{number}");
            let _ = writeln!(
                batch,
                "link add {bridge} type bridge stp_state 0 mcast_snooping 0 forward_delay 0\nlink set {bridge} up"
            );
            for (port, &end) in link.ends.iter().enumerate() {
                let name = format!("sw{number}p{port}");
                let _ = writeln!(batch, "link add {name} type veth peer {}", self.end(lab, end));
                if self.hosts[end.station.index()].is_none() {
                    let _ = writeln!(batch, "link set {} up", wire_device(end));
                }
                let _ = writeln!(batch, "link set {name} master {bridge} up");
                let station = mac_text(mac(end));
                let _ = writeln!(bridge_batch, "fdb replace {station} dev {name} master static");
            }
        }
        // An interface without a cable hears nobody, yet is up.
        for (s, station) in lab.stations.iter().enumerate() {
            for i in 0..station.ifaces.len() {
                let end = End { station: StationId(s as u16), iface: i as u16 };
                if !plugged.contains(&end) {
                    let open = format!("open{s}i{i}");
                    let _ = writeln!(batch, "link add {open} type veth peer {}", self.end(lab, end));
                    let _ = writeln!(batch, "link set {open} up");
                }
            }
        }
        self.ether.enter()?;
        ip(&[], &batch)?;
        if !bridge_batch.is_empty() {
            run("bridge", &["-batch", "-"], &bridge_batch)?;
        }
        Ok(())
    }

    fn cable(&self, lab: &Lab, batch: &mut String, a: End, b: End) {
        let _ = writeln!(batch, "link add {} type veth peer {}", self.end(lab, a), self.end(lab, b));
        for end in [a, b] {
            if self.hosts[end.station.index()].is_none() {
                let _ = writeln!(batch, "link set {} up", wire_device(end));
            }
        }
    }

    /// `name NAME address MAC [netns PATH]`
    fn end(&self, lab: &Lab, end: End) -> String {
        let index = usize::from(end.iface);
        let address = mac_text(mac(end));
        match &self.hosts[end.station.index()] {
            Some(netns) => {
                let name = &lab.stations[end.station.index()].ifaces[index].name;
                format!("name {name} address {address} gso_max_segs 1 netns {}", netns.path())
            }
            None => format!("name {} address {address}", wire_device(end)),
        }
    }
}

/// Addresses, routes and neighbours of a host, as lines for `ip -batch`.
fn host_setup(lab: &Lab, id: StationId) -> String {
    let station = &lab.stations[id.index()];
    let mut batch = String::from("link set lo up\n");
    for iface in &station.ifaces {
        let _ = writeln!(batch, "link set {} up", iface.name);
        for &(family, addr, len) in &iface.addrs {
            let nodad = if family == Family::V6 { " nodad" } else { "" };
            let _ = writeln!(batch, "addr replace {}/{len} dev {}{nodad}", addr.ip(family), iface.name);
        }
    }
    for &(family, gateway) in &station.gateways {
        let _ = writeln!(batch, "route replace default via {}", gateway.ip(family));
    }
    batch.push_str(&neighbours(lab, id));
    batch
}

/// Makes a host's neighbours known again: they go when a device goes down, or loses its last address. To be called in
/// the host's namespace.
pub(crate) fn know_neighbours(lab: &Lab, id: StationId) {
    let batch = neighbours(lab, id);
    if !batch.is_empty() {
        // A device that is down takes none.
        let _ = ip(&["-force"], &batch);
    }
}

/// A host's neighbours, as lines for `ip -batch`.
fn neighbours(lab: &Lab, id: StationId) -> String {
    let station = &lab.stations[id.index()];
    let mut batch = String::new();
    for link in &lab.links {
        for own in link.ends.iter().filter(|e| e.station == id) {
            let dev = &station.ifaces[usize::from(own.iface)].name;
            for other in link.ends.iter().filter(|e| *e != own) {
                let lladdr = mac_text(mac(*other));
                for &(family, addr, _) in
                    &lab.stations[other.station.index()].ifaces[usize::from(other.iface)].addrs
                {
                    let addr = addr.ip(family);
                    let _ = writeln!(batch, "neigh replace {addr} lladdr {lladdr} dev {dev} nud permanent");
                }
            }
        }
    }
    batch
}

/// The settings of a freshly made namespace. IPv4's are copied from the namespace of process 1, whose
/// distribution may have changed them; IPv6 is kept from talking of its own accord.
fn defaults() {
    for conf in ["all", "default", "lo"] {
        for (name, value) in [
            ("forwarding", "0"),
            ("rp_filter", "0"),
            ("accept_redirects", "1"),
            ("secure_redirects", "1"),
            ("send_redirects", "1"),
            ("shared_media", "1"),
            ("log_martians", "0"),
            ("route_localnet", "0"),
            ("accept_local", "0"),
            ("src_valid_mark", "0"),
            ("arp_ignore", "0"),
            ("arp_announce", "0"),
            ("arp_filter", "0"),
        ] {
            sysctl(&format!("net/ipv4/conf/{conf}/{name}"), value);
        }
        for (name, value) in [
            ("accept_dad", "0"),
            ("dad_transmits", "0"),
            ("addr_gen_mode", "1"),
            ("autoconf", "0"),
            ("accept_ra", "0"),
            ("router_solicitations", "0"),
        ] {
            // Set for all, this one gives lo a route that no fresh one has; devices to come copy the default.
            if name != "addr_gen_mode" || conf == "default" {
                sysctl(&format!("net/ipv6/conf/{conf}/{name}"), value);
            }
        }
    }
}

/// Writes a setting of the calling thread's namespace where it differs. A kernel without it is none the worse.
fn sysctl(name: &str, value: &str) {
    let path = format!("/proc/sys/{name}");
    if std::fs::read_to_string(&path).is_ok_and(|now| now.trim() != value) {
        let _ = std::fs::write(&path, value);
    }
}

/// The kernel notices late, when it is busy, that a cable's other end came up; until then it drops what is sent.
fn wait_for_carrier() -> io::Result<()> {
    let begun = Instant::now();
    loop {
        let links = Command::new("ip").args(["-o", "link", "show", "up"]).output()?;
        let links = String::from_utf8_lossy(&links.stdout).into_owned();
        let dead = |line: &str| {
            ["state DOWN", "state LOWERLAYERDOWN", "qdisc noop "].iter().any(|s| line.contains(s))
        };
        if !links.lines().any(dead) || begun.elapsed() > Duration::from_secs(2) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ip(options: &[&str], batch: &str) -> io::Result<()> {
    let mut args = options.to_vec();
    args.extend_from_slice(&["-batch", "-"]);
    run("ip", &args, batch)
}

/// Runs a tool on these lines of input; its complaint becomes the error.
fn run(tool: &str, args: &[&str], input: &str) -> io::Result<()> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| io::Error::new(e.kind(), format!("{tool}: {e}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{tool}: {}", said.trim())))
}
