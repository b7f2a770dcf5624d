//! Traversal of a table's chains, rule by rule (`ipt_do_table`, `nft_do_chain`).

use crate::addr::Family;
use crate::device::DevId;
use crate::event::{Condition, DropBy, Emit, EventKind, KernelDrop, Observer, Outcome};
use crate::flight::{AtHook, JUMP_STACK, PacketIds, RoutingKey, Walk};
use crate::hook::Hook;
use crate::host::{Host, Net};
use crate::icmp_send;
use crate::index;
use crate::matches::{MatchCx, Matched};
use crate::packet::{Packet, Skb};
use crate::ruleset::{ChainId, HeaderMatch, Policy, Rule, RuleRef, TableKind};
use crate::step::Spawned;
use crate::targets::{Target, TargetCx, Verdict};
use crate::trace::Watch;

/// How a step inside a table ended.
pub(crate) enum Walked {
    /// There is more to do in it.
    Going,
    /// The table lets the packet pass.
    Accepted,
    /// The packet ends.
    Drop(DropBy),
    /// The packet was taken away without being dropped.
    Stolen,
}

/// What mangle OUTPUT compares.
pub(crate) fn routing_key(skb: &Skb) -> RoutingKey {
    let p = &skb.packet;
    let tos = match p.family {
        Family::V4 => p.tos,
        Family::V6 => p.ttl,
    };
    RoutingKey { src: p.src, dst: p.dst, mark: skb.mark, tos }
}

/// Enters the table's base chain of this hook; false if it has none.
pub(crate) fn enter<O: Observer>(
    host: &Host,
    skb: &Skb,
    at: &mut AtHook,
    table: TableKind,
    emit: &mut Emit<'_, O>,
) -> bool {
    let Some(base) = host.rules.table(skb.packet.family, table).and_then(|t| t.base(at.hook)) else {
        return false;
    };
    emit.event(EventKind::Chain { table, chain: base });
    at.walk = Some(Walk {
        table,
        base,
        chain: base,
        rule: 0,
        firing: false,
        before: routing_key(skb),
        told: false,
        stack: [(ChainId(0), 0); JUMP_STACK],
        depth: 0,
    });
    true
}

/// One step: tests a rule, runs its target, or leaves a chain. TRACE looks on.
pub(crate) fn walk<O: Observer>(
    host: &mut Host,
    skb: &mut Skb,
    at: &mut AtHook,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
    emit: &mut Emit<'_, O>,
) -> Walked {
    let watch = Watch::before(host, skb, at);
    let walked = advance(host, skb, at, spawned, ids, emit);
    if let Some(watch) = watch {
        watch.after(host, skb, at, &walked);
    }
    walked
}

/// Steps until the packet leaves the table, or another has to go first. Only where nobody looks and nobody traces are
/// steps left out: the tests of rules that cannot match.
pub(crate) fn run<O: Observer>(
    host: &mut Host,
    skb: &mut Skb,
    at: &mut AtHook,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
    emit: &mut Emit<'_, O>,
) -> Walked {
    if O::ENABLED || host.net.klog.trace_listeners > 0 {
        return walk(host, skb, at, spawned, ids, emit);
    }
    loop {
        if index::is_regular(skb) {
            pass_over(host, skb, at);
        }
        match advance(host, skb, at, spawned, ids, emit) {
            Walked::Going if spawned.is_empty() => {}
            walked => return walked,
        }
    }
}

/// Goes on to the next rule that could match.
fn pass_over(host: &mut Host, skb: &Skb, at: &mut AtHook) {
    let (in_dev, out_dev) = (at.in_dev, at.out_dev);
    let Some(walk) = at.walk.as_mut().filter(|walk| !walk.firing) else { return };
    let Some(table) = host.rules.table_mut(skb.packet.family, walk.table) else { return };
    let Some(chain) = table.chain_mut(walk.chain) else { return };
    if let Some(index) = chain.index.of(&chain.rules) {
        walk.rule = index.next(walk.rule, skb, in_dev, out_dev, &host.net);
    }
}

