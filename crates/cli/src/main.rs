//! Hookwalk on the command line: runs labs, tests them, and compares what they print with what a kernel printed.

mod compare;
mod export;
#[cfg(target_os = "linux")]
mod fuzz;
#[cfg(target_os = "linux")]
mod kernel;
mod load;
mod new;
mod picture;
mod run;
mod test;
#[cfg(target_os = "linux")]
mod verify;
mod why;

use std::io::Write as _;
use std::process::ExitCode;

const USAGE: &str = "\
hookwalk: a Linux box that you can believe

  hookwalk run FILE                  run a lab and print its transcript
  hookwalk test PATH...              run labs: expect lines, and kernels' transcripts beside them
  hookwalk compare KERNEL OURS LAB   do two transcripts of a lab agree?
  hookwalk why LAB HOST TABLE CHAIN [RULE]    why does it count what it counts?
  hookwalk why LAB packet N          what became of the packet, and who did it?
  hookwalk picture LAB --at STEP -o FILE.svg  the page's stage as an SVG file (picture --help says more)
  hookwalk new --addr FILE …         write a lab from what a real box printed (new --help says what)
  hookwalk export --bash LAB         the lab as a bash script for any Linux
  hookwalk export --pcapng DIR LAB   what each interface carried, for Wireshark

on Linux, as root:
  hookwalk kernel FILE...            run labs on this machine's kernel and print their transcripts
  hookwalk verify PATH...            record labs on this machine's kernel and compare with the simulator
  hookwalk fuzz                      do the same with random labs
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    match words.split_first() {
        #[cfg(target_os = "linux")]
        Some((&"kernel", rest)) => kernel::main(rest),
        #[cfg(target_os = "linux")]
        Some((&"fuzz", rest)) => fuzz::main(rest),
        #[cfg(target_os = "linux")]
        Some((&"verify", rest)) => verify::main(rest),
        Some((&"run", rest)) => run::main(rest),
        Some((&"test", rest)) => test::main(rest),
        Some((&"new", rest)) => new::main(rest),
        Some((&"picture", rest)) => picture::main(rest),
        Some((&"export", rest)) => export::main(rest),
        Some((&"why", rest)) => why::main(rest),
        Some((&"compare", rest)) => compare::main(rest),
        Some((&("help" | "--help" | "-h"), _)) => {
            say(USAGE);
            ExitCode::SUCCESS
        }
        Some((&("--version" | "-V"), _)) => {
            say(&format!("hookwalk {}\n", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
        other => {
            if let Some((word, _)) = other {
                eprintln!("hookwalk: there is no command {word}");
            }
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Prints; whoever stopped reading (`| head`) wants no more.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
