//! The document of the API (OpenAPI 3.1): made of the routes and of what stands at their handlers, then completed with what holds
//! for all of them.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem};

use super::App;
use super::api::{Kind, Problem};
use super::filters::FILTERS;
use super::idempotency;
use super::problem::CONTENT_TYPE;
use super::resync::OF_RESYNC;
use super::serving::Peer;
use super::tokens::Scope;

/// The name of the one way in which callers identify themselves.
const TOKEN: &str = "token";

/// The parts of the API, in the order in which one meets them.
const TAGS: [(&str, &str); 14] = [
    ("sync errors", "Conversations that did not get through: retry one, retry all, ignore."),
    ("causes", "What sync errors have in common: a thousand of them are one decision."),
    ("operations", "What is done with many sync errors at once."),
    ("organizations", "The Salesforce organizations that conversations go to, and where those come from."),
    ("conversations", "What became of a conversation or of a message."),
    ("customers", "What is kept of a customer, and how they are forgotten."),
    ("policies", "What differs from one organization to the next: texts, revisions, shadows, previews."),
    ("plugins", "The WebAssembly components that policies decide by."),
    ("intake", "Where conversations come in."),
    ("events", "What changes, as it happens."),
    ("actions", "Who did what."),
    ("tokens", "Who may do what: tokens for people and programs."),
    ("quarantine", "What was set aside because it could not be read, kept or used."),
    ("host", "The host itself: probes, counters, troubles, its store."),
];

/// The document, finished.
pub(super) struct Document {
    pub(super) value: Value,
    json: Bytes,
}

/// What the document begins with.
pub(super) fn begun() -> OpenApi {
    let info = InfoBuilder::new().title("Switchyard").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION));
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of the configuration, or one that was made over the API. Each operation names the scopes that it needs.",
        ));
    let components = ComponentsBuilder::new().security_scheme(TOKEN, SecurityScheme::Http(token.build()));
    OpenApiBuilder::new().info(info.build()).components(Some(components.build())).build()
}

const DESCRIPTION: &str = "Moves customer conversations from Alcmeon into Salesforce organizations, and keeps every sync error on \
record until it is retried, ignored or overtaken.

Begin with `GET /v1/sync-errors`, `POST /v1/sync-errors/{id}/retry`, `POST /v1/sync-errors/{id}/ignore` and \
`POST /v1/orgs/{org}/retry-all`.

What is asked for is kept before it is answered. A `GET` changes nothing. Lists come in pages: `next_cursor` asks for the next \
one, with the same filters. Moments are of RFC 3339, in UTC. Members that are not named here may be added at any time; unknown \
parameters and members of a request are refused. Every answer has an `X-Request-Id`, which is the one that was sent where there \
was one.";

/// Operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// Says which scope the operations of some routes need.
pub(super) fn scoped(document: &mut OpenApi, scope: Scope) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let requirement = SecurityRequirement::new(TOKEN, [scope.as_str()]);
        operation.security.get_or_insert_default().push(requirement);
    }
}

impl Document {
    pub(super) fn new(document: OpenApi) -> Self {
        let mut value = serde_json::to_value(document).unwrap_or_default();
        value["servers"] = json!([{ "url": "/", "description": "This host." }]);
        value["tags"] = TAGS.iter().map(|(name, words)| json!({ "name": name, "description": words })).collect();
        value["components"]["responses"] = refusals();
        let problem = serde_json::to_value(<Problem as utoipa::PartialSchema>::schema()).unwrap_or_default();
        value["components"]["schemas"]["Problem"] = problem;
        value["components"]["schemas"]["OperationFilters"] = filters();
        value["components"]["schemas"]["OperationRequest"]["properties"]["query"]["$ref"] =
            json!("#/components/schemas/OperationFilters");
        for (path, item) in members(&mut value["paths"]) {
            for (method, operation) in members(item).filter(|(_, operation)| operation.is_object()) {
                complete(path, method, operation);
            }
        }
        for (name, schema) in members(&mut value["components"]["schemas"]) {
            // There `null` takes away.
            if name != "GroupChange" {
                without_nulls(schema);
            }
        }
        let json = serde_json::to_vec_pretty(&value).unwrap_or_default().into();
        Self { value, json }
    }
}

/// What an operation is about, said as an object.
fn filters() -> Value {
    let members: Map<_, _> =
        FILTERS.iter().chain(&OF_RESYNC).map(|known| (known.name.to_owned(), known.member())).collect();
    let words = "The filters of the list of sync errors; of a `resync` those of what got through. A single value may stand for an array of one.";
    json!({ "type": "object", "description": words, "properties": members, "additionalProperties": false })
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// The answers to what is refused, by status.
fn refusals() -> Value {
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in Kind::ALL {
        let line = format!("`{}{}`: {}", super::api::PAGES, kind.word(), kind.meaning().trim());
        by_name.entry(kind.response()).or_default().push(line);
    }
    let response = |(name, lines): (&str, Vec<String>)| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        (
            name.to_owned(),
            json!({ "description": lines.join("\n\n"), "content": { CONTENT_TYPE: { "schema": schema } } }),
        )
    };
    by_name.into_iter().map(response).collect::<Map<_, _>>().into()
}

