//! The library as a whole: every lab is in the index, and the index, the tour and the glossary name only labs and terms
//! that exist, in both languages. What the labs say is tested by `hookwalk test`.

use hookwalk_lab::file::{Lab, Statement, Text};
use hookwalk_lab::parse;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 2] = ["en", "zh"];

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs")
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(library().join(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The labs of the library: the folders that have a lab of their own name.
fn labs() -> BTreeMap<String, Lab> {
    let mut labs = BTreeMap::new();
    for entry in std::fs::read_dir(library()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Ok(text) = std::fs::read_to_string(path.join(format!("{name}.lab"))) {
            let (lab, diagnostics) = parse(&text);
            assert!(diagnostics.is_empty(), "{name}: {diagnostics:?}");
            labs.insert(name, lab);
        }
    }
    labs
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is missing in {value}"))
}

fn names(value: &Value, key: &str) -> BTreeSet<String> {
    list(value, key).iter().map(|v| v.as_str().unwrap().to_string()).collect()
}

/// A text in every language.
fn said(value: &Value, what: &str) {
    for lang in LANGUAGES {
        let text = value[lang].as_str().unwrap_or_else(|| panic!("{what}: no {lang} in {value}"));
        assert!(!text.trim().is_empty(), "{what}: empty {lang}");
    }
}

#[test]
fn every_lab_is_in_the_index_once() {
    let index = json("index.json");
    let groups: BTreeSet<&str> = list(&index, "groups").iter().map(|g| g["id"].as_str().unwrap()).collect();
    list(&index, "groups").iter().for_each(|g| said(&g["title"], "group"));
    let labs = labs();
    let mut indexed = BTreeSet::new();
    let mut puzzles = BTreeSet::new();
    for lab in list(&index, "labs") {
        let name = lab["name"].as_str().unwrap();
        assert!(indexed.insert(name.to_string()), "{name} is there twice");
        assert!(groups.contains(lab["group"].as_str().unwrap()), "{name}: no such group");
        for lang in LANGUAGES {
            assert!(!list(&lab["symptoms"], lang).is_empty(), "{name}: no symptoms in {lang}");
            list(&lab["words"], lang);
        }
        for hook in names(lab, "hooks") {
            assert!(
                ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].contains(&hook.as_str()),
                "{name}: {hook}"
            );
        }
        for table in names(lab, "tables") {
            assert!(
                ["raw", "mangle", "nat", "filter", "security"].contains(&table.as_str()),
                "{name}: {table}"
            );
        }
        puzzles.extend(list(lab, "puzzles").iter().map(|p| p.as_u64().unwrap()));
        let folder = library().join(name);
        match lab["kernel"].as_str().unwrap() {
            "recorded" => assert!(!folder.join(format!("{name}.facts")).exists(), "{name}: has .facts"),
            "facts" => {
                assert!(folder.join(format!("{name}.facts")).exists(), "{name}: no .facts");
                said(&lab["kernel_note"], name);
            }
            other => panic!("{name}: kernel is {other}"),
        }
        assert!(folder.join(format!("{name}.kernel")).exists(), "{name}: no transcript of a kernel");
    }
    assert_eq!(indexed, labs.into_keys().collect());
    assert_eq!(puzzles, (1..=28).collect());
}

#[test]
fn every_text_of_a_lab_is_there_in_both_languages() {
    let count = |texts: &mut dyn Iterator<Item = &Text>, lang: Option<&str>| {
        texts.filter(|t| t.lang.as_deref() == lang).count()
    };
    for (name, lab) in labs() {
        for texts in [&lab.titles, &lab.abouts] {
            assert_eq!(count(&mut texts.iter(), None), count(&mut texts.iter(), Some("zh")), "{name}");
            assert!(!texts.is_empty(), "{name}");
        }
        let mut asked = 0;
        for line in &lab.lines {
            match &line.what {
                Statement::Say(texts) => {
                    assert_eq!(texts.len(), 2, "{name}:{}", line.number);
                    assert_eq!(count(&mut texts.iter(), Some("zh")), 1, "{name}:{}", line.number);
                }
                Statement::Ask(questions) => {
                    asked += 1;
                    assert_eq!(questions.len(), 2, "{name}:{}", line.number);
                    for question in questions {
                        let Some((_, choices)) = question.text.text.rsplit_once('(') else { continue };
                        let Some(choices) = choices.strip_suffix(')') else { continue };
                        assert!(
                            choices.split(" / ").any(|c| c == question.answer),
                            "{name}:{}: {} is no choice",
                            line.number,
                            question.answer
                        );
                    }
                }
                _ => {}
            }
        }
        assert!(asked > 0, "{name} asks nothing");
    }
}

#[test]
fn the_tour_has_seven_labs_that_exist() {
    let (tour, labs) = (json("tour.json"), labs());
    said(&tour["title"], "title");
    said(&tour["about"], "about");
    said(&tour["answer"], "answer");
    said(&tour["answer"]["question"], "question");
    let stops = list(&tour, "stops");
    assert_eq!(stops.len(), 7);
    for stop in stops {
        assert!(labs.contains_key(stop["lab"].as_str().unwrap()), "{stop}");
        ["topic", "before", "after"].iter().for_each(|key| said(&stop[*key], key));
    }
}

#[test]
fn the_glossary_leads_to_labs_and_terms_that_exist() {
    let (glossary, labs) = (json("glossary.json"), labs());
    let terms = list(&glossary, "terms");
    let ids: BTreeSet<&str> = terms.iter().map(|t| t["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), terms.len(), "an id is there twice");
    for term in terms {
        said(&term["term"], "term");
        said(&term["text"], "text");
        assert!(!list(term, "labs").is_empty(), "{term}");
        for lab in names(term, "labs") {
            assert!(labs.contains_key(&lab), "{}: no lab {lab}", term["id"]);
        }
        if term.get("see").is_some() {
            for other in names(term, "see") {
                assert!(ids.contains(other.as_str()), "{}: no term {other}", term["id"]);
            }
        }
    }
}
