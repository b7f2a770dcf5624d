//! `ip address`.

use super::args::{Args, Prefix, Run, address, device, fail, find_device, is_prefix, kernel, prefix, refuse};
use super::args::{scope_name, scope_number, wrong};
use super::json::Json;
use super::{Options, link};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::device::{DevId, Device, IfAddr};
use hookwalk_engine::event::NoObserver;
use std::fmt::Write as _;

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let Some(word) = args.peek() else { return show(host, args, options) };
    let text = word.text.as_str();
    let command = ["add", "change", "chg", "replace", "delete", "show", "lst", "list", "flush"]
        .into_iter()
        .find(|c| is_prefix(text, c));
    let Some(command) = command else {
        for other in ["save", "showdump", "restore", "help"] {
            if is_prefix(text, other) {
                return Err(refuse(word, &format!("ip address {other}")));
            }
        }
        return Err(fail(255, format!("Command \"{text}\" is unknown, try \"ip address help\".")));
    };
    args.next("")?;
    match command {
        "add" => change(host, args, options, Change::Add),
        "change" | "chg" => change(host, args, options, Change::Replace),
        "replace" => change(host, args, options, Change::Replace),
        "delete" => change(host, args, options, Change::Delete),
        "flush" => flush(host, args, options),
        _ => show(host, args, options),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Replace,
    Delete,
}

/// `brd`: an address, or `+` for the subnet's last one, or `-` for none.
enum Broadcast {
    Address(Addr),
    Last,
    None,
}

fn change(host: &mut Host, args: &mut Args<'_>, options: Options, change: Change) -> Run<Output> {
    let mut local: Option<Prefix> = None;
    let mut dev: Option<&Word> = None;
    let mut broadcast = Broadcast::None;
    let mut scope = None;
    while let Some(word) = args.peek() {
        args.next("")?;
        match word.text.as_str() {
            "dev" => dev = Some(args.next("device")?),
            "brd" | "broadcast" => {
                let value = args.next("broadcast")?;
                broadcast = match value.text.as_str() {
                    "+" => Broadcast::Last,
                    "-" => Broadcast::None,
                    _ => Broadcast::Address(address(value, options.family)?.1),
                };
            }
            "scope" => {
                let value = args.next("scope")?;
                scope = Some(scope_number(&value.text).ok_or_else(|| wrong(value, "invalid scope value."))?);
            }
            // Duplicates are not looked for, and addresses last for ever here.
            "nodad" => {}
            "valid_lft" | "preferred_lft" => {
                let value = args.next("lifetime")?;
                if value.text != "forever" {
                    return Err(refuse(value, &format!("{} {}", word.text, value.text)));
                }
            }
            "peer" | "remote" | "label" | "anycast" | "metric" | "priority" | "preference" | "home"
            | "mngtmpaddr" | "noprefixroute" | "autojoin" | "optimistic" | "proto" => {
                return Err(refuse(word, &format!("ip address … {}", word.text)));
            }
            other => {
                let value = if other == "local" { args.next("address")? } else { word };
                if local.is_some() {
                    let message =
                        format!("Error: either \"local\" is duplicate, or \"{other}\" is a garbage.");
                    return Err(fail(255, message));
                }
                local = Some(prefix(value, options.family)?);
            }
        }
    }
    let Some(dev) = dev else {
        return Err(fail(1, "Not enough information: \"dev\" argument is required."));
    };
    let dev = device(host, dev)?;
    let Some(local) = local else { return Ok(Output::default()) };
    match change {
        Change::Delete => delete(host, dev, local),
        Change::Add | Change::Replace => add(host, dev, local, broadcast, scope, change),
    }
}

fn has(device: &Device, p: Prefix, len: u8) -> bool {
    device.addrs.iter().any(|a| a.family == p.family && a.addr == p.addr && a.len == len)
}

