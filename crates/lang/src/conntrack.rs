//! `conntrack` (conntrack-tools 1.4.7): the table of connections as text, and what the tool does to it.
//!
//! [`line`] prints entries and events; reading the command line is in `options`.

pub mod line;
mod options;

use crate::complete::{Around, Choice};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::conntrack::{
    Conn, CtEvent, CtEventKind, EntryId, NewEntry, TcpConntrack, Tuple, Zone, collect, create, kill,
    set_timeout, status,
};
use hookwalk_engine::event::{Emit, Gone, NoObserver};
use hookwalk_engine::packet::{PacketId, proto};
use hookwalk_engine::time::Duration;
use hookwalk_engine::{Host, Observer};
use line::{SCTP_STATES, expect_line, list_line, proc_expect_line, proc_line, tcp_state};
pub use line::{Style, event_line};
use options::{Command, DESTROY, NEW, Options, Table, UPDATES, has_ports, parse, usage};

/// The netlink port that deletions are reported with: the process's number, which is arbitrary.
const PORTID: u32 = 4711;

/// What can stand after these words of a `conntrack` command.
pub(crate) fn choices(around: Around<'_>, words: &[&str]) -> Vec<Choice> {
    options::choices(around.addrs, words)
}

/// The number of entries, `nf_conntrack_count`.
pub fn count(host: &Host) -> u32 {
    host.net.ct.count()
}

/// /proc/net/nf_conntrack.
pub fn proc_file(host: &mut Host) -> String {
    expire(host, &mut NoObserver);
    let net = &host.net;
    let mut out = String::new();
    for (_, entry) in net.ct.iter().filter(|(_, e)| is_listed(&e.conn)) {
        out.push_str(&proc_line(net, &entry.conn, entry.expires.since(net.now)));
        out.push('\n');
    }
    out
}

/// Entries whose time is up are not shown.
fn expire<O: Observer>(host: &mut Host, observer: &mut O) {
    let id = host.id;
    collect(&mut host.net, &mut Emit { observer, host: id, packet: PacketId::default() });
}

/// Runs `conntrack`.
///
/// `-E` cannot wait for events here: the first one begins to listen and prints nothing; every further one prints what
/// has happened since.
pub fn run(host: &mut Host, argv: &[Word]) -> Output {
    run_observed(host, argv, &mut NoObserver)
}

/// As [`run`]; the entries that go are told to the observer.
pub fn run_observed<O: Observer>(host: &mut Host, argv: &[Word], observer: &mut O) -> Output {
    let options = match parse(argv) {
        Ok(options) => options,
        Err(output) => return *output,
    };
    let Some(command) = options.command else {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("conntrack without a command prints its help, which is not simulated", span);
    };
    expire(host, observer);
    let lists = matches!(command, Command::List | Command::Flush | Command::Count);
    if options.table == Table::Expect && !lists {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("of expectations only -L, -C and -F are simulated", span);
    }
    let result = match command {
        Command::List => list(host, &options),
        Command::Get => get(host, &options),
        Command::Delete => delete(host, &options, observer),
        Command::Insert => insert(host, &options, "created"),
        // `-A` does not mind that an entry is there already.
        Command::Add => insert(host, &options, "added"),
        Command::Update => update(host, &options, argv),
        Command::Events => events(host, &options),
        Command::Flush => flush(host, &options, observer),
        Command::Count => only(&options, &[]).map(|()| match options.table {
            Table::Expect => Output::ok(format!("{}\n", host.net.ct.expect.len())),
            _ => Output::ok(format!("{}\n", host.net.ct.count())),
        }),
        Command::Stats => only(&options, &[]).map(|()| stats(host)),
        Command::Version => Ok(Output::ok("conntrack v1.4.7 (conntrack-tools)\n")),
    };
    result.unwrap_or_else(|output| *output)
}

type Result<T> = std::result::Result<T, Box<Output>>;

/// The sentence that the tool ends with, on standard error.
fn told(out: &mut Output, sentence: &str) {
    out.error_line(&format!("conntrack v1.4.7 (conntrack-tools): {sentence}"));
}

fn failed(reason: &str) -> Box<Output> {
    Box::new(Output::fail(1, format!("conntrack v1.4.7 (conntrack-tools): Operation failed: {reason}")))
}

/// Refuses options that the command does not take.
fn only(options: &Options, allowed: &[&str]) -> Result<()> {
    match options.given.iter().find(|g| !allowed.contains(g)) {
        Some(other) => Err(usage(format!("Illegal option `--{}' with this command", main_name(other)))),
        None => Ok(()),
    }
}

