//! What the kernel refuses: targets and matches outside of their tables, hooks and protocols, jumps that loop or go
//! too deep (net/netfilter/x_tables.c:xt_check_target, xt_check_match; net/netfilter/nf_tables_api.c:nft_chain_validate).

use super::fault::{EINVAL, EMLINK, ENOENT};
use hookwalk_engine::flight::JUMP_STACK;
use hookwalk_engine::hook::Hook;
use hookwalk_engine::matches::{Match, RecentAction};
use hookwalk_engine::ruleset::{ChainId, Inv, Rule, Table, TableKind};
use hookwalk_engine::targets::{RejectWith, Target, TcpmssTarget};
use hookwalk_engine::{Addr, Family};

/// A set of hooks, one bit each.
type Hooks = u8;

const fn hooks(list: &[Hook]) -> Hooks {
    let mut set = 0;
    let mut i = 0;
    while i < list.len() {
        set |= 1 << list[i] as u8;
        i += 1;
    }
    set
}

use Hook::{Forward, Input, Output, Postrouting, Prerouting};
const ALL: Hooks = 0x1f;

/// Tables and hooks of a target. An empty list of tables: any.
fn target_place(target: &Target) -> (&'static [TableKind], Hooks) {
    use TableKind::{Filter, Mangle, Nat, Raw};
    match target {
        Target::Dnat(_) | Target::Redirect(_) => (&[Nat], const { hooks(&[Prerouting, Output]) }),
        Target::Snat(_) => (&[Nat], const { hooks(&[Postrouting, Input]) }),
        Target::Masquerade(_) => (&[Nat], const { hooks(&[Postrouting]) }),
        Target::Netmap(_) => (&[Nat], const { hooks(&[Prerouting, Postrouting, Output, Input]) }),
        Target::Reject(_) => (&[Filter], const { hooks(&[Input, Forward, Output]) }),
        Target::Ct(_) | Target::Notrack => (&[Raw], ALL),
        Target::Tproxy(_) => (&[Mangle], const { hooks(&[Prerouting]) }),
        Target::Checksum
        | Target::Dscp(_)
        | Target::Tos(_)
        | Target::Ttl(_)
        | Target::Hl(_)
        | Target::Ecn(_)
        | Target::Tcpoptstrip(_) => (&[Mangle], ALL),
        Target::Classify(_) => (&[], const { hooks(&[Output, Forward, Postrouting]) }),
        Target::Tcpmss(TcpmssTarget::ClampToPmtu) => (&[], const { hooks(&[Forward, Output, Postrouting]) }),
        Target::Snpt(_) => (&[Mangle], const { hooks(&[Input, Postrouting]) }),
        Target::Dnpt(_) => (&[Mangle], const { hooks(&[Prerouting, Output]) }),
        Target::Set(t) if t.map.is_some() => (&[Mangle], const { hooks(&[Forward, Output, Postrouting]) }),
        Target::Opaque(t) => match &*t.name {
            "SYNPROXY" => (&[], const { hooks(&[Input, Forward]) }),
            "CONNSECMARK" | "SECMARK" => (&[Mangle, TableKind::Security], ALL),
            _ => (&[], ALL),
        },
        _ => (&[], ALL),
    }
}

fn match_hooks(m: &Match) -> Hooks {
    match m {
        Match::Owner(_) => const { hooks(&[Output, Postrouting]) },
        Match::Rpfilter(_) => const { hooks(&[Prerouting]) },
        Match::Socket(_) => const { hooks(&[Prerouting, Input]) },
        Match::Mac(_) | Match::Eui64 => const { hooks(&[Prerouting, Input, Forward]) },
        Match::Addrtype(m) if m.limit_iface_in => const { hooks(&[Prerouting, Input, Forward]) },
        Match::Addrtype(m) if m.limit_iface_out => const { hooks(&[Postrouting, Output, Forward]) },
        Match::Policy(m) if m.out => const { hooks(&[Postrouting, Output, Forward]) },
        Match::Policy(_) => const { hooks(&[Prerouting, Input, Forward]) },
        Match::Devgroup(m) => {
            let src = if m.src.is_some() { const { hooks(&[Prerouting, Input, Forward]) } } else { ALL };
            let dst = if m.dst.is_some() { const { hooks(&[Forward, Output, Postrouting]) } } else { ALL };
            src & dst
        }
        Match::Opaque(m) => match &*m.name {
            "osf" => const { hooks(&[Prerouting, Input, Forward]) },
            "cgroup" => const { hooks(&[Input, Output, Postrouting]) },
            _ => ALL,
        },
        _ => ALL,
    }
}

