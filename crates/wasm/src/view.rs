//! What the page draws: the run at one position, as plain values. These types are the page's TypeScript types.
//!
//! Two things cross: [`LabView`] once for a run, [`View`] for every position that is looked at. Both hold text as a
//! terminal would print it, and facts as a key with arguments, which the page words in the reader's language.

use serde::Serialize;
use tsify::Tsify;

/// A text in one language; `lang` is absent for the language that the lab was written in.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct Text {
    /// BCP 47 tag.
    #[tsify(optional)]
    pub lang: Option<String>,
    /// The text.
    pub text: String,
}

/// What is wrong with a text that was to be run.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub col: u32,
    /// Length in characters.
    pub len: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[tsify(optional)]
    pub hint: Option<String>,
}

impl From<&hookwalk_lang::Diagnostic> for Problem {
    fn from(d: &hookwalk_lang::Diagnostic) -> Problem {
        Problem { line: d.line, col: d.col, len: d.len, message: d.message.clone(), hint: d.hint.clone() }
    }
}

/// What can stand at a place of a lab's text.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct CompletionView {
    /// The column, from 1, of what a choice replaces.
    pub from: u32,
    /// The choices, the likeliest first.
    pub choices: Vec<ChoiceView>,
}

/// Something that can stand there.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct ChoiceView {
    /// The word.
    pub text: String,
    /// What it is: `statement`, `command`, `option`, `table`, `chain`, `match`, `target`, `name`, `address`, `value`.
    pub kind: String,
    /// What it takes, in the field's notation; may be empty.
    pub detail: String,
}

impl From<hookwalk_lang::complete::Choice> for ChoiceView {
    fn from(choice: hookwalk_lang::complete::Choice) -> ChoiceView {
        use hookwalk_lang::complete::Kind;
        let kind = match choice.kind {
            Kind::Statement => "statement",
            Kind::Command => "command",
            Kind::Option => "option",
            Kind::Table => "table",
            Kind::Chain => "chain",
            Kind::Match => "match",
            Kind::Target => "target",
            Kind::Name => "name",
            Kind::Address => "address",
            Kind::Value => "value",
        };
        ChoiceView { text: choice.text, kind: kind.to_owned(), detail: choice.detail.to_owned() }
    }
}

/// The first packet that took another way after a change.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct DivergenceView {
    /// Its number before.
    #[tsify(optional)]
    pub was: Option<u32>,
    /// Its number now.
    #[tsify(optional)]
    pub is: Option<u32>,
    /// The event that was another before.
    #[tsify(optional)]
    pub before: Option<u32>,
    /// The event that is another now.
    #[tsify(optional)]
    pub after: Option<u32>,
}

/// A run as a whole.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct LabView {
    /// The lab's text.
    pub text: String,
    /// Title by language.
    pub title: Vec<Text>,
    /// What it is about, by language; paragraphs.
    pub about: Vec<Text>,
    /// Hosts and wires in order of declaration; elsewhere a station is its index here.
    pub stations: Vec<StationView>,
    /// Cables and switches.
    pub links: Vec<LinkView>,
    /// How many events the run has; positions go from 0 to this.
    pub len: u32,
    /// Packets in order of birth.
    pub packets: Vec<PacketSpan>,
    /// Lines that ran, each with the position before its first event.
    pub lines: Vec<LineView>,
    /// What went otherwise than the lab says: expectations that failed, and things that are not simulated.
    pub failures: Vec<Problem>,
}

/// A host or a wire.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct StationView {
    /// Name.
    pub name: String,
    /// A host has a stack, hooks and rules; a wire has none.
    pub kind: StationKind,
    /// Devices with their addresses.
    pub ifaces: Vec<IfaceView>,
}

/// See [`StationView`].
#[derive(Serialize, Tsify, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum StationKind {
    /// A Linux host.
    Host,
    /// A scripted station.
    Wire,
}

/// A device.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct IfaceView {
    /// Name.
    pub name: String,
    /// Addresses with prefix lengths.
    pub addrs: Vec<String>,
}

/// What joins interfaces: two make a cable, more a switch.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct LinkView {
    /// The ends.
    pub ends: Vec<EndView>,
}

