//! Sequence numbers after a helper changed a payload's length (nf_conntrack_seqadj.c).

use super::{Conn, Direction, SeqAdj, status};
use crate::packet::{L4, Packet, tcp_flags};

/// `nf_ct_seq_offset`: how far sequence numbers of this direction are shifted at this place.
pub(crate) fn offset(conn: &Conn, dir: Direction, seq: u32) -> i32 {
    let Some(adj) = conn.rare.as_ref().and_then(|r| r.seqadj) else { return 0 };
    let this = adj[dir as usize];
    if super::tcp::before(this.at, seq) { this.after } else { this.before }
}

/// `nf_ct_seqadj_set`: from this sequence number on, the direction is longer by so many bytes.
pub(crate) fn set(conn: &mut Conn, dir: Direction, seq: u32, by: i32) {
    if by == 0 {
        return;
    }
    let rare = conn.rare.get_or_insert_default();
    let this = &mut rare.seqadj.get_or_insert_with(|| [SeqAdj::default(); 2])[dir as usize];
    if this.before == this.after || super::tcp::before(this.at, seq) {
        *this = SeqAdj { at: seq, before: this.after, after: this.after.wrapping_add(by) };
    }
    conn.status |= status::SEQ_ADJUST;
    conn.note(super::notify::SEQADJ);
}

/// `nf_ct_seq_adjust`: shifts the packet's own number, and the number that it acknowledges back.
pub(crate) fn adjust(conn: &Conn, dir: Direction, packet: &mut Packet) {
    let Some(adj) = conn.rare.as_ref().and_then(|r| r.seqadj) else { return };
    let L4::Tcp(tcp) = &mut packet.l4 else { return };
    let (this, other) = (adj[dir as usize], adj[dir.flip() as usize]);
    let shift = if super::tcp::before(this.at, tcp.seq) { this.after } else { this.before };
    tcp.seq = tcp.seq.wrapping_add(shift as u32);
    if tcp.flags & tcp_flags::ACK == 0 {
        return;
    }
    let unshift = |ack: u32| {
        let passed = super::tcp::before(other.at, ack.wrapping_sub(other.before as u32));
        ack.wrapping_sub(if passed { other.after } else { other.before } as u32)
    };
    tcp.ack = unshift(tcp.ack);
    if let Some((left, right)) = &mut tcp.opts.sack {
        *left = unshift(*left);
        *right = unshift(*right);
    }
}
