//! Quoting: the one function that puts a value into a query, and the one that puts a value into a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything else is encoded, a dot too: some servers take the ending of a path for a format.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A value as a SOQL string literal, with its quotes.
///
/// SOQL knows a fixed set of escapes and rejects a backslash anywhere else; over REST there are no bind variables.
pub(super) fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for c in value.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A value as one segment of a path.
pub(super) fn segment(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// How long Salesforce says that a text is: it counts UTF-16 units, so an emoji is two.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// As many characters from the beginning as Salesforce counts `most` for at most; it refuses what is longer.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > most
    });
    end.map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a literal as SOQL's grammar says; `None` where it is not exactly one literal.
    fn unquote(literal: &str) -> Option<String> {
        let mut rest = literal.strip_prefix('\'')?.chars();
        let mut value = String::new();
        loop {
            match rest.next()? {
                '\'' => return rest.next().is_none().then_some(value),
                '\\' => value.push(match rest.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    c @ ('\'' | '"' | '\\') => c,
                    _ => return None,
                }),
                '\n' | '\r' => return None,
                c => value.push(c),
            }
        }
    }

    proptest! {
        #[test]
        fn a_quoted_value_is_one_literal_with_that_value(value in r#"[\PC'"\\\n\r\t\x08\x0c%_{}]*"#) {
            let read = unquote(&quote(&value));
            prop_assert_eq!(read.as_deref(), Some(value.as_str()));
        }

        #[test]
        fn a_segment_has_no_character_that_ends_it_and_reads_back(value in ".*") {
            let path = segment(&value);
            let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_%".contains(&b);
            prop_assert!(path.bytes().all(safe));
            prop_assert_eq!(percent_encoding::percent_decode_str(&path).decode_utf8().unwrap(), value);
        }

        #[test]
        fn a_cut_text_is_the_longest_beginning_that_salesforce_counts_as_short_enough(text in ".*", most in 0_usize..20) {
            let (kept, utf16) = (cut(&text, most), text.encode_utf16().count());
            prop_assert!(text.starts_with(kept) && kept.encode_utf16().count() <= most);
            // At most one unit is left free, before a character of two.
            prop_assert!(kept == text || kept.encode_utf16().count() + 1 >= most, "{utf16}");
        }
    }

    #[test]
    fn an_emoji_is_two_units_long_as_in_salesforce() {
        assert_eq!((units("a😀"), cut("a😀b", 2), cut("a😀b", 3)), (3, "a", "a😀"));
    }

    #[test]
    fn known_attempts_to_break_out_stay_inside_the_quotes() {
        for probe in ["o'brien", "x' OR Name LIKE '%", "trailing\\", "%_", "two\nlines", "😀"] {
            assert_eq!(unquote(&quote(probe)).as_deref(), Some(probe));
        }
        assert_eq!(quote("o'brien"), r"'o\'brien'");
    }
}
