//! Bodies as organizations, the documentation and other clients have them, and what each must mean here.

mod no_answers;
mod parts;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::Class::{Auth, Config, Limit, Ordering, Record, Request, Transient, Unclassified};

fn rest(status: u16, body: &str) -> Refusal {
    at(Stage::Rest, status, body)
}

fn at(stage: Stage, status: u16, body: &str) -> Refusal {
    let answer = HttpAnswer {
        status,
        request_id: Some("request-7".to_owned()),
        body: body.as_bytes().to_vec(),
        ..HttpAnswer::default()
    };
    judge(stage, Ok(answer)).unwrap_err()
}

fn complaint(code: &str, text: &str) -> String {
    json!([{"message": text, "errorCode": code, "fields": []}]).to_string()
}

const LOCK: &str = "unable to obtain exclusive access to this record or 1 records: 500xx000001";
const TRIGGER: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
const OWN: Scope = Scope::Record;
const ALL: Scope = Scope::Org;

/// Status, code and text as they were seen, and what they must mean.
#[rustfmt::skip]
const MEANINGS: &[(u16, &str, &str, Class, Scope)] = &[
    (401, "INVALID_SESSION_ID", "Session expired or invalid", Auth, ALL),
    (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API", Config, ALL),
    (401, "INVALID_SESSION_ID", "Connected app is not attached to Agent", Config, ALL),
    (401, "INVALID_SESSION_ID", "Blacktab users cannot perform API operations", Config, ALL),
    (403, "INVALID_SESSION_ID", "API is disabled for this User", Config, ALL),
    (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", Request, ALL),
    (400, "UNABLE_TO_LOCK_ROW", LOCK, Transient, OWN),
    (400, TRIGGER, "UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record", Transient, OWN),
    (400, TRIGGER, "System.LimitException: Too many SOQL queries: 101", Transient, OWN),
    (400, TRIGGER, "RouteCase: execution of BeforeInsert caused by: System.NullPointerException", Record, OWN),
    (400, TRIGGER, "entity type cannot be inserted: Case", Config, OWN),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save: Queue not associated with this SObject type.", Config, OWN),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "The flow \"Route\" failed: a rule of its own", Record, OWN),
    (400, "INVALID_OPERATION", "Queue not associated with this SObject type", Config, OWN),
    (400, "INVALID_OPERATION", "something else", Unclassified, OWN),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "System.LimitException: Apex CPU time limit exceeded", Transient, OWN),
    (404, "ENTITY_IS_DELETED", "entity is deleted", Record, OWN),
    (403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", Config, OWN),
    (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id", Record, OWN),
    (400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: F. Please check the security settings", Config, OWN),
    (400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Account: bad field names on insert/update call: Name", Request, OWN),
    (400, "FIELD_FILTER_VALIDATION_EXCEPTION", "Value does not exist or does not match filter criteria.", Record, OWN),
    (400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: v", Record, OWN),
    (400, "DUPLICATE_VALUE", "duplicate value found: F duplicates value on record with id: 001xx", Record, OWN),
    (400, "CUSTOM_APEX_ERROR", "the organization's own words", Record, OWN),
    (500, "QUERY_TIMEOUT", "Your query request was running for too long.", Transient, OWN),
    (400, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime", Request, OWN),
    (405, "METHOD_NOT_ALLOWED", "HTTP Method 'DELETE' not allowed. Allowed are HEAD,GET,PATCH", Request, OWN),
    (400, "URL_NOT_RESET", "Destination URL not reset", Config, ALL),
    (503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "in maintenance", Transient, ALL),
    (400, "CART_NOT_FOUND", "a code of the list that nobody has confirmed", Unclassified, OWN),
    (502, "CART_NOT_FOUND", "a gateway's word", Transient, ALL),
    (400, "INVALID_FIELD", "No such column 'foo' on sobject of type Bar", Config, OWN),
    (400, "INVALID_FIELD", "Foreign key external ID: v not found for field Ext__c in entity Contact", Ordering, OWN),
    (400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", Record, OWN),
    (400, "INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank", Config, OWN),
    (400, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [005xx] as owner of case", Config, OWN),
    (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", Record, OWN),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Please fill in the reason", Record, OWN),
    (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Origin: bad value for restricted picklist field: line", Config, OWN),
    (400, "STRING_TOO_LONG", "Name: data value too large: v (max length=255)", Record, OWN),
    (400, "DUPLICATE_VALUE", "Duplicate external id specified: v", Request, OWN),
    (404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: F", Config, OWN),
    (400, "INVALID_TYPE", "sObject type 'XYZZY' is not supported.", Config, OWN),
    (400, "MALFORMED_QUERY", "unexpected token: 'FORM'", Request, OWN),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Limit, ALL),
    (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", Transient, ALL),
    (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded", Transient, ALL),
    (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", Config, ALL),
    (403, "API_CURRENTLY_DISABLED", "API is disabled for this User", Config, ALL),
    (400, "TXN_SECURITY_METERING_ERROR", "We can't complete the action because ...", Transient, ALL),
    (403, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", Limit, ALL),
    (503, "SERVER_UNAVAILABLE", "server too busy", Transient, ALL),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-2 (3)", Transient, ALL),
    (500, "APEX_ERROR", "System.NullPointerException", Record, OWN),
    (400, "NOBODY_KNOWS_THIS", "a new code of a new release", Unclassified, OWN),
    (500, "NOBODY_KNOWS_THIS", "a new code of a new release", Unclassified, OWN),
    (503, "NOBODY_KNOWS_THIS", "a gateway's word", Transient, ALL),
];

#[test]
fn a_code_with_its_text_has_one_meaning() {
    for &(status, code, text, class, scope) in MEANINGS {
        let refusal = rest(status, &complaint(code, text));
        assert_eq!((refusal.class, refusal.scope), (class, scope), "{code} {text}");
        assert_eq!(refusal.code, code);
        assert!(refusal.text.contains(text) || class == Unclassified, "{refusal:?}");
        assert_eq!((refusal.status, refusal.request_id.as_deref()), (Some(status), Some("request-7")));
    }
}

#[test]
fn a_code_that_is_blank_is_none_and_the_status_stands_for_it() {
    for code in ["", " "] {
        let refusal = rest(400, &complaint(code, "words"));
        assert_eq!(refusal.code, "HTTP_400", "{refusal:?}");
        assert!(refusal.text.contains("words"));
    }
    let other = r#"[{"errorCode": "", "statusCode": "REQUIRED_FIELD_MISSING", "message": "words"}]"#;
    assert_eq!(rest(400, other).code, "REQUIRED_FIELD_MISSING");
}

/// Bodies that real organizations sent, as public threads and tests show them: where, status, body, and what they mean.
#[rustfmt::skip]
const SEEN: &[(&str, u16, &str, Class, Scope)] = &[
    ("forcedotcom/dataloader#1641", 401, r#"[{"message":"This session is not valid for use with the API","errorCode":"INVALID_SESSION_ID"}]"#, Config, ALL),
    ("newer REST wording", 401, r#"[{"message":"This session is not valid for use with the specified REST API endpoint. One of the following scopes is required: api, full","errorCode":"INVALID_SESSION_ID"}]"#, Config, ALL),
    ("the same in another language, told by its status", 403, r#"[{"message":"Cette session ne peut pas servir ici","errorCode":"INVALID_SESSION_ID"}]"#, Config, ALL),
    ("SFDO-Community/declarative-lookup-rollup-summaries#1021", 400, r#"[{"message":"dlrs_CaseTrigger: execution of AfterInsert caused by: System.DmlException: Record Currently Unavailable: The record you are attempting to edit, or one of its related records, is currently being modified by another user. Please try again.","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]"#, Transient, OWN),
    ("a flow in French, with the code inside", 400, r#"[{"message":"Nous ne pouvons pas enregistrer cet enregistrement car le processus a échoué. UNABLE_TO_LOCK_ROW: impossible d'obtenir un accès exclusif : 500000000000001AAA","errorCode":"CANNOT_EXECUTE_FLOW_TRIGGER","fields":[]}]"#, Transient, OWN),
    ("a trigger that adds its error to the record", 400, r#"[{"message":"Update failed. First exception on row 0 with id 500000000000001AAA; first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record: []","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]"#, Transient, OWN),
    ("SalesforceLabs/roundRobinProcessBuilder#24", 400, r#"[{"message":"Owner ID: id value of incorrect type: 00G5g000004abcdEAA","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":["OwnerId"]}]"#, Config, OWN),
    ("apex-enterprise-patterns/fflib-apex-common#293", 400, r#"[{"message":"Assigned To ID: id value of incorrect type: 00G...","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":[]}]"#, Config, OWN),
    ("the same in German, told by the queue's id", 400, r#"[{"message":"Inhaber-ID: ID-Wert eines falschen Typs: 00G5g000004abcdEAA","errorCode":"MALFORMED_ID","fields":[]}]"#, Config, OWN),
    ("FIELD_INTEGRITY_EXCEPTION about anything else", 400, r#"[{"message":"There's a problem with this state, even though it may appear correct.","errorCode":"FIELD_INTEGRITY_EXCEPTION","fields":["MailingState"]}]"#, Record, OWN),
    ("SmartFactory#25", 400, r#"[{"message":"Record Type ID: this ID value isn't valid for the user: 0125g000000abcdAAA","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":["RecordTypeId"]}]"#, Config, OWN),
    ("the same in Portuguese", 400, r#"[{"message":"ID do tipo de registro: este valor de ID não é válido para o usuário: 0125g000000abcdAAA","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":[]}]"#, Config, OWN),
    ("mulesoft-labs/salesforce#139", 400, r#"[{"message":"Record Type missing for: Case","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":[]}]"#, Config, OWN),
    ("mulesoft-labs/salesforce#139", 400, r#"[{"message":"entity type cannot be updated: Case","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]"#, Config, OWN),
    ("a trigger whose user lacks a right", 400, r#"[{"message":"CaseTrigger: execution of AfterInsert caused by: System.DmlException: Insert failed. First exception on row 0; first error: INSUFFICIENT_ACCESS_OR_READONLY, insufficient access rights on object id: []","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]"#, Config, OWN),
    ("a trigger that meets a queue, in Spanish", 400, r#"[{"message":"CaseTrigger: primer error: INVALID_OPERATION, Cola no asociada a este tipo de SObject: [OwnerId]","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]"#, Config, OWN),
    ("a trigger's wrong request is not this host's", 400, r#"[{"message":"first error: MALFORMED_QUERY, unexpected token","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]"#, Record, OWN),
    ("Apex REST without access to the class", 403, r#"[{"message":"You do not have access to the Apex class named: Router","errorCode":"FORBIDDEN"}]"#, Config, OWN),
    ("TLS 1.0 after its end", 403, r#"[{"message":"TLS 1.0 has been disabled in this organization. Please use TLS 1.1 or higher.","errorCode":"UNSUPPORTED_CLIENT"}]"#, Config, ALL),
    ("a parent whose owner left", 400, r#"[{"message":"owner is inactive","errorCode":"CANNOT_REPARENT_RECORD","fields":[]}]"#, Config, OWN),
    ("fishofprey.com 2011", 400, r#"[{"message":"Upsert requires view all data on a non-unique custom index","errorCode":"INSUFFICIENT_ACCESS","fields":[]}]"#, Config, OWN),
];

#[test]
fn what_real_organizations_said_is_put_where_an_administrator_would_put_it() {
    for (place, status, body, class, scope) in SEEN {
        let refusal = rest(*status, body);
        assert_eq!((refusal.class, refusal.scope), (*class, *scope), "{place}: {body}");
    }
}

#[test]
fn the_token_endpoint_names_the_app_in_more_than_one_way() {
    for (place, error, description) in [
        ("dust-tt/dust#26727", "app_not_found", "External client app is not installed in this org"),
        ("forcedotcom/cli#3482", "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org"),
        ("PipedreamHQ/pipedream#21557", "invalid_scope", "the requested scope is not allowed"),
        ("getinboxzero/jetstream#1462", "redirect_uri_missing", "redirect_uri not provided"),
        ("client credentials", "invalid_client_credentials", "client secret invalid"),
        ("RFC 6749", "unauthorized_client", "this client may not use this grant type"),
    ] {
        let refusal = at(Stage::Token, 400, &json!({"error": error, "error_description": description}).to_string());
        assert_eq!((refusal.class, refusal.scope), (Class::Auth, Scope::Org), "{place}");
        assert_ne!(rules::advice(&refusal), Class::Auth.advice(), "{place}: it says more than its class");
    }
}

#[test]
fn records_that_a_text_names_are_listed_in_every_wording() {
    for text in [
        "Switchyard_Id__c: more than one record found for external id field: [5005g000004abcdEAA, 5005g000004abceEAA]",
        r#"F: more than one record found for external id field: ["/services/data/v62.0/sobjects/Case/5005g000004abcdEAA", "/services/data/v62.0/sobjects/Case/5005g000004abceEAA"]"#,
    ] {
        let refusal = rest(400, &complaint("DUPLICATE_EXTERNAL_ID", text));
        assert_eq!(refusal.records, ["5005g000004abcdEAA", "5005g000004abceEAA"], "{text}");
    }
}

#[test]
fn where_every_part_was_halted_the_one_whose_reference_led_nowhere_is_the_cause() {
    let body = json!([
        {"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another operation in the same transaction failed."},
        {"errorCode": "PROCESSING_HALTED", "message": "Invalid reference specified. No value for a.id found in a."},
    ]);
    let refusal = rest(400, &body.to_string());
    assert!(refusal.text.starts_with("Invalid reference") && refusal.class == Class::Request, "{refusal:?}");
}

#[test]
fn the_token_endpoint_speaks_another_language() {
    #[rustfmt::skip]
    let table = [
        ("invalid_grant", "expired access/refresh token", Class::Auth),
        ("invalid_grant", "token validity expired", Class::Auth),
        ("invalid_grant", "inactive user", Class::Auth),
        ("invalid_grant", "authentication failure - Invalid Password", Class::Auth),
        ("invalid_grant", "user hasn't approved this consumer", Class::Auth),
        ("invalid_grant", "Audience validation failed", Class::Auth),
        ("invalid_grant", "no client credentials user enabled", Class::Auth),
        ("invalid_grant", "request not supported on this domain", Class::Auth),
        ("invalid_client", "app must be installed into org", Class::Auth),
        ("inactive_org", "organization is locked", Class::Auth),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", Class::Auth),
        ("invalid_request", "refresh_token scope is required and the connected app should be installed", Class::Auth),
        ("invalid_grant", "words that nobody has seen yet", Class::Auth),
        ("inactive_user", "user is inactive", Class::Auth),
        ("invalid_client_id", "client identifier invalid", Class::Auth),
        ("invalid_client", "invalid client credentials", Class::Auth),
        ("invalid_app_access", "user is not admin approved to access this app", Class::Auth),
        ("unknown_error", "retry your request", Class::Transient),
        ("rate_limit_exceeded", "login rate exceeded", Class::Limit),
        ("unsupported_grant_type", "grant type not supported", Class::Request),
        ("invalid_request", "missing required parameter: client_id", Class::Request),
        ("brand_new_error", "what nobody knows is kept as it came", Class::Auth),
    ];
    for (error, description, class) in table {
        let body = json!({"error": error, "error_description": description}).to_string();
        let refusal = at(Stage::Token, 400, &body);
        assert_eq!((refusal.class, refusal.scope), (class, Scope::Org), "{error} {description}");
        assert_eq!(refusal.code, error);
        assert!(refusal.text.contains(description));
    }
    for (status, body) in [(503, "<html>down</html>"), (200, "<html>"), (403, "<html>"), (200, ""), (400, "{}")] {
        let refusal = at(Stage::Token, status, body);
        assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Org), "{status} {body}");
    }
}

#[test]
fn a_duplicate_rule_names_its_records_under_either_spelling() {
    for key in ["duplicateResult", "duplicateResut"] {
        let found = json!({"record": {"attributes": {"type": "Contact"}, "Id": "003xx0000000001AAA"}});
        let body = json!([{
            key: {"allowSave": false, "matchResults": [{"matchRecords": [found], "errors": [], "size": 1}]},
            "errorCode": "DUPLICATES_DETECTED",
            "message": "Use one of these records?"
        }]);
        let refusal = rest(400, &body.to_string());
        assert_eq!((refusal.class, refusal.text.as_str()), (Class::Record, "Use one of these records?"));
        assert_eq!(refusal.records, ["003xx0000000001AAA"]);
    }
    let text = "duplicate value found: Ext__c duplicates value on record with id: 001xx0000000001";
    assert_eq!(rest(400, &complaint("DUPLICATE_VALUE", text)).records, ["001xx0000000001"]);
}

#[test]
fn several_records_with_one_key_are_named_though_the_body_has_no_code() {
    let body = json!(["/services/data/v62.0/sobjects/Contact/003a", "/services/data/v62.0/sobjects/Contact/003b"]);
    let refusal = rest(300, &body.to_string());
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Config, "DUPLICATE_EXTERNAL_ID"));
    assert_eq!(refusal.records, ["003a", "003b"]);
}

#[test]
fn a_record_refused_inside_a_good_status_is_refused() {
    let error = json!({"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": ["OwnerId"]});
    let refusal = rest(200, &json!({"success": false, "errors": [error], "created": false}).to_string());
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Config, "INVALID_CROSS_REFERENCE_KEY"));
    assert_eq!(refusal.fields, ["OwnerId"]);
}

#[test]
fn what_was_only_rolled_back_is_never_the_cause() {
    let halted = json!([{"errorCode": "PROCESSING_HALTED", "message": "another operation failed"}]);
    let cause = json!([{"errorCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: v", "fields": ["Email"]}]);
    let part = |body| json!({"body": body, "httpStatusCode": 400, "referenceId": "a"});
    let refusal = rest(400, &json!({"compositeResponse": [part(halted.clone()), part(cause)]}).to_string());
    assert_eq!((refusal.code.as_str(), refusal.fields.len()), ("INVALID_EMAIL_ADDRESS", 1));
    assert_eq!(rest(400, &halted.to_string()).class, Class::Transient);
}

#[test]
fn an_unknown_code_keeps_the_raw_body_up_to_a_bound() {
    let refusal = rest(400, &complaint("BRAND_NEW", &"é".repeat(9000)));
    assert_eq!(refusal.class, Class::Unclassified);
    assert!(refusal.text.starts_with("[{\"message\":\"éé"), "the body as it came");
    assert_eq!(refusal.text.chars().count(), WORDS_KEPT);
}

proptest! {
    #[test]
    fn no_answer_is_too_strange_to_be_judged(status in 100_u16..600, body in any::<Vec<u8>>(), token in any::<bool>()) {
        let stage = if token { Stage::Token } else { Stage::Rest };
        let answer = HttpAnswer { status, body, ..HttpAnswer::default() };
        match judge(stage, Ok(answer)) {
            Ok(json) => {
                prop_assert!((200..300).contains(&status));
                drop(parts(json));
            }
            Err(refusal) => prop_assert_eq!(refusal.status, Some(status)),
        }
    }
}
