//! The TCP tracker: which state a packet leads to, which packets are believed, how long the entry lives
//! (nf_conntrack_proto_tcp.c). The window is in [`super::window`].

use super::l4::{Answer, Question};
use super::simple::assure;
use super::window::{self, Fit, Segment};
use super::{Conn, Direction, ProtoState, TcpConntrack, TcpState, TcpWindow, notify, seqadj, status};
use crate::event::Invalid;
use crate::packet::{Tcp, tcp_flags};

/// The classes into which the tracker sorts packets (`get_conntrack_index`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Class {
    /// No flag that matters; or no packet yet.
    #[default]
    None,
    /// SYN without ACK.
    Syn,
    /// SYN and ACK.
    SynAck,
    /// FIN.
    Fin,
    /// ACK alone.
    Ack,
    /// RST, with whatever else.
    Rst,
}

impl Class {
    /// The class of a packet with these flags.
    pub const fn of(flags: u8) -> Class {
        use tcp_flags::*;
        if flags & RST != 0 {
            Class::Rst
        } else if flags & SYN != 0 {
            if flags & ACK != 0 { Class::SynAck } else { Class::Syn }
        } else if flags & FIN != 0 {
            Class::Fin
        } else if flags & ACK != 0 {
            Class::Ack
        } else {
            Class::None
        }
    }
}

/// Where a packet leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// To a state.
    To(TcpConntrack),
    /// Nowhere; but it may make sense to the two ends, so it passes.
    Ignore,
    /// It cannot be.
    Invalid,
}

/// The state machine (`tcp_conntracks`): direction, class of packet and state give the next state.
pub const fn next(dir: Direction, class: Class, from: TcpConntrack) -> Next {
    use Direction::{Original, Reply};
    use Next::{Ignore, Invalid, To};
    use TcpConntrack::*;
    match class {
        Class::None => Invalid,
        Class::Rst => match from {
            None => Invalid,
            _ => To(Close),
        },
        Class::Fin => match from {
            None | SynSent | SynSent2 => Invalid,
            SynRecv | Established => To(FinWait),
            FinWait | CloseWait | LastAck => To(LastAck),
            TimeWait => To(TimeWait),
            Close => To(Close),
        },
        Class::Ack => match (from, dir) {
            (Established, _) => To(Established),
            (FinWait | CloseWait, _) => To(CloseWait),
            (LastAck | TimeWait, _) => To(TimeWait),
            (Close, _) => To(Close),
            (None | SynRecv, Original) => To(Established),
            (SynRecv, Reply) => To(SynRecv),
            (SynSent | SynSent2, Reply) => Ignore,
            (SynSent | SynSent2, Original) | (None, Reply) => Invalid,
        },
        Class::Syn => match (from, dir) {
            (TimeWait, _) | (None | SynSent | Close, Original) => To(SynSent),
            (SynSent2, _) | (SynSent, Reply) => To(SynSent2),
            (SynRecv | Established | FinWait | CloseWait | LastAck, Original) => Ignore,
            (None | SynRecv | Established | FinWait | CloseWait | LastAck | Close, Reply) => Invalid,
        },
        Class::SynAck => match (from, dir) {
            (SynRecv, Original) | (SynSent, Reply) | (SynSent2, _) => To(SynRecv),
            (None, Reply) => Invalid,
            (SynRecv | Established | FinWait | CloseWait | LastAck | TimeWait | Close, Reply) => Ignore,
            (None | SynSent | Established | FinWait | CloseWait | LastAck | TimeWait | Close, Original) => {
                Invalid
            }
        },
    }
}

/// The combinations of flags that make sense (`tcp_valid_flags`); PSH, ECE and CWR do not matter.
fn flags_valid(flags: u8) -> bool {
    use tcp_flags::*;
    let combinations =
        [SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG];
    combinations.contains(&(flags & !(PSH | ECE | CWR)))
}

