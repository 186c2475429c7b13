//! Contacts: finding the ones that a policy asks for, and making a new one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::person_accounts::PersonAccounts;
use crate::domain::{Attribute, Class, Contact, ContactSearch, RecordId, Refusal};
use crate::salesforce::refusals::{Written, read, record};
use crate::salesforce::soql::{quote, segment};
use crate::salesforce::transport::{Call, Transport};
use crate::salesforce::values::ApiName;

/// How many locks all customers share.
const LOCKS: usize = 256;
/// No text of a Contact that a query can filter by is longer, in characters.
const LONGEST_VALUE: usize = 255;
/// How many contacts one search may find.
const MOST: usize = 10;
/// The shortest phone number that is searched for; fewer digits find too much.
const FEWEST_DIGITS: usize = 6;
const FIELDS: &[&str] = &["Id", "Name", "Email", "Phone"];
const WITH_PERSONS: &[&str] = &["Id", "Name", "Email", "Phone", "IsPersonAccount", "AccountId"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    is_person_account: bool,
    #[serde(default)]
    account_id: Option<String>,
}

/// The customers of one organization.
pub(crate) struct Customers {
    transport: Arc<Transport>,
    pub(crate) person_accounts: PersonAccounts,
    /// Held, by a hash of the customer, while it is looked for and may be made.
    locks: [Mutex<()>; LOCKS],
}

impl Customers {
    /// Nothing is known of the organization yet.
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        let locks = [const { Mutex::const_new(()) }; LOCKS];
        Self { transport, person_accounts: PersonAccounts::default(), locks }
    }

    /// Holds the lock of the customer who is searched for; `None` where nothing is searched for.
    pub(crate) async fn alone_with(&self, searches: &[ContactSearch]) -> Option<MutexGuard<'_, ()>> {
        let first = searches.iter().find(|search| !search.value.trim().is_empty())?;
        let mut hasher = DefaultHasher::new();
        first.value.trim().to_lowercase().hash(&mut hasher);
        Some(self.locks[hasher.finish() as usize % LOCKS].lock().await)
    }

    /// The contacts that the first search with a result finds.
    pub(crate) async fn find(&self, searches: &[ContactSearch]) -> Result<Vec<Contact>, Refusal> {
        for search in searches {
            let (field, value) = (api_name(&search.field)?, search.value.trim());
            if value.is_empty() || value.chars().count() > LONGEST_VALUE {
                continue;
            }
            let persons = self.person_accounts.exist(&self.transport).await?;
            let fields = if persons { WITH_PERSONS } else { FIELDS };
            let mut rows = Vec::new();
            if field.as_str().ends_with("Phone") {
                rows = self.find_by_phone(value, fields).await?;
            }
            if rows.is_empty() {
                let fields = fields.join(", ");
                let soql = format!("SELECT {fields} FROM Contact WHERE {field} = {} LIMIT {MOST}", quote(value));
                rows = self.transport.query(&soql).await?;
            }
            if !rows.is_empty() {
                return rows.into_iter().map(Row::contact).collect();
            }
        }
        Ok(Vec::new())
    }

    async fn find_by_phone(&self, number: &str, fields: &[&str]) -> Result<Vec<Row>, Refusal> {
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
        let body = json!({
            "q": digits,
            "in": "PHONE",
            "sobjects": [{ "name": "Contact", "fields": fields, "limit": MOST }],
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
        let email = body.get("Email").and_then(Value::as_str).map(|email| email.trim().to_owned());
        // A key in the path must not stand in the body, and Salesforce's paths cannot carry a slash.
        let (method, path) = match email.filter(|email| !email.is_empty() && !email.contains('/')) {
            Some(email) => {
                body.remove("Email");
                (Method::PATCH, self.transport.path(&format!("sobjects/Contact/Email/{}", segment(&email))))
            }
            None => (Method::POST, self.transport.path("sobjects/Contact")),
        };
        let call = Call { method, path, body: Value::Object(body), keep_owner: false };
        let written: Written = match self.transport.send(&call).await {
            Ok(json) => read(json)?,
            // Nobody asks for unique addresses, so it is not the set-up's fault.
            Err(refusal) if refusal.code == "DUPLICATE_EXTERNAL_ID" => {
                let text = "more than one contact has this e-mail address".to_owned();
                return Err(Refusal { class: Class::Contact, code: "AMBIGUOUS_CONTACT".to_owned(), text, ..refusal });
            }
            Err(refusal) => return Err(refusal),
        };
        record(&written.id)
    }
}

impl Row {
    fn contact(self) -> Result<Contact, Refusal> {
        // The contact of a person account is a shadow: records are linked to the account.
        let account = self.account_id.filter(|_| self.is_person_account);
        Ok(Contact {
            id: record(account.as_deref().unwrap_or(&self.id))?,
            name: self.name.unwrap_or_default(),
            email: self.email,
            phone: self.phone,
            person_account: account.is_some(),
            attributes: Vec::new(),
        })
    }
}

fn api_name(text: &str) -> Result<ApiName, Refusal> {
    ApiName::try_from(text.to_owned()).map_err(|error| Refusal::new(Class::Request, "NOT_A_FIELD", error.to_string()))
}
