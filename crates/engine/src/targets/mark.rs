//! `-j MARK`, `-j CONNMARK` (net/netfilter/xt_mark.c:mark_tg, xt_connmark.c:connmark_tg).

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
