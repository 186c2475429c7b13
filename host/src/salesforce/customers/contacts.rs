//! Contacts: finding the ones that a policy asks for, and making a new one.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::alone::{Alone, Known, keys};
use super::person_accounts::PersonAccounts;
use super::rows::{Row, selected};
use crate::domain::{Attribute, Class, Contact, ContactSearch, Conversation, FieldPath, RecordId, Refusal, Timestamp};
use crate::salesforce::refusals::{Written, read, record};
use crate::salesforce::soql::{quote, units};
use crate::salesforce::transport::{Call, Transport};
use crate::salesforce::values::ApiName;

/// No text of a Contact that a query can filter by is longer, as Salesforce counts.
const LONGEST_VALUE: usize = 255;
/// How many contacts one search may find.
const MOST: usize = 10;
/// The shortest phone number that is searched for; fewer digits find too much.
const FEWEST_DIGITS: usize = 6;
/// A contact that was made since may have been made so much before by Salesforce's clock.
const CLOCKS_DIFFER: Duration = Duration::from_secs(3600);
/// The first characters of every account's id.
pub(super) const ACCOUNT: &str = "001";
/// Which come first of those that a search finds, and which stay where it finds too many.
const NEWEST_FIRST: &str = "LastModifiedDate DESC";

/// The customers of one organization.
pub(crate) struct Customers {
    pub(super) transport: Arc<Transport>,
    pub(crate) person_accounts: PersonAccounts,
    known: Arc<Known>,
}

