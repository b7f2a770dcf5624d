//! Matches on the connection: conntrack, state, connmark.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{address, put};
use hookwalk_engine::conntrack::{Direction, status};
use hookwalk_engine::matches::conntrack::CtStates;
use hookwalk_engine::matches::mark::MaskedMark;
use hookwalk_engine::matches::tcp::PortRange;
use hookwalk_engine::matches::{ConnmarkMatch, ConntrackMatch, Match, StateMatch};
use hookwalk_engine::ruleset::Inv;
use hookwalk_engine::{AddrMask, Family};

const CONNTRACK_OPTS: &[Opt] = &[
    opt("ctstate", 0, Ty::Text).inv(),
    opt("ctproto", 1, Ty::Proto).inv(),
    opt("ctorigsrc", 2, Ty::HostMask).inv(),
    opt("ctorigdst", 3, Ty::HostMask).inv(),
    opt("ctreplsrc", 4, Ty::HostMask).inv(),
    opt("ctrepldst", 5, Ty::HostMask).inv(),
    opt("ctstatus", 6, Ty::Text).inv(),
    opt("ctexpire", 7, Ty::Range(0, u32::MAX as u64)).inv(),
    opt("ctorigsrcport", 8, Ty::Ports).inv(),
    opt("ctorigdstport", 9, Ty::Ports).inv(),
    opt("ctreplsrcport", 10, Ty::Ports).inv(),
    opt("ctrepldstport", 11, Ty::Ports).inv(),
    opt("ctdir", 12, Ty::Text),
];

/// `-m conntrack`.
pub(super) static CONNTRACK: Ext<Match> = Ext {
    name: "conntrack",
    family: None,
    opts: CONNTRACK_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("conntrack: At least one option is required"));
        }
        Ok(())
    },
    build: build_conntrack,
};

/// Names in the order in which `-m conntrack` prints them.
const STATES: [(&str, CtStates); 7] = [
    ("INVALID", CtStates::INVALID),
    ("NEW", CtStates::NEW),
    ("RELATED", CtStates::RELATED),
    ("ESTABLISHED", CtStates::ESTABLISHED),
    ("UNTRACKED", CtStates::UNTRACKED),
    ("SNAT", CtStates::SNAT),
    ("DNAT", CtStates::DNAT),
];

/// The states that `--ctstate` takes, or `--state`.
pub(super) fn state_names(ctstate: bool) -> Vec<&'static str> {
    let list = if ctstate { &STATES[..] } else { &STATE_ORDER[..] };
    list.iter().map(|(name, _)| *name).collect()
}

fn states(text: &str, option: &str, nat: bool) -> Result<CtStates, Fault> {
    let mut set = CtStates::default();
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(',').map_or((rest, None), |(w, a)| (w, Some(a)));
        let upper = word.to_ascii_uppercase();
        let usable = if nat { &STATES[..] } else { &STATES[..5] };
        match usable.iter().find(|(name, _)| !word.is_empty() && name.starts_with(&upper)) {
            Some((_, state)) => set = set.or(*state),
            None => return Err(Fault::param(words!("Bad {option} \"{rest}\""))),
        }
        match after {
            Some(after) => rest = after,
            None => return Ok(set),
        }
    }
}

const STATUSES: [(&str, u32); 5] = [
    ("NONE", 0),
    ("EXPECTED", status::EXPECTED),
    ("SEEN_REPLY", status::SEEN_REPLY),
    ("ASSURED", status::ASSURED),
    ("CONFIRMED", status::CONFIRMED),
];

fn statuses(text: &str) -> Result<u32, Fault> {
    let mut set = 0;
    for word in text.split(',') {
        let upper = word.to_ascii_uppercase();
        match STATUSES.iter().find(|(name, _)| !word.is_empty() && name.starts_with(&upper)) {
            Some((_, bit)) => set |= bit,
            None => return Err(Fault::param(words!("Bad ctstatus \"{word}\""))),
        }
    }
    Ok(set)
}

fn build_conntrack(args: &Args<'_>) -> Result<Match, Fault> {
    let mut m = ConntrackMatch::default();
    for g in &args.given {
        let net = || Some(g.inv(g.net()));
        let ports = || Some(g.inv(g.range::<u16>()));
        match g.id {
            0 => m.state = Some(g.inv(states(&g.text, "ctstate", true)?)),
            1 => m.proto = Some(g.inv(g.num() as u8)),
            2 => m.orig_src = net(),
            3 => m.orig_dst = net(),
            4 => m.repl_src = net(),
            5 => m.repl_dst = net(),
            6 => m.status = Some(g.inv(statuses(&g.text)?)),
            7 => m.expire = Some(g.inv(g.range::<u32>())),
            8 => m.orig_sport = ports(),
            9 => m.orig_dport = ports(),
            10 => m.repl_sport = ports(),
            11 => m.repl_dport = ports(),
            _ => {
                let upper = g.text.to_ascii_uppercase();
                m.direction = Some(match upper.as_str() {
                    "ORIGINAL" => Direction::Original,
                    "REPLY" => Direction::Reply,
                    _ => {
                        return Err(Fault::param(words!(
                            "conntrack: Bad value for \"--ctdir\" option: \"{}\"",
                            g.text
                        )));
                    }
                });
            }
        }
    }
    Ok(Match::Conntrack(m.into()))
}

