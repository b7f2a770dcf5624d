//! `-m` matches: small files by subject, here the list of them.
//!
//! A match is a value that tests a packet. Those with a state of their own (limit, statistic, quota …) hold it in
//! themselves, so that a snapshot of the rules is a snapshot of the state; [`Match::fresh`] gives one as just loaded.
//! Lists that rules share by name (recent, hashlimit, sets) are in [`crate::host::Net`].

pub mod addrtype;
pub mod connbytes;
pub mod connlimit;
pub mod conntrack;
pub mod ct_extra;
pub mod device;
pub mod hashlimit;
pub mod header;
pub mod icmp;
pub mod iprange;
pub mod limit;
pub mod mac;
pub mod mark;
pub mod multiport;
pub mod opaque;
pub mod owner;
pub mod physdev;
pub mod policy;
pub mod proto_extra;
pub mod quota;
pub mod recent;
pub mod rpfilter;
pub mod set;
pub mod socket;
pub mod statistic;
pub mod string;
pub mod tcp;
pub mod time;
mod transport;
pub mod u32;
pub mod udp;

use crate::FULL;
use crate::conntrack::{Conn, Helper};
use crate::device::DevId;
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;
use std::sync::Arc;

pub use addrtype::{AddrTypeMatch, AddrTypes};
pub use connbytes::{ConnbytesDir, ConnbytesMatch, ConnbytesMode};
pub use connlimit::{ConnCount, ConnlimitMatch};
pub use conntrack::{ConntrackMatch, CtStates, StateMatch};
pub use ct_extra::{ClusterMatch, ConnlabelMatch, HelperMatch};
pub use device::{CpuMatch, DevgroupMatch, RealmMatch};
pub use hashlimit::{HashlimitMatch, HashlimitMode, HashlimitTables};
pub use header::{DscpMatch, EcnMatch, LengthMatch, PktTypeMatch, Relation, TosMatch, TtlMatch};
pub use icmp::{IcmpMatch, IcmpType};
pub use iprange::IprangeMatch;
pub use limit::{LimitBucket, LimitMatch};
pub use mac::MacMatch;
pub use mark::{ConnmarkMatch, MarkMatch, MaskedMark};
pub use multiport::{MultiportMatch, PortSide};
pub use opaque::OpaqueMatch;
pub use owner::OwnerMatch;
pub use physdev::PhysdevMatch;
pub use policy::PolicyMatch;
pub use proto_extra::{
    AhMatch, ChunkFlags, ChunkScope, DccpMatch, FragMatch, Ipv6HeaderMatch, MhMatch, SctpChunks, SctpMatch,
    SpiMatch, TcpmssMatch,
};
pub use quota::QuotaMatch;
pub use recent::{RecentAction, RecentLists, RecentMatch};
pub use rpfilter::RpfilterMatch;
pub use set::{Compare, SetMatch, SetRef};
pub use socket::SocketMatch;
pub use statistic::{StatisticMatch, StatisticMode};
pub use string::{StringAlgo, StringMatch};
pub use tcp::{PortRange, TcpMatch};
pub use time::TimeMatch;
pub use u32::{U32Match, U32Op, U32Test};
pub use udp::UdpMatch;

