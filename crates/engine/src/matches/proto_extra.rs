//! Matches on rarer protocols' headers: dccp, sctp, ah, esp, ipcomp, mh, tcpmss, and IPv6's frag, ipv6header, eui64.

use super::tcp::PortRange;
use super::transport::{half, raw, word};
use super::{MatchCx, Matched};
use crate::addr::Family;
use crate::packet::proto;
use crate::ruleset::Inv;
use std::sync::Arc;

/// `-m dccp` (net/netfilter/xt_dccp.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DccpMatch {
    /// `--sport`.
    pub sport: Option<Inv<PortRange>>,
    /// `--dport`.
    pub dport: Option<Inv<PortRange>>,
    /// `--dccp-types`: bit n for packet type n.
    pub types: Option<Inv<u16>>,
    /// `--dccp-option`.
    pub option: Option<Inv<u8>>,
}

/// How `--chunk-types` wants its chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkScope {
    /// `any`: one of them is there.
    Any,
    /// `all`: all of them are there.
    All,
    /// `only`: nothing else is there.
    Only,
}

/// A chunk type with the flags that it must have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkFlags {
    /// Chunk type.
    pub chunk: u8,
    /// Flags that must be set.
    pub flags: u8,
    /// Flags that are looked at.
    pub mask: u8,
}

/// `--chunk-types`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SctpChunks {
    /// Any, all or only.
    pub scope: ChunkScope,
    /// One bit a chunk type.
    pub types: [u32; 8],
    /// Conditions on flags.
    pub flags: Vec<ChunkFlags>,
}

/// `-m sctp` (net/netfilter/xt_sctp.c).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SctpMatch {
    /// `--sport`.
    pub sport: Option<Inv<PortRange>>,
    /// `--dport`.
    pub dport: Option<Inv<PortRange>>,
    /// `--chunk-types`.
    pub chunks: Option<Inv<Arc<SctpChunks>>>,
}

/// `-m ah` (IPv4: net/ipv4/netfilter/ipt_ah.c; IPv6: ip6t_ah.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AhMatch {
    /// `--ahspi`.
    pub spi: Option<Inv<(u32, u32)>>,
    /// `--ahlen` (IPv6).
    pub len: Option<Inv<u32>>,
    /// `--ahres` (IPv6).
    pub reserved: bool,
}

/// `-m esp --espspi` and `-m ipcomp --ipcompspi` (net/netfilter/xt_esp.c, xt_ipcomp.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpiMatch {
    /// First and last index, both included.
    pub spi: Option<Inv<(u32, u32)>>,
    /// `--compres` (ipcomp).
    pub reserved: bool,
}

/// `-m mh --mh-type` (net/ipv6/netfilter/ip6t_mh.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MhMatch {
    /// First and last type.
    pub kind: Option<Inv<(u8, u8)>>,
}

/// `-m tcpmss --mss` (net/netfilter/xt_tcpmss.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpmssMatch {
    /// Least and greatest.
    pub mss: Inv<(u16, u16)>,
}

/// `-m frag` (net/ipv6/netfilter/ip6t_frag.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FragMatch {
    /// `--fragid`.
    pub id: Option<Inv<(u32, u32)>>,
    /// `--fraglen`.
    pub len: Option<Inv<u32>>,
    /// `--fragres`.
    pub reserved: bool,
    /// `--fragfirst`.
    pub first: bool,
    /// `--fragmore`.
    pub more: bool,
    /// `--fraglast`.
    pub last: bool,
}

/// `-m ipv6header` (net/ipv6/netfilter/ip6t_ipv6header.c).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv6HeaderMatch {
    /// `MASK_*` bits: 128 hop-by-hop, 64 destination options, 32 routing, 16 fragment, 8 authentication, 4 ESP,
    /// 2 none, 1 an upper protocol.
    pub headers: Inv<u8>,
    /// `--soft`: others may be there too.
    pub soft: bool,
}

fn within<T: PartialOrd + Copy>(range: &Option<Inv<(T, T)>>, value: T) -> bool {
    range.as_ref().is_none_or(|r| r.test(r.value.0 <= value && value <= r.value.1))
}

