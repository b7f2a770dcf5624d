//! `ip link`.

use super::Options;
use super::args::{Args, Run, device, fail, find_device, is_prefix, refuse, wrong};
use super::json::Json;
use crate::names::{mac, parse_mac, parse_number};
use crate::output::Output;
use hookwalk_engine::Host;
use hookwalk_engine::device::{DevId, Device};
use hookwalk_engine::event::NoObserver;

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let Some(word) = args.peek() else { return show(host, args, options) };
    let text = word.text.as_str();
    if is_prefix(text, "set") || is_prefix(text, "change") {
        args.next("")?;
        return set(host, args);
    }
    if is_prefix(text, "show") || is_prefix(text, "list") || is_prefix(text, "lst") {
        args.next("")?;
        return show(host, args, options);
    }
    for command in ["add", "replace", "delete", "xstats", "afstats", "property", "help"] {
        if is_prefix(text, command) {
            return Err(refuse(word, &format!("ip link {command}")));
        }
    }
    Err(fail(255, format!("Command \"{text}\" is unknown, try \"ip link help\".")))
}

/// `LOOPBACK,UP,LOWER_UP`.
pub(super) fn flags(device: &Device) -> Vec<&'static str> {
    let mut flags = match device.id {
        DevId::LO => vec!["LOOPBACK"],
        _ => vec!["BROADCAST", "MULTICAST"],
    };
    if device.up {
        flags.extend(["UP", "LOWER_UP"]);
    }
    flags
}

/// `state UP`: the loopback device does not know its own.
pub(super) fn state(device: &Device) -> &'static str {
    match (device.id, device.up) {
        (_, false) => "DOWN",
        (DevId::LO, true) => "UNKNOWN",
        (_, true) => "UP",
    }
}

/// `2: eth0: <…> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000`.
pub(super) fn head(device: &Device, mode: &str) -> String {
    format!(
        "{}: {}: <{}> mtu {} qdisc noqueue state {}{mode} group default qlen 1000",
        device.id.0,
        device.name,
        flags(device).join(","),
        device.mtu,
        state(device)
    )
}

/// `    link/ether 02:… brd ff:…`.
pub(super) fn hardware(device: &Device) -> String {
    let (kind, broadcast) = match device.id {
        DevId::LO => ("loopback", [0; 6]),
        _ => ("ether", [0xff; 6]),
    };
    format!("    link/{kind} {} brd {}", mac(device.mac), mac(broadcast))
}

/// How much JSON says of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything: `ip link`.
    Link,
    /// `ip addr`.
    Address,
    /// `ip -4 addr`: without the hardware.
    NoHardware,
    /// `ip -6 addr`: without queue and group, too.
    Ipv6,
}

/// What JSON says of a device.
pub(super) fn json(device: &Device, detail: Detail) -> Json {
    let (kind, broadcast) = match device.id {
        DevId::LO => ("loopback", [0; 6]),
        _ => ("ether", [0xff; 6]),
    };
    let mut out = Json::object();
    out.number("ifindex", u64::from(device.id.0));
    out.text("ifname", &device.name);
    out.list("flags", &flags(device));
    out.number("mtu", u64::from(device.mtu));
    if detail != Detail::Ipv6 {
        out.text("qdisc", "noqueue");
    }
    out.text("operstate", state(device));
    if detail == Detail::Link {
        out.text("linkmode", "DEFAULT");
    }
    if detail != Detail::Ipv6 {
        out.text("group", "default");
    }
    out.number("txqlen", 1000);
    if matches!(detail, Detail::Link | Detail::Address) {
        out.text("link_type", kind);
        out.text("address", &mac(device.mac));
        out.text("broadcast", &mac(broadcast));
    }
    out
}