/// One `-m` condition with its options. The variants' names are the matches' names.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Match {
    Tcp(TcpMatch),
    Udp(UdpMatch),
    Icmp(IcmpMatch),
    Icmp6(IcmpMatch),
    Conntrack(Arc<ConntrackMatch>),
    State(StateMatch),
    /// `-m comment --comment`: always true.
    Comment(Arc<str>),
    Multiport(MultiportMatch),
    Mac(MacMatch),
    Owner(OwnerMatch),
    Addrtype(AddrTypeMatch),
    Mark(MarkMatch),
    Connmark(ConnmarkMatch),
    Limit(LimitMatch),
    Hashlimit(Arc<HashlimitMatch>),
    Recent(Arc<RecentMatch>),
    Connlimit(Box<ConnlimitMatch>),
    Connbytes(ConnbytesMatch),
    Set(Arc<SetMatch>),
    Iprange(Arc<IprangeMatch>),
    Length(LengthMatch),
    Ttl(TtlMatch),
    Hl(TtlMatch),
    Tos(TosMatch),
    Dscp(DscpMatch),
    Ecn(EcnMatch),
    Pkttype(PktTypeMatch),
    Statistic(StatisticMatch),
    String(Arc<StringMatch>),
    Time(Arc<TimeMatch>),
    Physdev(Arc<PhysdevMatch>),
    Policy(Arc<PolicyMatch>),
    Rpfilter(RpfilterMatch),
    Socket(SocketMatch),
    U32(U32Match),
    Quota(QuotaMatch),
    Helper(HelperMatch),
    Connlabel(ConnlabelMatch),
    Cluster(ClusterMatch),
    Cpu(CpuMatch),
    Devgroup(DevgroupMatch),
    Realm(RealmMatch),
    Dccp(DccpMatch),
    Sctp(SctpMatch),
    Ah(AhMatch),
    Esp(SpiMatch),
    Ipcomp(SpiMatch),
    Mh(MhMatch),
    Tcpmss(TcpmssMatch),
    Frag(FragMatch),
    Ipv6header(Ipv6HeaderMatch),
    /// `-m eui64`: the source's interface identifier is made from the frame's source address.
    Eui64,
    /// Kept and printed, not simulated.
    Opaque(Arc<OpaqueMatch>),
}

/// What a match looks at.
pub struct MatchCx<'a> {
    /// The packet.
    pub skb: &'a mut Skb,
    /// The hook that the chain was entered from.
    pub hook: Hook,
    /// Input device.
    pub in_dev: Option<DevId>,
    /// Output device.
    pub out_dev: Option<DevId>,
    /// The rest of the host.
    pub net: &'a mut Net,
}

/// What a match says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// The condition holds.
    Yes,
    /// It does not.
    No,
    /// `par->hotdrop`: drop the packet at once, whatever the rule says.
    HotDrop,
    /// It cannot be known here; the rule is reported as "not simulated" and does not match.
    NotSimulated,
}

impl From<bool> for Matched {
    fn from(yes: bool) -> Matched {
        if yes { Matched::Yes } else { Matched::No }
    }
}

impl MatchCx<'_> {
    /// The packet's connection, whichever kind it is.
    pub fn conn(&self) -> Option<&Conn> {
        self.net.conn_of(self.skb)
    }
    /// The helper of the connection's master.
    pub fn master_helper(&self) -> Option<Helper> {
        let master = self.conn()?.master?;
        self.net.ct.entry(master)?.conn.helper
    }
}

impl Match {
    /// Its name, as after `-m`.
    pub fn name(&self) -> &str {
        match self {
            Match::Tcp(_) => "tcp",
            Match::Udp(_) => "udp",
            Match::Icmp(_) => "icmp",
            Match::Icmp6(_) => "icmp6",
            Match::Conntrack(_) => "conntrack",
            Match::State(_) => "state",
            Match::Comment(_) => "comment",
            Match::Multiport(_) => "multiport",
            Match::Mac(_) => "mac",
            Match::Owner(_) => "owner",
            Match::Addrtype(_) => "addrtype",
            Match::Mark(_) => "mark",
            Match::Connmark(_) => "connmark",
            Match::Limit(_) => "limit",
            Match::Hashlimit(_) => "hashlimit",
            Match::Recent(_) => "recent",
            Match::Connlimit(_) => "connlimit",
            Match::Connbytes(_) => "connbytes",
            Match::Set(_) => "set",
            Match::Iprange(_) => "iprange",
            Match::Length(_) => "length",
            Match::Ttl(_) => "ttl",
            Match::Hl(_) => "hl",
            Match::Tos(_) => "tos",
            Match::Dscp(_) => "dscp",
            Match::Ecn(_) => "ecn",
            Match::Pkttype(_) => "pkttype",
            Match::Statistic(_) => "statistic",
            Match::String(_) => "string",
            Match::Time(_) => "time",
            Match::Physdev(_) => "physdev",
            Match::Policy(_) => "policy",
            Match::Rpfilter(_) => "rpfilter",
            Match::Socket(_) => "socket",
            Match::U32(_) => "u32",
            Match::Quota(_) => "quota",
            Match::Helper(_) => "helper",
            Match::Connlabel(_) => "connlabel",
            Match::Cluster(_) => "cluster",
            Match::Cpu(_) => "cpu",
            Match::Devgroup(_) => "devgroup",
            Match::Realm(_) => "realm",
            Match::Dccp(_) => "dccp",
            Match::Sctp(_) => "sctp",
            Match::Ah(_) => "ah",
            Match::Esp(_) => "esp",
            Match::Ipcomp(_) => "ipcomp",
            Match::Mh(_) => "mh",
            Match::Tcpmss(_) => "tcpmss",
            Match::Frag(_) => "frag",
            Match::Ipv6header(_) => "ipv6header",
            Match::Eui64 => "eui64",
            Match::Opaque(m) => &m.name,
        }
    }

