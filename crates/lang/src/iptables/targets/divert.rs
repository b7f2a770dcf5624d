//! Targets that send packets elsewhere or change rare fields: TPROXY, TEE, NFQUEUE, SET, TCPMSS, TCPOPTSTRIP, ECN,
//! CHECKSUM, CLASSIFY, SNPT, DNPT.

use crate::iptables::fault::Fault;
use crate::iptables::matches::{Style, put_set, set_ref};
use crate::iptables::option::{Args, Ext, Opt, Ty, Val, no_check, opt};
use crate::iptables::{address, number, put};
use hookwalk_engine::targets::{
    EcnTarget, NfqueueTarget, NptTarget, SetTarget, Target, TcpmssTarget, TcpoptstripTarget, TeeTarget,
    TproxyTarget,
};
use hookwalk_engine::{Addr, Family};

const TPROXY_OPTS: &[Opt] = &[
    opt("on-port", 0, Ty::Num(0, 65535)).must(),
    opt("on-ip", 1, Ty::Host),
    opt("tproxy-mark", 2, Ty::Mark),
];

/// `-j TPROXY`.
pub(super) static TPROXY: Ext<Target> = Ext {
    name: "TPROXY",
    family: None,
    opts: TPROXY_OPTS,
    first: no_check,
    build: |args| {
        let (mark, mask) = args.get(2).map_or((0, 0), |g| g.mark());
        Ok(Target::Tproxy(
            TproxyTarget {
                port: args.num(0, 0) as u16,
                addr: args.get(1).map_or(Addr::UNSPECIFIED, |g| g.net().addr),
                mark,
                mask,
            }
            .into(),
        ))
    },
};

/// `-j TPROXY`'s options.
pub(super) fn save_tproxy(t: &TproxyTarget, family: Family, out: &mut String) {
    put!(out, " --on-port {} --on-ip ", t.port);
    address::put(out, t.addr, family);
    put!(out, " --tproxy-mark 0x{:x}/0x{:x}", t.mark, t.mask);
}

/// `-j TPROXY` in a listing.
pub(super) fn list_tproxy(t: &TproxyTarget, family: Family, out: &mut String) {
    out.push_str(" TPROXY redirect ");
    address::put(out, t.addr, family);
    put!(out, ":{} mark 0x{:x}/0x{:x}", t.port, t.mark, t.mask);
}

const TEE_OPTS: &[Opt] = &[opt("gateway", 0, Ty::Host).must(), opt("oif", 1, Ty::Text)];

/// `-j TEE`.
pub(super) static TEE: Ext<Target> = Ext {
    name: "TEE",
    family: None,
    opts: TEE_OPTS,
    first: no_check,
    build: |args| {
        Ok(Target::Tee(
            TeeTarget {
                gateway: args.get(0).map_or(Addr::UNSPECIFIED, |g| g.net().addr),
                oif: args.get(1).map(|g| g.text.as_str().into()),
            }
            .into(),
        ))
    },
};

/// `-j TEE`'s options.
pub(super) fn save_tee(t: &TeeTarget, family: Family, out: &mut String) {
    out.push_str(" --gateway ");
    address::put(out, t.gateway, family);
    if let Some(oif) = &t.oif {
        put!(out, " --oif {oif}");
    }
}

/// `-j TEE` in a listing.
pub(super) fn list_tee(t: &TeeTarget, family: Family, out: &mut String) {
    out.push_str(" TEE gw:");
    address::put(out, t.gateway, family);
    if let Some(oif) = &t.oif {
        put!(out, " oif={oif}");
    }
}

const NFQUEUE_OPTS: &[Opt] = &[
    opt("queue-num", 0, Ty::Num(0, 65535)).not_with(&[1]),
    opt("queue-balance", 1, Ty::Range(0, 65535)).not_with(&[0]),
    opt("queue-bypass", 2, Ty::Flag),
    opt("queue-cpu-fanout", 3, Ty::Flag).only_with(&[1]),
];