fn show(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let mut only = None;
    let mut up = false;
    while let Some(word) = args.peek() {
        args.next("")?;
        match word.text.as_str() {
            "up" => up = true,
            "dev" => only = Some(args.next("device")?),
            "type" | "group" | "master" | "vrf" | "nomaster" => {
                return Err(refuse(word, &format!("ip link show {}", word.text)));
            }
            _ => only = Some(word),
        }
    }
    let only = match only {
        None => None,
        Some(word) => Some(
            find_device(host, word)
                .ok_or_else(|| fail(1, format!("Device \"{}\" does not exist.", word.text)))?,
        ),
    };
    let mut out = Output::default();
    let mut objects = Vec::new();
    for device in &host.net.devices {
        if only.is_some_and(|id| id != device.id) || (up && !device.up) {
            continue;
        }
        if options.json {
            objects.push(json(device, Detail::Link));
        } else if options.brief {
            out.line(&format!(
                "{:<16} {:<14} {} <{}> ",
                device.name,
                state(device),
                mac(device.mac),
                flags(device).join(",")
            ));
        } else {
            let newline = if options.oneline { "\\" } else { "\n" };
            out.line(&format!("{}{newline}{}", head(device, " mode DEFAULT"), hardware(device)));
        }
    }
    if options.json {
        out.line(&Json::array(objects));
    }
    Ok(out)
}

fn set(host: &mut Host, args: &mut Args<'_>) -> Run<Output> {
    let mut dev = None;
    let mut changes = Vec::new();
    while let Some(word) = args.peek() {
        args.next("")?;
        match word.text.as_str() {
            "up" => changes.push(Change::Up(true)),
            "down" => changes.push(Change::Up(false)),
            "mtu" => {
                let value = args.next("mtu")?;
                let mtu = parse_number(&value.text).and_then(|n| u32::try_from(n).ok());
                changes.push(Change::Mtu(mtu.ok_or_else(|| wrong(value, "Invalid \"mtu\" value"))?));
            }
            "address" => {
                let value = args.next("address")?;
                let parsed = parse_mac(&value.text);
                let bad = || fail(1, format!("\"{}\" is invalid lladdr.", value.text));
                changes.push(Change::Mac(parsed.ok_or_else(bad)?));
            }
            "name" | "arp" | "multicast" | "allmulticast" | "promisc" | "trailers" | "txqueuelen"
            | "txqlen" | "qlen" | "broadcast" | "brd" | "netns" | "alias" | "vf" | "master" | "nomaster"
            | "group" | "type" | "carrier" | "state" | "mode" | "addrgenmode" | "numtxqueues" | "xdp" => {
                return Err(refuse(word, &format!("ip link set {}", word.text)));
            }
            "dev" if dev.is_none() => dev = Some(device(host, args.next("device")?)?),
            other => {
                if dev.is_some() {
                    let message = format!("Error: either \"dev\" is duplicate, or \"{other}\" is a garbage.");
                    return Err(fail(255, message));
                }
                dev = Some(device(host, word)?);
            }
        }
    }
    let Some(dev) = dev else {
        return Err(fail(255, "Not enough information: \"dev\" argument is required."));
    };
    for change in changes {
        match change {
            Change::Up(up) => host.set_up(dev, up, &mut NoObserver),
            Change::Mtu(mtu) => {
                // The limits of an Ethernet device (`dev_validate_mtu`).
                if mtu < 68 {
                    return Err(fail(2, "Error: mtu less than device minimum."));
                }
                if mtu > 65535 && dev != DevId::LO {
                    return Err(fail(2, "Error: mtu greater than device maximum."));
                }
                if let Some(device) = host.net.device_mut(dev) {
                    device.mtu = mtu;
                }
            }
            Change::Mac(mac) => {
                if let Some(device) = host.net.device_mut(dev) {
                    device.mac = mac;
                }
            }
        }
    }
    host.refresh();
    Ok(Output::default())
}

enum Change {
    Up(bool),
    Mtu(u32),
    Mac([u8; 6]),
}
