//! What became of a packet, and who did it: its turns, in order, in every host that it passed.

use super::chain::{by_rule, dropped};
use super::walk::kernel_remedy;
use super::{Answer, Reason};
use crate::facts::Fact;
use crate::file::StationId;
use crate::record::What;
use crate::session::Session;
use hookwalk_engine::event::{DropBy, EventKind, Invalid, NatSkip, Origin, Receiver, RouteTo};
use hookwalk_engine::nat::Manip;
use hookwalk_engine::packet::PacketId;

/// The answer for a packet.
pub(super) fn answer(session: &mut Session, packet: PacketId) -> Answer {
    let records: Vec<(usize, What)> = session
        .records(0..usize::MAX)
        .iter()
        .enumerate()
        .filter(|(_, r)| r.what.packet() == Some(packet))
        .map(|(i, r)| (i, r.what))
        .collect();
    let mut reasons = Vec::new();
    let mut remedies = Vec::new();
    let mut fate = "why.packet_open";
    for (at, what) in records {
        let fact = match what {
            What::Host(event) => {
                let host = StationId(event.host.0);
                match event.kind {
                    EventKind::Drop { by } => {
                        fate = "why.packet_dropped";
                        if let DropBy::Kernel(drop) = by
                            && let Some((key, command)) = kernel_remedy(drop)
                        {
                            remedies.push(Fact::new(key).with("command", command));
                        }
                        Some(dropped(session, at, host, by))
                    }
                    EventKind::Deliver { to } => {
                        fate = "why.packet_delivered";
                        Some(match to {
                            Receiver::Listener(port) | Receiver::Connected(port) => {
                                Fact::new("why.to_socket").with("port", (port).to_string())
                            }
                            Receiver::Icmp => Fact::new("why.to_icmp"),
                            Receiver::Nobody => Fact::new("why.to_nobody"),
                        })
                    }
                    kind => turn(session, at, host, kind),
                }
                .map(|f| f.with("host", &session.lab().stations[host.index()].name))
            }
            What::Arrive { at: end, .. } => {
                fate = "why.packet_arrived";
                let name = session.lab().stations[end.station.index()].name.clone();
                Some(Fact::new("why.arrived").with("host", name))
            }
            What::Lost { .. } => {
                fate = "why.packet_lost";
                Some(Fact::new("why.lost"))
            }
            _ => None,
        };
        if let Some(fact) = fact {
            reasons.push(Reason { fact, at: Some(at + 1), packets: vec![packet.0] });
        }
    }
    Answer { headline: Fact::new(fate).with("packet", (packet.0).to_string()), reasons, remedies }
}

/// A turn of the packet's way, if the event is one.
fn turn(session: &mut Session, at: usize, host: StationId, kind: EventKind) -> Option<Fact> {
    // One phrase for each half: languages differ in how they join such words.
    let half = |manip, source, destination| if manip == Manip::Src { source } else { destination };
    Some(match kind {
        EventKind::Originate { by, answers } => match by {
            Origin::Reject(r) => {
                by_rule(session, at, host, r, "why.born_reject").with("answers", (answers.0).to_string())
            }
            Origin::Tee(r) => {
                by_rule(session, at, host, r, "why.born_tee").with("answers", (answers.0).to_string())
            }
            Origin::Copy => Fact::new("why.born_copy").with("answers", (answers.0).to_string()),
            Origin::Solicit => Fact::new("why.born_solicit"),
            Origin::TcpReset => Fact::new("why.born_reset").with("answers", (answers.0).to_string()),
            Origin::IcmpError => Fact::new("why.born_icmp_error").with("answers", (answers.0).to_string()),
            Origin::IcmpReply => Fact::new("why.born_icmp_reply").with("answers", (answers.0).to_string()),
            Origin::Socket if answers.0 != 0 => {
                Fact::new("why.born_answer").with("answers", (answers.0).to_string())
            }
            Origin::Socket | Origin::Raw => Fact::new("why.born_local"),
        },
        EventKind::CtNew { .. } => Fact::new("why.ct_new"),
        EventKind::CtInvalid { why } => Fact::new(invalid(why)),
        EventKind::CtUntracked => Fact::new("why.ct_untracked"),
        EventKind::NatBound { manip, rule, changed } => match (rule, changed) {
            (Some(r), _) => by_rule(
                session,
                at,
                host,
                r,
                half(manip, "why.nat_bound.source", "why.nat_bound.destination"),
            ),
            (None, true) => {
                Fact::new(half(manip, "why.nat_null_changed.source", "why.nat_null_changed.destination"))
            }
            (None, false) => return None,
        },
        EventKind::NatSkipped { manip, why: NatSkip::Decided { by } } => {
            Fact::new(half(manip, "why.nat_decided_short.source", "why.nat_decided_short.destination"))
                .with("by", (by.0).to_string())
        }
        EventKind::Rewrite { manip, old } => {
            session.seek(at + 1);
            let before = super::words::old_end(session, at, old);
            let after = super::words::end(session, at, manip);
            Fact::new(half(manip, "why.rewritten.source", "why.rewritten.destination"))
                .with("old", before)
                .with("new", after)
        }
        EventKind::Confirmed { .. } => Fact::new("why.confirmed"),
        EventKind::UnconfirmedGone { .. } => Fact::new("why.entry_lost"),
        EventKind::Route { to: RouteTo::None, .. } => Fact::new("why.route_none"),
        EventKind::Accept { .. } | EventKind::Policy { .. } => return None,
        _ => return None,
    })
}

/// The phrase key for a reason to be INVALID.
fn invalid(why: Invalid) -> &'static str {
    match why {
        Invalid::Malformed => "invalid.malformed",
        Invalid::Checksum => "invalid.checksum",
        Invalid::Fragment => "invalid.fragment",
        Invalid::TcpFlags => "invalid.tcp_flags",
        Invalid::TcpState { .. } => "invalid.tcp_state",
        Invalid::TcpFirst => "invalid.tcp_first",
        Invalid::TcpWindow => "invalid.tcp_window",
        Invalid::TcpRst => "invalid.tcp_rst",
        Invalid::IcmpUnsolicited => "invalid.icmp_unsolicited",
        Invalid::IcmpUnknownFlow => "invalid.icmp_unknown_flow",
        Invalid::IcmpWrongTarget => "invalid.icmp_wrong_target",
        Invalid::Sctp => "invalid.sctp",
    }
}
