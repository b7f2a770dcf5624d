//! The SCTP tracker (nf_conntrack_proto_sctp.c).

use super::l4::{Answer, Question};
use super::{Conn, SctpState};
use crate::event::Invalid;

/// An association's state before its first packet.
pub(crate) const FRESH: SctpState = SctpState { state: 0, vtag: [0; 2], flags: 0 };

/// `nf_conntrack_sctp_packet`.
pub(crate) fn handle(_conn: &mut Conn, _q: &Question<'_>) -> Answer {
    Answer::Invalid(Invalid::Sctp)
}
