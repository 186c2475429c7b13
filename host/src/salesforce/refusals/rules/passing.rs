//! Codes of what passes: locks, outages, limits, and records that are not there yet.

use super::{Rule, rule};
use crate::domain::Class::{Limit, Ordering, Transient};
use crate::domain::Scope::{Org, Record};

/// Triggers and flows wrap what went wrong inside them.
const WRAPPED: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_EXECUTE_FLOW_TRIGGER";

pub(super) const RULES: &[Rule] = &[
    locked("UNABLE_TO_LOCK_ROW"),
    locked(WRAPPED).with("unable_to_lock_row"),
    locked(WRAPPED).with("unable to obtain exclusive access"),
    near_limits(WRAPPED).with("too many soql queries"),
    near_limits(WRAPPED).with("cpu time limit"),
    near_limits(WRAPPED).with("limitexception"),
    near_limits("TOO_MANY_APEX_REQUESTS"),
    rule(Transient, Record, "RECORD_IN_USE_BY_WORKFLOW INVALID_QUERY_LOCATOR"),
    rule(Transient, Record, "QUERY_TIMEOUT REQUEST_RUNNING_TOO_LONG").words(
        "Salesforce took too long over the request and gave it up.",
        "If it comes often: whether the fields that contacts are searched by are indexed, and what runs when a \
         record is saved.",
    ),
    rule(Transient, Org, "SERVER_UNAVAILABLE FUNCTIONALITY_TEMPORARILY_UNAVAILABLE"),
    rule(Transient, Org, "UNKNOWN_EXCEPTION").words(
        "Salesforce met an error of its own.",
        "If it stays, give the ErrorId in its words to Salesforce's support.",
    ),
    rule(Transient, Org, "ORG_IN_MAINTENANCE INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE").words(
        "The organization is in maintenance and takes no changes.",
        "The maintenance calendar on trust.salesforce.com. Nothing else is to be done.",
    ),
    rule(Transient, Org, "TXN_SECURITY_METERING_ERROR").words(
        "The organization's transaction security policies took too long.",
        "If it stays, give the integration user the permission \"Exempt from Transaction Security\".",
    ),
    rule(Transient, Org, "TIMEOUT").words(
        "Salesforce did not answer in time. Nobody knows whether it did what it was asked; it is asked again, \
         which does no harm.",
        "If it stays: whether this host reaches Salesforce, `timeout_ms`, and what runs in the organization when \
         a record is saved.",
    ),
    rule(Transient, Org, "CONNECTION_FAILED").words(
        "Salesforce could not be reached.",
        "If it stays: the network and DNS of this host, and whether the organization has moved to another address.",
    ),
    rule(Transient, Org, "TOKEN_NOT_STORED").words(
        "Salesforce gave a new refresh token, and this host could not store it. Nothing is sent until it is stored.",
        "Disk space and permissions of the store's folder. Do not stop the host before: the token would be lost.",
    ),
    rule(Transient, Org, "REQUEST_LIMIT_EXCEEDED").with("concurrent").words(
        "Too many long calls were under way at once.",
        "If it stays: what takes over 20 seconds in the organization, and `concurrency` of this organization here.",
    ),
    rule(Limit, Org, "REQUEST_LIMIT_EXCEEDED").words(
        "The organization has used up its API calls of 24 hours.",
        "Setup > System Overview > API Requests: who uses them up; buy more, or send less.",
    ),
    rule(Limit, Org, "LIMIT_EXCEEDED"),
    rule(Limit, Org, "STORAGE_LIMIT_EXCEEDED EXCEEDED_QUOTA")
        .words("The organization's data storage is full.", "Setup > Storage Usage: delete data or buy storage."),
    rule(Ordering, Record, "INVALID_FIELD").with("foreign key external id").words(
        "A record that this one points to by its external id is not there yet.",
        "Nothing, while it is being tried again. If it stays, whether that record was refused too.",
    ),
];

const fn locked(codes: &'static str) -> Rule {
    rule(Transient, Record, codes).fewer().words(
        "Somebody else was changing the record, or one that it belongs to, for longer than Salesforce waits.",
        "If it comes often: what else writes to the same accounts and contacts, and `concurrency` of this \
         organization here.",
    )
}

const fn near_limits(codes: &'static str) -> Rule {
    rule(Transient, Record, codes).fewer().words(
        "What the organization runs when a record is saved came to a limit of Salesforce (queries, processor time).",
        "If it stays: the trigger, flow or class that Salesforce's words name.",
    )
}
