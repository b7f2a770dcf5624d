//! Network address translation: decided once a connection, applied to every packet of it.
//!
//! [`range`] is what a target asks for; choosing a free tuple (`nf_nat_setup_info`), null bindings, rewriting packets
//! and quoted packets are in the files beside it.

pub mod range;

pub use range::{NatFlags, Range};

/// `enum nf_nat_manip_type`: which half of the packet a hook may change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Manip {
    /// The source: INPUT and POSTROUTING.
    Src,
    /// The destination: PREROUTING and OUTPUT.
    Dst,
}