/// An entry's TCP state before its first packet.
pub(crate) const FRESH: TcpState = TcpState {
    seen: [TcpWindow { end: 0, maxend: 0, maxwin: 0, maxack: 0, scale: 0, flags: 0 }; 2],
    state: TcpConntrack::None,
    last_dir: Direction::Original,
    retrans: 0,
    last_index: Class::None as u8,
    last_seq: 0,
    last_ack: 0,
    last_end: 0,
    last_win: 0,
    last_wscale: 0,
    last_flags: 0,
};

/// `before`: sequence numbers go round.
pub(crate) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// `nf_conntrack_tcp_packet`.
pub(crate) fn handle(conn: &mut Conn, q: &Question<'_>) -> Answer {
    let Some(header) = q.packet.tcp() else { return Answer::Invalid(Invalid::Malformed) };
    if q.bad_checksum() {
        return Answer::Invalid(Invalid::Checksum);
    }
    if !flags_valid(header.flags) {
        return Answer::Invalid(Invalid::TcpFlags);
    }
    let confirmed = conn.confirmed();
    let (status, dir, class) = (conn.status, q.dir(), Class::of(header.flags));
    let seg = Segment::of(q.packet, header);
    // What a helper inserted or took away on the other side: the numbers in this packet's acks are off by that.
    let ack_offset = seqadj::offset(conn, dir.flip(), header.ack.wrapping_sub(1));
    let ProtoState::Tcp(tcp) = &mut conn.proto else { return Answer::Invalid(Invalid::Malformed) };
    if !confirmed {
        match next(Direction::Original, class, TcpConntrack::None) {
            Next::To(TcpConntrack::SynSent) => *tcp = window::from_syn(&seg, header),
            Next::To(_) if q.sysctl.ct_tcp_loose => *tcp = window::picked_up(&seg, header),
            _ => return Answer::Invalid(Invalid::TcpFirst),
        }
    }
    let before_packet = tcp.state;
    match judge(tcp, status, q, &seg, header, dir, class, ack_offset) {
        Judgement::Done(answer) => answer,
        Judgement::InWindow { old, new } => {
            tcp.last_index = class as u8;
            tcp.last_dir = dir;
            tcp.state = new;
            if old != new && new == TcpConntrack::FinWait {
                tcp.seen[dir as usize].flags |= window::CLOSE_INIT;
            }
            let timeout = timeout(tcp, class, q);
            if before_packet != new {
                conn.note(notify::PROTOINFO);
            }
            settle(conn, old, new, class, timeout, q)
        }
    }
}

/// Where judging a packet leads.
enum Judgement {
    /// To an answer that leaves the state alone.
    Done(Answer),
    /// The packet fits: from this state to that.
    InWindow { old: TcpConntrack, new: TcpConntrack },
}

