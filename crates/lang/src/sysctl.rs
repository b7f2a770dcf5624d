//! `sysctl` (procps 4.0.2): reading and writing the settings of a network namespace.

mod keys;
mod others;

use crate::conntrack;
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::NoObserver;
use hookwalk_engine::sorted::sort_by;
use hookwalk_engine::sysctl::{DevConf, Sysctl};
use hookwalk_engine::time::HZ;
use hookwalk_engine::{FULL, Host};
use keys::{COUNT, DEV_KEYS, FIXED, Field, INT, KEYS, Range};

/// How the command line asks for its output.
#[derive(Clone, Copy, Default)]
struct Options {
    /// `-n`: values only.
    values: bool,
    /// `-N`: names only.
    names: bool,
    /// `-b`: values without a newline.
    binary: bool,
    /// `-q`: nothing for what was set.
    quiet: bool,
    /// `-e`: unknown names are no errors.
    ignore: bool,
    /// `-w`: every word is an assignment.
    write: bool,
    /// `-a`.
    all: bool,
    /// `--dry-run`.
    dry_run: bool,
}

/// A setting that the model has.
#[derive(Clone, Copy)]
enum Found {
    Key(usize),
    Count,
    /// Index into [`FIXED`].
    Fixed(usize),
    /// Index into [`DEV_KEYS`], and into the settings of `all` and the devices; `None`: `default`.
    Dev(usize, Option<usize>),
}

/// Why there is none.
enum Missing {
    /// Linux has it not either.
    Unknown,
    /// Linux has it.
    NotSimulated,
}

/// Runs `sysctl`.
pub fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
    let mut out = Output::default();
    let mut options = Options::default();
    let mut operands = Vec::new();
    let mut load = None;
    let mut pattern = None;
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        if let Some(long) = text.strip_prefix("--").filter(|l| !l.is_empty()) {
            match long {
                "all" => options.all = true,
                "values" => options.values = true,
                "names" => options.names = true,
                "binary" => options.binary = true,
                "quiet" => options.quiet = true,
                "ignore" => options.ignore = true,
                "write" => options.write = true,
                "deprecated" => {}
                "dry-run" => options.dry_run = true,
                "version" => return Output::ok("sysctl from procps-ng 4.0.2\n"),
                _ => return Output::refuse(words!("sysctl {text} is not simulated"), word.span.clone()),
            }
            continue;
        }
        if !text.starts_with('-') || text == "-" {
            operands.push(word);
            continue;
        }
        for (at, letter) in text.char_indices().skip(1) {
            match letter {
                'a' | 'A' | 'X' => options.all = true,
                'n' => options.values = true,
                'N' => options.names = true,
                'b' => options.binary = true,
                'q' => options.quiet = true,
                'e' => options.ignore = true,
                'w' => options.write = true,
                'o' | 'x' => {}
                'V' => return Output::ok("sysctl from procps-ng 4.0.2\n"),
                'r' => {
                    let rest = &text[at + 1..];
                    pattern = Some(if rest.is_empty() {
                        words.next().map_or("", |w| w.text.as_str())
                    } else {
                        rest
                    });
                    break;
                }
                'p' | 'f' => {
                    load = Some(word);
                    break;
                }
                _ => {
                    let message = words!("sysctl -{letter} is not simulated");
                    return Output::refuse(message, word.span.clone());
                }
            }
        }
    }
    if !FULL && (load.is_some() || options.all || operands.is_empty()) {
        return Output::refuse("", 0..0);
    }
    if let Some(word) = load {
        return load_settings(host, word, &operands, stdin, options);
    }
    if options.all {
        // A pattern is a regular expression; a plain word means itself in one.
        let plain = |p: &str| p.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
        if let Some(pattern) = pattern.filter(|p| !plain(p)) {
            let span = argv.iter().find(|w| w.text == pattern).map_or(0..0, |w| w.span.clone());
            return Output::refuse("sysctl -r takes plain words only", span);
        }
        for (path, found) in all(host) {
            if pattern.is_none_or(|p| name(&path).contains(p)) {
                show(host, &path, found, options, &mut out);
            }
        }
        return out;
    }
    if operands.is_empty() {
        let usage = "sysctl: no variables specified\nTry `sysctl --help' for more information.\n";
        return Output::fail(1, usage);
    }
    for word in operands {
        match word.text.split_once('=') {
            Some((key, value)) => write(host, key.trim(), value.trim(), word, options, &mut out),
            None if options.write => {
                out.error_line("sysctl: command line(0): invalid syntax, continuing...");
                out.exit = 1;
            }
            None => read(host, word, options, &mut out),
        }
    }
    out
}

