//! Reading an answer that said yes; one that cannot be read is a refusal too.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::{Class, RecordId, Refusal};
use crate::salesforce::soql::cut;

/// How much is said of an answer that cannot be read, in characters.
const WORDS_KEPT: usize = 500;

/// Salesforce's answer to a write.
#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) created: bool,
}

/// Reads an answer. JSON of another shape is somebody else's, such as a proxy's.
pub(crate) fn read<T: DeserializeOwned>(json: Value) -> Result<T, Refusal> {
    serde_json::from_value(json).map_err(|error| not_salesforces(error.to_string()))
}

/// What answered is not Salesforce: nothing is known of any record, and nothing gets through.
pub(crate) fn not_salesforces(what: String) -> Refusal {
    Refusal { class: Class::Transient, ..unreadable(what) }.of_org()
}

/// Takes an id from an answer.
pub(crate) fn record(id: &str) -> Result<RecordId, Refusal> {
    RecordId::new(id).map_err(unreadable)
}

fn unreadable(what: impl fmt::Display) -> Refusal {
    let words = format!("Salesforce's answer could not be read: {what}");
    Refusal::new(Class::Unclassified, "UNREADABLE_ANSWER", cut(&words, WORDS_KEPT))
}
