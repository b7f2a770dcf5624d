//! Values in the field's own notation for the answers: addresses, rules, conditions, and what a condition met.

use crate::session::Session;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::event::Condition;
use hookwalk_engine::nat::Manip;
use hookwalk_engine::packet::Packet;
use hookwalk_engine::ruleset::{Rule, Table};

/// `10.0.0.1:80`, `[fd00::1]:80`, `10.0.0.1`.
pub(super) fn half(packet: &Packet, manip: Manip) -> String {
    let (addr, port) = match manip {
        Manip::Src => (packet.src, packet.ports().map(|p| p.0)),
        Manip::Dst => (packet.dst, packet.ports().map(|p| p.1)),
    };
    let ip = addr.ip(packet.family);
    match (port, packet.family) {
        (Some(port), Family::V4) => format!("{ip}:{port}"),
        (Some(port), Family::V6) => format!("[{ip}]:{port}"),
        (None, _) => ip.to_string(),
    }
}

/// One end of the packet of this record, as it is at the session's position.
pub(super) fn end(session: &Session, record: usize, manip: Manip) -> String {
    let packet = session.records(record..record + 1).first().and_then(|r| r.what.packet());
    let found = session.world().flights().find(|(_, f)| Some(f.skb.id) == packet);
    found.map(|(_, f)| half(&f.skb.packet, manip)).unwrap_or_default()
}

/// An address and port that the packet of this record had before, written as [`half`] does.
pub(super) fn old_end(session: &Session, record: usize, (addr, port): (Addr, u16)) -> String {
    let packet = session.records(record..record + 1).first().and_then(|r| r.what.packet());
    let found = session.world().flights().find(|(_, f)| Some(f.skb.id) == packet);
    let Some((_, flight)) = found else { return String::new() };
    let packet = &flight.skb.packet;
    let ip = addr.ip(packet.family);
    match (packet.ports(), packet.family) {
        (None, _) => ip.to_string(),
        (_, Family::V4) => format!("{ip}:{port}"),
        (_, Family::V6) => format!("[{ip}]:{port}"),
    }
}

/// The rule as `iptables -S` prints it.
pub(super) fn rule(table: &Table, chain: &str, rule: &Rule) -> String {
    hookwalk_lang::iptables::rule_text(table, chain, rule)
}

/// The condition as the rule writes it.
pub(super) fn condition(rule: &Rule, condition: Condition, family: Family) -> String {
    hookwalk_lang::iptables::condition_text(rule, condition, family)
}