/// Of the names of an option the one that messages use.
fn main_name(name: &str) -> &str {
    match name {
        "orig-src" => "src",
        "orig-dst" => "dst",
        other => other,
    }
}

fn print(host: &Host, conn: &Conn, remaining: Duration, style: Style, out: &mut Output) {
    if style.xml && out.stdout.is_empty() {
        out.stdout.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n");
    }
    out.line(&list_line(conn, remaining, host.net.now, style));
}

fn selected(host: &Host, options: &Options) -> Vec<EntryId> {
    host.net
        .ct
        .iter()
        .filter(|(_, e)| is_listed(&e.conn) && options.matches(&e.conn))
        .map(|(id, _)| id)
        .collect()
}

/// Listings walk the table by original tuples. An entry that lost a clash is there for replies only: it is counted, and
/// shown nowhere.
fn is_listed(conn: &Conn) -> bool {
    !conn.has(status::NAT_CLASH)
}

fn expectations(host: &Host, options: &Options) -> Result<Output> {
    only(options, &["output", "family"])?;
    let mut out = Output::default();
    if options.style.xml {
        let span = 0..0;
        return Err(Box::new(Output::refuse("expectations as XML are not simulated", span)));
    }
    for expectation in host.net.ct.expect.iter() {
        if options.family.is_none_or(|f| f == expectation.tuple.family) {
            out.line(&expect_line(&host.net, expectation));
        }
    }
    let shown = out.stdout.lines().count();
    told(&mut out, &format!("{shown} expectations have been shown."));
    Ok(out)
}

/// /proc/net/nf_conntrack_expect.
pub fn proc_expect_file(host: &mut Host) -> String {
    expire(host, &mut NoObserver);
    let lines = host.net.ct.expect.iter().map(|e| proc_expect_line(&host.net, e) + "\n");
    lines.collect()
}

fn list(host: &mut Host, options: &Options) -> Result<Output> {
    for forbidden in ["event-mask", "timeout", "buffer-size", "secmark", "label-add", "label-del"] {
        if options.given.contains(&forbidden) {
            return Err(usage(format!("Illegal option `--{forbidden}' with this command")));
        }
    }
    if options.zero && options.selective {
        return Err(usage("Can't use -z with filtering parameters"));
    }
    if options.status == Some(0) && !options.unreplied {
        return Err(failed("invalid parameters"));
    }
    let mut out = Output::default();
    match options.table {
        Table::Expect => return expectations(host, options),
        Table::Dying => {
            told(&mut out, "0 flow entries have been shown.");
            return Ok(out);
        }
        Table::Unconfirmed => {
            let found: Vec<&Conn> = host.net.ct.iter_unconfirmed().map(|(_, u)| &u.conn).collect();
            for conn in &found {
                print(host, conn, Duration(0), options.style, &mut out);
            }
            told(&mut out, &format!("{} flow entries have been shown.", found.len()));
            return Ok(out);
        }
        Table::Conntrack => {}
    }
    let found = selected(host, options);
    for id in &found {
        if let Some(entry) = host.net.ct.entry(*id) {
            print(host, &entry.conn, entry.expires.since(host.net.now), options.style, &mut out);
        }
        if options.zero
            && let Some(acct) = host.net.ct.entry_mut(*id).and_then(|e| e.conn.acct.as_mut())
        {
            *acct = Default::default();
        }
    }
    if options.style.xml && !found.is_empty() {
        out.line("</conntrack>");
    }
    told(&mut out, &format!("{} flow entries have been shown.", found.len()));
    Ok(out)
}

fn delete<O: Observer>(host: &mut Host, options: &Options, observer: &mut O) -> Result<Output> {
    let mut out = Output::default();
    let found = selected(host, options);
    for id in &found {
        if let Some(entry) = remove(host, *id, observer) {
            print(host, &entry.0, entry.1, options.style, &mut out);
        }
    }
    told(&mut out, &format!("{} flow entries have been deleted.", found.len()));
    out.exit = i32::from(found.is_empty());
    Ok(out)
}

fn remove<O: Observer>(host: &mut Host, id: EntryId, observer: &mut O) -> Option<(Conn, Duration)> {
    let mut emit = Emit { observer, host: host.id, packet: PacketId::default() };
    let entry = kill(&mut host.net, id, Gone::Deleted, Some(PORTID), &mut emit)?;
    let remaining = entry.expires.since(host.net.now);
    Some((entry.conn, remaining))
}

fn flush<O: Observer>(host: &mut Host, options: &Options, observer: &mut O) -> Result<Output> {
    only(options, &["family"])?;
    let mut out = Output::default();
    if options.table == Table::Expect {
        host.net.ct.expect.clear();
        told(&mut out, "expectation table has been emptied.");
        return Ok(out);
    }
    for id in selected(host, options) {
        remove(host, id, observer);
    }
    told(&mut out, "connection tracking table has been emptied.");
    Ok(out)
}

