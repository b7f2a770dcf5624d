//! `hookwalk picture LAB`: the page's stage as an SVG file, for readers where no script runs: feeds, mail, a README.

use crate::load;
use hookwalk_lab::Session;
use hookwalk_wasm::picture::{Artist, Wish};
use hookwalk_wasm::view::{EventView, Fact};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

type Phrases = BTreeMap<String, String>;

const EN: &str = include_str!("../../lab/phrases/en.json");
const ZH: &str = include_str!("../../lab/phrases/zh.json");

const USAGE: &str = "\
usage: hookwalk picture LAB [options]

  --at STEP        the moment: 12 or step:12, packet:3, say:2, end; without it, before the first packet
  -o FILE          where to write; without it, to standard output
  --focus HOST     whose hooks to draw; without it, the host that the moment is about
  --lang en|zh     language of the words; without it, as LANG says
  --width PIXELS   640 to 2400; without it, 960
  --animate        a film from there on, which plays where style sheets may (no script)
  --until STEP     the film's end; without it, the end of the lab
";

/// What the command line asks for.
struct Asked<'a> {
    file: &'a str,
    at: &'a str,
    out: Option<&'a str>,
    focus: Option<&'a str>,
    chinese: bool,
    width: u32,
    until: Option<&'a str>,
    animate: bool,
}

pub(crate) fn main(words: &[&str]) -> ExitCode {
    if words.iter().any(|w| matches!(*w, "--help" | "-h")) {
        crate::say(USAGE);
        return ExitCode::SUCCESS;
    }
    let asked = match asked(words) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("hookwalk: {why}");
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Some(lab) = load::lab(Path::new(asked.file)) else { return ExitCode::FAILURE };
    let svg = match draw(&asked, Artist::new(Session::of(Arc::new(lab)))) {
        Ok(svg) => svg,
        Err(why) => {
            eprintln!("hookwalk: {why}");
            return ExitCode::from(2);
        }
    };
    let Some(file) = asked.out else {
        crate::say(&svg);
        return ExitCode::SUCCESS;
    };
    match std::fs::write(file, svg) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("hookwalk: {file}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn asked<'a>(words: &[&'a str]) -> Result<Asked<'a>, String> {
    let lang = std::env::var("LANG").unwrap_or_default();
    let mut asked = Asked {
        file: "",
        at: "",
        out: None,
        focus: None,
        chinese: lang.starts_with("zh"),
        width: 960,
        until: None,
        animate: false,
    };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (name, glued) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let mut value = || glued.or_else(|| words.next()).ok_or_else(|| format!("{name} needs a value"));
        match name {
            "--at" => asked.at = value()?,
            "-o" | "--output" => asked.out = Some(value()?),
            "--focus" => asked.focus = Some(value()?),
            "--until" => asked.until = Some(value()?),
            "--lang" => {
                asked.chinese = match value()? {
                    tag if tag.starts_with("zh") => true,
                    tag if tag.starts_with("en") => false,
                    other => return Err(format!("--lang {other}: there are en and zh")),
                }
            }
            "--width" => {
                let given = value()?;
                let width = given.parse().ok().filter(|w| (640..=2400).contains(w));
                asked.width = width.ok_or_else(|| format!("--width {given}: 640 to 2400"))?;
            }
            "--animate" if glued.is_none() => asked.animate = true,
            _ if word.starts_with('-') => return Err(format!("there is no option {word}")),
            _ if asked.file.is_empty() => asked.file = word,
            _ => return Err(format!("one lab at a time, not also {word}")),
        }
    }
    match asked {
        Asked { file: "", .. } => Err("which lab?".to_owned()),
        Asked { until: Some(_), animate: false, .. } => {
            Err("--until is the end of a film: --animate".to_owned())
        }
        asked => Ok(asked),
    }
}

fn draw(asked: &Asked<'_>, mut artist: Artist) -> Result<String, String> {
    let at = artist.position(asked.at).map_err(|why| format!("--at {}: {why}", asked.at))?;
    let focus = match asked.focus {
        None => None,
        Some(name) => Some(
            artist.host(name).ok_or_else(|| format!("--focus {name}: the lab has no host of this name"))?,
        ),
    };
    let phrases: Phrases = serde_json::from_str(if asked.chinese { ZH } else { EN }).unwrap_or_default();
    let caption = words(&mut artist, at, asked.chinese, &phrases);
    let wish = Wish { focus, chinese: asked.chinese, caption: &caption, width: asked.width };
    if !asked.animate {
        return Ok(artist.still(at, &wish));
    }
    let until = match asked.until {
        None => artist.lab().len,
        Some(word) => artist.position(word).map_err(|why| format!("--until {word}: {why}"))?,
    };
    if until < at {
        return Err(format!("--until {}: the film begins at step {at}", asked.until.unwrap_or_default()));
    }
    Ok(artist.moving(at, until, &wish, |artist, at| words(artist, at, asked.chinese, &phrases)))
}

/// What the page's sentence says at a position: the lab's own words where it speaks, else what happened.
fn words(artist: &mut Artist, at: u32, chinese: bool, phrases: &Phrases) -> String {
    if let Some(said) = artist.said(at, chinese) {
        return said.replace('`', "");
    }
    let Some(EventView { fact, .. }) = artist.event(at) else { return String::new() };
    fill(&fact, phrases)
}

fn fill(fact: &Fact, phrases: &Phrases) -> String {
    let mut text = phrases.get(&fact.key).cloned().unwrap_or_else(|| fact.key.clone());
    for (name, value) in &fact.args {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}
