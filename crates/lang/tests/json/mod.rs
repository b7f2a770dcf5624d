//! As much JSON as the tests read.

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Json {
    /// null, and what is missing.
    Null,
    /// true, false.
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Names and values.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of a name.
    pub(crate) fn get(&self, key: &str) -> &Json {
        match self {
            Json::Object(pairs) => pairs.iter().find(|(k, _)| k == key).map_or(&Json::Null, |(_, v)| v),
            _ => &Json::Null,
        }
    }
    /// The string; empty where it is none.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Json::String(s) => s,
            _ => "",
        }
    }
    /// Is it true?
    pub(crate) fn as_bool(&self) -> bool {
        *self == Json::Bool(true)
    }
}

/// Reads a text that is known to be JSON.
pub(crate) fn parse(text: &str) -> Json {
    let bytes = text.as_bytes();
    let mut at = 0;
    value(text, bytes, &mut at)
}

fn blanks(bytes: &[u8], at: &mut usize) {
    while bytes.get(*at).is_some_and(u8::is_ascii_whitespace) {
        *at += 1;
    }
}

fn value(text: &str, bytes: &[u8], at: &mut usize) -> Json {
    blanks(bytes, at);
    match bytes[*at] {
        b'{' => {
            let mut pairs = Vec::new();
            *at += 1;
            loop {
                blanks(bytes, at);
                match bytes[*at] {
                    b'}' => break,
                    b',' => *at += 1,
                    _ => {
                        let Json::String(key) = value(text, bytes, at) else { panic!("key at {at}") };
                        blanks(bytes, at);
                        assert_eq!(bytes[*at], b':');
                        *at += 1;
                        pairs.push((key, value(text, bytes, at)));
                    }
                }
            }
            *at += 1;
            Json::Object(pairs)
        }
        b'[' => {
            let mut items = Vec::new();
            *at += 1;
            loop {
                blanks(bytes, at);
                match bytes[*at] {
                    b']' => break,
                    b',' => *at += 1,
                    _ => items.push(value(text, bytes, at)),
                }
            }
            *at += 1;
            Json::Array(items)
        }
        b'"' => {
            let mut out = String::new();
            *at += 1;
            loop {
                let rest = &text[*at..];
                let c = rest.chars().next().expect("string ends");
                *at += c.len_utf8();
                match c {
                    '"' => break,
                    '\\' => {
                        let e = bytes[*at];
                        *at += 1;
                        match e {
                            b'n' => out.push('\n'),
                            b't' => out.push('\t'),
                            b'r' => out.push('\r'),
                            b'u' => {
                                let code = u32::from_str_radix(&text[*at..*at + 4], 16).expect("hex");
                                *at += 4;
                                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                            }
                            other => out.push(other as char),
                        }
                    }
                    c => out.push(c),
                }
            }
            Json::String(out)
        }
        b't' => {
            *at += 4;
            Json::Bool(true)
        }
        b'f' => {
            *at += 5;
            Json::Bool(false)
        }
        b'n' => {
            *at += 4;
            Json::Null
        }
        _ => {
            let from = *at;
            while bytes.get(*at).is_some_and(|b| b"+-.eE0123456789".contains(b)) {
                *at += 1;
            }
            Json::Number(text[from..*at].to_string())
        }
    }
}
