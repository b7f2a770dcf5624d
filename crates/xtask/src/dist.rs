//! Everything that is given away: the site, the element, the single file, the npm package, and their checksums.

use crate::page;
use crate::run::{Done, command, read, root, say, show, www};
use std::fs;
use std::path::Path;

/// Builds `dist/`: `site/` (with the element in `site/embed/`), `hookwalk.html`, `hookwalk-VERSION.tgz`, `SHA256SUMS`.
pub(crate) fn build() -> Done {
    page::build()?;
    say("dist: the single file");
    show(&mut command("npm", ["run", "--silent", "single"], &www()))?;
    let dist = root().join("dist");
    let _ = fs::remove_dir_all(&dist);
    copy(&www().join("dist"), &dist.join("site"))?;
    write(&dist.join("hookwalk.html"), &read_file(&www().join("dist-single/hookwalk.html"))?)?;
    say("dist: the npm package");
    package(&dist)?;
    say("dist: checksums");
    let mut files = Vec::new();
    list(&dist, &mut files)?;
    files.sort();
    let sums = read(command("sha256sum", &files, &dist).arg("--"))?;
    write(&dist.join("SHA256SUMS"), sums.as_bytes())?;
    say(&format!("{} files are in dist/", files.len() + 1));
    Ok(())
}

/// The package that bundlers resolve: the ES module, its chunks and the wasm beside it.
fn package(dist: &Path) -> Done {
    let version = env!("CARGO_PKG_VERSION");
    let folder = dist.join("package");
    copy(&dist.join("site/embed"), &folder)?;
    let json = format!(
        "{{\n  \"name\": \"hookwalk\",\n  \"version\": \"{version}\",\n  \"description\": \"A Linux box in a browser tab: netfilter, conntrack and NAT, step by step\",\n  \"license\": \"MIT OR Apache-2.0\",\n  \"type\": \"module\",\n  \"exports\": {{ \".\": {{ \"types\": \"./hookwalk.d.ts\", \"default\": \"./hookwalk.js\" }}, \"./hookwalk_bg.wasm\": \"./hookwalk_bg.wasm\", \"./classic\": \"./hookwalk.classic.js\" }},\n  \"sideEffects\": true\n}}\n"
    );
    write(&folder.join("package.json"), json.as_bytes())?;
    write(&folder.join("hookwalk.d.ts"), include_bytes!("../../../www/src/embed/hookwalk.d.ts"))?;
    write(&folder.join("README.md"), &read_file(&root().join("docs/EMBEDDING.md"))?)?;
    show(&mut command("npm", ["pack", "--silent", "--pack-destination", ".."], &folder))?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
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

/// The files below a folder, named from `dist`.
fn list(dist: &Path, files: &mut Vec<String>) -> Done {
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
    walk(dist, dist, files).map_err(|e| format!("{}: {e}", dist.display()))
}
