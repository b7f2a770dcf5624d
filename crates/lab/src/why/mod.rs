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

use crate::facts::Fact;
use crate::session::Session;

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

/// Answers a question about the whole run. The session's position is where it was afterwards.
pub fn answer(session: &mut Session, question: &Question) -> Answer {
    answer_at(session, question, session.len())
}

/// Answers a question about the run up to this position: what is counted there, and whether that changes later. The
/// session's position is where it was afterwards. A packet's way is told to its end.
pub fn answer_at(session: &mut Session, question: &Question, at: usize) -> Answer {
    let position = session.position();
    let answer = match question {
        Question::Chain { host, family, table, chain, rule } => {
            let place = chain::Place { host: *host, family: *family, table: *table, chain, rule: *rule };
            chain::answer(session, &place, at)
        }
        Question::Packet(packet) => packet::answer(session, *packet),
    };
    session.seek(position);
    answer
}
