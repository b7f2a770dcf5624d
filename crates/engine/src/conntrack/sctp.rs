//! The SCTP tracker (nf_conntrack_proto_sctp.c): an association's state, from the chunks of its packets and their
//! verification tags.

use super::l4::{Answer, Question};
use super::simple::assure;
use super::{Conn, Direction, ProtoState, SctpState, notify};
use crate::event::Invalid;
use crate::packet::{L4, Payload};

/// `enum sctp_conntrack` (include/uapi/linux/netfilter/nf_conntrack_sctp.h).
mod state {
    pub(super) const NONE: u8 = 0;
    pub(super) const CLOSED: u8 = 1;
    pub(super) const COOKIE_WAIT: u8 = 2;
    pub(super) const COOKIE_ECHOED: u8 = 3;
    pub(super) const ESTABLISHED: u8 = 4;
    pub(super) const SHUTDOWN_SENT: u8 = 5;
    pub(super) const SHUTDOWN_RECD: u8 = 6;
    pub(super) const SHUTDOWN_ACK_SENT: u8 = 7;
    pub(super) const HEARTBEAT_SENT: u8 = 8;
}

/// Chunk types (RFC 9260 section 3.2).
mod chunk {
    pub(super) const DATA: u8 = 0;
    pub(super) const INIT: u8 = 1;
    pub(super) const INIT_ACK: u8 = 2;
    pub(super) const HEARTBEAT: u8 = 4;
    pub(super) const HEARTBEAT_ACK: u8 = 5;
    pub(super) const ABORT: u8 = 6;
    pub(super) const SHUTDOWN: u8 = 7;
    pub(super) const SHUTDOWN_ACK: u8 = 8;
    pub(super) const ERROR: u8 = 9;
    pub(super) const COOKIE_ECHO: u8 = 10;
    pub(super) const COOKIE_ACK: u8 = 11;
    pub(super) const SHUTDOWN_COMPLETE: u8 = 14;
}

/// [`SctpState::flags`]: a heartbeat came with a tag that did not fit; and from which side.
const HEARTBEAT_FAILED: u8 = 1;
const FAILED_FROM_REPLY: u8 = 2;
/// An INIT was seen in this direction.
const INIT_SEEN: [u8; 2] = [4, 8];

/// An association's state before its first packet.
pub(crate) const FRESH: SctpState = SctpState { state: state::NONE, vtag: [0; 2], flags: 0 };

/// A chunk: its type, its flags, and what follows its header.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    kind: u8,
    flags: u8,
    rest: &'a [u8],
}

impl Chunk<'_> {
    /// INIT and INIT ACK: the tag that its sender wants to see.
    fn init_tag(&self) -> Option<u32> {
        // The whole fixed part must be there.
        let fixed = self.rest.get(..16)?;
        Some(u32::from_be_bytes([fixed[0], fixed[1], fixed[2], fixed[3]]))
    }
    /// The T bit: the sender had no association, and reflects the other's tag.
    fn reflected(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// The chunks of a packet. None where one is of length zero.
fn chunks(bytes: &[u8]) -> Option<Vec<Chunk<'_>>> {
    let mut found = Vec::new();
    let mut at = 12;
    while let Some([kind, flags, high, low]) = bytes.get(at..at + 4) {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length == 0 {
            return None;
        }
        found.push(Chunk { kind: *kind, flags: *flags, rest: &bytes[at + 4..] });
        at += (length + 3) & !3;
    }
    Some(found)
}

