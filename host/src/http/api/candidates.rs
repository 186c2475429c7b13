//! The contacts of which a customer is one, and a person's word on which.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sync_error::Person;
use crate::domain::{self, Contact, RecordId, SyncErrorId, Timestamp};
use crate::salesforce::ContactDetails;

/// The contacts that a sync error names, as Salesforce knows them.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct CandidateList {
    pub(crate) sync_error: SyncErrorId,
    /// Who the customer is, as the platform tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Person>,
    pub(crate) candidates: Vec<Candidate>,
    /// What a person chose for the conversation, where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<ChosenContact>,
    /// Why Salesforce did not say. What is shown of a contact then is what it said when the conversation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<String>,
}

/// A contact that may be the customer. What the integration user may not see is absent.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Candidate {
    /// The contact; the account, where it is a person account.
    pub(crate) contact: RecordId,
    /// Its page in Salesforce, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Whether Salesforce has it and shows it to the integration user; absent where it did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_there: Option<bool>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mobile_phone: Option<String>,
    /// The name of its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    pub(crate) person_account: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_at: Option<Timestamp>,
    /// How many of its Cases are open; 10 stands for ten or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_cases: Option<u64>,
}

/// What a person chose.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct ChosenContact {
    /// The contact, or `none`.
    pub(crate) contact: String,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

/// Which contact the customer is.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactChoice {
    /// One of the candidates; `none` to write the conversation without a contact; `policy` to take back what was chosen.
    #[schema(examples("003Wd00000AbCdEIAV"))]
    pub(crate) contact: String,
    /// What stands, where a person has chosen before: without it nothing that somebody chose is changed.
    #[serde(default)]
    pub(crate) instead_of: Option<String>,
}

impl From<domain::Chosen> for ChosenContact {
    fn from(domain::Chosen { pick, by, at }: domain::Chosen) -> Self {
        Self { contact: pick.to_string(), by, at }
    }
}

impl Candidate {
    /// One of which only the id is known.
    pub(crate) fn unseen(contact: RecordId) -> Self {
        Self {
            contact,
            url: None,
            is_there: None,
            name: String::new(),
            email: None,
            phone: None,
            mobile_phone: None,
            account: None,
            person_account: false,
            created_at: None,
            last_modified_at: None,
            open_cases: None,
        }
    }

    /// As Salesforce knew it when the conversation failed.
    pub(crate) fn as_found(of: &Contact) -> Self {
        let (name, email, phone) = (of.name.clone(), of.email.clone(), of.phone.clone());
        Self { name, email, phone, person_account: of.person_account, ..Self::unseen(of.id.clone()) }
    }

    /// As Salesforce knows it now.
    pub(crate) fn of(details: ContactDetails) -> Self {
        let ContactDetails { id, name, email, phone, mobile_phone, account, person_account, .. } = details;
        Self {
            is_there: Some(true),
            name,
            email,
            phone,
            mobile_phone,
            account,
            person_account,
            created_at: details.created_at,
            last_modified_at: details.last_modified_at,
            open_cases: details.open_cases,
            ..Self::unseen(id)
        }
    }
}
