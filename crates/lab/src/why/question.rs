//! Reading a question: `server nat POSTROUTING`, `server filter INPUT 2`, `server ip6 nat OUTPUT`, `packet 3`.

use crate::file::StationId;
use crate::session::Session;
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::PacketId;
use hookwalk_engine::ruleset::TableKind;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Why does this chain, or this rule of it, count what it counts?
    Chain {
        /// The host.
        host: StationId,
        /// IPv4 or IPv6.
        family: Family,
        /// The table.
        table: TableKind,
        /// The chain's name.
        chain: String,
        /// The rule's number from 1; `None`: the chain.
        rule: Option<usize>,
    },
    /// What became of this packet, and who did it?
    Packet(PacketId),
}

/// A question that could not be read: what to say, and the words that would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What is wrong.
    pub message: String,
    /// What may stand there.
    pub expected: Vec<String>,
}

/// Reads a question about this run.
///
/// # Errors
/// A host, table, chain, rule or packet that is not there, with those that are.
pub fn ask(session: &Session, text: &str) -> Result<Question, Asked> {
    let mut words = text.split_whitespace().peekable();
    let wrong = |message: String, expected: Vec<String>| Err(Asked { message, expected });
    let lab = session.lab().clone();
    let hosts = || -> Vec<String> {
        let is_host = |i: &usize| session.world().host(StationId(*i as u16)).is_some();
        (0..lab.stations.len()).filter(is_host).map(|i| lab.stations[i].name.clone()).collect()
    };
    let Some(first) = words.next() else {
        let mut expected = hosts();
        expected.push("packet".into());
        return wrong("a question begins with a host or the word packet".into(), expected);
    };
    if first == "packet" {
        let born = session.end().world.packets();
        return match words.next().and_then(|w| w.trim_start_matches('#').parse().ok()) {
            Some(n) if (1..=born).contains(&n) => Ok(Question::Packet(PacketId(n))),
            _ => wrong(format!("packets of this run have numbers from 1 to {born}"), Vec::new()),
        };
    }
    let Some(host) = lab.station(first).filter(|h| session.world().host(*h).is_some()) else {
        return wrong(format!("no host is called {first}"), hosts());
    };
    let family = match words.peek() {
        Some(&("ip6" | "ip6tables" | "ipv6" | "-6")) => {
            words.next();
            Family::V6
        }
        Some(&("ip" | "iptables" | "ipv4" | "-4")) => {
            words.next();
            Family::V4
        }
        _ => Family::V4,
    };
    let tables = || TableKind::ALL.iter().map(|t| t.name().to_string()).collect();
    let Some(table) = words.next() else { return wrong("which table?".into(), tables()) };
    let Some(table) = TableKind::ALL.into_iter().find(|t| t.name() == table) else {
        return wrong(format!("no table is called {table}"), tables());
    };
    let Some(chain) = words.next() else {
        let chains = table.hooks().iter().map(|h| h.chain_name().to_string()).collect();
        return wrong("which chain?".into(), chains);
    };
    let built_in = table.hooks().iter().any(|h| h.chain_name() == chain);
    let end = session.end().world.host(host).and_then(|h| h.rules.table(family, table));
    // What stands at the position may be gone at the end, and the other way round.
    let here = session.world().host(host).and_then(|h| h.rules.table(family, table));
    let both = [end, here].map(|t| t.and_then(|t| t.chain(t.find(chain)?)));
    let found = both.into_iter().flatten().max_by_key(|c| c.rules.len());
    if found.is_none() && !built_in {
        let mut chains: Vec<String> = table.hooks().iter().map(|h| h.chain_name().to_string()).collect();
        chains.extend(end.iter().flat_map(|t| {
            t.chains.iter().flatten().filter(|c| c.base.is_none()).map(|c| c.name.to_string())
        }));
        return wrong(format!("table {} has no chain {chain}", table.name()), chains);
    }
    let rule = match words.next() {
        None => None,
        Some(word) => {
            let rules = found.map_or(0, |c| c.rules.len());
            match word.parse() {
                Ok(n) if (1..=rules).contains(&n) => Some(n),
                _ => {
                    return wrong(format!("{chain} has rules from 1 to {rules}, not {word}"), Vec::new());
                }
            }
        }
    };
    Ok(Question::Chain { host, family, table, chain: chain.to_string(), rule })
}
