//! Running a lab: its lines in order, each to its end, step by step; and what came of it.

use crate::file::{End, Lab, Line, Prompt, Statement, StationId, StationKind, Text};
use crate::programs::{self, Program, State};
use crate::record::{NoSink, Sink, Watching, What};
use crate::transcript::{Block, Kind, Transcript, normalise};
use crate::world::{START_OF_TIME, World};
use hookwalk_engine::ruleset::Ruleset;
use hookwalk_engine::time::{Duration, Time};
use hookwalk_engine::{FULL, Host};
use hookwalk_lang::Diagnostic;
use hookwalk_lang::frames::frame_line;
use hookwalk_lang::output::Output;
use hookwalk_lang::packet::Seen;
use hookwalk_lang::shell::Word;
use hookwalk_lang::tcpdump::{self, Captured};
use std::sync::Arc;

/// How long a packet line takes. Kernels meter some of what they send (ICMP redirects, errors about missing routes) and
/// what `limit` lets pass by the clock, so a lab here and the same lab on a kernel must go at the same pace to agree:
/// a frame from a wire is out at once, a raw socket of a host takes a process to be started, and a line that finds
/// nothing to send is over almost before it began.
pub fn pace(from: StationKind, sent: bool) -> Duration {
    match (from, sent) {
        (_, false) => Duration::millis(4),
        (StationKind::Wire, true) => Duration::millis(14),
        (StationKind::Host, true) => Duration::millis(120),
    }
}

/// Something that went otherwise than the lab says: an `expect` that failed, or a thing that is not simulated.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// The line of the lab, from 1.
    pub line: u32,
    /// What kind.
    pub kind: FailureKind,
    /// Where, and in words.
    pub diagnostic: Diagnostic,
}

/// Kinds of failures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// An `expect` line that does not hold.
    Expect,
    /// A command or packet that is real, but that we do not simulate.
    NotSimulated,
    /// A line that sets off packets without end.
    Endless,
}

/// How many steps one line may take. Two echo servers that answer each other would go on for ever.
const MAX_STEPS: u32 = 1_000_000;
/// How many steps a whole lab may take: a lab that came with a link must not use up the memory of whoever opens it.
const MAX_ALL: u32 = 3_000_000;

/// A lab that runs: everything that the next step needs.
#[derive(Clone, Debug)]
pub struct Run {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The network, as it is now.
    pub world: World,
    /// The commands that ran so far, with what each printed, be it nothing.
    pub blocks: Vec<Arc<Block>>,
    /// What went wrong, so far.
    pub failures: Vec<Failure>,
    /// The player (see [`FULL`]) has met something that it has not got: what it shows from then on may be wrong.
    pub lacks: bool,
    /// The next line, as a place in [`Lab::lines`].
    next: usize,
    /// `conntrack -E` and `xtables-monitor` commands, which print until the lab is over.
    watchers: Vec<Watcher>,
    /// The line that goes on, and what it waits for.
    busy: Busy,
    /// How many steps it has taken.
    steps: u32,
    /// How many steps all lines have taken.
    all_steps: u32,
}

/// A `conntrack -E` or `xtables-monitor` in the background.
#[derive(Clone, Debug)]
struct Watcher {
    /// Its place in [`Run::blocks`].
    block: usize,
    /// Its line, as a place in [`Lab::lines`].
    line: usize,
    /// How many events the host had told before it began: of conntrack, and of TRACE.
    since: (usize, usize),
    /// The host's rules at that moment, where it is one that tells them.
    rules: Option<Arc<Ruleset>>,
    /// `expect` lines about it, as places in [`Lab::lines`].
    expects: Vec<usize>,
}

/// What the line that goes on waits for.
#[derive(Clone, Debug)]
enum Busy {
    /// Nothing: the next line may start.
    Idle,
    /// For quiet.
    Settling,
    /// For a program to end.
    Program(StationId, Box<Program>, Option<Time>),
}

impl Run {
    /// A lab before its first line.
    pub fn new(lab: Arc<Lab>) -> Run {
        let world = World::new(&lab);
        Run {
            lab,
            world,
            blocks: Vec::new(),
            failures: Vec::new(),
            lacks: false,
            next: 0,
            watchers: Vec::new(),
            busy: Busy::Idle,
            steps: 0,
            all_steps: 0,
        }
    }

    /// Runs a lab to its end, unobserved.
    pub fn to_end(lab: Arc<Lab>) -> Run {
        let mut run = Run::new(lab);
        while run.step(&mut NoSink) {}
        run
    }

    /// What was printed so far.
    pub fn transcript(&self) -> Transcript {
        let printed = self.blocks.iter().filter(|b| !b.lines.is_empty());
        Transcript { blocks: printed.map(|b| Block::clone(b)).collect() }
    }