/// One end of a link.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct EndView {
    /// Station.
    pub station: u32,
    /// Interface name.
    pub iface: String,
}

/// A packet's life in events.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct PacketSpan {
    /// Its number.
    pub id: u32,
    /// The packet as it began, as the lab would write it.
    pub text: String,
    /// The short name of what it is: `SYN`, `ACK`, `echo-request`.
    pub short: String,
    /// Position before its first event.
    pub first: u32,
    /// Position after its last event.
    pub last: u32,
    /// How it ended.
    pub fate: Fate,
    /// The packet that it answers; 0 if none.
    pub answers: u32,
    /// The line of the lab that set it off, from 1.
    pub line: u32,
    /// The station where it began.
    pub station: u32,
}

/// How a packet ended.
#[derive(Serialize, Tsify, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Still on its way at the end of the run (held as a fragment, queued).
    Open,
    /// A socket or the kernel took it.
    Delivered,
    /// It left for a wire, which recorded it.
    Sent,
    /// Dropped.
    Dropped,
}

/// A line of the lab that ran.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct LineView {
    /// Its number, from 1.
    pub line: u32,
    /// The position before its first event.
    pub at: u32,
    /// What kind of line it is.
    pub kind: LineKind,
    /// The line; for `say` and `ask` the text by language.
    pub text: Vec<Text>,
    /// What answers a question, by language.
    pub answers: Vec<Text>,
    /// The station of a command or packet; −1 for others.
    pub station: i32,
    /// What a command printed, with `[exit N]` where it failed.
    #[tsify(optional)]
    pub output: Option<String>,
    /// It printed something that only the whole of Hookwalk can print; never of a run of the whole.
    pub later: bool,
    /// `expect` lines that did not hold.
    pub failed: bool,
}

/// See [`LineView`].
#[derive(Serialize, Tsify, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// A command.
    Command,
    /// A packet.
    Packet,
    /// Narration: a player stops here.
    Say,
    /// A question.
    Ask,
    /// An expectation.
    Expect,
    /// Time passes.
    Sleep,
}

/// A fact: a key into the phrases of every language, and what to fill in.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct Fact {
    /// Key.
    pub key: String,
    /// Names and values.
    pub args: Vec<(String, String)>,
}

/// One event as a list shows it.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct EventView {
    /// Its number, from 0; the position after it is one more.
    pub n: u32,
    /// Packet; 0 if none.
    pub packet: u32,
    /// Station.
    pub station: u32,
    /// The kind, for filters and icons: the name of the engine's event.
    pub kind: String,
    /// Hook, where it is at one.
    #[tsify(optional)]
    pub hook: Option<String>,
    /// The function of the hook: `defrag`, `conntrack`, `nat`, `confirm`, or a table.
    #[tsify(optional)]
    pub func: Option<String>,
    /// How much it matters: 0 a step on the way, 1 worth a line, 2 a turn of the story.
    pub weight: u8,
    /// How it is to look.
    pub tone: Tone,
    /// What happened.
    pub fact: Fact,
}

/// How an event is to look; shape and words say it too.
#[derive(Serialize, Tsify, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// The packet or its entry was changed.
    Change,
    /// Passed over, for a reason.
    Skip,
    /// Well ended.
    Good,
    /// Dropped.
    Bad,
}

/// The run at a position, seen with one host in focus.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct View {
    /// The position: so many events have happened.
    pub at: u32,
    /// Simulated time in seconds.
    pub time: f64,
    /// The line of the lab that is running or ran last, from 1; 0 before the first.
    pub line: u32,
    /// The event that led here; none at 0.
    #[tsify(optional)]
    pub event: Option<EventView>,
    /// The packet of that event and all others that are somewhere.
    pub flights: Vec<FlightView>,
    /// The host in focus.
    pub host: u32,
    /// Its hooks, each with its functions in order.
    pub hooks: Vec<HookView>,
    /// Its conntrack entries: unconfirmed ones first.
    pub entries: Vec<EntryView>,
    /// Is conntrack awake: does some rule need it?
    pub tracking: bool,
}

