//! TCP window tracking: does a segment fit what both ends have said so far (`tcp_in_window`)?

use super::tcp::{Class, FRESH, before};
use super::{Direction, TcpConntrack, TcpState, TcpWindow};
use crate::packet::{Packet, Tcp, tcp_flags};

/// `IP_CT_TCP_FLAG_*` (include/uapi/linux/netfilter/nf_conntrack_tcp.h): this side offers window scaling.
pub(crate) const WINDOW_SCALE: u8 = 0x01;
/// This side permits SACK.
pub(crate) const SACK_PERM: u8 = 0x02;
/// This side sent the first FIN.
pub(crate) const CLOSE_INIT: u8 = 0x04;
/// Nothing from this side is refused for its numbers.
pub(crate) const BE_LIBERAL: u8 = 0x08;
/// This side sent data that is not acknowledged yet.
pub(crate) const DATA_UNACKNOWLEDGED: u8 = 0x10;
/// `maxack` holds a value.
pub(crate) const MAXACK_SET: u8 = 0x20;
/// An acknowledgement may be a challenge (RFC 5961).
pub(crate) const EXP_CHALLENGE_ACK: u8 = 0x40;
/// Both ends sent a SYN.
pub(crate) const SIMULTANEOUS_OPEN: u8 = 0x80;

/// However small the window: acknowledgements this far back are still believed (`MAXACKWINCONST`).
const MAX_ACK_WINDOW: u32 = 66_000;
/// The largest shift that RFC 7323 allows (`TCP_MAX_WSCALE`).
const MAX_WSCALE: u8 = 14;

/// A packet's place in the sequence space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// After its last byte; SYN and FIN count as one each (`segment_seq_plus_len`).
    pub(crate) end: u32,
}

impl Segment {
    pub(crate) fn of(packet: &Packet, header: &Tcp) -> Segment {
        let controls = [tcp_flags::SYN, tcp_flags::FIN].iter().filter(|f| header.flags & **f != 0).count();
        Segment { end: header.seq.wrapping_add(packet.payload.len()).wrapping_add(controls as u32) }
    }
}

/// What the window says to a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fit {
    /// It fits.
    Accept,
    /// It does not fit, but may be an old or early one: passes without changing anything.
    Ignore,
    /// It does not belong here.
    Invalid,
}

const fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

/// `tcp_options`: what the options of a SYN say about the side that sent it.
pub(crate) fn read_options(side: &mut TcpWindow, header: &Tcp) {
    side.scale = 0;
    side.flags &= BE_LIBERAL;
    if header.opts.sack_permitted {
        side.flags |= SACK_PERM;
    }
    if let Some(scale) = header.opts.wscale {
        side.scale = scale.min(MAX_WSCALE);
        side.flags |= WINDOW_SCALE;
    }
}

/// `tcp_new` for a SYN.
pub(crate) fn from_syn(seg: &Segment, header: &Tcp) -> TcpState {
    let mut tcp = FRESH;
    let side = &mut tcp.seen[0];
    side.end = seg.end;
    side.maxend = seg.end;
    side.maxwin = u32::from(header.window).max(1);
    read_options(side, header);
    tcp
}

/// `tcp_new` for a packet of a connection whose beginning nobody saw: both sides are trusted.
pub(crate) fn picked_up(seg: &Segment, header: &Tcp) -> TcpState {
    let mut tcp = FRESH;
    tcp.seen[0].end = seg.end;
    tcp.seen[0].maxwin = u32::from(header.window).max(1);
    tcp.seen[0].maxend = seg.end.wrapping_add(tcp.seen[0].maxwin);
    tcp.seen[0].flags = SACK_PERM | BE_LIBERAL;
    tcp.seen[1].flags = SACK_PERM | BE_LIBERAL;
    tcp
}

/// `tcp_init_sender`: a side begins with its SYN.
fn begin_side(tcp: &mut TcpState, dir: Direction, seg: &Segment, header: &Tcp) {
    let (me, peer) = (dir as usize, dir.flip() as usize);
    let side = &mut tcp.seen[me];
    side.end = seg.end;
    side.maxend = seg.end;
    side.maxwin = u32::from(header.window).max(1);
    read_options(side, header);
    let both = tcp.seen[0].flags & tcp.seen[1].flags & WINDOW_SCALE != 0;
    if dir == Direction::Reply && !both {
        tcp.seen[me].scale = 0;
        tcp.seen[peer].scale = 0;
    }
}

