//! Codes of what passes: locks, outages, limits, and records that are not there yet.

use super::{Rule, rule};
use crate::domain::Class::{Limit, Ordering, Transient};
use crate::domain::Scope::{Org, Record};

/// Triggers and flows wrap what went wrong inside them.
const WRAPPED: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_EXECUTE_FLOW_TRIGGER APEX_ERROR APEX_FAILED \
                       CUSTOM_APEX_ERROR FLOW_EXCEPTION FIELD_CUSTOM_VALIDATION_EXCEPTION";

pub(super) const RULES: &[Rule] = &[
    locked("UNABLE_TO_LOCK_ROW"),
    locked(WRAPPED).with(
        "unable_to_lock_row|unable to obtain exclusive access|record currently unavailable|\
         being modified by another user|modified by another process",
    ),
    // The name of the exception is the same in every language.
    near_limits(WRAPPED).with(
        "limitexception|too many soql queries|too many dml|too many query rows|cpu time limit|heap size too large",
    ),
    near_limits("TOO_MANY_APEX_REQUESTS"),
    rule(Transient, Record, "RECORD_IN_USE_BY_WORKFLOW INVALID_QUERY_LOCATOR"),
    rule(Transient, Record, "QUERY_TIMEOUT REQUEST_RUNNING_TOO_LONG").words(
        "Salesforce took too long over the request and gave it up.",
        "If it comes often: whether the fields that contacts are searched by are indexed, and what runs when a \
         record is saved.",
    ),
    rule(Transient, Org, "SERVER_UNAVAILABLE FUNCTIONALITY_TEMPORARILY_UNAVAILABLE SERVICE_UNAVAILABLE BAD_GATEWAY"),
    not_salesforces(
        "UNREADABLE_ANSWER ANSWER_TOO_LARGE HTTP_301 HTTP_302 HTTP_303 HTTP_307 HTTP_308 HTTP_401 HTTP_404 HTTP_405 HTTP_407 \
         HTTP_409 HTTP_410",
    ),
    not_salesforces("HTTP_200 HTTP_201 HTTP_202 HTTP_204 HTTP_300 HTTP_400 HTTP_402 HTTP_403 HTTP_415 HTTP_451")
        .fewer(),
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
    rule(Transient, Org, "CONNECTION_BROKE_OFF").words(
        "The connection broke off before Salesforce's answer had come. Nobody knows whether it did what it was asked.",
        "If it stays: the network of this host, and a proxy between it and Salesforce.",
    ),
    rule(Transient, Org, "CONNECTION_FAILED").words(
        "Salesforce could not be reached.",
        "If it stays: the network and DNS of this host, and whether the organization has moved to another address.",
    ),
    rule(Transient, Record, "CONTACT_NOT_SETTLED").words(
        "A contact was being made when Salesforce's answer was lost. It is not there yet.",
        "Nothing, while it is being tried again: it is looked for, and made anew once it cannot come any more.",
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

const fn not_salesforces(codes: &'static str) -> Rule {
    rule(Transient, Org, codes).words(
        "What answered is not Salesforce: a proxy, a firewall or a maintenance page on the way, or another server at an \
         address that the organization has left. A new token, which names the address, was asked for.",
        "If it stays: the network and proxies between this host and Salesforce, Salesforce's status page \
         (trust.salesforce.com), and `login_url`.",
    )
}

const fn near_limits(codes: &'static str) -> Rule {
    rule(Transient, Record, codes).fewer().words(
        "What the organization runs when a record is saved came to a limit of Salesforce (queries, processor time).",
        "If it stays: the trigger, flow or class that Salesforce's words name.",
    )
}