impl Customers {
    /// Nothing is known of the organization yet.
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport, person_accounts: PersonAccounts::default(), known: Arc::default() }
    }

    /// Waits until nobody else looks for this customer, and keeps it so.
    pub(crate) async fn alone_with(&self, searches: &[ContactSearch], conversation: &Conversation) -> Alone {
        self.known.alone(keys(searches, conversation)).await
    }

    /// The contact that was made lately for this customer: searches find it only after a while.
    pub(crate) async fn made_lately(&self, alone: &Alone, fields: &[FieldPath]) -> Result<Vec<Contact>, Refusal> {
        match alone.made() {
            Some(id) => self.by_id(&id, fields).await,
            None => Ok(Vec::new()),
        }
    }

    /// Remembers the contact that was made for this customer.
    #[expect(clippy::unused_self, reason = "the face of customers is one")]
    pub(crate) fn remember_made(&self, alone: &Alone, contact: &RecordId) {
        alone.remember(contact);
    }

    /// Whether a contact, or a person account, is there and may be seen.
    pub(crate) async fn is_there(&self, id: &RecordId) -> Result<bool, Refusal> {
        match self.by_id(id, &[]).await {
            Ok(found) => Ok(!found.is_empty()),
            // No id of a contact at all.
            Err(refusal) if refusal.class == Class::Request => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    async fn by_id(&self, id: &RecordId, fields: &[FieldPath]) -> Result<Vec<Contact>, Refusal> {
        let persons = self.person_accounts.exist(&self.transport).await?;
        let field = if persons && id.as_str().starts_with(ACCOUNT) { "AccountId" } else { "Id" };
        self.select(&format!("{field} = {}", quote(id.as_str())), fields).await
    }

    /// Contacts that may have been made of these fields since then: by their e-mail address, or else a phone number, or
    /// else their name.
    pub(crate) async fn find_made(&self, fields: &[Attribute], since: Timestamp) -> Result<Vec<Contact>, Refusal> {
        let value = |name: &str| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        let one = |name: &&str| value(name).filter(|field| !field.value.trim().is_empty());
        let by = ["Email", "MobilePhone", "Phone", "HomePhone", "OtherPhone"].iter().find_map(one);
        let by = match by {
            Some(field) => vec![field],
            None => ["LastName", "FirstName"].iter().filter_map(one).collect(),
        };
        if by.is_empty() {
            return Ok(Vec::new());
        }
        let mut wanted = Vec::new();
        for field in by {
            wanted.push(format!("{} = {}", api_name(&field.name)?, quote(field.value.trim())));
        }
        let since = Timestamp::from_millis(since.as_millis().saturating_sub(CLOCKS_DIFFER.as_millis() as u64));
        wanted.push(format!("CreatedDate >= {since}"));
        self.select(&wanted.join(" AND "), &[]).await
    }

    async fn select(&self, wanted: &str, fields: &[FieldPath]) -> Result<Vec<Contact>, Refusal> {
        let rows = self.rows(wanted, fields).await?;
        rows.into_iter().map(|row| row.contact(fields, None)).collect()
    }

    async fn rows(&self, wanted: &str, fields: &[FieldPath]) -> Result<Vec<Row>, Refusal> {
        let persons = self.person_accounts.exist(&self.transport).await?;
        let selected = selected(persons, fields).join(", ");
        let order = format!("ORDER BY {NEWEST_FIRST}, Id LIMIT {MOST}");
        self.transport.query(&format!("SELECT {selected} FROM Contact WHERE {wanted} {order}")).await
    }

    /// The contacts that the first search with a result finds, with what these fields say of them.
    pub(crate) async fn find(&self, searches: &[ContactSearch], fields: &[FieldPath]) -> Result<Vec<Contact>, Refusal> {
        for search in searches {
            let (field, value) = (api_name(&search.field)?, search.value.trim());
            if value.is_empty() || units(value) > LONGEST_VALUE {
                continue;
            }
            let mut rows = Vec::new();
            if field.as_str().ends_with("Phone") {
                rows = self.find_by_phone(value, fields).await?;
            }
            if rows.is_empty() {
                rows = self.rows(&format!("{field} = {}", quote(value)), fields).await?;
            }
            if !rows.is_empty() {
                let found = rows.into_iter().take(MOST);
                return found.map(|row| row.contact(fields, Some(field.as_str()))).collect();
            }
        }
        Ok(Vec::new())
    }

    async fn find_by_phone(&self, number: &str, fields: &[FieldPath]) -> Result<Vec<Row>, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Found {
            search_records: Vec<Row>,
        }
        // What else stands in a number (a plus, brackets, hyphens) has a meaning of its own in a search.
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < FEWEST_DIGITS {
            return Ok(Vec::new());
        }
        let persons = self.person_accounts.exist(&self.transport).await?;
        let fields = selected(persons, fields);
        let body = json!({
            "q": digits,
            "in": "PHONE",
            "sobjects": [{ "name": "Contact", "fields": fields, "orderBy": NEWEST_FIRST, "limit": MOST }],
            "overallLimit": MOST,
        });
        let path = self.transport.path("parameterizedSearch");
        let call = Call { method: Method::POST, path, body, keep_owner: false };
        Ok(read::<Found>(self.transport.send(&call).await?)?.search_records)
    }

    /// Makes a contact of these fields, or a person account.
    pub(crate) async fn create(&self, attributes: &[Attribute]) -> Result<RecordId, Refusal> {
        let mut body = Map::new();
        for attribute in attributes {
            let field = api_name(&attribute.name)?;
            body.insert(field.to_string(), Value::from(attribute.value.as_str()));
        }
        if !body.contains_key("AccountId") && self.person_accounts.exist(&self.transport).await? {
            return self.person_accounts.create(&self.transport, body).await;
        }
        // Inserted: an upsert by e-mail address would need the right to see all data.
        let path = self.transport.path("sobjects/Contact");
        let call = Call { method: Method::POST, path, body: Value::Object(body), keep_owner: false };
        let written: Written = read(self.transport.send(&call).await?)?;
        record(&written.id)
    }
}

/// The contacts of a query's answer.
#[cfg(any(test, fuzzing))]
pub(crate) fn rows(answer: Value) -> Vec<Result<Contact, Refusal>> {
    #[derive(Deserialize)]
    struct Page {
        records: Vec<Row>,
    }
    match read::<Page>(answer) {
        Ok(page) => page.records.into_iter().map(|row| row.contact(&[], None)).collect(),
        Err(refusal) => vec![Err(refusal)],
    }
}

fn api_name(text: &str) -> Result<ApiName, Refusal> {
    ApiName::try_from(text.to_owned()).map_err(|error| Refusal::new(Class::Request, "NOT_A_FIELD", error.to_string()))
}