/// Where a packet is and what it looks like.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct FlightView {
    /// Its number.
    pub packet: u32,
    /// The station that has it, or that it left last.
    pub station: u32,
    /// Where.
    pub place: Place,
    /// `tcp`, `udp`, `icmp` …
    pub proto: String,
    /// TCP flags in words, ICMP type, or nothing.
    pub short: String,
    /// Source.
    pub src: EndpointView,
    /// Destination.
    pub dst: EndpointView,
    /// The rest of the header: label and value.
    pub fields: Vec<(String, String)>,
    /// `NEW`, `ESTABLISHED` …: what `--ctstate` would match; absent before conntrack.
    #[tsify(optional)]
    pub state: Option<String>,
    /// The entry that it belongs to ([`EntryView::serial`]); 0 if none.
    pub entry: u32,
    /// Its end, if this position is its end.
    #[tsify(optional)]
    pub fate: Option<Fate>,
}

/// An address and port, with what NAT replaced.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct EndpointView {
    /// Address.
    pub addr: String,
    /// Port, or the ICMP id; empty if the protocol has none.
    pub port: String,
    /// The address before NAT in this host changed it.
    #[tsify(optional)]
    pub old_addr: Option<String>,
    /// The port before NAT in this host changed it.
    #[tsify(optional)]
    pub old_port: Option<String>,
}

/// A place on the stage.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
#[serde(tag = "at", rename_all = "lowercase")]
pub enum Place {
    /// On a link, towards a station.
    Link {
        /// From.
        from: u32,
        /// To.
        to: u32,
    },
    /// It came in by a device.
    Receive {
        /// The device's name.
        dev: String,
    },
    /// At a hook; `func` is the index into [`HookView::funcs`], −1 before the first.
    Hook {
        /// Hook.
        hook: String,
        /// Function.
        func: i32,
    },
    /// Being routed: before the choice between INPUT and FORWARD, or after the local process.
    Route {
        /// After the local process.
        output: bool,
    },
    /// With a local process or the kernel's own stack.
    Local,
    /// It leaves by a device.
    Transmit {
        /// The device's name.
        dev: String,
    },
}

/// A hook of the host in focus.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct HookView {
    /// `PREROUTING` …
    pub hook: String,
    /// Its functions in order of priority.
    pub funcs: Vec<FuncView>,
}

/// A function at a hook.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct FuncView {
    /// `defrag`, `conntrack`, `nat`, `confirm`, or a table's name.
    pub name: String,
    /// Its priority as numbers print it; the last one prints as `last`.
    pub priority: i32,
    /// Does it run at all: the table exists, conntrack is needed?
    pub awake: bool,
    /// Rules of the base chain here, both families; 0 for what is no table.
    pub rules: u32,
    /// Packets that its rules matched so far.
    pub packets: u32,
}

/// A conntrack entry.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct EntryView {
    /// Its number in this run, in order of birth.
    pub serial: u32,
    /// Is it in the table?
    pub confirmed: bool,
    /// The packet that carries it while it is not.
    pub carrier: u32,
    /// `tcp`, `udp` …
    pub proto: String,
    /// The protocol's state: `SYN_SENT` …; empty where it has none.
    pub state: String,
    /// Seconds until it expires; for an unconfirmed one, what confirm will start with.
    pub timeout: u32,
    /// Tuples: original, reply.
    pub tuples: Vec<TupleView>,
    /// Flags in words: `SEEN_REPLY`, `ASSURED`, `SRC_NAT` …
    pub flags: Vec<String>,
    /// Who decided the destination and the source, where decided.
    pub bindings: Vec<BindingView>,
    /// Mark.
    pub mark: u32,
    /// The line that `conntrack -L` prints for it.
    pub text: String,
}

/// One direction.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct TupleView {
    /// Source address.
    pub src: String,
    /// Destination address.
    pub dst: String,
    /// Source port or ICMP id.
    pub sport: String,
    /// Destination port or ICMP type and code.
    pub dport: String,
    /// Packets, where accounting is on.
    #[tsify(optional)]
    pub packets: Option<u32>,
    /// Parts that are not the mirror of the other direction: what NAT changed (`src`, `dst`, `sport`, `dport`).
    pub changed: Vec<String>,
}

