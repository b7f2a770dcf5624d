//! `-m u32`: arithmetic on 32-bit words of the packet (net/netfilter/xt_u32.c:u32_mt).

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