    /// The line that runs or ran last, as a place in [`Lab::lines`]; `None` before the first.
    pub fn line(&self) -> Option<usize> {
        self.next.checked_sub(1)
    }

    /// Goes on with another lab that is the same up to the line that runs.
    pub(crate) fn change_lab(&mut self, lab: Arc<Lab>) {
        self.lab = lab;
    }

    /// Has it run to its end?
    pub fn is_over(&self) -> bool {
        matches!(self.busy, Busy::Idle) && self.next >= self.lab.lines.len()
    }

    /// Is it between two lines, with nothing under way?
    pub fn is_between_lines(&self) -> bool {
        matches!(self.busy, Busy::Idle)
    }

    /// One step: of a packet, of time, or the start of a line. False: the lab is over.
    pub fn step<S: Sink>(&mut self, sink: &mut S) -> bool {
        let spent = self.all_steps >= MAX_ALL;
        let endless = !matches!(self.busy, Busy::Idle) && (spent || self.steps >= MAX_STEPS);
        if endless {
            self.endless(if spent { MAX_ALL } else { MAX_STEPS });
            self.busy = Busy::Settling;
        }
        if spent {
            // The lines that are left do not run.
            self.next = self.lab.lines.len();
        }
        self.steps += 1;
        self.all_steps += 1;
        match &mut self.busy {
            Busy::Program(..) => {
                if !self.world.work(sink) {
                    self.program();
                }
                true
            }
            Busy::Settling => {
                if endless || !self.world.step(sink) {
                    self.busy = Busy::Idle;
                    self.steps = 0;
                    self.world.set_lanes(1);
                }
                true
            }
            Busy::Idle => {
                let lab = self.lab.clone();
                let Some(line) = lab.lines.get(self.next) else {
                    self.finish();
                    return false;
                };
                self.next += 1;
                self.steps = 0;
                sink.record(What::Line);
                self.start(&lab, line, sink);
                true
            }
        }
    }

    fn start<S: Sink>(&mut self, lab: &Lab, line: &Line, sink: &mut S) {
        match &line.what {
            Statement::Say(_) | Statement::Ask(_) => {}
            Statement::Sleep(time) => self.wait(*time),
            Statement::Expect { .. } => self.expect(lab, line),
            Statement::Packet { .. } => self.packets(lab, sink),
            Statement::Command { station, prompt: Prompt::Root, words, stdin } => {
                let since = self.events_of(*station);
                let output = self.command(lab, *station, words, stdin.as_deref(), sink);
                let watches = FULL
                    && output.exit == 0
                    && matches!(Kind::of(lab.source(line)), Kind::Events | Kind::Trace);
                self.printed(lab, line, output);
                if watches {
                    let (block, line) = (self.blocks.len() - 1, self.next - 1);
                    let tells = words.first().is_some_and(|w| w.text == "nft");
                    let host = self.world.host(*station).filter(|_| tells);
                    let rules = host.map(|h| Arc::new(h.rules.clone()));
                    self.watchers.push(Watcher { block, line, since, rules, expects: Vec::new() });
                }
                self.busy = Busy::Settling;
            }
            Statement::Command { station, prompt: Prompt::User, words, stdin } => {
                let state = self.world.on_host(*station, |m, _| programs::start(m, words, stdin.as_deref()));
                self.program_state(lab, line, *station, state);
            }
        }
    }

    /// The line does not end: what it set off is taken away, so that the lab can go on.
    fn endless(&mut self, steps: u32) {
        self.world.clear();
        let lab = self.lab.clone();
        let Some(line) = self.line().and_then(|l| lab.lines.get(l)) else { return };
        let source = lab.source(line);
        let d = Diagnostic::new(line.number, source, 0..source.len(), "this does not come to rest")
            .hint(format!("stopped after {steps} steps"));
        self.failures.push(Failure { line: line.number, kind: FailureKind::Endless, diagnostic: d });
    }

    /// All is quiet: the program hears what came for it, or time passes.
    fn program(&mut self) {
        let Busy::Program(station, program, due) = std::mem::replace(&mut self.busy, Busy::Settling) else {
            return;
        };
        let heard = self.world.host(station).is_some_and(|h| !h.net.sockets.events.is_empty());
        let due_now = due.is_some_and(|t| t <= self.world.now);
        let next = [due, self.world.next_timer()].into_iter().flatten().min();
        if !heard
            && !due_now
            && let Some(next) = next
        {
            self.world.wait_until(next);
            self.world.pass_time();
            self.busy = Busy::Program(station, program, due);
            return;
        }
        let lab = self.lab.clone();
        let Some(line) = self.line().and_then(|l| lab.lines.get(l)) else { return };
        let state = self.world.on_host(station, |m, events| program.go_on(m, events));
        // Nothing will ever wake it: it waits for something that cannot come.
        let stuck = !heard && !due_now && matches!(&state, Some(State::Waits(_, None)));
        let state = if stuck {
            Some(State::Ended(Output::fail(130, "hookwalk: it would wait for ever")))
        } else {
            state
        };
        self.program_state(&lab, line, station, state);
    }