#[allow(clippy::too_many_arguments)]
fn judge(
    tcp: &mut TcpState,
    conn_status: u32,
    q: &Question<'_>,
    seg: &Segment,
    header: &Tcp,
    dir: Direction,
    class: Class,
    ack_offset: i32,
) -> Judgement {
    use TcpConntrack::*;
    let mut old = tcp.state;
    let (me, peer) = (dir as usize, dir.flip() as usize);
    let last = |tcp: &TcpState, class: Class| tcp.last_index == class as u8;
    let mut new = match next(dir, class, old) {
        Next::Invalid => return Judgement::Done(Answer::Invalid(Invalid::TcpState { state: old })),
        Next::Ignore => Option::None,
        // A SYN in TIME_WAIT or CLOSE: a new connection, if the old one was surely closed.
        Next::To(SynSent) if old as u8 >= TimeWait as u8 => {
            let closed = (tcp.seen[0].flags | tcp.seen[1].flags) & window::CLOSE_INIT != 0;
            if closed || (tcp.last_dir == dir && last(tcp, Class::Rst)) {
                return Judgement::Done(Answer::Repeat);
            }
            Option::None
        }
        Next::To(state) => Some(state),
    };
    if new.is_none() {
        let answers_ignored_syn = class == Class::SynAck
            && last(tcp, Class::Syn)
            && tcp.last_dir != dir
            && header.ack == tcp.last_end;
        if !answers_ignored_syn {
            remember_ignored(tcp, seg, header, dir, class, old);
            return Judgement::Done(Answer::Ignore);
        }
        // The two ends agree on a connection that we did not believe in: from here on we do.
        tcp.seen[peer] = TcpWindow {
            end: tcp.last_end,
            maxend: tcp.last_end,
            maxwin: u32::from(tcp.last_win).max(1),
            scale: tcp.last_wscale,
            flags: tcp.last_flags & !window::EXP_CHALLENGE_ACK,
            ..tcp.seen[peer]
        };
        tcp.last_flags &= !window::EXP_CHALLENGE_ACK;
        tcp.seen[me] = TcpWindow::default();
        old = SynSent;
        new = Some(SynRecv);
    }
    let mut new = new.unwrap_or(old);
    match new {
        TimeWait => {
            // The other end's challenge to a SYN out of place says nothing about its FIN (RFC 5961).
            let challenge = old == LastAck
                && class == Class::Ack
                && tcp.last_dir != dir
                && last(tcp, Class::Syn)
                && tcp.last_flags & window::EXP_CHALLENGE_ACK != 0;
            if challenge {
                tcp.last_flags &= !window::EXP_CHALLENGE_ACK;
                return Judgement::Done(Answer::Ignore);
            }
        }
        SynSent2 => tcp.last_flags |= window::SIMULTANEOUS_OPEN,
        SynRecv => {
            let simultaneous = tcp.last_flags & window::SIMULTANEOUS_OPEN != 0;
            if dir == Direction::Reply && class == Class::Ack && simultaneous {
                new = Established;
            }
        }
        Close if class == Class::Rst => match judge_reset(tcp, conn_status, q, header, dir, old) {
            Reset::Believed => return Judgement::InWindow { old, new },
            Reset::Invalid => return Judgement::Done(Answer::Invalid(Invalid::TcpRst)),
            Reset::CheckWindow { closes } => {
                if !closes {
                    new = old;
                }
            }
        },
        _ => {}
    }
    let liberal = q.sysctl.ct_tcp_be_liberal;
    match window::fit(tcp, dir, class, seg, header, ack_offset, liberal) {
        Fit::Accept => Judgement::InWindow { old, new },
        Fit::Ignore => Judgement::Done(Answer::Ignore),
        Fit::Invalid => Judgement::Done(out_of_window(tcp, conn_status, q, dir, class)),
    }
}

/// Notes what an ignored packet said, for it may turn out to be true.
fn remember_ignored(
    tcp: &mut TcpState,
    seg: &Segment,
    header: &Tcp,
    dir: Direction,
    class: Class,
    old: TcpConntrack,
) {
    tcp.last_index = class as u8;
    tcp.last_dir = dir;
    tcp.last_seq = header.seq;
    tcp.last_end = seg.end;
    tcp.last_win = header.window;
    if class == Class::Syn && dir == Direction::Original {
        let mut side = TcpWindow::default();
        window::read_options(&mut side, header);
        tcp.last_flags = side.flags;
        tcp.last_wscale = side.scale;
        if old == TcpConntrack::LastAck {
            tcp.last_flags |= window::EXP_CHALLENGE_ACK;
        }
    }
    if old == TcpConntrack::SynSent && class == Class::Ack && dir == Direction::Reply {
        tcp.last_ack = header.ack;
    }
}

/// How far a RST is believed.
enum Reset {
    /// At once.
    Believed,
    /// Not at all.
    Invalid,
    /// If it is in the window; and whether it then closes the connection.
    CheckWindow { closes: bool },
}

