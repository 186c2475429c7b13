//! What a body complains of, wherever in it that stands.

use serde_json::Value;

use super::Stage;
use crate::salesforce::refusals::rules;
use crate::salesforce::soql::cut;

/// One complaint in a body.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    pub(super) code: String,
    pub(super) text: String,
    pub(super) fields: Vec<String>,
    pub(super) records: Vec<String>,
}

/// Every complaint, however deep: Salesforce answers with arrays, with objects, and with either inside composites.
pub(super) fn collect(stage: Stage, json: &Value, into: &mut Vec<Complaint>) {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    match json {
        Value::Array(items) => items.iter().for_each(|item| collect(stage, item, into)),
        Value::Object(parts) => {
            let code =
                [text("errorCode"), text("statusCode")].into_iter().flatten().find(|code| !code.trim().is_empty());
            if let Some(code) = code {
                let fields = json.get("fields").and_then(Value::as_array).into_iter().flatten();
                let fields = fields.filter_map(Value::as_str).map(|name| cut(name, 80).to_owned()).collect();
                into.push(Complaint { code, text: text("message").unwrap_or_default(), fields, records: twins(json) });
            } else if let Some(code) = text("error").filter(|code| is_token_error(stage, code, json)) {
                let text = text("error_description").unwrap_or_default();
                into.push(Complaint { code, text, ..Complaint::default() });
            } else {
                parts.values().for_each(|part| collect(stage, part, into));
            }
        }
        _ => {}
    }
}

/// The ids that a duplicate rule found. Salesforce spells the key `duplicateResult` or `duplicateResut`.
fn twins(complaint: &Value) -> Vec<String> {
    let result = complaint.get("duplicateResult").or_else(|| complaint.get("duplicateResut"));
    let list = |json: &Value, key: &str| json.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let matches = result.map(|result| list(result, "matchResults")).unwrap_or_default();
    let found = matches.iter().flat_map(|one| list(one, "matchRecords"));
    found.filter_map(|one| one.pointer("/record/Id")?.as_str().map(|id| cut(id, 18).to_owned())).collect()
}

/// Whether an `error` is the token endpoint's: servers on the way have the same key for words of their own.
fn is_token_error(stage: Stage, code: &str, json: &Value) -> bool {
    let is_word = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let described = json.get("error_description").is_some_and(Value::is_string);
    is_word && (described || (stage == Stage::Token && rules::of(code, "", &[]).is_some()))
}
