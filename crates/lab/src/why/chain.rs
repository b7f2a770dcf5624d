//! Why a chain or a rule counts what it counts: packet by packet, who reached it, who did not, and what stood between.

use super::walk::{Passage, kernel_remedy, passages};
use super::{Answer, Reason};
use crate::facts::{Fact, kernel_drop};
use crate::file::StationId;
use crate::record::What;
use crate::session::Session;
use hookwalk_engine::addr::Family;
use hookwalk_engine::event::{Condition, DropBy, EventKind, NatSkip, Outcome};
use hookwalk_engine::hook::{Hook, HookFn};
use hookwalk_engine::host::Host;
use hookwalk_engine::ruleset::{ChainId, Counters, RuleRef, Table, TableKind};
use hookwalk_engine::sorted::sort_by;

/// What a packet did about the chain or rule in question.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Met {
    /// It was counted here.
    Counted,
    /// It came to the rule, and this condition did not hold.
    Failed(Condition),
    /// The chain was entered, but an earlier rule decided.
    DecidedBefore(RuleRef),
    /// A rule left the chain before.
    LeftBefore(RuleRef),
    /// The hook was reached, but the walk never came into this user chain.
    NotCalled,
    /// nat was not consulted at this hook.
    NatSkipped(NatSkip),
    /// Dropped before it came here.
    DroppedBefore(DropBy),
    /// It was for this host, so it does not pass here.
    Delivered,
    /// It was not for this host, so it does not pass here.
    Forwarded,
    /// It did not begin in this host.
    NotLocal,
    /// It began in this host.
    Local,
    /// The chain did not exist then.
    NotThere,
    /// It answered a packet or was held; it has not come so far.
    NotYet,
}

/// What is asked about: a chain, or a rule of it.
pub(super) struct Place<'a> {
    /// The host.
    pub(super) host: StationId,
    /// IPv4 or IPv6.
    pub(super) family: Family,
    /// The table.
    pub(super) table: TableKind,
    /// The chain's name.
    pub(super) chain: &'a str,
    /// The rule's number from 1; `None`: the chain.
    pub(super) rule: Option<usize>,
}

impl Place<'_> {
    /// The chain and what it, or its rule, counts in this host now.
    fn found(&self, host: Option<&Host>) -> (Option<ChainId>, Option<Counters>) {
        let table = host.and_then(|h| h.rules.table(self.family, self.table));
        let id = table.and_then(|t| t.find(self.chain));
        (id, table.zip(id).and_then(|(t, id)| count(t, id, self.rule)))
    }
}