fn is(proto: &Option<Inv<u8>>, wanted: &[u8]) -> bool {
    proto.is_some_and(|p| !p.not && wanted.contains(&p.value))
}

/// Conntrack helpers by name and protocol (`__nf_conntrack_helper_find`).
const HELPERS: &[(&str, &[u8])] = &[
    ("ftp", &[6]),
    ("irc", &[6]),
    ("pptp", &[6]),
    ("sane", &[6]),
    ("Q.931", &[6]),
    ("RAS", &[17]),
    ("sip", &[6, 17]),
    ("tftp", &[17]),
    ("amanda", &[17]),
    ("netbios-ns", &[17]),
    ("snmp", &[17]),
];

/// What a number of packets costs in the kernel's units, overflow included (`user2credits`).
fn credits(price: u64) -> u64 {
    // 2^39 units a jiffy, 250 jiffies a second, prices in microseconds.
    price.wrapping_mul((250 << 39) / 1_000_000)
}

/// Is the rule in order by itself: table, protocol, values that only the kernel looks at?
pub(crate) fn rule(rule: &Rule, table: TableKind, family: Family) -> Result<(), &'static str> {
    let proto = &rule.header.proto;
    let ok = |fits: bool| if fits { Ok(()) } else { Err(EINVAL) };
    // "Not any address" would need a comparison of nothing.
    let nowhere = |a: &Option<Inv<hookwalk_engine::AddrMask>>| {
        a.is_some_and(|a| a.not && a.value.mask.is_unspecified())
    };
    ok(!nowhere(&rule.header.src) && !nowhere(&rule.header.dst))?;
    let (tables, _) = target_place(&rule.target);
    ok(tables.is_empty() || tables.contains(&table))?;
    match &rule.target {
        Target::Reject(RejectWith::TcpReset) => ok(is(proto, &[6]))?,
        Target::Tproxy(_) => ok(is(proto, &[6, 17]))?,
        Target::Opaque(t) => match &*t.name {
            "SYNPROXY" => ok(is(proto, &[6]))?,
            "LED" | "SECMARK" => return Err(ENOENT),
            _ => {}
        },
        Target::Set(t) if t.map.is_some() => ok(table == TableKind::Mangle)?,
        Target::Ct(t) => {
            if t.timeout.is_some() {
                // Policies are made with nfct, of which there is none: no name is that of one (`nf_ct_set_timeout`).
                return Err(if proto.as_ref().is_some_and(|p| !p.not && p.value != 0) {
                    ENOENT
                } else {
                    EINVAL
                });
            }
            if let Some(helper) = &t.helper {
                let known = HELPERS.iter().any(|(name, p)| *name == &**helper && is(proto, p));
                if !known {
                    return Err(ENOENT);
                }
            }
        }
        Target::Snpt(t) | Target::Dnpt(t) => {
            let clean = |(addr, len): (Addr, u8)| addr.and(Addr::prefix_mask(family, len)) == addr;
            ok(clean(t.src) && clean(t.dst) && t.src.1 <= 64 && t.dst.1 <= 64)?;
        }
        Target::Nfqueue(t) => ok(t.total != 0)?,
        Target::Tcpmss(_) | Target::Tcpoptstrip(_) => ok(is(proto, &[6]))?,
        Target::Ecn(t) if t.tcp_ece.is_some() || t.tcp_cwr.is_some() => ok(is(proto, &[6]))?,
        _ => {}
    }
    for m in &rule.matches {
        let wanted: &[u8] = match m {
            // With a condition these are loads and comparisons, without one the old match is asked.
            Match::Tcp(m) if m.sport.is_none() && m.dport.is_none() && m.flags.is_none() => &[6],
            Match::Tcp(m) if m.option.is_some() => &[6],
            Match::Udp(m) if m.sport.is_none() && m.dport.is_none() => &[17],
            Match::Icmp(_) => &[1],
            Match::Icmp6(_) => &[58],
            Match::Sctp(_) => &[132],
            Match::Dccp(_) => &[33],
            Match::Esp(_) => &[50],
            Match::Ipcomp(_) => &[108],
            Match::Ah(_) if family == Family::V4 => &[51],
            Match::Mh(_) => &[135],
            Match::Tcpmss(_) => &[6],
            Match::Ecn(m) if m.tcp_ece.is_some() || m.tcp_cwr.is_some() => &[6],
            Match::Opaque(m) if &*m.name == "osf" => &[6],
            Match::Recent(m) => {
                let action = m.action;
                let bad_name =
                    m.name.is_empty() || &*m.name == "." || &*m.name == ".." || m.name.contains('/');
                let set = action == RecentAction::Set || action == RecentAction::Remove;
                ok(m.hitcount <= 65535 && !bad_name && !(set && (m.seconds != 0 || m.hitcount != 0)))?;
                continue;
            }
            Match::Hashlimit(m) => {
                ok(!m.name.contains('/'))?;
                if !m.mode.bytes
                    && !m.mode.rate_match
                    && credits(m.avg.wrapping_mul(m.burst)) < credits(m.avg)
                {
                    return Err("Numerical result out of range");
                }
                continue;
            }
            Match::Opaque(m) if matches!(&*m.name, "ipvs" | "nfacct" | "rateest") => return Err(ENOENT),
            Match::Opaque(m) if &*m.name == "cgroup" => {
                let path = m.args.strip_prefix("! ").unwrap_or(&m.args).strip_prefix("--path ");
                ok(!m.args.is_empty() && path.is_none_or(|p| p == "\"/\""))?;
                continue;
            }
            _ => continue,
        };
        ok(is(proto, wanted))?;
    }
    Ok(())
}

