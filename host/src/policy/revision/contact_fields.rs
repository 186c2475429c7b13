//! The fields of a contact that a policy asks for.

use std::sync::Arc;

use toml::Spanned;

use super::rejection::PolicyProblem;
use crate::domain::FieldPath;

/// How many a policy may name.
const MOST: usize = 20;

/// Reads `fields` of the table `[contacts]`; `path` and `toml` are the policy's file.
pub(super) fn contact_fields(
    named: &[Spanned<String>],
    path: &str,
    toml: &str,
) -> Result<Arc<[FieldPath]>, Vec<PolicyProblem>> {
    let wrong = |at: &Spanned<String>, message: String| vec![PolicyProblem::at(path, toml, at.span().start, message)];
    if let Some(one_too_many) = named.get(MOST) {
        return Err(wrong(one_too_many, format!("{} fields of a contact; {MOST} are allowed", named.len())));
    }
    let mut fields: Vec<FieldPath> = Vec::new();
    for name in named {
        let field = FieldPath::try_from(name.get_ref().clone()).map_err(|error| wrong(name, error.to_string()))?;
        if fields.iter().any(|other| other.as_str().eq_ignore_ascii_case(field.as_str())) {
            return Err(wrong(name, format!("the field `{field}` is named twice")));
        }
        fields.push(field);
    }
    Ok(fields.into())
}
