//! Builds and serves the page.

use crate::run::{Done, command, say, show, www};
use crate::sheet::Sheet;
use crate::wasm;
use std::path::Path;
use std::process::Stdio;

/// The port of the README.
const PORT: &str = "4173";

/// Builds everything into `www/dist`.
pub(crate) fn build() -> Done {
    build_for(&std::env::var("HOOKWALK_SITE").unwrap_or_default())
}

/// The same, for a site whose address is known: canonical links and previews need it.
pub(crate) fn build_for(site: &str) -> Done {
    let sheet = Sheet::read()?;
    // npm downloads while cargo compiles.
    let npm = std::thread::spawn(install);
    let wasm = wasm::build(&sheet);
    npm.join().map_err(|_| "npm: the thread that ran it failed".to_owned())??;
    wasm?;
    say("page: build");
    show(command("npm", ["run", "--silent", "build"], &www()).env("HOOKWALK_SITE", site))?;
    say("page: build the element that others embed");
    show(&mut command("npm", ["run", "--silent", "embed"], &www()))
}

/// Builds and serves until interrupted.
pub(crate) fn serve(args: &[&str]) -> Done {
    let port = match args {
        [] => PORT,
        ["--port", port] => port,
        _ => return Err("usage: cargo xtask serve [--port N]".to_owned()),
    };
    build()?;
    say(&format!("the page is at http://localhost:{port}/  (Ctrl-C ends it)"));
    let args = ["run", "--silent", "preview", "--", "--strictPort", "--port", port];
    show(&mut command("npm", args, &www()))
}

/// `npm ci`, unless what is installed is what the lock says.
pub(crate) fn install() -> Done {
    let www = www();
    // npm writes this file last; it is as new as the lock when nothing changed since.
    let stamp = www.join("node_modules/.package-lock.json");
    if newer(&stamp, &www.join("package-lock.json")) && newer(&stamp, &www.join("package.json")) {
        return Ok(());
    }
    say("page: fetch the packages of www/package-lock.json");
    let mut npm = command("npm", ["ci", "--no-audit", "--no-fund"], &www);
    show(npm.stdin(Stdio::null()))
}

/// Is the first file at least as new as the second?
fn newer(a: &Path, b: &Path) -> bool {
    let time = |p: &Path| p.metadata().and_then(|m| m.modified()).ok();
    match (time(a), time(b)) {
        (Some(a), Some(b)) => a >= b,
        _ => false,
    }
}
