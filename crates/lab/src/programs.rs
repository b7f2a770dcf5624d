//! Programs that a user starts on a host: `listen` and other servers and clients, on the engine's sockets.

use hookwalk_engine::host::Host;
use hookwalk_engine::packet::proto;
use hookwalk_engine::socket::{Behaviour, Listener};
use hookwalk_lang::output::Output;
use hookwalk_lang::shell::Word;

/// Starts a program; what it prints at once comes back.
pub(crate) fn run(host: &mut Host, words: &[Word]) -> Output {
    let Some(name) = words.first() else { return Output::default() };
    match name.text.as_str() {
        "listen" => listen(host, &words[1..]),
        other => Output::refuse(format!("the program {other} is not simulated"), name.span.clone()),
    }
}

/// `listen tcp/PORT`, `listen udp/PORT [echo]`.
fn listen(host: &mut Host, words: &[Word]) -> Output {
    const USAGE: &str = "usage: listen tcp/PORT | listen udp/PORT [echo]";
    let (what, behaviour) = match words {
        [what] => (what, Behaviour::Silent),
        [what, echo] if echo.text == "echo" => (what, Behaviour::Echo),
        _ => return Output::fail(2, USAGE),
    };
    let Some((name, port)) = what.text.split_once('/') else { return Output::fail(2, USAGE) };
    let number = match name {
        "tcp" if behaviour == Behaviour::Silent => proto::TCP,
        "udp" => proto::UDP,
        _ => return Output::fail(2, USAGE),
    };
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 => port,
        _ => return Output::fail(2, USAGE),
    };
    if host.net.sockets.listeners.iter().any(|l| l.proto == number && l.port == port && l.addr.is_none()) {
        return Output::fail(1, format!("listen: {}: Address already in use", what.text));
    }
    host.net.sockets.listeners.push(Listener {
        proto: number,
        addr: None,
        port,
        behaviour,
        transparent: false,
    });
    Output::default()
}
