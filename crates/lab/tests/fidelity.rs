//! docs/FIDELITY.md says what proves each claim: labs that must be there, with a kernel's transcript.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn named() -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/FIDELITY.md")).expect("docs/FIDELITY.md");
    page.split('`')
        .filter_map(|word| word.strip_prefix("labs/"))
        .filter(|word| !word.is_empty())
        .filter(|word| !matches!(*word, "facts" | "extensions"))
        .map(str::to_string)
        .collect()
}

#[test]
fn every_lab_that_is_named_is_there_with_its_transcript() {
    let named = named();
    assert!(named.len() > 30, "only {} labs are named", named.len());
    for lab in named {
        let name = lab.rsplit('/').next().unwrap_or(&lab);
        let file = |end: &str| root().join("labs").join(&lab).join(format!("{name}.{end}"));
        let text = std::fs::read_to_string(file("lab")).unwrap_or_else(|e| panic!("{lab}: {e}"));
        // What a kernel cannot be made to show at will has expectations instead of a transcript.
        let recorded = file("kernel").is_file() && file("versions").is_file();
        assert!(recorded || text.contains("\nexpect "), "{lab} has neither a transcript nor an expectation");
    }
}

#[test]
fn every_lab_of_facts_is_named() {
    let named = named();
    for folder in ["facts", "extensions"] {
        for entry in std::fs::read_dir(root().join("labs").join(folder)).expect("the folder") {
            let name = format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy());
            assert!(named.contains(&name), "docs/FIDELITY.md does not name labs/{name}");
        }
    }
}
