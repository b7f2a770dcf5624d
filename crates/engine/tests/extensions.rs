//! No packet, however odd, makes a match or a target panic; and what a target leaves still is a packet that can be
//! written and read.

use hookwalk_engine::conntrack::{self, Template};
use hookwalk_engine::event::{Emit, NoObserver};
use hookwalk_engine::hook::Hook;
use hookwalk_engine::host::{Host, HostId};
use hookwalk_engine::matches::{self, *};
use hookwalk_engine::packet::{PacketId, PktType, Skb};
use hookwalk_engine::rng::Rng;
use hookwalk_engine::ruleset::{ChainId, Counters, HeaderMatch, Inv, Rule, RuleRef, TableKind};
use hookwalk_engine::targets::{self, Target, TargetCx, *};
use hookwalk_engine::time::Duration;
use hookwalk_engine::wire;
use hookwalk_engine::{Addr, Family};
use std::sync::Arc;

/// Bytes that begin like an IP header and go on at random.
fn bytes(rng: &mut Rng) -> Vec<u8> {
    let len = 20 + rng.next_u32() as usize % 120;
    let mut bytes: Vec<u8> = (0..len).map(|_| rng.next_u32() as u8).collect();
    let protocols = [1, 6, 17, 33, 47, 50, 51, 58, 108, 132, 135, 136, 44, 59];
    let proto = protocols[rng.next_u32() as usize % protocols.len()];
    if rng.next_u32().is_multiple_of(3) {
        bytes.resize(len.max(56), 0);
        let payload = (bytes.len() - 40) as u16;
        bytes[0] = 0x60;
        bytes[4..6].copy_from_slice(&payload.to_be_bytes());
        bytes[6] = proto;
    } else {
        let total = bytes.len() as u16;
        bytes[0] = 0x45;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        if !rng.next_u32().is_multiple_of(4) {
            bytes[6..8].fill(0);
        }
        bytes[9] = proto;
    }
    bytes
}