impl DccpMatch {
    /// Ports, packet type and options; a header that is cut short is dropped at once.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != proto::DCCP {
            return Matched::No;
        }
        let bytes = raw(packet);
        let (Some(sport), Some(dport), Some(&kind)) = (half(&bytes, 0), half(&bytes, 2), bytes.get(8)) else {
            return Matched::HotDrop;
        };
        if bytes.len() < 12 {
            return Matched::HotDrop;
        }
        let kind = (kind >> 1) & 15;
        if !within(&self.sport, sport)
            || !within(&self.dport, dport)
            || !self.types.is_none_or(|t| t.test(t.value & (1 << kind) != 0))
        {
            return Matched::No;
        }
        let Some(option) = self.option else { return Matched::Yes };
        // Options lie between the headers, whose length depends on the type, and the data offset.
        let long = bytes[8] & 1 != 0;
        let headers = if long { 16 } else { 12 }
            + match kind {
                0 => 4,
                2 => 0,
                3..=6 | 8 | 9 => 8,
                // Response, Reset, and types that nobody knows.
                _ => 12,
            };
        let Some(mut options) = bytes.get(headers..usize::from(bytes[4]) * 4) else {
            return Matched::HotDrop;
        };
        let mut found = false;
        while let Some(&kind) = options.first() {
            if kind == option.value {
                found = true;
                break;
            }
            // The kernel takes types 0 and 1 alone for single bytes.
            let len = if kind < 2 { 1 } else { options.get(1).map_or(1, |&l| usize::from(l).max(1)) };
            options = options.get(len..).unwrap_or(&[]);
        }
        option.test(found).into()
    }
}

impl SctpMatch {
    /// Ports and chunks; a header that is cut short is dropped at once.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != proto::SCTP {
            return Matched::No;
        }
        let bytes = raw(packet);
        let (Some(sport), Some(dport)) = (half(&bytes, 0), half(&bytes, 2)) else { return Matched::HotDrop };
        if bytes.len() < 12 {
            return Matched::HotDrop;
        }
        if !within(&self.sport, sport) || !within(&self.dport, dport) {
            return Matched::No;
        }
        match &self.chunks {
            None => Matched::Yes,
            Some(chunks) => match chunks.value.fit(&bytes[12..]) {
                Some(fits) => chunks.test(fits).into(),
                None => Matched::HotDrop,
            },
        }
    }
}

impl SctpChunks {
    /// `match_packet`: walks the chunks of a packet; `None` where there is none, or one of no length.
    fn fit(&self, mut bytes: &[u8]) -> Option<bool> {
        let mut missing = self.types;
        let listed = |chunk: u8| self.types[usize::from(chunk / 32)] & (1 << (chunk % 32)) != 0;
        loop {
            let (&chunk, &flags) = (bytes.first()?, bytes.get(1)?);
            // A length that is too short is believed all the same.
            let len = usize::from(half(bytes, 2).filter(|&len| len > 0)?);
            if listed(chunk) {
                let wanted = self.flags.iter().find(|f| f.chunk == chunk);
                let fits = wanted.is_none_or(|f| flags & f.mask == f.flags);
                match self.scope {
                    ChunkScope::Any if fits => return Some(true),
                    ChunkScope::All if fits => missing[usize::from(chunk / 32)] &= !(1 << (chunk % 32)),
                    ChunkScope::Only if !fits => return Some(false),
                    _ => {}
                }
            } else if self.scope == ChunkScope::Only {
                return Some(false);
            }
            match bytes.get(len.next_multiple_of(4)..) {
                None | Some([]) => break,
                Some(rest) => bytes = rest,
            }
        }
        Some(match self.scope {
            ChunkScope::Any => false,
            ChunkScope::All => missing == [0; 8],
            ChunkScope::Only => true,
        })
    }
}

impl AhMatch {
    /// Compares the index and, over IPv6, the length and the reserved bytes.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != proto::AH {
            return Matched::No;
        }
        let bytes = raw(packet);
        let (Some(spi), true) = (word(&bytes, 4), bytes.len() >= 12) else { return Matched::HotDrop };
        // ipv6_authlen: (n + 2) words of four bytes.
        let len = (u32::from(bytes[1]) + 2) * 4;
        (within(&self.spi, spi)
            && self.len.is_none_or(|l| l.test(l.value == len))
            && (!self.reserved || half(&bytes, 2) == Some(0)))
        .into()
    }
}