fn advance<O: Observer>(
    host: &mut Host,
    skb: &mut Skb,
    at: &mut AtHook,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
    emit: &mut Emit<'_, O>,
) -> Walked {
    let (hook, in_dev, out_dev) = (at.hook, at.in_dev, at.out_dev);
    let Some(walk) = at.walk.as_mut() else { return Walked::Accepted };
    let Some(table) = host.rules.table_mut(skb.packet.family, walk.table) else { return Walked::Accepted };
    let Some(chain) = table.chain_mut(walk.chain) else { return Walked::Accepted };
    let Some(rule) = chain.rules.get_mut(usize::from(walk.rule)) else {
        return leave(walk, table, skb, emit);
    };
    let name = RuleRef { table: walk.table, chain: walk.chain, rule: walk.rule };
    if !walk.firing {
        let outcome = test(rule, name, skb, &mut host.net, hook, in_dev, out_dev, emit);
        emit.event(EventKind::Rule { rule: name, outcome });
        match outcome {
            Outcome::Matched => {
                rule.counters.add(skb.packet.len());
                // A rule without a target is done; the rest happens in a step of its own.
                if rule.target == Target::None {
                    walk.rule += 1
                } else {
                    walk.firing = true
                }
                return Walked::Going;
            }
            Outcome::Failed(_) => {
                walk.rule += 1;
                return Walked::Going;
            }
            Outcome::HotDrop(_) => return Walked::Drop(DropBy::Match(name)),
        }
    }
    walk.firing = false;
    match &rule.target {
        Target::None => {
            walk.rule += 1;
            Walked::Going
        }
        Target::Accept => {
            emit.event(EventKind::Accept { rule: name });
            Walked::Accepted
        }
        Target::Drop => Walked::Drop(DropBy::Rule(name)),
        Target::Return => match walk.depth.checked_sub(1) {
            Some(depth) => {
                pop(walk, depth, true, emit);
                Walked::Going
            }
            None => base_policy(walk, table, skb, emit),
        },
        Target::Jump(to) => {
            let to = *to;
            let Some(slot) = walk.stack.get_mut(usize::from(walk.depth)) else {
                return Walked::Drop(DropBy::Kernel(KernelDrop::JumpStack));
            };
            *slot = (walk.chain, walk.rule + 1);
            walk.depth += 1;
            (walk.chain, walk.rule) = (to, 0);
            emit.event(EventKind::Jump { to });
            Walked::Going
        }
        Target::Goto(to) => {
            let to = *to;
            (walk.chain, walk.rule) = (to, 0);
            emit.event(EventKind::Goto { to });
            Walked::Going
        }
        target => {
            let mut wanted = Vec::new();
            let verdict = target.run(&mut TargetCx {
                skb,
                hook,
                in_dev,
                out_dev,
                net: &mut host.net,
                rule: name,
                spawn: &mut wanted,
                emit,
            });
            let is_reject = matches!(target, Target::Reject(_));
            walk.rule += 1;
            for spawn in wanted {
                icmp_send::spawn(host, skb, name, hook, spawn, spawned, ids);
            }
            match verdict {
                Verdict::Continue => Walked::Going,
                Verdict::Accept => {
                    emit.event(EventKind::Accept { rule: name });
                    Walked::Accepted
                }
                Verdict::Drop if is_reject => Walked::Drop(DropBy::Reject(name)),
                Verdict::Drop => Walked::Drop(DropBy::Target(name)),
                Verdict::Stolen => Walked::Stolen,
                Verdict::Queue(queue, bypass) => {
                    emit.event(EventKind::Queued { queue });
                    // Nobody listens: dropped, or with --queue-bypass let through this table.
                    if bypass {
                        Walked::Accepted
                    } else {
                        Walked::Drop(DropBy::Kernel(KernelDrop::NoQueueListener))
                    }
                }
            }
        }
    }
}

