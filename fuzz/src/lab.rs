//! Lab texts: whatever a text says, reading it gives a lab or diagnostics, and running it breaks no invariant.

#![no_main]

use hookwalk_lab::file::Statement;
use hookwalk_lab::{parse_bytes, verify};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

/// Longer labs and longer waits find nothing that shorter ones do not, and take their time.
const MOST_LINES: usize = 40;
const LONGEST_SLEEP: u64 = 1_000_000_000_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lab) = parse_bytes(bytes) else { return };
    let slept: u64 = lab
        .lines
        .iter()
        .map(|line| match &line.what {
            Statement::Sleep(time) => time.0,
            _ => 0,
        })
        .fold(0, u64::saturating_add);
    if lab.lines.len() > MOST_LINES || slept > LONGEST_SLEEP {
        return;
    }
    if let Err(broken) = verify::run(Arc::new(lab)) {
        panic!("{broken}");
    }
});