/// `cat /proc/sys/…`: the value with its newline.
pub fn cat(host: &mut Host, path: &str) -> Option<String> {
    let path = path.strip_prefix("/proc/sys/")?;
    let found = find(host, path).ok()?;
    Some(format!("{}\n", value(host, found)))
}

/// Is there such a file in Linux, which the model has not?
pub fn is_real(host: &Host, path: &str) -> bool {
    path.strip_prefix("/proc/sys/").is_some_and(|p| matches!(find(host, p), Err(Missing::NotSimulated)))
}

/// The path below /proc/sys of a name that is written with dots or with slashes, whichever comes first; the other one
/// then stands for itself, as in `net.ipv4.conf.eth0/1.rp_filter` for the device `eth0.1`.
fn path(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(at) if name[at..].starts_with('.') => swap(name),
        _ => name.to_string(),
    }
}

/// The name with dots.
fn name(path: &str) -> String {
    swap(path)
}

fn swap(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}

fn find(host: &Host, path: &str) -> Result<Found, Missing> {
    if path == COUNT {
        return Ok(Found::Count);
    }
    if let Some(index) = FIXED.iter().position(|f| f.0 == path) {
        return Ok(Found::Fixed(index));
    }
    if let Some(index) = KEYS.iter().position(|k| k.path == path) {
        return Ok(Found::Key(index));
    }
    // What Linux has besides, the player does not know; whatever is missing there is left to the whole.
    let listed = |list: &'static str, name: &str| match FULL && list.split(' ').any(|l| l == name) {
        true => Err(Missing::NotSimulated),
        false => Err(Missing::Unknown),
    };
    let device = |name: &str| host.net.device_by_name(name).map(|d| usize::from(d.id.0));
    for (version, root, flat, conf) in
        [(4, "net/ipv4/", others::IPV4, others::CONF4), (6, "net/ipv6/", others::IPV6, others::CONF6)]
    {
        let Some(rest) = path.strip_prefix(root) else { continue };
        if let Some(rest) = rest.strip_prefix("conf/") {
            let (dev, key) = rest.split_once('/').ok_or(Missing::Unknown)?;
            let place = match dev {
                "all" => Some(0),
                "default" => None,
                other => Some(device(other).ok_or(Missing::Unknown)?),
            };
            return match DEV_KEYS.iter().position(|k| k.version == version && k.name == key) {
                Some(index) => Ok(Found::Dev(index, place)),
                None => listed(conf, key),
            };
        }
        if let Some(rest) = rest.strip_prefix("neigh/") {
            let (dev, key) = rest.split_once('/').ok_or(Missing::Unknown)?;
            if dev != "default" && device(dev).is_none() {
                return Err(Missing::Unknown);
            }
            return listed(others::NEIGH, key);
        }
        return listed(flat, &rest.replace('/', "."));
    }
    if let Some(rest) = path.strip_prefix("net/netfilter/") {
        return listed(others::NETFILTER, &rest.replace('/', "."));
    }
    // Of what has nothing to do with packets only the places are known.
    const ELSEWHERE: [&str; 12] = [
        "abi/",
        "debug/",
        "dev/",
        "fs/",
        "kernel/",
        "user/",
        "vm/",
        "net/bridge/",
        "net/core/",
        "net/mptcp/",
        "net/unix/",
        "sunrpc/",
    ];
    match ELSEWHERE.iter().any(|root| path.starts_with(root)) {
        true => Err(Missing::NotSimulated),
        false => Err(Missing::Unknown),
    }
}

