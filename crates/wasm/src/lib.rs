//! Hookwalk in the browser: a thin class over the lab crate. The only crate that names wasm-bindgen.
//!
//! [`view`] is what crosses to the page; [`Hookwalk`] is the class that gives it.

mod look;
pub mod picture;
mod rules;
pub mod view;

use hookwalk_lab::session::Session;
use hookwalk_lang::Diagnostic;
use look::Looker;
use picture::Wish;
use serde::Serialize;
use view::Problem;
use wasm_bindgen::prelude::*;

/// A message for each panic on the browser's console, with file and line.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A run of a lab, to be looked at from any position.
#[wasm_bindgen]
pub struct Hookwalk {
    looker: Looker,
}

#[wasm_bindgen]
impl Hookwalk {
    /// Runs a lab.
    ///
    /// # Errors
    /// What is wrong with the text: an array of `Problem`.
    pub fn open(text: &str) -> Result<Hookwalk, JsValue> {
        let session = Session::new(text).map_err(|d| problems(&d))?;
        Ok(Hookwalk { looker: Looker::new(session) })
    }

    /// The run as a whole.
    #[wasm_bindgen(unchecked_return_type = "LabView")]
    pub fn lab(&mut self) -> JsValue {
        value(&self.looker.lab())
    }

    /// The state after `at` events, with this station in focus.
    #[wasm_bindgen(unchecked_return_type = "View")]
    pub fn view(&mut self, at: u32, station: u32) -> JsValue {
        value(&self.looker.view(at as usize, station))
    }

    /// Events from `from` to before `to`.
    #[wasm_bindgen(unchecked_return_type = "EventView[]")]
    pub fn events(&mut self, from: u32, to: u32) -> JsValue {
        value(&self.looker.events(from as usize, to as usize))
    }

    /// The tables of a host after `at` events.
    #[wasm_bindgen(unchecked_return_type = "TableView[]")]
    pub fn tables(&mut self, at: u32, station: u32) -> JsValue {
        value(&self.looker.tables(at as usize, station))
    }

    /// The answer to a question about the run: `HOST [ip6] TABLE CHAIN [RULE]` or `packet N`.
    #[wasm_bindgen(unchecked_return_type = "WhyView")]
    pub fn why(&mut self, question: &str) -> JsValue {
        value(&self.looker.why(question))
    }

    /// What can stand in a text before column `col` of line `line` (both from 1): names from the text, chains and sets
    /// from this run.
    #[wasm_bindgen(unchecked_return_type = "CompletionView")]
    pub fn complete(&self, text: &str, line: u32, col: u32) -> JsValue {
        let found = hookwalk_lab::complete::complete(&self.looker.session, text, line, col);
        let choices = found.choices.into_iter().map(view::ChoiceView::from).collect();
        value(&view::CompletionView { from: found.from, choices })
    }

    /// The position `at` as a picture, an SVG that needs nothing else, with these words below it.
    pub fn picture(&mut self, at: u32, station: u32, chinese: bool, caption: &str, width: u32) -> String {
        picture::still(&mut self.looker, at, station, &Wish { focus: None, chinese, caption, width })
    }

    /// What the commands of the whole run printed, in the form that `hookwalk run` prints.
    pub fn transcript(&self) -> String {
        self.looker.session.end().transcript().to_string()
    }
}

/// A lab of what a real box printed; any of the texts may be empty. `talks` are lines such as
/// `tcp 203.0.113.9 -> 203.0.113.1:80`.
#[wasm_bindgen(unchecked_return_type = "PasteView")]
#[allow(clippy::too_many_arguments)]
pub fn paste(
    addr: &str,
    route: &str,
    rule: &str,
    iptables: &str,
    ip6tables: &str,
    sockets: &str,
    sysctl: &str,
    conntrack: &str,
    talks: &str,
) -> JsValue {
    let pasted = hookwalk_lab::paste::Pasted {
        addr: addr.into(),
        route: route.into(),
        rule: rule.into(),
        iptables: iptables.into(),
        ip6tables: ip6tables.into(),
        sockets: sockets.into(),
        sysctl: sysctl.into(),
        conntrack: conntrack.into(),
        talks: talks.lines().map(str::to_string).collect(),
        ..Default::default()
    };
    let (lab, notes) = pasted.lab();
    let notes = notes
        .iter()
        .map(|n| view::PasteNote {
            paste: match n.paste {
                hookwalk_lab::paste::Paste::Addr => "addr",
                hookwalk_lab::paste::Paste::Route => "route",
                hookwalk_lab::paste::Paste::Talk => "talks",
                hookwalk_lab::paste::Paste::Conntrack => "conntrack",
            }
            .into(),
            line: n.diagnostic.line,
            message: n.diagnostic.message.clone(),
        })
        .collect();
    value(&view::PasteView { lab, notes })
}

/// As JavaScript sees it. Our types always can be; if one cannot, the console says so and the page gets `undefined`.
fn value<T: Serialize>(of: &T) -> JsValue {
    serde_wasm_bindgen::to_value(of).unwrap_or_else(|error| {
        web_sys::console::error_1(&error.into());
        JsValue::UNDEFINED
    })
}

fn problems(diagnostics: &[Diagnostic]) -> JsValue {
    value(&diagnostics.iter().map(Problem::from).collect::<Vec<_>>())
}
