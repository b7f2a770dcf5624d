//! `cargo xtask libfuzzer`: runs the libFuzzer targets of `fuzz/` for a while each. They are plain programs with coverage
//! counters, so that the stable compiler is enough: no nightly, no cargo-fuzz. A C++ compiler builds libFuzzer itself.

use crate::run::{Done, command, root, say, show};

/// What cargo-fuzz passes, but for the sanitizer: the code is safe Rust.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs each target for so many seconds (60 unless told). What it finds stays in `fuzz/found`.
pub(crate) fn run(args: &[&str]) -> Done {
    let seconds: u32 = match args {
        [] => 60,
        [n] => n.parse().map_err(|_| format!("libfuzzer [SECONDS]: {n} is no number"))?,
        _ => return Err("libfuzzer [SECONDS]".to_owned()),
    };
    let fuzz = root().join("fuzz");
    say("the libFuzzer targets");
    // With --target the flags are not those of build scripts.
    let host = crate::run::read(&mut command("rustc", ["--print", "host-tuple"], &fuzz))?;
    let host = host.trim();
    let mut build = command("cargo", ["build", "--quiet", "--release", "--locked", "--target", host], &fuzz);
    show(build.env("RUSTFLAGS", COVERAGE))?;
    for target in ["lab", "packet"] {
        let corpus = fuzz.join("corpus").join(target);
        let found = fuzz.join("found");
        for dir in [&corpus, &found] {
            std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        if target == "lab" {
            seed_with_labs(&corpus)?;
        }
        let program = fuzz.join("target").join(host).join("release").join(target);
        let mut run = command(&program.to_string_lossy(), [corpus.as_os_str()], &fuzz);
        run.arg(format!("-max_total_time={seconds}"));
        run.arg(format!("-artifact_prefix={}/{target}-", found.display()));
        show(run.args(["-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1", "-max_len=4096"]))?;
    }
    Ok(())
}

/// The facts' labs are what the first texts are made of.
fn seed_with_labs(corpus: &std::path::Path) -> Done {
    let facts = root().join("labs/facts");
    let entries = std::fs::read_dir(&facts).map_err(|e| format!("{}: {e}", facts.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let lab = entry.path().join(&name).with_extension("lab");
        if lab.is_file() {
            std::fs::copy(&lab, corpus.join(&name)).map_err(|e| format!("{}: {e}", lab.display()))?;
        }
    }
    Ok(())
}