fn put_states(out: &mut String, set: CtStates) {
    let mut first = true;
    for (name, state) in STATES {
        if set.has(state) {
            if !first {
                out.push(',');
            }
            first = false;
            out.push_str(name);
        }
    }
}

/// The options with this before each name: `--` when saved, nothing in a listing.
fn put_conntrack(m: &ConntrackMatch, dashes: &str, numeric: bool, family: Family, out: &mut String) {
    fn key(out: &mut String, not: bool, dashes: &str, name: &str) {
        put!(out, "{} {dashes}{name} ", if not { " !" } else { "" });
    }
    if let Some(state) = &m.state {
        key(out, state.not, dashes, "ctstate");
        put_states(out, state.value);
    }
    if let Some(proto) = &m.proto {
        key(out, proto.not, dashes, "ctproto");
        put!(out, "{}", proto.value);
    }
    let mut net = |name: &str, net: &Option<Inv<AddrMask>>| {
        if let Some(net) = net {
            key(out, net.not, dashes, name);
            if numeric {
                address::put_short(out, &net.value, family);
            } else {
                address::put_named(out, &net.value, family);
            }
        }
    };
    net("ctorigsrc", &m.orig_src);
    net("ctorigdst", &m.orig_dst);
    net("ctreplsrc", &m.repl_src);
    net("ctrepldst", &m.repl_dst);
    let mut ports = |name: &str, range: &Option<Inv<PortRange>>| {
        if let Some(range) = range {
            key(out, range.not, dashes, name);
            put_pair(out, u32::from(range.value.0), u32::from(range.value.1));
        }
    };
    ports("ctorigsrcport", &m.orig_sport);
    ports("ctorigdstport", &m.orig_dport);
    ports("ctreplsrcport", &m.repl_sport);
    ports("ctrepldstport", &m.repl_dport);
    if let Some(status) = &m.status {
        key(out, status.not, dashes, "ctstatus");
        if status.value == 0 {
            out.push_str("NONE");
        }
        let mut first = true;
        for (name, bit) in &STATUSES[1..] {
            if status.value & bit != 0 {
                put!(out, "{}{name}", if first { "" } else { "," });
                first = false;
            }
        }
    }
    if let Some(expire) = &m.expire {
        key(out, expire.not, dashes, "ctexpire");
        put_pair(out, expire.value.0, expire.value.1);
    }
    if let Some(direction) = m.direction {
        put!(
            out,
            " {dashes}ctdir {}",
            match direction {
                Direction::Original => "ORIGINAL",
                Direction::Reply => "REPLY",
            }
        );
    }
}

fn put_pair(out: &mut String, low: u32, high: u32) {
    put!(out, "{low}");
    if high != low {
        put!(out, ":{high}");
    }
}

/// `-m conntrack`'s options.
pub(super) fn save_conntrack(m: &ConntrackMatch, family: Family, out: &mut String) {
    put_conntrack(m, "--", true, family, out);
}

/// `-m conntrack` in a listing.
pub(super) fn list_conntrack(m: &ConntrackMatch, style: Style, out: &mut String) {
    put_conntrack(m, "", style.numeric, style.family, out);
}

/// `-m state`.
pub(super) static STATE: Ext<Match> = Ext {
    name: "state",
    family: None,
    opts: &[opt("state", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::State(StateMatch { states: g.inv(states(&g.text, "state", false)?) }))
    },
};

/// The order in which `-m state` prints.
const STATE_ORDER: [(&str, CtStates); 5] = [
    ("INVALID", CtStates::INVALID),
    ("NEW", CtStates::NEW),
    ("RELATED", CtStates::RELATED),
    ("ESTABLISHED", CtStates::ESTABLISHED),
    ("UNTRACKED", CtStates::UNTRACKED),
];

fn put_state(m: &StateMatch, dashes: &str, out: &mut String) {
    put!(out, "{} {dashes}state ", if m.states.not { " !" } else { "" });
    let names: Vec<&str> =
        STATE_ORDER.iter().filter(|(_, s)| m.states.value.has(*s)).map(|(n, _)| *n).collect();
    out.push_str(&names.join(","));
}

/// `-m state`'s option.
pub(super) fn save_state(m: &StateMatch, out: &mut String) {
    put_state(m, "--", out);
}

/// `-m state` in a listing.
pub(super) fn list_state(m: &StateMatch, out: &mut String) {
    put_state(m, "", out);
}

/// `-m connmark`.
pub(super) static CONNMARK: Ext<Match> = Ext {
    name: "connmark",
    family: None,
    opts: &[opt("mark", 0, Ty::Mark).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        let (value, mask) = g.mark();
        Ok(Match::Connmark(ConnmarkMatch { mark: g.inv(MaskedMark { value, mask }) }))
    },
};
