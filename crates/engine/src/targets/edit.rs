//! Targets that change the packet's headers: TTL, HL, TOS, DSCP, ECN, TCPMSS, TCPOPTSTRIP
//! (net/netfilter/xt_HL.c, xt_DSCP.c, xt_TCPMSS.c, xt_TCPOPTSTRIP.c, net/ipv4/netfilter/ipt_ECN.c).

use super::{TargetCx, Verdict};
use crate::addr::Family;
use crate::event::{Field, Observer};
use crate::packet::{L4, TcpOpts, tcp_flags};
use crate::route::Flow;

/// `-j TTL` (IPv4) and `-j HL` (IPv6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlTarget {
    /// `--ttl-set`.
    Set(u8),
    /// `--ttl-inc`.
    Inc(u8),
    /// `--ttl-dec`.
    Dec(u8),
}

/// `-j TOS`: `tos = (tos & !mask) ^ value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TosTarget {
    /// Value.
    pub value: u8,
    /// Mask.
    pub mask: u8,
}

/// `-j ECN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EcnTarget {
    /// `--ecn-ip-ect`.
    pub ip_ect: Option<u8>,
    /// `--ecn-tcp-ece`.
    pub tcp_ece: Option<u8>,
    /// `--ecn-tcp-cwr`. `--ecn-tcp-remove` is `ece` 0 with `cwr` 0.
    pub tcp_cwr: Option<u8>,
}

/// `-j TCPMSS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpmssTarget {
    /// `--set-mss`.
    Set(u16),
    /// `--clamp-mss-to-pmtu`.
    ClampToPmtu,
}

/// `-j TCPOPTSTRIP --strip-options`: one bit an option number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpoptstripTarget {
    /// Bit n of the whole stands for option n.
    pub options: [u32; 8],
}

impl TtlTarget {
    /// `ttl_tg`, `hl_tg6`: up to 255 at most, down to 0 at least.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let old = cx.skb.packet.ttl;
        let new = match *self {
            TtlTarget::Set(n) => n,
            TtlTarget::Inc(n) => old.saturating_add(n),
            TtlTarget::Dec(n) => old.saturating_sub(n),
        };
        cx.skb.packet.ttl = new;
        cx.set(Field::Ttl, old.into(), new.into());
        Verdict::Continue
    }
}

/// Writes the type of service or traffic class.
fn set_tos<O: Observer>(cx: &mut TargetCx<'_, '_, O>, new: u8) -> Verdict {
    let old = std::mem::replace(&mut cx.skb.packet.tos, new);
    cx.set(Field::Tos, old.into(), new.into());
    Verdict::Continue
}

impl TosTarget {
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let new = (cx.skb.packet.tos & !self.mask) ^ self.value;
        set_tos(cx, new)
    }
}

/// `dscp_tg`: the lower two bits stay.
pub(super) fn set_dscp<O: Observer>(cx: &mut TargetCx<'_, '_, O>, dscp: u8) -> Verdict {
    let new = (cx.skb.packet.tos & 3) | (dscp << 2);
    set_tos(cx, new)
}

impl EcnTarget {
    /// `ecn_tg`: the bits of the IP header, then those of a TCP header. A TCP packet whose header cannot be read is
    /// dropped.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        if let Some(ect) = self.ip_ect {
            let new = (cx.skb.packet.tos & !3) | (ect & 3);
            set_tos(cx, new);
        }
        let tcp = cx.skb.packet.proto == crate::packet::proto::TCP;
        if (self.tcp_ece.is_some() || self.tcp_cwr.is_some()) && tcp {
            let L4::Tcp(tcp) = &mut cx.skb.packet.l4 else { return Verdict::Drop };
            for (wanted, bit) in [(self.tcp_ece, tcp_flags::ECE), (self.tcp_cwr, tcp_flags::CWR)] {
                match wanted {
                    None => {}
                    Some(0) => tcp.flags &= !bit,
                    Some(_) => tcp.flags |= bit,
                }
            }
        }
        Verdict::Continue
    }
}

impl TcpmssTarget {
    /// `tcpmss_mangle_packet`: the option is only ever lowered. A packet without data that has none gets one.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() {
            return Verdict::Continue;
        }
        // Headers without options; and what a host may send to one that announced nothing (RFC 1122, RFC 8200).
        let (headers, unannounced) = match packet.family {
            Family::V4 => (40, 536),
            Family::V6 => (60, 1220),
        };
        let wanted = match *self {
            TcpmssTarget::Set(mss) => u32::from(mss),
            TcpmssTarget::ClampToPmtu => {
                let back =
                    cx.net.route_output(&Flow::to(packet.family, packet.src)).map_or(u32::MAX, |d| d.mtu);
                let mtu = cx.skb.dst.map_or(u32::MAX, |d| d.mtu).min(back);
                if mtu <= headers {
                    return Verdict::Drop;
                }
                mtu - headers
            }
        };
        let wanted = wanted.min(u32::from(u16::MAX)) as u16;
        let data = !cx.skb.packet.payload.is_empty();
        let L4::Tcp(tcp) = &mut cx.skb.packet.l4 else { return Verdict::Drop };
        let old = tcp.opts.mss;
        let new = match old {
            Some(mss) if mss <= wanted => return Verdict::Continue,
            Some(_) => wanted,
            // No room: the header is at its longest, or data would have to move.
            None if data || tcp.opts.len() >= 40 => return Verdict::Continue,
            None => wanted.min(unannounced),
        };
        tcp.opts.mss = Some(new);
        cx.set(Field::Mss, old.unwrap_or(0).into(), new.into());
        Verdict::Continue
    }
}

impl TcpoptstripTarget {
    const fn has(&self, option: u8) -> bool {
        self.options[(option / 32) as usize] & (1 << (option % 32)) != 0
    }

    /// `tcpoptstrip_mangle_packet`: options are overwritten with padding, so that the length stays.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        if cx.skb.packet.is_later_fragment() {
            return Verdict::Continue;
        }
        let L4::Tcp(tcp) = &mut cx.skb.packet.l4 else { return Verdict::Drop };
        let old = tcp.opts;
        let opts = &mut tcp.opts;
        let keep = |option: u8| !self.has(option);
        *opts = TcpOpts {
            mss: opts.mss.filter(|_| keep(2)),
            wscale: opts.wscale.filter(|_| keep(3)),
            sack_permitted: opts.sack_permitted && keep(4),
            sack: opts.sack.filter(|_| keep(5)),
            timestamps: opts.timestamps.filter(|_| keep(8)),
            padding: opts.padding,
        };
        opts.padding += (old.len() - opts.len()) as u8;
        let mss = |o: &TcpOpts| o.mss.unwrap_or(0).into();
        let (before, after) = (mss(&old), mss(opts));
        cx.set(Field::Mss, before, after);
        Verdict::Continue
    }
}
