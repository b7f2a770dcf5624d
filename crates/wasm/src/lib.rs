//! Hookwalk in the browser: a thin class over the lab crate. The only crate that names wasm-bindgen.
//!
//! [`view`] is what crosses to the page.

pub mod view;

use wasm_bindgen::prelude::*;

/// A message for each panic on the browser's console, with file and line.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
