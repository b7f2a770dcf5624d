//! What an extension's options look like, and how a word becomes a value: one table for all extensions, with the
//! messages of libxtables.

use super::address;
use super::fault::Fault;
use super::names;
use super::number;
use crate::shell::Word;
use hookwalk_engine::host::Net;
use hookwalk_engine::ruleset::Inv;
use hookwalk_engine::{Addr, AddrMask, Family};
use std::cell::RefCell;

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ty {
    /// Nothing.
    Flag,
    /// A number within bounds.
    Num(u64, u64),
    /// `A`, `A:B`, `:B`, `A:`, `:` within bounds.
    Range(u64, u64),
    /// `VALUE[/MASK]`, 32 bits.
    Mark,
    /// `VALUE[/MASK]` or a name, 8 bits.
    Tos,
    /// A syslog level.
    Level,
    /// A port or service name; or a range of them.
    Ports,
    /// A protocol.
    Proto,
    /// One address.
    Host,
    /// An address with its mask.
    HostMask,
    /// A prefix length.
    Plen,
    /// A prefix length or a mask, kept as a mask.
    PlenMask,
    /// An Ethernet address.
    Mac,
    /// The extension reads it itself, as soon as it is there.
    Text,
    /// The extension reads it itself, when all options are there.
    Late,
    /// Two words, of which the extension reads both; the text is the message where one is missing.
    Two(&'static str),
}

/// An option of an extension. Names with the same id are the same option; the first is the one in messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt {
    /// Without the dashes.
    pub(crate) name: &'static str,
    /// Which option.
    pub(crate) id: u8,
    /// What it takes.
    pub(crate) ty: Ty,
    /// May `!` stand before it?
    invert: bool,
    /// May it be repeated?
    pub(crate) multi: bool,
    /// Must it be there?
    required: bool,
    /// Ids that must not be there with it.
    not_with: u64,
    /// Ids that must be there with it.
    only_with: u64,
}

/// An option that may be given once and cannot be inverted.
pub(crate) const fn opt(name: &'static str, id: u8, ty: Ty) -> Opt {
    Opt { name, id, ty, invert: false, multi: false, required: false, not_with: 0, only_with: 0 }
}

impl Opt {
    /// May be inverted.
    pub(crate) const fn inv(mut self) -> Opt {
        self.invert = true;
        self
    }
    /// May be repeated.
    pub(crate) const fn multi(mut self) -> Opt {
        self.multi = true;
        self
    }
    /// Must be given.
    pub(crate) const fn must(mut self) -> Opt {
        self.required = true;
        self
    }
    /// Excludes these ids.
    pub(crate) const fn not_with(mut self, ids: &[u8]) -> Opt {
        self.not_with = bits(ids);
        self
    }
    /// Needs these ids.
    pub(crate) const fn only_with(mut self, ids: &[u8]) -> Opt {
        self.only_with = bits(ids);
        self
    }
}

const fn bits(ids: &[u8]) -> u64 {
    let mut set = 0;
    let mut i = 0;
    while i < ids.len() {
        set |= 1 << ids[i];
        i += 1;
    }
    set
}

/// A value that was read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Val {
    /// Of a flag.
    None,
    /// Number, level, protocol, prefix length.
    Num(u64),
    /// Both ends; the flag tells whether the second was written at all.
    Range(u64, u64, bool),
    /// Value and mask.
    Mark(u32, u32),
    /// Value and mask of 8 bits.
    Tos(u8, u8),
    /// Address and mask.
    Net(AddrMask),
    /// A mask.
    Mask(Addr),
    /// Ethernet address.
    Mac([u8; 6]),
    /// Text.
    Text,
}

/// An option as it was given.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Given {
    /// Which.
    pub(crate) id: u8,
    /// The name of its entry in the table.
    pub(crate) name: &'static str,
    /// `!` stood before it.
    pub(crate) not: bool,
    /// Its value.
    pub(crate) val: Val,
    /// Its argument as written.
    pub(crate) text: String,
    /// The second word of [`Ty::Two`].
    pub(crate) second: String,
    /// The rule's protocol so far.
    pub(crate) proto: Option<Inv<u8>>,
}

