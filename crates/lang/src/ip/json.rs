//! JSON as `ip -j` writes it: one line, no blanks.

/// An object while it is written.
pub(super) struct Json {
    text: String,
}

impl Json {
    pub(super) fn object() -> Json {
        Json { text: String::new() }
    }
    fn key(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(&quoted(name));
        self.text.push(':');
    }
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        self.text.push_str(&quoted(value));
    }
    pub(super) fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        self.text.push_str(&value.to_string());
    }
    pub(super) fn flag(&mut self, name: &str) {
        self.key(name);
        self.text.push_str("true");
    }
    /// `null`, which iproute2 writes for a word without a value.
    pub(super) fn null(&mut self, name: &str) {
        self.key(name);
        self.text.push_str("null");
    }
    pub(super) fn list(&mut self, name: &str, values: &[&str]) {
        self.key(name);
        let values: Vec<String> = values.iter().map(|v| quoted(v)).collect();
        self.text.push_str(&format!("[{}]", values.join(",")));
    }
    pub(super) fn objects(&mut self, name: &str, values: Vec<Json>) {
        self.key(name);
        self.text.push_str(&Json::array(values));
    }
    /// `[{…},{…}]`.
    pub(super) fn array(values: Vec<Json>) -> String {
        let values: Vec<String> = values.into_iter().map(|v| format!("{{{}}}", v.text)).collect();
        format!("[{}]", values.join(","))
    }
}

/// Names that are printed are plain; what is not is escaped all the same.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
