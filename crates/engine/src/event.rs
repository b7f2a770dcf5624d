//! What happens, one event a step. The page, `why`, TRACE and the transcript are all made from these.
//!
//! An event is small and holds no text: it names rules, entries and packets; who wants more restores the state at
//! its position.

use crate::addr::Addr;
use crate::conntrack::{ConnRef, CtInfo, EntryId, TcpConntrack, UnconfirmedId};
use crate::device::DevId;
use crate::hook::{Hook, HookFn, Priority};
use crate::host::HostId;
use crate::nat::Manip;
use crate::packet::PacketId;
use crate::ruleset::{ChainId, Policy, RuleRef, TableKind};

/// Something that happened to a packet in a host.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Event {
    /// The packet; 0 where none is involved (a timer, a command).
    pub packet: PacketId,
    /// The host.
    pub host: HostId,
    /// What.
    pub kind: EventKind,
}

/// The one list of things that happen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum EventKind {
    /// A frame came in from a device (`ip_rcv`).
    Receive {
        /// The device.
        dev: DevId,
    },
    /// A local process or the kernel itself sends a packet.
    Originate {
        /// Who.
        by: Origin,
        /// The packet that it answers; 0 if none.
        answers: PacketId,
    },
    /// Enters a hook; the devices are fixed for all functions of it.
    Hook {
        /// Which.
        hook: Hook,
        /// Input device.
        in_dev: Option<DevId>,
        /// Output device.
        out_dev: Option<DevId>,
    },
    /// A function of the hook begins.
    Function {
        /// Its priority.
        priority: Priority,
        /// Which function.
        func: HookFn,
    },
    /// A fragment was put aside until the rest is there.
    FragmentHeld,
    /// The last fragment came; the packet goes on whole.
    Reassembled {
        /// Its length in bytes.
        len: u32,
    },
    /// A packet larger than the device's MTU leaves in pieces.
    Fragmented {
        /// How many.
        pieces: u16,
    },

    // --- rules ---
    /// A chain of the table is entered from the hook, at its first rule.
    Chain {
        /// Table.
        table: TableKind,
        /// Chain.
        chain: ChainId,
    },
    /// A rule was tested.
    Rule {
        /// Which.
        rule: RuleRef,
        /// The outcome.
        outcome: Outcome,
    },
    /// The rule's target jumps to a chain; the way back is remembered.
    Jump {
        /// To.
        to: ChainId,
    },
    /// The rule's target goes to a chain; the way back is not remembered.
    Goto {
        /// To.
        to: ChainId,
    },
    /// Back to a calling chain.
    Return {
        /// To which chain.
        to: ChainId,
        /// At which rule, from 0, traversal goes on.
        rule: u16,
        /// By a RETURN rule, or at the end of the chain.
        explicit: bool,
    },
    /// The end of a base chain: its policy decides.
    Policy {
        /// Table.
        table: TableKind,
        /// Chain.
        chain: ChainId,
        /// The policy.
        policy: Policy,
    },
    /// A rule accepted: on to the next hook function.
    Accept {
        /// By which rule.
        rule: RuleRef,
    },
    /// A target changed a value of the packet or of its entry.
    Set {
        /// What.
        field: Field,
        /// Before.
        old: u32,
        /// After.
        new: u32,
    },
    /// LOG or NFLOG wrote a line.
    Logged {
        /// By which rule.
        rule: RuleRef,
    },
    /// A condition or target that is not simulated was met; the packet goes on as if it did not match or did nothing.
    NotSimulated {
        /// Which rule.
        rule: RuleRef,
    },

    // --- conntrack ---
    /// The packet has an entry already (loopback's second pass, an answer that the kernel made); nothing to look up.
    CtKept,
    /// Found in the table.
    CtFound {
        /// Which entry.
        entry: EntryId,
        /// How the packet stands to it.
        info: CtInfo,
    },
    /// Not found: an unconfirmed entry was made.
    CtNew {
        /// Which.
        unconfirmed: UnconfirmedId,
        /// NEW, or RELATED where it was expected.
        info: CtInfo,
    },
    /// No entry: the packet is INVALID.
    CtInvalid {
        /// Why.
        why: Invalid,
    },
    /// Marked as not to be tracked.
    CtUntracked,
    /// The TCP state changed.
    TcpState {
        /// Of which connection.
        conn: ConnRef,
        /// Before.
        from: TcpConntrack,
        /// After.
        to: TcpConntrack,
    },
    /// The first reply was seen.
    SeenReply {
        /// Of which connection.
        conn: ConnRef,
    },
    /// The entry became ASSURED.
    Assured {
        /// Which connection.
        conn: ConnRef,
    },
    /// The timeout runs anew.
    Timeout {
        /// Of which connection.
        conn: ConnRef,
        /// Seconds.
        secs: u32,
    },
    /// The unconfirmed entry moved into the table.
    Confirmed {
        /// What it was.
        unconfirmed: UnconfirmedId,
        /// What it is now.
        entry: EntryId,
    },
    /// At confirm another entry had one of the tuples.
    Clash {
        /// The other entry.
        with: EntryId,
        /// How it was resolved.
        how: ClashResolution,
    },
    /// The unconfirmed entry went with its packet.
    UnconfirmedGone {
        /// Which.
        unconfirmed: UnconfirmedId,
    },
    /// An entry left the table.
    EntryGone {
        /// Which.
        entry: EntryId,
        /// Why.
        why: Gone,
    },
    /// A helper expects a connection.
    Expect {
        /// For which connection.
        master: EntryId,
    },

    // --- nat ---
    /// The nat chains of this hook are consulted: the first packet of its connection here.
    NatConsulted {
        /// For which half.
        manip: Manip,
    },
    /// nat passes the packet on without its chains.
    NatSkipped {
        /// For which half.
        manip: Manip,
        /// Why.
        why: NatSkip,
    },
    /// The half is decided for the connection's life.
    NatBound {
        /// Which half.
        manip: Manip,
        /// By which rule; `None`: the null binding.
        rule: Option<RuleRef>,
        /// Did the tuple change?
        changed: bool,
    },
    /// An address and port of the packet were rewritten from the entry.
    Rewrite {
        /// Which half of the packet.
        manip: Manip,
        /// Before.
        old: (Addr, u16),
        // (The value after is the packet's.)
    },
    /// The packet that an ICMP error quotes was rewritten too.
    RewriteQuoted {
        /// Which half of the quoted packet.
        manip: Manip,
        /// Before.
        old: (Addr, u16),
    },

    // --- routing and ends ---
    /// A routing decision.
    Route {
        /// What it says.
        to: RouteTo,
        /// After a change in OUTPUT (`ip_route_me_harder`).
        again: bool,
    },
    /// The hop limit went down by one.
    TtlDecrement,
    /// Given to a local socket, or to the kernel's own ICMP.
    Deliver {
        /// To what.
        to: Receiver,
    },
    /// Put on the wire.
    Transmit {
        /// By which device.
        dev: DevId,
    },
    /// The end.
    Drop {
        /// Who dropped it, and on what grounds.
        by: DropBy,
    },
    /// Put into a userspace queue.
    Queued {
        /// The queue's number.
        queue: u16,
    },
}

