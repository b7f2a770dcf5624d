//! Every lab of the repository agrees with its kernel's transcript, and so do the reference labs where they lie beside
//! the checkout (`../shared/labs`).

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `hookwalk test` and gives how many passed and failed, and what was said.
fn test(path: &Path) -> (u32, u32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hookwalk")).arg("test").arg(path).output().expect("hookwalk runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rev().find(|l| l.contains(" passed, ")).unwrap_or_default();
    let numbers: Vec<u32> =
        last.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let (passed, failed) =
        (numbers.first().copied().unwrap_or(0), numbers.get(1).copied().unwrap_or(u32::MAX));
    (passed, failed, text)
}

#[test]
fn the_repository_s_labs_agree() {
    let (passed, failed, text) = test(&root().join("labs"));
    assert!(passed > 90, "only {passed} labs were found");
    assert_eq!(failed, 0, "{text}");
}

#[test]
fn reference_labs_agree_where_they_are() {
    let shared = root().join("../shared/labs");
    if !shared.is_dir() {
        eprintln!("skipped: {} is not there", shared.display());
        return;
    }
    for (folder, may_fail) in [
        ("random", 0),
        ("ipv6", 0),
        // ICMP redirects are metered by the clock of the machine that recorded: one lies on the edge.
        ("real", 1),
    ] {
        let (passed, failed, text) = test(&shared.join(folder));
        eprintln!("{folder}: {passed} agree, {failed} do not");
        assert!(passed > 0 && failed <= may_fail, "{folder}: {text}");
    }
}
