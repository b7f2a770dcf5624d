//! Time travel: a run recorded step by step, with checkpoints to come back to, and editing that keeps what it can.
//!
//! A position is a number of records: 0 is before the first line, [`Session::len`] is the end. The world at a position is
//! the one after the step that made the record before it.

use crate::file::{Lab, Statement};
use crate::parse::parse;
use crate::record::{Sink, What};
use crate::run::Run;
use crate::world::World;
use hookwalk_engine::packet::PacketId;
use hookwalk_engine::time::Time;
use hookwalk_lang::Diagnostic;
use std::ops::Range;
use std::sync::Arc;

/// One thing that happened, and the line that it belongs to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    /// What happened.
    pub what: What,
    /// The line, as a place in [`Lab::lines`].
    pub line: u32,
}

/// How many records lie between two checkpoints at first; doubled whenever there are [`MAX_CHECKPOINTS`].
const FIRST_STRIDE: usize = 256;
/// How many checkpoints are kept.
const MAX_CHECKPOINTS: usize = 128;

/// A run at a position.
#[derive(Clone, Debug)]
struct Checkpoint {
    at: usize,
    run: Run,
}

/// A recorded run, at some position.
#[derive(Clone, Debug)]
pub struct Session {
    records: Vec<Record>,
    /// From this record on, it was this time; ascending.
    times: Vec<(usize, Time)>,
    /// For each line of the lab that ran: its first record.
    lines: Vec<usize>,
    checkpoints: Vec<Checkpoint>,
    stride: usize,
    /// The run at its end.
    end: Run,
    /// The run at the position, or some records after it where one step made several.
    here: Run,
    /// How many records `here` has made.
    made: usize,
    position: usize,
}

/// What becomes of the records of a run. One type for both uses, so that the engine is compiled once for them.
enum Tape<'a> {
    /// They are kept.
    Record { records: &'a mut Vec<Record>, lines: &'a mut Vec<usize> },
    /// They are there already, and only counted.
    Count(usize),
}

impl Tape<'_> {
    /// How many records have been made.
    fn len(&self) -> usize {
        match self {
            Tape::Record { records, .. } => records.len(),
            Tape::Count(n) => *n,
        }
    }
}

impl Sink for Tape<'_> {
    fn record(&mut self, what: What) {
        match self {
            Tape::Record { records, lines } => {
                if what == What::Line {
                    lines.push(records.len());
                }
                let line = (lines.len().max(1) - 1) as u32;
                records.push(Record { what, line });
            }
            Tape::Count(n) => *n += 1,
        }
    }
}

