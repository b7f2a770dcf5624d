//! TRACE: tells those who listen what each matching rule does to a traced packet (net/netfilter/nf_tables_trace.c).
//!
//! It looks at a step of the traversal from outside, before and after, and costs nothing while nobody listens.

use crate::flight::AtHook;
use crate::host::Host;
use crate::klog::{Seen, TraceLine, TraceVerdict, TraceWhat};
use crate::packet::Skb;
use crate::ruleset::{ChainId, Rule, Table};
use crate::targets::Target;
use crate::traverse::Walked;
use std::sync::Arc;

/// The step that is about to be taken.
pub(crate) struct Watch {
    /// The chain, by number and name.
    chain: (ChainId, Arc<str>),
    /// The rule with its place; `None`: the end of the chain.
    rule: Option<(u16, Box<Rule>)>,
    /// Its target is about to run.
    firing: bool,
    /// Calls that are open.
    depth: u8,
}

impl Watch {
    /// Before a step; `None` where nobody listens.
    pub(crate) fn before(host: &Host, skb: &Skb, at: &AtHook) -> Option<Watch> {
        if host.net.klog.trace_listeners == 0 {
            return None;
        }
        let walk = at.walk.as_ref()?;
        let chain = host.rules.table(skb.packet.family, walk.table)?.chain(walk.chain)?;
        Some(Watch {
            chain: (walk.chain, chain.name.clone()),
            rule: chain.rules.get(usize::from(walk.rule)).map(|r| (walk.rule, Box::new(r.clone()))),
            firing: walk.firing,
            depth: walk.depth,
        })
    }

    /// After it: what is to be told.
    pub(crate) fn after(self, host: &mut Host, skb: &Skb, at: &mut AtHook, walked: &Walked) {
        if !skb.traced {
            return;
        }
        let Some(walk) = at.walk.as_mut() else { return };
        let Some(table) = host.rules.table(skb.packet.family, walk.table) else { return };
        let base = table.chain(walk.base);
        let Some(base_name) = base.map(|c| c.name.clone()) else { return };
        let policy = base.and_then(|c| c.base.as_ref()).map(|b| b.policy);
        let end_of_base = match &self.rule {
            None => self.depth == 0,
            Some((_, rule)) => self.firing && self.depth == 0 && rule.target == Target::Return,
        };
        let rejects =
            self.rule.as_ref().is_some_and(|(_, r)| self.firing && matches!(r.target, Target::Reject(_)));
        let mut messages = Vec::new();
        let verdict = self.rule.as_ref().and_then(|(at, rule)| self.verdict(table, *at, rule, walked));
        if let (Some(verdict), Some((_, rule))) = (verdict, self.rule) {
            messages.push(TraceWhat::Rule { chain: self.chain.1, rule, verdict });
        }
        if let Some(policy) = policy.filter(|_| end_of_base) {
            messages.push(TraceWhat::Policy { chain: base_name.clone(), policy, mark: skb.mark });
        }
        if messages.is_empty() {
            return;
        }
        if !walk.told {
            walk.told = true;
            let seen = Seen::of(skb, at.hook, at.in_dev, at.out_dev);
            messages.insert(0, TraceWhat::Packet(Box::new(seen)));
        }
        let (kind, family, now) = (walk.table, table.family, host.net.now);
        let klog = &mut host.net.klog;
        let list = if rejects { &mut klog.waiting } else { &mut klog.traces };
        list.extend(messages.into_iter().map(|what| {
            let base = base_name.clone();
            Arc::new(TraceLine { at: now, id: skb.id, family, table: kind, base, what })
        }));
    }

    /// What the rule did; `None` where it did nothing yet.
    fn verdict(&self, table: &Table, at: u16, rule: &Rule, walked: &Walked) -> Option<TraceVerdict> {
        let name = |id: ChainId| table.chain(id).map(|c| c.name.clone()).unwrap_or_default();
        if !self.firing {
            // A rule without a target has done all that it does when it counted.
            let now = table.chain(self.chain.0)?.rules.get(usize::from(at))?;
            let counted = now.counters.packets != rule.counters.packets;
            return (rule.target == Target::None && counted).then_some(TraceVerdict::Continue);
        }
        Some(match (&rule.target, walked) {
            (Target::Return, _) => TraceVerdict::Return,
            (Target::Jump(to), Walked::Going) => TraceVerdict::Jump(name(*to)),
            (Target::Goto(to), Walked::Going) => TraceVerdict::Goto(name(*to)),
            (Target::Nfqueue(_), _) => TraceVerdict::Queue,
            (_, Walked::Going) => TraceVerdict::Continue,
            (_, Walked::Accepted) => TraceVerdict::Accept,
            (_, Walked::Drop(_)) => TraceVerdict::Drop,
            (_, Walked::Stolen) => TraceVerdict::Stolen,
        })
    }
}
