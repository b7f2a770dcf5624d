//! Command line options as `getopt_long` takes them: clusters of letters, glued and separate arguments, `--name=value`,
//! unambiguous prefixes. Words that are no options come out in their place, as iptables asks for it.

use crate::shell::Word;
use std::ops::Range;

/// Does an option take an argument?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arg {
    /// No.
    None,
    /// Yes.
    Required,
    /// Only one that is glued to it.
    Optional,
}

/// A long option. Names with the same `id` mean the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Long {
    /// Without the dashes.
    pub(crate) name: &'static str,
    /// Its argument.
    pub(crate) arg: Arg,
    /// What it is.
    pub(crate) id: Id,
}

/// What an option is: one of the tool's own, by its letter, or one of an extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Id {
    /// The tool's own.
    Own(char),
    /// Option `opt` of the extension that was loaded as number `ext`.
    Ext {
        /// Which of the rule's extensions, in order of loading.
        ext: usize,
        /// The option's id there.
        opt: u8,
    },
}

/// What comes next on the command line.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Item {
    /// An option, with its argument.
    Option(Id, Option<Word>),
    /// A word that is no option.
    Word(Word),
    /// No option has this name, or several begin so.
    Unknown,
    /// The argument is missing.
    Missing,
    /// Nothing more.
    End,
}

/// Walks over the words.
#[derive(Debug)]
pub(crate) struct Getopt<'a> {
    words: &'a [Word],
    /// The next word to look at.
    pub(crate) next: usize,
    /// Where in a cluster of letters: a byte offset in `words[next]`, or 0.
    cluster: usize,
    /// Both as they were before the last item.
    before: (usize, usize),
}

impl<'a> Getopt<'a> {
    /// From the word after the command's name.
    pub(crate) fn new(words: &'a [Word]) -> Getopt<'a> {
        Getopt { words, next: 1, cluster: 0, before: (1, 0) }
    }
    /// The words that are left.
    pub(crate) fn rest(&self) -> &'a [Word] {
        self.words.get(self.next..).unwrap_or_default()
    }
    /// The last word that was consumed (`argv[optind - 1]`).
    pub(crate) fn last(&self) -> &'a str {
        self.words.get(self.next.wrapping_sub(1)).map_or("", |w| &w.text)
    }
    /// Its place.
    pub(crate) fn last_span(&self) -> Range<usize> {
        self.words.get(self.next.wrapping_sub(1)).map_or(0..0, |w| w.span.clone())
    }
    /// Takes the next word if it is neither an option nor `!`: what commands with optional arguments do.
    pub(crate) fn take_argument(&mut self) -> Option<Word> {
        let word = self.words.get(self.next)?;
        if word.text.starts_with('-') || word.text.starts_with('!') {
            return None;
        }
        self.next += 1;
        Some(word.clone())
    }
    /// The next word, whatever it is.
    pub(crate) fn take_any(&mut self) -> Option<Word> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word.clone())
    }
    /// Goes back so that the option just read is read again (with more names known).
    pub(crate) fn again(&mut self) {
        (self.next, self.cluster) = self.before;
    }

    /// The next item. `short` gives a letter's argument kind; `longs` are all names, the first exact one wins.
    pub(crate) fn item(
        &mut self,
        short: impl Fn(char) -> Option<Arg>,
        longs: impl Iterator<Item = Long>,
    ) -> Item {
        let Some(word) = self.words.get(self.next) else { return Item::End };
        self.before = (self.next, self.cluster);
        if self.cluster == 0 {
            if word.text == "--" {
                self.next += 1;
                return Item::End;
            }
            if let Some(name) = word.text.strip_prefix("--") {
                return self.long(word, name, longs);
            }
            if !word.text.starts_with('-') || word.text.len() == 1 {
                self.next += 1;
                return Item::Word(word.clone());
            }
            self.cluster = 1;
        }
        let Some(letter) = word.text[self.cluster..].chars().next() else { return Item::End };
        let after = self.cluster + letter.len_utf8();
        let end = after == word.text.len();
        let arg = short(letter);
        // A letter that is unknown is told by the word before it, unless it is the last of its word.
        if end || arg.is_some_and(|a| a != Arg::None) {
            self.next += 1;
            self.cluster = 0;
        } else {
            self.cluster = after;
        }
        let glued = || Word { text: word.text[after..].to_string(), span: word.span.clone() };
        match arg {
            None => Item::Unknown,
            Some(Arg::None) => Item::Option(Id::Own(letter), None),
            Some(Arg::Optional) => Item::Option(Id::Own(letter), (!end).then(glued)),
            Some(Arg::Required) if !end => Item::Option(Id::Own(letter), Some(glued())),
            Some(Arg::Required) => match self.take_any() {
                Some(word) => Item::Option(Id::Own(letter), Some(word)),
                None => Item::Missing,
            },
        }
    }

    fn long(&mut self, word: &Word, name: &str, longs: impl Iterator<Item = Long>) -> Item {
        self.next += 1;
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let mut found: Option<Long> = None;
        let mut ambiguous = false;
        for long in longs {
            if long.name == name {
                (found, ambiguous) = (Some(long), false);
                break;
            }
            if long.name.starts_with(name) {
                match found {
                    None => found = Some(long),
                    Some(f) if f.id != long.id || f.arg != long.arg => ambiguous = true,
                    Some(_) => {}
                }
            }
        }
        let Some(found) = found.filter(|_| !ambiguous) else { return Item::Unknown };
        match (found.arg, value) {
            (Arg::None, Some(_)) => Item::Unknown,
            (Arg::None | Arg::Optional, None) => Item::Option(found.id, None),
            (_, Some(value)) => {
                Item::Option(found.id, Some(Word { text: value.to_string(), span: word.span.clone() }))
            }
            (Arg::Required, None) => match self.take_any() {
                Some(word) => Item::Option(found.id, Some(word)),
                None => Item::Missing,
            },
        }
    }
}
