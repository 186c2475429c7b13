//! What is no answer of Salesforce's: pages, empty bodies, redirects and connections that broke.

use super::*;

#[test]
fn pages_and_empty_bodies_are_judged_by_their_status() {
    let page = "<html><body>We are setting things up</body></html>";
    let table = [
        (420, page, Class::Transient, Scope::Org),
        (429, "", Class::Transient, Scope::Org),
        (502, page, Class::Transient, Scope::Org),
        (401, "", Class::Auth, Scope::Org),
        (401, r#"{"message": "Connected app is not attached to Agent"}"#, Class::Config, Scope::Org),
        (401, page, Class::Transient, Scope::Org),
        (403, page, Class::Transient, Scope::Org),
        (403, r#"{"error": "Forbidden", "path": "/services/data"}"#, Class::Transient, Scope::Org),
        (403, r#"{"message": "Forbidden"}"#, Class::Transient, Scope::Org),
        (400, r#"{"fault": {"faultstring": "no route"}}"#, Class::Transient, Scope::Org),
        (404, "", Class::Transient, Scope::Org),
        (404, page, Class::Transient, Scope::Org),
        (407, page, Class::Transient, Scope::Org),
        (410, page, Class::Transient, Scope::Org),
        (302, "", Class::Transient, Scope::Org),
        (414, "", Class::Request, Scope::Record),
        (300, page, Class::Transient, Scope::Org),
        (200, page, Class::Transient, Scope::Org),
        (200, "", Class::Transient, Scope::Org),
        (201, r#"{"id": "0030000"#, Class::Transient, Scope::Org),
    ];
    for (status, body, class, scope) in table {
        let refusal = rest(status, body);
        assert_eq!((refusal.class, refusal.scope), (class, scope), "{status} {body}");
        assert!(!refusal.text.is_empty());
    }
    assert!(rest(503, page).text.contains("setting things up"));
}

#[test]
fn a_redirect_is_named_without_what_it_carries() {
    let location = Some("https://acme.my.salesforce.com/secur/frontdoor.jsp?sid=00Dsecret".to_owned());
    let refusal = judge(Stage::Rest, Ok(HttpAnswer { status: 302, location, ..HttpAnswer::default() })).unwrap_err();
    assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Org));
    assert!(!outcome_unknown(&refusal), "what is redirected was not carried out");
    assert!(refusal.text.contains("acme.my.salesforce.com") && !refusal.text.contains("secret"));
}

#[test]
fn a_time_out_and_a_dropped_connection_pass_by_themselves() {
    for (trouble, code, unknown) in [
        (HttpError::TimedOut("t".into()), "TIMEOUT", true),
        (HttpError::BrokeOff("b".into()), "CONNECTION_BROKE_OFF", true),
        (HttpError::TooLarge, "ANSWER_TOO_LARGE", true),
        (HttpError::NotConnected("c".into()), "CONNECTION_FAILED", false),
    ] {
        let refusal = judge(Stage::Rest, Err(trouble)).unwrap_err();
        assert_eq!((refusal.class, refusal.scope, refusal.code.as_str()), (Class::Transient, Scope::Org, code));
        assert_eq!(outcome_unknown(&refusal), unknown, "{code}");
    }
}
