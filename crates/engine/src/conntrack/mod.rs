//! Connection tracking: what a connection is, and the table of those that are confirmed.
//!
//! The life of an entry: [`track()`] (`nf_conntrack_in`, at PREROUTING and OUTPUT) finds the packet's entry or makes an
//! [`Unconfirmed`] one that only its packet carries; [`confirm()`] (`nf_confirm`, at INPUT and POSTROUTING) consumes that
//! and puts an [`Entry`] into the [`table`]. A packet dropped in between takes it along ([`release`]).

mod closing;
pub mod confirm;
pub mod expect;
mod ftp;
#[cfg(test)]
mod hash_tests;
mod icmp;
pub(crate) mod l4;
pub mod notify;
mod sctp;
mod seqadj;
mod simple;
pub mod table;
pub mod tcp;
pub mod tool;
pub mod track;
pub mod tuple;
pub mod verify;
mod window;

pub use closing::set_closing;
pub use confirm::confirm;
pub use expect::{Expectation, Expectations, FollowMaster};
pub use notify::{CtEvent, CtEventKind, Notify};
pub use table::{Conntrack, Stats};
pub use tool::{NewEntry, create, set_timeout};
pub(crate) use track::account;
pub use track::{attach, collect, kill, next_timer, release, run_timers, track, wake};
pub use tuple::{Direction, Tuple};
pub use verify::{Broken, verify};

use crate::device::DevId;
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::{PacketId, Skb};
use crate::ruleset::{Counters, RuleRef};
use crate::time::{Duration, Time};

/// Names a confirmed entry for as long as it is in the table. Slots are reused; see [`Conn::serial`] for identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EntryId(pub u32);

/// Names an unconfirmed entry, on the "unconfirmed list" until its packet is confirmed or dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct UnconfirmedId(pub u32);

/// Either kind of entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConnRef {
    /// Carried by its packet, in no table.
    Unconfirmed(UnconfirmedId),
    /// In the table.
    Confirmed(EntryId),
}

/// `enum ip_conntrack_info`: how a packet stands to its entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CtInfo {
    /// `IP_CT_ESTABLISHED`: original direction, and a reply was seen.
    Established,
    /// `IP_CT_RELATED`: an expected connection's first packets, or an ICMP error about the original direction.
    Related,
    /// `IP_CT_NEW`.
    New,
    /// `IP_CT_ESTABLISHED_REPLY`.
    EstablishedReply,
    /// `IP_CT_RELATED_REPLY`.
    RelatedReply,
}

impl CtInfo {
    /// `CTINFO2DIR`.
    pub const fn direction(self) -> Direction {
        match self {
            CtInfo::Established | CtInfo::Related | CtInfo::New => Direction::Original,
            CtInfo::EstablishedReply | CtInfo::RelatedReply => Direction::Reply,
        }
    }
}

/// `skb->_nfct`: what conntrack attached to a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Nfct {
    /// Nothing. After the conntrack hook this is what `--ctstate INVALID` means.
    #[default]
    None,
    /// `IP_CT_UNTRACKED`: NOTRACK, or IPv6 neighbour discovery.
    Untracked,
    /// A template from `-j CT` in raw: zone, helper, timeout for the entry to come.
    Template(Template),
    /// An entry.
    Conn {
        /// Which one. Only the packet that made an unconfirmed entry owns it; answers (REJECT) only point to it.
        conn: ConnRef,
        /// How the packet stands to it.
        info: CtInfo,
    },
}

/// What `-j CT` without `--notrack` asks of the entry to come (net/netfilter/xt_CT.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Template {
    /// Zone.
    pub zone: Zone,
    /// Helper to attach.
    pub helper: Option<Helper>,
}

/// A conntrack zone and the directions that it holds for, `struct nf_conntrack_zone`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Zone {
    /// Its number; 0 is the default zone.
    pub id: u16,
    /// Does it count in the original direction's key?
    pub orig: bool,
    /// Does it count in the reply direction's key?
    pub reply: bool,
    /// `--zone mark`: the number is the packet's mark.
    pub from_mark: bool,
}

impl Default for Zone {
    fn default() -> Zone {
        Zone { id: 0, orig: true, reply: true, from_mark: false }
    }
}

/// A connection's helper. All but FTP's are attached and shown, but read no payload here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Helper {
    Ftp,
    Irc,
    Tftp,
    Amanda,
    Sane,
    Sip,
    Snmp,
    Pptp,
    Ras,
    Q931,
    NetbiosNs,
}

impl Helper {
    const ALL: [Helper; 11] = [
        Helper::Ftp,
        Helper::Irc,
        Helper::Tftp,
        Helper::Amanda,
        Helper::Sane,
        Helper::Sip,
        Helper::Snmp,
        Helper::Pptp,
        Helper::Ras,
        Helper::Q931,
        Helper::NetbiosNs,
    ];

