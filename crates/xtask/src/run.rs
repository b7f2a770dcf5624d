//! Starts other programs: says what it starts, shows what they print, and says how long they took.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What every command gives back: nothing, or one message for people.
pub(crate) type Done<T = ()> = Result<T, String>;

/// The repository's top folder; HOOKWALK_ROOT names another copy of it, as the check of reproducibility does.
pub(crate) fn root() -> PathBuf {
    if let Some(copy) = std::env::var_os("HOOKWALK_ROOT") {
        return copy.into();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of the page.
pub(crate) fn www() -> PathBuf {
    root().join("www")
}

/// A headline in the output, so that it is plain what takes the time.
pub(crate) fn say(what: &str) {
    eprintln!("\n== {what}");
}

/// A program to be started in a folder.
pub(crate) fn command<I, S>(program: &str, args: I, dir: &Path) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    command
}

/// Runs it with its output shown.
pub(crate) fn show(command: &mut Command) -> Done {
    let began = Instant::now();
    let line = line_of(command);
    eprintln!("   {line}");
    let status = command.status().map_err(|e| cannot_start(&line, &e))?;
    if !status.success() {
        return Err(format!("failed: {line} ({status})"));
    }
    let took = began.elapsed().as_secs_f32();
    if took > 2.0 {
        eprintln!("   done in {took:.0} s");
    }
    Ok(())
}

/// Runs it and gives what it printed to standard output.
pub(crate) fn read(command: &mut Command) -> Done<String> {
    let line = line_of(command);
    let out = command.stderr(Stdio::inherit()).output().map_err(|e| cannot_start(&line, &e))?;
    if !out.status.success() {
        return Err(format!("failed: {line} ({})", out.status));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Is there a program of this name?
pub(crate) fn there_is(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The command as one would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

fn cannot_start(line: &str, error: &std::io::Error) -> String {
    let program = line.split(' ').next().unwrap_or(line);
    let hint = match program {
        "npm" | "node" | "npx" => ": install Node 20.19 or later (https://nodejs.org)",
        "rustup" | "cargo" => ": install rustup (https://rustup.rs)",
        _ => "",
    };
    format!("cannot start `{line}`: {error}{hint}")
}
