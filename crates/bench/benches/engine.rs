//! The engine, natively: criterion times whole laps of every workload.

use criterion::{Criterion, Throughput};
use hookwalk_bench::router::Router;
use hookwalk_bench::traffic;
use hookwalk_bench::workload::{ALL, Workload};
use std::time::{Duration, Instant};

fn main() {
    let quick = std::env::var_os("HOOKWALK_BENCH_QUICK").is_some();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(if quick { 100 } else { 500 }))
        .measurement_time(Duration::from_millis(if quick { 500 } else { 2500 }))
        .configure_from_args();
    let only = std::env::var("HOOKWALK_BENCH_ONLY").unwrap_or_default();
    for (name, workload) in ALL.iter().filter(|(n, _)| only.is_empty() || *n == only) {
        bench(&mut criterion, name, *workload);
    }
    criterion.final_summary();
}

fn bench(criterion: &mut Criterion, name: &str, workload: Workload) {
    let (mut router, packets) = Router::of(workload).expect("the ruleset loads");
    let capture = (workload == Workload::Capture).then(|| traffic::capture(&packets));
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(packets.len() as u64));
    group.bench_function(name, |b| {
        b.iter_custom(|laps| {
            let mut total = Duration::ZERO;
            for _ in 0..laps {
                router.flush_if(workload.is_new());
                let began = Instant::now();
                let lap = match &capture {
                    Some(bytes) => router.replay(bytes),
                    None => router.lap(&packets),
                };
                total += began.elapsed();
                assert_eq!(lap.packets, packets.len() as u64);
            }
            total
        });
    });
    group.finish();
}
