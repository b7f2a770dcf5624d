//! Build, serve, test: every command of the README ends here. Run it as `cargo xtask COMMAND`.
//!
//! Each file is one command or one tool that the commands share: [`sheet`] reads `wasm-pack.toml`, [`run`] starts other
//! programs and lets nothing be silent for long, [`wasm`] makes the wasm package, [`page`] the page, [`test`] runs
//! every test, [`kernel`] asks the kernel, [`bench`] measures speed, [`dist`] what is given away, [`size`] weighs what the browser downloads.

mod bench;
mod dist;
mod kernel;
mod libfuzzer;
mod page;
mod run;
mod sheet;
mod size;
mod test;
mod wasm;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  serve [--port N]   build the page, serve it, print its address
  build              build the page into www/dist: static files for any host and any sub-path
  dist [--check]     build all that is given away into dist/: site, element, single file, npm package;
                     --check builds it a second time in another folder and compares the bytes
  test               every test: native, wasm, types, units, the page in Chromium and Firefox
  kernel [PATH...]   run the labs on this machine's Linux kernel (root) and compare
  libfuzzer [SECS]   throw random texts and packets at the simulator, a minute each unless told
  wasm               only the wasm package, into www/pkg
  bench [--quick]    how fast it is, beside the kernel: docs/PERFORMANCE.md; --count: instructions a packet
  size               weigh what the browser downloads against the budgets of wasm-pack.toml
  tidy               format and lint, as CI does";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let done = match args.first().map(String::as_str) {
        Some("serve") => page::serve(&rest),
        Some("build") => page::build(),
        Some("dist") => dist::main(&rest),
        Some("test") => test::all(&rest),
        Some("kernel") => kernel::verify(&rest),
        Some("libfuzzer") => libfuzzer::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("wasm") => sheet::Sheet::read().and_then(|sheet| wasm::build(&sheet)),
        Some("size") => sheet::Sheet::read().and_then(|sheet| size::check(&sheet)),
        Some("tidy") => test::tidy(),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown command `{other}`\n\n{USAGE}")),
        None => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