fn all_matches() -> Vec<Match> {
    let range = Some(Inv { value: (1u16, 40000u16), not: true });
    let mark = Inv::yes(MaskedMark { value: 1, mask: 3 });
    let set = SetRef { name: "s".into(), src: [true; 6], dims: 3 };
    let hashlimit = |bytes, rate_match| {
        Match::Hashlimit(Arc::new(HashlimitMatch {
            name: format!("{bytes}{rate_match}").into(),
            mode: HashlimitMode {
                src_ip: true,
                dst_port: true,
                bytes,
                rate_match,
                ..HashlimitMode::default()
            },
            avg: 77,
            burst: 3,
            size: 1,
            max: 2,
            gc_interval: 0,
            expire: 1,
            src_len: 99,
            dst_len: 200,
            interval: 1,
        }))
    };
    let recent = |action| {
        Match::Recent(Arc::new(RecentMatch {
            action,
            not: false,
            seconds: 1,
            reap: true,
            hitcount: 2,
            rttl: true,
            name: "r".into(),
            mask: Addr([u32::MAX; 4]),
            by_destination: false,
        }))
    };
    let u32_test = U32Test {
        offset: 0,
        ops: [U32Op::Shr(22), U32Op::And(60), U32Op::At(12), U32Op::Shl(40), U32Op::At(u32::MAX)].into(),
        ranges: [(0, 9)].into(),
    };
    let string = StringMatch {
        pattern: [0u8, 1].as_slice().into(),
        not: false,
        algo: StringAlgo::Bm,
        from: 60,
        to: 30,
        icase: true,
    };
    let chunks = SctpChunks { scope: ChunkScope::Only, types: [7; 8], flags: Vec::new() };
    vec![
        Match::Tcp(TcpMatch { sport: range, option: Some(Inv::yes(2)), ..TcpMatch::default() }),
        Match::Udp(UdpMatch { sport: range, dport: range }),
        Match::Icmp(IcmpMatch { kind: Inv::yes(IcmpType { kind: 3, codes: (0, 9) }) }),
        Match::Conntrack(Arc::new(ConntrackMatch {
            state: Some(Inv { value: CtStates::NEW, not: true }),
            expire: Some(Inv::yes((0, 9))),
            ..ConntrackMatch::default()
        })),
        Match::Multiport(MultiportMatch { side: PortSide::Either, ports: Inv::yes([(1, 9)].into()) }),
        Match::Mac(MacMatch { source: Inv::yes([1; 6]) }),
        Match::Owner(OwnerMatch { uid: Some(Inv::yes((0, 0))), ..OwnerMatch::default() }),
        Match::Addrtype(AddrTypeMatch { src: Some(Inv::yes(AddrTypes(0xff))), ..AddrTypeMatch::default() }),
        Match::Mark(MarkMatch { mark }),
        Match::Connmark(ConnmarkMatch { mark }),
        Match::Limit(LimitMatch { avg: 0, burst: 0, bucket: None }),
        Match::Limit(LimitMatch { avg: u32::MAX, burst: u32::MAX, bucket: None }),
        hashlimit(false, false),
        hashlimit(true, false),
        hashlimit(true, true),
        recent(RecentAction::Set),
        recent(RecentAction::Update),
        recent(RecentAction::Remove),
        Match::Connlimit(Box::new(ConnlimitMatch {
            limit: 1,
            upto: true,
            mask: Addr::default(),
            by_destination: true,
            counted: ConnCount::default(),
        })),
        Match::Connbytes(ConnbytesMatch {
            range: Inv::yes((0, 1)),
            mode: ConnbytesMode::AvgPkt,
            dir: ConnbytesDir::Both,
        }),
        Match::Set(Arc::new(SetMatch {
            set: Inv::yes(set),
            return_nomatch: true,
            no_update_counters: false,
            no_update_subcounters: false,
            packets: Some(Compare::Gt(1)),
            bytes: None,
        })),
        Match::Ecn(EcnMatch { tcp_ece: Some(Inv::yes(())), ..EcnMatch::default() }),
        Match::Rpfilter(RpfilterMatch::default()),
        Match::Socket(SocketMatch::default()),
        Match::String(Arc::new(string)),
        Match::U32(U32Match { tests: [u32_test].into(), not: false }),
        Match::Quota(QuotaMatch { quota: 99, not: false, left: 99 }),
        Match::Connlabel(ConnlabelMatch { label: Inv::yes(200), set: true }),
        Match::Cluster(ClusterMatch { total: 0, nodes: Inv::yes(1), seed: 1 }),
        Match::Dccp(DccpMatch { option: Some(Inv::yes(33)), ..DccpMatch::default() }),
        Match::Sctp(SctpMatch { chunks: Some(Inv::yes(Arc::new(chunks))), ..SctpMatch::default() }),
        Match::Ah(AhMatch { len: Some(Inv::yes(9)), reserved: true, ..AhMatch::default() }),
        Match::Esp(SpiMatch { spi: Some(Inv::yes((0, 9))), reserved: false }),
        Match::Ipcomp(SpiMatch { spi: Some(Inv::yes((0, 9))), reserved: true }),
        Match::Mh(MhMatch { kind: Some(Inv::yes((0, 9))) }),
        Match::Tcpmss(TcpmssMatch { mss: Inv::yes((0, 9)) }),
        Match::Frag(FragMatch { id: Some(Inv::yes((0, 9))), ..FragMatch::default() }),
        Match::Ipv6header(Ipv6HeaderMatch { headers: Inv { value: 255, not: true }, soft: true }),
        Match::Eui64,
    ]
}

