//! `-j` targets: small files by subject, here the list of them.

pub mod ct;
pub mod divert;
pub mod edit;
pub mod log;
pub mod mark;
pub mod nat;
pub mod opaque;
pub mod reject;
pub mod set;

use crate::FULL;
use crate::addr::Addr;
use crate::device::DevId;
use crate::event::{Emit, EventKind, Field, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::klog::{LogLine, Seen};
use crate::nat::Manip;
use crate::packet::Skb;
use crate::ruleset::{ChainId, RuleRef};
use std::sync::Arc;

pub use ct::{CtTarget, ZoneDir, ZoneId};
pub use divert::{NfqueueTarget, TeeTarget, TproxyTarget};
pub use edit::{EcnTarget, TcpmssTarget, TcpoptstripTarget, TosTarget, TtlTarget};
pub use log::{AuditType, LogTarget, NflogTarget};
pub use mark::{ConnmarkMode, ConnmarkTarget, MarkTarget};
pub use nat::{NatTarget, NptTarget, SharedNat};
pub use opaque::OpaqueTarget;
pub use reject::RejectWith;
pub use set::SetTarget;

/// What a rule does when its conditions hold. Variants without a description are named as their target.
#[derive(Clone, PartialEq, Debug, Default)]
#[allow(missing_docs)]
pub enum Target {
    /// No `-j`: count, and go on.
    #[default]
    None,
    /// `-j ACCEPT`.
    Accept,
    /// `-j DROP`.
    Drop,
    /// `-j RETURN`.
    Return,
    /// `-j CHAIN`.
    Jump(ChainId),
    /// `-g CHAIN`.
    Goto(ChainId),
    Reject(RejectWith),
    Log(Arc<LogTarget>),
    Nflog(Arc<NflogTarget>),
    Mark(MarkTarget),
    Connmark(ConnmarkTarget),
    Dnat(SharedNat),
    Snat(SharedNat),
    Masquerade(SharedNat),
    Redirect(SharedNat),
    Netmap(SharedNat),
    Ct(Arc<CtTarget>),
    Notrack,
    Tproxy(Arc<TproxyTarget>),
    Tcpmss(TcpmssTarget),
    Tcpoptstrip(Arc<TcpoptstripTarget>),
    Ttl(TtlTarget),
    Hl(TtlTarget),
    Tos(TosTarget),
    /// `-j DSCP --set-dscp`: the upper six bits.
    Dscp(u8),
    Ecn(EcnTarget),
    /// `-j CHECKSUM --checksum-fill`.
    Checksum,
    /// `-j CLASSIFY --set-class MAJOR:MINOR`, as one number.
    Classify(u32),
    Set(Arc<SetTarget>),
    Tee(Arc<TeeTarget>),
    Trace,
    Nfqueue(NfqueueTarget),
    Audit(AuditType),
    Snpt(Arc<NptTarget>),
    Dnpt(Arc<NptTarget>),
    /// Kept and printed, not simulated.
    Opaque(Arc<OpaqueTarget>),
}

// Rules are walked by the thousand.
const _: () = assert!(size_of::<Target>() <= 48);

/// What a target says, `NF_*` / `XT_*` verdicts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// `XT_CONTINUE`: the next rule.
    Continue,
    /// `NF_ACCEPT`: this table is done.
    Accept,
    /// `NF_DROP`.
    Drop,
    /// `NF_STOLEN`: gone without being dropped.
    Stolen,
    /// `NF_QUEUE` to this queue; the flag says to accept where nobody listens (`--queue-bypass`).
    Queue(u16, bool),
}

/// A packet that a target asks for; the local stack builds and sends it before the target's verdict takes effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spawn {
    /// REJECT's answer to the packet as it is now.
    Reject {
        /// Which.
        with: RejectWith,
    },
    /// TEE's copy of the packet as it is now.
    Tee {
        /// Where to.
        gateway: Addr,
        /// By which device, where one was given.
        oif: Option<DevId>,
    },
}

/// What a target works on.
pub struct TargetCx<'a, 'o, O> {
    /// The packet.
    pub skb: &'a mut Skb,
    /// The hook that the chain was entered from.
    pub hook: Hook,
    /// Input device.
    pub in_dev: Option<DevId>,
    /// Output device.
    pub out_dev: Option<DevId>,
    /// The rest of the host.
    pub net: &'a mut Net,
    /// The rule.
    pub rule: RuleRef,
    /// Who listens.
    pub emit: &'a mut Emit<'o, O>,
    /// Packets to send.
    pub spawn: &'a mut Vec<Spawn>,
}

