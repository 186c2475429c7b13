//! That an address and an object say the same, and that what is refused never narrows nothing.

use axum::http::StatusCode;
use serde_json::json;

use super::*;
use crate::domain::{Class, State};

#[test]
fn sets_take_commas_and_repetition_and_a_single_filter_takes_neither() {
    let mut filters = Filters::default();
    for (name, value) in [("state", "pending,retrying"), ("state", "ignored"), ("team", "a,b")] {
        assert!(filters.take(name, value).unwrap_or_else(|_| panic!("{name}")));
    }
    assert_eq!(filters.0.states, [State::Pending, State::Retrying, State::Ignored].into());
    assert_eq!(filters.0.teams, ["a,b".to_owned()].into());
    assert!(filters.0.classes.is_empty());
    filters.take("customer", "jane").unwrap_or_else(|_| panic!());
    assert!(filters.take("customer", "john").is_err());
}

#[test]
fn what_is_empty_or_longer_than_a_text_is_refused_and_never_narrows_nothing() {
    for known in FILTERS {
        for value in ["", ","] {
            let refused = Filters::default().take(known.name, value);
            assert!(
                refused.is_err() || value == "," && matches!(known.name, "team" | "customer" | "text" | "q"),
                "{known:?}"
            );
        }
    }
    for name in ["code", "channel", "team", "text"] {
        assert!(Filters::default().take(name, &"x".repeat(TEXT + 1)).is_err(), "{name}");
    }
    assert!(Filters::default().take_object(&json!({ "org": "" })).is_err());
}

#[test]
fn a_query_becomes_the_address_that_it_was_read_from() {
    let said = "id=se-00001&org=acme&state=pending&code=A&team=a%2Cb&attempts_min=2&customer=jane+doe&q=x";
    let mut filters = Filters::default();
    for (name, value) in url::form_urlencoded::parse(said.as_bytes()) {
        assert!(filters.take(&name, &value).unwrap_or_else(|_| panic!("{name}")));
    }
    let again = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(&filters.0)).finish();
    assert_eq!(again, said);
}

#[test]
fn an_object_says_the_same_as_an_address() {
    let mut filters = Filters::default();
    let object = json!({ "class": ["record", "auth"], "attempts_min": 2, "q": "x" });
    filters.take_object(&object).unwrap_or_else(|_| panic!());
    assert_eq!(filters.0.classes, [Class::Record, Class::Auth].into());
    assert_eq!((filters.0.attempts.0, filters.0.q.as_deref()), (Some(2), Some("x")));
    for bad in [
        json!({ "colour": "red" }),
        json!({ "class": "none" }),
        json!({ "q": ["a", "b"] }),
        json!([1]),
        json!({ "code": null }),
        json!({ "code": [] }),
        json!({ "code": 7 }),
        json!({ "attempts_min": "2" }),
    ] {
        let problem = Filters::default().take_object(&bad).err().unwrap_or_else(|| panic!("{bad}"));
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
    }
}
