//! `-j LOG`, `-j NFLOG`, `-j TRACE`, `-j AUDIT`: they tell, and go on (net/netfilter/xt_LOG.c, xt_NFLOG.c, xt_TRACE.c,
//! xt_AUDIT.c). The line itself is made by the `lang` crate from the packet as it is at that moment.

use std::sync::Arc;

/// `-j LOG`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogTarget {
    /// `--log-level` as syslog numbers it; 4 (warning) by default.
    pub level: u8,
    /// `--log-prefix`, at most 29 bytes.
    pub prefix: Arc<str>,
    /// `--log-tcp-sequence`.
    pub tcp_sequence: bool,
    /// `--log-tcp-options`.
    pub tcp_options: bool,
    /// `--log-ip-options`.
    pub ip_options: bool,
    /// `--log-uid`.
    pub uid: bool,
    /// `--log-macdecode`.
    pub mac_decode: bool,
}

/// `-j NFLOG`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NflogTarget {
    /// `--nflog-group`; 0 by default.
    pub group: u16,
    /// `--nflog-prefix`, at most 63 bytes.
    pub prefix: Arc<str>,
    /// `--nflog-range` (old, without effect).
    pub range: Option<u32>,
    /// `--nflog-size`: bytes of the packet that are copied.
    pub size: Option<u32>,
    /// `--nflog-threshold`; 0: not given.
    pub threshold: u16,
}

/// `-j AUDIT --type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum AuditType {
    Accept,
    Drop,
    Reject,
}