/// The outcome of testing one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All conditions hold; counted.
    Matched,
    /// The condition that failed first.
    Failed(Condition),
    /// A match said to drop the packet at once (`hotdrop`).
    HotDrop(Condition),
}

/// A condition of a rule, in the order of evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `-s`.
    Src,
    /// `-d`.
    Dst,
    /// `-i`.
    InIface,
    /// `-o`.
    OutIface,
    /// `-p`.
    Proto,
    /// `-f`.
    Fragment,
    /// The n-th `-m`, from 0.
    Match(u8),
}

/// A value that targets change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Field {
    Mark,
    ConnMark,
    Ttl,
    Tos,
    Priority,
    Mss,
    Checksum,
    Zone,
    Helper,
    Trace,
    Set,
    Recent,
    Label,
    SecMark,
}

/// Who sends a packet that begins in this host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A raw socket or a test packet.
    Raw,
    /// A process's TCP or UDP socket.
    Socket,
    /// The TCP stack answers with RST.
    TcpReset,
    /// The kernel answers an echo or timestamp request.
    IcmpReply,
    /// The kernel reports an error.
    IcmpError,
    /// A REJECT rule.
    Reject(RuleRef),
    /// TEE's copy.
    Tee(RuleRef),
    /// A broadcast or multicast that leaves comes back to the host itself (`ip_mc_output`).
    Copy,
    /// Neighbour discovery asks who has an address.
    Solicit,
}

/// Why a packet has no entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// Header cut short or lengths that do not agree.
    Malformed,
    /// Wrong checksum.
    Checksum,
    /// A fragment without its first part.
    Fragment,
    /// A flag combination that TCP does not know.
    TcpFlags,
    /// The state table says so for this class of packet in this state.
    TcpState {
        /// The state.
        state: TcpConntrack,
    },
    /// First packet of an unknown TCP connection that cannot begin one.
    TcpFirst,
    /// Outside the window.
    TcpWindow,
    /// A RST whose sequence number is too old.
    TcpRst,
    /// An ICMP reply to which no request is known, or a type that cannot begin a connection.
    IcmpUnsolicited,
    /// An ICMP error about a connection that is not known.
    IcmpUnknownFlow,
    /// An ICMP error sent to the wrong address for the flow that it quotes.
    IcmpWrongTarget,
    /// SCTP chunk or tag that does not fit.
    Sctp,
}

/// How a clash at confirm ended (`nf_ct_resolve_clash`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClashResolution {
    /// Same tuples both ways: the packet adopts the other entry.
    Adopted,
    /// The reply tuple was free: entered for replies only, for one second.
    ReplyOnly,
    /// Dropped.
    Dropped,
}

