//! A lab file as a value: stations, links and the lines that run, each with the place where it was written.
//!
//! [`crate::parse`] makes it from text and keeps the text; nothing here knows how a lab runs.

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::time::Duration;
use hookwalk_lang::packet::PacketSpec;
use hookwalk_lang::shell::Word;
use std::ops::Range;
use std::sync::Arc;

/// A lab: a small network, and what is typed and sent on it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lab {
    /// The text that it was read from.
    pub text: Arc<str>,
    /// What it is called, once a language.
    pub titles: Vec<Text>,
    /// What it is about; paragraphs of one language stand in their order.
    pub abouts: Vec<Text>,
    /// Hosts and wires in order of declaration.
    pub stations: Vec<Station>,
    /// Cables and switches.
    pub links: Vec<Link>,
    /// `machine` lines: settings of the machine under all hosts, which a namespace can read and not write.
    pub machine: MachineSettings,
    /// What runs, in order.
    pub lines: Vec<Line>,
}

impl Lab {
    /// The station of this name.
    pub fn station(&self, name: &str) -> Option<StationId> {
        self.stations.iter().position(|s| s.name == name).map(|i| StationId(i as u16))
    }
    /// The title in this language, else the one without a language, else any.
    pub fn title(&self, lang: &str) -> Option<&str> {
        Text::pick(&self.titles, lang)
    }
    /// The text of a line as it was written, blanks around it gone.
    pub fn source(&self, line: &Line) -> &str {
        self.text.get(line.span.clone()).unwrap_or("")
    }
}

/// Settings that belong to the machine, not to one of its network namespaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MachineSettings {
    /// `net.netfilter.nf_conntrack_max`: how many entries a host's table may have; `None`: the kernel's default.
    pub conntrack_max: Option<u32>,
}

/// A text in one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// Its BCP 47 tag; `None` where the line had none.
    pub lang: Option<String>,
    /// The text.
    pub text: String,
}

impl Text {
    /// The text in this language (or in a broader form of it: `zh` serves `zh-Hant`), else the one without a tag,
    /// else the first.
    pub fn pick<'a>(texts: &'a [Text], lang: &str) -> Option<&'a str> {
        let fits = |t: &&Text| {
            t.lang.as_deref().is_some_and(|tag| {
                lang.eq_ignore_ascii_case(tag)
                    || (lang.len() > tag.len()
                        && lang.as_bytes().get(tag.len()) == Some(&b'-')
                        && lang.get(..tag.len()).is_some_and(|l| l.eq_ignore_ascii_case(tag)))
            })
        };
        texts
            .iter()
            .find(fits)
            .or_else(|| texts.iter().find(|t| t.lang.is_none()))
            .or_else(|| texts.first())
            .map(|t| t.text.as_str())
    }
}

/// A station's place in [`Lab::stations`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StationId(pub u16);

impl StationId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Does a station have a stack?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StationKind {
    /// A Linux host: its own network namespace.
    Host,
    /// A scripted station without a stack: sends what it is told and records what arrives.
    Wire,
}

/// A `host` or `wire` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// Host or wire.
    pub kind: StationKind,
    /// Its interfaces in order of declaration, without `lo`.
    pub ifaces: Vec<Iface>,
    /// Default gateways, at most one a family.
    pub gateways: Vec<(Family, Addr)>,
    /// Number of the line, from 1.
    pub line: u32,
}

/// An interface of a station.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iface {
    /// Its name.
    pub name: String,
    /// Its addresses with their prefix lengths, in order.
    pub addrs: Vec<(Family, Addr, u8)>,
}

/// An interface of a station, as links name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct End {
    /// The station.
    pub station: StationId,
    /// Place in [`Station::ifaces`].
    pub iface: u16,
}

/// A cable (two ends) or a switch (more).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// What is plugged in.
    pub ends: Vec<End>,
    /// Number of the line, from 1.
    pub line: u32,
}

/// A line that runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    /// Its bytes in [`Lab::text`], without blanks around it and without the lines of standard input that follow.
    pub span: Range<usize>,
    /// What it says.
    pub what: Statement,
}

/// Root's prompt or a user's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// `#`: the tools that configure the host.
    Root,
    /// `$`: programs with sockets.
    User,
}

/// What a line says.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// `NAME# COMMAND` or `NAME$ COMMAND`.
    Command {
        /// Where it runs.
        station: StationId,
        /// Who runs it.
        prompt: Prompt,
        /// Its words; spans count from the beginning of the line's text.
        words: Vec<Word>,
        /// Standard input, if the command ended in `<<WORD`.
        stdin: Option<Arc<str>>,
    },
    /// `NAME> PACKET`.
    Packet {
        /// Who sends it.
        station: StationId,
        /// The packet as the lab describes it.
        packet: Box<PacketSpec>,
        /// The interface that it leaves by, as a place in [`Station::ifaces`]; a host's packet is routed.
        iface: u16,
        /// It ends in `&`: the next packet line is in flight together with it.
        together: bool,
    },
    /// `sleep SECONDS`.
    Sleep(Duration),
    /// `say TEXT`, with its translations.
    Say(Vec<Text>),
    /// `ask TEXT = ANSWER`, with its translations.
    Ask(Vec<Question>),
    /// `expect LINE` or `expect ! LINE`.
    Expect {
        /// `!`: must not be there.
        not: bool,
        /// The line that the output of the nearest command above must (not) contain.
        line: String,
    },
}

/// A question in one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The question.
    pub text: Text,
    /// What counts as the right answer.
    pub answer: String,
}
