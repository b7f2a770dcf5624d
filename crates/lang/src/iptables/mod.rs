//! `iptables`, `ip6tables`, and their `-save` and `-restore`.

use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;

/// Runs one command of the iptables family.
pub fn run(_host: &mut Host, argv: &[Word], _stdin: Option<&str>) -> Output {
    let name = argv.first().map_or("", |w| &w.text);
    Output::refuse(format!("{name} is not simulated yet"), argv.first().map_or(0..0, |w| w.span.clone()))
}