/// The names of all settings, with dots.
pub(crate) fn names(host: &Host) -> Vec<String> {
    all(host).iter().map(|(path, _)| name(path)).collect()
}

/// Everything that the model has, by name.
fn all(host: &Host) -> Vec<(String, Found)> {
    let mut all: Vec<_> = KEYS.iter().enumerate().map(|(i, k)| (k.path.to_string(), Found::Key(i))).collect();
    all.push((COUNT.to_string(), Found::Count));
    all.extend(FIXED.iter().enumerate().map(|(i, f)| (f.0.to_string(), Found::Fixed(i))));
    let devices = host.net.devices.iter().map(|d| (d.name.to_string(), Some(usize::from(d.id.0))));
    let places: Vec<_> =
        devices.chain([("all".to_string(), Some(0)), ("default".to_string(), None)]).collect();
    for (index, key) in DEV_KEYS.iter().enumerate() {
        for (dev, place) in &places {
            let path = format!("net/ipv{}/conf/{dev}/{}", key.version, key.name);
            all.push((path, Found::Dev(index, *place)));
        }
    }
    sort_by(&mut all, |a, b| a.0.cmp(&b.0));
    all
}

fn conf(sysctl: &mut Sysctl, place: Option<usize>) -> &mut DevConf {
    match place {
        Some(index) if index < sysctl.conf.len() => &mut sysctl.conf[index],
        _ => &mut sysctl.conf_default,
    }
}

fn field(sysctl: &mut Sysctl, found: Found) -> Option<Field<'_>> {
    match found {
        Found::Key(index) => Some((KEYS[index].field)(sysctl)),
        Found::Dev(index, place) => Some((DEV_KEYS[index].field)(conf(sysctl, place))),
        Found::Count | Found::Fixed(_) => None,
    }
}

fn value(host: &mut Host, found: Found) -> String {
    if let Found::Fixed(index) = found {
        return FIXED[index].1.to_string();
    }
    let count = conntrack::count(host);
    match field(&mut host.net.sysctl, found) {
        Some(Field::Flag(flag)) => u8::from(*flag).to_string(),
        Some(Field::Byte(byte)) => byte.to_string(),
        Some(Field::Word(word)) => word.to_string(),
        Some(Field::Ports((first, last))) => format!("{first}\t{last}"),
        None => count.to_string(),
    }
}

fn show(host: &mut Host, path: &str, found: Found, options: Options, out: &mut Output) {
    if !FULL {
        out.unprinted = true;
        return;
    }
    if options.names {
        out.line(&name(path));
        return;
    }
    let value = value(host, found);
    print(path, &value, options, out);
}

fn print(path: &str, value: &str, options: Options, out: &mut Output) {
    if !FULL {
        out.unprinted = true;
        return;
    }
    if options.binary {
        out.stdout.push_str(value);
    } else if options.values {
        out.line(value);
    } else {
        out.line(&format!("{} = {value}", name(path)));
    }
}

/// There is no such setting, or not here.
fn missing(path: &str, why: Missing, word: &Word, options: Options, out: &mut Output) {
    if !FULL {
        *out = Output::refuse("", 0..0);
        return;
    }
    match why {
        Missing::Unknown if options.ignore => {}
        Missing::Unknown => {
            out.error_line(&words!("sysctl: cannot stat /proc/sys/{path}: No such file or directory"));
            out.exit = 1;
        }
        Missing::NotSimulated => {
            let refusal = Output::refuse(words!("{} is not simulated", name(path)), word.span.clone());
            out.stderr.push_str(&refusal.stderr);
            out.exit = refusal.exit;
            out.refused = out.refused.take().or(refusal.refused);
        }
    }
}

