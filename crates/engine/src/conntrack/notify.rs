//! What `conntrack -E` hears: events of the table as values, with the entry as it stood then.

use super::{Conn, status};
use crate::time::{Duration, Time};

/// `enum ip_conntrack_events` as bits: what a change is about.
pub(crate) const NEW: u16 = 1 << 0;
pub(crate) const RELATED: u16 = 1 << 1;
pub(crate) const DESTROY: u16 = 1 << 2;
pub(crate) const REPLY: u16 = 1 << 3;
pub(crate) const ASSURED: u16 = 1 << 4;
/// `IPCT_PROTOINFO`: the protocol's state changed.
pub const PROTOINFO: u16 = 1 << 5;
pub(crate) const HELPER: u16 = 1 << 6;
pub(crate) const MARK: u16 = 1 << 7;
pub(crate) const SEQADJ: u16 = 1 << 8;
pub(crate) const LABEL: u16 = 1 << 10;

/// The three kinds of message (`IPCTNL_MSG_CT_NEW` with and without `NLM_F_CREATE`, `IPCTNL_MSG_CT_DELETE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CtEventKind {
    /// `[NEW]`.
    New,
    /// `[UPDATE]`.
    Update,
    /// `[DESTROY]`.
    Destroy,
}

/// One message to listeners.
#[derive(Clone, PartialEq, Debug)]
pub struct CtEvent {
    /// Which kind.
    pub kind: CtEventKind,
    /// When.
    pub at: Time,
    /// The connection as it stood.
    pub conn: Conn,
    /// What remained of its timeout.
    pub remaining: Duration,
    /// Why it was sent: bits of `enum ip_conntrack_events`.
    pub bits: u16,
    /// A tool asked for it (`[USERSPACE]`, with its netlink port).
    pub portid: Option<u32>,
}

/// Listeners and what they have heard (`ctnetlink`, groups NEW, UPDATE and DESTROY).
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// How many listen now. Entries made while nobody listens stay silent for life (`nf_conntrack_events` = 2).
    pub listeners: u32,
    /// What was sent, in order; the reader takes it away.
    pub queue: Vec<CtEvent>,
}

impl Notify {
    /// Does an entry made now get an event extension (`nf_conntrack_events`: 0 never, 1 always, 2 if someone listens)?
    pub(crate) fn wanted(&self, sysctl_events: u8) -> bool {
        match sysctl_events {
            0 => false,
            1 => true,
            _ => self.listeners > 0,
        }
    }
    /// `nf_ct_deliver_cached_events`: what waits for this connection goes out as one message.
    pub(crate) fn deliver(&mut self, conn: &mut Conn, now: Time, remaining: Duration) {
        let Some(pending) = &mut conn.pending else { return };
        let bits = core::mem::take(pending);
        if bits == 0 || !conn.confirmed() || conn.has(status::DYING) || self.listeners == 0 {
            return;
        }
        let kind = if bits & (NEW | RELATED) != 0 { CtEventKind::New } else { CtEventKind::Update };
        self.queue.push(CtEvent { kind, at: now, conn: conn.clone(), remaining, bits, portid: None });
    }
    /// The message that the entry is gone; at once.
    pub(crate) fn destroyed(&mut self, conn: &Conn, now: Time, remaining: Duration, portid: Option<u32>) {
        if conn.pending.is_some() && self.listeners > 0 {
            let kind = CtEventKind::Destroy;
            self.queue.push(CtEvent { kind, at: now, conn: conn.clone(), remaining, bits: DESTROY, portid });
        }
    }
}
