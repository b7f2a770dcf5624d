//! What the page asks for beyond a run: tables as the tools list them, answers, transcripts, pastes.

use crate::look::{Looker, line_station};
use crate::picture::{self, Wish};
use crate::rules;
use crate::view::{HeardView, IndexNames, Outcome, ReasonView, TableView, WhyView};
use crate::{Hookwalk, value, view};
use hookwalk_engine::Family;
use hookwalk_engine::conntrack::CtEventKind;
use hookwalk_engine::event::{DropBy, EventKind, Outcome as Tested};
use hookwalk_engine::ruleset::RuleRef;
use hookwalk_lab::file::StationId;
use hookwalk_lab::record::What;
use hookwalk_lab::session::Record;
use hookwalk_lab::{facts, listen, why};
use wasm_bindgen::prelude::*;

/// Lines of `conntrack -E` that are kept.
const HEARD: usize = 20_000;

#[wasm_bindgen]
impl Hookwalk {
    /// The tables of a host after `at` events.
    #[wasm_bindgen(unchecked_return_type = "TableView[]")]
    pub fn tables(&mut self, at: u32, station: u32) -> JsValue {
        value(&self.looker.tables(at as usize, station))
    }

    /// The answer to a question about the run: `HOST [ip6] TABLE CHAIN [RULE]` as it stands after `at` events, or
    /// `packet N`.
    #[wasm_bindgen(unchecked_return_type = "WhyView")]
    pub fn why(&mut self, question: &str, at: u32) -> JsValue {
        value(&self.looker.why(question, at as usize))
    }

    /// All events in a few numbers each; `index.rs` says which bits are what, [`Hookwalk::names`] their words.
    pub fn index(&self) -> Vec<u32> {
        self.looker.index().0
    }

    /// The words behind the numbers of the index.
    #[wasm_bindgen(unchecked_return_type = "IndexNames")]
    pub fn names(&self) -> JsValue {
        value(&self.looker.index().1)
    }

    /// What `conntrack -E` would have printed on every host, from the start to the end of the run.
    #[wasm_bindgen(unchecked_return_type = "HeardView[]")]
    pub fn heard(&self) -> JsValue {
        value(&self.looker.heard())
    }

    /// What can stand in a text before column `col` of line `line` (both from 1): names from the text, chains and sets
    /// from this run.
    #[wasm_bindgen(unchecked_return_type = "CompletionView")]
    pub fn complete(&self, text: &str, line: u32, col: u32) -> JsValue {
        let found = hookwalk_lab::complete::complete(&self.looker.session, text, line, col);
        let choices = found.choices.into_iter().map(view::ChoiceView::from).collect();
        value(&view::CompletionView { from: found.from, choices })
    }

    /// The first packet that takes another way here than in an earlier run; `null` where all go as before.
    #[wasm_bindgen(unchecked_return_type = "DivergenceView | null")]
    pub fn diverge(&self, before: &Hookwalk) -> JsValue {
        let found = hookwalk_lab::diverge::diverge(&before.looker.session, &self.looker.session);
        let number = |n: Option<usize>| n.map(|n| n as u32);
        found.map_or(JsValue::NULL, |d| {
            value(&view::DivergenceView {
                was: d.was.map(|p| p.0),
                is: d.is.map(|p| p.0),
                before: number(d.before),
                after: number(d.after),
            })
        })
    }

    /// The position `at` as a picture, an SVG that needs nothing else, with these words below it.
    pub fn picture(&mut self, at: u32, station: u32, chinese: bool, caption: &str, width: u32) -> String {
        picture::still(&mut self.looker, at, station, &Wish { focus: None, chinese, caption, width })
    }

    /// What the commands of the whole run printed, in the form that `hookwalk run` prints.
    pub fn transcript(&self) -> String {
        self.looker.session.end().transcript().to_string()
    }
}

/// A lab of what a real box printed; any of the texts may be empty. `talks` are lines such as
/// `tcp 203.0.113.9 -> 203.0.113.1:80`.
#[wasm_bindgen(unchecked_return_type = "PasteView")]
#[allow(clippy::too_many_arguments)]
pub fn paste(
    addr: &str,
    route: &str,
    rule: &str,
    iptables: &str,
    ip6tables: &str,
    sockets: &str,
    sysctl: &str,
    conntrack: &str,
    talks: &str,
) -> JsValue {
    let pasted = hookwalk_lab::paste::Pasted {
        addr: addr.into(),
        route: route.into(),
        rule: rule.into(),
        iptables: iptables.into(),
        ip6tables: ip6tables.into(),
        sockets: sockets.into(),
        sysctl: sysctl.into(),
        conntrack: conntrack.into(),
        talks: talks.lines().map(str::to_string).collect(),
        ..Default::default()
    };
    let (lab, notes) = pasted.lab();
    let notes = notes
        .iter()
        .map(|n| view::PasteNote {
            paste: match n.paste {
                hookwalk_lab::paste::Paste::Addr => "addr",
                hookwalk_lab::paste::Paste::Route => "route",
                hookwalk_lab::paste::Paste::Talk => "talks",
                hookwalk_lab::paste::Paste::Conntrack => "conntrack",
            }
            .into(),
            line: n.diagnostic.line,
            message: n.diagnostic.message.clone(),
        })
        .collect();
    value(&view::PasteView { lab, notes })
}