/// The answer for a chain or a rule of it, as things stand at a position.
pub(super) fn answer(session: &mut Session, asked: &Place<'_>, until: usize) -> Answer {
    let Place { host, family, table, chain, rule } = *asked;
    let passages = passages(session, host, until);
    let (id, count) = asked.found(session.seek(until).world.host(host));
    let hook = table.hooks().iter().copied().find(|h| h.chain_name() == chain);
    let name = session.lab().stations[host.index()].name.clone();
    let place = |fact: Fact| {
        let fact = fact.with("host", &name).with("table", table.name()).with("chain", chain);
        match rule {
            Some(n) => fact.with("rule", (n).to_string()),
            None => fact,
        }
    };
    let headline = match (count, rule) {
        (Some(c), Some(_)) => place(Fact::new("why.rule_counts")).with("packets", (c.packets).to_string()),
        (Some(c), None) => place(Fact::new("why.chain_counts")).with("packets", (c.packets).to_string()),
        (None, _) => place(Fact::new("why.chain_passed")),
    };
    // Reasons in order of first appearance, packets grouped.
    let mut groups: Vec<(Met, usize, Vec<u32>)> = Vec::new();
    for passage in passages.iter().filter(|p| p.family == family) {
        for (met, at) in meet(passage, table, hook, id, rule) {
            match groups.iter_mut().find(|g| g.0 == met) {
                Some(g) => g.2.push(passage.packet.0),
                None => groups.push((met, at, vec![passage.packet.0])),
            }
        }
    }
    let mut reasons = Vec::new();
    let mut later = None;
    let mut remedies: Vec<Fact> = Vec::new();
    for (met, at, packets) in groups {
        for remedy in remedies_for(&met, table, hook) {
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        let fact = word(session, &met, at, host, table, rule.and(id), rule);
        let fact = place(fact).with("packet_list", list(&packets)).with("count", (packets.len()).to_string());
        reasons.push(Reason { fact, at: Some(at + 1), packets });
    }
    let (at_end, final_count) = asked.found(session.end().world.host(host));
    if let Some(then) = final_count.filter(|c| c.packets != count.map_or(0, |now| now.packets)) {
        let at = next_count(session, asked, at_end.or(id), until);
        let fact = Fact::new("why.later").with("packets", then.packets.to_string());
        later = Some(Reason { fact: place(fact), at: at.map(|at| at + 1), packets: Vec::new() });
    }
    if reasons.is_empty() {
        reasons.push(Reason { fact: place(Fact::new("why.no_packets")), at: None, packets: Vec::new() });
    }
    // What was counted comes first, what merely passes elsewhere last.
    let weight = |r: &Reason| match r.fact.key {
        "why.counted" => 0,
        "why.delivered" | "why.forwarded" | "why.not_local" | "why.local" | "why.not_yet" => 2,
        _ => 1,
    };
    sort_by(&mut reasons, |a, b| weight(a).cmp(&weight(b)));
    reasons.extend(later);
    if remedies.len() > 1 {
        remedies.retain(|r| r.key != "remedy.nat_prerouting");
    }
    Answer { headline, reasons, remedies }
}

/// The first record from a position on in which the chain's policy or the rule counts.
fn next_count(session: &Session, asked: &Place<'_>, chain: Option<ChainId>, from: usize) -> Option<usize> {
    let chain = chain?;
    let found = session.records(from..usize::MAX).iter().position(|record| {
        let What::Host(event) = record.what else { return false };
        event.host.0 == asked.host.0
            && match (event.kind, asked.rule) {
                (EventKind::Rule { rule, outcome: Outcome::Matched }, Some(n)) => {
                    rule.table == asked.table && rule.chain == chain && usize::from(rule.rule) + 1 == n
                }
                (EventKind::Policy { table, chain: c, .. }, None) => table == asked.table && c == chain,
                _ => false,
            }
    });
    found.map(|n| from + n)
}

fn count(table: &Table, id: ChainId, rule: Option<usize>) -> Option<Counters> {
    let chain = table.chain(id)?;
    match rule {
        Some(n) => chain.rules.get(n.checked_sub(1)?).map(|r| r.counters),
        None => {
            let base = chain.base.as_ref()?;
            base.counters
        }
    }
}

/// `1, 3–5, 9`.
fn list(packets: &[u32]) -> String {
    let mut text = String::new();
    let mut i = 0;
    while i < packets.len() {
        let mut j = i;
        while j + 1 < packets.len() && packets[j + 1] == packets[j] + 1 {
            j += 1;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&packets[i].to_string());
        if j > i {
            text.push_str(if j == i + 1 { ", " } else { "–" });
            text.push_str(&packets[j].to_string());
        }
        i = j + 1;
    }
    text
}

/// What the packet did about the chain, with the record that shows it. A packet on loopback may pass twice.
fn meet(
    passage: &Passage,
    table: TableKind,
    hook: Option<Hook>,
    chain: Option<ChainId>,
    rule: Option<usize>,
) -> Vec<(Met, usize)> {
    let events = &passage.events;
    let mut met = Vec::new();
    let wanted = |h: Hook| match hook {
        Some(hook) => hook == h,
        None => table.hooks().contains(&h),
    };
    let mut i = 0;
    while i < events.len() {
        let (at, EventKind::Hook { hook: here, .. }) = events[i] else {
            i += 1;
            continue;
        };
        let end = (i + 1..events.len())
            .find(|j| matches!(events[*j].1, EventKind::Hook { .. }))
            .unwrap_or(events.len());
        if wanted(here) {
            met.push(at_hook(&events[i..end], at, table, hook.is_some(), chain, rule));
        }
        i = end;
    }
    if hook.is_none() {
        // A user chain is called from somewhere or nowhere.
        let called = met.iter().any(|(m, _)| *m != Met::NotCalled);
        met.retain(|(m, _)| *m != Met::NotCalled || !called);
        met.dedup_by(|a, b| a.0 == b.0);
    }
    if met.is_empty() {
        met.push(absent(passage, hook));
    }
    met
}

fn at_hook(
    events: &[(usize, EventKind)],
    entered: usize,
    table: TableKind,
    built_in: bool,
    chain: Option<ChainId>,
    rule: Option<usize>,
) -> (Met, usize) {
    let begins = events.iter().position(|(_, k)| match k {
        EventKind::Function { func: HookFn::Table(t), .. } => *t == table,
        EventKind::Function { func: HookFn::Nat, .. } => table == TableKind::Nat,
        _ => false,
    });
    let Some(begins) = begins else {
        let dropped = events.iter().find_map(|(at, k)| match k {
            EventKind::Drop { by } => Some((Met::DroppedBefore(*by), *at)),
            _ => None,
        });
        return dropped.unwrap_or((Met::NotThere, entered));
    };
    let inside = &events[begins + 1..];
    let inside_end =
        inside.iter().position(|(_, k)| matches!(k, EventKind::Function { .. })).unwrap_or(inside.len());
    let inside = &inside[..inside_end];
    if let Some((at, EventKind::NatSkipped { why, .. })) = inside.first() {
        return (Met::NatSkipped(*why), *at);
    }
    let mut in_chain = false;
    let mut entered_at = None;
    let mut last_match: Option<(RuleRef, usize)> = None;
    for (at, kind) in inside {
        match kind {
            EventKind::Chain { chain: c, .. } => {
                in_chain = Some(*c) == chain;
                if in_chain || (built_in && chain.is_none()) {
                    entered_at = Some(*at);
                }
            }
            EventKind::Jump { to } | EventKind::Goto { to } => {
                in_chain = Some(*to) == chain;
                if in_chain {
                    entered_at = Some(*at);
                }
            }
            EventKind::Return { to, .. } => in_chain = Some(*to) == chain,
            EventKind::Rule { rule: r, outcome } => {
                let this = Some(r.chain) == chain;
                if this && Some(usize::from(r.rule) + 1) == rule {
                    return match outcome {
                        Outcome::Matched => (Met::Counted, *at),
                        Outcome::Failed(c) | Outcome::HotDrop(c) => (Met::Failed(*c), *at),
                    };
                }
                if *outcome == Outcome::Matched {
                    last_match = Some((*r, *at));
                }
            }
            EventKind::Policy { chain: c, .. } if rule.is_none() && Some(*c) == chain => {
                return (Met::Counted, *at);
            }
            _ => {}
        }
    }
    let _ = in_chain;
    match (entered_at, last_match) {
        (None, _) if !built_in => (Met::NotCalled, entered),
        (None, _) => (Met::NotThere, entered),
        // The chain was entered: for a user chain without a rule in question that is what is counted.
        (Some(at), _) if rule.is_none() && !built_in => (Met::Counted, at),
        (Some(_), Some((r, at))) if Some(r.chain) == chain || rule.is_some() => {
            let terminal = inside.iter().any(|(_, k)| matches!(k, EventKind::Accept { rule } if *rule == r))
                || inside.iter().any(|(_, k)| {
                    matches!(k, EventKind::Drop { by: DropBy::Rule(x) | DropBy::Reject(x) | DropBy::Target(x) } if *x == r)
                });
            (if terminal { Met::DecidedBefore(r) } else { Met::LeftBefore(r) }, at)
        }
        (Some(at), Some((r, _))) => (Met::DecidedBefore(r), at),
        (Some(at), None) => (Met::Counted, at),
    }
}

/// The packet never came to the hook.
fn absent(passage: &Passage, hook: Option<Hook>) -> (Met, usize) {
    let first = passage.events[0].0;
    let last = passage.events.last().map_or(first, |e| e.0);
    let dropped = passage.dropped().map(|(at, by)| (Met::DroppedBefore(by), at));
    let local = passage.is_local();
    match hook {
        Some(Hook::Output) if !local => (Met::NotLocal, first),
        Some(Hook::Prerouting) if local => (Met::Local, first),
        Some(Hook::Forward) if local => (Met::Local, first),
        Some(Hook::Forward | Hook::Postrouting) if passage.is_delivered() => (Met::Delivered, last),
        _ if dropped.is_some() => dropped.unwrap_or((Met::NotYet, last)),
        Some(Hook::Input) if local => (Met::Local, first),
        Some(Hook::Input) => (Met::Forwarded, last),
        _ => (Met::NotYet, last),
    }
}

fn word(
    session: &mut Session,
    met: &Met,
    at: usize,
    host: StationId,
    table: TableKind,
    chain: Option<ChainId>,
    rule: Option<usize>,
) -> Fact {
    match met {
        Met::Counted => Fact::new("why.counted"),
        Met::Failed(condition) => failed(session, at, host, table, chain, rule, *condition),
        Met::DecidedBefore(r) => by_rule(session, at, host, *r, "why.decided_before"),
        Met::LeftBefore(r) => by_rule(session, at, host, *r, "why.left_before"),
        Met::NotCalled => Fact::new("why.not_called"),
        Met::NatSkipped(skip) => match skip {
            NatSkip::NoEntry => Fact::new("why.nat_no_entry"),
            NatSkip::Decided { by } => Fact::new("why.nat_decided").with("by", (by.0).to_string()),
            NatSkip::AlreadyDone { by } => Fact::new("why.nat_already_done").with("by", (by.0).to_string()),
            NatSkip::IcmpError => Fact::new("why.nat_icmp_error"),
            NatSkip::Confirmed => Fact::new("why.nat_too_late"),
        },
        Met::DroppedBefore(by) => dropped(session, at, host, *by),
        Met::Delivered => Fact::new("why.delivered"),
        Met::Forwarded => Fact::new("why.forwarded"),
        Met::NotLocal => Fact::new("why.not_local"),
        Met::Local => Fact::new("why.local"),
        Met::NotThere => Fact::new("why.not_there"),
        Met::NotYet => Fact::new("why.not_yet"),
    }
}

/// Who dropped it, in words.
pub(super) fn dropped(session: &mut Session, at: usize, host: StationId, by: DropBy) -> Fact {
    match by {
        DropBy::Rule(r) => by_rule(session, at, host, r, "why.dropped_by_rule"),
        DropBy::Reject(r) => by_rule(session, at, host, r, "why.rejected_by_rule"),
        DropBy::Target(r) => by_rule(session, at, host, r, "why.dropped_by_target"),
        DropBy::Match(r) => by_rule(session, at, host, r, "why.dropped_by_match"),
        DropBy::Policy { table, chain } => {
            session.seek(at);
            let name = session.world().host(host).and_then(|h| chain_name(h, table, chain));
            Fact::new("why.dropped_by_policy")
                .with("by_table", table.name())
                .with("by_chain", name.unwrap_or_default())
        }
        DropBy::Kernel(drop) => Fact::new(kernel_drop(drop)),
    }
}

/// A rule named by its place and its text.
pub(super) fn by_rule(
    session: &mut Session,
    at: usize,
    host: StationId,
    r: RuleRef,
    key: &'static str,
) -> Fact {
    session.seek(at);
    let world = session.world();
    let named = world.host(host).and_then(|h| Some((chain_name(h, r.table, r.chain)?, rule_text(h, r))));
    let (chain, text) = named.unwrap_or_default();
    Fact::new(key)
        .with("by_table", r.table.name())
        .with("by_chain", chain)
        .with("by_rule", (r.rule + 1).to_string())
        .with("by_text", text)
}

/// The chain's name; both families are asked, as events do not say which.
fn chain_name(host: &Host, table: TableKind, chain: ChainId) -> Option<String> {
    [Family::V4, Family::V6]
        .into_iter()
        .find_map(|f| Some(host.rules.table(f, table)?.chain(chain)?.name.to_string()))
}

/// The rule as `iptables -S` prints it.
fn rule_text(host: &Host, r: RuleRef) -> String {
    [Family::V4, Family::V6]
        .into_iter()
        .find_map(|f| {
            let table = host.rules.table(f, r.table)?;
            let chain = table.chain(r.chain)?;
            let rule = chain.rules.get(usize::from(r.rule))?;
            Some(super::words::rule(table, &chain.name, rule))
        })
        .unwrap_or_default()
}

fn failed(
    session: &mut Session,
    at: usize,
    host: StationId,
    table: TableKind,
    chain: Option<ChainId>,
    rule: Option<usize>,
    condition: Condition,
) -> Fact {
    session.seek(at);
    let what = match condition {
        Condition::Src => "why.failed_src",
        Condition::Dst => "why.failed_dst",
        Condition::InIface => "why.failed_in",
        Condition::OutIface => "why.failed_out",
        Condition::Proto => "why.failed_proto",
        Condition::Fragment => "why.failed_fragment",
        Condition::Match(_) => "why.failed_match",
    };
    let mut fact = Fact::new(what);
    let packet = session.records(at..at + 1).first().and_then(|r| r.what.packet());
    let world = session.world();
    let flight = world.flights().find(|(_, f)| Some(f.skb.id) == packet).map(|(_, f)| f);
    let (Some(h), Some(chain), Some(n)) = (world.host(host), chain, rule) else { return fact };
    let family = crate::met::family(flight.map(|f| &f.skb));
    let found = h.rules.table(family, table).and_then(|t| t.chain(chain)?.rules.get(n - 1));
    if let Some(flight) = flight {
        let met = crate::met::Met::new(h, &flight.skb, Some(&flight.at)).value(found, condition);
        if met.is_empty() {
            fact.key = "why.failed_bare";
        }
        fact = fact.with("met", met);
    }
    if let Some(rule) = found {
        fact = fact.with("wanted", super::words::condition(rule, condition, family));
    }
    fact
}

fn remedies_for(met: &Met, table: TableKind, hook: Option<Hook>) -> Vec<Fact> {
    let mut remedies = Vec::new();
    match met {
        Met::NatSkipped(NatSkip::Decided { .. } | NatSkip::AlreadyDone { .. }) => {
            if let Some(hook) = hook {
                // Where every packet of the connection is counted: filter or mangle at the same hook.
                let other = if TableKind::Filter.hooks().contains(&hook) { "filter" } else { "mangle" };
                let command = format!("iptables -t {other} -I {}", hook.chain_name());
                remedies.push(
                    Fact::new("remedy.count_elsewhere")
                        .with("other", other)
                        .with("hook", hook.chain_name())
                        .with("command", command),
                );
            }
        }
        Met::NatSkipped(NatSkip::Confirmed) => {
            remedies.push(Fact::new("remedy.delete_entry").with("command", "conntrack -D"));
        }
        Met::NatSkipped(NatSkip::NoEntry) => {
            remedies.push(
                Fact::new("remedy.drop_invalid")
                    .with("command", "iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP"),
            );
        }
        Met::Local if table == TableKind::Nat && hook == Some(Hook::Prerouting) => {
            remedies.push(Fact::new("remedy.nat_output").with("command", "iptables -t nat -A OUTPUT"));
        }
        Met::NotLocal if table == TableKind::Nat => remedies.push(Fact::new("remedy.nat_prerouting")),
        Met::Forwarded => remedies.push(Fact::new("remedy.use_forward")),
        Met::Delivered if hook == Some(Hook::Forward) => remedies.push(Fact::new("remedy.use_input")),
        Met::DroppedBefore(DropBy::Kernel(drop)) => {
            if let Some((key, command)) = kernel_remedy(*drop) {
                remedies.push(Fact::new(key).with("command", command));
            }
        }
        Met::DroppedBefore(DropBy::Policy { .. } | DropBy::Rule(_) | DropBy::Reject(_)) => {
            remedies.push(Fact::new("remedy.accept_before"));
        }
        _ => {}
    }
    remedies
}
