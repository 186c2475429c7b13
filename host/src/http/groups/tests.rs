//! What people may put to a cause.

use super::*;

fn patch(json: &str) -> Result<Vec<Annotation>, Problem> {
    annotations(serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
}

#[test]
fn absent_stays_and_null_takes_away() {
    let annotations = patch(r#"{"assignee": null, "note": " a\nb "}"#).unwrap_or_else(|_| panic!());
    assert_eq!(annotations, [Annotation::Assignee(None), Annotation::Note(Some("a\nb".to_owned()))]);
}

#[test]
fn a_ticket_is_a_link_and_no_script() {
    assert!(patch(r#"{"ticket": "https://tickets.example/1"}"#).is_ok());
    for bad in ["javascript:alert(1)", "tickets", "https://", "file:///etc/passwd"] {
        assert!(patch(&format!(r#"{{"ticket": "{bad}"}}"#)).is_err(), "{bad}");
    }
    assert!(patch("{}").is_err());
    assert!(patch(r#"{"assignee": "a\u0007b"}"#).is_err());
    assert!(patch(&format!(r#"{{"note": "{}"}}"#, "x".repeat(NOTE + 1))).is_err());
}
