//! Custom fields of conversations and customers, as other systems read and write them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Alcmeon;
use super::api::{Answer, Refusal, caller};
use super::environment::{Environment, Scope};
use crate::journal::lock;

/// A field and its value.
#[derive(Debug, Deserialize)]
struct Given {
    field_id: u64,
    #[serde(default)]
    field_value: Value,
}

/// Who or what the fields are of.
fn scope(name: &str) -> Result<Scope, Refusal> {
    match name {
        "conversations" => Ok(Scope::Conversation),
        "users" => Ok(Scope::Customer),
        _ => Err(Refusal::Unknown),
    }
}

fn shown(environment: &Environment, scope: Scope, id: u64) -> Value {
    let fields = environment.fields_of(scope, id);
    fields.into_iter().map(|(id, value)| json!({"field_id": id, "field_value": value})).collect()
}

pub(super) async fn read(
    State(alcmeon): State<Arc<Alcmeon>>,
    Path((of, id)): Path<(String, u64)>,
    headers: HeaderMap,
) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let scope = scope(&of)?;
    let environment = lock(&shared.environment);
    if !environment.has(scope, id) {
        return Err(Refusal::Unknown);
    }
    Ok(Json(shown(&environment, scope, id)))
}

/// Sets the fields given, keeps the others; answers `"ok"`.
pub(super) async fn write(
    State(alcmeon): State<Arc<Alcmeon>>,
    Path((of, id)): Path<(String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let scope = scope(&of)?;
    let given: Vec<Given> =
        serde_json::from_slice(&body).map_err(|_| Refusal::Bad("the body is not a list of fields and values"))?;
    let mut environment = lock(&shared.environment);
    if !environment.has(scope, id) {
        return Err(Refusal::Unknown);
    }
    if given.iter().any(|field| environment.settings.read_only_fields.contains(&field.field_id)) {
        return Err(Refusal::Forbidden);
    }
    for field in given {
        environment.set_field(scope, id, field.field_id, field.field_value.clone());
        alcmeon.journal(json!({
            "env": environment.id,
            "field": {"scope": scope, "id": id, "field_id": field.field_id, "value": field.field_value},
        }));
    }
    Ok(Json(json!("ok")))
}

/// GET /custom-field/users/fields: what the fields of customers are.
pub(super) async fn list(State(alcmeon): State<Arc<Alcmeon>>, headers: HeaderMap) -> Answer {
    let shared = caller(&alcmeon, &headers)?;
    let environment = lock(&shared.environment);
    let settings = &environment.settings;
    let field = |id: u64, label: &str, kind: &str| {
        json!({
            "id": id,
            "label": label,
            "description": "",
            "type": kind,
            "teams": [],
            "optional": true,
            "allowed": [],
        })
    };
    Ok(Json(json!([field(settings.email_field, "E-mail", "email"), field(settings.phone_field, "Phone", "phone"),])))
}