/// Why an entry left the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// Its timeout ran out.
    Expired,
    /// `conntrack -D` or `-F`.
    Deleted,
    /// The first reply was a RST.
    RstReply,
    /// A SYN opened the connection anew.
    Reopened,
    /// Early drop made room.
    EarlyDrop,
    /// MASQUERADE's device went down, lost the address, or is no longer the way out.
    MasqueradeDevice,
    /// Its source port was taken over by a newer connection (`nf_nat_used_tuple_harder`).
    PortReused,
    /// Its master went.
    Master,
}

/// Why nat did not consult its chains.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NatSkip {
    /// The packet has no entry: INVALID, untracked, or conntrack is asleep.
    NoEntry,
    /// ESTABLISHED: decided by this packet.
    Decided {
        /// The packet.
        by: PacketId,
    },
    /// NEW still, but this half is done.
    AlreadyDone {
        /// The packet.
        by: PacketId,
    },
    /// An ICMP error: translated from the entry.
    IcmpError,
    /// The entry is in the table without a decision for this half (nat came later): no binding is made any more.
    Confirmed,
}

/// What a routing decision says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteTo {
    /// To this host (`ip_local_deliver`).
    Local,
    /// Out by a device.
    Out {
        /// The device.
        dev: DevId,
        /// The gateway; `None`: on link.
        via: Option<Addr>,
    },
    /// Nowhere; the drop that follows says why.
    None,
}

/// Who takes a delivered packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// A listening socket.
    Listener(u16),
    /// A connected socket.
    Connected(u16),
    /// The kernel's ICMP.
    Icmp,
    /// Raw sockets of the protocol, or nobody: the kernel answers.
    Nobody,
}

/// Who dropped a packet, and on what grounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropBy {
    /// A rule with DROP.
    Rule(RuleRef),
    /// A rule with REJECT, after its answer.
    Reject(RuleRef),
    /// Another rule's target failed in a way that drops (REDIRECT without an address, TPROXY without a socket …).
    Target(RuleRef),
    /// A match said so (`hotdrop`).
    Match(RuleRef),
    /// A base chain's policy.
    Policy {
        /// Table.
        table: TableKind,
        /// Chain.
        chain: ChainId,
    },
    /// A kernel function.
    Kernel(KernelDrop),
}

/// The kernel's own reasons for dropping, in the order of the path; `enum skb_drop_reason` where it has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KernelDrop {
    /// The frame was for another host.
    OtherHost,
    /// Bad IP header.
    IpHeader,
    /// Fragments that never became whole.
    FragmentTimeout,
    /// `nf_conntrack: table full, dropping packet`.
    ConntrackFull,
    /// Clash at confirm, or no free port (`insert_failed`).
    ConfirmClash,
    /// NAT could not translate (ICMP with a bad checksum, redirect …).
    Nat,
    /// MASQUERADE: the packet leaves by another device than its binding's.
    MasqueradeDevice,
    /// Source address that cannot be (multicast, 0/8, 127/8).
    MartianSource,
    /// Destination 0/8 or 127/8 from the wire without route_localnet.
    MartianDestination,
    /// Its source is one of this host's own addresses.
    OwnSource,
    /// `rp_filter`.
    ReversePath,
    /// Forwarding is off.
    ForwardingOff,
    /// No route.
    NoRoute,
    /// Blackhole, prohibit or unreachable route.
    BadRoute,
    /// TTL used up.
    TtlExceeded,
    /// Larger than the MTU, and DF.
    TooBig,
    /// No socket listens.
    NoSocket,
    /// The stack has no use for it (duplicate, out of window, ICMP that nobody waits for …).
    StackIgnores,
    /// Multicast group not joined.
    Multicast,
    /// Broadcast ping and the like.
    BroadcastIgnored,
    /// The device is down or no neighbour answers.
    DeviceDown,
    /// Jump stack overflow.
    JumpStack,
    /// A queue without a listener.
    NoQueueListener,
    /// A helper refused the packet.
    Helper,
}

/// Takes events. With [`NoObserver`] nothing is built and nothing is kept.
pub trait Observer {
    /// Does anyone look? Lets the compiler leave out what makes an event.
    const ENABLED: bool = true;
    /// One event.
    fn event(&mut self, event: Event);
}

/// Nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    const ENABLED: bool = false;
    fn event(&mut self, _: Event) {}
}

impl Observer for Vec<Event> {
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

/// An observer with the host and packet that its events are about: what functions of the path take.
#[derive(Debug)]
pub struct Emit<'a, O> {
    /// Who listens.
    pub observer: &'a mut O,
    /// The host.
    pub host: HostId,
    /// The packet.
    pub packet: PacketId,
}

impl<O: Observer> Emit<'_, O> {
    /// Tells the observer, if anyone looks.
    #[inline]
    pub fn event(&mut self, kind: EventKind) {
        if O::ENABLED {
            self.observer.event(Event { packet: self.packet, host: self.host, kind });
        }
    }
}
