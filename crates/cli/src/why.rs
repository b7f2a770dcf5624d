//! `hookwalk why LAB QUESTION`: the answers of the page, on a terminal.

use crate::load;
use hookwalk_lab::Session;
use hookwalk_lab::facts::Fact;
use hookwalk_lab::why::{self, Answer};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Words by key, one file a language.
type Phrases = BTreeMap<String, String>;

const EN: &str = include_str!("../../lab/phrases/why.en.json");
const ZH: &str = include_str!("../../lab/phrases/why.zh.json");

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let mut lang = std::env::var("LANG").unwrap_or_default();
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, word.strip_prefix("--lang=")) {
            (_, Some(tag)) => lang = tag.to_string(),
            ("--lang", _) => lang = words.next().map_or(String::new(), ToString::to_string),
            _ => rest.push(*word),
        }
    }
    let Some((file, question)) = rest.split_first().filter(|(_, q)| !q.is_empty()) else {
        eprintln!("usage: hookwalk why [--lang en|zh] LAB HOST TABLE CHAIN [RULE]");
        eprintln!("       hookwalk why [--lang en|zh] LAB packet N");
        return ExitCode::from(2);
    };
    let Some(lab) = load::lab(Path::new(file)) else { return ExitCode::FAILURE };
    let mut session = Session::of(Arc::new(lab));
    let question = match why::ask(&session, &question.join(" ")) {
        Ok(question) => question,
        Err(asked) => {
            eprintln!("hookwalk: {}", asked.message);
            if !asked.expected.is_empty() {
                eprintln!("  there are: {}", asked.expected.join(", "));
            }
            return ExitCode::from(2);
        }
    };
    let answer = why::answer(&mut session, &question);
    let text = if lang.starts_with("zh") { ZH } else { EN };
    let phrases: Phrases = serde_json::from_str(text).unwrap_or_default();
    crate::say(&print(&answer, &phrases));
    ExitCode::SUCCESS
}

fn word(fact: &Fact, phrases: &Phrases) -> String {
    phrases.get(fact.key).map_or_else(|| fact.key.to_string(), |phrase| fact.fill(phrase))
}

/// The answer as a terminal shows it: the positions are those of the page's slider.
fn print(answer: &Answer, phrases: &Phrases) -> String {
    let mut out = word(&answer.headline, phrases) + "\n";
    for reason in &answer.reasons {
        let at = reason.at.map_or(String::new(), |at| format!("  [{at}]"));
        out.push_str(&format!("  - {}{at}\n", word(&reason.fact, phrases)));
    }
    for remedy in &answer.remedies {
        out.push_str(&format!("  => {}\n", word(remedy, phrases)));
        if let Some((_, command)) = remedy.args.iter().find(|a| a.0 == "command" && !a.1.is_empty()) {
            out.push_str(&format!("     {command}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phrase is there in both languages, and names the same values.
    #[test]
    fn phrases_agree() {
        let en: Phrases = serde_json::from_str(EN).expect("English phrases");
        let zh: Phrases = serde_json::from_str(ZH).expect("Chinese phrases");
        let names = |text: &str| {
            let mut names: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|t| t.split_once('}').map(|(name, _)| name.to_string()))
                .collect();
            names.sort();
            names.dedup();
            names
        };
        assert!(en.keys().eq(zh.keys()));
        for (key, phrase) in &en {
            assert_eq!(names(phrase), names(&zh[key]), "{key}");
        }
    }
}
