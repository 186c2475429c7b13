//! What a cause is called: a sentence that a person understands, made of the set-up's own names.

use std::collections::BTreeSet;

use crate::domain::{CHOSEN_CONTACT_GONE, Class, Fault, Refusal};

/// The longest title, in bytes.
const LONGEST: usize = 120;
/// So many fields are named.
const FIELDS: usize = 3;

/// The title of a refusal. `text` is the refusal's without what differs from one conversation to the next.
pub(super) fn of(refusal: &Refusal, team: Option<&str>, queue: Option<&str>, text: &str) -> String {
    let fields = named(refusal);
    let title = match (&refusal.blame, refusal.class) {
        (Some(_), Class::Policy) => of_policy(refusal, team, text),
        (_, Class::Auth) => of_connection(&refusal.code).to_owned(),
        (_, Class::Contact) if refusal.code == "CONTACT_AMBIGUOUS" => {
            "Nobody can tell which contact the customer is".to_owned()
        }
        (_, Class::Contact) if refusal.code == CHOSEN_CONTACT_GONE => {
            "The contact that a person chose is gone".to_owned()
        }
        (_, Class::Transient | Class::Limit) => of_passing(&refusal.code, text),
        (_, Class::Config | Class::Request) => of_set_up(&refusal.code, &fields, queue, text),
        (_, Class::Record) => of_data(&refusal.code, &fields, text),
        (_, Class::Unclassified) => with(&refusal.code, "", text),
        (_, class) => with(words(class), &refusal.code, text),
    };
    shortened(&title)
}

fn of_policy(refusal: &Refusal, team: Option<&str>, text: &str) -> String {
    let Some(blame) = &refusal.blame else { return text.to_owned() };
    let (policy, question) = (&blame.policy.name, blame.question);
    match (&blame.fault, team) {
        (Fault::Refused { code, .. }, Some(team)) if code == "TEAM_NOT_MAPPED" => format!("Team {team} has no queue"),
        (Fault::Refused { code, .. }, None) if code == "TEAM_NOT_MAPPED" => {
            "Without a team there is no queue".to_owned()
        }
        (Fault::Refused { code, .. }, _) => with(&format!("Policy {policy} refuses"), code, text),
        (Fault::Trapped { .. }, _) => with(&format!("Policy {policy} breaks off at {question}"), "", text),
        (Fault::TooSlow { .. }, _) => format!("Policy {policy} takes too long over {question}"),
        (Fault::TooLarge { .. }, _) => format!("Policy {policy} takes or answers too much at {question}"),
        (Fault::Senseless { .. }, _) => with(&format!("Policy {policy} answers {question} senselessly"), "", text),
    }
}

fn of_connection(code: &str) -> &'static str {
    match code {
        "NOT_AUTHORIZED" => "Nobody has authorized the organization yet",
        "ANOTHER_ORGANIZATION" => "The tokens are for another organization",
        "REFRESH_TOKEN_MISSING" => "The authorization gave no refresh token",
        "inactive_user" => "The integration user is deactivated",
        "inactive_org" => "The organization is locked, suspended or closed",
        "OAUTH_APP_BLOCKED" => "The app is blocked in the organization",
        _ => "The connection is no longer authorized",
    }
}

fn of_passing(code: &str, text: &str) -> String {
    let title = match code {
        "UNABLE_TO_LOCK_ROW" => "The record is being changed by somebody else",
        "TIMEOUT" => "Salesforce does not answer in time",
        "CONNECTION_FAILED" => "Salesforce cannot be reached",
        "CONNECTION_BROKE_OFF" => "The connection to Salesforce breaks off",
        "UNREADABLE_ANSWER" => "Something else answers in Salesforce's place",
        code if code.starts_with("HTTP_3") || code.starts_with("HTTP_4") => {
            "Something else answers in Salesforce's place"
        }
        "CONTACT_NOT_SETTLED" => "It is not known yet whether a contact was made",
        "ORG_IN_MAINTENANCE" | "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE" => "Salesforce is in maintenance",
        "SERVER_UNAVAILABLE" | "HTTP_503" => "Salesforce is not available",
        "REQUEST_LIMIT_EXCEEDED" => "The limit of API calls is used up",
        "STORAGE_LIMIT_EXCEEDED" | "EXCEEDED_QUOTA" => "The data storage is full",
        "TOKEN_NOT_STORED" => "The new refresh token cannot be stored",
        _ => return with("Salesforce cannot take it", code, text),
    };
    title.to_owned()
}

