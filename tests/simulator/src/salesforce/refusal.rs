//! Why Salesforce refuses a call or a record, in the shapes and words it uses.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::Answer;

/// A key of its own that a refusal adds, such as `duplicateResult`.
#[derive(Debug, Clone)]
pub(crate) struct Detail(&'static str, Value);

/// A refusal.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Refusal {
    /// The ordinary kind.
    #[error("{code}: {message}")]
    Error { status: u16, code: String, message: String, fields: Vec<String>, detail: Option<Box<Detail>> },
    /// More than one record has the external id; the paths of all of them below the version. Has no error code of its own.
    #[error("more than one record found")]
    Several { field: String, paths: Vec<String> },
}

impl Refusal {
    /// A refusal with status 400.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    pub(crate) fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::Error { status, code: code.to_owned(), message: message.into(), fields: Vec::new(), detail: None }
    }

    /// Names the field that is at fault.
    pub(crate) fn at(mut self, field: &str) -> Self {
        if let Self::Error { fields, .. } = &mut self {
            fields.push(field.to_owned());
        }
        self
    }

    /// Adds a key of its own.
    pub(crate) fn with_detail(mut self, key: &'static str, value: Value) -> Self {
        if let Self::Error { detail, .. } = &mut self {
            *detail = Some(Box::new(Detail(key, value)));
        }
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::with_status(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(crate) fn external_id_field(field: &str) -> Self {
        Self::with_status(
            404,
            "NOT_FOUND",
            format!("Provided external ID field does not exist or is not accessible: {field}"),
        )
    }

    pub(crate) fn no_such_column(column: &str, object: &str) -> Self {
        Self::new("INVALID_FIELD", format!("No such column '{column}' on sobject of type {object}"))
    }

    pub(crate) fn body() -> Self {
        Self::new("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")
    }

    pub(crate) fn deleted() -> Self {
        Self::with_status(404, "ENTITY_IS_DELETED", "entity is deleted")
    }

    /// The refusal as the answer to a whole call.
    pub(crate) fn answer(&self, version: u32) -> Answer {
        match self {
            Self::Several { paths, .. } => Answer::json(300, json!(addresses(paths, version))),
            Self::Error { status, code, message, fields, detail } => {
                let mut error = json!({"message": message, "errorCode": code});
                if !fields.is_empty() {
                    error["fields"] = json!(fields);
                }
                if let Some(detail) = detail {
                    error[detail.0] = detail.1.clone();
                }
                Answer::json(*status, json!([error]))
            }
        }
    }

    /// The same as it goes over the wire, where no version is known.
    pub(crate) fn response(&self) -> Response {
        self.answer(0).response()
    }

    /// The refusal as one entry of a collection's answer.
    pub(crate) fn entry(&self) -> Value {
        let error = match self {
            Self::Several { field, paths } => json!({
                "statusCode": "DUPLICATE_EXTERNAL_ID",
                "message": format!("{field}: more than one record found for external id field: [{}]", ids(paths)),
                "fields": [],
            }),
            Self::Error { code, message, fields, detail, .. } => {
                let mut error = json!({"statusCode": code, "message": message, "fields": fields});
                if let Some(detail) = detail {
                    error[detail.0] = detail.1.clone();
                }
                error
            }
        };
        json!({"success": false, "errors": [error]})
    }
}

fn ids(paths: &[String]) -> String {
    paths.iter().filter_map(|path| path.rsplit('/').next()).collect::<Vec<_>>().join(", ")
}

fn addresses(paths: &[String], version: u32) -> Vec<String> {
    paths.iter().map(|path| format!("/services/data/v{version}.0/{path}")).collect()
}