    /// The kernel's helper of this name (`nf_conntrack_helper_try_module_get`).
    pub fn named(name: &str) -> Option<Helper> {
        Helper::ALL.into_iter().find(|h| h.name() == name)
    }
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Helper::Ftp => "ftp",
            Helper::Irc => "irc",
            Helper::Tftp => "tftp",
            Helper::Amanda => "amanda",
            Helper::Sane => "sane",
            Helper::Sip => "sip",
            Helper::Snmp => "snmp",
            Helper::Pptp => "pptp",
            Helper::Ras => "RAS",
            Helper::Q931 => "Q.931",
            Helper::NetbiosNs => "netbios-ns",
        }
    }
}

/// `enum ip_conntrack_status` (include/uapi/linux/netfilter/nf_conntrack_common.h).
pub mod status {
    #![allow(missing_docs)]
    pub const EXPECTED: u32 = 1 << 0;
    pub const SEEN_REPLY: u32 = 1 << 1;
    pub const ASSURED: u32 = 1 << 2;
    pub const CONFIRMED: u32 = 1 << 3;
    pub const SRC_NAT: u32 = 1 << 4;
    pub const DST_NAT: u32 = 1 << 5;
    pub const SEQ_ADJUST: u32 = 1 << 6;
    pub const SRC_NAT_DONE: u32 = 1 << 7;
    pub const DST_NAT_DONE: u32 = 1 << 8;
    pub const DYING: u32 = 1 << 9;
    pub const FIXED_TIMEOUT: u32 = 1 << 10;
    pub const TEMPLATE: u32 = 1 << 11;
    pub const UNTRACKED: u32 = 1 << 12;
    pub const HELPER: u32 = 1 << 13;
    pub const NAT_CLASH: u32 = 1 << 16;
}

/// `struct nf_conn`: a connection, confirmed or not.
///
/// What few connections have is behind one pointer ([`Rare`]): an entry must stay below 300 bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Conn {
    /// The tuple of each direction; the reply's is what NAT changes. Index with [`Direction`].
    pub tuples: [Tuple; 2],
    /// [`status`] bits.
    pub status: u32,
    /// `ct->mark`.
    pub mark: u32,
    /// Zone.
    pub zone: Zone,
    /// What the protocol's tracker keeps.
    pub proto: ProtoState,
    /// MASQUERADE: the device that the binding belongs to (`nf_conn_nat.masq_index`).
    pub masq_dev: Option<DevId>,
    /// Packets and bytes of each direction, where accounting was on when the entry was made.
    pub acct: Option<[Counters; 2]>,
    /// When it was confirmed, where timestamps were on.
    pub start: Option<Time>,
    /// The entry whose expectation this one fulfils.
    pub master: Option<EntryId>,
    /// Helper.
    pub helper: Option<Helper>,
    /// What few connections have.
    pub rare: Option<Box<Rare>>,
    /// Unique number in this run, in order of birth (`conntrack -o id` shows a hash of it).
    pub serial: u32,
    /// The packet that made it.
    pub born: PacketId,
    /// Who decided the source and the destination, once decided; index with [`crate::nat::Manip`].
    pub bindings: [Option<Binding>; 2],
    /// Events that wait for the next packet at a confirm hook (`struct nf_conntrack_ecache`); `None`: nobody listened
    /// when the entry was made.
    pub pending: Option<u16>,
}

/// Extensions that few connections have.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rare {
    /// Bits set by `-m connlabel --set` (`struct nf_conn_labels`).
    pub labels: u128,
    /// Sequence adjustment by a helper that changed lengths, by direction (`struct nf_conn_seqadj`).
    pub seqadj: Option<[SeqAdj; 2]>,
    /// The FTP helper: where lines begin (`struct nf_ct_ftp_master`).
    pub ftp: Option<FtpMaster>,
}

/// What the FTP helper keeps of its connection, `struct nf_ct_ftp_master`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FtpMaster {
    /// By direction, the last two sequence numbers that followed a newline, and how many of them are set.
    pub after_newline: [([u32; 2], u8); 2],
}

impl Conn {
    /// The status bit is set; see [`status`].
    pub const fn has(&self, bit: u32) -> bool {
        self.status & bit != 0
    }
    /// `IPS_CONFIRMED`: it is, or was, in the table.
    pub const fn confirmed(&self) -> bool {
        self.has(status::CONFIRMED)
    }
    /// The tuple of that direction.
    pub const fn tuple(&self, dir: Direction) -> &Tuple {
        &self.tuples[dir as usize]
    }
    /// The TCP state, for a TCP connection.
    pub const fn tcp_state(&self) -> Option<TcpConntrack> {
        match &self.proto {
            ProtoState::Tcp(tcp) => Some(tcp.state),
            _ => None,
        }
    }
    /// Label bits (`-m connlabel`).
    pub fn labels(&self) -> u128 {
        self.rare.as_ref().map_or(0, |r| r.labels)
    }
    /// Sets the label bits given.
    pub fn add_labels(&mut self, bits: u128) {
        if bits & !self.labels() != 0 {
            self.rare.get_or_insert_default().labels |= bits;
            self.note(notify::LABEL);
        }
    }
    /// Sets `ct->mark`; a change is an event for listeners (`IPCT_MARK`).
    pub fn set_mark(&mut self, mark: u32) {
        if self.mark != mark {
            self.mark = mark;
            self.note(notify::MARK);
        }
    }
    /// `nf_conntrack_event_cache`: something changed that listeners hear of at the next confirm hook.
    pub fn note(&mut self, bits: u16) {
        if let Some(pending) = &mut self.pending {
            *pending |= bits;
        }
    }
}

