//! ipset: elements in, out and tested. What is expected was tried on a kernel with the `ipset` tool.

use hookwalk_engine::set::{Elem, Ext, Set, SetError, SetHeader, SetTable, SetType};
use hookwalk_engine::{Addr, Family, Time};
use std::net::Ipv4Addr;

const NOW: Time = Time(0);

fn v4(text: &str) -> Addr {
    text.parse::<Ipv4Addr>().expect("an IPv4 address").into()
}

/// `10.0.0.0/8,tcp:80,10.0.0.1,eth0`: addresses with or without a length, `tcp:N` and `udp:N`, else a name.
fn elem(text: &str) -> Elem {
    let mut elem = Elem::default();
    let mut addrs = 0;
    for part in text.split(',') {
        let (addr, len) = part.split_once('/').unwrap_or((part, "32"));
        if let Ok(addr) = addr.parse::<Ipv4Addr>() {
            let len = len.parse().expect("a prefix length");
            match addrs {
                0 => (elem.ip, elem.cidr) = (addr.into(), len),
                _ => (elem.ip2, elem.cidr2) = (addr.into(), len),
            }
            addrs += 1;
        } else if let Some((proto, port)) = part.split_once(':') {
            elem.proto = if proto == "tcp" { 6 } else { 17 };
            elem.port = port.parse().expect("a port");
        } else {
            elem.name = Some(part.into());
        }
    }
    elem
}

fn set(kind: SetType, change: impl FnOnce(&mut SetHeader)) -> Set {
    let mut header = SetHeader::new(kind, Family::V4);
    change(&mut header);
    Set::new("s", header)
}

fn add(set: &mut Set, text: &str) -> Result<(), SetError> {
    let (text, nomatch) = text.strip_suffix(" nomatch").map_or((text, false), |t| (t, true));
    set.add(&elem(text), Ext { nomatch, ..Ext::default() }, false, NOW)
}

/// Adds all of `there`, then asks for each: `+` is in the set, `-` is not.
#[track_caller]
fn check(mut set: Set, there: &[&str], asked: &[&str]) {
    for text in there {
        assert_eq!(add(&mut set, text), Ok(()), "add {text}");
    }
    for question in asked {
        let (sign, text) = question.split_at(1);
        let found = set.contains(&elem(text), false, NOW);
        assert_eq!(found, Ok(sign == "+"), "{}: test {text}", set.header.kind.name());
    }
    // What prints goes back in, and out again.
    let all: Vec<Elem> = set.iter(NOW).map(|(e, _)| e.clone()).collect();
    assert_eq!(all.len(), there.len());
    for e in all {
        assert_eq!(set.del(&e, NOW), Ok(()), "del {e:?}");
    }
    assert!(set.is_empty());
    for question in asked {
        assert_eq!(set.contains(&elem(&question[1..]), false, NOW), Ok(false), "{question} of an empty set");
    }
}

#[test]
fn elements() {
    check(set(SetType::HashIp, |_| {}), &["10.0.0.1"], &["+10.0.0.1", "-10.0.0.2", "-0.0.0.0"]);
    check(set(SetType::HashIp, |h| h.netmask = Some(24)), &["10.0.0.77"], &["+10.0.0.1", "-10.0.1.1"]);
    check(
        set(SetType::HashIpPort, |h| h.bitmask = Some(v4("255.255.0.255"))),
        &["1.2.3.4,tcp:80"],
        &["+1.2.9.4,tcp:80", "-1.2.3.5,tcp:80", "-1.2.3.4,udp:80"],
    );
    check(
        set(SetType::HashNet, |_| {}),
        &["10.0.0.0/8", "10.1.0.0/16 nomatch", "10.1.1.0/24"],
        &["+10.0.0.1", "-10.1.0.1", "+10.1.1.1", "-11.0.0.1", "+10.0.0.0/8", "-10.0.0.0/9", "-10.1.0.0/16"],
    );
    check(
        set(SetType::HashIpPortNet, |_| {}),
        &["1.1.1.1,tcp:80,10.0.0.0/8", "1.1.1.1,tcp:80,10.0.0.0/24 nomatch"],
        &["+1.1.1.1,tcp:80,10.9.0.1", "-1.1.1.1,tcp:80,10.0.0.1", "-1.1.1.1,tcp:81,10.9.0.1"],
    );
    check(
        set(SetType::HashNetNet, |_| {}),
        &["10.0.0.0/8,11.0.0.0/8", "0.0.0.0/0,12.0.0.0/8"],
        &["+10.1.1.1,11.1.1.1", "-11.1.1.1,10.1.1.1", "+1.1.1.1,12.1.1.1"],
    );
    check(
        set(SetType::HashNetIface, |_| {}),
        &["10.0.0.0/8,eth0", "0.0.0.0/0,eth1"],
        &["+10.0.0.1,eth0", "-11.0.0.1,eth0", "+11.0.0.1,eth1", "-10.0.0.1,eth1"],
    );
    check(
        set(SetType::BitmapIp, |h| h.range = (v4("10.0.0.0").as_v4(), v4("10.0.0.255").as_v4())),
        &["10.0.0.3", "10.0.0.5"],
        &["+10.0.0.3", "-10.0.0.4", "+10.0.0.5"],
    );
}

