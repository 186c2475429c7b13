//! JSON from elsewhere, part by part: what is wrong with one text, number or element costs that one, and none beside it.
//!
//! Strict parsing comes first. What it refuses is repaired: bytes that are no UTF-8 and halves of surrogate pairs become
//! U+FFFD, raw control characters in texts are escaped, what is no number, and what is nested too deeply, becomes `null`.

use std::borrow::Cow;

use serde_json::Value;

/// Levels that are kept; what lies deeper becomes `null`. serde_json itself gives up at 128.
const DEEPEST: usize = 100;

/// Reads a document; where it is not JSON, what is left of it after a repair.
///
/// # Errors
/// Those of the document as it came, where no repair helps: its brackets do not match, or there are none.
pub(crate) fn parse(document: &[u8]) -> Result<Value, serde_json::Error> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    serde_json::from_slice(document)
        .or_else(|error: serde_json::Error| serde_json::from_str(&repaired(document)).map_err(|_| error))
}

/// The elements of a list as they came, each to be parsed by itself. `None` where the document is no list, or has no end.
pub(crate) fn elements(document: &[u8]) -> Option<Vec<&[u8]>> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii();
    split(document).filter(|_| document.starts_with(b"["))
}

/// The number that is under this key in an object that cannot be parsed.
pub(crate) fn number_in(object: &[u8], key: &str) -> Option<u64> {
    let parts = split(object.trim_ascii())?;
    parts.into_iter().find_map(|part| {
        let colon = part.iter().position(|byte| *byte == b':')?;
        let (name, value) = (part[..colon].trim_ascii(), part[colon + 1..].trim_ascii());
        let named = name.strip_prefix(b"\"")?.strip_suffix(b"\"")? == key.as_bytes();
        std::str::from_utf8(value).ok().filter(|_| named)?.trim_matches('"').parse().ok()
    })
}

/// What stands between the commas of the outermost brackets.
fn split(document: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut parts, mut depth, mut begin, mut at) = (Vec::new(), 0_usize, 1, 0);
    while at < document.len() {
        match document[at] {
            b'"' => {
                at = end_of_text(document, at);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 1 => {
                parts.push(&document[begin..at]);
                begin = at + 1;
            }
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            let last = &document[begin..at];
            parts.extend((!parts.is_empty() || !last.trim_ascii().is_empty()).then_some(last));
            return (at + 1 == document.len()).then_some(parts);
        }
        at += 1;
    }
    None
}

