//! `-m` matches: what each takes, and how it is printed. One file a subject; here the list of them.

mod ct;
mod header;
mod icmp;
mod misc;
mod ports;
mod rate;

pub(crate) use header::dscp_class;

use super::option::Ext;
use hookwalk_engine::Family;
use hookwalk_engine::matches::Match;

/// How a listing is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// `-n`.
    pub(crate) numeric: bool,
    /// The rule's family.
    pub(crate) family: Family,
    /// The rule's protocol, 0 if none.
    pub(crate) proto: u8,
}

/// All matches.
static ALL: &[&Ext<Match>] = &[
    &ports::TCP,
    &ports::UDP,
    &ports::MULTIPORT,
    &icmp::ICMP,
    &icmp::ICMP6,
    &ct::CONNTRACK,
    &ct::STATE,
    &ct::CONNMARK,
    &header::TTL,
    &header::HL,
    &header::TOS,
    &header::DSCP,
    &header::LENGTH,
    &header::MAC,
    &header::MARK,
    &header::PKTTYPE,
    &rate::LIMIT,
    &rate::STATISTIC,
    &misc::COMMENT,
    &misc::ADDRTYPE,
    &misc::IPRANGE,
    &misc::OWNER,
];

/// The match of this name in this family.
pub(crate) fn find(name: &str, family: Family) -> Option<&'static Ext<Match>> {
    ALL.iter().copied().find(|e| e.name == name && e.family.is_none_or(|f| f == family))
}

/// The match that `-p` brings along.
pub(crate) fn of_protocol(proto: u8) -> Option<&'static str> {
    Some(match proto {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        50 => "esp",
        51 => "ah",
        58 => "icmp6",
        108 => "ipcomp",
        132 => "sctp",
        135 => "mh",
        _ => return None,
    })
}

/// The options as iptables-save prints them, each word with a blank before it.
pub(crate) fn save(m: &Match, family: Family, out: &mut String) {
    match m {
        Match::Tcp(m) => ports::save_tcp(m, out),
        Match::Udp(m) => ports::save_udp(m, out),
        Match::Multiport(m) => ports::save_multiport(m, out),
        Match::Icmp(m) => icmp::save(m, "icmp-type", out),
        Match::Icmp6(m) => icmp::save(m, "icmpv6-type", out),
        Match::Conntrack(m) => ct::save_conntrack(m, family, out),
        Match::State(m) => ct::save_state(m, out),
        Match::Connmark(m) => header::save_mark(&m.mark, out),
        Match::Mark(m) => header::save_mark(&m.mark, out),
        Match::Ttl(m) => header::save_ttl(m, "ttl", out),
        Match::Hl(m) => header::save_ttl(m, "hl", out),
        Match::Tos(m) => header::save_tos(m, out),
        Match::Dscp(m) => header::save_dscp(m, out),
        Match::Length(m) => header::save_length(m, out),
        Match::Mac(m) => header::save_mac(m, out),
        Match::Pkttype(m) => header::save_pkttype(m, out),
        Match::Limit(m) => rate::save_limit(m, out),
        Match::Statistic(m) => rate::save_statistic(m, out),
        Match::Comment(text) => misc::save_comment(text, out),
        Match::Addrtype(m) => misc::save_addrtype(m, out),
        Match::Iprange(m) => misc::save_iprange(m, family, out),
        Match::Owner(m) => misc::save_owner(m, out),
        _ => {}
    }
}

/// The condition as a listing prints it, with a blank before it.
pub(crate) fn list(m: &Match, style: Style, out: &mut String) {
    match m {
        Match::Tcp(m) => ports::list_tcp(m, style, out),
        Match::Udp(m) => ports::list_udp(m, style, out),
        Match::Multiport(m) => ports::list_multiport(m, style, out),
        Match::Icmp(m) => icmp::list_icmp(m, style, out),
        Match::Icmp6(m) => icmp::list_icmp6(m, style, out),
        Match::Conntrack(m) => ct::list_conntrack(m, style.family, out),
        Match::State(m) => ct::list_state(m, out),
        Match::Connmark(m) => header::list_connmark(&m.mark, out),
        Match::Mark(m) => header::list_mark(&m.mark, out),
        Match::Ttl(m) => header::list_ttl(m, "TTL match TTL", out),
        Match::Hl(m) => header::list_ttl(m, "HL match HL", out),
        Match::Tos(m) => header::list_tos(m, style, out),
        Match::Dscp(m) => header::list_dscp(m, out),
        Match::Length(m) => header::list_length(m, out),
        Match::Mac(m) => header::list_mac(m, out),
        Match::Pkttype(m) => header::list_pkttype(m, out),
        Match::Limit(m) => rate::list_limit(m, out),
        Match::Statistic(m) => rate::list_statistic(m, out),
        Match::Comment(text) => misc::list_comment(text, out),
        Match::Addrtype(m) => misc::list_addrtype(m, out),
        Match::Iprange(m) => misc::list_iprange(m, style.family, out),
        Match::Owner(m) => misc::list_owner(m, style, out),
        _ => {}
    }
}
