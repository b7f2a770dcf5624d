//! The box's network: its addresses and routes as `ip` prints them, and the wires that make it reachable.

use super::{Note, Paste, note};
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use std::net::IpAddr;

/// A device of the box with its addresses.
struct Device {
    name: String,
    addrs: Vec<(Family, Addr, u8)>,
}

/// A route that the host's addresses do not make by themselves.
struct Route {
    /// As `ip route add` takes it.
    text: String,
    family: Family,
    /// Destination; `None`: default.
    dst: Option<AddrMask>,
    via: Option<Addr>,
    dev: Option<String>,
    /// In the main table, so that it says where packets go.
    main: bool,
}

/// A wire for one device: a station with an address of that network, and those that talks and gateways ask for.
struct Wire {
    name: String,
    device: String,
    addrs: Vec<(Family, Addr, u8)>,
}

/// All of it.
pub(super) struct Network {
    devices: Vec<Device>,
    routes: Vec<Route>,
    wires: Vec<Wire>,
}

fn address(text: &str) -> Option<(Family, Addr)> {
    let ip: IpAddr = text.parse().ok()?;
    Some((if ip.is_ipv4() { Family::V4 } else { Family::V6 }, ip.into()))
}

fn network(text: &str) -> Option<(Family, Addr, u8)> {
    let (addr, len) = text.split_once('/').unwrap_or((text, ""));
    let (family, addr) = address(addr)?;
    let len = if len.is_empty() { family.bits() } else { len.parse().ok()? };
    (len <= family.bits()).then_some((family, addr, len))
}

fn print(family: Family, addr: Addr, len: u8) -> String {
    format!("{}/{len}", addr.ip(family))
}