    /// The same condition as it is when the rule is loaded: its own state begins anew. Two rules are the same to
    /// `-C` and `-D` if their fresh matches are equal.
    pub fn fresh(&self) -> Match {
        let mut new = self.clone();
        match &mut new {
            Match::Limit(m) => m.bucket = None,
            Match::Quota(m) => m.left = m.quota,
            Match::Connlimit(m) => m.counted = ConnCount::default(),
            Match::Statistic(m) => m.reset(),
            _ => {}
        }
        new
    }

    /// Tests the packet; stateful matches are charged.
    pub fn test(&mut self, cx: &mut MatchCx<'_>) -> Matched {
        match self {
            Match::Tcp(m) => m.test(cx),
            Match::Udp(m) => m.test(cx),
            Match::Icmp(m) | Match::Icmp6(m) => m.test(cx),
            Match::Conntrack(m) => m.test(cx),
            Match::State(m) => m.test(cx),
            Match::Comment(_) => Matched::Yes,
            Match::Multiport(m) => m.test(cx),
            Match::Mac(m) => m.test(cx),
            Match::Owner(m) => m.test(cx),
            Match::Addrtype(m) => m.test(cx),
            Match::Mark(m) => m.test(cx),
            Match::Connmark(m) => m.test(cx),
            Match::Limit(m) => m.test(cx),
            Match::Iprange(m) => m.test(cx),
            Match::Length(m) => m.test(cx),
            Match::Ttl(m) | Match::Hl(m) => m.test(cx),
            Match::Pkttype(m) => m.test(cx),
            Match::Statistic(m) => m.test(cx),
            // The player reads no rule with any of the others.
            _ if !FULL => Matched::NotSimulated,
            Match::Hashlimit(m) => m.test(cx),
            Match::Recent(m) => m.test(cx),
            Match::Connlimit(m) => m.test(cx),
            Match::Connbytes(m) => m.test(cx),
            Match::Set(m) => m.test(cx),
            Match::Tos(m) => m.test(cx),
            Match::Dscp(m) => m.test(cx),
            Match::Ecn(m) => m.test(cx),
            Match::String(m) => m.test(cx),
            Match::Time(m) => m.test(cx),
            Match::Physdev(m) => m.test(cx),
            Match::Policy(m) => m.test(cx),
            Match::Rpfilter(m) => m.test(cx),
            Match::Socket(m) => m.test(cx),
            Match::U32(m) => m.test(cx),
            Match::Quota(m) => m.test(cx),
            Match::Helper(m) => m.test(cx),
            Match::Connlabel(m) => m.test(cx),
            Match::Cluster(m) => m.test(cx),
            // Which processor takes a packet is the hardware's affair.
            Match::Cpu(_) => Matched::NotSimulated,
            Match::Devgroup(m) => m.test(cx),
            Match::Realm(m) => m.test(cx),
            Match::Dccp(m) => m.test(cx),
            Match::Sctp(m) => m.test(cx),
            Match::Ah(m) => m.test(cx),
            Match::Esp(m) => m.test_esp(cx),
            Match::Ipcomp(m) => m.test_ipcomp(cx),
            Match::Mh(m) => m.test(cx),
            Match::Tcpmss(m) => m.test(cx),
            Match::Frag(m) => m.test(cx),
            Match::Ipv6header(m) => m.test(cx),
            Match::Eui64 => proto_extra::test_eui64(cx),
            Match::Opaque(m) => m.test(cx),
        }
    }
}

// Rules are walked by the thousand: a match fits a cache line.
const _: () = assert!(size_of::<Match>() <= 48);
