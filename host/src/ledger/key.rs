//! Every key of the store: one function for each noun, and the ways back from a key to ids.
//!
//! ```text
//! lane/ORG                                 how an organization stands: counts, incident, the newest time seen
//! conversation/ORG/CONVERSATION            a conversation at its newest messages
//! delivery/ORG/CONVERSATION                where it stands on its way; exactly one of the next four leads to it
//! ready/ORG/WORK/SINCE/CONVERSATION        waits for a place, or is on its way
//! due/ORG/UNTIL/CONVERSATION               is tried again by itself, not before UNTIL
//! parked/ORG/SINCE/CONVERSATION            waits for the end of an incident
//! age/ORG/DAY/CONVERSATION                 nothing to do; by the day of its last change, for retention
//! inbox/ORG/NUMBER                         arrivals that are acknowledged but not merged yet
//! error/ID                                 sync errors
//! error-alias/OLD                          the sync error into which an import merged this one
//! error-list/ORG/STATE/FIRST_SEEN/ID       their summaries, for lists
//! error-group/ORG/FINGERPRINT/STATE/FIRST_SEEN/ID   the same by cause, without the summary
//! error-term/ORG/TERM/ID                   sync errors by how the customer is called, by records and request ids of Salesforce
//! group/ORG/FINGERPRINT                    causes
//! customer/ORG/TERM/CONVERSATION           conversations by who the customer is
//! audit/ORG/CONVERSATION/PAGE              entries of the audit of a conversation's messages
//! message/MESSAGE/ORG/CONVERSATION         which conversation a message belongs to
//! operation/ORG/NUMBER                     what somebody asked of many sync errors at once, until it is over
//! operation-over/ORG/NUMBER                the same afterwards
//! operation-auto/ORG/NUMBER                what a revision of a policy ignores of one cause, as long as it decides
//! operation-id/ID/ORG                      the number of an operation in an organization
//! action/TIME/ORDER                        who did what, over all organizations
//! quarantine/ORG/ID                        what could not be read or written, and why; `@SOURCE` for ORG where a source sent it
//! quarantine-value/ORG/ID                  its bytes as they were
//! cursor/SOURCE                            the newest action that a poll has seen
//! gap/SOURCE/CONVERSATION/AT               of which something was missed
//! link/SOURCE/CONVERSATION/AT              ids of Salesforce's records that the source is to keep
//! arrived/ORG/SOURCE                       when something last came of a source for an organization, to the minute
//! team/ORG/TEAM-IN-HEX                     a conversation of each team that was seen
//! alert/ORG                                what the recipients of an organization's mails know
//! org-settings/ORG                         what people changed of an organization's settings
//! mail/ORG/TIME/ORDER                      mails about an organization, and what became of each; the newest so many
//! policy-revision/POLICY/NUMBER            revisions of a policy, with their texts
//! event/NUMBER                             what clients are told of, over all organizations; the newest so many
//! refresh-token/ORG                        the one that Salesforce gave last, sealed
//! api-token/ID                             tokens that were made over the API
//! api-token-use/ID                         when a token was used last, to the minute
//! api-token-time                           the time by which tokens expire
//! console-session/HASH                     sessions of the console, by the hash of their cookie
//! ```
//!
//! Times are milliseconds since 1970 in 13 digits, so that keys are in the order of time.

mod operations;
mod sync_errors;

use std::collections::BTreeSet;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) use self::operations::{
    operation, operation_auto, operation_id, operation_ids, operation_over, operations, operations_auto,
    operations_over,
};
pub(super) use self::sync_errors::{
    error, error_alias, error_group, error_groups, error_list, error_terms, group, groups, indexes_of_error, of_error,
};
use super::unreadable;
use crate::domain::{
    ApiTokenId, Conversation, ConversationId, Delivery, MessageId, OrgId, Phase, PolicyName, SourceId, Timestamp, Work,
};
use crate::store::Error;

/// What is quoted in a term: what would end it, and what is no printed character of ASCII.
const NOT_IN_A_TERM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'@').remove(b'.').remove(b'-').remove(b'_').remove(b'+');

