//! `ss -l` (iproute2 6.1): sockets that wait.

use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::proto;
use hookwalk_engine::socket::{Behaviour, Listener};
use hookwalk_engine::sorted::sort_by;

/// Connections that a listening TCP socket lets wait.
const BACKLOG: u32 = 128;

/// Runs `ss`: `-l` with `-t`, `-u`, `-n`, `-4`, `-6`.
pub fn run(host: &Host, argv: &[Word]) -> Output {
    let (mut tcp, mut udp, mut listening, mut family) = (false, false, false, None);
    for word in &argv[1..] {
        let letters = match word.text.as_str() {
            "--tcp" => "t",
            "--udp" => "u",
            "--listening" => "l",
            "--numeric" => "n",
            "--ipv4" => "4",
            "--ipv6" => "6",
            text => match text.strip_prefix('-').filter(|t| !t.starts_with('-')) {
                Some(letters) => letters,
                None => return Output::refuse(format!("ss {text} is not simulated"), word.span.clone()),
            },
        };
        for letter in letters.chars() {
            match letter {
                't' => tcp = true,
                'u' => udp = true,
                'l' => listening = true,
                'n' => {}
                '4' => family = Some(Family::V4),
                '6' => family = Some(Family::V6),
                other => return Output::refuse(format!("ss -{other} is not simulated"), word.span.clone()),
            }
        }
    }
    if !listening || !(tcp || udp) {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("ss without -l and -t or -u is not simulated", span);
    }
    let both = tcp && udp;
    let wanted = |l: &&Listener| {
        // What `connect` has taken waits for nobody any more.
        let kind = if l.proto == proto::TCP { tcp } else { l.proto == proto::UDP && l.peer.is_none() && udp };
        // A socket for both families is one of IPv6.
        kind && family.is_none_or(|f| l.addr.map_or(Family::V6, |(own, _)| own) == f)
    };
    let mut sockets: Vec<&Listener> = host.net.sockets.listeners.iter().filter(wanted).collect();
    let key = |l: &Listener| {
        let family = l.addr.map(|(f, _)| f).unwrap_or(Family::V6);
        (l.proto == proto::TCP, family == Family::V6)
    };
    sort_by(&mut sockets, |a, b| key(a).cmp(&key(b)));
    let rows: Vec<Row> = sockets.iter().map(|l| Row::of(l)).collect();
    let width = |column: fn(&Row) -> &str, least: usize| {
        rows.iter().map(|r| column(r).len()).max().unwrap_or(0).max(least)
    };
    let local = width(|r| &r.local, 13);
    let port = width(|r| &r.port, 4);
    let peer = width(|r| r.peer, 12);
    let mut out = Output::default();
    let netid = |text: &str| if both { format!("{text:<5} ") } else { String::new() };
    out.line(&format!(
        "{}State  Recv-Q Send-Q {:>local$}:{:<port$} {:>peer$}:PortProcess",
        netid("Netid"),
        "Local Address",
        "Port",
        "Peer Address"
    ));
    for row in &rows {
        out.line(&format!(
            "{}{:<6} 0      {:<6} {:>local$}:{:<port$} {:>peer$}:*          ",
            netid(row.netid),
            row.state,
            row.queue,
            row.local,
            row.port,
            row.peer
        ));
    }
    out
}

struct Row {
    netid: &'static str,
    state: &'static str,
    queue: u32,
    local: String,
    port: String,
    peer: &'static str,
}

impl Row {
    fn of(l: &Listener) -> Row {
        let (netid, state, queue) = match l.proto {
            proto::TCP if matches!(l.behaviour, Behaviour::Once | Behaviour::Again) => ("tcp", "LISTEN", 1),
            proto::TCP => ("tcp", "LISTEN", BACKLOG),
            _ => ("udp", "UNCONN", 0),
        };
        let (local, peer) = match l.addr {
            None => ("*".to_string(), "*"),
            Some((Family::V4, addr)) => (addr.ip(Family::V4).to_string(), "0.0.0.0"),
            Some((Family::V6, addr)) => (format!("[{}]", addr.ip(Family::V6)), "[::]"),
        };
        Row { netid, state, queue, local, port: l.port.to_string(), peer }
    }
}