fn add(
    host: &mut Host,
    dev: DevId,
    local: Prefix,
    broadcast: Broadcast,
    scope: Option<u8>,
    change: Change,
) -> Run<Output> {
    let (family, addr, len) = (local.family, local.addr, local.len);
    let there = host.net.device(dev).is_some_and(|d| has(d, local, len));
    // IPv6 has an address but once on a device, whatever its length.
    let twice = family == Family::V6
        && host.net.device(dev).is_some_and(|d| d.addrs.iter().any(|a| a.family == family && a.addr == addr));
    if (there || twice) && change == Change::Add {
        return Err(kernel(match family {
            Family::V4 => "ipv4: Address already assigned.",
            Family::V6 => "ipv6: address already assigned.",
        }));
    }
    if addr.is_multicast(family) {
        return Err(match family {
            Family::V4 => kernel("ipv4: Multicast addresses are not simulated."),
            Family::V6 => kernel("ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag."),
        });
    }
    if family == Family::V6 && host.net.sysctl.dev(dev).disable_ipv6 {
        return Err(kernel("ipv6: IPv6 is disabled on this device."));
    }
    host.add_addr(dev, family, addr, len);
    if let Some(device) = host.net.device_mut(dev)
        && let Some(entry) =
            device.addrs.iter_mut().find(|a| a.family == family && a.addr == addr && a.len == len)
    {
        entry.broadcast = match broadcast {
            Broadcast::Address(addr) => Some(addr),
            Broadcast::Last if family == Family::V4 && len < 31 => {
                Some(addr.or(Addr::prefix_mask(family, len).not(family)))
            }
            _ => None,
        };
        if let Some(scope) = scope.filter(|_| family == Family::V4) {
            entry.scope = scope;
        }
    }
    host.refresh();
    Ok(Output::default())
}

fn delete(host: &mut Host, dev: DevId, local: Prefix) -> Run<Output> {
    let mut out = Output::default();
    let mut len = local.len;
    if !local.explicit && local.family == Family::V4 {
        // Without a length the tool means any, and says so.
        let wildcard = host.net.device(dev).and_then(|d| {
            d.addrs.iter().find(|a| a.family == local.family && a.addr == local.addr).map(|a| a.len)
        });
        out.stderr = format!(
            "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
             Explicitly specify the prefix length ({0}/32) to avoid this warning.\n         \
             This special behaviour is likely to disappear in further releases,\n         \
             fix your scripts!\n",
            local.addr.ip(local.family)
        );
        len = wildcard.unwrap_or(len);
    }
    if !host.del_addr(dev, local.family, local.addr, len, &mut NoObserver) {
        let message = match local.family {
            Family::V4 => "Error: ipv4: Address not found.\n",
            Family::V6 => "Error: ipv6: address not found.\n",
        };
        out.stderr.push_str(message);
        out.exit = 2;
    }
    host.refresh();
    Ok(out)
}

/// Which addresses are meant.
#[derive(Default)]
struct Filter {
    dev: Option<DevId>,
    family: Option<Family>,
    scope: Option<u8>,
    to: Option<Prefix>,
    secondary: Option<bool>,
    up: bool,
    /// Is anything but the device asked for?
    narrow: bool,
}

impl Filter {
    fn parse(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Filter> {
        let mut filter = Filter { family: options.family, ..Filter::default() };
        let mut dev = None;
        while let Some(word) = args.peek() {
            args.next("")?;
            match word.text.as_str() {
                "dev" => dev = Some(args.next("device")?),
                "up" => filter.up = true,
                "scope" => {
                    let value = args.next("scope")?;
                    filter.narrow = true;
                    filter.scope = match value.text.as_str() {
                        "all" => None,
                        text => Some(scope_number(text).ok_or_else(|| wrong(value, "invalid \"scope\""))?),
                    };
                }
                "to" => {
                    let to = prefix(args.next("prefix")?, options.family)?;
                    filter.to = Some(to);
                    filter.family = Some(to.family);
                }
                "secondary" | "temporary" => {
                    filter.secondary = Some(true);
                    filter.narrow = true;
                }
                "primary" => {
                    filter.secondary = Some(false);
                    filter.narrow = true;
                }
                "permanent" => {}
                "label" | "type" | "master" | "nomaster" | "vrf" | "group" | "dynamic" | "tentative"
                | "deprecated" | "dadfailed" => {
                    return Err(refuse(word, &format!("ip address show {}", word.text)));
                }
                _ => dev = Some(word),
            }
        }
        if let Some(word) = dev {
            let missing = || fail(1, format!("Device \"{}\" does not exist.", word.text));
            filter.dev = Some(find_device(host, word).ok_or_else(missing)?);
        }
        Ok(filter)
    }

    fn device(&self, device: &Device) -> bool {
        self.dev.is_none_or(|d| d == device.id) && (!self.up || device.up)
    }

    fn address(&self, a: &IfAddr) -> bool {
        self.family.is_none_or(|f| f == a.family)
            && self.scope.is_none_or(|s| s == a.scope)
            && self.secondary.is_none_or(|s| s == a.secondary)
            && self.to.is_none_or(|p| p.family == a.family && p.network().contains(a.addr))
    }
}

/// The addresses of a device in the order of the listing: IPv4 first.
fn sorted<'a>(device: &'a Device, filter: &Filter) -> Vec<&'a IfAddr> {
    let of = |family| device.addrs.iter().filter(move |a| a.family == family).filter(|a| filter.address(a));
    of(Family::V4).chain(of(Family::V6)).collect()
}

