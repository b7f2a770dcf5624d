//! "Size in memory", as the kernel of a 64-bit machine adds it up while no two elements share a bucket
//! (net/netfilter/ipset/ip_set_hash_gen.h:mtype_memsize and its kin).

use hookwalk_engine::addr::Family;
use hookwalk_engine::set::{Set, SetType};
use hookwalk_engine::time::Time;

/// Bytes.
pub(super) fn in_memory(set: &Set, now: Time) -> usize {
    let header = &set.header;
    let v6 = header.family == Family::V6;
    let comments: usize =
        set.iter(now).filter_map(|(_, ext)| ext.comment.as_ref()).map(|text| text.len() + 17).sum();
    // What elements carry: counters, comment, timeout, skbinfo.
    let carried = [(header.counters, 16), (header.comment, 8), (header.timeout.is_some(), 8)]
        .iter()
        .map(|(on, size)| if *on { *size } else { 0 })
        .sum::<usize>();
    let aligned = |key: usize| {
        let key = if carried > 0 { key.next_multiple_of(8) } else { key };
        key + carried + if header.skbinfo { 16 } else { 0 }
    };
    let bits = (header.range.1 - header.range.0 + 1) as usize;
    let per_element = |key: usize| if aligned(key) == key && key == 0 { 0 } else { aligned(key) };
    let bitmap = |base: usize, bits: usize, key: usize| {
        base + bits.div_ceil(64) * 8 + bits * per_element(key) + comments
    };
    let hash = |base: (usize, usize), key: (usize, usize)| {
        let (base, key) = if v6 { (base.1, key.1) } else { (base.0, key.0) };
        base + set.len() * (32 + 2 * aligned(key)) + comments
    };
    match header.kind {
        SetType::BitmapPort => bitmap(72, bits, 0),
        SetType::BitmapIp => {
            let networks = header.netmask.map_or(bits, |len| bits >> (32 - u32::from(len)));
            bitmap(88, networks, 0)
        }
        SetType::BitmapIpMac => bitmap(80, bits, 8),
        SetType::ListSet => 80 + set.len() * aligned(48) + comments,
        SetType::HashIp => hash((216, 224), (4, 16)),
        SetType::HashMac => hash((208, 208), (8, 8)),
        SetType::HashIpMac => hash((208, 208), (12, 24)),
        SetType::HashIpMark => hash((208, 224), (8, 20)),
        SetType::HashIpPort => hash((216, 232), (8, 20)),
        SetType::HashIpPortIp => hash((208, 232), (12, 36)),
        SetType::HashIpPortNet => hash((464, 1256), (12, 36)),
        SetType::HashNet | SetType::HashNetPort => hash((456, 1240), (8, 20)),
        SetType::HashNetNet => hash((464, 1256), (12, 36)),
        SetType::HashNetPortNet => hash((464, 1256), (16, 40)),
        SetType::HashNetIface => hash((488, 1264), (28, 40)),
    }
}