impl Session {
    /// Runs a lab to its end; the position is at the beginning.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn new(text: &str) -> Result<Session, Vec<Diagnostic>> {
        let (lab, diagnostics) = parse(text);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        Ok(Session::of(Arc::new(lab)))
    }

    /// Runs a lab that has been read already.
    pub fn of(lab: Arc<Lab>) -> Session {
        let start = Run::new(lab);
        let mut session = Session {
            records: Vec::new(),
            times: vec![(0, Time::default())],
            lines: Vec::new(),
            checkpoints: vec![Checkpoint { at: 0, run: start.clone() }],
            stride: FIRST_STRIDE,
            end: start.clone(),
            here: start.clone(),
            made: 0,
            position: 0,
        };
        session.play(start);
        session
    }

    /// Runs on from here to the end of the lab, recording.
    fn play(&mut self, mut run: Run) {
        let mut sink = Tape::Record { records: &mut self.records, lines: &mut self.lines };
        while run.step(&mut sink) {
            let at = sink.len();
            if self.times.last().is_none_or(|(_, t)| *t != run.now()) {
                self.times.push((at, run.now()));
            }
            let last = self.checkpoints.last().map_or(0, |c| c.at);
            if at >= last + self.stride {
                self.checkpoints.push(Checkpoint { at, run: run.clone() });
                if self.checkpoints.len() > MAX_CHECKPOINTS {
                    let mut n = 0;
                    self.checkpoints.retain(|_| {
                        n += 1;
                        n % 2 == 1
                    });
                    self.stride *= 2;
                }
            }
        }
        self.end = run;
    }

    /// Replaces the text. Lines that stay the same from the beginning on are not run again. The position stays if it
    /// lies before the first change, else it becomes the first position that is new. Gives that first new position.
    ///
    /// # Errors
    /// What is wrong with the text; the session stays as it was.
    pub fn edit(&mut self, text: &str) -> Result<usize, Vec<Diagnostic>> {
        let (lab, diagnostics) = parse(text);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let old = self.end.lab.clone();
        let lab = Arc::new(lab);
        let same_network = old
            .stations
            .iter()
            .map(|s| (&s.name, s.kind, &s.ifaces, &s.gateways))
            .eq(lab.stations.iter().map(|s| (&s.name, s.kind, &s.ifaces, &s.gateways)))
            && old.links.iter().map(|l| &l.ends).eq(lab.links.iter().map(|l| &l.ends));
        let common = if same_network {
            let pairs = old.lines.iter().zip(&lab.lines);
            pairs.take_while(|(a, b)| a.what == b.what && old.source(a) == lab.source(b)).count()
        } else {
            0
        };
        // A checkpoint serves as long as every line that it has begun is one of the common ones.
        let usable =
            self.checkpoints.iter().rposition(|c| c.run.line().is_none_or(|l| l < common)).unwrap_or(0);
        self.checkpoints.truncate(usable + 1);
        for checkpoint in &mut self.checkpoints {
            checkpoint.run.change_lab(lab.clone());
        }
        let from = match self.checkpoints.last() {
            Some(c) if same_network => c.clone(),
            _ => {
                self.checkpoints = vec![Checkpoint { at: 0, run: Run::new(lab.clone()) }];
                Checkpoint { at: 0, run: Run::new(lab.clone()) }
            }
        };
        // Records up to the end of the common lines will come out the same; the first new one is what the caller asks.
        let first_new = self.lines.get(common).copied().unwrap_or(self.records.len());
        self.records.truncate(from.at);
        self.lines.retain(|at| *at < from.at);
        self.times.retain(|(at, _)| *at <= from.at);
        self.play(from.run);
        let first_new = first_new.min(self.records.len());
        let position = self.position.min(first_new);
        // What `here` has seen may be another past.
        self.here = self.checkpoints[0].run.clone();
        self.made = 0;
        self.position = 0;
        self.seek(position);
        Ok(first_new)
    }

    /// The lab.
    pub fn lab(&self) -> &Arc<Lab> {
        &self.end.lab
    }
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }
    /// Is the lab empty of anything that runs?
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// The records of a range of positions, cut to what there is.
    pub fn records(&self, range: Range<usize>) -> &[Record] {
        let end = range.end.min(self.records.len());
        &self.records[range.start.min(end)..end]
    }
    /// Where we are.
    pub fn position(&self) -> usize {
        self.position
    }
    /// Goes to a position (the end, if it lies beyond it).
    pub fn seek(&mut self, position: usize) -> &Run {
        let position = position.min(self.records.len());
        if position != self.position {
            self.position = position;
            // Going on is cheaper than going back to a checkpoint that lies behind us.
            let checkpoint = self.checkpoints.iter().rfind(|c| c.at <= position);
            if let Some(c) = checkpoint
                && (self.made > position || c.at > self.made)
            {
                self.here = c.run.clone();
                self.made = c.at;
            }
            let mut tape = Tape::Count(self.made);
            while tape.len() < position && self.here.step(&mut tape) {}
            self.made = tape.len();
        }
        &self.here
    }
    /// The run at the position: its world, what was printed so far, what failed so far.
    pub fn run(&self) -> &Run {
        &self.here
    }
    /// The world at the position.
    pub fn world(&self) -> &World {
        &self.here.world
    }
    /// The run at its beginning.
    pub fn start(&self) -> &Run {
        &self.checkpoints[0].run
    }
    /// The run at its end: the whole transcript, all failures.
    pub fn end(&self) -> &Run {
        &self.end
    }
    /// The simulated time of a record.
    pub fn time(&self, record: usize) -> Time {
        let at = self.times.partition_point(|(first, _)| *first <= record);
        self.times.get(at.saturating_sub(1)).map_or(Time::default(), |(_, t)| *t)
    }
    /// The line that a position stands in, as a place in [`Lab::lines`]; `None` at the beginning.
    pub fn line_at(&self, position: usize) -> Option<usize> {
        self.records.get(position.min(self.records.len()).checked_sub(1)?).map(|r| r.line as usize)
    }
    /// The position at which a line (a place in [`Lab::lines`]) has just begun.
    pub fn position_of_line(&self, line: usize) -> Option<usize> {
        self.lines.get(line).map(|at| at + 1)
    }
    /// The record in which a packet is first seen.
    pub fn birth_of(&self, packet: PacketId) -> Option<usize> {
        self.records.iter().position(|r| r.what.packet() == Some(packet))
    }
    /// The positions at which a player stops: where `say` and `ask` lines have begun.
    pub fn stops(&self) -> Vec<usize> {
        let lab = self.lab();
        let is_stop = |i: &usize| {
            matches!(lab.lines.get(*i).map(|l| &l.what), Some(Statement::Say(_) | Statement::Ask(_)))
        };
        (0..self.lines.len()).filter(is_stop).filter_map(|i| self.position_of_line(i)).collect()
    }
}

// Compact: a trace of 100,000 records is some megabytes.
const _: () = assert!(size_of::<Record>() <= 40);
