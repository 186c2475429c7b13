//! The JSON of an answer; where some of it is broken, what is left of it.

use serde_json::Value;

use crate::foreign_json;
use crate::salesforce::soql::cut;

/// How much of an element that cannot be read is kept, in characters.
const RAW_KEPT: usize = 500;

/// Reads a body. One that is not JSON is repaired if it is an object, or a list with objects in it; in a list, an element that
/// no repair helps becomes the text that came in its place. `None` where nothing is left.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    if let Ok(json) = serde_json::from_slice(body) {
        return Some(json);
    }
    let inner = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    // A page has words; a repair would make a null of each.
    if !inner.starts_with(b"{") && !inner.starts_with(b"[") {
        return None;
    }
    let whole = foreign_json::parse(inner).ok();
    whole.or_else(|| list(inner)).filter(|json| json.as_array().is_none_or(|all| all.iter().any(Value::is_object)))
}

/// A list, element by element.
fn list(body: &[u8]) -> Option<Value> {
    let elements = foreign_json::elements(body)?;
    let raw = |element: &[u8]| {
        // Four bytes a character at most.
        let head = &element[..element.len().min(RAW_KEPT * 4)];
        Value::from(cut(String::from_utf8_lossy(head).trim(), RAW_KEPT))
    };
    Some(elements.iter().map(|element| foreign_json::parse(element).unwrap_or_else(|_| raw(element))).collect())
}

/// Whether an answer that says whether it did what it was asked says it in a way that can be understood.
pub(super) fn is_clear(json: &Value) -> bool {
    json.get("success").is_none_or(Value::is_boolean)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_json_is_read_as_it_is() {
        for body in ["null", "7", "\"text\"", "[]", "{\"a\":[1,null]}"] {
            assert_eq!(json(body.as_bytes()).unwrap().to_string(), body);
        }
    }

    #[test]
    fn a_page_is_nothing_and_never_a_list_of_nulls() {
        for body in
            ["", "<html></html>", "Down", "upstream connect error", "\u{feff}<html>", "{'a': 1}", "[", "[,]", "[down]"]
        {
            assert_eq!(json(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn an_element_that_no_repair_helps_stands_as_text_beside_the_others() {
        let read = json(b" [{\"id\": 1}, {\"id\": 2, \"x\": }, {\"id\": \"caf\xe9\"}]").unwrap();
        assert_eq!(read, json!([{"id": 1}, "{\"id\": 2, \"x\": }", {"id": "caf\u{fffd}"}]));
    }

    proptest! {
        #[test]
        fn a_list_keeps_its_length_whatever_one_element_holds(
            broken in prop::collection::vec(prop::sample::select(b"{}:,\"x1\\u\xff \n".to_vec()), 0..40),
            place in 0..3_usize,
        ) {
            let mut elements = vec![b"{\"id\":\"1\"}".to_vec(); 3];
            elements[place] = broken;
            let body = [b"[".as_slice(), &elements.join(&b','), b"]"].concat();
            if let Some(split) = foreign_json::elements(&body).filter(|split| split.len() == 3) {
                let read = json(&body).unwrap();
                prop_assert_eq!(read.as_array().unwrap().len(), split.len());
            }
        }
    }
}
