//! `-j SET`: puts the packet's addresses into a set or takes them out (net/netfilter/xt_set.c:set_target_v3).

use super::{TargetCx, Verdict};
use crate::event::{Field, Observer};
use crate::matches::SetRef;
use crate::matches::set::fields;
use crate::set::Test;

/// `-j SET`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SetTarget {
    /// `--add-set`.
    pub add: Option<SetRef>,
    /// `--del-set`.
    pub del: Option<SetRef>,
    /// `--map-set`.
    pub map: Option<SetRef>,
    /// `--exist`: an element that is there gets a new timeout.
    pub exist: bool,
    /// `--timeout` in seconds; `None`: the set's own.
    pub timeout: Option<u32>,
    /// `--map-mark`.
    pub map_mark: bool,
    /// `--map-prio`.
    pub map_prio: bool,
    /// `--map-queue`.
    pub map_queue: bool,
}

impl SetTarget {
    /// Adds, deletes, and takes marks from a set. What fails (a full set, a packet without ports) fails silently.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let now = cx.net.now;
        // The table is taken out for a moment: names of devices are looked up in the same host.
        let mut sets = std::mem::take(&mut cx.net.sets);
        let packet = fields(cx.net, cx.skb, cx.in_dev, cx.out_dev);
        let mut changed = 0;
        if let Some(add) = &self.add {
            changed += u32::from(sets.add_packet(add, &packet, self.exist, self.timeout, now).is_ok());
        }
        if let Some(del) = &self.del {
            changed += u32::from(sets.del_packet(del, &packet, now).is_ok());
        }
        let found = self.map.as_ref().and_then(|map| sets.test(map, &packet, Test::default(), now));
        cx.net.sets = sets;
        cx.set(Field::Set, 0, changed);
        let Some(found) = found else { return Verdict::Continue };
        if let Some((value, mask)) = found.skbmark.filter(|_| self.map_mark) {
            let old = cx.skb.mark;
            cx.skb.mark = (old & !mask) ^ value;
            cx.set(Field::Mark, old, cx.skb.mark);
        }
        if let Some(priority) = found.skbprio.filter(|_| self.map_prio) {
            let old = std::mem::replace(&mut cx.skb.priority, priority);
            cx.set(Field::Priority, old, priority);
        }
        Verdict::Continue
    }
}