fn all_targets() -> Vec<Target> {
    let set = SetRef { name: "s".into(), src: [true; 6], dims: 1 };
    let v6 = |word| (Addr([word, 0, 0, 0]), 48);
    vec![
        Target::Ttl(TtlTarget::Dec(255)),
        Target::Hl(TtlTarget::Inc(255)),
        Target::Tos(TosTarget { value: 0xff, mask: 0x0f }),
        Target::Dscp(63),
        Target::Ecn(EcnTarget { ip_ect: Some(3), tcp_ece: Some(0), tcp_cwr: Some(1) }),
        Target::Tcpmss(TcpmssTarget::Set(u16::MAX)),
        Target::Tcpmss(TcpmssTarget::ClampToPmtu),
        Target::Tcpoptstrip(Arc::new(TcpoptstripTarget { options: [u32::MAX; 8] })),
        Target::Connmark(ConnmarkTarget {
            mode: ConnmarkMode::Restore,
            ctmark: 1,
            ctmask: u32::MAX,
            nfmask: u32::MAX,
            shift: -100,
        }),
        Target::Tproxy(Arc::new(TproxyTarget { port: 0, addr: Addr::default(), mark: 1, mask: 1 })),
        Target::Set(Arc::new(SetTarget { add: Some(set.clone()), del: Some(set), ..SetTarget::default() })),
        Target::Snpt(Arc::new(NptTarget { src: v6(1), dst: v6(2) })),
        Target::Ct(Arc::new(CtTarget { zone: Some((ZoneDir::Reply, ZoneId::Mark)), ..CtTarget::default() })),
        Target::Notrack,
    ]
}

#[test]
fn nothing_panics() {
    let mut rng = Rng::new(7);
    let mut host = Host::new(HostId(0), 1);
    let eth0 = host.add_device("eth0", [2, 0, 0, 0, 0, 1]);
    host.add_addr(eth0, Family::V4, Addr::v4(0x0a00_0001), 24);
    let header = hookwalk_engine::set::SetHeader::new(hookwalk_engine::set::SetType::HashIp, Family::V4);
    host.net.sets.create("s", header, false).expect("a new set");
    let mut tests = all_matches();
    // Lists and buckets are there as long as a rule names them.
    for family in [Family::V4, Family::V6] {
        let table = host.rules.table_or_new(family, TableKind::Mangle);
        let id = table.base_or_new(Hook::Prerouting);
        let chain = table.chain_mut(id).expect("the chain just made");
        chain.rules.push(Rule {
            handle: 1,
            header: HeaderMatch::default(),
            matches: tests.clone(),
            target: Target::None,
            counters: Counters::default(),
        });
    }
    host.refresh();
    let targets = all_targets();
    let mut decoded = 0;
    for n in 0..4000 {
        host.net.now += Duration::millis(u64::from(rng.next_u16() % 50));
        let mut bytes = bytes(&mut rng);
        if n % 5 == 0 {
            bytes.truncate(rng.next_u32() as usize % bytes.len());
        }
        let Ok(packet) = wire::decode(&bytes) else { continue };
        decoded += 1;
        let mut skb = Skb::new(PacketId(n), packet);
        skb.pkt_type = PktType::Multicast;
        skb.mac_src = (n % 2 == 0).then_some([2, 0, 0, 0, 0, 9]);
        if n % 7 == 0 {
            skb.nfct = conntrack::Nfct::Template(Template::default());
        }
        let (in_dev, out_dev) = (Some(eth0), (n % 3 == 0).then_some(eth0));
        for m in &mut tests {
            let hook = Hook::Prerouting;
            m.test(&mut matches::MatchCx { skb: &mut skb, hook, in_dev, out_dev, net: &mut host.net });
        }
        for target in &targets {
            let mut emit = Emit { observer: &mut NoObserver, host: HostId(0), packet: skb.id };
            let rule = RuleRef { table: TableKind::Mangle, chain: ChainId(0), rule: 0 };
            target.run(&mut TargetCx {
                skb: &mut skb,
                hook: Hook::Prerouting,
                in_dev,
                out_dev,
                net: &mut host.net,
                rule,
                emit: &mut emit,
                spawn: &mut Vec::<targets::Spawn>::new(),
            });
        }
        let written = wire::encode(&skb.packet);
        assert_eq!(written.len() as u32, skb.packet.len(), "{:?}", skb.packet);
        let again = wire::decode(&written).expect("what is written can be read");
        assert_eq!(again.len(), skb.packet.len(), "{:?}", skb.packet);
    }
    assert!(decoded > 2000, "only {decoded} packets");
}