impl Given {
    /// The number.
    pub(crate) fn num(&self) -> u64 {
        match self.val {
            Val::Num(n) => n,
            _ => 0,
        }
    }
    /// The ends of a range, in the caller's width.
    pub(crate) fn range<T: TryFrom<u64> + Default>(&self) -> (T, T) {
        match self.val {
            Val::Range(a, b, _) => (T::try_from(a).unwrap_or_default(), T::try_from(b).unwrap_or_default()),
            _ => (T::default(), T::default()),
        }
    }
    /// Value and mask.
    pub(crate) fn mark(&self) -> (u32, u32) {
        match self.val {
            Val::Mark(v, m) => (v, m),
            _ => (0, 0),
        }
    }
    /// Address and mask.
    pub(crate) fn net(&self) -> AddrMask {
        match self.val {
            Val::Net(net) => net,
            _ => AddrMask::ANY,
        }
    }
    /// With the option's inversion.
    pub(crate) fn inv<T>(&self, value: T) -> Inv<T> {
        Inv { value, not: self.not }
    }
}

/// All that was given to one extension, and what it stands in.
pub(crate) struct Args<'a> {
    /// The extension's name.
    pub(crate) name: &'static str,
    /// The options, as given.
    pub(crate) given: Vec<Given>,
    /// The rule's family.
    pub(crate) family: Family,
    /// The host (for sets).
    pub(crate) net: &'a Net,
    /// What goes to standard error besides.
    pub(crate) warnings: RefCell<String>,
}

impl Args<'_> {
    /// Was this option given?
    pub(crate) fn has(&self, id: u8) -> bool {
        self.given.iter().any(|g| g.id == id)
    }
    /// The option, where it was given; the last time.
    pub(crate) fn get(&self, id: u8) -> Option<&Given> {
        self.given.iter().rev().find(|g| g.id == id)
    }
    /// Its number, or this.
    pub(crate) fn num(&self, id: u8, default: u64) -> u64 {
        self.get(id).map_or(default, Given::num)
    }
    /// Its range with inversion.
    pub(crate) fn range<T: TryFrom<u64> + Default>(&self, id: u8) -> Option<Inv<(T, T)>> {
        self.get(id).map(|g| g.inv(g.range()))
    }
    /// Prints a line on standard error.
    pub(crate) fn warn(&self, line: &str) {
        let mut warnings = self.warnings.borrow_mut();
        warnings.push_str(line);
        warnings.push('\n');
    }
    /// A flag with inversion.
    pub(crate) fn flag(&self, id: u8) -> Option<Inv<()>> {
        self.get(id).map(|g| g.inv(()))
    }
}

