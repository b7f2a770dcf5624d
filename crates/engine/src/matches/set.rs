//! `-m set`: is it in an ipset (net/netfilter/xt_set.c:set_match_v4)?

use super::{MatchCx, Matched};
use crate::device::DevId;
use crate::host::Net;
use crate::packet::Skb;
use crate::ruleset::Inv;
use crate::set::{PacketFields, Test};
use std::sync::Arc;

/// A set and the packet's fields that are looked up in it, as `-m set` and `-j SET` name them: `NAME src,dst`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetRef {
    /// The set's name; it cannot be renamed or destroyed while a rule names it.
    pub name: Arc<str>,
    /// For each dimension (at most six): is it the packet's source (`src`)? Else its destination.
    pub src: [bool; 6],
    /// How many dimensions were written.
    pub dims: u8,
}

/// A comparison with an element's counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Compare {
    Eq(u64),
    Ne(u64),
    Lt(u64),
    Gt(u64),
}

/// `-m set`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetMatch {
    /// `--match-set`.
    pub set: Inv<SetRef>,
    /// `--return-nomatch`: of sets with networks, an element with `nomatch` counts as found, and others do not.
    pub return_nomatch: bool,
    /// `! --update-counters`.
    pub no_update_counters: bool,
    /// `! --update-subcounters`.
    pub no_update_subcounters: bool,
    /// `--packets-eq` …
    pub packets: Option<Compare>,
    /// `--bytes-eq` …
    pub bytes: Option<Compare>,
}

/// What sets may look at in this packet.
pub(crate) fn fields<'a>(
    net: &Net,
    skb: &'a Skb,
    in_dev: Option<DevId>,
    out_dev: Option<DevId>,
) -> PacketFields<'a> {
    let name = |dev: Option<DevId>| dev.and_then(|d| net.device(d)).map(|d| d.name.clone());
    PacketFields {
        packet: &skb.packet,
        mark: skb.mark,
        mac_src: skb.mac_src,
        mac_dst: skb.mac_dst,
        in_dev: name(in_dev),
        out_dev: name(out_dev),
    }
}

impl SetMatch {
    /// Looks the packet up; the counters of what it hits go up unless `! --update-counters` says no.
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let test = Test {
            return_nomatch: self.return_nomatch,
            no_update_counters: self.no_update_counters,
            no_update_subcounters: self.no_update_subcounters,
            packets: self.packets,
            bytes: self.bytes,
        };
        let fields = fields(cx.net, cx.skb, cx.in_dev, cx.out_dev);
        let now = cx.net.now;
        self.set.test(cx.net.sets.test(&self.set.value, &fields, test, now).is_some()).into()
    }
}
