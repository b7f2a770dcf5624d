//! Weighs what the browser downloads on first load against the budgets of `wasm-pack.toml`.

use crate::run::{Done, command, read, say, www};
use crate::sheet::Sheet;

/// Prints the sizes of `www/dist` and fails where one is above its budget.
pub(crate) fn check(sheet: &Sheet) -> Done {
    say("size: first load, gzip -9");
    let dist = www().join("dist");
    if !dist.is_dir() {
        return Err("size: there is no www/dist; run `cargo xtask build` first".to_owned());
    }
    // Node has gzip in it; one line a kind: name, raw bytes, compressed bytes.
    let out = read(&mut command("node", ["scripts/size.mjs"], &www()))?;
    let mut over = Vec::new();
    for line in out.lines() {
        let mut words = line.split(' ');
        let (Some(kind), Some(raw), Some(gzip)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let budget = sheet.number(&format!("budget.{kind}"))?;
        let gzip: u64 = gzip.parse().map_err(|_| format!("size: cannot read `{line}`"))?;
        eprintln!("   {kind:8} {raw:>9} bytes, {gzip:>8} compressed, budget {budget:>8}");
        if gzip > budget {
            over.push(kind.to_owned());
        }
    }
    if over.is_empty() { Ok(()) } else { Err(format!("size: above the budget: {}", over.join(", "))) }
}
