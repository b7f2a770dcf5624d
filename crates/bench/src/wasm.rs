//! The same laps as wasm, for Node and the browser; the script beside the page calls them and looks at the clock.

use crate::router::Router;
use crate::start;
use crate::traffic::{self, Sent};
use crate::workload::{self, Workload};
use wasm_bindgen::prelude::*;

/// The names of all workloads, one a line.
#[wasm_bindgen]
pub fn workloads() -> String {
    workload::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("\n")
}

/// A workload that is ready to run.
#[wasm_bindgen]
pub struct Bench {
    workload: Workload,
    router: Router,
    packets: Vec<Sent>,
    capture: Vec<u8>,
}

#[wasm_bindgen]
impl Bench {
    /// Loads the ruleset and warms up.
    ///
    /// # Errors
    /// A name that no workload has.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Result<Bench, JsError> {
        let workload = workload::named(name).ok_or_else(|| JsError::new("there is no such workload"))?;
        let (router, packets) = Router::of(workload).map_err(|e| JsError::new(&e))?;
        let capture = if workload == Workload::Capture { traffic::capture(&packets) } else { Vec::new() };
        Ok(Bench { workload, router, packets, capture })
    }

    /// Before a lap that is timed: an empty table where the workload wants one.
    pub fn prepare(&mut self) {
        self.router.flush_if(self.workload.is_new());
    }

    /// One lap; gives the number of packets that came in.
    pub fn lap(&mut self) -> f64 {
        let lap = match self.workload {
            Workload::Capture => self.router.replay(&self.capture),
            _ => self.router.lap(&self.packets),
        };
        lap.packets as f64
    }
}

/// A recorded run of a long lab, to seek in.
#[wasm_bindgen]
pub struct Recorded(start::Recorded);

#[wasm_bindgen]
impl Recorded {
    /// Runs a lab of about so many events.
    #[wasm_bindgen(constructor)]
    pub fn new(events: u32) -> Recorded {
        Recorded(start::Recorded::new(events))
    }
    /// How many there are.
    pub fn events(&self) -> u32 {
        self.0.events()
    }
    /// Goes to a position.
    pub fn seek(&mut self, at: u32) {
        self.0.seek(at);
    }
}

/// The text of a lab with a dump of so many rules.
#[wasm_bindgen]
pub fn dump(rules: u32) -> String {
    start::dump(rules)
}

/// Loads a dump; gives the number of rules.
#[wasm_bindgen]
pub fn load(dump: &str) -> u32 {
    start::load(dump)
}

/// A lab of so many rules that is being edited.
#[wasm_bindgen]
pub struct Edited(start::Edited);

#[wasm_bindgen]
impl Edited {
    /// Runs the lab for the first time.
    #[wasm_bindgen(constructor)]
    pub fn new(rules: u32) -> Edited {
        Edited(start::Edited::new(rules))
    }
    /// Changes one rule, another each time, and runs again what has to run again.
    pub fn edit(&mut self) {
        self.0.edit();
    }
}