/// `-j NFQUEUE`.
pub(super) static NFQUEUE: Ext<Target> = Ext {
    name: "NFQUEUE",
    family: None,
    opts: NFQUEUE_OPTS,
    first: no_check,
    build: |args| {
        if let Some((low, high)) = args.range::<u16>(1).map(|r| r.value).filter(|(low, high)| low >= high) {
            return Err(Fault::param(words!("{low} should be less than {high}")));
        }
        let (queue, last) = match args.range::<u16>(1) {
            Some(r) => r.value,
            None => (args.num(0, 0) as u16, args.num(0, 0) as u16),
        };
        Ok(Target::Nfqueue(NfqueueTarget {
            queue,
            // All 65536 do not fit, and the kernel refuses the 0 that is left of them.
            total: (last - queue).wrapping_add(1),
            bypass: args.has(2),
            cpu_fanout: args.has(3),
        }))
    },
};

fn put_queue(t: &NfqueueTarget, num: &str, balance: &str, out: &mut String) {
    if t.total > 1 {
        put!(out, " {balance} {}:{}", t.queue, u32::from(t.queue) + u32::from(t.total) - 1);
    } else {
        put!(out, " {num} {}", t.queue);
    }
}

/// `-j NFQUEUE`'s options.
pub(super) fn save_nfqueue(t: &NfqueueTarget, out: &mut String) {
    put_queue(t, "--queue-num", "--queue-balance", out);
    if t.bypass {
        out.push_str(" --queue-bypass");
    }
    if t.cpu_fanout {
        out.push_str(" --queue-cpu-fanout");
    }
}

/// `-j NFQUEUE` in a listing.
pub(super) fn list_nfqueue(t: &NfqueueTarget, out: &mut String) {
    out.push_str(" NFQUEUE");
    put_queue(t, "num", "balance", out);
    if t.bypass {
        out.push_str(" bypass");
    }
    if t.cpu_fanout {
        out.push_str(" cpu-fanout");
    }
}

const SET_OPTS: &[Opt] = &[
    opt("add-set", 0, Ty::Two("--add-set requires two args.")),
    opt("del-set", 1, Ty::Two("--del-set requires two args.")),
    opt("timeout", 2, Ty::Num(0, u32::MAX as u64 - 1)),
    opt("exist", 3, Ty::Flag),
    opt("map-set", 4, Ty::Two("--map-set requires two args.")),
    opt("map-mark", 5, Ty::Flag),
    opt("map-prio", 6, Ty::Flag),
    opt("map-queue", 7, Ty::Flag),
];

/// `-j SET`.
pub(super) static SET: Ext<Target> = Ext {
    name: "SET",
    family: None,
    opts: SET_OPTS,
    first: |args| {
        if args.has(0) || args.has(1) || args.has(4) {
            return Ok(());
        }
        Err(Fault::param("You must specify either `--add-set' or `--del-set' or `--map-set'"))
    },
    build: |args| {
        let set = |id| args.get(id).map(|g| set_ref(args, g)).transpose();
        Ok(Target::Set(
            SetTarget {
                add: set(0)?,
                del: set(1)?,
                map: set(4)?,
                exist: args.has(3),
                timeout: args.get(2).map(|g| g.num() as u32),
                map_mark: args.has(5),
                map_prio: args.has(6),
                map_queue: args.has(7),
            }
            .into(),
        ))
    },
};

/// `-j SET`, with this before each option.
pub(super) fn put_set_target(t: &SetTarget, dashes: &str, out: &mut String) {
    if let Some(set) = &t.add {
        put!(out, " {dashes}add-set");
        put_set(out, set);
    }
    if t.exist {
        put!(out, " {dashes}exist");
    }
    if let Some(timeout) = t.timeout {
        put!(out, " {dashes}timeout {timeout}");
    }
    if let Some(set) = &t.del {
        put!(out, " {dashes}del-set");
        put_set(out, set);
    }
    if let Some(set) = &t.map {
        put!(out, " {dashes}map-set");
        put_set(out, set);
    }
    for (on, name) in [(t.map_mark, "map-mark"), (t.map_prio, "map-prio"), (t.map_queue, "map-queue")] {
        if on {
            put!(out, " {dashes}{name}");
        }
    }
}

const TCPMSS_OPTS: &[Opt] = &[opt("set-mss", 0, Ty::Num(0, 65515)), opt("clamp-mss-to-pmtu", 1, Ty::Flag)];

