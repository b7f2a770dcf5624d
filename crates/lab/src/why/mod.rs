//! Why: a number of a run answers for itself. Answers are facts computed from the records, each with the position that
//! shows it; words are in `phrases/`, one file a language.
//!
//! [`ask`] reads a question, [`answer`] answers it.

mod chain;
mod packet;
mod question;
mod walk;
mod words;

pub use question::{Asked, Question, ask};

use crate::session::Session;

/// A fact: a key into the phrases, and what to fill in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Key into the phrases.
    pub key: &'static str,
    /// Names and values for the phrase's `{name}` places.
    pub args: Vec<(&'static str, String)>,
}

impl Fact {
    /// A fact with nothing to fill in.
    pub fn new(key: &'static str) -> Fact {
        Fact { key, args: Vec::new() }
    }
    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Fact {
        self.args.push((name, value.to_string()));
        self
    }
    /// Fills the values into a phrase: `{name}` becomes the value of that name.
    pub fn fill(&self, phrase: &str) -> String {
        let mut text = phrase.to_string();
        for (name, value) in &self.args {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// One reason, with the place that shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What is so.
    pub fact: Fact,
    /// The position to go to; `None` where there is nothing to see.
    pub at: Option<usize>,
    /// The packets that it holds for.
    pub packets: Vec<u32>,
}

/// An answer: the number in question, the reasons, and what helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What the number is.
    pub headline: Fact,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Known remedies; an argument named `command` is a line that can be typed.
    pub remedies: Vec<Fact>,
}

/// Answers a question about the run. The session's position is where it was afterwards.
pub fn answer(session: &mut Session, question: &Question) -> Answer {
    let position = session.position();
    let answer = match question {
        Question::Chain { host, family, table, chain, rule } => {
            chain::answer(session, *host, *family, *table, chain, *rule)
        }
        Question::Packet(packet) => packet::answer(session, *packet),
    };
    session.seek(position);
    answer
}
