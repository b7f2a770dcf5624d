//! Neighbour discovery, as far as rules can see it: in IPv6 the question passes OUTPUT and POSTROUTING like any packet
//! (net/ipv6/ndisc.c:ndisc_solicit). Asking by ARP passes none of these hooks. Answers are not simulated: a lab's
//! neighbours know each other, so only who is absent is asked for.

use crate::addr::{Addr, Family};
use crate::device::DevId;
use crate::event::Origin;
use crate::flight::{Cpu, Flight, PacketIds, Stage};
use crate::host::{Host, Net};
use crate::packet::{Icmp, L4, Owner, Packet, PacketId, Payload, Skb, proto};
use crate::route::{Dst, DstKind};

/// `NDISC_NEIGHBOUR_SOLICITATION`.
const SOLICITATION: u8 = 135;

/// The group in which the owner of an IPv6 address listens for questions, `ff02::1:ffXX:XXXX` (RFC 4291 2.7.1).
pub const fn solicited_node(addr: Addr) -> Addr {
    Addr([0xff02_0000, 0, 1, 0xff00_0000 | addr.0[3] & 0x00ff_ffff])
}

impl Net {
    /// Has the device joined this group (`ip_check_mc_rcu`, `ipv6_chk_mcast_addr`)? Without programs that join others,
    /// it is in those that the kernel itself is in.
    pub fn joined(&self, family: Family, dev: DevId, group: Addr) -> bool {
        match family {
            Family::V4 => group == Addr::v4(0xe000_0001),
            Family::V6 => self.joined6(group, dev),
        }
    }

    /// The source of a question about a packet's next hop: the packet's own, if the device has it, else a link-local
    /// address of the device. Without either nobody is asked.
    fn asks_from(&self, dev: DevId, about: Addr) -> Option<Addr> {
        let mut own = self.device(dev)?.addrs.iter().filter(|a| a.family == Family::V6);
        let link_local = own.clone().find(|a| a.scope == 253).map(|a| a.addr);
        own.any(|a| a.addr == about).then_some(about).or(link_local)
    }
}

impl Host {
    /// Asks who has this address, on the link of a device, for a packet from `about`. The question is on the processor's
    /// stack afterwards.
    pub fn solicit(&mut self, dev: DevId, target: Addr, about: Addr, ids: &mut PacketIds, cpu: &mut Cpu) {
        let Some(src) = self.net.asks_from(dev, about) else { return };
        let group = solicited_node(target);
        let mut message: Vec<u8> = target.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        // The option that tells the own hardware address: type 1, one unit of eight bytes.
        message.extend_from_slice(&[1, 1]);
        message.extend_from_slice(&self.net.device(dev).map_or([0; 6], |d| d.mac));
        let packet = Packet {
            family: Family::V6,
            src,
            dst: group,
            proto: proto::ICMPV6,
            ttl: 255,
            tos: 0,
            ip_id: 0,
            df: false,
            frag: None,
            bad_l4_checksum: false,
            l4: L4::Icmp(Icmp { kind: SOLICITATION, code: 0, rest: 0 }),
            payload: Payload::Bytes(message.into()),
        };
        let mut skb = Skb::new(ids.next_id(), packet);
        let mtu = self.net.mtu(dev);
        skb.dst = Some(Dst { to: DstKind::Multicast, dev, via: None, src: Some(src), mtu });
        skb.owner = Some(Owner::Kernel);
        let at = Stage::LocalOut { by: Origin::Solicit, answers: PacketId::default() };
        cpu.stack.push(Flight { skb, at });
    }
}