/// The place behind the text that begins here; the end of the document where the text has none.
fn end_of_text(document: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while at < document.len() {
        match document[at] {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    document.len()
}

fn repaired(document: &[u8]) -> String {
    let mut out = String::with_capacity(document.len());
    let (mut depth, mut at) = (0_usize, 0);
    while at < document.len() {
        let byte = document[at];
        match byte {
            b'"' => {
                let end = end_of_text(document, at);
                if depth <= DEEPEST {
                    text(&document[at..end], &mut out);
                }
                at = end;
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                match depth {
                    ..=DEEPEST => out.push(byte as char),
                    depth if depth == DEEPEST + 1 => out.push_str("null"),
                    _ => {}
                }
            }
            b']' | b'}' => {
                if depth <= DEEPEST {
                    out.push(byte as char);
                }
                depth = depth.saturating_sub(1);
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                if depth <= DEEPEST {
                    out.push(byte as char);
                }
            }
            _ => {
                let word = document[at..].iter().position(|byte| b"\",:[]{} \n\r\t".contains(byte));
                let end = word.map_or(document.len(), |length| at + length);
                if depth <= DEEPEST {
                    let word = std::str::from_utf8(&document[at..end]).ok();
                    out.push_str(word.filter(|word| serde_json::from_str::<Value>(word).is_ok()).unwrap_or("null"));
                }
                at = end;
                continue;
            }
        }
        at += 1;
    }
    out
}

/// A text with its quotation marks, as JSON has it.
fn text(quoted: &[u8], out: &mut String) {
    let quoted = String::from_utf8_lossy(quoted);
    if serde_json::from_str::<String>(&quoted).is_ok() {
        return out.push_str(&quoted);
    }
    let inner = quoted.strip_prefix('"').unwrap_or(&quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let (mut read, mut rest) = (String::with_capacity(inner.len()), inner);
    while let Some(place) = rest.find('\\') {
        read.push_str(&rest[..place]);
        let (character, length) = escape(&rest[place..]);
        read.push_str(&character);
        rest = &rest[place + length..];
    }
    read.push_str(rest);
    out.push_str(&Value::String(read).to_string());
}

/// What an escape stands for, and how long it is.
fn escape(from: &str) -> (Cow<'static, str>, usize) {
    let unit = |from: &str| {
        let digits = from.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let Some(first) = unit(from) else {
        let simple = match from.as_bytes().get(1) {
            Some(b'"') => "\"",
            Some(b'\\') => "\\",
            Some(b'/') => "/",
            Some(b'b') => "\u{8}",
            Some(b'f') => "\u{c}",
            Some(b'n') => "\n",
            Some(b'r') => "\r",
            Some(b't') => "\t",
            // No escape of JSON: the backslash stands for itself.
            _ => return (Cow::Borrowed("\\"), 1),
        };
        return (Cow::Borrowed(simple), 2);
    };
    let units = [Some(first), unit(&from[6..])];
    let decoded = char::decode_utf16(units.into_iter().flatten()).next();
    match decoded {
        Some(Ok(character)) => (Cow::Owned(character.to_string()), if character.len_utf16() == 2 { 12 } else { 6 }),
        _ => (Cow::Borrowed("\u{fffd}"), 6),
    }
}

/// Every place of a JSON document, for those who change one.
#[cfg(test)]
pub(crate) fn places(json: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match json {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), into)),
        Value::Object(parts) => parts.iter().for_each(|(key, part)| places(part, &format!("{at}/{key}"), into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_json_is_read_as_it_is() {
        let document = json!({"a": ["x\"\\\u{1F600}", 1, -2.5, null, true], "b": {}});
        assert_eq!(parse(document.to_string().as_bytes()).unwrap(), document);
    }

    #[test]
    fn each_thing_that_is_none_costs_itself_alone() {
        let cases: [(&[u8], Value); 10] = [
            (br#"["cut in half \ud83d", 1]"#, json!(["cut in half \u{fffd}", 1])),
            (br#"["\ude00 the other half", 1]"#, json!(["\u{fffd} the other half", 1])),
            (br#"["\ud83d\u0041"]"#, json!(["\u{fffd}A"])),
            (br#"["\ud83d\ude00 is whole \ud83d"]"#, json!(["\u{1F600} is whole \u{fffd}"])),
            (b"[\"caf\xe9\", 1]", json!(["caf\u{fffd}", 1])),
            (b"[\"a\x01b\nc\", 1]", json!(["a\u{1}b\nc", 1])),
            (b"[1e999, -1e999, 1]", json!([null, null, 1])),
            (b"{\"a\": NaN, \"b\": Infinity, \"c\": 1}", json!({"a": null, "b": null, "c": 1})),
            (br#"["\x41", "\uZZZZ", 1]"#, json!(["\\x41", "\\uZZZZ", 1])),
            (b"{\"a\": 'b', \"c\": 1}", json!({"a": null, "c": 1})),
        ];
        for (document, wanted) in cases {
            assert_eq!(parse(document).unwrap(), wanted, "{}", String::from_utf8_lossy(document));
        }
    }

    #[test]
    fn what_is_nested_too_deeply_becomes_null_and_what_stands_beside_it_stays() {
        let deep = format!("{{\"deep\": {}1{}, \"id\": 7}}", "[".repeat(50_000), "]".repeat(50_000));
        let read = parse(deep.as_bytes()).unwrap();
        assert_eq!(read["id"], 7);
    }

    #[test]
    fn an_element_that_no_repair_helps_is_given_as_it_came_with_its_number() {
        let read = elements(br#"[{"id": 1}, {"id": 2, "x": }, {"y" 3, "id": "17"}, {"id": 4}]"#).unwrap();
        let bad: Vec<_> = read.iter().filter(|element| parse(element).is_err()).collect();
        assert_eq!((read.len(), bad.len()), (4, 2));
        assert_eq!((parse(read[0]).unwrap(), parse(read[3]).unwrap()), (json!({"id": 1}), json!({"id": 4})));
        assert_eq!(bad.iter().map(|bad| number_in(bad, "id")).collect::<Vec<_>>(), [Some(2), Some(17)]);
    }

    #[test]
    fn what_is_no_list_or_has_no_end_is_refused() {
        for document in ["", "{}", "[1, 2", "[{\"id\": 1}", "<html>[1]</html>", "[1] [2]", "\"[1]\"", "[\"a]"] {
            assert!(elements(document.as_bytes()).is_none(), "{document}");
        }
        assert_eq!(elements(b" [] ").unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_give_more_than_came(bytes in prop::collection::vec(
            prop_oneof![4 => prop::sample::select(br#"[]{}",:\ud83deN1. "#.to_vec()), 1 => any::<u8>()], 0..200,
        )) {
            let _ = parse(&bytes);
            prop_assert!(elements(&bytes).is_none_or(|found| found.len() <= bytes.len()));
            let _ = number_in(&bytes, "id");
        }

        #[test]
        fn a_list_is_read_whole_whatever_one_of_its_texts_holds(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let body: Vec<u8> = body.into_iter().filter(|byte| !b"\"\\".contains(byte)).collect();
            let document = [b"[{\"id\": 1, \"body\": \"".as_slice(), &body, b"\"}, {\"id\": 2}]"].concat();
            let read = elements(&document).unwrap();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(&parse(read[0]).unwrap()["id"], &json!(1));
            prop_assert_eq!(parse(read[1]).unwrap(), json!({"id": 2}));
        }
    }
}