    fn program_state(&mut self, lab: &Lab, line: &Line, station: StationId, state: Option<State>) {
        match state {
            Some(State::Waits(program, due)) => self.busy = Busy::Program(station, Box::new(program), due),
            Some(State::Ended(output)) => {
                self.printed(lab, line, output);
                self.busy = Busy::Settling;
            }
            None => {}
        }
    }

    fn wait(&mut self, time: Duration) {
        self.world.wait_until(self.world.now + time);
        self.busy = Busy::Settling;
    }

    /// Sends the packet of the line that just began, and those that fly with it.
    fn packets<S: Sink>(&mut self, lab: &Lab, sink: &mut S) {
        let first = self.next - 1;
        let joined = |l: &Line| matches!(l.what, Statement::Packet { together: true, .. });
        let n = 1 + lab.lines[first..].iter().take_while(|l| joined(l)).count();
        let group = &lab.lines[first..(first + n).min(lab.lines.len())];
        self.world.set_lanes(group.len());
        self.next = first + group.len();
        let (mut sent, mut kind) = (false, StationKind::Wire);
        for (lane, line) in group.iter().enumerate() {
            if lane > 0 {
                sink.record(What::Line);
            }
            if let Statement::Packet { station, .. } = line.what
                && lab.stations[station.index()].kind == StationKind::Host
            {
                kind = StationKind::Host;
            }
            sent |= self.packet(line, lane, sink);
        }
        self.wait(pace(kind, sent));
    }

    /// Sends the packet of a line; false: there was none to send.
    fn packet<S: Sink>(&mut self, line: &Line, lane: usize, sink: &mut S) -> bool {
        let Statement::Packet { station, packet, iface, .. } = &line.what else { return false };
        let state = &self.world.stations[station.index()];
        let seen = Seen { received: state.received.as_deref(), sent: state.sent.as_deref() };
        // With nothing to answer or to quote, nothing is sent.
        let Some(packet) = packet.build(seen) else { return false };
        if self.world.host(*station).is_some() {
            // The error is the raw socket's; there is no program to print it.
            let _ = self.world.send_from_host(*station, packet, lane);
        } else {
            let from = End { station: *station, iface: *iface };
            self.world.send_from_wire(from, packet, lane, sink);
        }
        true
    }

    fn command<S: Sink>(
        &mut self,
        lab: &Lab,
        station: StationId,
        words: &[Word],
        stdin: Option<&str>,
        sink: &mut S,
    ) -> Output {
        let Some(name) = words.first() else { return Output::default() };
        if name.text == "frames" && !FULL {
            return Output::unprinted();
        }
        if name.text == "frames" {
            return self.frames(lab, station, &words[1..]);
        }
        if name.text == "tcpdump" && FULL {
            return self.tcpdump(lab, station, words);
        }
        let Some(host) = self.world.host_mut(station) else { return Output::default() };
        let output = hookwalk_lang::command::run_observed(host, words, stdin, &mut Watching(sink));
        host.refresh();
        output
    }

    /// `tcpdump`, on what the station's interfaces carried so far.
    fn tcpdump(&self, lab: &Lab, station: StationId, words: &[Word]) -> Output {
        let ifaces = &lab.stations[station.index()].ifaces;
        let names: Vec<&str> = ifaces.iter().map(|i| i.name.as_str()).collect();
        let frames = self.world.stations[station.index()].frames.iter().map(|f| Captured {
            iface: usize::from(f.iface),
            way: f.way,
            time: f.time,
            macs: f.macs,
            packet: &f.packet,
        });
        tcpdump::run(words, &names, frames, START_OF_TIME as u64)
    }

    /// `frames [IF…]`.
    fn frames(&self, lab: &Lab, station: StationId, words: &[Word]) -> Output {
        let ifaces = &lab.stations[station.index()].ifaces;
        let mut wanted = Vec::new();
        for word in words {
            match ifaces.iter().position(|i| i.name == word.text) {
                Some(at) => wanted.push(at),
                None => return Output::fail(1, format!("frames: there is no interface {}", word.text)),
            }
        }
        if words.is_empty() {
            wanted = (0..ifaces.len()).collect();
        }
        let mut output = Output::default();
        for at in wanted {
            let all = &self.world.stations[station.index()].frames;
            for frame in all.iter().filter(|f| usize::from(f.iface) == at) {
                output.line(&frame_line(&ifaces[at].name, frame.way, &frame.packet));
            }
        }
        output
    }

