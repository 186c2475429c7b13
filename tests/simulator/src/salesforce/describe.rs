//! What an org says of itself: its objects, their fields and its limits.

use axum::response::Response;
use serde_json::{Value, json};

use super::org::Org;
use super::schema::{Field, Kind, ObjectIndex, Source};
use crate::web;

/// GET /sobjects
pub(crate) fn global(org: &Org, version: u32) -> Response {
    let objects: Vec<Value> = (0..).zip(&org.tables).map(|(at, _)| summary(org, at, version)).collect();
    web::json(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}))
}

/// GET /sobjects/{object}
pub(crate) fn basic(org: &Org, at: ObjectIndex, version: u32) -> Response {
    web::json(200, &json!({"objectDescribe": summary(org, at, version), "recentItems": []}))
}

/// GET /sobjects/{object}/describe
pub(crate) fn object(org: &Org, at: ObjectIndex, version: u32) -> Response {
    let mut body = summary(org, at, version);
    body["fields"] = org.table(at).object.fields.iter().map(|of| field(org, of)).collect();
    web::json(200, &body)
}

/// GET /limits
pub(crate) fn limits(org: &Org) -> Response {
    let limit = org.config.api_limit;
    let body = json!({
        "DailyApiRequests": {"Max": limit, "Remaining": limit.saturating_sub(org.usage)},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        "DataStorageMB": {"Max": 5_120, "Remaining": 5_000},
    });
    web::json(200, &body)
}

fn summary(org: &Org, at: ObjectIndex, version: u32) -> Value {
    let object = &org.table(at).object;
    let path = format!("/services/data/v{version}.0/sobjects/{}", object.name);
    json!({
        "name": object.name,
        "label": object.label,
        "keyPrefix": object.prefix,
        "custom": object.custom(),
        "createable": true,
        "updateable": true,
        "queryable": true,
        "urls": {
            "sobject": path,
            "describe": format!("{path}/describe"),
            "rowTemplate": format!("{path}/{{ID}}"),
        },
    })
}

fn field(org: &Org, field: &Field) -> Value {
    let (kind, soap) = match field.kind {
        Kind::Id => ("id", "tns:ID"),
        Kind::Text(_) => ("string", "xsd:string"),
        Kind::Area(_) => ("textarea", "xsd:string"),
        Kind::Email => ("email", "xsd:string"),
        Kind::Phone => ("phone", "xsd:string"),
        Kind::Url => ("url", "xsd:string"),
        Kind::Picklist { .. } => ("picklist", "xsd:string"),
        Kind::Boolean => ("boolean", "xsd:boolean"),
        Kind::Time => ("datetime", "xsd:dateTime"),
        Kind::Reference { .. } => ("reference", "tns:ID"),
    };
    let (targets, relationship): (Vec<&str>, Value) = match &field.kind {
        Kind::Reference { to, relationship } => {
            (to.iter().map(|at| org.table(*at).object.name).collect(), json!(relationship))
        }
        _ => (Vec::new(), Value::Null),
    };
    let (values, restricted): (Vec<Value>, bool) = match &field.kind {
        Kind::Picklist { values, restricted } => {
            let entry = |value| json!({"value": value, "label": value, "active": true, "defaultValue": false});
            (values.iter().map(entry).collect(), *restricted)
        }
        _ => (Vec::new(), false),
    };
    let owner = field.name == "OwnerId";
    json!({
        "name": field.name,
        "label": field.label,
        "type": kind,
        "soapType": soap,
        "length": field.length(),
        "nillable": !field.required && !owner && field.kind != Kind::Boolean && field.source == Source::Stored,
        "createable": field.writable(),
        "updateable": field.writable(),
        "custom": field.name.ends_with("__c"),
        "externalId": field.external_id,
        "idLookup": field.external_id || field.kind == Kind::Id || field.kind == Kind::Email,
        "unique": field.unique,
        "caseSensitive": false,
        "calculated": field.source == Source::Closed,
        "autoNumber": matches!(field.source, Source::AutoNumber(..)),
        "defaultedOnCreate": owner || field.default.is_some() || field.source != Source::Stored,
        "filterable": !matches!(field.kind, Kind::Area(_)),
        "referenceTo": targets,
        "relationshipName": relationship,
        "polymorphicForeignKey": targets.len() > 1,
        "restrictedPicklist": restricted,
        "picklistValues": values,
    })
}
