//! What one packet met in one host, read from the records.

use crate::file::StationId;
use crate::record::What;
use crate::session::Session;
use hookwalk_engine::addr::Family;
use hookwalk_engine::event::{DropBy, EventKind, KernelDrop};
use hookwalk_engine::packet::PacketId;

/// A packet's passage through a host.
pub(super) struct Passage {
    /// The packet.
    pub(super) packet: PacketId,
    /// Its family.
    pub(super) family: Family,
    /// What happened, with the record's number.
    pub(super) events: Vec<(usize, EventKind)>,
}

impl Passage {
    /// The end, if it was a drop: the record's number and who did it.
    pub(super) fn dropped(&self) -> Option<(usize, DropBy)> {
        self.events.iter().rev().find_map(|(at, kind)| match kind {
            EventKind::Drop { by } => Some((*at, *by)),
            _ => None,
        })
    }
    /// Did it begin in this host?
    pub(super) fn is_local(&self) -> bool {
        self.events.iter().any(|(_, k)| matches!(k, EventKind::Originate { .. }))
    }
    /// Was it for this host?
    pub(super) fn is_delivered(&self) -> bool {
        self.events.iter().any(|(_, k)| {
            matches!(
                k,
                EventKind::Route { to: hookwalk_engine::event::RouteTo::Local, .. }
                    | EventKind::Deliver { .. }
            )
        })
    }
}

/// All packets that were in the host up to this position, in order of arrival.
pub(super) fn passages(session: &mut Session, host: StationId, until: usize) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    for (at, record) in session.records(0..until).iter().enumerate() {
        let What::Host(event) = record.what else { continue };
        if event.host.0 != host.0 || event.packet.0 == 0 {
            continue;
        }
        match found.iter_mut().rev().find(|p| p.packet == event.packet) {
            Some(p) => p.events.push((at, event.kind)),
            None => found.push(Passage {
                packet: event.packet,
                family: Family::V4,
                events: vec![(at, event.kind)],
            }),
        }
    }
    for passage in &mut found {
        let at = passage.events[0].0;
        session.seek(at);
        let family = |s: &Session| {
            s.world().flights().find(|(_, f)| f.skb.id == passage.packet).map(|(_, f)| f.skb.packet.family)
        };
        let seen = family(session).or_else(|| {
            session.seek(at + 1);
            family(session)
        });
        passage.family = seen.unwrap_or(Family::V4);
    }
    found
}

/// A known remedy for a reason of the kernel's own to drop, with the line to type.
pub(super) fn kernel_remedy(drop: KernelDrop) -> Option<(&'static str, &'static str)> {
    Some(match drop {
        KernelDrop::ForwardingOff => ("remedy.forwarding", "sysctl -w net.ipv4.ip_forward=1"),
        KernelDrop::ReversePath => ("remedy.rp_filter", "sysctl -w net.ipv4.conf.all.rp_filter=2"),
        KernelDrop::MartianDestination | KernelDrop::MartianSource => {
            ("remedy.route_localnet", "sysctl -w net.ipv4.conf.all.route_localnet=1")
        }
        KernelDrop::OwnSource => ("remedy.accept_local", "sysctl -w net.ipv4.conf.all.accept_local=1"),
        KernelDrop::ConntrackFull => {
            ("remedy.conntrack_max", "sysctl -w net.netfilter.nf_conntrack_max=524288")
        }
        KernelDrop::ConfirmClash => ("remedy.more_ports", ""),
        KernelDrop::NoRoute => ("remedy.route", "ip route add default via GATEWAY"),
        KernelDrop::TooBig => (
            "remedy.mss",
            "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
        ),
        _ => return None,
    })
}
