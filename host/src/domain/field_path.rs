//! The name of a field of a record in Salesforce, or of one that it refers to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How long a name is at most, as Salesforce has them.
const NAME: usize = 80;
/// How many references lead to a field at most.
const REFERENCES: usize = 5;

/// `Title`, or `Account.Owner.Name`. Checked, because it is written into queries unquoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldPath(String);

/// Why a text is no name of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no field: names of letters, digits and `_`, with a dot behind each reference, as in `Account.Name`")]
pub struct FieldPathError(String);

impl FieldPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The references, the first one first, and the field.
    #[must_use]
    pub fn parts(&self) -> (Vec<&str>, &str) {
        let mut parts: Vec<_> = self.0.split('.').collect();
        let field = parts.pop().unwrap_or_default();
        (parts, field)
    }
}

impl TryFrom<String> for FieldPath {
    type Error = FieldPathError;

    fn try_from(text: String) -> Result<Self, FieldPathError> {
        let is_name = |name: &str| {
            name.len() <= NAME
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        match text.split('.').count() <= REFERENCES + 1 && text.split('.').all(is_name) {
            true => Ok(Self(text)),
            false => Err(FieldPathError(text.chars().take(100).collect())),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_names_with_dots_between_them() {
        for good in ["Title", "Account.Name", "Parent__r.Tier__c", "ns__Tier__c", "a.b.c.d.e.f"] {
            let path = FieldPath::try_from(good.to_owned()).unwrap();
            let (references, field) = path.parts();
            assert_eq!([references, vec![field]].concat().join("."), good);
            assert_eq!((path.as_str(), path.to_string().as_str()), (good, good));
        }
        for bad in ["", ".", "Title.", ".Title", "1st", "a..b", "a.b.c.d.e.f.g", "Id FROM User", "x'", "Émail", "a,b"]
        {
            assert!(FieldPath::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(FieldPath::try_from("a".repeat(NAME + 1)).is_err());
    }

    proptest! {
        #[test]
        fn no_path_can_break_out_of_a_query(text in "\\PC{0,40}") {
            if FieldPath::try_from(text.clone()).is_ok() {
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'));
            }
        }
    }
}
