//! Labs about what tools print, each with the transcript that a kernel gave beside it.

use hookwalk_lab::run::Run;
use hookwalk_lab::{compare, parse};
use std::path::Path;
use std::sync::Arc;

#[test]
fn agree_with_the_kernel() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut labs = 0;
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "lab") {
            continue;
        }
        let (lab, diagnostics) = parse(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(diagnostics, [], "{}", path.display());
        let kernel = std::fs::read_to_string(path.with_extension("kernel")).unwrap();
        let run = Run::to_end(Arc::new(lab.clone()));
        assert!(run.failures.is_empty(), "{}: {:?}", path.display(), run.failures);
        let differences = compare(&kernel, &run.transcript().to_string(), Some(&lab));
        assert!(differences.is_empty(), "{}: {differences:?}", path.display());
        labs += 1;
    }
    assert!(labs > 0);
}