/// A NAT decision for the connection's life.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct BindingView {
    /// `dst` or `src`.
    pub manip: String,
    /// The packet for which it was made.
    pub packet: u32,
    /// The hook.
    pub hook: String,
    /// The rule, `PREROUTING 1`; absent for a null binding.
    #[tsify(optional)]
    pub rule: Option<String>,
    /// Did it change the tuple?
    pub changed: bool,
}

/// A table's listing at a position.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct TableView {
    /// `ip` or `ip6`.
    pub family: String,
    /// Name.
    pub table: String,
    /// Chains in the order in which the tool lists them.
    pub chains: Vec<ChainView>,
}

/// A chain.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct ChainView {
    /// Name.
    pub name: String,
    /// The line above the columns: `Chain PREROUTING (policy ACCEPT 1 packets, 40 bytes)`.
    pub head: String,
    /// Rules.
    pub rules: Vec<RuleView>,
}

/// A rule, as `iptables -nvL` prints it and as `iptables -S` does.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct RuleView {
    /// Columns of `-nvL`: pkts, bytes, target, prot, opt, in, out, source, destination, the rest.
    pub cells: Vec<String>,
    /// The rule as `-S` prints it, `-A CHAIN` and all.
    pub text: String,
    /// At this position: is the packet at this rule, and what came of it?
    #[tsify(optional)]
    pub outcome: Option<Outcome>,
}

/// What came of testing a rule.
#[derive(Serialize, Tsify, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All conditions held.
    Matched,
    /// One did not.
    Failed,
}

/// The answer to a question about the run.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct WhyView {
    /// What could not be read of the question; then the rest is empty.
    #[tsify(optional)]
    pub problem: Option<String>,
    /// What the number is.
    #[tsify(optional)]
    pub headline: Option<Fact>,
    /// Why, the weightiest first.
    pub reasons: Vec<ReasonView>,
    /// What helps; an argument named `command` can be typed.
    pub remedies: Vec<Fact>,
}

/// One reason.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct ReasonView {
    /// What is so.
    pub fact: Fact,
    /// The position that shows it.
    #[tsify(optional)]
    pub at: Option<u32>,
    /// The packets that it holds for.
    pub packets: Vec<u32>,
}

impl From<hookwalk_lab::facts::Fact> for Fact {
    fn from(fact: hookwalk_lab::facts::Fact) -> Fact {
        Fact {
            key: fact.key.to_owned(),
            args: fact.args.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        }
    }
}

/// A lab made of what a box printed.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct PasteView {
    /// The lab's text; absent where there is nothing to make one of.
    #[tsify(optional)]
    pub lab: Option<String>,
    /// What could not be used.
    pub notes: Vec<PasteNote>,
}

/// A part of a paste that could not be used.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct PasteNote {
    /// Which paste: `addr`, `route`, `talks`, `conntrack`.
    pub paste: String,
    /// Line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub message: String,
}

/// The words behind the numbers of the event index, each list from 0 on.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct IndexNames {
    /// Kinds of events: the names of the engine's.
    pub kinds: Vec<String>,
    /// Hooks; in the index they count from 1.
    pub hooks: Vec<String>,
    /// Functions of hooks; in the index they count from 1.
    pub funcs: Vec<String>,
    /// Tables; in the index they count from 1.
    pub tables: Vec<String>,
}

/// A line of `conntrack -E`.
#[derive(Serialize, Tsify, Clone, Debug, PartialEq)]
pub struct HeardView {
    /// The position that shows it.
    pub at: u32,
    /// The host.
    pub station: u32,
    /// The packet that set it off; 0 if none did.
    pub packet: u32,
    /// The entry's number in this run.
    pub serial: u32,
    /// Simulated time in seconds.
    pub time: f64,
    /// `new`, `update`, `destroy`.
    pub kind: String,
    /// The line, as the tool prints it.
    pub text: String,
    /// Why the entry left, with its last line.
    #[tsify(optional)]
    pub gone: Option<Fact>,
}
