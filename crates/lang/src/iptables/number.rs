//! Numbers as the C library reads them: decimal, `0x…`, octal with a leading zero, blanks before.

/// `strtoull` with base 0: value and what is left. `None` where no digit stands or the value does not fit.
pub(crate) fn prefix(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let text = text.strip_prefix('+').unwrap_or(text);
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.starts_with(|c: char| c.is_ascii_hexdigit()) => (hex, 16),
        _ if text.starts_with('0') => (text, 8),
        _ => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let value = u64::from_str_radix(&digits[..end], radix).ok()?;
    Some((value, &digits[end..]))
}

/// A whole word that is a number between `min` and `max` (`xtables_strtoul` with an end).
pub(crate) fn whole(text: &str, min: u64, max: u64) -> Option<u64> {
    match prefix(text)? {
        (value, "") if (min..=max).contains(&value) => Some(value),
        _ => None,
    }
}

/// A 32-bit number.
pub(crate) fn u32_whole(text: &str) -> Option<u32> {
    whole(text, 0, u64::from(u32::MAX)).and_then(|v| u32::try_from(v).ok())
}

/// A decimal fraction without exponent: its digits as a number, and how many of them stand behind the point.
pub(crate) fn decimal(text: &str) -> Option<(u64, u32)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    // Sixteen digits are more than any tool keeps.
    let part = part.get(..part.len().min(16))?;
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let digits = [whole, part].concat();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, part.len() as u32))
}

/// `atoi`-like decimal prefix, 0 where there is none.
pub(crate) fn lenient(text: &str) -> u64 {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_c_library_reads() {
        assert_eq!(whole("0x50", 0, 65535), Some(80));
        assert_eq!(whole(" 5", 0, 65535), Some(5));
        assert_eq!(whole("010", 0, 65535), Some(8));
        assert_eq!(whole("0", 0, 65535), Some(0));
        assert_eq!(whole("65536", 0, 65535), None);
        assert_eq!(whole("-1", 0, 65535), None);
        assert_eq!(whole("", 0, 65535), None);
        assert_eq!(whole("08", 0, 65535), None);
        assert_eq!(prefix("0xg"), Some((0, "xg")));
        assert_eq!(decimal("0.25"), Some((25, 2)));
        assert_eq!(decimal(".5"), Some((5, 1)));
        assert_eq!(decimal("1."), Some((1, 0)));
        assert_eq!(decimal("1e3"), None);
        assert_eq!(decimal("."), None);
        assert_eq!(whole("18446744073709551616", 0, u64::MAX), None);
    }
}