fn stats(host: &Host) -> Output {
    let s = &host.net.ct.stats;
    // The model has one processor.
    Output::ok(format!(
        "cpu=0   \tfound={} invalid={} insert={} insert_failed={} drop={} early_drop={} error={} \
         search_restart={} clash_resolve={} chaintoolong={} \n",
        s.found,
        s.invalid,
        s.insert,
        s.insert_failed,
        s.drop,
        s.early_drop,
        s.error,
        s.search_restart,
        s.clash_resolve,
        s.chaintoolong
    ))
}

/// The tuple that the options describe, with what the protocol needs.
fn tuple(options: &Options) -> Result<Tuple> {
    let Some(number) = options.proto else {
        return Err(usage("You need to supply the `--protonum' option for this command"));
    };
    let family = options.family.unwrap_or(Family::V4);
    let mut t = Tuple {
        src: Addr::UNSPECIFIED,
        dst: Addr::UNSPECIFIED,
        sport: options.ports[0].src.unwrap_or(0),
        dport: options.ports[0].dst.unwrap_or(0),
        proto: number,
        family,
    };
    if has_ports(&t) && (options.ports[0].src.is_none() || options.ports[0].dst.is_none()) {
        if options.src[0].is_none() || options.dst[0].is_none() {
            return Err(usage("you have to specify `--src' and `--dst'"));
        }
        return Err(usage("you have to specify `--sport' and `--dport'"));
    }
    let (Some((src, _)), Some((dst, _))) = (options.src[0], options.dst[0]) else {
        return Err(usage("you have to specify `--src' and `--dst'"));
    };
    t.src = src;
    t.dst = dst;
    if matches!(number, proto::ICMP | proto::ICMPV6) {
        let name = if number == proto::ICMP { "icmp" } else { "icmpv6" };
        let Some(kind) = options.icmp.0 else {
            return Err(usage(format!("You need to supply the `--{name}-type' option for this command")));
        };
        t.dport = u16::from(kind) << 8 | u16::from(options.icmp.1.unwrap_or(0));
        t.sport = options.icmp.2.unwrap_or(0);
    }
    Ok(t)
}

fn get(host: &mut Host, options: &Options) -> Result<Output> {
    let wanted = tuple(options)?;
    let zone = options.zone.unwrap_or(0);
    let found = host.net.ct.iter().find(|(_, e)| e.conn.tuples.contains(&wanted) && e.conn.zone.id == zone);
    let Some((_, entry)) = found else { return Err(failed("such conntrack doesn't exist")) };
    let mut out = Output::default();
    let remaining = entry.expires.since(host.net.now);
    let conn = entry.conn.clone();
    print(host, &conn, remaining, options.style, &mut out);
    // The tool holds the entry while it prints it.
    out.stdout = out.stdout.replace(" use=1", " use=2");
    told(&mut out, "1 flow entries have been shown.");
    Ok(out)
}