pub(super) const ACTIONS: &str = "action/";
pub(super) const API_TOKENS: &str = "api-token/";
pub(super) const API_TOKEN_USES: &str = "api-token-use/";
pub(super) const API_TOKEN_TIME: &str = "api-token-time";
pub(super) const CONSOLE_SESSIONS: &str = "console-session/";
pub(super) const ARRIVED: &str = "arrived/";
pub(super) const LANES: &str = "lane/";
pub(super) const REVISIONS: &str = "policy-revision/";
pub(super) const QUARANTINE: &str = "quarantine/";
pub(super) const IDEMPOTENCY_ANSWERS: &str = "idempotency-answer/";
pub(super) const IDEMPOTENCY_AGES: &str = "idempotency-age/";

pub(super) fn lane(org: &OrgId) -> String {
    format!("{LANES}{org}")
}

pub(super) fn conversations(org: &OrgId) -> String {
    format!("conversation/{org}/")
}

pub(super) fn conversation(org: &OrgId, id: &ConversationId) -> String {
    format!("conversation/{org}/{id}")
}

pub(super) fn deliveries(org: &OrgId) -> String {
    format!("delivery/{org}/")
}

pub(super) fn delivery(org: &OrgId, id: &ConversationId) -> String {
    format!("delivery/{org}/{id}")
}

pub(super) fn ready(org: &OrgId, work: Work) -> String {
    let work = match work {
        Work::New => "new",
        Work::Due => "due",
        Work::Operation => "operation",
    };
    format!("ready/{org}/{work}/")
}

pub(super) fn due(org: &OrgId) -> String {
    format!("due/{org}/")
}

pub(super) fn parked(org: &OrgId) -> String {
    format!("parked/{org}/")
}

pub(super) fn parked_since(org: &OrgId, since: Timestamp, id: &ConversationId) -> String {
    format!("{}{}/{id}", parked(org), time(since))
}

pub(super) fn aged(org: &OrgId) -> String {
    format!("age/{org}/")
}

pub(super) fn aged_on(org: &OrgId, day: u32, id: &ConversationId) -> String {
    format!("{}{day:08}/{id}", aged(org))
}

/// The one key that leads to a delivery by what it does now.
pub(super) fn of_delivery(org: &OrgId, id: &ConversationId, delivery: &Delivery) -> String {
    match delivery.phase {
        Phase::Ready { work, since } | Phase::Sending { work, since, .. } => {
            format!("{}{}/{id}", ready(org, work), time(since))
        }
        Phase::Waiting { until } => format!("{}{}/{id}", due(org), time(until)),
        Phase::Parked { since } => parked_since(org, since, id),
        Phase::Idle | Phase::Held => aged_on(org, delivery.day, id),
    }
}

pub(super) fn inbox(org: &OrgId) -> String {
    format!("inbox/{org}/")
}

pub(super) fn arrival(org: &OrgId, number: u64) -> String {
    format!("inbox/{org}/{number:020}")
}

/// Conversations of customers with a term that begins like this.
pub(super) fn customers(org: &OrgId, begin: &str) -> String {
    format!("customer/{org}/{}", utf8_percent_encode(begin, NOT_IN_A_TERM))
}

/// The keys that lead to a conversation by its customer.
pub(super) fn indexes_of_conversation(org: &OrgId, of: &Conversation) -> BTreeSet<String> {
    of.customer.terms().into_iter().map(|term| format!("{}/{}", customers(org, &term), of.id)).collect()
}

pub(super) fn audit(org: &OrgId, id: &ConversationId) -> String {
    format!("audit/{org}/{id}/")
}

pub(super) fn audit_page(org: &OrgId, id: &ConversationId, page: u32) -> String {
    format!("audit/{org}/{id}/{page:06}")
}

pub(super) fn places_of_message(message: &MessageId) -> String {
    format!("message/{message}/")
}

