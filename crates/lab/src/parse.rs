//! Text of a lab file to [`Lab`]: every error with its line, its column and a hint. No text makes it panic.
//!
//! Two passes: declarations first, so that a command may stand above the `link` that it needs, then what runs.

use crate::declare;
use crate::file::{Lab, Line, Prompt, Question, Statement, StationId, StationKind, Text};
use hookwalk_engine::sorted::sort_by;
use hookwalk_engine::time::Duration;
use hookwalk_lang::Diagnostic;
use hookwalk_lang::diagnostic::nearest;
use hookwalk_lang::{shell, words};
use std::ops::Range;
use std::sync::Arc;

/// The longest line that is read, in bytes. Nobody writes a longer one; a binary file has them.
pub const MAX_LINE: usize = 1 << 20;

/// How many messages are given for one file: more do not help anybody.
pub const MAX_DIAGNOSTICS: usize = 50;

/// The words that begin a statement, for hints.
pub(crate) const KEYWORDS: [&str; 10] =
    ["title", "about", "host", "wire", "link", "machine", "sleep", "say", "ask", "expect"];

/// Reads a lab. With any diagnostic the lab must not start; what could be read is there for a page to show.
pub fn parse(text: &str) -> (Lab, Vec<Diagnostic>) {
    let mut parser = Parser { lab: Lab { text: text.into(), ..Lab::default() }, diagnostics: Vec::new() };
    let lines = split_lines(text);
    let rest = parser.declarations(&lines);
    parser.what_runs(&lines, &rest);
    sort_by(&mut parser.diagnostics, |a, b| (a.line, a.col).cmp(&(b.line, b.col)));
    parser.diagnostics.truncate(MAX_DIAGNOSTICS);
    (parser.lab, parser.diagnostics)
}

/// Reads a lab from the bytes of a file, which may not be UTF-8.
///
/// # Errors
/// All that is wrong with it, at least one message.
pub fn parse_bytes(bytes: &[u8]) -> Result<Lab, Vec<Diagnostic>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => match parse(text) {
            (lab, diagnostics) if diagnostics.is_empty() => Ok(lab),
            (_, diagnostics) => Err(diagnostics),
        },
        Err(e) => {
            let good = &bytes[..e.valid_up_to()];
            let line = 1 + good.iter().filter(|b| **b == b'\n').count();
            let begin = good.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            // What stands before the bad byte in its line is valid by the error's own word.
            let col = 1 + std::str::from_utf8(&good[begin..]).map_or(0, |s| s.chars().count());
            Err(vec![Diagnostic {
                line: u32::try_from(line).unwrap_or(u32::MAX),
                col: u32::try_from(col).unwrap_or(u32::MAX),
                len: 1,
                message: words!("byte 0x{:02x} is not UTF-8", bytes[e.valid_up_to()]),
                hint: Some("save the file as UTF-8".into()),
            }])
        }
    }
}

/// One line of the text.
pub(crate) struct RawLine<'a> {
    /// Number, from 1.
    pub(crate) number: u32,
    /// Offset in the text.
    pub(crate) offset: usize,
    /// The line without its end.
    pub(crate) text: &'a str,
}

impl RawLine<'_> {
    pub(crate) fn diagnostic(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.number, self.text, span, message)
    }
}

fn split_lines(text: &str) -> Vec<RawLine<'_>> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for (i, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        // A byte order mark at the beginning of the file belongs to no line.
        let skip = if i == 0 && line.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        lines.push(RawLine {
            number: u32::try_from(i + 1).unwrap_or(u32::MAX),
            offset: offset + skip,
            text: &line[skip..],
        });
        offset += whole.len();
    }
    lines
}

/// How a line begins.
pub(crate) enum Head<'a> {
    /// Blank or a comment.
    Nothing,
    /// `NAME#`, `NAME$`, `NAME>`; the offset of what follows.
    Station { name: &'a str, sign: char, rest: usize },
    /// `WORD` or `WORD[lang]`; the offset of what follows.
    Keyword { word: &'a str, lang: Option<&'a str>, rest: usize },
    /// Something else, to this offset.
    Other(Range<usize>),
}

