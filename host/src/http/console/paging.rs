//! Addresses of lists: with their filters, and of the next page.

use maud::{Markup, html};

/// An address with those fields that are not empty.
pub(super) fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The way to the first and to the next page of a list.
pub(super) fn pages(path: &str, fields: &[(&str, &str)], is_first: bool, next: Option<&str>) -> Markup {
    let of_next = |cursor| address(path, &[fields, &[("cursor", cursor)]].concat());
    html! {
        @if !is_first || next.is_some() {
            nav.pages aria-label="Pages" {
                @if !is_first { a href=(address(path, fields)) { "First page" } }
                @if let Some(next) = next { a href=(of_next(next)) rel="next" { "Next page" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_what_is_given_and_quotes_it() {
        assert_eq!(address("/actions", &[("by", ""), ("org", "a&b")]), "/actions?org=a%26b");
        assert_eq!(address("/actions", &[]), "/actions");
        let page = pages("/actions", &[("by", "ann")], false, Some("1-2")).0;
        assert!(page.contains("href=\"/actions?by=ann\"") && page.contains("by=ann&amp;cursor=1-2"), "{page}");
        assert_eq!(pages("/actions", &[], true, None).0, "");
    }
}
