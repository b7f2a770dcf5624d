//! `cargo xtask kernel`: records the repository's labs on this machine's Linux kernel and compares, so that no transcript
//! is stale or invented. Installs nothing; what is missing is said in one line.

use crate::run::{Done, command, root, say, show};

/// Verifies `labs/`, or the paths that are given.
pub(crate) fn verify(args: &[&str]) -> Done {
    if !cfg!(target_os = "linux") {
        return Err("the kernel that judges the labs is Linux: run this there, as root".to_owned());
    }
    say("the labs on this machine's kernel");
    let mut all = vec!["run", "--quiet", "--locked", "--package", "hookwalk-cli", "--", "verify"];
    all.extend_from_slice(args);
    if args.iter().all(|a| a.starts_with('-')) {
        all.push("labs");
    }
    show(&mut command("cargo", all, &root()))
}
