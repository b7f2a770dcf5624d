//! The lab: a small network as a text file, the simulated world that it describes, and what comes of running it.
//!
//! Read in this order: [`file`] (a lab as a value), [`parse`](mod@parse) (text to that value), [`transcript`] and
//! [`compare`](mod@compare) (what it printed, and whether a kernel printed the same).

pub mod compare;
mod declare;
pub mod file;
pub mod parse;
pub mod transcript;

pub use compare::compare;
pub use file::Lab;
pub use parse::{parse, parse_bytes};
pub use transcript::Transcript;