/// `do_basic_checks`: some chunks stand first or alone, and there must be one.
fn in_order(chunks: &[Chunk<'_>]) -> bool {
    use chunk::*;
    let alone = |c: &Chunk<'_>| matches!(c.kind, INIT | INIT_ACK | SHUTDOWN_COMPLETE);
    let first = |c: &Chunk<'_>| matches!(c.kind, COOKIE_ACK | COOKIE_ECHO);
    !chunks.is_empty()
        && (chunks.len() == 1 || !chunks.iter().any(alone))
        && !chunks.iter().skip(1).any(first)
}

/// The state machine (`sctp_conntracks`). None: invalid.
const fn next(dir: Direction, kind: u8, from: u8) -> Option<u8> {
    use Direction::{Original, Reply};
    use state::*;
    Some(match (dir, from, kind) {
        (_, _, c) if !changes(c) => from,
        // Nothing began, or only a heartbeat did.
        (Reply, HEARTBEAT_SENT, chunk::HEARTBEAT) => HEARTBEAT_SENT,
        (Reply, HEARTBEAT_SENT, chunk::HEARTBEAT_ACK) => ESTABLISHED,
        (Reply, NONE | HEARTBEAT_SENT, _) => return None,
        (Original, NONE | HEARTBEAT_SENT, chunk::SHUTDOWN_ACK) => SHUTDOWN_ACK_SENT,
        (Original, NONE | HEARTBEAT_SENT, chunk::HEARTBEAT) => HEARTBEAT_SENT,
        (Original, HEARTBEAT_SENT, chunk::HEARTBEAT_ACK) => HEARTBEAT_SENT,
        (Original, HEARTBEAT_SENT, chunk::INIT) => COOKIE_WAIT,
        (Original, NONE | HEARTBEAT_SENT, _) => CLOSED,
        (_, _, chunk::ABORT) => CLOSED,
        (Original, SHUTDOWN_SENT | SHUTDOWN_RECD, chunk::INIT) => CLOSED,
        (Reply, CLOSED, chunk::INIT_ACK) => COOKIE_WAIT,
        (_, COOKIE_WAIT, chunk::COOKIE_ECHO) => COOKIE_ECHOED,
        (_, COOKIE_ECHOED, chunk::COOKIE_ACK) => ESTABLISHED,
        (Reply, COOKIE_ECHOED, chunk::ERROR) => CLOSED,
        (Original, ESTABLISHED, chunk::SHUTDOWN) => SHUTDOWN_SENT,
        (Reply, ESTABLISHED, chunk::SHUTDOWN) => SHUTDOWN_RECD,
        (_, SHUTDOWN_SENT | SHUTDOWN_RECD, chunk::SHUTDOWN_ACK) => SHUTDOWN_ACK_SENT,
        (_, SHUTDOWN_ACK_SENT, chunk::SHUTDOWN_COMPLETE) => CLOSED,
        _ => from,
    })
}

/// Does a chunk of this type matter to the state at all?
const fn changes(kind: u8) -> bool {
    use chunk::*;
    matches!(
        kind,
        INIT | INIT_ACK
            | HEARTBEAT
            | HEARTBEAT_ACK
            | ABORT
            | SHUTDOWN
            | SHUTDOWN_ACK
            | ERROR
            | COOKIE_ECHO
            | COOKIE_ACK
            | SHUTDOWN_COMPLETE
    )
}

/// `nf_conntrack_sctp_packet`.
pub(crate) fn handle(conn: &mut Conn, q: &Question<'_>) -> Answer {
    let (L4::Opaque, Payload::Bytes(bytes)) = (&q.packet.l4, &q.packet.payload) else {
        return Answer::Invalid(Invalid::Malformed);
    };
    let Some(&[a, b, c, d]) = bytes.get(4..8) else { return Answer::Invalid(Invalid::Malformed) };
    if bytes.len() < 12 {
        return Answer::Invalid(Invalid::Malformed);
    }
    if q.bad_checksum() {
        return Answer::Invalid(Invalid::Checksum);
    }
    let tag = u32::from_be_bytes([a, b, c, d]);
    let invalid = Answer::Invalid(Invalid::Sctp);
    let Some(chunks) = chunks(bytes).filter(|c| in_order(c)) else { return invalid };
    let confirmed = conn.confirmed();
    let ProtoState::Sctp(sctp) = &mut conn.proto else { return invalid };
    let old = sctp.state;
    let judged = judge(sctp, confirmed, tag, &chunks, q.dir());
    let to = sctp.state;
    if to != old {
        conn.note(notify::PROTOINFO);
    }
    match judged {
        Verdict::Invalid => invalid,
        Verdict::Ignore => Answer::Ignore,
        Verdict::Accept => {
            // Whatever came before: a heartbeat that is answered is enough.
            if to == state::ESTABLISHED && q.dir() == Direction::Reply {
                assure(conn);
            }
            Answer::Refresh(q.sysctl.ct_sctp_timeouts[usize::from(to.max(1) - 1).min(7)])
        }
    }
}

enum Verdict {
    Accept,
    Ignore,
    Invalid,
}

fn judge(sctp: &mut SctpState, confirmed: bool, tag: u32, chunks: &[Chunk<'_>], dir: Direction) -> Verdict {
    use chunk::*;
    let (me, peer) = (dir as usize, dir.flip() as usize);
    let has = |kind: u8| chunks.iter().any(|c| c.kind == kind);
    let ends = has(ABORT) || has(SHUTDOWN_COMPLETE) || has(COOKIE_ACK);
    if !confirmed && (ends || !begin(sctp, tag, chunks)) {
        return Verdict::Invalid;
    }
    let own_rule = [INIT, SHUTDOWN_COMPLETE, COOKIE_ECHO, ABORT, SHUTDOWN_ACK, HEARTBEAT, HEARTBEAT_ACK];
    if !own_rule.iter().any(|k| has(*k)) && tag != sctp.vtag[me] {
        return Verdict::Invalid;
    }
    let mut ignore = false;
    for c in chunks {
        match c.kind {
            INIT if tag != 0 => return Verdict::Invalid,
            ABORT | SHUTDOWN_COMPLETE => {
                let expected = if c.reflected() { sctp.vtag[peer] } else { sctp.vtag[me] };
                if tag != expected {
                    return Verdict::Invalid;
                }
            }
            COOKIE_ECHO if tag != sctp.vtag[me] => return Verdict::Invalid,
            COOKIE_ACK => sctp.flags &= !(INIT_SEEN[0] | INIT_SEEN[1]),
            HEARTBEAT | HEARTBEAT_ACK if sctp.vtag[me] == 0 => sctp.vtag[me] = tag,
            HEARTBEAT | HEARTBEAT_ACK if tag != sctp.vtag[me] => {
                if has(DATA) || ignore {
                    return Verdict::Invalid;
                }
                if c.kind == HEARTBEAT {
                    // A restart? The answer will tell.
                    sctp.flags |= HEARTBEAT_FAILED;
                    sctp.flags &= !FAILED_FROM_REPLY;
                    if dir == Direction::Reply {
                        sctp.flags |= FAILED_FROM_REPLY;
                    }
                    ignore = true;
                    continue;
                }
                let failed_here = (sctp.flags & FAILED_FROM_REPLY != 0) == (dir == Direction::Reply);
                if sctp.flags & HEARTBEAT_FAILED == 0 || failed_here {
                    return Verdict::Invalid;
                }
                sctp.flags &= !HEARTBEAT_FAILED;
                sctp.vtag[me] = tag;
                sctp.vtag[peer] = 0;
            }
            HEARTBEAT | HEARTBEAT_ACK => sctp.flags &= !HEARTBEAT_FAILED,
            _ => {}
        }
        let from = sctp.state;
        let Some(to) = next(dir, c.kind, from) else { return Verdict::Invalid };
        match c.kind {
            INIT => {
                let Some(wanted) = c.init_tag() else { return Verdict::Invalid };
                if sctp.flags & INIT_SEEN[me] != 0 {
                    sctp.flags &= !INIT_SEEN[peer];
                }
                sctp.flags |= INIT_SEEN[me];
                sctp.vtag[peer] = wanted;
                // An INIT sent again does not prolong the wait for an answer.
                if confirmed && (from, to) == (state::CLOSED, state::CLOSED) {
                    ignore = true;
                }
            }
            INIT_ACK => {
                let Some(wanted) = c.init_tag() else { return Verdict::Invalid };
                let known = sctp.vtag[peer];
                let (mine, theirs) = (sctp.flags & INIT_SEEN[me] != 0, sctp.flags & INIT_SEEN[peer] != 0);
                let differs = known != wanted;
                if differs && ((!theirs && known != 0) || (mine && theirs)) {
                    return Verdict::Invalid;
                }
                sctp.vtag[peer] = wanted;
            }
            _ => {}
        }
        sctp.state = to;
    }
    if ignore { Verdict::Ignore } else { Verdict::Accept }
}

/// `sctp_new`: can these chunks begin an association? Notes the tags.
fn begin(sctp: &mut SctpState, tag: u32, chunks: &[Chunk<'_>]) -> bool {
    *sctp = FRESH;
    for c in chunks {
        if matches!(next(Direction::Original, c.kind, state::NONE), None | Some(state::NONE)) {
            return false;
        }
        match c.kind {
            chunk::INIT => match c.init_tag() {
                Some(wanted) if tag == 0 => sctp.vtag[Direction::Reply as usize] = wanted,
                _ => return false,
            },
            chunk::HEARTBEAT => sctp.vtag[Direction::Original as usize] = tag,
            _ => sctp.vtag[Direction::Reply as usize] = tag,
        }
    }
    true
}
