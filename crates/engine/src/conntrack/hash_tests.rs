//! The hash spreads the tuples that occur together: neighbours in ports, addresses, ids and zones.

use super::Tuple;
use super::table::{hash_tuple, scale};
use crate::addr::{Addr, Family};
use crate::packet::proto;

/// So many tuples in as many buckets: no chain may be long, and few buckets empty.
#[track_caller]
fn check(name: &str, tuple: impl Fn(u32) -> (Tuple, u16)) {
    const N: u32 = 1 << 16;
    let mut length = vec![0u32; N as usize];
    for i in 0..N {
        let (t, zone) = tuple(i);
        length[scale(hash_tuple(&t, zone), N) as usize] += 1;
    }
    let longest = length.iter().max().copied().unwrap_or(0);
    let empty = length.iter().filter(|n| **n == 0).count() as f64 / f64::from(N);
    // A random function leaves 1/e of the buckets empty, and its longest chain has about eight.
    assert!(longest <= 12, "{name}: a chain of {longest}");
    assert!((empty - 0.368).abs() < 0.02, "{name}: {empty} of the buckets are empty");
}

#[test]
fn neighbours_do_not_share_chains() {
    let v4 = |src, dst, sport, dport| Tuple {
        src: Addr::v4(src),
        dst: Addr::v4(dst),
        sport,
        dport,
        proto: proto::TCP,
        family: Family::V4,
    };
    check("source ports", |i| (v4(0x0a00_0102, 0x0a00_0202, i as u16, 80), 0));
    check("destination ports", |i| (v4(0x0a00_0102, 0x0a00_0202, 80, i as u16), 0));
    check("clients", |i| (v4(0x0a00_0000 + i, 0xc0a8_0101, 40000, 443), 0));
    check("clients and ports", |i| {
        (v4(0x0a00_0000 + (i >> 8), 0xc0a8_0101, 1024 + (i & 0xff) as u16, 53), 0)
    });
    check("clients and servers", |i| (v4(0x0a00_0000 + (i >> 8), 0x0a01_0000 + (i & 0xff), 5000, 53), 0));
    check("zones", |i| (v4(0x0a00_0102, 0x0a00_0202, 5000, 53), i as u16));
    check("IPv6 clients", |i| {
        let t = v4(0, 0, 5000, 53);
        let src = Addr([0xfd00_0000, 0, 0, i]);
        (Tuple { src, dst: Addr([0xfd00_0000, 0, 1, 1]), family: Family::V6, ..t }, 0)
    });
}
