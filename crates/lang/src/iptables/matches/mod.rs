//! `-m` matches: what each takes, and how it is printed. One file a subject; here the list of them.

mod content;
mod ct;
mod device;
mod header;
mod icmp;
mod misc;
mod opaque;
mod ports;
mod proto;
mod rate;
mod recent;
mod track;

pub(crate) use content::{civil, nft_time};
pub(crate) use device::{put_set, set_ref};
pub(crate) use header::dscp_class;
pub(crate) use proto::{nft_chunks, nft_dccp_types};
pub(crate) use rate::rate_of;
pub(crate) use recent::nft_hashlimit;

use super::option::Ext;
use hookwalk_engine::matches::Match;
use hookwalk_engine::{FULL, Family};

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

/// The matches that most rules have; the player reads these only.
static COMMON: &[&Ext<Match>] = &[
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

/// The others.
static RARE: &[&Ext<Match>] = &[
    &header::TOS,
    &header::DSCP,
    &track::CONNBYTES,
    &track::CONNLIMIT,
    &track::CONNLABEL,
    &track::CLUSTER,
    &track::HELPER,
    &recent::RECENT,
    &recent::QUOTA,
    &recent::HASHLIMIT,
    &content::STRING,
    &content::U32,
    &content::TIME,
    &device::PHYSDEV,
    &device::RPFILTER,
    &device::SOCKET,
    &device::CPU,
    &device::DEVGROUP,
    &device::REALM,
    &device::POLICY,
    &device::SET,
    &proto::SCTP,
    &proto::DCCP,
    &proto::AH,
    &proto::AH6,
    &proto::ESP,
    &proto::IPCOMP,
    &proto::MH,
    &proto::TCPMSS,
    &proto::FRAG,
    &proto::IPV6HEADER,
    &proto::EUI64,
    &proto::ECN,
    &opaque::CGROUP,
    &opaque::OSF,
    &opaque::BPF,
    &opaque::NFACCT,
    &opaque::RATEEST,
    &opaque::IPVS,
    &opaque::DST,
    &opaque::HBH,
    &opaque::RT,
    &opaque::SRH,
];

/// All that can be read.
fn all() -> impl Iterator<Item = &'static Ext<Match>> {
    let rare = if FULL { RARE } else { &[] };
    COMMON.iter().chain(rare).copied()
}

/// The match of this name in this family.
pub(crate) fn find(name: &str, family: Family) -> Option<&'static Ext<Match>> {
    let name = match name {
        "icmpv6" | "ipv6-icmp" => "icmp6",
        _ => name,
    };
    all().find(|e| e.name == name && e.family.is_none_or(|f| f == family))
}

/// The names of a family's matches.
pub(crate) fn names(family: Family) -> impl Iterator<Item = &'static str> {
    all().filter(move |e| e.family.is_none_or(|f| f == family)).map(|e| e.name)
}

