//! What Salesforce's codes mean here; where a code's meaning hangs on its text, on a stable fragment of that too.

use crate::domain::{Class, Scope};

/// A code, a fragment of the text in lower case (empty: any text), and what it means. The first that fits counts.
type Rule = (&'static str, &'static str, Class, Scope);

/// Codes that mean one thing whatever the text: so many lines of one kind read best side by side.
const PLAIN: &[(Class, Scope, &[&str])] = &[
    (
        Class::Transient,
        Scope::Record,
        &[
            "UNABLE_TO_LOCK_ROW",
            "RECORD_IN_USE_BY_WORKFLOW",
            "QUERY_TIMEOUT",
            "REQUEST_RUNNING_TOO_LONG",
            "TOO_MANY_APEX_REQUESTS",
            "INVALID_QUERY_LOCATOR",
        ],
    ),
    (
        Class::Transient,
        Scope::Org,
        &[
            "SERVER_UNAVAILABLE",
            "UNKNOWN_EXCEPTION",
            "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE",
            "TXN_SECURITY_METERING_ERROR",
        ],
    ),
    (Class::Limit, Scope::Org, &["REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED"]),
    (Class::Auth, Scope::Org, &["INVALID_SESSION_ID"]),
    (
        Class::Config,
        Scope::Org,
        &[
            "API_DISABLED_FOR_ORG",
            "API_CURRENTLY_DISABLED",
            "ORG_LOCKED",
            "TRIAL_EXPIRED",
            "FUNCTIONALITY_NOT_ENABLED",
            "TXN_SECURITY_NO_ACCESS",
            "TXN_SECURITY_END_A_SESSION",
            "TXN_SECURITY_APEX_ERROR",
            "TXN_SECURITY_FAIL_CLOSE",
            "TXN_SECURITY_RUNTIME_ERROR",
            "TXN_SECURITY_TWO_FA_REQUIRED",
            "URL_NOT_RESET",
        ],
    ),
    (
        Class::Config,
        Scope::Record,
        &[
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS",
            "NOT_FOUND",
            "INVALID_FIELD",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "INVALID_TYPE",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "DUPLICATE_EXTERNAL_ID",
            "INACTIVE_OWNER_OR_USER",
            "OP_WITH_INVALID_USER_TYPE_EXCEPTION",
            "TRANSFER_REQUIRES_READ",
            "INVALID_ASSIGNEE_TYPE",
            "INVALID_RECORD_TYPE",
            "UNAVAILABLE_RECORDTYPE_EXCEPTION",
        ],
    ),
    (
        Class::Record,
        Scope::Record,
        &[
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "INVALID_CROSS_REFERENCE_KEY",
            "ENTITY_IS_DELETED",
            "REQUIRED_FIELD_MISSING",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "FIELD_FILTER_VALIDATION_EXCEPTION",
            "FIELD_INTEGRITY_EXCEPTION",
            "INVALID_EMAIL_ADDRESS",
            "STRING_TOO_LONG",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
            "INVALID_CURRENCY_ISO",
            "DUPLICATES_DETECTED",
            "DUPLICATE_VALUE",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            "CUSTOM_APEX_ERROR",
            "APEX_ERROR",
            "ENTITY_IS_LOCKED",
        ],
    ),
    (
        Class::Request,
        Scope::Record,
        &[
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "JSON_PARSER_ERROR",
            "MALFORMED_ID",
            "MALFORMED_QUERY",
            "INVALID_QUERY_FILTER_OPERATOR",
            "MALFORMED_SEARCH",
            "MISSING_ARGUMENT",
            "INVALID_ID_FIELD",
            "EXCEEDED_MAX_SIZE_REQUEST",
            "OPERATION_TOO_LARGE",
            "METHOD_NOT_ALLOWED",
            "UNSUPPORTED_MEDIA_TYPE",
        ],
    ),
    (Class::Request, Scope::Org, &["INVALID_AUTH_HEADER", "UNSUPPORTED_API_VERSION"]),
];

const LOCK: &str = "unable to obtain exclusive access";
const TRIGGER: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
const FLOW: &str = "CANNOT_EXECUTE_FLOW_TRIGGER";
const NO_QUEUE: &str = "queue not associated with this sobject type";