/// Adds to an operation what every one of its kind may be answered with.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let mut kinds = vec![Kind::Internal, Kind::Unavailable];
    if let Some(all) = operation.get("security").and_then(Value::as_array) {
        let scopes: Vec<_> = all.iter().filter_map(|one| one[TOKEN].as_array()).flatten().cloned().collect();
        operation["security"] = json!([{ TOKEN: scopes }]);
        kinds.extend([Kind::Unauthorized, Kind::Forbidden, Kind::TooManyWrongTokens]);
    } else {
        operation["security"] = json!([]);
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter["required"] != json!(true) {
            not_null(&mut parameter["schema"]);
        }
    }
    // What is named in the path may not be there, and what the body of an erasure names.
    if path.contains('{') || path == "/v1/erasures" {
        kinds.push(Kind::NotFound);
    }
    if operation.get("parameters").is_some() || operation.get("requestBody").is_some() {
        kinds.push(Kind::BadRequest);
    }
    if method != "get" {
        kinds.extend([Kind::BadRequest, Kind::Invalid, Kind::TooSlow, Kind::TooLarge]);
    }
    if path.ends_with("/notify") {
        kinds.push(Kind::Unauthorized);
    }
    // The server itself says that, before anything looks at the address.
    operation["responses"]["431"] = json!({ "description": "The head of the request is too long; there is no body." });
    if method == "post" && operation["security"] != json!([]) {
        kinds.push(Kind::KeyInUse);
        let parameter = serde_json::to_value(idempotency::parameter()).unwrap_or_default();
        operation
            .as_object_mut()
            .map(|operation| operation.entry("parameters").or_insert_with(|| json!([])))
            .and_then(Value::as_array_mut)
            .into_iter()
            .for_each(|parameters| parameters.push(parameter.clone()));
    }
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        let response = &mut operation["responses"][status];
        if response.is_null() {
            *response = json!({ "$ref": format!("#/components/responses/{}", kind.response()) });
        }
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
    }
}

/// A member that may be absent is never `null` then.
fn without_nulls(schema: &mut Value) {
    let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().cloned().collect();
    for (name, member) in schema.get_mut("properties").into_iter().flat_map(members) {
        if !required.contains(&json!(name)) {
            not_null(member);
        }
    }
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        without_nulls(part);
    }
}

fn not_null(schema: &mut Value) {
    let is_null = |value: &Value| *value == json!("null") || value["type"] == json!("null");
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| !is_null(kind));
        if let [kind] = &kinds[..] {
            schema["type"] = kind.clone();
        }
    }
    if let Some(parts) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        parts.retain(|part| !is_null(part));
        if let [part] = &parts[..] {
            // What is said of the member stands beside what is said of its type.
            let (part, said) = (part.clone(), schema["description"].take());
            *schema = part;
            if said.is_string() {
                schema["description"] = said;
            }
        }
    }
}

/// Serves the document.
pub(super) async fn show(State(app): State<App>, request: Request) -> Result<impl IntoResponse, Problem> {
    // Nobody has to say who they are here: what they ask for is bounded by where they are.
    app.callers.admit_stranger(Peer::of(&request).map(|Peer(address)| address.ip()))?;
    let json = app.document.get().map(|document| document.json.clone()).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "max-age=300")], json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_absent_is_never_null_and_what_is_always_there_may_be() {
        let mut schema = json!({
            "required": ["always"],
            "properties": {
                "always": { "type": ["string", "null"] },
                "a": { "type": ["string", "null"], "description": "A." },
                "b": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/B" }], "description": "B." },
            },
        });
        without_nulls(&mut schema);
        assert_eq!(schema["properties"]["always"]["type"], json!(["string", "null"]));
        assert_eq!(schema["properties"]["a"], json!({ "type": "string", "description": "A." }));
        assert_eq!(schema["properties"]["b"], json!({ "$ref": "#/components/schemas/B", "description": "B." }));
    }

    #[test]
    fn an_operation_may_be_answered_with_what_its_kind_is_refused_for() {
        let mut operation = json!({
            "security": [{ TOKEN: ["policies"] }, { TOKEN: ["errors"] }],
            "responses": { "200": {}, "409": {} },
        });
        complete("/v1/things/{id}", "post", &mut operation);
        assert_eq!(operation["security"], json!([{ TOKEN: ["policies", "errors"] }]), "both are needed");
        let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(
            statuses,
            ["200", "400", "401", "403", "404", "408", "409", "413", "422", "429", "431", "500", "503"]
        );
    }
}