/// May the rule stand where packets come from this hook?
fn rule_at(rule: &Rule, hook: Hook) -> bool {
    let bit = 1 << hook as u8;
    target_place(&rule.target).1 & bit != 0 && rule.matches.iter().all(|m| match_hooks(m) & bit != 0)
}

/// Is a rule one that can make a table invalid by where it stands?
pub(crate) fn place_matters(rule: &Rule) -> bool {
    matches!(rule.target, Target::Jump(_) | Target::Goto(_))
        || target_place(&rule.target).1 != ALL
        || rule.matches.iter().any(|m| match_hooks(m) != ALL)
}

/// Walks the chains from every hook: loops, depth, and rules that may not stand there.
pub(crate) fn table(table: &Table) -> Result<(), &'static str> {
    // For each chain, the greatest depth at which it was walked, by hook.
    let mut walked = vec![[0u8; 5]; table.chains.len()];
    for (i, chain) in table.chains.iter().enumerate() {
        let Some(base) = chain.as_ref().and_then(|c| c.base.as_ref()) else { continue };
        walk(table, ChainId(i as u16), base.hook, 1, &mut walked)?;
    }
    Ok(())
}

fn walk(
    table: &Table,
    id: ChainId,
    hook: Hook,
    depth: u8,
    walked: &mut [[u8; 5]],
) -> Result<(), &'static str> {
    if usize::from(depth) > JUMP_STACK {
        return Err(EMLINK);
    }
    let at = &mut walked[usize::from(id.0)][hook as usize];
    if *at >= depth {
        return Ok(());
    }
    *at = depth;
    let Some(chain) = table.chain(id) else { return Ok(()) };
    for rule in &chain.rules {
        if !rule_at(rule, hook) {
            return Err(EINVAL);
        }
        if let Target::Jump(to) | Target::Goto(to) = rule.target {
            walk(table, to, hook, depth + 1, walked)?;
        }
    }
    Ok(())
}