#[test]
fn refusals() {
    let mut ips = set(SetType::HashIp, |h| h.maxelem = 2);
    assert_eq!(add(&mut ips, "0.0.0.0"), Err(SetError::NullElement));
    assert_eq!(add(&mut ips, "1.1.1.1"), Ok(()));
    assert_eq!(add(&mut ips, "1.1.1.1"), Err(SetError::Exists));
    assert_eq!(add(&mut ips, "1.1.1.2"), Ok(()));
    assert_eq!(add(&mut ips, "1.1.1.3"), Err(SetError::HashFull));
    assert_eq!(ips.del(&elem("1.1.1.3"), NOW), Err(SetError::Missing));
    ips.header.forceadd = true;
    assert_eq!(add(&mut ips, "1.1.1.3"), Err(SetError::HashFull));
    ips.header.hashsize = 2;
    assert_eq!(add(&mut ips, "1.1.1.3"), Ok(()));
    assert_eq!(ips.len(), 2);
    for kind in [SetType::HashNet, SetType::HashNetPort] {
        assert_eq!(add(&mut set(kind, |_| {}), "0.0.0.0/0,tcp:1"), Err(SetError::Cidr));
    }
    let mut ports = set(SetType::BitmapPort, |h| h.range = (0, 10));
    assert_eq!(add(&mut ports, "tcp:10"), Ok(()));
    assert_eq!(add(&mut ports, "tcp:11"), Err(SetError::OutOfRange));
}

#[test]
fn expiry() {
    let mut ips = set(SetType::HashNet, |h| h.timeout = Some(3));
    let at = |secs: u64| Time(secs * 1_000_000_000);
    for (text, timeout) in [("1.0.0.0/8", None), ("1.1.1.1", Some(0)), ("1.1.1.2", Some(10))] {
        let ext = Ext { expires: ips.expiry(timeout, at(5)), ..Ext::default() };
        assert_eq!(ips.add(&elem(text), ext, false, at(5)), Ok(()));
    }
    for (now, addr, there) in [
        (7, "1.2.3.4", true),
        (8, "1.2.3.4", false),
        (14, "1.1.1.2", true),
        (15, "1.1.1.2", false),
        (99, "1.1.1.1", true),
    ] {
        assert_eq!(ips.contains(&elem(addr), false, at(now)), Ok(there), "{addr} at {now} s");
    }
    // An expired element may be added again.
    assert_eq!(ips.add(&elem("1.0.0.0/8"), Ext::default(), false, at(8)), Ok(()));
    ips.sweep(at(99));
    assert_eq!(ips.len(), 2);
}

#[test]
fn tables() {
    let mut sets = SetTable::default();
    let mut create = |name: &str, kind| sets.create(name, SetHeader::new(kind, Family::V4), false);
    assert_eq!(create("a", SetType::HashIp), Ok(()));
    assert_eq!(create("a", SetType::HashIp), Err(SetError::NameTaken));
    assert_eq!(create("b", SetType::HashIp), Ok(()));
    assert_eq!(create("n", SetType::HashNet), Ok(()));
    assert_eq!(create("l", SetType::ListSet), Ok(()));
    let put = |sets: &mut SetTable, set, text| sets.add(set, &elem(text), Ext::default(), false, NOW);
    assert_eq!(put(&mut sets, "l", "a"), Ok(()));
    assert_eq!(put(&mut sets, "l", "a"), Err(SetError::Exists));
    assert_eq!(put(&mut sets, "l", "l"), Err(SetError::ListInList));
    assert_eq!(put(&mut sets, "l", "none"), Err(SetError::NoMemberSet));
    assert_eq!(put(&mut sets, "a", "1.1.1.1"), Ok(()));
    assert_eq!(sets.swap("a", "n"), Err(SetError::SwapTypes));
    assert_eq!(sets.swap("a", "b"), Ok(()));
    let size = |sets: &SetTable, name| sets.get(name).map(Set::len);
    assert_eq!((size(&sets, "a"), size(&sets, "b")), (Some(0), Some(1)));
    assert_eq!(sets.destroy("a", 0), Err(SetError::InUse));
    assert_eq!(sets.rename("a", "c", 0), Err(SetError::InUse));
    assert_eq!(sets.destroy("b", 1), Err(SetError::InUse));
    assert_eq!(sets.rename("b", "c", 0), Ok(()));
    assert_eq!(sets.destroy("b", 0), Err(SetError::NoSet));
    assert_eq!(sets.destroy_all(|_| 0), Err(SetError::InUse));
    assert_eq!(sets.destroy("l", 0), Ok(()));
    assert_eq!(sets.destroy_all(|_| 0), Ok(()));
    assert_eq!(sets.iter().count(), 0);
}