impl SpiMatch {
    /// `-m esp`: the index stands first.
    pub fn test_esp(&self, cx: &MatchCx<'_>) -> Matched {
        self.test_at(cx, proto::ESP, |bytes| word(bytes, 0).filter(|_| bytes.len() >= 8))
    }
    /// `-m ipcomp`: the index is the second half of four bytes.
    pub fn test_ipcomp(&self, cx: &MatchCx<'_>) -> Matched {
        const IPCOMP: u8 = 108;
        self.test_at(cx, IPCOMP, |bytes| half(bytes, 2).map(u32::from))
    }
    fn test_at(&self, cx: &MatchCx<'_>, proto: u8, spi: impl Fn(&[u8]) -> Option<u32>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != proto {
            return Matched::No;
        }
        match spi(&raw(packet)) {
            Some(spi) => within(&self.spi, spi).into(),
            None => Matched::HotDrop,
        }
    }
}

impl MhMatch {
    /// Compares the type of a mobility header.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        const MH: u8 = 135;
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != MH {
            return Matched::No;
        }
        let bytes = raw(packet);
        match bytes.get(2) {
            // Its payload proto field must say that nothing follows.
            Some(_) if bytes.len() < 6 || bytes[0] != 59 => Matched::HotDrop,
            Some(&kind) => within(&self.kind, kind).into(),
            None => Matched::HotDrop,
        }
    }
}

impl TcpmssMatch {
    /// Compares the option; false, or true where inverted, if there is none. A later fragment's data is taken for a
    /// header; what is too short for one is dropped.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let found = match packet.tcp() {
            Some(tcp) => tcp.opts.mss,
            None => match read_mss(&raw(packet)) {
                Some(found) => found,
                None => return Matched::HotDrop,
            },
        };
        let (low, high) = self.mss.value;
        self.mss.test(found.is_some_and(|mss| low <= mss && mss <= high)).into()
    }
}

/// The option in bytes that are taken for a TCP header; `None` where there are too few for one.
fn read_mss(bytes: &[u8]) -> Option<Option<u16>> {
    let header = usize::from(bytes.get(12)? >> 4) * 4;
    let mut options = bytes.get(20..header)?;
    while let Some(&kind) = options.first() {
        if kind == 2 && options.get(1) == Some(&4) {
            return Some(half(options, 2));
        }
        let len = if kind < 2 { 1 } else { options.get(1).map_or(1, |&l| usize::from(l).max(1)) };
        options = options.get(len..).unwrap_or(&[]);
    }
    Some(None)
}

impl FragMatch {
    /// Compares the fragment header; false where there is none. Reserved bits are zero here.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let (Family::V6, Some(frag)) = (packet.family, packet.frag) else { return Matched::No };
        // --fraglen is given to the kernel, which does not look at it.
        (within(&self.id, frag.id)
            && (!self.first || frag.offset == 0)
            && (!self.more || frag.more)
            && (!self.last || !frag.more))
            .into()
    }
}

impl Ipv6HeaderMatch {
    /// Compares which headers there are. Of those before the transport header only the fragment header occurs here.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let mut there = if packet.frag.is_some() { 16 } else { 0 };
        // The authentication header names what follows it.
        let last = match packet.proto {
            proto::AH => {
                there |= 8;
                raw(packet).first().copied().unwrap_or(0)
            }
            other => other,
        };
        there |= match last {
            proto::ESP => 4,
            59 => 2,
            _ => 1,
        };
        let wanted = self.headers.value;
        if self.soft {
            let inverted = if self.headers.not { wanted } else { 0 };
            return (((there & wanted) ^ inverted) == wanted).into();
        }
        self.headers.test(there == wanted).into()
    }
}

/// `-m eui64` (net/ipv6/netfilter/ip6t_eui64.c): the last eight bytes of the source are made of the frame's source
/// address. A packet without a frame is dropped.
pub fn test_eui64(cx: &MatchCx<'_>) -> Matched {
    let packet = &cx.skb.packet;
    let Some(mac) = cx.skb.mac_src else { return Matched::HotDrop };
    let [.., high, low] = packet.src.0;
    let made = [
        u32::from_be_bytes([mac[0] ^ 2, mac[1], mac[2], 0xff]),
        u32::from_be_bytes([0xfe, mac[3], mac[4], mac[5]]),
    ];
    (packet.family == Family::V6 && [high, low] == made).into()
}