pub(super) fn message(message: &MessageId, org: &OrgId, id: &ConversationId) -> String {
    format!("message/{message}/{org}/{id}")
}

/// What the keys of all actions of one millisecond begin with.
pub(super) fn actions_at(at: Timestamp) -> String {
    format!("{ACTIONS}{}/", time(at))
}

pub(super) fn action(at: Timestamp, order: u64) -> String {
    format!("{}{order:016x}", actions_at(at))
}

pub(super) fn api_token(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}{id}")
}

pub(super) fn api_token_use(id: &ApiTokenId) -> String {
    format!("{API_TOKEN_USES}{id}")
}

pub(super) fn console_session(hash: &str) -> String {
    format!("{CONSOLE_SESSIONS}{hash}")
}

/// That a request was carried out, by its key.
pub(super) fn idempotency(id: &str) -> String {
    format!("idempotency/{id}")
}

/// What it was answered with.
pub(super) fn idempotency_answer(id: &str) -> String {
    format!("{IDEMPOTENCY_ANSWERS}{id}")
}

/// Since when its key is known.
pub(super) fn idempotency_age(at: Timestamp, id: &str) -> String {
    format!("{IDEMPOTENCY_AGES}{}/{id}", time(at))
}

/// The time and the key of that.
pub(super) fn idempotency_of_age(name: &[u8]) -> Result<(Timestamp, String), Error> {
    let id = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    Ok((time_part(name, 1)?, String::from_utf8_lossy(id).into_owned()))
}

pub(super) fn quarantine(owner: &str, id: &str) -> String {
    format!("{QUARANTINE}{owner}/{id}")
}

pub(super) fn quarantine_value(owner: &str, id: &str) -> String {
    format!("quarantine-value/{owner}/{id}")
}

pub(super) fn cursor(source: &SourceId) -> String {
    format!("cursor/{source}")
}

pub(super) fn gaps(source: &SourceId) -> String {
    format!("gap/{source}/")
}

pub(super) fn gap(source: &SourceId, id: &ConversationId, at: Timestamp) -> String {
    format!("gap/{source}/{id}/{}", time(at))
}

pub(super) fn links(source: &SourceId) -> String {
    format!("link/{source}/")
}

pub(super) fn link(source: &SourceId, id: &ConversationId, at: Timestamp) -> String {
    format!("link/{source}/{id}/{}", time(at))
}

pub(super) fn arrived(org: &OrgId, source: &SourceId) -> String {
    format!("{ARRIVED}{org}/{source}")
}

pub(super) fn teams(org: &OrgId) -> String {
    format!("team/{org}/")
}

pub(super) fn team(org: &OrgId, team: &str) -> String {
    format!("team/{org}/{}", hex::encode(team))
}

pub(super) fn alert(org: &OrgId) -> String {
    format!("alert/{org}")
}

pub(super) fn org_settings(org: &OrgId) -> String {
    format!("org-settings/{org}")
}

pub(super) fn mails(org: &OrgId) -> String {
    format!("mail/{org}/")
}

pub(super) fn mail(org: &OrgId, at: Timestamp, order: u64) -> String {
    format!("{}{}/{order:016x}", mails(org), time(at))
}

pub(super) fn policy_revision(policy: &PolicyName, number: u32) -> String {
    format!("{REVISIONS}{policy}/{number:010}")
}

/// A time as a part of a key.
pub(super) fn time(at: Timestamp) -> String {
    format!("{:013}", at.as_millis())
}

/// The part of a key at this place from its end, 0 for the last.
pub(super) fn part<T: FromStr<Err: ToString>>(key: &[u8], from_end: usize) -> Result<T, Error> {
    let name = String::from_utf8_lossy(key);
    let part = name.rsplit('/').nth(from_end).unwrap_or_default();
    part.parse().map_err(|error: T::Err| unreadable(&name, &error.to_string()))
}

/// The time that is the part of a key at this place from its end.
pub(super) fn time_part(key: &[u8], from_end: usize) -> Result<Timestamp, Error> {
    part(key, from_end).map(Timestamp::from_millis)
}
