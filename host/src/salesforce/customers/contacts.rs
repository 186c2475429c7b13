//! Contacts: finding the ones that a policy asks for, and making a new one.

use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::MutexGuard;

use crate::domain::{Attribute, Class, Contact, ContactSearch, RecordId, Refusal};
use crate::salesforce::soql::{quote, segment};
use crate::salesforce::transport::rest::{Call, Client, read, record};
use crate::salesforce::values::ApiName;
use crate::salesforce::write::records::Written;

/// No text of a Contact that a query can filter by is longer, in characters.
const LONGEST_VALUE: usize = 255;
/// Contacts of one search.
const MOST: usize = 10;
/// Fewer find too much.
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

impl Client {
    /// Waits until nobody else looks for this customer, and keeps it so: two conversations of a new one would both find
    /// nobody, and make one each. Customers are told apart by what is searched for first; some wait for one of another's
    /// that shares their place.
    pub async fn alone_with(&self, searches: &[ContactSearch]) -> Option<MutexGuard<'_, ()>> {
        let first = searches.iter().find(|search| !search.value.trim().is_empty())?;
        let mut hasher = DefaultHasher::new();
        first.value.trim().to_lowercase().hash(&mut hasher);
        Some(self.customers[hasher.finish() as usize % self.customers.len()].lock().await)
    }

    /// The contacts that the first search with a result finds, ten at most.
    ///
    /// A phone number is free text in Salesforce, so it is searched for in its index, which finds it however it is
    /// written; what the index does not have yet is found where it is written the same. Any other field is compared.
    /// A blank value is skipped: in SOQL it would find every contact whose field is empty.
    ///
    /// # Errors
    /// `Class::Request` for a field that cannot be one; else Salesforce's refusal.
    pub async fn find_contacts(&self, searches: &[ContactSearch]) -> Result<Vec<Contact>, Refusal> {
        for search in searches {
            let (field, value) = (api_name(&search.field)?, search.value.trim());
            if value.is_empty() || value.chars().count() > LONGEST_VALUE {
                continue;
            }
            let persons = self.has_person_accounts().await?;
            let fields = if persons { WITH_PERSONS } else { FIELDS };
            let mut rows = Vec::new();
            if field.as_str().ends_with("Phone") {
                rows = self.find_by_phone(value, fields).await?;
            }
            if rows.is_empty() {
                let fields = fields.join(", ");
                let soql = format!("SELECT {fields} FROM Contact WHERE {field} = {} LIMIT {MOST}", quote(value));
                rows = self.query(&soql).await?;
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
        let path = self.path("parameterizedSearch");
        let call = Call { method: Method::POST, path, body, keep_owner: false };
        Ok(read::<Found>(self.send(&call).await?)?.search_records)
    }

    /// Makes a contact with these fields (API names); with an `Email` among them, one that has it already is updated. Where
    /// the organization has person accounts, it makes one of those instead, unless there is an `AccountId`.
    ///
    /// # Errors
    /// `Class::Contact` when several have this e-mail address; else Salesforce's refusal. After a time-out the contact
    /// may be there all the same: search before asking again.
    pub async fn create_contact(&self, attributes: &[Attribute]) -> Result<RecordId, Refusal> {
        let mut body = Map::new();
        for attribute in attributes {
            let field = api_name(&attribute.name)?;
            body.insert(field.to_string(), Value::from(attribute.value.as_str()));
        }
        if !body.contains_key("AccountId") && self.has_person_accounts().await? {
            return self.create_person(body).await;
        }
        let email = body.get("Email").and_then(Value::as_str).map(|email| email.trim().to_owned());
        // A key in the path must not stand in the body, and Salesforce's paths cannot carry a slash.
        let (method, path) = match email.filter(|email| !email.is_empty() && !email.contains('/')) {
            Some(email) => {
                body.remove("Email");
                (Method::PATCH, self.path(&format!("sobjects/Contact/Email/{}", segment(&email))))
            }
            None => (Method::POST, self.path("sobjects/Contact")),
        };
        let call = Call { method, path, body: Value::Object(body), keep_owner: false };
        let written: Written = match self.send(&call).await {
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
