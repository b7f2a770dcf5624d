//! Hookwalk in the browser.