/// `-j TCPMSS`.
pub(super) static TCPMSS: Ext<Target> = Ext {
    name: "TCPMSS",
    family: None,
    opts: TCPMSS_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("TCPMSS target: At least one parameter is required"));
        }
        Ok(())
    },
    build: |args| {
        // With both, the clamp holds.
        Ok(Target::Tcpmss(match args.has(1) {
            true => TcpmssTarget::ClampToPmtu,
            false => TcpmssTarget::Set(args.num(0, 0) as u16),
        }))
    },
};

/// `-j TCPMSS`'s option.
pub(super) fn save_tcpmss(t: &TcpmssTarget, out: &mut String) {
    match t {
        TcpmssTarget::ClampToPmtu => out.push_str(" --clamp-mss-to-pmtu"),
        TcpmssTarget::Set(mss) => put!(out, " --set-mss {mss}"),
    }
}

/// `-j TCPMSS` in a listing.
pub(super) fn list_tcpmss(t: &TcpmssTarget, out: &mut String) {
    match t {
        TcpmssTarget::ClampToPmtu => out.push_str(" TCPMSS clamp to PMTU"),
        TcpmssTarget::Set(mss) => put!(out, " TCPMSS set {mss}"),
    }
}

const TCP_OPTIONS: [(&str, u8); 6] =
    [("mss", 2), ("wscale", 3), ("sack-permitted", 4), ("sack", 5), ("timestamp", 8), ("md5", 19)];

/// `-j TCPOPTSTRIP`.
pub(super) static TCPOPTSTRIP: Ext<Target> = Ext {
    name: "TCPOPTSTRIP",
    family: None,
    opts: &[opt("strip-options", 0, Ty::Text)],
    first: no_check,
    build: |args| {
        let mut t = TcpoptstripTarget::default();
        if let Some(g) = args.get(0) {
            for word in g.text.split(',') {
                let named = TCP_OPTIONS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n);
                let option = named
                    .or_else(|| number::whole(word, 0, 255).map(|n| n as u8))
                    .ok_or_else(|| Fault::param(words!("Bad TCP option value \"{word}\"")))?;
                if option < 2 {
                    return Err(Fault::param("Option value may not be 0 or 1"));
                }
                t.options[usize::from(option / 32)] |= 1 << (option % 32);
            }
        }
        Ok(Target::Tcpoptstrip(t.into()))
    },
};

fn put_options(t: &TcpoptstripTarget, numeric: bool, out: &mut String) {
    let mut first = true;
    for option in 0..=255u8 {
        if t.options[usize::from(option / 32)] & 1 << (option % 32) == 0 {
            continue;
        }
        out.push_str(if first { " " } else { "," });
        first = false;
        match TCP_OPTIONS.iter().find(|(_, n)| *n == option).filter(|_| !numeric) {
            Some((name, _)) => out.push_str(name),
            None => put!(out, "{option}"),
        }
    }
}

/// `-j TCPOPTSTRIP`'s option.
pub(super) fn save_tcpoptstrip(t: &TcpoptstripTarget, out: &mut String) {
    if t.options != [0; 8] {
        out.push_str(" --strip-options");
        put_options(t, true, out);
    }
}

/// `-j TCPOPTSTRIP` in a listing.
pub(super) fn list_tcpoptstrip(t: &TcpoptstripTarget, style: Style, out: &mut String) {
    if t.options != [0; 8] {
        out.push_str(" TCPOPTSTRIP options");
        put_options(t, style.numeric, out);
    }
}

const ECN_OPTS: &[Opt] = &[
    opt("ecn-tcp-remove", 0, Ty::Flag).not_with(&[1, 2]),
    opt("ecn-tcp-cwr", 1, Ty::Num(0, 1)).not_with(&[0]),
    opt("ecn-tcp-ece", 2, Ty::Num(0, 1)).not_with(&[0]),
    opt("ecn-ip-ect", 3, Ty::Num(0, 3)),
];

/// `-j ECN`.
pub(super) static ECN: Ext<Target> = Ext {
    name: "ECN",
    family: Some(Family::V4),
    opts: ECN_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("ECN target: An operation is required"));
        }
        Ok(())
    },
    build: |args| {
        let bit = |id| args.get(id).map(|g| g.num() as u8);
        let remove = args.has(0).then_some(0);
        Ok(Target::Ecn(EcnTarget { ip_ect: bit(3), tcp_ece: bit(2).or(remove), tcp_cwr: bit(1).or(remove) }))
    },
};

