//! Hookwalk on the command line.
fn main() {}