fn show(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let filter = Filter::parse(host, args, options)?;
    let mut out = Output::default();
    let mut objects = Vec::new();
    for device in host.net.devices.iter().filter(|d| filter.device(d)) {
        let addrs = if options.link_only { Vec::new() } else { sorted(device, &filter) };
        // A question about addresses does not list devices whose addresses are all others; a device without any is
        // listed unless it is about one family.
        let asked = filter.family.is_some() || (filter.narrow && !device.addrs.is_empty());
        if asked && addrs.is_empty() {
            continue;
        }
        if options.json {
            let detail = match (filter.family, filter.dev) {
                (Some(Family::V6), None) => link::Detail::Ipv6,
                (Some(_), _) => link::Detail::NoHardware,
                (None, _) => link::Detail::Address,
            };
            let mut object = link::json(device, detail);
            object.objects("addr_info", addrs.iter().map(|a| json(device, a)).collect());
            objects.push(object);
        } else if options.brief {
            let mut line = format!("{:<16} {:<14} ", device.name, link::state(device));
            for a in &addrs {
                let _ = write!(line, "{}/{} ", a.addr.ip(a.family), a.len);
            }
            out.line(&line);
        } else if options.oneline {
            for a in &addrs {
                let lifetime = "valid_lft forever preferred_lft forever";
                out.line(&format!(
                    "{}: {}    {}\\       {lifetime}",
                    device.id.0,
                    device.name,
                    line(device, a)
                ));
            }
        } else {
            text(device, &addrs, &filter, options, &mut out);
        }
    }
    if options.json {
        out.line(&Json::array(objects));
    }
    Ok(out)
}

fn text(device: &Device, addrs: &[&IfAddr], filter: &Filter, options: Options, out: &mut Output) {
    if filter.family == Some(Family::V6) && filter.dev.is_none() {
        // All devices at once are asked of IPv6, which does not know their queues.
        out.line(&format!(
            "{}: {}: <{}> mtu {} state {} qlen 1000",
            device.id.0,
            device.name,
            link::flags(device).join(","),
            device.mtu,
            link::state(device)
        ));
    } else {
        out.line(&link::head(device, ""));
    }
    if filter.family.is_none() || options.link_only {
        out.line(&link::hardware(device));
    }
    for a in addrs {
        out.line(&format!("    {}", line(device, a)));
        out.line("       valid_lft forever preferred_lft forever");
    }
}

/// `inet 10.0.0.1/24 brd 10.0.0.255 scope global secondary eth0`.
fn line(device: &Device, a: &IfAddr) -> String {
    let ip = a.addr.ip(a.family);
    let scope = scope_name(a.scope);
    match a.family {
        Family::V4 => {
            let mut out = format!("inet {ip}/{}", a.len);
            if let Some(broadcast) = a.broadcast {
                let _ = write!(out, " brd {}", broadcast.ip(a.family));
            }
            let secondary = if a.secondary { " secondary" } else { "" };
            let _ = write!(out, " scope {scope}{secondary} {}", device.name);
            out
        }
        Family::V6 => format!("inet6 {ip}/{} scope {scope} ", a.len),
    }
}

fn json(device: &Device, a: &IfAddr) -> Json {
    let mut out = Json::object();
    out.text("family", if a.family == Family::V4 { "inet" } else { "inet6" });
    out.text("local", &a.addr.ip(a.family).to_string());
    out.number("prefixlen", u64::from(a.len));
    if let Some(broadcast) = a.broadcast {
        out.text("broadcast", &broadcast.ip(a.family).to_string());
    }
    out.text("scope", &scope_name(a.scope));
    if a.secondary {
        out.flag("secondary");
    }
    if a.family == Family::V4 {
        out.text("label", &device.name);
    }
    out.number("valid_life_time", u64::from(u32::MAX));
    out.number("preferred_life_time", u64::from(u32::MAX));
    out
}

fn flush(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    if args.is_empty() {
        return Err(fail(1, "Flush requires arguments."));
    }
    let filter = Filter::parse(host, args, options)?;
    let gone: Vec<(DevId, IfAddr)> = host
        .net
        .devices
        .iter()
        .filter(|d| filter.device(d))
        .flat_map(|d| d.addrs.iter().filter(|a| filter.address(a)).map(|a| (d.id, *a)))
        .collect();
    for (dev, a) in gone {
        // A secondary address may have gone with its primary one.
        host.del_addr(dev, a.family, a.addr, a.len, &mut NoObserver);
    }
    host.refresh();
    Ok(Output::default())
}
