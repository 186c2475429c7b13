//! Codes that reach the whole organization: the session, the user's rights to the API, and the organization itself.

use super::{Rule, rule};
use crate::domain::Class::{Auth, Config, Request};
use crate::domain::Scope::Org;

const SESSION: &str = "INVALID_SESSION_ID";

pub(super) const RULES: &[Rule] = &[
    // A new token would be refused in the same way, so these are not for a refresh.
    not_for_rest(SESSION).with(
        "not valid for use with the|following scopes is required|app is not attached|api access control|not authorized for",
    ),
    no_api(SESSION).with("cannot perform api operations|api is disabled|api is not enabled|api disabled"),
    rule(Auth, Org, SESSION).words(
        "Salesforce ended the session, and refused the new one too.",
        "Whether the integration user is active and has \"API Enabled\", and the app's session policies; then \
         authorize the organization again.",
    ),
    no_api("API_CURRENTLY_DISABLED API_DISABLED_FOR_ORG"),
    rule(Auth, Org, "INVALID_LOGIN PASSWORD_LOCKOUT INVALID_OPERATION_WITH_EXPIRED_PASSWORD"),
    rule(
        Config,
        Org,
        "LOGIN_DURING_RESTRICTED_DOMAIN LOGIN_DURING_RESTRICTED_TIME LOGIN_MUST_USE_SECURITY_TOKEN \
         LOGIN_CHALLENGE_ISSUED LOGIN_CHALLENGE_PENDING MUTUAL_AUTHENTICATION_FAILED CLIENT_NOT_ACCESSIBLE_FOR_USER",
    )
    .words(
        "The integration user may not log in from here, or not now.",
        "The user's profile: login hours, login IP ranges, and whether the app may be used; the app's policy on \
         IP relaxation.",
    ),
    rule(Config, Org, "ORG_LOCKED TRIAL_EXPIRED")
        .words("The organization is locked, or its trial is over.", "The organization's contract with Salesforce."),
    rule(Config, Org, "FUNCTIONALITY_NOT_ENABLED").words(
        "The organization has not switched on what the request needs.",
        "Which feature Salesforce's words name, in the organization's edition and Setup.",
    ),
    rule(
        Config,
        Org,
        "TXN_SECURITY_NO_ACCESS TXN_SECURITY_END_A_SESSION TXN_SECURITY_APEX_ERROR TXN_SECURITY_FAIL_CLOSE \
         TXN_SECURITY_RUNTIME_ERROR TXN_SECURITY_TWO_FA_REQUIRED",
    )
    .words(
        "A transaction security policy of the organization stops the integration user.",
        "Setup > Transaction Security Policies; the permission \"Exempt from Transaction Security\" for the \
         integration user.",
    ),
    rule(Config, Org, "URL_NOT_RESET ORG_NOT_OWNED_BY_INSTANCE").words(
        "The address called is not that of the organization: a log-in host, or a My Domain of before.",
        "`login_url`, and whether the organization's My Domain has changed; then authorize the organization again.",
    ),
    rule(Config, Org, "UNSUPPORTED_CLIENT CLIENT_REQUIRE_UPDATE_FOR_USER").words(
        "Salesforce does not take connections of this kind from this host: TLS is older than it asks for, or intercepted.",
        "Whether a proxy between this host and Salesforce ends TLS itself, and with which version (1.2 at least).",
    ),
    rule(Request, Org, "INVALID_AUTH_HEADER").words(
        "Salesforce could not read the Authorization header.",
        "Whether a proxy between this host and Salesforce changes it; if none does, report it.",
    ),
    rule(Request, Org, "UNSUPPORTED_API_VERSION").words(
        "The organization does not know this version of the API.",
        "`api_version`: the check \"connection\" says which versions the organization knows.",
    ),
];

const fn not_for_rest(codes: &'static str) -> Rule {
    rule(Config, Org, codes).words(
        "Salesforce accepts the connection but not for the REST API. A new token would not help.",
        "The app: whether it has the scope \"api\", its IP and session policies, and whether it is attached to \
         the user.",
    )
}

const fn no_api(codes: &'static str) -> Rule {
    rule(Config, Org, codes).words(
        "The integration user, or the organization's edition, has no API. A new token would not help.",
        "The permission \"API Enabled\" in the user's profile or permission sets; whether the edition has the \
         REST API.",
    )
}
