//! Makes the wasm package: cargo compiles, the library behind the `wasm-bindgen` command binds.

use crate::run::{Done, command, read, root, say, show};
use crate::sheet::Sheet;
use std::path::Path;

/// Builds the crate named by the sheet and writes the package for the page.
pub(crate) fn build(sheet: &Sheet) -> Done {
    build_as(sheet, sheet.get("package.crate")?, sheet.get("package.name")?, &sheet.path("package.out-dir")?)
}

/// Builds a crate as the sheet has it, and writes the package under a name into a folder.
pub(crate) fn build_as(sheet: &Sheet, package: &str, name: &str, out: &Path) -> Done {
    say(&format!("wasm: compile {package}"));
    let target = sheet.get("package.target")?;
    have_target(target)?;
    // While one works on the page, a build of seconds is worth more than a small one.
    let quick = std::env::var_os("HOOKWALK_QUICK").is_some();
    let profile = if quick { "wasm-quick" } else { sheet.get("package.profile")? };
    let args = ["build", "--locked", "--lib", "--package", package, "--target", target, "--profile", profile];
    let mut cargo = command("cargo", args, &root());
    if !quick {
        cargo.arg("--config").arg(paths(target)?);
    }
    show(&mut cargo)?;

    say("wasm: bind");
    let file = format!("{}.wasm", package.replace('-', "_"));
    let input = target_dir().join(target).join(profile).join(file);
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    // Names and producers are for debuggers; without them the wasm is a quarter smaller.
    bindgen.input_path(&input).out_name(name).typescript(true);
    bindgen.remove_name_section(true).remove_producers_section(true).omit_default_module_path(true);
    bindgen.web(true).map_err(|e| e.to_string())?;
    bindgen.generate(out).map_err(|e| format!("{}: {e:#}", input.display()))?;
    eprintln!("   {}", out.display());
    Ok(())
}

/// Cargo's setting that writes neutral paths into the wasm (a panic names its file): the same source gives the same bytes
/// wherever it lies, and nobody's folders are given away.
fn paths(target: &str) -> Done<String> {
    let about = read(&mut command("rustc", ["-vV"], &root()))?;
    let commit = about.lines().find_map(|l| l.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let sysroot = read(&mut command("rustc", ["--print", "sysroot"], &root()))?;
    let home = |name: &str, folder: &str| {
        let user = || std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(folder));
        std::env::var_os(name).map(Into::into).or_else(user).unwrap_or_default()
    };
    let cargo: std::path::PathBuf = home("CARGO_HOME", ".cargo");
    let flags: Vec<String> = [
        (root().display().to_string(), "/hookwalk".to_owned()),
        (cargo.display().to_string(), "/cargo".to_owned()),
        // Where the sources of the standard library are installed, rustc names them by their place there.
        (format!("{}/lib/rustlib/src/rust", sysroot.trim()), format!("/rustc/{commit}")),
    ]
    .into_iter()
    .map(|(from, to)| format!("{:?}", format!("--remap-path-prefix={from}={to}")))
    .collect();
    Ok(format!("target.{target}.rustflags=[{}]", flags.join(",")))
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Adds the wasm target where rustup has not got it yet.
fn have_target(target: &str) -> Done {
    // Without rustup (a distribution's Rust) cargo itself says what is missing.
    let Ok(installed) = read(&mut command("rustup", ["target", "list", "--installed"], &root())) else {
        return Ok(());
    };
    if installed.lines().any(|line| line == target) {
        return Ok(());
    }
    show(&mut command("rustup", ["target", "add", target], &root()))
}
