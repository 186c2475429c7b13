//! A no, from Salesforce, a policy or this host itself, with its class: what can be done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AnswerReceived, Contact, Fault, PolicyRef, Question, RecordId, RequestSent};

/// What can be done about a refusal, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Passes by itself: row locks, outages, time-outs. Retried within minutes.
    Transient,
    /// A quota is used up. Retried within hours.
    Limit,
    /// The connection is no longer authorized: an administrator has to reconnect.
    Auth,
    /// The organization's set-up is in the way: queues, fields, permissions, picklists.
    Config,
    /// This record's data is in the way: validation rules, duplicates, lengths.
    Record,
    /// A record that this one points to is not there yet. Retried shortly.
    Ordering,
    /// The request itself was wrong: a defect of this host or of a mapping.
    Request,
    /// Nobody can tell which contact the customer is.
    Contact,
    /// The policy refused or failed.
    Policy,
    /// Nobody has said yet what this code means. Held until somebody looks.
    Unclassified,
}

impl Class {
    /// Every class, in the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Transient,
        Self::Limit,
        Self::Auth,
        Self::Config,
        Self::Record,
        Self::Ordering,
        Self::Request,
        Self::Contact,
        Self::Policy,
        Self::Unclassified,
    ];

    /// The word that stands for it in the API, on the page and in mails.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Limit => "limit",
            Self::Auth => "auth",
            Self::Config => "config",
            Self::Record => "record",
            Self::Ordering => "ordering",
            Self::Request => "request",
            Self::Contact => "contact",
            Self::Policy => "policy",
            Self::Unclassified => "unclassified",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Class {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of {}", known()))
    }
}

/// The code of the refusal of a conversation whose contact a person chose that is not there any more.
pub const CHOSEN_CONTACT_GONE: &str = "CHOSEN_CONTACT_GONE";

/// How far a refusal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Only the record that was refused.
    Record,
    /// Every record of the organization would be refused in the same way.
    Org,
}

/// A no: why a conversation did not get into Salesforce.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// What can be done about it.
    pub class: Class,
    /// How far it reaches.
    pub scope: Scope,
    /// Salesforce's code, the policy's own, or this host's.
    pub code: String,
    /// Salesforce's own words, or the policy's.
    pub text: String,
    /// The fields that Salesforce names.
    pub fields: Vec<String>,
    /// Ids of records that Salesforce or the policy names (duplicates, candidates).
    pub records: Vec<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Salesforce's id of the request; its support asks for it.
    pub request_id: Option<String>,
    /// The request that was refused, without secrets.
    pub request: Option<RequestSent>,
    /// What came back, without secrets; `None` where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<AnswerReceived>>,
    /// The policy at fault, where one is.
    pub blame: Option<Blame>,
    /// What a policy chose among, where its choice is what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Box<Choice>>,
    /// Which call brought it, where one call carries several records: they all get this one refusal.
    #[serde(skip)]
    pub call: Option<u64>,
}

/// A policy at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// Which revision.
    pub policy: PolicyRef,
    /// What it was asked.
    pub question: Question,
    /// How it failed.
    pub fault: Fault,
}

/// Contacts that a policy was to choose among, to ask it again. They are a third party's data: no list shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which revision was asked.
    pub policy: PolicyRef,
    /// What Salesforce had found.
    pub found: Vec<Contact>,
}

impl Refusal {
    /// The contacts of which the customer is one: those that it names where it is about that, or where a duplicate rule kept a
    /// new contact out; else those that a policy was to choose among.
    #[must_use]
    pub fn candidates(&self) -> Vec<RecordId> {
        /// A policy names no more.
        const MOST: usize = 50;
        /// The first characters of every contact's id.
        const CONTACT: &str = "003";
        let made = self.request.as_ref().is_some_and(|request| request.path.ends_with("/sobjects/Contact"));
        let is_twin = self.code == "DUPLICATES_DETECTED" && made;
        let named = |id: &&String| self.class == Class::Contact || is_twin && id.starts_with(CONTACT);
        let named = self.records.iter().filter(named).filter_map(|id| id.parse().ok());
        let mut candidates: Vec<RecordId> = named.take(MOST).collect();
        if candidates.is_empty() {
            let found = self.choice.iter().flat_map(|choice| &choice.found);
            candidates.extend(found.take(MOST).map(|contact| contact.id.clone()));
        }
        candidates
    }