    /// Keeps what a command printed.
    fn printed(&mut self, lab: &Lab, line: &Line, output: Output) {
        let command = lab.source(line);
        if !FULL {
            let unprinted = output.unprinted || !output.stdout.is_empty();
            self.lacks |= output.refused.is_some() || output.exit != 0;
            self.blocks.push(Arc::new(Block { command: command.to_string(), unprinted, ..Block::default() }));
            return;
        }
        if let Some(refused) = &output.refused {
            let d = Diagnostic::new(line.number, command, refused.span.clone(), refused.message.clone());
            self.failures.push(Failure { line: line.number, kind: FailureKind::NotSimulated, diagnostic: d });
        }
        let lines = normalise(command, &output.stdout, &output.stderr, output.exit);
        self.blocks.push(Arc::new(Block { command: command.to_string(), lines, ..Block::default() }));
    }

    /// How many events a host has told so far: of conntrack, and of TRACE.
    fn events_of(&self, station: StationId) -> (usize, usize) {
        let counts = |h: &Host| (h.net.ct.notify.queue.len(), h.net.klog.traces.len());
        self.world.host(station).map_or((0, 0), counts)
    }

    /// The lab is over: what printed in the background until now is complete.
    fn finish(&mut self) {
        let lab = self.lab.clone();
        if !FULL {
            return;
        }
        for watcher in std::mem::take(&mut self.watchers) {
            let Some(line) = lab.lines.get(watcher.line) else { continue };
            let Statement::Command { station, words, .. } = &line.what else { continue };
            let Some(host) = self.world.host_mut(*station) else { continue };
            // The tool takes away what it reads; each one that listens has a queue of its own.
            let (events, traces) = (host.net.ct.notify.queue.clone(), host.net.klog.traces.clone());
            host.net.ct.notify.queue.drain(..watcher.since.0.min(events.len()));
            host.net.klog.traces.drain(..watcher.since.1.min(traces.len()));
            host.net.klog.watched = watcher.rules;
            let output = hookwalk_lang::command::run(host, words, None);
            host.net.klog.watched = None;
            (host.net.ct.notify.queue, host.net.klog.traces) = (events, traces);
            let command = lab.source(line);
            let lines = normalise(command, &output.stdout, &output.stderr, output.exit);
            self.blocks[watcher.block] =
                Arc::new(Block { command: command.to_string(), lines, ..Block::default() });
            for expect in watcher.expects.iter().filter_map(|e| lab.lines.get(*e)) {
                self.check_expect(&lab, expect, watcher.block);
            }
        }
    }

    fn expect(&mut self, lab: &Lab, line: &Line) {
        let Some(block) = self.blocks.len().checked_sub(1) else { return };
        match self.watchers.iter_mut().find(|w| w.block == block) {
            // It goes on printing: the answer comes at the end.
            Some(watcher) => watcher.expects.push(self.next - 1),
            None => self.check_expect(lab, line, block),
        }
    }

    fn check_expect(&mut self, lab: &Lab, line: &Line, block: usize) {
        let Statement::Expect { not, line: wanted } = &line.what else { return };
        if !FULL {
            return;
        }
        let squeeze = |l: &str| l.split_whitespace().collect::<Vec<_>>().join(" ");
        let target = squeeze(wanted);
        let output = &self.blocks[block].lines;
        let there = output.iter().any(|l| squeeze(l) == target);
        if there != *not {
            return;
        }
        let source = lab.source(line);
        let at = source.find(wanted.as_str()).unwrap_or(0);
        let message = if *not { "this line is there, and should not be" } else { "no such line" };
        let mut d = Diagnostic::new(line.number, source, at..at + wanted.len(), message);
        if !*not && let Some(near) = nearest_line(output, &target) {
            d = d.hint(format!("nearest is: {near}"));
        }
        self.failures.push(Failure { line: line.number, kind: FailureKind::Expect, diagnostic: d });
    }

    /// The narration of the line that runs, if it is a `say`.
    pub fn narration(&self) -> Option<&[Text]> {
        match &self.lab.lines.get(self.line()?)?.what {
            Statement::Say(texts) => Some(texts),
            _ => None,
        }
    }

    /// Simulated time.
    pub fn now(&self) -> Time {
        self.world.now
    }
}

/// The line that shares most words with the one that is missed, if it shares half of them.
fn nearest_line<'a>(lines: &'a [String], wanted: &str) -> Option<&'a str> {
    let words: Vec<&str> = wanted.split(' ').collect();
    let shared = |l: &&String| words.iter().filter(|w| l.split_whitespace().any(|x| x == **w)).count();
    let best = lines.iter().max_by_key(shared)?;
    (shared(&best) * 2 >= words.len()).then_some(best.as_str())
}
