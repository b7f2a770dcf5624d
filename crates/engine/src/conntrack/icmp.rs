//! ICMP and ICMPv6: queries are connections; errors belong to the connection that they quote
//! (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c).

use super::l4::{Answer, tuple_of};
use super::{Conn, CtInfo, Direction, Tuple, Zone};
use crate::addr::Family;
use crate::event::Invalid;
use crate::packet::{L4, Packet, Payload, proto};

/// `nf_conntrack_icmp_packet`, `_icmpv6_packet`: only queries begin a connection.
pub(crate) fn handle(conn: &Conn, timeout: u32) -> Answer {
    let original = conn.tuple(Direction::Original);
    let query = match original.family {
        Family::V4 => matches!(original.icmp_type(), 8 | 13 | 15 | 17),
        Family::V6 => matches!(original.icmp_type(), 128 | 139),
    };
    if query { Answer::Refresh(timeout) } else { Answer::Invalid(Invalid::IcmpUnsolicited) }
}

/// What is to be done with an ICMP message before any lookup of its own tuple.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum First {
    /// An ordinary message: look its own tuple up.
    Lookup,
    /// Not to be tracked: neighbour discovery and its kin.
    Untracked,
    /// Invalid.
    Invalid(Invalid),
    /// An error: look up what it quotes.
    Error(Quoted),
}

/// What an ICMP error quotes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Quoted {
    /// The tuple of the answers to the quoted packet: the one to look up.
    pub(crate) tuple: Tuple,
    /// Where the error is sent; the sender of the quoted packet, if all is well.
    pub(crate) outer_dst: crate::addr::Addr,
}

impl Quoted {
    /// `nf_conntrack_inet_error`, once the entry is found by the tuple of this direction: how the error stands to it.
    pub(crate) fn info(&self, conn: &Conn, dir: Direction) -> Result<CtInfo, Invalid> {
        if conn.tuple(dir).dst != self.outer_dst {
            return Err(Invalid::IcmpWrongTarget);
        }
        Ok(match dir {
            Direction::Original => CtInfo::Related,
            Direction::Reply => CtInfo::RelatedReply,
        })
    }
}

/// `nf_conntrack_handle_icmp`.
pub(crate) fn first(packet: &Packet, verify_checksum: bool) -> First {
    match (packet.family, packet.proto, &packet.l4) {
        (Family::V4, proto::ICMP, L4::Icmp(icmp)) => {
            if verify_checksum && packet.bad_l4_checksum {
                return First::Invalid(Invalid::Checksum);
            }
            match icmp.kind {
                19.. => First::Invalid(Invalid::IcmpUnsolicited),
                3 | 4 | 5 | 11 | 12 => error(packet),
                _ => First::Lookup,
            }
        }
        (Family::V6, proto::ICMPV6, L4::Icmp(icmp)) => {
            if verify_checksum && packet.bad_l4_checksum {
                return First::Invalid(Invalid::Checksum);
            }
            match icmp.kind {
                130..=136 | 143 | 151 | 152 => First::Untracked,
                // A redirect of neighbour discovery quotes in an option; as values, in the same place.
                137 => error(packet),
                128.. => First::Lookup,
                _ => error(packet),
            }
        }
        (Family::V4, proto::ICMP, _) | (Family::V6, proto::ICMPV6, _) => First::Invalid(Invalid::Malformed),
        _ => First::Lookup,
    }
}

fn error(packet: &Packet) -> First {
    let Payload::Quote { packet: quoted, len } = &packet.payload else {
        return First::Invalid(Invalid::Malformed);
    };
    let tuple = tuple_of(quoted, Some(*len)).and_then(|t| t.invert());
    match tuple {
        Some(tuple) => First::Error(Quoted { tuple, outer_dst: packet.dst }),
        None => First::Invalid(Invalid::IcmpUnknownFlow),
    }
}

/// The zone for the lookup of a quoted packet or of the packet itself (`nf_ct_zone_tmpl`).
pub(crate) fn zone_of(template: Option<Zone>, mark: u32) -> Zone {
    match template {
        Some(zone) if zone.from_mark => Zone { id: mark as u16, ..zone },
        Some(zone) => zone,
        None => Zone::default(),
    }
}