/// The states that `--ctstate` takes, or `--state`.
pub(crate) fn state_names(ctstate: bool) -> Vec<&'static str> {
    ct::state_names(ctstate)
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
        Match::Length(m) => header::save_length(m, out),
        Match::Mac(m) => header::save_mac(m, out),
        Match::Pkttype(m) => header::save_pkttype(m, out),
        Match::Limit(m) => rate::save_limit(m, out),
        Match::Statistic(m) => rate::save_statistic(m, out),
        Match::Comment(text) => misc::save_comment(text, out),
        Match::Addrtype(m) => misc::save_addrtype(m, out),
        Match::Iprange(m) => misc::save_iprange(m, family, out),
        Match::Owner(m) => misc::save_owner(m, out),
        _ if !FULL => {}
        Match::Tos(m) => header::save_tos(m, out),
        Match::Dscp(m) => header::save_dscp(m, out),
        Match::Connbytes(m) => track::save_connbytes(m, out),
        Match::Connlimit(m) => track::save_connlimit(m, family, out),
        Match::Connlabel(m) => track::save_connlabel(m, out),
        Match::Cluster(m) => track::save_cluster(m, out),
        Match::Helper(m) => track::save_helper(m, out),
        Match::Recent(m) => recent::save_recent(m, family, out),
        Match::Quota(m) => recent::save_quota(m, out),
        Match::Hashlimit(m) => recent::save_hashlimit(m, family, out),
        Match::String(m) => content::save_string(m, out),
        Match::U32(m) => content::save_u32(m, out),
        Match::Time(m) => content::save_time(m, out),
        Match::Physdev(m) => device::save_physdev(m, out),
        Match::Rpfilter(m) => device::put_rpfilter(m, "--", out),
        Match::Socket(m) => device::save_socket(m, out),
        Match::Cpu(m) => device::save_cpu(m, out),
        Match::Devgroup(m) => device::put_devgroup(m, "--", false, out),
        Match::Realm(m) => device::put_realm(m, "--", false, out),
        Match::Policy(m) => device::save_policy(m, out),
        Match::Set(m) => device::save_set(m, out),
        Match::Sctp(m) => proto::save_sctp(m, out),
        Match::Dccp(m) => proto::save_dccp(m, out),
        Match::Ah(m) => proto::save_ah(m, out),
        Match::Esp(m) => proto::save_spi(m, "espspi", out),
        Match::Ipcomp(m) => proto::save_spi(m, "ipcompspi", out),
        Match::Mh(m) => proto::save_mh(m, out),
        Match::Tcpmss(m) => proto::save_tcpmss(m, out),
        Match::Frag(m) => proto::save_frag(m, out),
        Match::Ipv6header(m) => proto::save_ipv6header(m, out),
        Match::Eui64 => {}
        Match::Ecn(m) => proto::save_ecn(m, out),
        Match::Opaque(m) => opaque::save(m, out),
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
        Match::Conntrack(m) => ct::list_conntrack(m, style, out),
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
        Match::Connbytes(m) => track::list_connbytes(m, out),
        Match::Connlimit(m) => track::list_connlimit(m, style.family, out),
        Match::Connlabel(m) => track::list_connlabel(m, out),
        Match::Cluster(m) => track::list_cluster(m, out),
        Match::Helper(m) => track::list_helper(m, out),
        Match::Recent(m) => recent::list_recent(m, style.family, out),
        Match::Quota(m) => recent::list_quota(m, out),
        Match::Hashlimit(m) => recent::list_hashlimit(m, style.family, out),
        Match::String(m) => content::list_string(m, out),
        Match::U32(m) => content::list_u32(m, out),
        Match::Time(m) => content::list_time(m, out),
        Match::Physdev(m) => device::list_physdev(m, out),
        Match::Rpfilter(m) => {
            out.push_str(" rpfilter");
            device::put_rpfilter(m, "", out);
        }
        Match::Socket(m) => {
            out.push_str(" socket");
            device::save_socket(m, out);
        }
        Match::Cpu(m) => device::list_cpu(m, out),
        Match::Devgroup(m) => device::put_devgroup(m, "", style.numeric, out),
        Match::Realm(m) => device::put_realm(m, "", style.numeric, out),
        Match::Policy(m) => device::list_policy(m, style, out),
        Match::Set(m) => device::list_set(m, out),
        Match::Sctp(m) => proto::list_sctp(m, style, out),
        Match::Dccp(m) => proto::list_dccp(m, style, out),
        Match::Ah(m) => proto::list_ah(m, out),
        Match::Esp(m) => proto::list_spis(m, "esp", out),
        Match::Ipcomp(m) => proto::list_spis(m, "comp", out),
        Match::Mh(m) => proto::list_mh(m, style, out),
        Match::Tcpmss(m) => proto::list_tcpmss(m, out),
        Match::Frag(m) => proto::list_frag(m, out),
        Match::Ipv6header(m) => proto::list_ipv6header(m, style, out),
        Match::Eui64 => {}
        Match::Ecn(m) => proto::list_ecn(m, out),
        Match::Opaque(m) => opaque::list(m, out),
    }
}