/// An extension: its options, and how they become a value of the engine.
pub(crate) struct Ext<T: 'static> {
    /// Its name.
    pub(crate) name: &'static str,
    /// Only of this family; `None`: both.
    pub(crate) family: Option<Family>,
    /// Its options.
    pub(crate) opts: &'static [Opt],
    /// What it checks before required and excluded options are.
    pub(crate) first: fn(&Args<'_>) -> Result<(), Fault>,
    /// Makes the value.
    pub(crate) build: fn(&Args<'_>) -> Result<T, Fault>,
}

/// Nothing to check.
pub(crate) fn no_check(_: &Args<'_>) -> Result<(), Fault> {
    Ok(())
}

/// Reads one option of an extension (`xtables_option_parse`).
pub(crate) fn give(
    args: &mut Args<'_>,
    opts: &'static [Opt],
    id: u8,
    not: bool,
    word: Option<Word>,
    second: Option<Word>,
    proto: Option<Inv<u8>>,
) -> Result<(), Fault> {
    let Some(opt) = opts.iter().find(|o| o.id == id) else { return Ok(()) };
    let (ext, name) = (args.name, opt.name);
    if !opt.multi && args.has(id) {
        return Err(Fault::param(words!("{ext}: option \"--{name}\" can only be used once.\n")));
    }
    if not && !opt.invert {
        return Err(Fault::param(words!("{ext}: option \"--{name}\" cannot be inverted.\n")));
    }
    let text = word.map_or(String::new(), |w| w.text);
    let val = value(opt, ext, &text, args.family)?;
    let second = second.map_or(String::new(), |w| w.text);
    args.given.push(Given { id, name, not, val, text, second, proto });
    Ok(())
}

/// What must be there, and what must not (`xtables_options_fcheck`).
pub(crate) fn check(args: &Args<'_>, opts: &'static [Opt]) -> Result<(), Fault> {
    let ext = args.name;
    let seen = args.given.iter().fold(0u64, |set, g| set | 1 << g.id);
    let name_of = |id: u32| opts.iter().find(|o| u32::from(o.id) == id).map_or("", |o| o.name);
    for opt in opts {
        let name = opt.name;
        if seen & 1 << opt.id == 0 {
            if opt.required {
                return Err(Fault::param(words!("{ext}: option \"--{name}\" must be specified\n")));
            }
            continue;
        }
        let missing = opt.only_with & !seen;
        if missing != 0 {
            let other = name_of(missing.trailing_zeros());
            return Err(Fault::param(words!("{ext}: option \"--{name}\" also requires \"--{other}\".\n")));
        }
        let clash = opt.not_with & seen;
        if clash != 0 {
            let other = name_of(clash.trailing_zeros());
            return Err(Fault::param(words!(
                "{ext}: option \"--{name}\" cannot be used together with \"--{other}\".\n"
            )));
        }
    }
    Ok(())
}

fn value(opt: &Opt, ext: &str, text: &str, family: Family) -> Result<Val, Fault> {
    let name = opt.name;
    let bad = |near: Option<&str>, min: u64, max: u64| {
        let near = near.map_or(String::new(), |n| words!(" near \"{n}\""));
        Fault::param(words!(
            "{ext}: bad value for option \"--{name}\"{near}, or out of range ({min}-{max}).\n"
        ))
    };
    Ok(match opt.ty {
        Ty::Flag => Val::None,
        Ty::Text | Ty::Late | Ty::Two(_) => Val::Text,
        Ty::Num(min, max) => Val::Num(number::whole(text, min, max).ok_or_else(|| bad(None, min, max))?),
        Ty::Range(min, max) => {
            let mut ends = [min, max];
            let mut rest = text;
            let mut count = 0;
            // Ends that are left out are the bounds.
            loop {
                let (value, after) = if rest.is_empty() || rest.starts_with(':') {
                    (if count == 0 { min } else { max }, rest)
                } else {
                    match number::prefix(rest).filter(|(v, _)| (min..=max).contains(v)) {
                        Some((v, after)) if after.is_empty() || after.starts_with(':') => (v, after),
                        Some((_, after)) => {
                            return Err(Fault::param(words!(
                                "{ext}: Argument to \"--{name}\" has unexpected characters near \"{after}\".\n"
                            )));
                        }
                        None => return Err(bad(Some(rest), min, max)),
                    }
                };
                if count >= 2 {
                    return Err(Fault::param(words!(
                        "{ext}: Too many components for option \"--{name}\" (max: 2)\n"
                    )));
                }
                ends[count] = value;
                count += 1;
                match after.strip_prefix(':') {
                    Some(more) => rest = more,
                    None => break,
                }
            }
            let second_written = count == 2 && !text.ends_with(':');
            if count == 1 {
                Val::Range(ends[0], ends[0], false)
            } else {
                Val::Range(ends[0], ends[1], second_written)
            }
        }
        Ty::Mark => {
            let Some((value, mask)) = mark(text) else {
                let value = text.split('/').next().unwrap_or_default();
                let garbage = number::prefix(value).is_some_and(|(v, rest)| {
                    v <= u64::from(u32::MAX) && !rest.is_empty() && rest.len() < value.len()
                });
                return Err(Fault::param(if garbage {
                    words!("{ext}: trailing garbage after value for option \"--{name}\".\n")
                } else {
                    words!("{ext}: bad integer value for option \"--{name}\", or out of range.\n")
                }));
            };
            Val::Mark(value, mask)
        }
        Ty::Tos => {
            let illegal = || Fault::param(words!("Illegal value: \"{text}\""));
            let (first, rest) = text.split_once('/').map_or((text, None), |(v, m)| (v, Some(m)));
            match number::whole(first, 0, 255) {
                Some(value) => {
                    let mask = match rest {
                        Some(mask) => number::whole(mask, 0, 255).ok_or_else(illegal)?,
                        None => 255,
                    };
                    Val::Tos(value as u8, mask as u8)
                }
                None => match names::TOS.iter().find(|(n, _)| n.eq_ignore_ascii_case(text)) {
                    Some((_, tos)) => Val::Tos(*tos, 0x3f),
                    None => return Err(Fault::param(words!("Symbolic name \"{text}\" is unknown"))),
                },
            }
        }
        Ty::Level => {
            let level = match number::whole(text, 0, 7) {
                Some(level) => level,
                None => names::level(text)
                    .ok_or_else(|| Fault::param(words!("log level \"{text}\" unknown\n")))?,
            };
            Val::Num(level)
        }
        Ty::Ports => {
            let port = |text: &str| -> Result<u64, Fault> {
                names::port(text, None)
                    .map(u64::from)
                    .ok_or_else(|| Fault::param(words!("Port \"{text}\" does not resolve to anything.\n")))
            };
            match text.split_once(':') {
                None => {
                    let p = port(text)?;
                    Val::Range(p, p, false)
                }
                Some((low, high)) => {
                    let low = if low.is_empty() { 0 } else { port(low)? };
                    let high_port = if high.is_empty() { 65535 } else { port(high)? };
                    Val::Range(low, high_port, !high.is_empty())
                }
            }
        }
        Ty::Proto => match names::protocol(&text.to_ascii_lowercase()) {
            Some(proto) => Val::Num(u64::from(proto)),
            None => {
                return Err(Fault::param(words!("unknown protocol \"{text}\" specified")));
            }
        },
        Ty::Host => Val::Net(AddrMask::host(family, resolve(text, family)?)),
        Ty::HostMask => {
            let (addr, mask) = text.split_once('/').map_or((text, None), |(a, m)| (a, Some(m)));
            let mask = match mask {
                Some(text) => mask_of(text, family).ok_or_else(|| no_mask(ext, name, family))?,
                None => Addr::prefix_mask(family, family.bits()),
            };
            Val::Net(AddrMask { addr: resolve(addr, family)?.and(mask), mask })
        }
        Ty::Plen => {
            let max = u64::from(family.bits());
            Val::Num(number::whole(text, 0, max).ok_or_else(|| bad(None, 0, max))?)
        }
        Ty::PlenMask => Val::Mask(mask_of(text, family).ok_or_else(|| no_mask(ext, name, family))?),
        Ty::Mac => Val::Mac(mac(text)?),
    })
}

/// An address of an extension, as `getaddrinfo` takes it. Names are not looked up, but for the one that every machine
/// knows.
fn resolve(text: &str, family: Family) -> Result<Addr, Fault> {
    let v4 = address::aton(text);
    let v6 = address::literal(text, Family::V6);
    match (family, v4, v6) {
        (Family::V4, Some(addr), _) | (Family::V6, _, Some(addr)) => Ok(addr),
        (Family::V4, None, None) if text == "localhost" => Ok(Addr::LOOPBACK_V4),
        (_, None, None) if text.contains(':') || text.starts_with('-') => {
            Err(Fault::param("getaddrinfo: Name or service not known\n"))
        }
        (_, None, None) => Err(Fault::param("getaddrinfo: Temporary failure in name resolution\n")),
        _ => Err(Fault::param("getaddrinfo: Address family for hostname not supported\n")),
    }
}

/// A mask of an extension: a prefix length, or an address that is one. What has holes, or is too long, counts as the
/// whole.
fn mask_of(text: &str, family: Family) -> Option<Addr> {
    let full = Addr::prefix_mask(family, family.bits());
    if let Some(len) = number::whole(text, 0, u64::from(u32::MAX)) {
        return Some(u8::try_from(len).map_or(full, |len| Addr::prefix_mask(family, len)));
    }
    let mask = address::literal(text, family)?;
    let net = AddrMask { addr: Addr::UNSPECIFIED, mask };
    Some(if net.prefix_len(family).is_some() { mask } else { full })
}

fn no_mask(ext: &str, name: &str, family: Family) -> Fault {
    let bits = family.bits();
    Fault::param(words!(
        "{ext}: bad value for option \"--{name}\", neither a valid network mask nor valid CIDR (0-{bits}).\n"
    ))
}

/// `VALUE[/MASK]`.
pub(crate) fn mark(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        Some((value, mask)) => Some((number::u32_whole(value)?, number::u32_whole(mask)?)),
        None => Some((number::u32_whole(text)?, u32::MAX)),
    }
}

/// Six pairs of hexadecimal digits (or fewer digits) with colons.
pub(crate) fn mac(text: &str) -> Result<[u8; 6], Fault> {
    let fault = || Fault::param("Invalid MAC address specified.");
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().ok_or_else(fault)?;
        if part.is_empty() || part.len() > 2 {
            return Err(fault());
        }
        *byte = u8::from_str_radix(part, 16).map_err(|_| fault())?;
    }
    if parts.next().is_some() { Err(fault()) } else { Ok(bytes) }
}
