//! A command line becomes a [`Request`]: which command, on which table and chain, with which rules.

use super::fault::{ENOENT, Fault};
use super::getopt::{Arg, Getopt, Id, Item, Long};
use super::option::{self, Args, Ext, Given, Ty};
use super::own::{LONGS, short};
use super::request::{
    Command, KNOWN_TARGETS, Request, RuleSpec, TargetSpec, addresses, interface, new_name, normalize, number,
    ports_need, table_kind, target_name,
};
use super::{Tool, exec, matches, names, number, targets};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Family;
use hookwalk_engine::host::Net;
use hookwalk_engine::matches::Match;
use hookwalk_engine::ruleset::{Counters, HeaderMatch, IfName, Inv, TableKind};
use hookwalk_engine::targets::Target;
use std::cell::RefCell;

/// An extension that the rule has loaded.
enum Loaded {
    Match(&'static Ext<Match>),
    Target(&'static Ext<Target>),
}

impl Loaded {
    fn name(&self) -> &'static str {
        match self {
            Loaded::Match(e) => e.name,
            Loaded::Target(e) => e.name,
        }
    }
    fn opts(&self) -> &'static [option::Opt] {
        match self {
            Loaded::Match(e) => e.opts,
            Loaded::Target(e) => e.opts,
        }
    }
}

struct Parser<'a> {
    tool: &'a Tool,
    net: &'a Net,
    table: TableKind,
    /// The letter of the command, and its own arguments.
    command: Option<(char, Option<usize>, Option<String>)>,
    zero: bool,
    chain: Option<String>,
    /// Letters of options that were given, for "multiple … flags" and "Illegal option".
    seen: Vec<char>,
    invert: bool,
    verbose: u32,
    src: Option<(String, bool)>,
    dst: Option<(String, bool)>,
    header: HeaderMatch,
    /// `-p`, even where it is 0.
    proto_loaded: bool,
    loaded: Vec<Loaded>,
    given: Vec<Vec<Given>>,
    jump: Option<(String, bool)>,
    verdict: Option<Target>,
    counters: Counters,
    wait: bool,
    wait_interval: bool,
    /// What extensions have warned of.
    warned: Vec<String>,
}

/// Reads a command line. `restore` is the table of a restore, with the rule's counters.
pub(crate) fn command(
    net: &Net,
    tool: &Tool,
    argv: &[Word],
    restore: Option<(TableKind, Option<Counters>)>,
    out: &mut Output,
) -> Result<Request, Fault> {
    let mut p = Parser {
        tool,
        net,
        table: restore.map_or(TableKind::Filter, |r| r.0),
        command: None,
        zero: false,
        chain: None,
        // Counters before a command of a restore are its `-c`.
        seen: if restore.is_some_and(|r| r.1.is_some()) { vec!['c'] } else { Vec::new() },
        invert: false,
        verbose: 0,
        src: None,
        dst: None,
        header: HeaderMatch::default(),
        proto_loaded: false,
        loaded: Vec::new(),
        given: Vec::new(),
        jump: None,
        verdict: None,
        counters: restore.and_then(|r| r.1).unwrap_or_default(),
        wait: false,
        wait_interval: false,
        warned: Vec::new(),
    };
    let mut words = Getopt::new(argv);
    loop {
        // Extensions that were loaded last are asked first.
        let item = {
            let loaded = &p.loaded;
            let ext = loaded.iter().enumerate().rev().flat_map(|(i, l)| {
                l.opts().iter().map(move |o| Long {
                    name: o.name,
                    arg: if o.ty == Ty::Flag { Arg::None } else { Arg::Required },
                    id: Id::Ext { ext: i, opt: o.id },
                })
            });
            words.item(short, LONGS.iter().copied().chain(ext))
        };
        match item {
            Item::End => break,
            Item::Missing => {
                return Err(Fault::param(words!("option \"{}\" requires an argument", words.last())));
            }
            Item::Unknown => {
                // `-p tcp --dport`: the protocol brings its match along.
                if p.load_protocol_match() {
                    words.again();
                    continue;
                }
                // In a restore, the words of a line come after `-t TABLE`.
                let first = restore.filter(|_| words.next == 1).map(|r| r.0.name());
                return Err(Fault::param(words!("unknown option \"{}\"", first.unwrap_or(words.last()))));
            }
            Item::Word(word) => {
                if word.text == "!" {
                    if p.invert {
                        return Err(Fault::param("multiple consecutive ! not allowed"));
                    }
                    p.invert = true;
                    continue;
                }
                return Err(Fault::BadArgument(word.text));
            }
            Item::Option(Id::Own(letter), arg) => {
                if p.own(letter, arg, &mut words, restore.is_some(), out)? {
                    return Ok(p.nothing());
                }
            }
            Item::Option(Id::Ext { ext, opt }, arg) => p.ext_option(ext, opt, arg, &mut words, out)?,
        }
        p.invert = false;
    }
    p.end(&words, out)
}

