//! The lab: a small network as a text file, the simulated world that it describes, and what comes of running it.
//!
//! Read in this order: [`file`] (a lab as a value), [`parse`](mod@parse) (text to that value), [`topology`] (who hears a
//! frame), [`world`] (what moves), [`run`] (line by line), [`transcript`] and [`compare`](mod@compare) (what it printed,
//! and whether a kernel printed the same), [`session`] (time travel).

pub mod capture;
pub mod compare;
pub mod complete;
mod declare;
pub mod diverge;
pub mod facts;
pub mod file;
pub mod listen;
mod met;
pub mod parse;
pub mod paste;
mod programs;
pub mod record;
pub mod run;
pub mod session;
pub mod topology;
pub mod transcript;
pub mod verify;
pub mod why;
pub mod world;

pub use compare::compare;
pub use file::Lab;
pub use parse::{parse, parse_bytes};
pub use run::Run;
pub use session::Session;
pub use transcript::Transcript;
pub use world::World;
