//! That the table is whole, can be reached in every row, and says something useful.

use std::collections::BTreeSet;

use super::*;

/// Seen in answers though neither of Salesforce's lists has them.
const OUTSIDE: &str = "APEX_ERROR CANNOT_RESOLVE_NAME FORBIDDEN BCC_SELF_NOT_ALLOWED_IF_BCC_COMPLIANCE_ENABLED \
                       MAX_TASK_DESCRIPTION_EXCEEDED UNSUPPORTED_APEX_TRIGGER_OPERATION OAUTH_APP_BLOCKED INVALIDJOB \
                       URL_NOT_RESET METHOD_NOT_ALLOWED UNSUPPORTED_MEDIA_TYPE";

/// Every code of the table that any text has, as often as it is there.
fn plain() -> Vec<&'static str> {
    let rules = FAMILIES.iter().copied().flatten().filter(|rule| !rule.has_condition());
    rules.flat_map(|rule| rule.codes.split_ascii_whitespace()).collect()
}

#[test]
fn no_code_is_listed_twice_with_any_text() {
    let mut codes = plain();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
}

#[test]
fn every_rule_can_be_reached_by_each_of_its_conditions_and_fragments_are_in_lower_case() {
    for rule in FAMILIES.iter().copied().flatten() {
        for code in rule.codes.split_ascii_whitespace() {
            let reached = |text: &str, fields: &[&str]| {
                let found = find(code, text, fields).expect(code);
                assert!(std::ptr::eq(found, rule), "{code} {text} {fields:?}");
            };
            if !rule.has_condition() {
                reached("", &[]);
            }
            let fragments = rule.fragments.split('|').filter(|fragment| !fragment.is_empty());
            fragments.for_each(|fragment| reached(fragment, &[]));
            rule.fields.split_ascii_whitespace().for_each(|field| reached("", &[field]));
            let ids = rule.prefixes.split_ascii_whitespace().map(|prefix| format!("{prefix}000000000001AAA"));
            ids.for_each(|id| reached(&id, &[]));
        }
    }
}

#[test]
fn every_code_seen_outside_the_lists_is_known() {
    for code in OUTSIDE.split_ascii_whitespace() {
        assert!(of(code, "", &[]).is_some(), "{code}");
    }
}

/// The lists are Salesforce's and not part of this repository; whoever has them beside it gets them checked.
#[test]
fn every_code_that_salesforce_lists_has_a_class_or_is_explicitly_unclassified() {
    let known: BTreeSet<_> = plain().into_iter().chain(FOLLOWERS).collect();
    for (list, count) in [("salesforce_status_codes.txt", 592), ("salesforce_exception_codes.txt", 216)] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference").join(list);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: there is no {list}");
            continue;
        };
        let codes: Vec<_> = text.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), count, "{list}");
        let missing: Vec<_> = codes.into_iter().filter(|code| !known.contains(code)).collect();
        assert!(missing.is_empty(), "{list}: {missing:?}");
    }
}

#[test]
fn the_meaning_of_these_codes_hangs_on_their_text() {
    let other_class = |code: &str| {
        let any = of(code, "", &[]).map(|meaning| meaning.class);
        BY_CODE[code].iter().any(|rule| rule.has_condition() && Some(rule.class) != any)
    };
    let changing = [
        "INVALID_SESSION_ID",
        "INVALID_FIELD",
        "DUPLICATE_VALUE",
        "REQUEST_LIMIT_EXCEEDED",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "invalid_grant",
    ];
    for code in changing {
        assert!(other_class(code), "{code}");
    }
}

#[test]
fn the_advice_is_the_codes_own_where_it_has_some_and_the_classs_otherwise() {
    let queue = Refusal::new(Class::Config, "INVALID_OPERATION", "Queue not associated with this SObject type");
    assert!(advice(&queue).check.contains("Supported Objects"), "{:?}", advice(&queue));
    let inactive = Refusal::new(Class::Config, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user");
    assert!(advice(&inactive).happened.contains("inactive"));
    let session = Refusal::new(Class::Config, "INVALID_SESSION_ID", "API is disabled for this User");
    assert!(advice(&session).check.contains("API Enabled"));
    let meaning = of("INVALID_SESSION_ID", "API is disabled for this User", &[]);
    assert_eq!(meaning.map(|meaning| meaning.class), Some(Class::Config));
    let dead = Refusal::new(Class::Auth, "invalid_grant", "expired access/refresh token");
    assert!(
        ["revoked", "five", "rotate", "password", "sandbox"].iter().all(|cause| advice(&dead).check.contains(cause))
    );

    let unknown = Refusal::new(Class::Unclassified, "BRAND_NEW", "");
    assert_eq!(advice(&unknown), Class::Unclassified.advice());
    let of_a_policy = Refusal::new(Class::Policy, "NOT_FOUND", "in the policy's own words");
    assert_eq!(advice(&of_a_policy), Class::Policy.advice());
}
