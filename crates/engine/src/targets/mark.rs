//! `-j MARK`, `-j CONNMARK` (net/netfilter/xt_mark.c:mark_tg, xt_connmark.c:connmark_tg).

use super::{TargetCx, Verdict};
use crate::event::{Field, Observer};

/// `-j MARK`: `mark = (mark & !mask) ^ value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkTarget {
    /// Value.
    pub value: u32,
    /// Mask.
    pub mask: u32,
}

/// What `-j CONNMARK` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnmarkMode {
    /// `--set-xmark`.
    Set,
    /// `--save-mark`: packet to connection.
    Save,
    /// `--restore-mark`: connection to packet.
    Restore,
}

/// `-j CONNMARK`, `struct xt_connmark_tginfo2`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnmarkTarget {
    /// What it does.
    pub mode: ConnmarkMode,
    /// Value for `--set-xmark`.
    pub ctmark: u32,
    /// Mask of the connection's mark.
    pub ctmask: u32,
    /// Mask of the packet's mark.
    pub nfmask: u32,
    /// `--left-shift-mark` (positive) or `--right-shift-mark` (negative), in bits.
    pub shift: i8,
}

impl MarkTarget {
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let old = cx.skb.mark;
        cx.skb.mark = (old & !self.mask) ^ self.value;
        cx.set(Field::Mark, old, cx.skb.mark);
        Verdict::Continue
    }
}

impl ConnmarkTarget {
    /// Without a connection nothing happens.
    pub(super) fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        let nfmark = cx.skb.mark;
        let Some(conn) = cx.net.conn_of_mut(cx.skb) else { return Verdict::Continue };
        let shifted = |mark: u32| match self.shift {
            0 => mark,
            left @ 1.. => mark.checked_shl(left.unsigned_abs().into()).unwrap_or(0),
            right => mark.checked_shr(right.unsigned_abs().into()).unwrap_or(0),
        };
        let old = conn.mark;
        match self.mode {
            ConnmarkMode::Set => {
                let new = shifted((old & !self.ctmask) ^ self.ctmark);
                conn.set_mark(new);
                cx.set(Field::ConnMark, old, new);
            }
            ConnmarkMode::Save => {
                let new = (old & !self.ctmask) ^ shifted(nfmark & self.nfmask);
                conn.set_mark(new);
                cx.set(Field::ConnMark, old, new);
            }
            ConnmarkMode::Restore => {
                let new = (nfmark & !self.nfmask) ^ shifted(old & self.ctmask);
                cx.skb.mark = new;
                cx.set(Field::Mark, nfmark, new);
            }
        }
        Verdict::Continue
    }
}