/// Reads how a line begins; `at` is the offset of its first character that is not blank.
pub(crate) fn head(line: &str) -> (Head<'_>, usize) {
    let at = line.len() - line.trim_start().len();
    let body = &line[at..];
    if body.is_empty() || body.starts_with('#') {
        return (Head::Nothing, at);
    }
    let name_len = body.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let name = &body[..name_len];
    let next = body[name_len..].chars().next();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let head = match next {
        Some(sign @ ('#' | '$' | '>')) if starts_well => {
            Head::Station { name, sign, rest: at + name_len + 1 }
        }
        Some('[') if starts_well => {
            let tag = &body[name_len + 1..];
            match tag.find(']') {
                Some(end) => {
                    Head::Keyword { word: name, lang: Some(&tag[..end]), rest: at + name_len + 1 + end + 1 }
                }
                None => Head::Other(at..at + name_len + 1),
            }
        }
        None | Some(' ' | '\t') if starts_well => {
            Head::Keyword { word: name, lang: None, rest: at + name_len }
        }
        _ => Head::Other(at..at + body.split([' ', '\t']).next().map_or(0, str::len)),
    };
    (head, at)
}

struct Parser {
    lab: Lab,
    diagnostics: Vec<Diagnostic>,
}

/// A statement of the second pass: which line, and the lines of its standard input.
struct Pending {
    line: usize,
    stdin: Option<Arc<str>>,
}

impl Parser {
    fn error(&mut self, d: Diagnostic) {
        // Sorting and cutting off come at the end; this only keeps a hopeless file from filling the memory.
        if self.diagnostics.len() < 4 * MAX_DIAGNOSTICS {
            self.diagnostics.push(d);
        }
    }

