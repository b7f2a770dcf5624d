//! Targets that send the packet or a copy elsewhere: TPROXY, TEE, NFQUEUE (net/netfilter/xt_TPROXY.c, xt_TEE.c,
//! xt_NFQUEUE.c).

use super::{Spawn, TargetCx, Verdict};
use crate::addr::{Addr, Family};
use crate::event::{Field, Observer};
use crate::packet::proto;
use std::sync::Arc;

/// `-j TPROXY`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TproxyTarget {
    /// `--on-port`; 0: the packet's own.
    pub port: u16,
    /// `--on-ip`; unspecified: the input device's first address.
    pub addr: Addr,
    /// `--tproxy-mark` value.
    pub mark: u32,
    /// `--tproxy-mark` mask.
    pub mask: u32,
}

/// `-j TEE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TeeTarget {
    /// `--gateway`.
    pub gateway: Addr,
    /// `--oif`.
    pub oif: Option<Arc<str>>,
}

/// `-j NFQUEUE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NfqueueTarget {
    /// `--queue-num`, or the first of `--queue-balance`.
    pub queue: u16,
    /// How many queues: 1, or those of `--queue-balance`.
    pub total: u16,
    /// `--queue-bypass`.
    pub bypass: bool,
    /// `--queue-cpu-fanout`.
    pub cpu_fanout: bool,
}

impl TeeTarget {
    /// `tee_tg4`, `tee_tg6`: a copy is not copied again.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        if !cx.skb.is_clone {
            let oif = self.oif.as_ref().and_then(|name| cx.net.device_by_name(name)).map(|d| d.id);
            // With --oif given and no such device, nothing is sent.
            if self.oif.is_none() || oif.is_some() {
                cx.spawn.push(Spawn::Tee { gateway: self.gateway, oif });
            }
        }
        Verdict::Continue
    }
}

impl TproxyTarget {
    /// `tproxy_tg4`, `tproxy_tg6_v1`: a connection of the packet's own addresses, else a listener at the given address
    /// and port. A transparent one takes the packet; without one it is dropped.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let packet = &cx.skb.packet;
        let (family, proto) = (packet.family, packet.proto);
        let Some((sport, dport)) = packet.ports().filter(|_| matches!(proto, proto::TCP | proto::UDP)) else {
            return Verdict::Drop;
        };
        let sockets = &cx.net.sockets;
        let connection = sockets.tcp.iter().filter(|_| proto == proto::TCP).find(|s| {
            s.family == family && s.local == (packet.dst, dport) && s.remote == (packet.src, sport)
        });
        let addr = if self.addr.is_unspecified() { self.own_addr(cx) } else { self.addr };
        let port = if self.port == 0 { dport } else { self.port };
        let transparent = match connection {
            Some(sock) => sock.transparent,
            None => sockets.listener(proto, family, addr, port).is_some_and(|l| l.transparent),
        };
        if !transparent {
            return Verdict::Drop;
        }
        cx.skb.tproxy = Some((addr, port));
        let old = cx.skb.mark;
        cx.skb.mark = (old & !self.mask) ^ self.mark;
        cx.set(Field::Mark, old, cx.skb.mark);
        Verdict::Accept
    }

    /// `nf_tproxy_laddr4`, `_laddr6`: the input device's first address, else the packet's destination.
    fn own_addr<O>(&self, cx: &TargetCx<'_, '_, O>) -> Addr {
        let packet = &cx.skb.packet;
        let device = cx.in_dev.and_then(|d| cx.net.device(d));
        // Link-local addresses do not serve (IPv6 skips tentative ones only, but asks for a global scope).
        let own = device.and_then(|d| {
            d.addrs.iter().find(|a| {
                a.family == packet.family
                    && !a.secondary
                    && (packet.family == Family::V4 || a.addr.0[0] >> 22 != 0xfe80 >> 6)
            })
        });
        own.map_or(packet.dst, |a| a.addr)
    }
}