impl Parser<'_> {
    fn nothing(&self) -> Request {
        Request {
            table: self.table,
            command: Command::Nothing,
            chain: None,
            rules: Vec::new(),
            verbose: 0,
            numeric: false,
            exact: false,
            line_numbers: false,
            zero: false,
        }
    }

    fn family(&self) -> Family {
        self.tool.family
    }

    fn load_protocol_match(&mut self) -> bool {
        let Some(proto) = self.header.proto else { return false };
        if self.proto_loaded {
            return false;
        }
        let Some(ext) = matches::of_protocol(proto.value).and_then(|n| matches::find(n, self.family()))
        else {
            return false;
        };
        if self.loaded.iter().any(|l| l.name() == ext.name && matches!(l, Loaded::Match(_))) {
            return false;
        }
        self.proto_loaded = true;
        self.load(Loaded::Match(ext));
        true
    }

    fn load(&mut self, ext: Loaded) {
        self.loaded.push(ext);
        self.given.push(Vec::new());
    }

    /// Notes a rule option; most may be given once and some cannot be inverted.
    fn note(&mut self, letter: char) -> Result<(), Fault> {
        if self.seen.contains(&letter) {
            return Err(Fault::param(words!("multiple -{letter} flags not allowed")));
        }
        self.seen.push(letter);
        if self.invert && !matches!(letter, 's' | 'd' | 'p' | 'i' | 'o' | 'f') {
            return Err(Fault::param(words!("cannot have ! before -{letter}")));
        }
        Ok(())
    }

    fn set_command(&mut self, letter: char) -> Result<(), Fault> {
        if self.invert {
            return Err(Fault::param("unexpected '!' flag"));
        }
        if let Some((other, ..)) = &self.command {
            let listing = |c: char| c == 'L' || c == 'S';
            if letter == 'Z' && listing(*other) {
                self.zero = true;
                return Ok(());
            }
            if listing(letter) && *other == 'Z' {
                self.zero = true;
                self.command = Some((letter, None, None));
                return Ok(());
            }
            return Err(Fault::param(words!("Cannot use -{letter} with -{other}")));
        }
        self.command = Some((letter, None, None));
        Ok(())
    }

    fn set_number(&mut self, word: &Word) -> Result<(), Fault> {
        let number = number::whole(&word.text, 1, u64::from(u32::MAX))
            .ok_or_else(|| Fault::param(words!("Invalid rule number `{}'", word.text)))?;
        if let Some(command) = &mut self.command {
            command.1 = Some(number as usize);
        }
        Ok(())
    }

    /// One of the tool's own options. True: nothing more is to be done.
    fn own(
        &mut self,
        letter: char,
        arg: Option<Word>,
        words: &mut Getopt<'_>,
        restoring: bool,
        out: &mut Output,
    ) -> Result<bool, Fault> {
        let text = arg.as_ref().map_or("", |w| w.text.as_str());
        match letter {
            'A' | 'C' => {
                self.set_command(letter)?;
                self.chain = Some(text.to_string());
            }
            'D' | 'R' | 'I' => {
                self.set_command(letter)?;
                self.chain = Some(text.to_string());
                match words.take_argument() {
                    Some(word) => self.set_number(&word)?,
                    None if letter == 'R' => {
                        return Err(Fault::param("-R requires a rule number"));
                    }
                    None => {}
                }
            }
            'L' | 'S' | 'F' | 'Z' | 'X' => {
                self.set_command(letter)?;
                let chain = arg.or_else(|| words.take_argument());
                if let Some(chain) = chain {
                    self.chain = Some(chain.text);
                    if matches!(letter, 'L' | 'S' | 'Z')
                        && let Some(word) = words.take_argument()
                    {
                        self.set_number(&word)?;
                    }
                }
            }
            'N' => {
                self.set_command(letter)?;
                new_name(text, self.family())?;
                self.chain = Some(text.to_string());
            }
            'E' | 'P' => {
                self.set_command(letter)?;
                self.chain = Some(text.to_string());
                let Some(word) = words.take_argument() else {
                    return Err(Fault::param(if letter == 'E' {
                        "-E requires old-chain-name and new-chain-name"
                    } else {
                        "-P requires a chain and a policy"
                    }));
                };
                if let Some(command) = &mut self.command {
                    command.2 = Some(word.text);
                }
            }
            'h' => {
                let span = words.last_span();
                return Err(Fault::Refused("the help text is not simulated".into(), span));
            }
            'V' => {
                if self.invert {
                    out.line("Not 1.8.9 (nf_tables) ;-)");
                } else {
                    out.line(&self.tool.version());
                }
                return Ok(true);
            }
            'p' => {
                self.note('p')?;
                // The tool looks at the word itself, so a glued argument is not understood.
                let name = words.last().to_ascii_lowercase();
                let proto = names::protocol(&name)
                    .ok_or_else(|| Fault::param(words!("unknown protocol \"{name}\" specified")))?;
                if proto == 0 && self.invert {
                    return Err(Fault::param("rule would never match protocol"));
                }
                if self.family() == Family::V6 && matches!(proto, 43 | 44 | 51 | 60) && !self.invert {
                    out.error_line(&words!(
                        "Warning: never matched protocol: {name}. use extension match instead."
                    ));
                }
                self.header.proto = (proto != 0).then_some(Inv { value: proto, not: self.invert });
            }
            's' | 'd' => {
                self.note(letter)?;
                let slot = if letter == 's' { &mut self.src } else { &mut self.dst };
                *slot = Some((words.last().to_string(), self.invert));
            }
            'g' | 'j' => {
                self.note('j')?;
                // As with -p, the tool looks at the word itself, but not for -g.
                let name = if letter == 'g' { text } else { words.last() }.to_string();
                if letter == 'g' {
                    target_name(&name, false)?;
                    self.jump = Some((name, true));
                } else {
                    self.set_target(name, words)?;
                }
            }
            'i' | 'o' => {
                self.note(letter)?;
                let name = interface(words.last(), out)?;
                let value = Inv { value: IfName(name.into()), not: self.invert };
                // A lone wildcard is no condition.
                let value = (words.last() != "+" || self.invert).then_some(value);
                if letter == 'i' {
                    self.header.in_iface = value;
                } else {
                    self.header.out_iface = value;
                }
            }
            'f' => {
                if self.family() == Family::V6 {
                    return Err(Fault::param("`-f' is not supported in IPv6, use -m frag instead"));
                }
                self.note('f')?;
                self.header.fragment = Some(Inv { value: (), not: self.invert });
            }
            'v' => {
                if self.verbose == 0 {
                    self.note('v')?;
                }
                self.verbose += 1;
                if self.verbose > 1 {
                    let span = words.last_span();
                    return Err(Fault::Refused(
                        "what -v -v prints of nf_tables is not simulated".into(),
                        span,
                    ));
                }
            }
            'm' => {
                if self.invert {
                    return Err(Fault::param("unexpected ! flag before --match"));
                }
                match matches::find(text, self.family()) {
                    Some(ext) => self.load(Loaded::Match(ext)),
                    None => {
                        return Err(Fault::param(words!(
                            "Couldn't load match `{text}':No such file or directory\n"
                        )));
                    }
                }
            }
            'n' | 'x' | '0' => self.note(letter)?,
            't' => {
                if self.invert {
                    return Err(Fault::param("unexpected ! flag before --table"));
                }
                if restoring {
                    return Err(Fault::param(words!(
                        "The -t option cannot be used in {}.\n",
                        self.tool.name
                    )));
                }
                match table_kind(text) {
                    Some(kind) => self.table = kind,
                    None => {
                        return Err(Fault::Other(3, words!("table '{text}' does not exist")));
                    }
                }
            }
            'c' => {
                self.note('c')?;
                let (packets, bytes) = match text.split_once(',') {
                    Some((packets, bytes)) => (packets.to_string(), bytes.to_string()),
                    None => match words.take_argument() {
                        Some(bytes) => (text.to_string(), bytes.text),
                        None => return Err(Fault::param("-c requires packet and byte counter")),
                    },
                };
                if packets.is_empty() {
                    return Err(Fault::param("-c requires packet and byte counter"));
                }
                self.counters.packets =
                    number(&packets).ok_or_else(|| Fault::param("-c packet counter not numeric"))?;
                self.counters.bytes =
                    number(&bytes).ok_or_else(|| Fault::param("-c byte counter not numeric"))?;
            }
            'w' => {
                if restoring {
                    return Err(Fault::param(words!("You cannot use `-w' from {}", self.tool.name)));
                }
                self.wait = true;
                let seconds = arg.or_else(|| words.take_argument());
                if seconds.is_some_and(|w| w.text.trim().parse::<i64>().is_err()) {
                    return Err(Fault::param("wait seconds not numeric"));
                }
            }
            'W' => {
                if restoring {
                    return Err(Fault::param(words!("You cannot use `-W' from {}", self.tool.name)));
                }
                let _ = arg.or_else(|| words.take_argument());
                self.wait_interval = true;
                out.error_line("Ignoring deprecated --wait-interval option.");
            }
            'M' => {}
            '4' | '6' => {
                let fits = (letter == '4') == (self.family() == Family::V4);
                if !fits {
                    // In a restore such lines are for the other tool, and passed over.
                    return if restoring { Ok(true) } else { Err(Fault::HintOnly) };
                }
            }
            _ => {}
        }
        Ok(false)
    }

    fn set_target(&mut self, name: String, words: &Getopt<'_>) -> Result<(), Fault> {
        target_name(&name, true)?;
        match name.as_str() {
            "ACCEPT" => self.verdict = Some(Target::Accept),
            "DROP" => self.verdict = Some(Target::Drop),
            "RETURN" => self.verdict = Some(Target::Return),
            // Gone from kernels long ago.
            "QUEUE" => {
                let fault = Fault::Kernel { op: "RULE_APPEND", why: ENOENT, about: String::new() };
                return Err(self.about_rule(fault));
            }
            _ => match targets::find(&name, self.family()) {
                Some(ext) => self.load(Loaded::Target(ext)),
                None if KNOWN_TARGETS.contains(&name.as_str()) => {
                    return Err(Fault::Refused(words!("-j {name} is not simulated"), words.last_span()));
                }
                None => self.jump = Some((name, false)),
            },
        }
        Ok(())
    }

    fn ext_option(
        &mut self,
        ext: usize,
        opt: u8,
        arg: Option<Word>,
        words: &mut Getopt<'_>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let (Some(loaded), Some(given)) = (self.loaded.get(ext), self.given.get_mut(ext)) else {
            return Ok(());
        };
        let mut second = None;
        if let Some(Ty::Two(message)) = loaded.opts().iter().find(|o| o.id == opt).map(|o| o.ty) {
            second = Some(words.take_argument().ok_or_else(|| Fault::param(message))?);
        }
        let mut args = Args {
            name: loaded.name(),
            given: std::mem::take(given),
            family: self.tool.family,
            net: self.net,
            warnings: RefCell::default(),
        };
        option::give(&mut args, loaded.opts(), opt, self.invert, arg, second, self.header.proto)?;
        // What the extension reads itself is read now, so that what is wrong is said in the order of the words.
        if loaded.opts().iter().any(|o| o.id == opt && matches!(o.ty, Ty::Text | Ty::Two(_) | Ty::Range(..)))
        {
            let early = match loaded {
                Loaded::Match(e) => (e.build)(&args).map(|_| ()),
                Loaded::Target(e) => (e.build)(&args).map(|_| ()),
            };
            let warnings = args.warnings.take();
            if !warnings.is_empty() && !self.warned.contains(&warnings) {
                out.stderr.push_str(&warnings);
                self.warned.push(warnings);
            }
            if let Err(fault @ Fault::Parameter(_)) = early {
                return Err(fault);
            }
        }
        *given = args.given;
        Ok(())
    }

    fn end(mut self, words: &Getopt<'_>, out: &mut Output) -> Result<Request, Fault> {
        let mut matched = Vec::new();
        let mut target = self.verdict.take();
        let mut refused = None;
        // Matches are finished before the target.
        for wants_target in [false, true] {
            for i in 0..self.loaded.len() {
                if matches!(self.loaded[i], Loaded::Target(_)) != wants_target {
                    continue;
                }
                let args = Args {
                    name: self.loaded[i].name(),
                    given: std::mem::take(&mut self.given[i]),
                    family: self.tool.family,
                    net: self.net,
                    warnings: RefCell::default(),
                };
                let result = match &self.loaded[i] {
                    Loaded::Match(e) => finish(e, &args).map(|m| matched.push(m)),
                    Loaded::Target(e) => finish(e, &args).map(|t| target = Some(t)),
                };
                let warnings = args.warnings.take();
                if !self.warned.contains(&warnings) {
                    out.stderr.push_str(&warnings);
                }
                match result.map_err(|fault| self.about_rule(fault)) {
                    // The kernel only gets to see what the tool finds in order as a whole.
                    Err(fault @ Fault::Kernel { .. }) => refused = refused.or(Some(fault)),
                    other => other?,
                }
            }
        }
        if !words.rest().is_empty() {
            return Err(Fault::param("unknown arguments found on commandline"));
        }
        let Some((letter, number, second)) = self.command.take() else {
            return Err(Fault::param("no command specified"));
        };
        if self.invert {
            return Err(Fault::param("nothing appropriate following !"));
        }
        if self.wait_interval && !self.wait {
            return Err(Fault::param("--wait-interval only makes sense with --wait\n"));
        }
        let rule_command = matches!(letter, 'A' | 'C' | 'D' | 'I' | 'R');
        let drops = target == Some(Target::Drop) || (letter == 'P' && second.as_deref() == Some("DROP"));
        if self.table == TableKind::Nat && drops {
            return Err(Fault::param(exec::NAT_DROP));
        }
        let family = self.family();
        let (srcs, dsts) = (addresses(&self.src, family)?, addresses(&self.dst, family)?);
        let multiple = srcs.len() > 1 || dsts.len() > 1;
        if multiple && [&self.src, &self.dst].iter().any(|a| a.as_ref().is_some_and(|a| a.1)) {
            return Err(Fault::param("! not allowed with multiple source or destination IP addresses"));
        }
        if letter == 'R' && multiple {
            return Err(Fault::param("Replacement rule does not specify a unique address"));
        }
        let deletes_number = letter == 'D' && number.is_some();
        self.check_options(letter, deletes_number)?;
        if let Some(chain) = &self.chain {
            if chain.len() >= 29 {
                return Err(Fault::param(words!("chain name `{chain}' too long (must be under 29 chars)")));
            }
            if rule_command {
                let has = |c| self.seen.contains(&c);
                if matches!(chain.as_str(), "PREROUTING" | "INPUT") && has('o') {
                    return Err(Fault::param(words!("Can't use -o with {chain}\n")));
                }
                if matches!(chain.as_str(), "POSTROUTING" | "OUTPUT") && has('i') {
                    return Err(Fault::param(words!("Can't use -i with {chain}\n")));
                }
            }
        }
        let target = match (target, self.jump.take()) {
            (Some(target), _) => TargetSpec::Target(target),
            (None, Some((name, true))) => TargetSpec::Goto(name),
            (None, Some((name, false))) => TargetSpec::Jump(name),
            (None, None) => TargetSpec::Target(Target::None),
        };
        let command = match letter {
            'A' => Command::Append,
            'C' => Command::Check,
            'D' => number.map_or(Command::Delete, Command::DeleteNumber),
            'I' => Command::Insert(number.unwrap_or(1)),
            'R' => Command::Replace(number.unwrap_or(1)),
            'L' => Command::List(number),
            'S' => Command::ListRules(number),
            'F' => Command::Flush,
            'Z' => Command::Zero(number),
            'N' => Command::NewChain,
            'X' => Command::DeleteChain,
            'E' => Command::Rename(second.unwrap_or_default()),
            'P' => Command::Policy(second.unwrap_or_default()),
            _ => Command::Nothing,
        };
        let mut rules = Vec::new();
        if rule_command && !deletes_number {
            normalize(&mut matched);
            ports_need(&matched, self.header.proto)?;
            for src in &srcs {
                for dst in &dsts {
                    let mut header = self.header.clone();
                    header.src = *src;
                    header.dst = *dst;
                    rules.push(RuleSpec {
                        header,
                        matches: matched.clone(),
                        target: target.clone(),
                        counters: self.counters,
                    });
                }
            }
        }
        if let Some(fault) = refused {
            return Err(fault);
        }
        let has = |c| self.seen.contains(&c);
        Ok(Request {
            table: self.table,
            command,
            chain: self.chain.clone(),
            rules,
            verbose: self.verbose,
            numeric: has('n'),
            exact: has('x'),
            line_numbers: has('0'),
            zero: self.zero,
        })
    }

    /// The kernel's refusal names what was tried, which an extension does not know.
    fn about_rule(&self, fault: Fault) -> Fault {
        let Fault::Kernel { why, .. } = fault else { return fault };
        let op = match self.command {
            Some(('I', ..)) => "RULE_INSERT",
            Some(('R', ..)) => "RULE_REPLACE",
            _ => "RULE_APPEND",
        };
        let chain = self.chain.as_deref().unwrap_or_default();
        Fault::Kernel { op, why, about: words!("rule in chain {chain}") }
    }

    /// Which options go with which command (`generic_opt_check`).
    fn check_options(&self, letter: char, deletes_number: bool) -> Result<(), Fault> {
        for option in &self.seen {
            let fits = match letter {
                'D' if deletes_number => "v",
                'A' | 'I' | 'R' => "vsdpijofc",
                'C' | 'D' => "vsdpijof",
                'P' => "vc",
                'L' => "nvx0",
                _ => "v",
            };
            if !fits.contains(*option) {
                return Err(Fault::param(words!("Illegal option `-{option}' with this command")));
            }
        }
        Ok(())
    }
}

fn finish<T>(ext: &'static Ext<T>, args: &Args<'_>) -> Result<T, Fault> {
    // Values that the extension reads itself are read as they come in the real tool, before anything is missed.
    let built = (ext.first)(args).and_then(|()| option::check(args, ext.opts));
    built.and_then(|()| (ext.build)(args))
}