    /// A refusal of one record by this host itself.
    #[must_use]
    pub fn new(class: Class, code: &str, text: impl Into<String>) -> Self {
        Self {
            class,
            scope: Scope::Record,
            code: code.to_owned(),
            text: text.into(),
            fields: Vec::new(),
            records: Vec::new(),
            status: None,
            request_id: None,
            request: None,
            answer: None,
            blame: None,
            choice: None,
            call: None,
        }
    }

    /// What a policy's fault makes of a conversation.
    #[must_use]
    pub fn blaming(policy: PolicyRef, question: Question, fault: Fault) -> Self {
        let text = match &fault {
            Fault::Refused { message, .. } => message.clone(),
            other => format!("policy {policy} was asked to {question} and {other}"),
        };
        Self {
            blame: Some(Blame { policy, question, fault: fault.clone() }),
            ..Self::new(Class::Policy, fault.code(), text)
        }
    }

    /// The same, reaching the whole organization.
    #[must_use]
    pub fn of_org(self) -> Self {
        Self { scope: Scope::Org, ..self }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PolicyName;

    #[test]
    fn a_class_is_written_and_read_as_one_word_everywhere() {
        for class in Class::ALL {
            assert_eq!(class.to_string().parse(), Ok(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        assert!("mystery".parse::<Class>().unwrap_err().contains("`mystery` is none of transient, limit, auth"));
    }

    #[test]
    fn a_policys_fault_blames_its_revision_and_says_what_it_was_asked() {
        let policy = || PolicyRef { name: PolicyName::new("monday").unwrap(), revision: 3 };
        for (question, word) in [
            (Question::Route, "route"),
            (Question::Search, "search"),
            (Question::Choose, "choose"),
            (Question::Judge, "judge"),
        ] {
            let slow = Fault::TooSlow { limit_ms: 5 };
            let refusal = Refusal::blaming(policy(), question, slow.clone());
            let text = format!("policy monday revision 3 was asked to {word} and {slow}");
            assert_eq!((refusal.class, refusal.code.as_str(), refusal.text), (Class::Policy, "POLICY_TOO_SLOW", text));
            assert_eq!(refusal.blame, Some(Blame { policy: policy(), question, fault: slow }));
        }
        let refused = Fault::Refused { code: "SPAM".to_owned(), message: "it is spam".to_owned() };
        let refusal = Refusal::blaming(policy(), Question::Route, refused);
        assert_eq!((refusal.code.as_str(), refusal.text.as_str()), ("SPAM", "it is spam"));
    }

    #[test]
    fn a_refusal_reaches_one_record_until_it_is_said_to_reach_the_organization() {
        let refusal = Refusal::new(Class::Auth, "invalid_grant", "words");
        assert_eq!(refusal.scope, Scope::Record);
        assert_eq!(refusal.clone().of_org(), Refusal { scope: Scope::Org, ..refusal });
    }

    #[test]
    fn the_contacts_of_which_the_customer_is_one_are_those_that_the_refusal_names() {
        let ids = |refusal: &Refusal| refusal.candidates().into_iter().map(String::from).collect::<Vec<_>>();
        let of = |class, code: &str, records: &[&str]| Refusal {
            records: records.iter().map(|id| (*id).to_owned()).collect(),
            ..Refusal::new(class, code, "words")
        };
        let both = ["003000000000001AAA", "001000000000002AAA"];
        assert_eq!(ids(&of(Class::Contact, "CONTACT_AMBIGUOUS", &both)), both);
        assert_eq!(ids(&of(Class::Contact, "CONTACT_AMBIGUOUS", &["' OR Id != '"])), [""; 0], "no id is none");
        assert_eq!(ids(&of(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", &both)), [""; 0]);
        // A duplicate rule names what a new contact is like; of another object's record it names no contact of the customer.
        let sent = |object: &str| {
            let path = format!("/services/data/v62.0/sobjects/{object}");
            let request = Some(RequestSent { method: "POST".into(), path, body: serde_json::Value::Null });
            Refusal { request, ..of(Class::Record, "DUPLICATES_DETECTED", &both) }
        };
        assert_eq!(ids(&sent("Contact")), [both[0]]);
        assert_eq!(ids(&sent("Lead")), [""; 0]);
        // Where a policy failed to choose, a person can.
        let person_account = false;
        let found = Contact {
            id: both[0].parse().unwrap(),
            name: String::new(),
            email: None,
            phone: None,
            person_account,
            attributes: Vec::new(),
        };
        let policy = PolicyRef { name: "acme".parse().unwrap(), revision: 1 };
        let failed = Refusal {
            choice: Some(Box::new(Choice { policy, found: vec![found] })),
            ..of(Class::Policy, "POLICY_TRAPPED", &[])
        };
        assert_eq!(ids(&failed), [both[0]]);
    }
}