/// The lines that replay a capture (the bytes of a pcap or pcapng file) in a lab that [`paste`] made.
///
/// # Errors
/// What is wrong with the file, as a string.
#[wasm_bindgen]
pub fn replay(capture: &[u8], lab: &str) -> Result<String, String> {
    hookwalk_lab::capture::read(capture).map(|caught| hookwalk_lab::capture::replay(&caught, lab))
}

impl Looker {
    /// The answer to a question such as `server nat POSTROUTING 1` or `packet 3`.
    pub(crate) fn why(&mut self, question: &str, at: usize) -> WhyView {
        let at = at.min(self.session.len());
        self.session.seek(at);
        let question = match why::ask(&self.session, question) {
            Ok(question) => question,
            Err(asked) => {
                let problem = Some(asked.message);
                return WhyView { problem, headline: None, reasons: Vec::new(), remedies: Vec::new() };
            }
        };
        let answer = why::answer_at(&mut self.session, &question, at);
        let reasons = answer.reasons.into_iter().map(|r| ReasonView {
            fact: r.fact.into(),
            at: r.at.map(|at| at as u32),
            packets: r.packets,
        });
        WhyView {
            problem: None,
            headline: Some(answer.headline.into()),
            reasons: reasons.collect(),
            remedies: answer.remedies.into_iter().map(Into::into).collect(),
        }
    }

    /// All events in a few numbers each, and the words for them.
    pub(crate) fn index(&self) -> (Vec<u32>, IndexNames) {
        crate::index::index(&self.session, |line| line_station(&self.session, line))
    }

    /// What `conntrack -E` would have heard.
    pub(crate) fn heard(&self) -> Vec<HeardView> {
        let style = hookwalk_lang::conntrack::Style::default();
        let heard = listen::heard(&self.session, HEARD).into_iter();
        heard
            .map(|h| HeardView {
                at: h.at as u32,
                station: u32::from(h.station.0),
                packet: h.packet,
                serial: h.event.conn.serial,
                time: h.event.at.0 as f64 / 1e9,
                kind: match h.event.kind {
                    CtEventKind::New => "new",
                    CtEventKind::Update => "update",
                    CtEventKind::Destroy => "destroy",
                }
                .to_owned(),
                text: hookwalk_lang::conntrack::event_line(&h.event, style).trim_end().to_owned(),
                gone: h.gone.map(|why| {
                    let entry = facts::tuple_text(&h.event.conn.tuples[0]);
                    facts::Fact::new(facts::gone(why)).with("entry", entry).into()
                }),
            })
            .collect()
    }

    /// The tables of a host at a position.
    pub(crate) fn tables(&mut self, at: usize, station: u32) -> Vec<TableView> {
        let run = self.session.seek(at);
        let Some(host) = run.world.host(StationId(station as u16)) else { return Vec::new() };
        let mut tables = rules::tables(host);
        let record = at.checked_sub(1).and_then(|n| self.record(n));
        let Some(Record { what: What::Host(event), .. }) = record else { return tables };
        if u32::from(event.host.0) != station {
            return tables;
        }
        let Some((rule, outcome)) = touched(&event.kind) else { return tables };
        let family = at
            .checked_sub(1)
            .and_then(|n| self.held(n, event.packet))
            .map_or(Family::V4, |s| s.packet.family);
        let host = self.session.seek(at).world.host(StationId(station as u16));
        let chain =
            host.and_then(|h| Some(h.rules.table(family, rule.table)?.chain(rule.chain)?.name.to_string()));
        let name = if family == Family::V6 { "ip6" } else { "ip" };
        let view = tables.iter_mut().filter(|t| t.family == name && t.table == rule.table.name());
        for chain in view.flat_map(|t| &mut t.chains).filter(|c| Some(&c.name) == chain.as_ref()) {
            if let Some(r) = chain.rules.get_mut(usize::from(rule.rule)) {
                r.outcome = Some(outcome);
            }
        }
        tables
    }
}

/// The rule that an event is about, and what came of it.
pub(crate) fn touched(kind: &EventKind) -> Option<(RuleRef, Outcome)> {
    match *kind {
        EventKind::Rule { rule, outcome: Tested::Failed(_) } => Some((rule, Outcome::Failed)),
        EventKind::Rule { rule, .. }
        | EventKind::Accept { rule }
        | EventKind::Logged { rule }
        | EventKind::NatBound { rule: Some(rule), .. }
        | EventKind::Drop {
            by: DropBy::Rule(rule) | DropBy::Reject(rule) | DropBy::Target(rule) | DropBy::Match(rule),
        } => Some((rule, Outcome::Matched)),
        _ => None,
    }
}
