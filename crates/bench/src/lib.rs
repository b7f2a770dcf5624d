//! How fast Hookwalk is: the same rulesets and flows for the engine, natively and as wasm, and for the kernel.
//!
//! [`workload`] says what is measured, [`router`] is the simulated host that the packets go through. The kernel's side
//! is in the program beside this library (Linux only), the wasm's in [`wasm`].

pub mod router;
pub mod start;
pub mod traffic;
pub mod workload;

#[cfg(target_arch = "wasm32")]
pub mod wasm;
