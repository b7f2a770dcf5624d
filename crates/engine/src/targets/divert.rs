//! Targets that send the packet or a copy elsewhere: TPROXY, TEE, NFQUEUE (net/netfilter/xt_TPROXY.c, xt_TEE.c,
//! xt_NFQUEUE.c).

use super::{Spawn, TargetCx, Verdict};
use crate::addr::Addr;
use crate::event::Observer;
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
