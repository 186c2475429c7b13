//! Which fields of an object, and of those that it refers to, are missing or hidden.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::refusals::read;
use super::transport::{Call, Transport};
use super::values::ApiName;
use crate::domain::{FieldPath, Refusal};

/// An object as it is described; what else is said of it is left alone.
#[derive(Deserialize)]
struct Described {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    relationship_name: Option<String>,
    #[serde(default)]
    reference_to: Vec<ApiName>,
}

impl Transport {
    /// What is wrong with each of the fields that is not there, in words for an administrator. Each object is asked for once.
    pub(super) async fn missing_fields(&self, object: &str, fields: &[FieldPath]) -> Result<Vec<String>, Refusal> {
        let mut known = BTreeMap::new();
        let mut missing = Vec::new();
        for field in fields {
            missing.extend(self.missing(object, field, &mut known).await?);
        }
        Ok(missing)
    }

    async fn missing(
        &self,
        object: &str,
        path: &FieldPath,
        known: &mut BTreeMap<String, Described>,
    ) -> Result<Option<String>, Refusal> {
        let (references, last) = path.parts();
        let mut object = object.to_owned();
        for reference in references {
            let is_it = |field: &&Field| {
                field.relationship_name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(reference))
            };
            let described = self.described(&object, known).await?;
            let Some(field) = described.fields.iter().find(is_it) else {
                return Ok(Some(format!("{path}: {object} has no reference {reference} that this user sees")));
            };
            match field.reference_to.as_slice() {
                [one] => object = one.to_string(),
                // It may lead to any of several objects: which of them has the field is known only by each record.
                _ => return Ok(None),
            }
        }
        let described = self.described(&object, known).await?;
        let there = described.fields.iter().any(|field| field.name.eq_ignore_ascii_case(last));
        Ok((!there).then(|| format!("{path} is missing on {object} or hidden from this user")))
    }

    async fn described<'a>(
        &self,
        object: &str,
        known: &'a mut BTreeMap<String, Described>,
    ) -> Result<&'a Described, Refusal> {
        if !known.contains_key(object) {
            let call = Call::get(self.path(&format!("sobjects/{object}/describe")));
            known.insert(object.to_owned(), read(self.send(&call).await?)?);
        }
        Ok(&known[object])
    }
}