/// `tcp_in_window`.
pub(crate) fn fit(
    tcp: &mut TcpState,
    dir: Direction,
    class: Class,
    seg: &Segment,
    header: &Tcp,
    ack_offset: i32,
    liberal: bool,
) -> Fit {
    let (me, peer) = (dir as usize, dir.flip() as usize);
    let is = |flag: u8| header.flags & flag != 0;
    let (mut seq, mut end) = (header.seq, seg.end);
    let mut ack = header.ack;
    let mut sack = ack;
    if tcp.seen[peer].flags & SACK_PERM != 0
        && let Some((_, right)) = header.opts.sack
        && after(right, sack)
    {
        sack = right;
    }
    ack = ack.wrapping_sub(ack_offset as u32);
    sack = sack.wrapping_sub(ack_offset as u32);

    if tcp.seen[me].maxwin == 0 {
        if is(tcp_flags::SYN) {
            begin_side(tcp, dir, seg, header);
            if !is(tcp_flags::ACK) {
                return Fit::Accept;
            }
        } else {
            let side = &mut tcp.seen[me];
            side.end = end;
            side.maxwin = (u32::from(header.window) << side.scale).max(1);
            side.maxend = end.wrapping_add(side.maxwin);
            let other = &mut tcp.seen[peer];
            if other.maxwin == 0 {
                other.end = sack;
                other.maxend = sack;
            } else if sack == other.end.wrapping_add(1) {
                // An answer to a keep-alive, whose byte nobody counted.
                other.end = other.end.wrapping_add(1);
            }
        }
    } else if is(tcp_flags::SYN)
        && after(end, tcp.seen[me].end)
        && matches!(tcp.state, TcpConntrack::SynSent | TcpConntrack::SynRecv)
    {
        begin_side(tcp, dir, seg, header);
        if dir == Direction::Reply && !is(tcp_flags::ACK) {
            return Fit::Accept;
        }
    }

    let receiver_end = tcp.seen[peer].end;
    // A RST with ACK set and nothing acknowledged is some stacks' way to say that there is no connection.
    let void_ack = is(tcp_flags::ACK) && is(tcp_flags::RST) && ack == 0;
    if !is(tcp_flags::ACK) || void_ack {
        ack = receiver_end;
        sack = receiver_end;
    }
    if is(tcp_flags::RST) && seq == 0 && tcp.state == TcpConntrack::SynSent {
        seq = tcp.seen[me].end;
        end = seq;
    }

    let (sender, receiver) = (tcp.seen[me], tcp.seen[peer]);
    let forgiving = liberal || sender.flags & BE_LIBERAL != 0;
    let refuse = |fit| if forgiving { Fit::Accept } else { fit };
    let one_past = |n: u32| n.wrapping_add(1);
    let in_receive_window =
        receiver.maxwin == 0 || after(end, sender.end.wrapping_sub(receiver.maxwin).wrapping_sub(1));
    let ack_window = sender.maxwin.max(MAX_ACK_WINDOW);
    let ack_recent = after(sack, receiver.end.wrapping_sub(ack_window).wrapping_sub(1));
    let ack_known = before(sack, one_past(receiver.end));
    if !before(seq, one_past(sender.maxend)) {
        let overshoot = end.wrapping_sub(sender.maxend).wrapping_add(1);
        if in_receive_window && ack_recent && ack_known && overshoot <= receiver.maxwin {
            tcp.seen[me].end = end;
            tcp.seen[me].flags |= DATA_UNACKNOWLEDGED;
            return refuse(Fit::Ignore);
        }
        return refuse(Fit::Invalid);
    }
    if !ack_known {
        return refuse(Fit::Invalid);
    }
    if !in_receive_window || !ack_recent {
        return refuse(Fit::Ignore);
    }

    let mut win = u32::from(header.window);
    if !is(tcp_flags::SYN) {
        win <<= sender.scale;
    }
    let side = &mut tcp.seen[me];
    side.maxwin = side.maxwin.max(win.wrapping_add(sack.wrapping_sub(ack)));
    if after(end, side.end) {
        side.end = end;
        side.flags |= DATA_UNACKNOWLEDGED;
    }
    if is(tcp_flags::ACK) && (side.flags & MAXACK_SET == 0 || after(ack, side.maxack)) {
        side.maxack = ack;
        side.flags |= MAXACK_SET;
    }
    let other = &mut tcp.seen[peer];
    if other.maxwin != 0 && after(end, sender.maxend) {
        other.maxwin = other.maxwin.wrapping_add(end.wrapping_sub(sender.maxend));
    }
    let reach = sack.wrapping_add(win);
    if after(reach, other.maxend.wrapping_sub(1)) {
        other.maxend = reach.wrapping_add(u32::from(win == 0));
    }
    if ack == other.end {
        other.flags &= !DATA_UNACKNOWLEDGED;
    }
    if class == Class::Ack {
        note_ack(tcp, dir, seq, ack, end, header.window);
    }
    Fit::Accept
}

/// Counts acknowledgements that repeat the one before.
fn note_ack(tcp: &mut TcpState, dir: Direction, seq: u32, ack: u32, end: u32, window: u16) {
    let same = tcp.last_dir == dir
        && tcp.last_seq == seq
        && tcp.last_ack == ack
        && tcp.last_end == end
        && tcp.last_win == window;
    if same {
        tcp.retrans = tcp.retrans.saturating_add(1);
        return;
    }
    tcp.last_dir = dir;
    tcp.last_seq = seq;
    tcp.last_ack = ack;
    tcp.last_end = end;
    tcp.last_win = window;
    tcp.retrans = 0;
}
