//! What the host asks of Alcmeon besides new actions: a whole conversation, the teams, the webhook's switch, and to keep
//! Salesforce's ids.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{CallError, Client, unreadable};
use super::json::as_text;
use super::parse::{ActionPage, conversation};
use crate::domain::{Records, Timestamp};

/// Where notifications go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// The address.
    #[serde(default)]
    pub url: String,
    /// Whether Alcmeon sends any.
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
}

/// `1` and `0`, or what they stand for.
fn flag<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => flag,
        value => value.as_i64() == Some(1),
    })
}

impl Client {
    /// Every action of a conversation; `id` is Alcmeon's own.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn conversation(&self, id: &str, now: Timestamp) -> Result<ActionPage, CallError> {
        let body = self.call(Method::GET, &format!("actions/conversations/{id}"), None, now).await?;
        conversation(&body, self.config(), self.source()).map_err(unreadable)
    }

    /// The names of all teams.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn teams(&self, now: Timestamp) -> Result<Vec<String>, CallError> {
        let teams: Vec<Value> = self.json(Method::GET, "teams", None, now).await?;
        // One that has no name, or none that is a text, keeps nobody from the others.
        Ok(teams.iter().filter_map(|team| as_text(&team["name"])).collect())
    }

    /// Where notifications go, and whether any are sent.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn webhooks(&self, now: Timestamp) -> Result<Vec<Webhook>, CallError> {
        let webhooks: Vec<Value> = self.json(Method::GET, "application/webhook", None, now).await?;
        Ok(webhooks.into_iter().filter_map(|webhook| serde_json::from_value(webhook).ok()).collect())
    }

    /// Lets Alcmeon send notifications again.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn switch_webhook_on(&self, now: Timestamp) -> Result<(), CallError> {
        self.call(Method::POST, "application/webhook", Some(json!({ "enable": true })), now).await.map(drop)
    }

    /// Writes the ids of Salesforce's records into the conversation custom fields that are set for them.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn write_records(&self, id: &str, records: &Records, now: Timestamp) -> Result<(), CallError> {
        let config = self.config();
        let fields = [
            (config.conversation_id_field, &records.conversation),
            (config.case_id_field, &records.case),
            (config.contact_id_field, &records.contact),
        ];
        let fields: Vec<_> = fields
            .into_iter()
            .filter_map(|(field, record)| Some(json!({ "field_id": field?, "field_value": record.as_ref()? })))
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        self.call(Method::PUT, &format!("custom-field/conversations/{id}"), Some(json!(fields)), now).await.map(drop)
    }
}