    /// The first pass: stations, links, titles; takes standard input apart. What is left runs.
    fn declarations(&mut self, lines: &[RawLine<'_>]) -> Vec<Pending> {
        let mut rest = Vec::new();
        let mut links = Vec::new();
        let mut i = 0;
        while i < lines.len() {
            let line = &lines[i];
            let this = i;
            i += 1;
            if !self.readable(line) {
                continue;
            }
            match head(line.text).0 {
                Head::Nothing => {}
                Head::Keyword { word: word @ ("title" | "about"), lang, rest } => {
                    self.title(line, word, lang, rest);
                }
                Head::Keyword { word: "host", lang: None, rest } => {
                    self.station(line, StationKind::Host, rest)
                }
                Head::Keyword { word: "wire", lang: None, rest } => {
                    self.station(line, StationKind::Wire, rest)
                }
                Head::Keyword { word: "link", lang: None, .. } => links.push(this),
                Head::Keyword { word: "machine", lang: None, rest } => {
                    if let Err(d) = declare::machine(line, rest, &mut self.lab.machine) {
                        self.error(*d);
                    }
                }
                Head::Station { sign: '#' | '$', rest: at, .. } => {
                    let end = shell::split_from(line.text, at, line.number).ok().and_then(|c| c.heredoc);
                    let stdin = match end {
                        Some(word) => match self.heredoc(lines, &mut i, this, &word) {
                            Some(text) => Some(text),
                            // The rest of the file was its input: there is nothing more to read.
                            None => return self.finish_links(lines, &links, rest),
                        },
                        None => None,
                    };
                    rest.push(Pending { line: this, stdin });
                }
                _ => rest.push(Pending { line: this, stdin: None }),
            }
        }
        self.finish_links(lines, &links, rest)
    }

    fn finish_links(&mut self, lines: &[RawLine<'_>], links: &[usize], rest: Vec<Pending>) -> Vec<Pending> {
        for &i in links {
            match declare::link(&lines[i], &self.lab) {
                Ok(link) => self.lab.links.push(link),
                Err(d) => self.error(*d),
            }
        }
        rest
    }

    /// Is the line short enough, and free of control characters?
    fn readable(&mut self, line: &RawLine<'_>) -> bool {
        if line.text.len() > MAX_LINE {
            let hint = words!("a line has at most {MAX_LINE} bytes");
            let d =
                line.diagnostic(MAX_LINE..MAX_LINE, words!("a line of {} bytes", line.text.len())).hint(hint);
            self.error(d);
            return false;
        }
        if let Some((at, c)) = line.text.char_indices().find(|(_, c)| c.is_control() && *c != '\t') {
            let d = line
                .diagnostic(at..at + c.len_utf8(), words!("control character U+{:04X}", u32::from(c)))
                .hint("a lab is plain text");
            self.error(d);
            return false;
        }
        true
    }

    /// The lines up to `word`, which is passed over.
    fn heredoc(
        &mut self,
        lines: &[RawLine<'_>],
        i: &mut usize,
        opened: usize,
        word: &shell::Word,
    ) -> Option<Arc<str>> {
        let mut text = String::new();
        while let Some(line) = lines.get(*i) {
            *i += 1;
            if line.text == word.text {
                return Some(text.into());
            }
            self.readable(line);
            text.push_str(line.text);
            text.push('\n');
        }
        let d = lines[opened]
            .diagnostic(word.span.clone(), words!("the file ends before the line {}", word.text))
            .hint(words!("standard input ends with a line that is only {}", word.text));
        self.error(d);
        None
    }

    fn title(&mut self, line: &RawLine<'_>, word: &str, lang: Option<&str>, rest: usize) {
        let Some(text) = self.text(line, lang, rest) else { return };
        if word == "about" {
            self.lab.abouts.push(text);
        } else if self.lab.titles.iter().any(|t| t.lang == text.lang) {
            let d = line.diagnostic(0..rest, "a second title").hint("use about for more text");
            self.error(d);
        } else {
            self.lab.titles.push(text);
        }
    }

    fn station(&mut self, line: &RawLine<'_>, kind: StationKind, rest: usize) {
        match declare::station(line, kind, rest, &self.lab) {
            Ok(station) => self.lab.stations.push(station),
            Err(d) => self.error(*d),
        }
    }

    /// A text with its language tag; empty text and bad tags are errors.
    fn text(&mut self, line: &RawLine<'_>, lang: Option<&str>, rest: usize) -> Option<Text> {
        let lang = match lang {
            Some(tag) if is_language_tag(tag) => Some(tag.to_string()),
            Some(tag) => {
                let at = rest - tag.len() - 1;
                let d = line
                    .diagnostic(at..at + tag.len(), "not a language tag")
                    .hint("BCP 47, as in say[zh] or say[pt-BR]");
                self.error(d);
                return None;
            }
            None => None,
        };
        let text = line.text[rest..].trim();
        if text.is_empty() {
            let d = line.diagnostic(rest..rest, "the text is missing");
            self.error(d);
            return None;
        }
        Some(Text { lang, text: text.to_string() })
    }

    /// The second pass.
    fn what_runs(&mut self, lines: &[RawLine<'_>], rest: &[Pending]) {
        for pending in rest {
            let line = &lines[pending.line];
            match self.statement(line, pending.stdin.clone()) {
                Ok(Some(what)) => {
                    let begin = line.text.len() - line.text.trim_start().len();
                    let span = line.offset + begin..line.offset + line.text.trim_end().len();
                    self.lab.lines.push(Line { number: line.number, span, what });
                }
                Ok(None) => {}
                Err(d) => self.error(*d),
            }
        }
        self.open_groups(lines);
    }

    /// `&` on the last packet line of a group: nothing follows that could be in flight with it.
    fn open_groups(&mut self, lines: &[RawLine<'_>]) {
        let packets = self.lab.lines.iter().enumerate();
        let open: Vec<u32> = packets
            .filter(|(_, l)| matches!(l.what, Statement::Packet { together: true, .. }))
            .filter(|(i, _)| {
                !matches!(self.lab.lines.get(i + 1).map(|l| &l.what), Some(Statement::Packet { .. }))
            })
            .map(|(_, l)| l.number)
            .collect();
        for number in open {
            let Some(line) = lines.get(number as usize - 1) else { continue };
            let end = line.text.trim_end().len();
            let d = line
                .diagnostic(
                    end.saturating_sub(1)..end,
                    "no packet follows that could be in flight with this one",
                )
                .hint("& joins a packet line to the packet line after it");
            self.error(d);
        }
    }

    fn statement(
        &mut self,
        line: &RawLine<'_>,
        stdin: Option<Arc<str>>,
    ) -> Result<Option<Statement>, Box<Diagnostic>> {
        let (head, at) = head(line.text);
        match head {
            Head::Nothing => Ok(None),
            Head::Station { name, sign, rest } => {
                let station = self.lab.station(name).ok_or_else(|| self.unknown_station(line, name, at))?;
                match sign {
                    '>' => packet(line, &self.lab, station, rest).map(Some),
                    _ => self.command(line, station, sign, rest, stdin).map(Some),
                }
            }
            Head::Keyword { word: "sleep", lang: None, rest } => sleep(line, rest).map(Some),
            Head::Keyword { word: "say", lang, rest } => {
                let Some(text) = self.text(line, lang, rest) else { return Ok(None) };
                if let Some(Statement::Say(texts)) = self.lab.lines.last_mut().map(|l| &mut l.what)
                    && text.lang.is_some()
                    && texts.iter().all(|t| t.lang != text.lang)
                {
                    texts.push(text);
                    return Ok(None);
                }
                Ok(Some(Statement::Say(vec![text])))
            }
            Head::Keyword { word: "ask", lang, rest } => {
                let Some(text) = self.text(line, lang, rest) else { return Ok(None) };
                let question = question(line, text, rest)?;
                if let Some(Statement::Ask(all)) = self.lab.lines.last_mut().map(|l| &mut l.what)
                    && question.text.lang.is_some()
                    && all.iter().all(|q| q.text.lang != question.text.lang)
                {
                    all.push(question);
                    return Ok(None);
                }
                Ok(Some(Statement::Ask(vec![question])))
            }
            Head::Keyword { word: "expect", lang: None, rest } => self.expect(line, rest).map(Some),
            Head::Keyword { word, lang: Some(_), .. } if KEYWORDS.contains(&word) => Err(Box::new(
                line.diagnostic(at..at + word.len(), words!("{word} has no language"))
                    .hint("title, about, say and ask may have one"),
            )),
            Head::Keyword { word, .. } => Err(Box::new(self.unknown_statement(line, word, at))),
            Head::Other(span) => {
                let word = &line.text[span.clone()];
                let d = line.diagnostic(span, words!("unknown statement {}", shorten(word)));
                Err(Box::new(d.hint("a line begins with a keyword, or with NAME#, NAME$ or NAME>")))
            }
        }
    }

    fn unknown_station(&self, line: &RawLine<'_>, name: &str, at: usize) -> Box<Diagnostic> {
        let d = line.diagnostic(at..at + name.len(), words!("no station is called {}", shorten(name)));
        let names = self.lab.stations.iter().map(|s| s.name.as_str());
        Box::new(match nearest(name, names) {
            Some(near) => d.hint(words!("did you mean {near}?")),
            None => d.hint("declare it with host or wire"),
        })
    }

    fn unknown_statement(&self, line: &RawLine<'_>, word: &str, at: usize) -> Diagnostic {
        let d = line.diagnostic(at..at + word.len(), words!("unknown statement {}", shorten(word)));
        // `client > …` and `client # …` are the likeliest slips of all.
        if self.lab.station(word).is_some() {
            return d.hint(words!("no blank between {word} and its # or $ or >"));
        }
        match nearest(word, KEYWORDS) {
            Some(near) => d.hint(words!("did you mean {near}?")),
            None => d.hint("a line begins with a keyword, or with NAME#, NAME$ or NAME>"),
        }
    }

    fn command(
        &self,
        line: &RawLine<'_>,
        station: StationId,
        sign: char,
        rest: usize,
        stdin: Option<Arc<str>>,
    ) -> Result<Statement, Box<Diagnostic>> {
        let words = shell::split_from(line.text, rest, line.number)?.words;
        let Some(first) = words.first() else {
            return Err(Box::new(line.diagnostic(rest..rest, "the command is missing")));
        };
        let prompt = if sign == '#' { Prompt::Root } else { Prompt::User };
        let is_wire = self.lab.stations[station.index()].kind == StationKind::Wire;
        if is_wire && (prompt == Prompt::User || !matches!(first.text.as_str(), "frames" | "tcpdump")) {
            let name = &self.lab.stations[station.index()].name;
            let d = line.diagnostic(first.span.clone(), words!("{name} is a wire: it runs no programs"));
            return Err(Box::new(
                d.hint("a wire knows frames and tcpdump; declare it as a host to run more"),
            ));
        }
        // Spans count from the beginning of the statement, as `Lab::source` gives it.
        let begin = line.text.len() - line.text.trim_start().len();
        let words = words
            .into_iter()
            .map(|mut w| {
                w.span = w.span.start.saturating_sub(begin)..w.span.end.saturating_sub(begin);
                w
            })
            .collect();
        Ok(Statement::Command { station, prompt, words, stdin })
    }

    fn expect(&self, line: &RawLine<'_>, rest: usize) -> Result<Statement, Box<Diagnostic>> {
        let body = line.text[rest..].trim();
        let (not, text) = match body.strip_prefix('!') {
            // `expect ! -A …` against `expect !icmp`: only a `!` that stands alone negates.
            Some(after) if after.starts_with([' ', '\t']) || after.is_empty() => (true, after.trim()),
            _ => (false, body),
        };
        if text.is_empty() {
            return Err(Box::new(
                line.diagnostic(rest..rest, "expect needs a line")
                    .hint("the output of the command above must contain it"),
            ));
        }
        if !self.lab.lines.iter().any(|l| matches!(l.what, Statement::Command { .. })) {
            return Err(Box::new(
                line.diagnostic(0..rest, "no command stands above this expect")
                    .hint("expect speaks of the output of the nearest command above it"),
            ));
        }
        Ok(Statement::Expect { not, line: text.to_string() })
    }
}

/// `NAME> PACKET`, with `&` at its end where the next packet flies with it.
fn packet(
    line: &RawLine<'_>,
    lab: &Lab,
    station: StationId,
    rest: usize,
) -> Result<Statement, Box<Diagnostic>> {
    let body = line.text.trim_end();
    let (body, together) = match body.strip_suffix('&') {
        Some(body) => (body.trim_end(), true),
        None => (body, false),
    };
    if body.len() <= rest || body[rest..].trim().is_empty() {
        return Err(Box::new(
            line.diagnostic(rest..rest, "the packet is missing")
                .hint("for example: tcp 10.0.0.2:40000 > 10.0.0.1:80 S"),
        ));
    }
    let packet = hookwalk_lang::packet::parse(body, rest, line.number)?;
    let owner = &lab.stations[station.index()];
    let iface = match &packet.dev {
        None => 0,
        Some(dev) if owner.kind == StationKind::Host => {
            let d = line.diagnostic(dev.span.clone(), "a host routes what it sends");
            return Err(Box::new(d.hint("dev is for wires")));
        }
        Some(dev) => match owner.ifaces.iter().position(|i| i.name == dev.text) {
            Some(at) => at as u16,
            None => {
                let all: Vec<&str> = owner.ifaces.iter().map(|i| i.name.as_str()).collect();
                let message = words!("{} has no interface {}", owner.name, shorten(&dev.text));
                let d = line.diagnostic(dev.span.clone(), message);
                return Err(Box::new(d.hint(words!("it has {}", all.join(", ")))));
            }
        },
    };
    if owner.kind == StationKind::Wire && owner.ifaces.is_empty() {
        let d = line.diagnostic(0..rest, words!("{} has no interface to send from", owner.name));
        return Err(Box::new(d.hint(words!("wire {} eth0=ADDR/LEN", owner.name))));
    }
    Ok(Statement::Packet { station, packet: packet.into(), iface, together })
}

/// Seconds with a fraction of at most nine digits, read without floating point.
fn sleep(line: &RawLine<'_>, rest: usize) -> Result<Statement, Box<Diagnostic>> {
    let body = line.text[rest..].trim();
    let at = rest + (line.text[rest..].len() - line.text[rest..].trim_start().len());
    let error = |message: &str| {
        Box::new(line.diagnostic(at..at + body.len(), message).hint("for example: sleep 30, or sleep 0.5"))
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
        return Err(error("not a number of seconds"));
    }
    if whole.len() > 9 || fraction.len() > 9 {
        return Err(error("at most nine digits before and after the point"));
    }
    // Both parts have at most nine digits, so neither conversion can fail.
    let secs: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(0) };
    let nanos: u64 = format!("{fraction:0<9}").parse().unwrap_or(0);
    Ok(Statement::Sleep(Duration(secs * 1_000_000_000 + nanos)))
}

/// `TEXT = ANSWER`; the last ` = ` parts them, since a question may have one of its own.
fn question(line: &RawLine<'_>, text: Text, rest: usize) -> Result<Question, Box<Diagnostic>> {
    match text.text.rsplit_once(" = ") {
        Some((ask, answer)) if !ask.trim().is_empty() && !answer.trim().is_empty() => Ok(Question {
            text: Text { lang: text.lang, text: ask.trim().to_string() },
            answer: answer.trim().to_string(),
        }),
        _ => Err(Box::new(
            line.diagnostic(rest..line.text.len(), "the answer is missing").hint("ask QUESTION = ANSWER"),
        )),
    }
}

/// Is this a plausible BCP 47 tag: letters and digits in parts of at most eight, parted by `-`?
fn is_language_tag(tag: &str) -> bool {
    tag.split('-').enumerate().all(|(i, part)| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
            && (i > 0 || part.bytes().all(|b| b.is_ascii_alphabetic()) && part.len() >= 2)
    })
}

/// A word for a message: not longer than a person reads.
pub(crate) fn shorten(word: &str) -> String {
    if word.chars().count() <= 40 {
        return word.to_string();
    }
    word.chars().take(40).chain(['…']).collect()
}