/// Codes whose meaning hangs on the text. Triggers and flows wrap what went wrong inside them.
const BY_TEXT: &[Rule] = &[
    // A new token would be refused in the same way, so these are not for a refresh.
    ("INVALID_SESSION_ID", "not valid for use with the rest api", Class::Config, Scope::Org),
    ("INVALID_SESSION_ID", "connected app is not attached", Class::Config, Scope::Org),
    ("INVALID_SESSION_ID", "blacktab users cannot perform api operations", Class::Config, Scope::Org),
    ("INVALID_FIELD", "foreign key external id", Class::Ordering, Scope::Record),
    ("INVALID_CROSS_REFERENCE_KEY", "owner cannot be blank", Class::Config, Scope::Record),
    ("INVALID_OPERATION", NO_QUEUE, Class::Config, Scope::Record),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "bad field names on insert/update call", Class::Request, Scope::Record),
    ("DUPLICATE_VALUE", "duplicate external id specified", Class::Request, Scope::Record),
    ("REQUEST_LIMIT_EXCEEDED", "concurrent", Class::Transient, Scope::Org),
    (TRIGGER, "unable_to_lock_row", Class::Transient, Scope::Record),
    (TRIGGER, LOCK, Class::Transient, Scope::Record),
    (TRIGGER, "too many soql queries", Class::Transient, Scope::Record),
    (TRIGGER, "cpu time limit", Class::Transient, Scope::Record),
    (TRIGGER, "limitexception", Class::Transient, Scope::Record),
    (TRIGGER, NO_QUEUE, Class::Config, Scope::Record),
    (TRIGGER, "entity type cannot be inserted", Class::Config, Scope::Record),
    (FLOW, "unable_to_lock_row", Class::Transient, Scope::Record),
    (FLOW, LOCK, Class::Transient, Scope::Record),
    (FLOW, "too many soql queries", Class::Transient, Scope::Record),
    (FLOW, "limitexception", Class::Transient, Scope::Record),
    (FLOW, NO_QUEUE, Class::Config, Scope::Record),
];

/// The token endpoint's `error` and a fragment of its `error_description`; all of them reach the whole organization.
/// Whatever an administrator has to do about the connection is `Auth`, be it the app, the user or the token.
const TOKEN: &[Rule] = &[
    // A 400 all the same: Salesforce itself asks for another try.
    ("unknown_error", "", Class::Transient, Scope::Org),
    ("rate_limit_exceeded", "", Class::Limit, Scope::Org),
    ("invalid_grant", "login rate exceeded", Class::Limit, Scope::Org),
    ("invalid_grant", "", Class::Auth, Scope::Org),
    ("inactive_user", "", Class::Auth, Scope::Org),
    ("inactive_org", "", Class::Auth, Scope::Org),
    ("invalid_app_access", "", Class::Auth, Scope::Org),
    ("invalid_client_id", "", Class::Auth, Scope::Org),
    ("invalid_client", "", Class::Auth, Scope::Org),
    ("OAUTH_APP_BLOCKED", "", Class::Auth, Scope::Org),
    ("redirect_uri_mismatch", "", Class::Auth, Scope::Org),
    ("invalid_request", "refresh_token scope is required", Class::Auth, Scope::Org),
    ("invalid_request", "", Class::Request, Scope::Org),
    ("unsupported_grant_type", "", Class::Request, Scope::Org),
];

/// Codes of an entry that only says that another entry of the same call failed.
pub(super) const FOLLOWERS: [&str; 3] =
    ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED"];

/// What a code of the REST API means; `None` where nobody has said yet.
pub(super) fn of_rest(code: &str, text: &str) -> Option<(Class, Scope)> {
    let plain = || PLAIN.iter().find(|(_, _, codes)| codes.contains(&code)).map(|(class, scope, _)| (*class, *scope));
    first(BY_TEXT, code, text).or_else(plain)
}

/// What an error of the token endpoint means; `None` where nobody has said yet.
pub(super) fn of_token(error: &str, description: &str) -> Option<(Class, Scope)> {
    first(TOKEN, error, description)
}

fn first(rules: &[Rule], code: &str, text: &str) -> Option<(Class, Scope)> {
    let text = text.to_lowercase();
    rules.iter().find(|rule| rule.0 == code && text.contains(rule.1)).map(|rule| (rule.2, rule.3))
}

/// What a status means where the body says nothing that is known.
pub(super) fn of_status(status: u16) -> (Class, Scope) {
    match status {
        // 406 and 420 come from Salesforce's edge while an instance is being set up.
        406 | 408 | 420 | 429 | 500..=599 => (Class::Transient, Scope::Org),
        401 => (Class::Auth, Scope::Org),
        300 => (Class::Config, Scope::Record),
        301..=303 | 305..=399 => (Class::Config, Scope::Org),
        405 | 413..=415 | 431 => (Class::Request, Scope::Record),
        410 => (Class::Request, Scope::Org),
        _ => (Class::Unclassified, Scope::Record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<&str> = PLAIN.iter().flat_map(|(_, _, codes)| codes.iter().copied()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn every_rule_can_be_reached_and_its_fragment_is_in_lower_case() {
        for table in [BY_TEXT, TOKEN] {
            for rule in table {
                assert_eq!(first(table, rule.0, rule.1), Some((rule.2, rule.3)), "{} {}", rule.0, rule.1);
            }
        }
    }
}
