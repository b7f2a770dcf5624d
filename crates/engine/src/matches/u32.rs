//! `-m u32`: arithmetic on 32-bit words of the packet (net/netfilter/xt_u32.c:u32_mt).

use super::{MatchCx, Matched};
use crate::wire;
use std::sync::Arc;

/// A step of a location: what is done with the word so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum U32Op {
    /// `& N`.
    And(u32),
    /// `<< N`.
    Shl(u32),
    /// `>> N`.
    Shr(u32),
    /// `@ N`: the word becomes an offset from which to read at N.
    At(u32),
}

/// `LOCATION=RANGES`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct U32Test {
    /// Offset of the first word.
    pub offset: u32,
    /// Steps after it.
    pub ops: Arc<[U32Op]>,
    /// Ranges of which one must hold the result; both ends included.
    pub ranges: Arc<[(u32, u32)]>,
}

/// `-m u32 --u32`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct U32Match {
    /// Tests joined by `&&`.
    pub tests: Arc<[U32Test]>,
    /// `!` before `--u32`.
    pub not: bool,
}

impl U32Match {
    /// All tests hold. Reading beyond the packet's end makes the whole false, before inversion.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let bytes = wire::encode(&cx.skb.packet);
        (self.tests.iter().all(|t| t.holds(&bytes)) != self.not).into()
    }
}

impl U32Test {
    fn holds(&self, bytes: &[u8]) -> bool {
        let word = |base: u32, offset: u32| {
            let at = base.checked_add(offset)? as usize;
            let four = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        };
        // `@` moves the base; what follows is read relative to it.
        let mut base = 0u32;
        let Some(mut value) = word(base, self.offset) else { return false };
        for op in &*self.ops {
            match *op {
                U32Op::And(n) => value &= n,
                U32Op::Shl(n) => value = value.checked_shl(n).unwrap_or(0),
                U32Op::Shr(n) => value = value.checked_shr(n).unwrap_or(0),
                U32Op::At(n) => {
                    let Some(moved) = base.checked_add(value) else { return false };
                    base = moved;
                    match word(base, n) {
                        Some(next) => value = next,
                        None => return false,
                    }
                }
            }
        }
        self.ranges.iter().any(|&(low, high)| low <= value && value <= high)
    }
}