fn judge_reset(
    tcp: &TcpState,
    conn_status: u32,
    q: &Question<'_>,
    header: &Tcp,
    dir: Direction,
    old: TcpConntrack,
) -> Reset {
    use TcpConntrack::*;
    // Once a connection closes, its numbers may already be those of a successor.
    if matches!(old, FinWait | CloseWait | LastAck | TimeWait | Close) {
        return Reset::Believed;
    }
    let peer = &tcp.seen[dir.flip() as usize];
    let last = |class: Class| tcp.last_index == class as u8;
    let established = old == Established && conn_status & status::ASSURED != 0;
    let mut closes = true;
    if peer.flags & window::MAXACK_SET != 0 && !last(Class::Syn) {
        let seq = header.seq;
        if seq == 0 && !established {
            return Reset::CheckWindow { closes };
        }
        if before(seq, peer.maxack) && !q.sysctl.ct_tcp_ignore_invalid_rst {
            return Reset::Invalid;
        }
        if !established || seq == peer.maxack {
            return Reset::CheckWindow { closes };
        }
        if last(Class::Ack) && tcp.last_dir == dir && seq == tcp.last_end {
            return Reset::CheckWindow { closes };
        }
        // Not exactly what the peer expects: it may answer with a challenge, so the connection stays.
        closes = false;
    }
    let half_open = (conn_status & status::SEEN_REPLY != 0 && last(Class::Syn))
        || (conn_status & status::ASSURED == 0 && last(Class::Ack));
    if half_open && header.ack == tcp.last_end && closes {
        return Reset::Believed;
    }
    // The answer to a challenge that was ignored, when a port is used again while the server still knows the old
    // connection.
    let challenged = old == SynSent && last(Class::Ack) && tcp.last_dir == Direction::Reply;
    if challenged && header.seq == tcp.last_ack {
        return Reset::Believed;
    }
    Reset::CheckWindow { closes }
}

/// `nf_tcp_handle_invalid`: two ends that both want to close, with numbers that we do not understand, get less time.
fn out_of_window(
    tcp: &mut TcpState,
    conn_status: u32,
    q: &Question<'_>,
    dir: Direction,
    class: Class,
) -> Answer {
    let invalid = Answer::Invalid(Invalid::TcpWindow);
    let closing = |index: u8| index == Class::Rst as u8 || index == Class::Fin as u8;
    if conn_status & status::ASSURED == 0 || conn_status & status::FIXED_TIMEOUT != 0 || !closing(class as u8)
    {
        return invalid;
    }
    if tcp.last_dir != dir && closing(tcp.last_index) {
        let short = q.sysctl.ct_tcp_timeout_unacknowledged;
        let remaining = q.remaining.as_secs();
        if remaining >= 120 && remaining > u64::from(short) {
            return Answer::InvalidShorten(Invalid::TcpWindow, short);
        }
        return invalid;
    }
    tcp.last_index = class as u8;
    tcp.last_dir = dir;
    invalid
}

/// How long the entry lives after an accepted packet.
fn timeout(tcp: &TcpState, class: Class, q: &Question<'_>) -> u32 {
    let s = q.sysctl;
    let of_state = s.ct_tcp_timeouts[tcp.state as usize];
    let unacknowledged = (tcp.seen[0].flags | tcp.seen[1].flags) & window::DATA_UNACKNOWLEDGED != 0;
    if tcp.retrans >= s.ct_tcp_max_retrans && of_state > s.ct_tcp_timeout_max_retrans {
        s.ct_tcp_timeout_max_retrans
    } else if class == Class::Rst {
        s.ct_tcp_timeouts[TcpConntrack::Close as usize]
    } else if unacknowledged && of_state > s.ct_tcp_timeout_unacknowledged {
        s.ct_tcp_timeout_unacknowledged
    } else if tcp.last_win == 0 && of_state > s.ct_tcp_timeout_max_retrans {
        s.ct_tcp_timeout_max_retrans
    } else {
        of_state
    }
}

/// What the accepted packet means for the entry as a whole.
fn settle(
    conn: &mut Conn,
    old: TcpConntrack,
    new: TcpConntrack,
    class: Class,
    timeout: u32,
    q: &Question<'_>,
) -> Answer {
    use TcpConntrack::{Established, SynRecv, SynSent};
    if !conn.has(status::SEEN_REPLY) {
        // Nothing but a RST came back: there never was a connection.
        if class == Class::Rst {
            return Answer::Kill;
        }
        // A SYN sent again does not prolong the wait for an answer.
        if class == Class::Syn && old == SynSent {
            return Answer::Ignore;
        }
        if new == Established {
            return Answer::Refresh(timeout.min(q.sysctl.ct_tcp_timeout_unacknowledged));
        }
    } else if matches!(old, SynRecv | Established) && new == Established {
        assure(conn);
    }
    Answer::Refresh(timeout)
}