fn of_set_up(code: &str, fields: &str, queue: Option<&str>, text: &str) -> String {
    let queue = queue.map_or("The queue".to_owned(), |queue| format!("Queue {queue}"));
    match code {
        "QUEUE_NOT_FOUND" => format!("{queue} is not there"),
        "QUEUE_NOT_UNIQUE" => format!("{queue} is not the only one of that name"),
        _ if text.to_lowercase().contains("queue not associated with this sobject type") => {
            format!("{queue} may not own such records")
        }
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" => format!("A picklist does not have the value{}", of_these(fields)),
        "INSUFFICIENT_ACCESS_OR_READONLY" | "INSUFFICIENT_ACCESS" => {
            "The integration user may not write the record".to_owned()
        }
        "INACTIVE_OWNER_OR_USER" => "The owner is an inactive user".to_owned(),
        "DUPLICATE_EXTERNAL_ID" => "Several records have the external id".to_owned(),
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => "The integration user has no API".to_owned(),
        "INVALID_FIELD" | "INVALID_FIELD_FOR_INSERT_UPDATE" => with("A field is missing or read-only", code, text),
        "INVALID_TYPE" | "NOT_FOUND" => with("An object or field is missing or hidden", code, text),
        _ => with("The set-up is in the way", code, text),
    }
}

fn of_data(code: &str, fields: &str, text: &str) -> String {
    match code {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION" => with("Validation rule", "", text),
        "REQUIRED_FIELD_MISSING" => format!("A required field is empty{}", of_these(fields)),
        "STRING_TOO_LONG" => format!("A text is too long for its field{}", of_these(fields)),
        "INVALID_EMAIL_ADDRESS" => format!("An e-mail address is not taken{}", of_these(fields)),
        "DUPLICATES_DETECTED" => "A duplicate rule finds a record like this one".to_owned(),
        "DUPLICATE_VALUE" => format!("Another record has the value of a unique field{}", of_these(fields)),
        "ENTITY_IS_DELETED" => "The record is in the recycle bin".to_owned(),
        "ENTITY_IS_LOCKED" => "The record is locked by an approval process".to_owned(),
        "INVALID_CROSS_REFERENCE_KEY" | "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" => {
            "A record that is pointed to is gone or hidden".to_owned()
        }
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" | "CUSTOM_APEX_ERROR" | "APEX_ERROR" | "APEX_FAILED" => {
            with("A trigger refuses it", code, text)
        }
        "CANNOT_EXECUTE_FLOW_TRIGGER" | "FLOW_EXCEPTION" => with("A flow refuses it", code, text),
        _ => with(words(Class::Record), code, text),
    }
}

const fn words(class: Class) -> &'static str {
    match class {
        Class::Transient => "Salesforce cannot take it",
        Class::Limit => "A limit is used up",
        Class::Auth => "The connection is no longer authorized",
        Class::Config => "The set-up is in the way",
        Class::Record => "The data is refused",
        Class::Ordering => "A record that is pointed to is not there yet",
        Class::Request => "The request is wrong",
        Class::Contact => "The contact cannot be told",
        Class::Policy => "The policy refuses",
        Class::Unclassified => "Nobody has said what this means",
    }
}

/// The beginning, and the refusal's own words, or its code where it has none.
fn with(beginning: &str, code: &str, text: &str) -> String {
    let says_something = text.chars().any(char::is_alphabetic);
    match (says_something, code) {
        (true, _) => format!("{beginning}: {text}"),
        (false, "") => beginning.to_owned(),
        (false, code) => format!("{beginning} ({code})"),
    }
}

fn named(refusal: &Refusal) -> String {
    let fields: BTreeSet<_> = refusal.fields.iter().map(String::as_str).collect();
    fields.into_iter().take(FIELDS).collect::<Vec<_>>().join(", ")
}

fn of_these(fields: &str) -> String {
    if fields.is_empty() { String::new() } else { format!(": {fields}") }
}

/// On one line, within its bound.
fn shortened(title: &str) -> String {
    let mut title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.len() > LONGEST {
        title.truncate(title.floor_char_boundary(LONGEST - '…'.len_utf8()));
        title.truncate(title.trim_end().len());
        title.push('…');
    }
    title
}