impl Network {
    /// Reads `ip addr` and `ip route`; lines that say nothing about addresses or routes are passed over.
    pub(super) fn read(addr: &str, route: &str, notes: &mut Vec<Note>) -> Network {
        let mut devices: Vec<Device> = Vec::new();
        for (i, line) in addr.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                // `2: eth0@if5: <BROADCAST,…`
                [index, name, ..]
                    if index.ends_with(':') && index[..index.len() - 1].parse::<u32>().is_ok() =>
                {
                    let name = name.trim_end_matches(':').split('@').next().unwrap_or(name);
                    devices.push(Device { name: name.into(), addrs: Vec::new() });
                }
                ["inet" | "inet6", net, ..] => {
                    let Some((family, addr, len)) = network(net) else {
                        notes.push(note(
                            Paste::Addr,
                            i as u32 + 1,
                            format!("{net} is not an address with a prefix length"),
                        ));
                        continue;
                    };
                    let link_local = family == Family::V6 && addr.0[0] >> 22 == 0xfe80_0000 >> 22;
                    if let Some(device) = devices.last_mut().filter(|_| !link_local) {
                        device.addrs.push((family, addr, len));
                    }
                }
                // `ip -br addr`: `eth0  UP  10.0.0.1/24 fe80::…/64`
                [name, "UP" | "DOWN" | "UNKNOWN", ref nets @ ..] => {
                    let name = name.split('@').next().unwrap_or(name);
                    let addrs = nets
                        .iter()
                        .filter_map(|n| network(n))
                        .filter(|(f, a, _)| *f == Family::V4 || a.0[0] >> 22 != 0xfe80_0000 >> 22);
                    devices.push(Device { name: name.into(), addrs: addrs.collect() });
                }
                _ => {}
            }
        }
        devices.retain(|d| d.name != "lo" && !d.addrs.is_empty());
        let mut found = Network { devices, routes: Vec::new(), wires: Vec::new() };
        for (i, line) in route.lines().enumerate() {
            found.read_route(line, i as u32 + 1, notes);
        }
        found
    }

    fn read_route(&mut self, line: &str, number: u32, notes: &mut Vec<Note>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(&first) = words.first() else { return };
        if matches!(first, "local" | "broadcast" | "multicast" | "anycast") {
            return;
        }
        let after =
            |word: &str| words.iter().position(|w| *w == word).and_then(|i| words.get(i + 1)).copied();
        // What the kernel makes by itself for the addresses comes with them.
        if after("proto") == Some("kernel") || after("table") == Some("local") {
            return;
        }
        let kind = matches!(first, "unreachable" | "blackhole" | "prohibit" | "throw");
        let Some(&dst) = words.get(usize::from(kind)) else { return };
        let via = after("via").and_then(address);
        let net = network(dst);
        let family = net.map(|n| n.0).or(via.map(|v| v.0)).unwrap_or(Family::V4);
        if net.is_none() && dst != "default" {
            notes.push(note(Paste::Route, number, format!("{dst} is not a destination")));
            return;
        }
        let dev = after("dev").map(str::to_string);
        if dev.as_ref().is_some_and(|d| self.devices.iter().all(|x| x.name != *d) && *d != "lo") {
            let name = dev.unwrap_or_default();
            notes.push(note(
                Paste::Route,
                number,
                format!("{name} has no address in `ip addr`; its route is left out"),
            ));
            return;
        }
        // Words that only a listing has.
        let mut kept: Vec<&str> = Vec::new();
        let mut skip = false;
        for word in &words {
            match *word {
                _ if skip => skip = false,
                "proto" | "pref" | "expires" => skip = true,
                "linkdown" | "dead" => {}
                word => kept.push(word),
            }
        }
        let minus6 = if family == Family::V6 { "-6 " } else { "" };
        self.routes.push(Route {
            text: format!("ip {minus6}route add {}", kept.join(" ")),
            family,
            dst: net.map(|(f, a, l)| AddrMask::prefix(f, a, l)),
            via: via.map(|v| v.1),
            dev,
            main: after("table").is_none_or(|t| t == "main") && !kind,
        });
    }

    pub(super) fn has_host_address(&self) -> bool {
        !self.devices.is_empty()
    }

    pub(super) fn device_names(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().map(|d| d.name.as_str())
    }

    /// Is it an address of the box?
    pub(super) fn is_own(&self, family: Family, addr: Addr) -> bool {
        self.devices.iter().any(|d| d.addrs.iter().any(|a| (a.0, a.1) == (family, addr)))
    }

    /// The device behind which an address lies: its network, else the longest route, else the first device.
    fn device_of(&self, family: Family, addr: Addr) -> Option<&str> {
        let on_link = |d: &&Device| {
            d.addrs.iter().any(|&(f, a, l)| f == family && AddrMask::prefix(f, a, l).contains(addr))
        };
        if let Some(d) = self.devices.iter().find(on_link) {
            return Some(&d.name);
        }
        let routed = self
            .routes
            .iter()
            .filter(|r| r.main && r.family == family && r.dst.is_none_or(|d| d.contains(addr)))
            .max_by_key(|r| r.dst.and_then(|d| d.prefix_len(family)).unwrap_or(0))?;
        match (&routed.dev, routed.via) {
            (Some(dev), _) => Some(dev),
            (None, Some(via)) if via != addr => self.device_of(family, via),
            _ => None,
        }
    }

    /// A wire behind each device, with the gateways' addresses, and with those of talkers that are on link.
    pub(super) fn lay_wires(&mut self, talkers: impl Iterator<Item = (Family, Addr)>) {
        for i in 0..self.devices.len() {
            let device = &self.devices[i];
            let mut addrs = Vec::new();
            for &(family, own, len) in &device.addrs {
                let net = AddrMask::prefix(family, own, len);
                let gateways = self.routes.iter().filter(|r| r.family == family).filter_map(|r| r.via);
                for via in gateways.filter(|v| net.contains(*v)) {
                    if !addrs.contains(&(family, via, len)) {
                        addrs.push((family, via, len));
                    }
                }
                if !addrs.iter().any(|a| a.0 == family && net.contains(a.1)) {
                    // The first address of the network that is not the box's.
                    let last = if family == Family::V4 { 0 } else { 3 };
                    let candidate = (1..255u32).map(|n| {
                        let mut words = net.addr.0;
                        words[last] = words[last].wrapping_add(n);
                        Addr(words)
                    });
                    if let Some(free) =
                        candidate.clone().find(|c| net.contains(*c) && !self.is_own(family, *c))
                    {
                        addrs.push((family, free, len));
                    }
                }
            }
            let (name, device) = (wire_name(&device.name, i), device.name.clone());
            self.wires.push(Wire { name, device, addrs });
        }
        for (family, from) in talkers {
            if self.is_own(family, from) {
                continue;
            }
            let Some(device) = self.device_of(family, from).map(str::to_string) else { continue };
            let net = self.devices.iter().find(|d| d.name == device).and_then(|d| {
                d.addrs.iter().find(|&&(f, a, l)| f == family && AddrMask::prefix(f, a, l).contains(from))
            });
            let Some(&(_, _, len)) = net else { continue };
            if let Some(wire) = self.wires.iter_mut().find(|w| w.device == device)
                && !wire.addrs.iter().any(|a| (a.0, a.1) == (family, from))
            {
                wire.addrs.push((family, from, len));
            }
        }
    }

    /// The wire that a packet from this address comes from.
    pub(super) fn wire_of(&self, family: Family, addr: Addr) -> Option<&str> {
        let device = self.device_of(family, addr).or(self.devices.first().map(|d| d.name.as_str()))?;
        self.wires.iter().find(|w| w.device == device).map(|w| w.name.as_str())
    }

    /// `host`, `wire` and `link` lines.
    pub(super) fn declare(&self, lab: &mut String) {
        lab.push_str("host box");
        for device in &self.devices {
            let addrs: Vec<String> = device.addrs.iter().map(|&(f, a, l)| print(f, a, l)).collect();
            lab.push_str(&format!(" {}={}", device.name, addrs.join(",")));
        }
        lab.push('\n');
        for (wire, device) in self.wires.iter().zip(&self.devices) {
            let addrs: Vec<String> = wire.addrs.iter().map(|&(f, a, l)| print(f, a, l)).collect();
            let mut gateways: Vec<String> = Vec::new();
            for family in [Family::V4, Family::V6] {
                if let Some(own) = device.addrs.iter().find(|a| a.0 == family) {
                    gateways.push(own.1.ip(family).to_string());
                }
            }
            lab.push_str(&format!("wire {} eth0={} gw={}\n", wire.name, addrs.join(","), gateways.join(",")));
        }
        for wire in &self.wires {
            lab.push_str(&format!("link {}:eth0 box:{}\n", wire.name, wire.device));
        }
    }

    /// Routes beyond those of the addresses.
    pub(super) fn routes(&self, lab: &mut String) {
        for route in &self.routes {
            lab.push_str(&format!("box# {}\n", route.text));
        }
    }
}

/// A station's name from a device's: letters, digits and `_`.
fn wire_name(device: &str, index: usize) -> String {
    let plain: String = device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("net{index}_{plain}")
}