/// `-j ECN`'s options.
pub(super) fn save_ecn(t: &EcnTarget, out: &mut String) {
    if t.tcp_ece == Some(0) && t.tcp_cwr == Some(0) {
        out.push_str(" --ecn-tcp-remove");
    } else {
        if let Some(ece) = t.tcp_ece {
            put!(out, " --ecn-tcp-ece {ece}");
        }
        if let Some(cwr) = t.tcp_cwr {
            put!(out, " --ecn-tcp-cwr {cwr}");
        }
    }
    if let Some(ect) = t.ip_ect {
        put!(out, " --ecn-ip-ect {ect}");
    }
}

/// `-j ECN` in a listing.
pub(super) fn list_ecn(t: &EcnTarget, out: &mut String) {
    out.push_str(" ECN");
    if t.tcp_ece == Some(0) && t.tcp_cwr == Some(0) {
        out.push_str(" TCP remove");
    } else {
        if let Some(ece) = t.tcp_ece {
            put!(out, " ECE={ece}");
        }
        if let Some(cwr) = t.tcp_cwr {
            put!(out, " CWR={cwr}");
        }
    }
    if let Some(ect) = t.ip_ect {
        put!(out, " ECT codepoint={ect}");
    }
}

/// `-j CHECKSUM`.
pub(super) static CHECKSUM: Ext<Target> = Ext {
    name: "CHECKSUM",
    family: None,
    opts: &[opt("checksum-fill", 0, Ty::Flag).must()],
    first: no_check,
    build: |_| Ok(Target::Checksum),
};

/// `-j CLASSIFY`.
pub(super) static CLASSIFY: Ext<Target> = Ext {
    name: "CLASSIFY",
    family: None,
    opts: &[opt("set-class", 0, Ty::Text).must()],
    first: no_check,
    build: |args| {
        let word = args.get(0).map_or("", |g| g.text.as_str());
        let part = |t: &str| u16::from_str_radix(t, 16).ok();
        let class = word
            .split_once(':')
            .and_then(|(major, minor)| Some(u32::from(part(major)?) << 16 | u32::from(part(minor)?)));
        class.map(Target::Classify).ok_or_else(|| Fault::param(words!("Bad class value \"{word}\"")))
    },
};

const NPT_OPTS: &[Opt] = &[opt("src-pfx", 0, Ty::Text).must(), opt("dst-pfx", 1, Ty::Text).must()];

/// `-j SNPT`.
pub(super) static SNPT: Ext<Target> = Ext {
    name: "SNPT",
    family: Some(Family::V6),
    opts: NPT_OPTS,
    first: no_check,
    build: |args| npt(args).map(|t| Target::Snpt(t.into())),
};

/// `-j DNPT`.
pub(super) static DNPT: Ext<Target> = Ext {
    name: "DNPT",
    family: Some(Family::V6),
    opts: NPT_OPTS,
    first: no_check,
    build: |args| npt(args).map(|t| Target::Dnpt(t.into())),
};

fn npt(args: &Args<'_>) -> Result<NptTarget, Fault> {
    let prefix = |id| {
        let Some(g) = args.get(id) else { return Err(Fault::Incomplete) };
        debug_assert_eq!(g.val, Val::Text);
        let (addr, len) = g.text.split_once('/').unwrap_or((&g.text, "128"));
        let addr = address::literal(addr, Family::V6)
            .ok_or_else(|| Fault::param("getaddrinfo: Temporary failure in name resolution\n"))?;
        let len = number::whole(len, 0, 128).unwrap_or(128) as u8;
        Ok((addr, len))
    };
    Ok(NptTarget { src: prefix(0)?, dst: prefix(1)? })
}

/// `-j SNPT` and `-j DNPT`, with this before each option.
pub(super) fn put_npt(t: &NptTarget, dashes: &str, out: &mut String) {
    for (name, (addr, len)) in [("src-pfx", t.src), ("dst-pfx", t.dst)] {
        put!(out, " {dashes}{name} ");
        address::put(out, addr, Family::V6);
        put!(out, "/{len}");
    }
}
