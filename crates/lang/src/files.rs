//! `cat`, for the files of /proc that the model has.

use crate::output::Output;
use crate::shell::Word;
use crate::{conntrack, sysctl};
use hookwalk_engine::Host;

/// Runs `cat`.
pub fn cat(host: &mut Host, argv: &[Word]) -> Output {
    let mut out = Output::default();
    if argv.len() < 2 {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("cat without a file is not simulated", span);
    }
    for word in &argv[1..] {
        let path = word.text.as_str();
        if path.starts_with('-') {
            return Output::refuse(format!("cat {path} is not simulated"), word.span.clone());
        }
        let text = match path {
            "/proc/net/nf_conntrack" => Some(conntrack::proc_file(host)),
            "/proc/net/nf_conntrack_expect" => Some(conntrack::proc_expect_file(host)),
            _ => sysctl::cat(host, path),
        };
        match text {
            Some(text) => out.stdout.push_str(&text),
            None if sysctl::is_real(host, path)
                || !path.starts_with("/proc/sys/") && path.starts_with("/proc/") =>
            {
                return Output::refuse(format!("the file {path} is not simulated"), word.span.clone());
            }
            None => {
                out.error_line(&format!("cat: {path}: No such file or directory"));
                out.exit = 1;
            }
        }
    }
    out
}