impl Net {
    /// The packet's connection, if it carries one.
    pub fn conn_of(&self, skb: &Skb) -> Option<&Conn> {
        match skb.nfct {
            Nfct::Conn { conn, .. } => self.ct.conn(conn),
            _ => None,
        }
    }
    /// The packet's connection, if it carries one.
    pub fn conn_of_mut(&mut self, skb: &Skb) -> Option<&mut Conn> {
        match skb.nfct {
            Nfct::Conn { conn, .. } => self.ct.conn_mut(conn),
            _ => None,
        }
    }
    /// Seconds until the packet's entry expires, rounded down; 0 while it is unconfirmed (`nf_ct_expires`).
    pub fn ct_expires(&self, skb: &Skb) -> u64 {
        match skb.nfct {
            Nfct::Conn { conn, .. } => self.ct.remaining(conn, self.now).as_secs(),
            _ => 0,
        }
    }
}

/// `struct nf_ct_seqadj`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SeqAdj {
    /// Sequence number from which `after` holds.
    pub at: u32,
    /// Offset up to there.
    pub before: i32,
    /// Offset from there.
    pub after: i32,
}

/// Which packet decided a NAT binding, where, and by which rule. `rule: None` is a null binding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The packet for which nat was consulted.
    pub packet: PacketId,
    /// The hook.
    pub hook: Hook,
    /// The rule whose target decided; `None`: no rule did (`nf_nat_alloc_null_binding`).
    pub rule: Option<RuleRef>,
    /// Did the tuple change? A null binding changes it too where the port would clash.
    pub changed: bool,
}

/// What a protocol's tracker keeps, `union nf_conntrack_proto`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ProtoState {
    /// TCP.
    Tcp(TcpState),
    /// UDP and UDP-Lite: the stream begins two seconds after this.
    Udp {
        /// Creation plus two seconds (`nf_ct_udp_packet`).
        stream_from: Time,
    },
    /// GRE.
    Gre,
    /// SCTP.
    Sctp(SctpState),
    /// ICMP, ICMPv6 and generic keep nothing.
    Other,
}

/// `enum tcp_conntrack`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TcpConntrack {
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
}

/// `struct ip_ct_tcp`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TcpState {
    /// Each direction's window.
    pub seen: [TcpWindow; 2],
    /// State.
    pub state: TcpConntrack,
    /// Direction of the last packet.
    pub last_dir: Direction,
    /// Consecutive identical ACKs.
    pub retrans: u8,
    /// Class of the last packet (SYN, SYNACK, FIN, ACK, RST, NONE), as the tracker numbers them.
    pub last_index: u8,
    /// Sequence number of the last packet.
    pub last_seq: u32,
    /// Acknowledgement of the last packet.
    pub last_ack: u32,
    /// Sequence end of the last packet.
    pub last_end: u32,
    /// Window of the last packet.
    pub last_win: u16,
    /// Window scale of a SYN that was ignored.
    pub last_wscale: u8,
    /// Flags of a SYN that was ignored.
    pub last_flags: u8,
}

/// `struct ip_ct_tcp_state`: one direction's view of the sequence space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpWindow {
    /// Highest sequence number sent, plus one.
    pub end: u32,
    /// Highest that may be sent.
    pub maxend: u32,
    /// Largest window announced.
    pub maxwin: u32,
    /// Highest acknowledgement sent.
    pub maxack: u32,
    /// Window scale.
    pub scale: u8,
    /// `IP_CT_TCP_FLAG_*`.
    pub flags: u8,
}

/// `struct ip_ct_sctp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SctpState {
    /// State number as in `enum sctp_conntrack`.
    pub state: u8,
    /// Verification tags, per direction.
    pub vtag: [u32; 2],
    /// INIT, heartbeat bookkeeping.
    pub flags: u8,
}

/// An entry that is in no table: only its packet carries it.
#[derive(Clone, PartialEq, Debug)]
pub struct Unconfirmed {
    /// The connection.
    pub conn: Conn,
    /// The timeout that confirm will start.
    pub timeout: Duration,
}

/// An entry in the table.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The connection.
    pub conn: Conn,
    /// When it expires: absent from then on, even where nobody has removed it yet.
    pub expires: Time,
    /// Its place in the hash chains.
    pub(crate) links: table::Links,
}
