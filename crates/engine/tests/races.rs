//! Two packets of one connection in flight at once: what confirm does with the second (`nf_ct_resolve_clash`).

mod common;

use common::{Bare, addr, ends};
use hookwalk_engine::conntrack::verify;
use hookwalk_engine::event::{ClashResolution, EventKind};
use hookwalk_engine::nat::{NatFlags, Range};

fn to(address: &str) -> Range {
    let flags = NatFlags { map_ips: true, ..NatFlags::default() };
    Range { flags, min_addr: addr(address), max_addr: addr(address), ..Range::default() }
}

fn clash(events: &[EventKind]) -> Option<ClashResolution> {
    events.iter().find_map(|e| match e {
        EventKind::Clash { how, .. } => Some(*how),
        _ => None,
    })
}

#[test]
fn the_second_datagram_adopts_the_first_ones_entry() {
    let mut host = Bare::new();
    let query = "udp 10.0.1.2:5000 > 10.0.2.2:53 len=3";
    let (first, second) = (host.launch(query), host.launch(query));
    assert_eq!(host.net.ct.count(), 2);
    assert!(host.land(first).left.is_ok());
    let seen = host.land(second);
    assert!(seen.left.is_ok());
    assert_eq!(clash(&seen.events), Some(ClashResolution::Adopted));
    assert_eq!((host.table().len(), host.net.ct.count()), (1, 1));
    assert_eq!((host.net.ct.stats.clash_resolve, host.net.ct.stats.insert_failed), (1, 0));
    verify(&host.net).expect("consistent");
}

#[test]
fn a_second_translation_lives_for_a_second() {
    let mut host = Bare::new();
    let query = "udp 10.0.1.2:5000 > 10.96.0.10:53 len=3";
    host.dnat = Some(to("10.0.2.2"));
    let first = host.launch(query);
    host.dnat = Some(to("10.0.2.3"));
    let second = host.launch(query);
    assert!(host.land(first).left.is_ok());
    let seen = host.land(second);
    assert_eq!(clash(&seen.events), Some(ClashResolution::ReplyOnly));
    verify(&host.net).expect("consistent");
    // Both answers find their way back; a new query follows the first.
    for server in ["10.0.2.2", "10.0.2.3"] {
        let back = host.forward(&format!("udp {server}:53 > 10.0.1.2:5000 len=3"));
        assert_eq!(ends(&back.left.expect("passes")), "10.96.0.10:53 > 10.0.1.2:5000", "{server}");
    }
    assert_eq!(ends(&host.forward(query).left.expect("passes")), "10.0.1.2:5000 > 10.0.2.2:53");
    host.sleep(1000);
    assert_eq!(host.table().len(), 1);
    verify(&host.net).expect("consistent");
}

#[test]
fn a_second_syn_is_dropped() {
    let mut host = Bare::new();
    let syn = "tcp 10.0.1.2:5000 > 10.0.2.2:80 S seq=1";
    let (first, second) = (host.launch(syn), host.launch(syn));
    assert!(host.land(first).left.is_ok());
    let seen = host.land(second);
    assert!(seen.left.is_err());
    assert_eq!(clash(&seen.events), Some(ClashResolution::Dropped));
    let stats = host.net.ct.stats;
    assert_eq!((stats.insert_failed, stats.drop, stats.clash_resolve), (1, 1, 0));
    verify(&host.net).expect("consistent");
}
