//! Words of a command line, split as a POSIX shell splits a simple command (XCU 2.2, 2.3): blanks, backslashes, single
//! and double quotes, comments, and `<<WORD`. What a shell would do besides is an error here, not a guess.

use crate::diagnostic::Diagnostic;
use std::ops::Range;

/// A word after quotes are gone, and the bytes of the line that it was written in, quotes included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Word {
    /// A word that stands nowhere (made by a program).
    pub fn new(text: impl Into<String>) -> Word {
        Word { text: text.into(), span: 0..0 }
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// A simple command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandLine {
    /// The words; the first is the command's name.
    pub words: Vec<Word>,
    /// `<<WORD`: the following lines up to this word are the standard input.
    pub heredoc: Option<Word>,
}

/// Splits one line. `line` is its number in the file, for the message of the error.
///
/// # Errors
/// An open quote, and everything that needs a shell: pipes, lists, redirections but `<<`, variables, substitutions.
pub fn split(text: &str, line: u32) -> Result<CommandLine, Box<Diagnostic>> {
    split_from(text, 0, line)
}

/// Splits from byte `from` to the end of the line; spans and columns count from the line's beginning.
///
/// # Errors
/// As [`split`].
pub fn split_from(text: &str, from: usize, line: u32) -> Result<CommandLine, Box<Diagnostic>> {
    let error = |span: Range<usize>, message: &str, hint: &str| {
        Box::new(Diagnostic::new(line, text, span, message).hint(hint))
    };
    let mut command = CommandLine::default();
    let mut chars = text.char_indices().skip_while(|(i, _)| *i < from).peekable();
    let mut word: Option<Word> = None;
    // What `<<` waits for: its word is not one of the command's.
    let mut heredoc_at: Option<usize> = None;
    loop {
        let next = chars.next();
        let (at, c) = match next {
            None | Some((_, ' ' | '\t' | '\r' | '\n')) => {
                if let Some(mut done) = word.take() {
                    done.span.end = next.map_or(text.len(), |(i, _)| i);
                    match heredoc_at.take() {
                        Some(_) => command.heredoc = Some(done),
                        None => command.words.push(done),
                    }
                }
                if next.is_none() {
                    break;
                }
                continue;
            }
            Some(pair) => pair,
        };
        let quoted = |at: usize, what: &str| error(at..at + 1, what, "quote it if it belongs to a word");
        match c {
            '#' if word.is_none() => while chars.next().is_some() {},
            '<' if word.is_none() && heredoc_at.is_none() && matches!(chars.peek(), Some((_, '<'))) => {
                chars.next();
                if command.heredoc.is_some() {
                    return Err(error(at..at + 2, "a second <<", "a command has one standard input"));
                }
                heredoc_at = Some(at);
            }
            '|' | ';' | '&' | '<' | '>' | '(' | ')' => {
                return Err(quoted(at, "one simple command a line: no pipes, lists or redirections"));
            }
            '`' => return Err(quoted(at, "no command substitution")),
            '$' if matches!(chars.peek(), Some((_, n)) if n.is_ascii_alphanumeric() || "_({?@*#!$-".contains(*n)) =>
            {
                return Err(quoted(at, "no variables"));
            }
            _ => {
                let word = word.get_or_insert_with(|| Word { text: String::new(), span: at..at });
                match c {
                    '\\' => match chars.next() {
                        Some((_, escaped)) => word.text.push(escaped),
                        None => {
                            return Err(error(
                                at..at + 1,
                                "a backslash ends the line",
                                "write the command on one line",
                            ));
                        }
                    },
                    '\'' => loop {
                        match chars.next() {
                            Some((_, '\'')) => break,
                            Some((_, inner)) => word.text.push(inner),
                            None => {
                                return Err(error(
                                    at..text.len(),
                                    "unterminated quoted string",
                                    "add the closing '",
                                ));
                            }
                        }
                    },
                    '"' => loop {
                        match chars.next() {
                            Some((_, '"')) => break,
                            // Within double quotes a backslash quotes only these; before others it stays.
                            Some((_, '\\')) => match chars.next() {
                                Some((_, e @ ('$' | '`' | '"' | '\\'))) => word.text.push(e),
                                Some((_, other)) => word.text.extend(['\\', other]),
                                None => {
                                    return Err(error(
                                        at..text.len(),
                                        "unterminated quoted string",
                                        "add the closing \"",
                                    ));
                                }
                            },
                            Some((i, '`')) => {
                                return Err(error(i..i + 1, "no command substitution", "use single quotes"));
                            }
                            Some((i, '$')) if matches!(chars.peek(), Some((_, n)) if n.is_ascii_alphanumeric() || "_({?@*#!$-".contains(*n)) =>
                            {
                                return Err(error(i..i + 1, "no variables", "use single quotes"));
                            }
                            Some((_, inner)) => word.text.push(inner),
                            None => {
                                return Err(error(
                                    at..text.len(),
                                    "unterminated quoted string",
                                    "add the closing \"",
                                ));
                            }
                        }
                    },
                    _ => word.text.push(c),
                }
            }
        }
    }
    if let Some(at) = heredoc_at {
        return Err(error(at..at + 2, "<< needs a word", "for example <<EOF"));
    }
    Ok(command)
}

/// A word as a shell would take it back: as it is where that is safe, else in single quotes.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%^!~*?[]{}".contains(c) || !c.is_ascii();
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let command = split(line, 1).unwrap_or_else(|d| panic!("{line}: {d}"));
        let words: Vec<&str> = command.words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(words, expected, "{line}");
    }

    fn check_error(line: &str, expected: &str) {
        assert_eq!(split(line, 1).unwrap_err().to_string(), expected, "{line}");
    }

    #[test]
    fn words() {
        check("ip  addr\tshow", &["ip", "addr", "show"]);
        check("a 'b c' \"d e\" f\\ g ''", &["a", "b c", "d e", "f g", ""]);
        check(r#"x "a\"b\\c\d" 'a\b'"#, &["x", r#"a"b\c\d"#, r"a\b"]);
        check("a# b # c d", &["a#", "b"]);
        check("! -s 10.0.0.0/8 $ 5$", &["!", "-s", "10.0.0.0/8", "$", "5$"]);
        check("--comment '数 据'", &["--comment", "数 据"]);
        check("", &[]);
    }

    #[test]
    fn heredoc_is_not_a_word() {
        let command = split("iptables-restore <<EOF", 1).unwrap();
        assert_eq!(command.words.len(), 1);
        assert_eq!(command.heredoc.unwrap().text, "EOF");
        let command = split("iptables-restore << 'E F' -n", 1).unwrap();
        assert_eq!(command.words.len(), 2);
        assert_eq!(command.heredoc.unwrap().text, "E F");
    }

    #[test]
    fn errors() {
        check_error(
            "a | b",
            "1:3: one simple command a line: no pipes, lists or redirections (quote it if it belongs to a word)",
        );
        check_error("a 'b", "1:3: unterminated quoted string (add the closing ')");
        check_error("a $B", "1:3: no variables (quote it if it belongs to a word)");
        check_error("a <<", "1:3: << needs a word (for example <<EOF)");
    }

    #[test]
    fn spans_and_quotes() {
        let line = "a 'b c'  d";
        let words = split(line, 1).unwrap().words;
        assert_eq!(words.iter().map(|w| &line[w.span.clone()]).collect::<Vec<_>>(), ["a", "'b c'", "d"]);
        for word in ["a b", "it's", "", "x", "a$b", "数"] {
            let again = split(&quote(word), 1).unwrap().words;
            assert_eq!(again[0].text, word);
        }
    }
}