fn read(host: &mut Host, word: &Word, options: Options, out: &mut Output) {
    let path = path(&word.text);
    match find(host, &path) {
        Ok(found) => show(host, &path, found, options, out),
        Err(why) if !FULL => missing(&path, why, word, options, out),
        Err(why) => {
            // A directory means all that is in it.
            let below = format!("{}/", path.trim_end_matches('/'));
            let inside: Vec<_> = all(host).into_iter().filter(|(p, _)| p.starts_with(&below)).collect();
            if inside.is_empty() {
                return missing(&path, why, word, options, out);
            }
            for (path, found) in inside {
                show(host, &path, found, options, out);
            }
        }
    }
}

fn write(host: &mut Host, key: &str, value: &str, word: &Word, options: Options, out: &mut Output) {
    let path = path(key);
    let found = match find(host, &path) {
        Ok(found) => found,
        Err(why) => return missing(&path, why, word, options, out),
    };
    let invalid = |exit, out: &mut Output| {
        if !FULL {
            *out = Output::refuse("", 0..0);
        }
        out.error_line(&words!("sysctl: setting key \"{}\": Invalid argument", name(&path)));
        out.exit = out.exit.max(exit);
    };
    let range = match found {
        Found::Key(index) => KEYS[index].range,
        Found::Count => Range::ReadOnly,
        Found::Fixed(index) if FIXED[index].2 == Range::ReadOnly => Range::ReadOnly,
        Found::Fixed(_) => return missing(&path, Missing::NotSimulated, word, options, out),
        Found::Dev(..) => INT,
    };
    // The tool complains about a setting that is read-only, but does not fail.
    if range == Range::ReadOnly {
        return invalid(0, out);
    }
    let Some(numbers) = numbers(value) else { return invalid(1, out) };
    let Some(first) = numbers.first().copied() else { return invalid(1, out) };
    let within = match range {
        Range::Within(min, max) => (min..=max).contains(&first),
        Range::Millis => (0..=i64::from(i32::MAX)).contains(&first),
        Range::Ports => {
            // The last one stays where only the first is written. Below 1024 are the privileged ports.
            let (_, old) = host.net.sysctl.ip_local_port_range;
            let last = numbers.get(1).copied().unwrap_or(i64::from(old));
            (1024..=65535).contains(&first) && (first..=65535).contains(&last)
        }
        Range::ReadOnly => false,
    };
    if !within {
        return invalid(1, out);
    }
    let kept = match found {
        Found::Key(index) => matches!((KEYS[index].field)(&mut host.net.sysctl), Field::Word(_)),
        _ => false,
    };
    if (kept && first < 0) || (matches!(found, Found::Dev(..)) && !(0..=255).contains(&first)) {
        let message = words!("the value {first} of {} is not simulated", name(&path));
        let refusal = Output::refuse(message, word.span.clone());
        out.stderr.push_str(&refusal.stderr);
        out.exit = refusal.exit;
        out.refused = out.refused.take().or(refusal.refused);
        return;
    }
    if !options.dry_run {
        let before = self::value(host, found);
        match field(&mut host.net.sysctl, found) {
            Some(Field::Flag(flag)) => *flag = first != 0,
            Some(Field::Byte(byte)) => *byte = first as u8,
            Some(Field::Word(word)) => {
                *word = match range {
                    // Kept in ticks: rounded up to the next one.
                    Range::Millis => (first as u64).div_ceil(1000 / HZ).saturating_mul(1000 / HZ) as u32,
                    _ => first as u32,
                }
            }
            Some(Field::Ports(ports)) => {
                ports.0 = first as u16;
                if let Some(last) = numbers.get(1) {
                    ports.1 = *last as u16;
                }
            }
            None => {}
        }
        let changed = self::value(host, found) != before;
        spread(host, &path, first != 0, changed);
    }
    if !options.quiet {
        match options.names {
            true => out.line(&name(&path)),
            false => print(&path, value, options, out),
        }
    }
}

