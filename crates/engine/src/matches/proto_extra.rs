//! Matches on rarer protocols' headers: dccp, sctp, ah, esp, ipcomp, mh, tcpmss, and IPv6's frag, ipv6header, eui64.

use super::tcp::PortRange;
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
