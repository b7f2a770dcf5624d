//! `-m statistic`: by chance or every n-th (net/netfilter/xt_statistic.c:statistic_mt).

use super::{MatchCx, Matched};

/// `-m statistic --mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatisticMode {
    /// `random --probability`: the chance as a fraction of 2^31.
    Random {
        /// Fraction of 2^31.
        probability: u32,
    },
    /// `nth --every N --packet P`.
    Nth {
        /// `--every` minus one, as the kernel keeps it.
        every: u32,
        /// `--packet`: which of each round, from 0.
        packet: u32,
        /// Evaluations in this round so far; 0 at first.
        count: u32,
    },
}

/// `-m statistic`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatisticMatch {
    /// How.
    pub mode: StatisticMode,
    /// `!` before `--probability` or `--every`.
    pub not: bool,
}

impl StatisticMatch {
    /// As it is when the rule is loaded.
    pub fn reset(&mut self) {
        if let StatisticMode::Nth { count, .. } = &mut self.mode {
            *count = 0;
        }
    }
    /// One evaluation more. Chance comes from the host's seeded generator.
    pub fn test(&mut self, cx: &mut MatchCx<'_>) -> Matched {
        let hit = match &mut self.mode {
            StatisticMode::Random { probability } => cx.net.rng.next_u32() & 0x7fff_ffff < *probability,
            StatisticMode::Nth { every, packet, count } => {
                // The round begins at 0, so that the evaluation with number `packet` hits.
                let hit = *count == *packet;
                *count = if *count >= *every { 0 } else { *count + 1 };
                hit
            }
        };
        (hit != self.not).into()
    }
}