fn insert(host: &mut Host, options: &Options, verb: &str) -> Result<Output> {
    let original = tuple(options)?;
    let Some(timeout) = options.timeout else {
        return Err(usage("You need to supply the `--timeout' option for this command"));
    };
    if original.proto == proto::TCP && options.state.is_none() {
        return Err(usage("You need to supply the `--state' option for this command"));
    }
    let Some(mut reply) = original.invert() else { return Err(failed("invalid parameters")) };
    // A reply that is written at all is taken as it is written; else it is the original turned round.
    if options.src[1].is_some() || options.dst[1].is_some() {
        let ports = options.ports[1];
        if has_ports(&original) && (ports.src.is_none() || ports.dst.is_none()) {
            return Err(failed(if verb == "added" { "Invalid argument" } else { "invalid parameters" }));
        }
        reply.src = options.src[1].map_or(Addr::UNSPECIFIED, |(addr, _)| addr);
        reply.dst = options.dst[1].map_or(Addr::UNSPECIFIED, |(addr, _)| addr);
        reply.sport = ports.src.unwrap_or(reply.sport);
        reply.dport = ports.dst.unwrap_or(reply.dport);
    }
    let mut bits = options.status.unwrap_or(0);
    if let Some(nat) = options.src_nat {
        bits |= status::SRC_NAT | status::SRC_NAT_DONE | status::DST_NAT_DONE;
        reply.dst = nat.addr.map_or(reply.dst, |(_, addr)| addr);
        reply.dport = nat.port.unwrap_or(reply.dport);
    }
    if let Some(nat) = options.dst_nat {
        bits |= status::DST_NAT | status::SRC_NAT_DONE | status::DST_NAT_DONE;
        reply.src = nat.addr.map_or(reply.src, |(_, addr)| addr);
        reply.sport = nat.port.unwrap_or(reply.sport);
    }
    // An assured entry has seen a reply.
    if bits & status::ASSURED != 0 && verb == "added" {
        bits |= status::SEEN_REPLY;
    }
    let state = options.state.as_deref();
    let zone = match (options.zone, options.orig_zone, options.reply_zone) {
        (Some(id), ..) => Zone { id, ..Zone::default() },
        (None, Some(id), _) => Zone { id, reply: false, ..Zone::default() },
        (None, None, Some(id)) => Zone { id, orig: false, ..Zone::default() },
        (None, None, None) => Zone::default(),
    };
    let new = NewEntry {
        tuples: [original, reply],
        status: bits,
        mark: options.mark.map_or(0, |(mark, _)| mark),
        timeout: Duration::secs(u64::from(timeout)),
        zone,
        tcp: state.and_then(tcp_state).unwrap_or(TcpConntrack::None),
        sctp: state.and_then(|s| SCTP_STATES.iter().position(|n| *n == s)).unwrap_or(0) as u8,
        vtag: options.vtag.map(|tag| tag.unwrap_or(0)),
    };
    let mut out = Output::default();
    match (create(&mut host.net, new), verb) {
        (Some(_), _) => told(&mut out, &format!("1 flow entries have been {verb}.")),
        (None, "added") => told(&mut out, "0 flow entries have been added."),
        (None, _) => return Err(failed("Such conntrack exists, try -U to update")),
    }
    Ok(out)
}

/// `-U`: the mark, the status and the timeout of an entry. The mark and the status do not select here.
fn update(host: &mut Host, options: &Options, argv: &[Word]) -> Result<Output> {
    // Without an address the tool asks the kernel for a change that it does not make.
    if options.src[0].is_none() && options.dst[0].is_none() {
        let mut out = *failed("Operation not supported");
        out.stderr.insert_str(0, "Operation failed: Operation not supported\n");
        return Err(Box::new(out));
    }
    let select = Options { mark: None, status: None, ..options.clone() };
    let found = selected(host, &select);
    let nat = options.src_nat.is_some() || options.dst_nat.is_some() || options.any_nat.is_some();
    // Of several entries the tool prints some only.
    if nat || options.zone.is_some() || found.len() > 1 {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        let message = "conntrack -U of several entries at once, or of zones and NAT, is not simulated";
        return Err(Box::new(Output::refuse(message, span)));
    }
    let mut out = Output::default();
    let mut updated = 0;
    let now = host.net.now;
    for id in &found {
        if let Some(timeout) = options.timeout {
            set_timeout(&mut host.net, *id, Duration::secs(u64::from(timeout)));
        }
        let Some(entry) = host.net.ct.entry_mut(*id) else { continue };
        let before = (entry.conn.mark, entry.conn.status);
        if let Some((mark, mask)) = options.mark {
            let new = entry.conn.mark & !mask | mark;
            entry.conn.set_mark(new);
        }
        if let Some(bits) = options.status {
            entry.conn.status |= bits;
        }
        if before == (entry.conn.mark, entry.conn.status) && options.timeout.is_none() {
            continue;
        }
        updated += 1;
        let (conn, remaining) = (entry.conn.clone(), entry.expires.since(now));
        print(host, &conn, remaining, options.style, &mut out);
    }
    // The tool holds the entry while it writes it.
    out.stdout = out.stdout.replace(" use=1", " use=2");
    told(&mut out, &format!("{updated} flow entries have been updated."));
    out.exit = i32::from(updated == 0);
    Ok(out)
}

fn events(host: &mut Host, options: &Options) -> Result<Output> {
    let notify = &mut host.net.ct.notify;
    if notify.listeners == 0 {
        notify.listeners = 1;
        return Ok(Output::default());
    }
    let mask = options.events.unwrap_or(NEW | UPDATES | DESTROY);
    let wanted = |event: &CtEvent| {
        let bit = match event.kind {
            CtEventKind::New => NEW,
            CtEventKind::Update => UPDATES,
            CtEventKind::Destroy => DESTROY,
        };
        mask & bit != 0 && options.matches(&event.conn)
    };
    let heard = std::mem::take(&mut notify.queue);
    let mut out = Output::default();
    for event in heard.iter().filter(|e| wanted(e)) {
        out.line(&event_line(event, options.style));
    }
    Ok(out)
}
