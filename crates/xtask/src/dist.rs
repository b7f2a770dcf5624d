//! Everything that is given away: the site, the element, the single file, the npm package, and their checksums.
//!
//! The same source gives the same bytes, wherever it is built: see [`check`].

use crate::page;
use crate::run::{Done, command, read, root, say, show, www};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// `dist`, or `dist --check`.
pub(crate) fn main(args: &[&str]) -> Done {
    match args {
        [] => build(),
        ["--check"] => check(),
        _ => Err("usage: cargo xtask dist [--check]".to_owned()),
    }
}

/// Builds `dist/`: `site/` (with the element in `site/embed/`), `hookwalk.html`, `hookwalk-VERSION.tgz`, `snippet.html`,
/// `SHA256SUMS`.
fn build() -> Done {
    if std::env::var_os("HOOKWALK_QUICK").is_some() {
        return Err(
            "dist: HOOKWALK_QUICK builds are for work on the page; nothing of them is given away".to_owned()
        );
    }
    let site = address();
    say(&format!("dist: the site will say that its address is {site} (HOOKWALK_SITE)"));
    page::build_for(&site)?;
    say("dist: the single file");
    show(&mut command("npm", ["run", "--silent", "single"], &www()))?;
    let dist = root().join("dist");
    let _ = fs::remove_dir_all(&dist);
    copy(&www().join("dist"), &dist.join("site"))?;
    fs::create_dir_all(&dist).map_err(|e| format!("{}: {e}", dist.display()))?;
    write(&dist.join("hookwalk.html"), &read_file(&www().join("dist-single/hookwalk.html"))?)?;
    // Who embeds from this site names a version, so that the files never change under an integrity hash.
    let embed = dist.join("site/embed");
    copy(&www().join("dist/embed"), &embed.join(VERSION))?;
    say("dist: the npm package");
    package(&dist)?;
    say("dist: the snippet, and the compressed files beside the plain ones");
    show(command("node", ["scripts/finish.mjs", VERSION, &site], &www()).arg(&dist))?;
    say("dist: checksums");
    let files = list(&dist)?;
    let mut sums = command("sha256sum", &files, &dist);
    write(&dist.join("SHA256SUMS"), read(&mut sums)?.as_bytes())?;
    say(&format!("{} files are in dist/", files.len() + 1));
    Ok(())
}

/// The version of all that is given away.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The site's own address, with a slash at its end: what HOOKWALK_SITE says, else the repository's GitHub pages.
fn address() -> String {
    let given = std::env::var("HOOKWALK_SITE").unwrap_or_default();
    if !given.is_empty() {
        return format!("{}/", given.trim_end_matches('/'));
    }
    let repository = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/");
    let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
    format!("https://{owner}.github.io/{name}/")
}

/// The package that bundlers resolve: the ES module, its chunks and the wasm beside it.
fn package(dist: &Path) -> Done {
    let folder = dist.join("package");
    copy(&www().join("dist/embed"), &folder)?;
    for name in ["embed.html", "frame.js", "frame.css"] {
        let _ = fs::remove_file(folder.join(name));
    }
    let json = read_file(&www().join("src/embed/package.json"))?;
    let json = String::from_utf8_lossy(&json).replace("0.0.0", VERSION);
    write(&folder.join("package.json"), json.as_bytes())?;
    write(&folder.join("hookwalk.d.ts"), &read_file(&www().join("src/embed/hookwalk.d.ts"))?)?;
    write(&folder.join("README.md"), &read_file(&root().join("docs/EMBEDDING.md"))?)?;
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        write(&folder.join(name), &read_file(&root().join(name))?)?;
    }
    show(&mut command("npm", ["pack", "--silent", "--pack-destination", ".."], &folder))?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// Builds here, and once more in a copy that lies elsewhere and has nothing built yet; fails where a byte differs.
fn check() -> Done {
    build()?;
    let copy = std::env::temp_dir().join(format!("hookwalk-reproducible-{}", std::process::id()));
    let result = again(&copy).and_then(|()| {
        let sums = |at: &Path| {
            read_file(&at.join("dist/SHA256SUMS")).map(|s| String::from_utf8_lossy(&s).into_owned())
        };
        let (here, there) = (sums(&root())?, sums(&copy)?);
        let lines = |a: &str, b: &str| -> Vec<String> {
            a.lines()
                .filter(|l| !b.lines().any(|m| m == *l))
                .map(|l| l.split_whitespace().last().unwrap_or(l).to_owned())
                .collect()
        };
        let mut differ = lines(&here, &there);
        differ.extend(lines(&there, &here));
        differ.sort();
        differ.dedup();
        if differ.is_empty() {
            Ok(here.lines().count())
        } else {
            Err(format!("dist: two builds differ in {}", differ.join(", ")))
        }
    });
    let _ = fs::remove_dir_all(&copy);
    say(&format!("dist: two builds in two folders, {} files, every byte the same", result?));
    Ok(())
}

/// The second build: what git tracks, as it is here now, with folders of its own for all that is built.
fn again(copy: &Path) -> Done {
    say(&format!("dist: once more, in {}", copy.display()));
    let tracked = read(&mut command("git", ["ls-files", "-z"], &root()))?;
    for name in tracked.split('\0').filter(|n| !n.is_empty()) {
        let (from, to) = (root().join(name), copy.join(name));
        let parent = to.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        fs::create_dir_all(&parent).map_err(|e| format!("{}: {e}", parent.display()))?;
        // A file that was removed and not yet committed is no part of the build.
        if from.is_file() {
            fs::copy(&from, &to).map_err(|e| format!("{name}: {e}"))?;
        }
    }
    let this = std::env::current_exe().map_err(|e| format!("dist: {e}"))?;
    let mut second = command(&this.to_string_lossy(), ["dist"], copy);
    second.env("HOOKWALK_ROOT", copy).env("CARGO_TARGET_DIR", copy.join("target")).stdin(Stdio::null());
    show(&mut second)
}

fn read_file(path: &Path) -> Done<Vec<u8>> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Done {
    fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Done {
    let wrong = |e: std::io::Error| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(wrong)?;
    for entry in fs::read_dir(from).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(wrong)?;
        }
    }
    Ok(())
}

/// The files below `dist`, named from there, in order.
fn list(dist: &Path) -> Done<Vec<String>> {
    fn walk(folder: &Path, dist: &Path, files: &mut Vec<String>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                walk(&path, dist, files)?;
            } else if let Ok(name) = path.strip_prefix(dist) {
                files.push(name.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    walk(dist, dist, &mut files).map_err(|e| format!("{}: {e}", dist.display()))?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_site_has_an_address_of_its_own() {
        if std::env::var_os("HOOKWALK_SITE").is_none() {
            assert_eq!(super::address(), "https://hookwalk.github.io/hookwalk/");
        }
    }
}
