//! `-j` targets: one small file each, here the list of them.

use crate::ruleset::ChainId;

/// What a rule does when its conditions hold.
#[derive(Clone, PartialEq, Debug, Default)]
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
}

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
