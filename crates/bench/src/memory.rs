//! Allocations and bytes, which are the same on every machine.

use hookwalk_bench::router::Router;
use hookwalk_bench::workload::Workload;

/// What a workload takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Allocations a packet, after warm-up.
    pub(crate) allocations: f64,
    /// Bytes a connection: the table's growth, hash links and slack included. `None`: the workload has none.
    pub(crate) per_connection: Option<f64>,
}

/// Measures one lap of a warm router, and what its connections take in a table that begins empty.
pub(crate) fn measure(workload: Workload) -> Result<Memory, String> {
    let (mut router, packets) = Router::of(workload)?;
    let capture = (workload == Workload::Capture).then(|| hookwalk_bench::traffic::capture(&packets));
    let lap = allocation_counter::measure(|| {
        match &capture {
            Some(bytes) => router.replay(bytes),
            None => router.lap(&packets),
        };
    });
    let connections = router.host.net.ct.len();
    let per_connection = (connections > 0).then(|| {
        let mut fresh = Router::new(&workload.ruleset()).ok();
        let grown = allocation_counter::measure(|| {
            if let Some(router) = &mut fresh {
                router.lap(&packets);
            }
        });
        grown.bytes_current as f64 / connections as f64
    });
    Ok(Memory { allocations: lap.count_total as f64 / packets.len() as f64, per_connection })
}
