//! `-j CT` and `-j NOTRACK`: what conntrack is to do with the packet (net/netfilter/xt_CT.c). raw table only.

use super::{TargetCx, Verdict};
use crate::conntrack::{Helper, Nfct, Template, Zone};
use crate::event::{EventKind, Field, Observer};
use std::sync::Arc;

/// `--zone`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZoneId {
    /// A number.
    Number(u16),
    /// `mark`: the packet's mark.
    Mark,
}

/// Directions that a zone holds for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZoneDir {
    /// `--zone`.
    Both,
    /// `--zone-orig`.
    Original,
    /// `--zone-reply`.
    Reply,
}

/// `-j CT`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CtTarget {
    /// `--notrack`.
    pub notrack: bool,
    /// `--zone`, `--zone-orig`, `--zone-reply`.
    pub zone: Option<(ZoneDir, ZoneId)>,
    /// `--helper`.
    pub helper: Option<Arc<str>>,
    /// `--timeout`: the name of a policy.
    pub timeout: Option<Arc<str>>,
    /// `--ctevents`: bit n for `IPCT_n`.
    pub ctevents: Option<u32>,
    /// `--expevents`.
    pub expevents: Option<u32>,
}

/// `notrack_tg`: a packet that carries an entry already (looped back) keeps it.
pub(super) fn notrack<O: Observer>(cx: &mut TargetCx<'_, '_, O>) -> Verdict {
    if cx.skb.nfct == Nfct::None {
        cx.skb.nfct = Nfct::Untracked;
        cx.emit.event(EventKind::CtUntracked);
    }
    Verdict::Continue
}

impl CtTarget {
    /// `xt_ct_target`: attaches the template. Timeout policies and event masks are not simulated; they change nothing
    /// that decides a packet's way.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        if self.notrack {
            return notrack(cx);
        }
        if cx.skb.nfct != Nfct::None {
            return Verdict::Continue;
        }
        let mut template = Template::default();
        if let Some((dir, id)) = self.zone {
            template.zone = Zone {
                id: match id {
                    ZoneId::Number(n) => n,
                    ZoneId::Mark => 0,
                },
                orig: dir != ZoneDir::Reply,
                reply: dir != ZoneDir::Original,
                from_mark: id == ZoneId::Mark,
            };
            cx.set(Field::Zone, 0, u32::from(template.zone.id));
        }
        if let Some(name) = self.helper.as_deref() {
            template.helper = Helper::named(name);
            cx.set(Field::Helper, 0, 1);
            if template.helper != Some(Helper::Ftp) {
                cx.emit.event(EventKind::NotSimulated { rule: cx.rule });
            }
        }
        if self.timeout.is_some() {
            cx.emit.event(EventKind::NotSimulated { rule: cx.rule });
        }
        cx.skb.nfct = Nfct::Template(template);
        Verdict::Continue
    }
}