/// The end of a chain: back to the caller, or the policy.
fn leave<O: Observer>(
    walk: &mut Walk,
    table: &mut crate::ruleset::Table,
    skb: &Skb,
    emit: &mut Emit<'_, O>,
) -> Walked {
    match walk.depth.checked_sub(1) {
        Some(depth) => {
            pop(walk, depth, false, emit);
            Walked::Going
        }
        None => base_policy(walk, table, skb, emit),
    }
}

fn pop<O: Observer>(walk: &mut Walk, depth: u8, explicit: bool, emit: &mut Emit<'_, O>) {
    walk.depth = depth;
    (walk.chain, walk.rule) = walk.stack[usize::from(depth)];
    emit.event(EventKind::Return { to: walk.chain, rule: walk.rule, explicit });
}

fn base_policy<O: Observer>(
    walk: &mut Walk,
    table: &mut crate::ruleset::Table,
    skb: &Skb,
    emit: &mut Emit<'_, O>,
) -> Walked {
    let (kind, chain) = (walk.table, walk.base);
    let Some(base) = table.chain_mut(chain).and_then(|c| c.base.as_mut()) else { return Walked::Accepted };
    if let Some(counters) = &mut base.counters {
        counters.add(skb.packet.len());
    }
    emit.event(EventKind::Policy { table: kind, chain, policy: base.policy });
    match base.policy {
        Policy::Accept => Walked::Accepted,
        Policy::Drop => Walked::Drop(DropBy::Policy { table: kind, chain }),
    }
}

#[allow(clippy::too_many_arguments)]
fn test<O: Observer>(
    rule: &mut Rule,
    name: RuleRef,
    skb: &mut Skb,
    net: &mut Net,
    hook: Hook,
    in_dev: Option<DevId>,
    out_dev: Option<DevId>,
    emit: &mut Emit<'_, O>,
) -> Outcome {
    if let Some(condition) = header_fails(&rule.header, &skb.packet, net, in_dev, out_dev) {
        return Outcome::Failed(condition);
    }
    for (i, m) in rule.matches.iter_mut().enumerate() {
        let condition = Condition::Match(i.min(255) as u8);
        match m.test(&mut MatchCx { skb, hook, in_dev, out_dev, net }) {
            Matched::Yes => {}
            Matched::No => return Outcome::Failed(condition),
            Matched::HotDrop => return Outcome::HotDrop(condition),
            Matched::NotSimulated => {
                emit.event(EventKind::NotSimulated { rule: name });
                return Outcome::Failed(condition);
            }
        }
    }
    Outcome::Matched
}

/// `ip_packet_match`, `ip6_packet_match`: the first condition of the header part that fails.
fn header_fails(
    header: &HeaderMatch,
    packet: &Packet,
    net: &Net,
    in_dev: Option<DevId>,
    out_dev: Option<DevId>,
) -> Option<Condition> {
    let name = |dev: Option<DevId>| dev.and_then(|d| net.device(d)).map_or("", |d| &d.name);
    if header.src.as_ref().is_some_and(|c| !c.test(c.value.contains(packet.src))) {
        return Some(Condition::Src);
    }
    if header.dst.as_ref().is_some_and(|c| !c.test(c.value.contains(packet.dst))) {
        return Some(Condition::Dst);
    }
    if header.in_iface.as_ref().is_some_and(|c| !c.test(c.value.matches(name(in_dev)))) {
        return Some(Condition::InIface);
    }
    if header.out_iface.as_ref().is_some_and(|c| !c.test(c.value.matches(name(out_dev)))) {
        return Some(Condition::OutIface);
    }
    if header.proto.as_ref().is_some_and(|c| !c.test(c.value == packet.proto)) {
        return Some(Condition::Proto);
    }
    if header.fragment.as_ref().is_some_and(|c| !c.test(packet.is_later_fragment())) {
        return Some(Condition::Fragment);
    }
    None
}
