//! Hookwalk in the browser: a thin class over the lab crate. The only crate that names wasm-bindgen.
//!
//! [`view`] is what crosses to the page; [`Hookwalk`] is the class that gives it. With the feature `full` it can do all;
//! without, it is the player, which shows a run and nothing else (see [`hookwalk_engine::FULL`]).

#[cfg(feature = "full")]
pub mod full;
#[cfg(feature = "full")]
mod index;
mod json;
mod look;
#[cfg(feature = "full")]
pub mod picture;
#[cfg(feature = "full")]
mod rules;
pub mod view;

use hookwalk_lab::session::Session;
use hookwalk_lang::Diagnostic;
use look::Looker;
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
    /// What is wrong with the text: an array of `Problem`. The player gives an empty one for whatever it has not got.
    pub fn open(text: &str) -> Result<Hookwalk, JsValue> {
        let session = Session::new(text).map_err(|d| problems(&d))?;
        if session.end().lacks {
            return Err(problems(&[]));
        }
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
}

/// As JavaScript sees it. Our types always can be; if one cannot, the console says so and the page gets `undefined`.
fn value<T: Serialize>(of: &T) -> JsValue {
    let text = json::text(of).unwrap_or_default();
    js_sys::JSON::parse(&text).unwrap_or_else(|error| {
        web_sys::console::error_1(&error);
        JsValue::UNDEFINED
    })
}

fn problems(diagnostics: &[Diagnostic]) -> JsValue {
    value(&diagnostics.iter().map(Problem::from).collect::<Vec<_>>())
}
