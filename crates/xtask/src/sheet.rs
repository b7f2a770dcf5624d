//! Reads `wasm-pack.toml`, the build sheet of the wasm package, and checks it against `Cargo.lock`.
//!
//! The sheet is plain enough (sections, `key = "text"`, `key = number`) to be read without a TOML crate.

use crate::run::{Done, root};
use std::path::PathBuf;

/// The build sheet.
#[derive(Debug)]
pub(crate) struct Sheet {
    values: Vec<(String, String)>,
}

impl Sheet {
    /// Reads the sheet and checks its versions.
    pub(crate) fn read() -> Done<Sheet> {
        let path = root().join("wasm-pack.toml");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let sheet = Sheet { values: parse(&text).map_err(|e| format!("{}:{e}", path.display()))? };
        sheet.check_versions()?;
        Ok(sheet)
    }

    /// A value of the sheet, named `section.key`.
    pub(crate) fn get(&self, key: &str) -> Done<&str> {
        let found = self.values.iter().find(|(k, _)| k == key);
        found.map(|(_, v)| v.as_str()).ok_or_else(|| format!("wasm-pack.toml: `{key}` is missing"))
    }

    /// A number of the sheet.
    pub(crate) fn number(&self, key: &str) -> Done<u64> {
        self.get(key)?.parse().map_err(|_| format!("wasm-pack.toml: `{key}` is not a number"))
    }

    /// A path of the sheet, from the repository's top folder.
    pub(crate) fn path(&self, key: &str) -> Done<PathBuf> {
        Ok(root().join(self.get(key)?))
    }

    fn check_versions(&self) -> Done {
        let path = root().join("Cargo.lock");
        let lock = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for (key, wanted) in &self.values {
            let Some(name) = key.strip_prefix("versions.") else { continue };
            match locked(&lock, name) {
                Some(found) if found == wanted => {}
                Some(found) => {
                    return Err(format!(
                        "wasm-pack.toml pins {name} {wanted}, Cargo.lock has {found}: change one of them"
                    ));
                }
                None => return Err(format!("wasm-pack.toml pins {name}, which Cargo.lock does not have")),
            }
        }
        Ok(())
    }
}

/// The version of a package in the text of a Cargo.lock.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("name = \"{name}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == wanted)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// `section.key` and value of every line; the error begins with the line's number.
fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut section = String::new();
    let mut values = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let bad = || format!("{}: not a line of the form `key = value`", number + 1);
        let (key, rest) = line.split_once('=').ok_or_else(bad)?;
        let rest = rest.trim();
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(bad)?.0,
            None => rest.split('#').next().unwrap_or(rest).trim(),
        };
        values.push((format!("{section}.{}", key.trim()), value.to_owned()));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::{locked, parse};

    #[test]
    fn reads_sections_texts_and_numbers() {
        let got = parse("# c\n[a]\nx = \"1.2\" # c\n\n[b]\ny = 7 # c\n").unwrap_or_default();
        assert_eq!(got, [("a.x".to_owned(), "1.2".to_owned()), ("b.y".to_owned(), "7".to_owned())]);
        assert_eq!(parse("[a]\nnonsense"), Err("2: not a line of the form `key = value`".to_owned()));
    }

    #[test]
    fn finds_a_version_in_a_lock() {
        let lock = "[[package]]\nname = \"serde\"\nversion = \"1.0.2\"\n";
        assert_eq!(locked(lock, "serde"), Some("1.0.2"));
        assert_eq!(locked(lock, "serd"), None);
    }
}