/// What else changes: `inet_forward_change`, `addrconf_forward_change`, `addrconf_disable_change`.
///
/// IPv4's forwarding reaches the devices only where the setting itself changed.
fn spread(host: &mut Host, path: &str, on: bool, changed: bool) {
    let sysctl = &mut host.net.sysctl;
    let mut all = |set: fn(&mut DevConf, bool)| {
        for conf in sysctl.conf.iter_mut().chain([&mut sysctl.conf_default]) {
            set(conf, on);
        }
    };
    match path {
        "net/ipv4/ip_forward" | "net/ipv4/conf/all/forwarding" if changed => {
            all(|conf, on| conf.forwarding = on);
            sysctl.ip_forward = on;
        }
        "net/ipv6/conf/all/forwarding" => {
            all(|conf, on| conf.forwarding6 = on);
            sysctl.ip6_forward = on;
        }
        "net/ipv6/conf/all/disable_ipv6" => {
            all(|conf, on| conf.disable_ipv6 = on);
            for dev in host.net.devices.iter().map(|d| d.id).collect::<Vec<_>>() {
                switch_ipv6(host, dev, on);
            }
        }
        _ => {
            let dev = path.strip_prefix("net/ipv6/conf/").and_then(|p| p.strip_suffix("/disable_ipv6"));
            if let Some(dev) = dev.and_then(|name| host.net.device_by_name(name)).map(|d| d.id) {
                switch_ipv6(host, dev, on);
            }
        }
    }
}

/// IPv6 goes from a device with its addresses; when it comes back, only `lo` has its own again.
fn switch_ipv6(host: &mut Host, dev: DevId, off: bool) {
    if off {
        host.disable_ipv6(dev, &mut NoObserver);
    } else if dev == DevId::LO {
        host.add_addr(dev, Family::V6, Addr::LOOPBACK_V6, 128);
    }
    host.refresh();
}

/// Numbers as the kernel reads them: decimal, `0x` hexadecimal, leading-zero octal, with a sign, separated by blanks.
fn numbers(text: &str) -> Option<Vec<i64>> {
    text.split_ascii_whitespace()
        .map(|word| {
            let (negative, digits) = match word.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, word),
            };
            let (base, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
                Some(hex) => (16, hex),
                None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
                None => (10, digits),
            };
            if digits.starts_with(['+', '-']) {
                return None;
            }
            let number = i64::from_str_radix(digits, base).ok()?;
            Some(if negative { -number } else { number })
        })
        .collect()
}

/// `-p -`: settings from standard input. There are no files.
fn load_settings(
    host: &mut Host,
    option: &Word,
    files: &[&Word],
    stdin: Option<&str>,
    options: Options,
) -> Output {
    let mut out = Output::default();
    let file = files.first().map_or("/etc/sysctl.conf", |w| w.text.as_str());
    if file != "-" {
        return Output::fail(1, format!("sysctl: cannot open \"{file}\": No such file or directory"));
    }
    for (at, line) in stdin.unwrap_or_default().lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => {
                let key = key.trim();
                // A leading minus: an error of this line does not count.
                let (key, ignore) = match key.strip_prefix('-') {
                    Some(key) => (key, true),
                    None => (key, false),
                };
                let exit = out.exit;
                write(host, key, value.trim(), option, options, &mut out);
                if ignore && out.refused.is_none() {
                    out.exit = exit;
                }
            }
            None => {
                out.error_line(&words!("sysctl: -({}): invalid syntax, continuing...", at + 1));
                out.exit = 1;
            }
        }
    }
    out
}
