//! What a cause is called: one title for each code, in words that a person understands.

use super::*;

/// Class, code, and the title of a refusal in words that say nothing by themselves.
const TITLES: &[(Class, &str, &str)] = &[
    (Class::Auth, "NOT_AUTHORIZED", "Nobody has authorized the organization yet"),
    (Class::Auth, "ANOTHER_ORGANIZATION", "The tokens are for another organization"),
    (Class::Auth, "REFRESH_TOKEN_MISSING", "The authorization gave no refresh token"),
    (Class::Auth, "inactive_user", "The integration user is deactivated"),
    (Class::Auth, "inactive_org", "The organization is locked, suspended or closed"),
    (Class::Auth, "OAUTH_APP_BLOCKED", "The app is blocked in the organization"),
    (Class::Auth, "invalid_grant", "The connection is no longer authorized"),
    (Class::Transient, "UNABLE_TO_LOCK_ROW", "The record is being changed by somebody else"),
    (Class::Transient, "TIMEOUT", "Salesforce does not answer in time"),
    (Class::Transient, "CONNECTION_FAILED", "Salesforce cannot be reached"),
    (Class::Transient, "CONNECTION_BROKE_OFF", "The connection to Salesforce breaks off"),
    (Class::Transient, "UNREADABLE_ANSWER", "Something else answers in Salesforce's place"),
    (Class::Transient, "HTTP_302", "Something else answers in Salesforce's place"),
    (Class::Transient, "HTTP_404", "Something else answers in Salesforce's place"),
    (Class::Transient, "CONTACT_NOT_SETTLED", "It is not known yet whether a contact was made"),
    (Class::Transient, "ORG_IN_MAINTENANCE", "Salesforce is in maintenance"),
    (Class::Transient, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "Salesforce is in maintenance"),
    (Class::Transient, "SERVER_UNAVAILABLE", "Salesforce is not available"),
    (Class::Transient, "HTTP_503", "Salesforce is not available"),
    (Class::Transient, "HTTP_500", "Salesforce cannot take it (HTTP_500)"),
    (Class::Limit, "REQUEST_LIMIT_EXCEEDED", "The limit of API calls is used up"),
    (Class::Limit, "STORAGE_LIMIT_EXCEEDED", "The data storage is full"),
    (Class::Limit, "EXCEEDED_QUOTA", "The data storage is full"),
    (Class::Transient, "TOKEN_NOT_STORED", "The new refresh token cannot be stored"),
    (Class::Config, "QUEUE_NOT_FOUND", "The queue is not there"),
    (Class::Config, "QUEUE_NOT_UNIQUE", "The queue is not the only one of that name"),
    (Class::Config, "INSUFFICIENT_ACCESS_OR_READONLY", "The integration user may not write the record"),
    (Class::Config, "INSUFFICIENT_ACCESS", "The integration user may not write the record"),
    (Class::Config, "INACTIVE_OWNER_OR_USER", "The owner is an inactive user"),
    (Class::Config, "DUPLICATE_EXTERNAL_ID", "Several records have the external id"),
    (Class::Config, "API_DISABLED_FOR_ORG", "The integration user has no API"),
    (Class::Config, "API_CURRENTLY_DISABLED", "The integration user has no API"),
    (Class::Config, "INVALID_FIELD", "A field is missing or read-only (INVALID_FIELD)"),
    (Class::Config, "INVALID_TYPE", "An object or field is missing or hidden (INVALID_TYPE)"),
    (Class::Config, "NOT_FOUND", "An object or field is missing or hidden (NOT_FOUND)"),
    (Class::Request, "JSON_PARSER_ERROR", "The set-up is in the way (JSON_PARSER_ERROR)"),
    (Class::Record, "DUPLICATES_DETECTED", "A duplicate rule finds a record like this one"),
    (Class::Record, "ENTITY_IS_DELETED", "The record is in the recycle bin"),
    (Class::Record, "ENTITY_IS_LOCKED", "The record is locked by an approval process"),
    (Class::Record, "INVALID_CROSS_REFERENCE_KEY", "A record that is pointed to is gone or hidden"),
    (Class::Record, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "A record that is pointed to is gone or hidden"),
    (Class::Record, "APEX_FAILED", "A trigger refuses it (APEX_FAILED)"),
    (Class::Record, "CANNOT_EXECUTE_FLOW_TRIGGER", "A flow refuses it (CANNOT_EXECUTE_FLOW_TRIGGER)"),
    (Class::Record, "FLOW_EXCEPTION", "A flow refuses it (FLOW_EXCEPTION)"),
    (Class::Contact, "CONTACT_AMBIGUOUS", "Nobody can tell which contact the customer is"),
    (Class::Contact, "CHOSEN_CONTACT_GONE", "The contact that a person chose is gone"),
    (Class::Contact, "CONTACT_GONE", "The contact cannot be told (CONTACT_GONE)"),
    (Class::Ordering, "CODE", "A record that is pointed to is not there yet (CODE)"),
    (Class::Unclassified, "CODE", "CODE"),
];

#[test]
fn each_code_has_a_title_that_a_person_understands() {
    let conversation = conversation("billing", "7", "Jane");
    for (class, code, title) in TITLES {
        let identity = identity(&refusal(*class, code, "", &[]), &conversation);
        assert_eq!(identity.title, *title, "{class} {code}");
    }
    let queue = "Queue not associated with this SObject type";
    assert_eq!(
        identity(&refusal(Class::Config, "CODE", queue, &[]), &conversation).title,
        "The queue may not own such records"
    );
}

#[test]
fn a_team_without_a_queue_is_named_and_another_no_of_a_policy_is_told_in_its_words() {
    let with_team = conversation("store-events", "7", "Jane");
    let without = Conversation { team: None, ..with_team.clone() };
    for (code, conversation, title) in [
        ("TEAM_NOT_MAPPED", &with_team, "Team store-events has no queue"),
        ("TEAM_NOT_MAPPED", &without, "Without a team there is no queue"),
        ("CLOSED", &with_team, "Policy monday refuses: not on Mondays"),
        ("CLOSED", &without, "Policy monday refuses: not on Mondays"),
    ] {
        assert_eq!(identity(&of_policy(1, code, "not on Mondays"), conversation).title, title, "{code}");
    }
}

#[test]
fn a_long_title_ends_with_a_mark_within_its_bound_and_one_that_fits_does_not() {
    let conversation = conversation("billing", "7", "Jane");
    let of = |words: &str| {
        identity(&refusal(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", words, &[]), &conversation).title
    };
    let beginning = "Validation rule: ".len();
    let fits = "a".repeat(120 - beginning);
    assert_eq!(of(&fits).len(), 120);
    assert!(!of(&fits).ends_with('…'));
    assert!(of(&format!("{fits}a")).ends_with('…') && of(&format!("{fits}a")).len() <= 120);
}
