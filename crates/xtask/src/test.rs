//! Runs every test there is, and counts them.

use crate::run::{Done, command, root, say, show, there_is, www};
use crate::sheet::Sheet;
use crate::{page, size};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// One kind of tests and how it went.
struct Part {
    name: &'static str,
    summary: String,
    ok: bool,
}

/// Every test: native, wasm, types, units, the page in the browsers. `--native` and `--page` run one half.
pub(crate) fn all(args: &[&str]) -> Done {
    let (native, page) = match args {
        [] => (true, true),
        ["--native"] => (true, false),
        ["--page"] => (false, true),
        _ => return Err("usage: cargo xtask test [--native | --page]".to_owned()),
    };
    let mut parts = Vec::new();
    if native {
        say("test: native");
        let args = ["test", "--locked", "--workspace", "--exclude", "hookwalk-wasm"];
        let (lines, ok) = tee(&mut command("cargo", args, &root()))?;
        parts.push(Part { name: "native", summary: cargo_counts(&lines), ok });
    }
    if page {
        page::build()?;
        let sheet = Sheet::read()?;
        parts.push(part("sizes", size::check(&sheet)));
        say("test: types");
        parts.push(part("types", show(&mut command("npm", ["run", "--silent", "check"], &www()))));
        say("test: units");
        let (lines, ok) = tee(&mut command("npm", ["run", "--silent", "unit"], &www()))?;
        parts.push(Part { name: "units", summary: last_with(&lines, "Tests "), ok });
        say("test: wasm and the page in browsers");
        let browsers = browsers()?;
        let mut e2e = command("npm", ["run", "--silent", "e2e"], &www());
        e2e.envs(browsers);
        let (lines, ok) = tee(&mut e2e)?;
        parts.push(Part { name: "browsers", summary: playwright_counts(&lines), ok });
    }
    say("tests");
    for part in &parts {
        let mark = if part.ok { "ok  " } else { "FAIL" };
        eprintln!("   {mark} {:9} {}", part.name, part.summary);
    }
    if parts.iter().all(|p| p.ok) { Ok(()) } else { Err("some tests failed".to_owned()) }
}

/// Format and lint.
pub(crate) fn tidy() -> Done {
    say("tidy");
    show(&mut command("cargo", ["fmt", "--all", "--check"], &root()))?;
    let args = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    show(&mut command("cargo", args, &root()))
}

fn part(name: &'static str, done: Done) -> Part {
    match done {
        Ok(()) => Part { name, summary: String::new(), ok: true },
        Err(why) => Part { name, summary: why, ok: false },
    }
}

/// Runs it, shows its standard output and keeps it.
fn tee(command: &mut Command) -> Done<(Vec<String>, bool)> {
    eprintln!("   {}", crate::run::line_of(command));
    let mut child = command
        .env("NO_COLOR", "1")
        .env_remove("FORCE_COLOR")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let mut lines = Vec::new();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            println!("{line}");
            lines.push(line);
        }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((lines, status.success()))
}

/// Sums the `test result:` lines of cargo.
fn cargo_counts(lines: &[String]) -> String {
    let (mut passed, mut failed) = (0_u64, 0_u64);
    for line in lines {
        let Some(rest) = line.strip_prefix("test result: ") else { continue };
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            let count = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => passed += count,
                Some("failed") => failed += count,
                _ => {}
            }
        }
    }
    format!("{passed} passed, {failed} failed")
}

/// The last line that holds the word.
fn last_with(lines: &[String], word: &str) -> String {
    lines.iter().rev().find(|l| l.contains(word)).map(|l| l.trim().to_owned()).unwrap_or_default()
}

/// Playwright ends with lines like `10 passed (20s)` and `2 failed`.
fn playwright_counts(lines: &[String]) -> String {
    let counts: Vec<&str> = lines
        .iter()
        .map(|l| l.trim())
        .filter(|l| {
            let mut words = l.split(' ');
            words.next().is_some_and(|w| w.parse::<u32>().is_ok())
                && words.next().is_some_and(|w| matches!(w, "passed" | "failed" | "flaky" | "skipped"))
        })
        .collect();
    counts.join(", ")
}

/// A browser that the tests drive.
struct Browser {
    /// What it is called in messages and in Playwright.
    name: &'static str,
    /// The variable that tells the tests where it is.
    variable: &'static str,
    /// Where systems have it.
    programs: &'static [&'static str],
    /// Debian's package.
    package: &'static str,
}

const BROWSERS: [Browser; 2] = [
    Browser {
        name: "chromium",
        variable: "HOOKWALK_CHROMIUM",
        programs: &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
        package: "chromium",
    },
    Browser {
        name: "firefox",
        variable: "HOOKWALK_FIREFOX",
        programs: &["/usr/bin/firefox-esr", "/usr/bin/firefox"],
        package: "firefox-esr",
    },
];

/// Finds the browsers: the system's, else apt's as root, else Playwright's own download, else one line that says what
/// to install. Gives the variables that the tests read; none for a browser of Playwright's.
fn browsers() -> Done<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    for browser in &BROWSERS {
        if let Ok(path) = std::env::var(browser.variable) {
            found.push((browser.variable, path));
            continue;
        }
        if let Some(path) = system(browser) {
            found.push((browser.variable, path));
            continue;
        }
        if is_root() && there_is("apt-get") {
            say(&format!("{}: install it with apt", browser.name));
            let mut update = command("apt-get", ["update", "-q"], &root());
            let mut install = command(
                "apt-get",
                ["install", "-y", "-q", "--no-install-recommends", browser.package],
                &root(),
            );
            install.env("DEBIAN_FRONTEND", "noninteractive");
            let done = show(&mut update).and_then(|()| show(&mut install));
            if let (Ok(()), Some(path)) = (done, system(browser)) {
                found.push((browser.variable, path));
                continue;
            }
        }
        say(&format!("{}: let Playwright download it", browser.name));
        show(&mut command("npx", ["playwright", "install", browser.name], &www()))
            .map_err(|_| format!("The page's tests need {0}: apt-get install {0}", browser.package))?;
    }
    Ok(found)
}

fn system(browser: &Browser) -> Option<String> {
    browser.programs.iter().find(|p| std::path::Path::new(p).exists()).map(|p| (*p).to_owned())
}

fn is_root() -> bool {
    crate::run::read(&mut command("id", ["-u"], &root())).is_ok_and(|out| out.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::{cargo_counts, playwright_counts};

    #[test]
    fn counts_what_cargo_and_playwright_say() {
        let lines =
            ["test result: ok. 3 passed; 1 failed; 0 ignored", "x", "test result: ok. 4 passed; 0 failed"];
        assert_eq!(cargo_counts(&lines.map(str::to_owned)), "7 passed, 1 failed");
        let lines = ["  10 passed (26.8s)", "  12 tests", "  1 failed"];
        assert_eq!(playwright_counts(&lines.map(str::to_owned)), "10 passed (26.8s), 1 failed");
    }
}