impl Target {
    /// Its name as after `-j`; empty for no target, and for jumps (the chain's name is the table's).
    pub fn name(&self) -> &str {
        match self {
            Target::None | Target::Jump(_) | Target::Goto(_) => "",
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Return => "RETURN",
            Target::Reject(_) => "REJECT",
            Target::Log(_) => "LOG",
            Target::Nflog(_) => "NFLOG",
            Target::Mark(_) => "MARK",
            Target::Connmark(_) => "CONNMARK",
            Target::Dnat(_) => "DNAT",
            Target::Snat(_) => "SNAT",
            Target::Masquerade(_) => "MASQUERADE",
            Target::Redirect(_) => "REDIRECT",
            Target::Netmap(_) => "NETMAP",
            Target::Ct(_) => "CT",
            Target::Notrack => "NOTRACK",
            Target::Tproxy(_) => "TPROXY",
            Target::Tcpmss(_) => "TCPMSS",
            Target::Tcpoptstrip(_) => "TCPOPTSTRIP",
            Target::Ttl(_) => "TTL",
            Target::Hl(_) => "HL",
            Target::Tos(_) => "TOS",
            Target::Dscp(_) => "DSCP",
            Target::Ecn(_) => "ECN",
            Target::Checksum => "CHECKSUM",
            Target::Classify(_) => "CLASSIFY",
            Target::Set(_) => "SET",
            Target::Tee(_) => "TEE",
            Target::Trace => "TRACE",
            Target::Nfqueue(_) => "NFQUEUE",
            Target::Audit(_) => "AUDIT",
            Target::Snpt(_) => "SNPT",
            Target::Dnpt(_) => "DNPT",
            Target::Opaque(t) => &t.name,
        }
    }

    /// Does its effect, and says how the packet goes on. Jumps, gotos and returns are the traversal's; they are not
    /// run.
    pub fn run<O: Observer>(&self, cx: &mut TargetCx<'_, '_, O>) -> Verdict {
        match self {
            Target::None | Target::Jump(_) | Target::Goto(_) | Target::Return => Verdict::Continue,
            Target::Accept => Verdict::Accept,
            Target::Drop => Verdict::Drop,
            Target::Reject(with) => {
                cx.spawn.push(Spawn::Reject { with: *with });
                Verdict::Drop
            }
            Target::Log(_) | Target::Nflog(_) if !FULL => {
                // What is logged is read with tools that the player has not got.
                cx.emit.event(EventKind::Logged { rule: cx.rule });
                Verdict::Continue
            }
            Target::Log(target) => {
                let seen = Seen::of(cx.skb, cx.hook, cx.in_dev, cx.out_dev);
                cx.net.klog.log(LogLine { at: cx.net.now, seen, target: target.clone() });
                cx.emit.event(EventKind::Logged { rule: cx.rule });
                Verdict::Continue
            }
            Target::Nflog(_) => {
                cx.emit.event(EventKind::Logged { rule: cx.rule });
                Verdict::Continue
            }
            // An audit record changes nothing that a packet could meet.
            Target::Audit(_) => Verdict::Continue,
            Target::Trace if FULL => {
                let old = u32::from(cx.skb.traced);
                cx.skb.traced = true;
                cx.set(Field::Trace, old, 1);
                Verdict::Continue
            }
            Target::Mark(t) => t.run(cx),
            Target::Connmark(t) => t.run(cx),
            Target::Dnat(t) => nat::bind(cx, &t.range, Manip::Dst),
            Target::Snat(t) => nat::bind(cx, &t.range, Manip::Src),
            Target::Masquerade(t) => nat::masquerade(cx, &t.range),
            Target::Redirect(t) => nat::redirect(cx, &t.range),
            Target::Notrack => ct::notrack(cx),
            Target::Ct(t) => t.run(cx),
            // The player reads no rule with any of the others.
            _ if !FULL => {
                cx.emit.event(EventKind::NotSimulated { rule: cx.rule });
                Verdict::Continue
            }
            Target::Netmap(t) => nat::netmap(cx, &t.range),
            Target::Classify(class) => {
                let old = std::mem::replace(&mut cx.skb.priority, *class);
                cx.set(Field::Priority, old, *class);
                Verdict::Continue
            }
            // Packets here have their checksums in full already.
            Target::Checksum => Verdict::Continue,
            Target::Nfqueue(t) => Verdict::Queue(t.queue, t.bypass),
            Target::Tee(t) => t.run(cx),
            Target::Tproxy(t) => t.run(cx),
            Target::Tcpmss(t) => t.run(cx),
            Target::Tcpoptstrip(t) => t.run(cx),
            Target::Ttl(t) | Target::Hl(t) => t.run(cx),
            Target::Tos(t) => t.run(cx),
            Target::Dscp(dscp) => edit::set_dscp(cx, *dscp),
            Target::Ecn(t) => t.run(cx),
            Target::Set(t) => t.run(cx),
            Target::Snpt(t) => nat::translate_prefix(cx, t, Manip::Src),
            Target::Dnpt(t) => nat::translate_prefix(cx, t, Manip::Dst),
            Target::Opaque(_) | Target::Trace => {
                cx.emit.event(EventKind::NotSimulated { rule: cx.rule });
                Verdict::Continue
            }
        }
    }
}

impl<O: Observer> TargetCx<'_, '_, O> {
    /// Tells that a value changed; silent where it did not.
    fn set(&mut self, field: Field, old: u32, new: u32) {
        if old != new {
            self.emit.event(EventKind::Set { field, old, new });
        }
    }
}
