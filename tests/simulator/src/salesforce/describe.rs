//! What an org says of its objects.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::describe_field;
use super::org::Org;
use super::schema::{Kind, ObjectIndex, Source, object as objects};
use super::table::{Cell, RecordRef};

/// The lowest of the newer versions with which a describe was recorded.
const RECORDED: u32 = 58;

/// GET /services/data/vXX.0
pub(crate) fn resources(version: u32) -> Answer {
    let names = ["composite", "limits", "parameterizedSearch", "query", "queryAll", "search", "sobjects"];
    let body: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!(format!("/services/data/v{version}.0/{name}")))).collect();
    Answer::json(200, Value::Object(body))
}

/// GET /sobjects
pub(crate) fn global(org: &Org, version: u32) -> Answer {
    let objects: Vec<Value> = visible(org).map(|at| summary(org, at, version)).collect();
    Answer::json(200, json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}))
}

/// GET /sobjects/{object}
pub(crate) fn basic(org: &Org, at: ObjectIndex, version: u32) -> Answer {
    Answer::json(200, json!({"objectDescribe": summary(org, at, version), "recentItems": []}))
}

/// GET /sobjects/{object}/describe
pub(crate) fn object(org: &Org, at: ObjectIndex, version: u32) -> Answer {
    let object = &org.table(at).object;
    let mut body = summary(org, at, version);
    let fields = object.fields.iter().filter(|field| !field.hidden);
    body["fields"] = fields.map(|field| describe_field::shown(org, object, field)).collect();
    body["childRelationships"] = children(org, at);
    body["recordTypeInfos"] = record_types(org, at, version);
    body["supportedScopes"] = scopes(at, &object.label_plural().to_lowercase(), version);
    for (key, value) in [
        ("actionOverrides", json!([])),
        ("compactLayoutable", json!(true)),
        ("defaultImplementation", Value::Null),
        ("extendedBy", Value::Null),
        ("extendsInterfaces", Value::Null),
        ("implementedBy", Value::Null),
        ("implementsInterfaces", Value::Null),
        ("listviewable", Value::Null),
        ("lookupLayoutable", Value::Null),
        ("namedLayoutInfos", json!([])),
        ("networkScopeFieldName", Value::Null),
        ("searchLayoutable", json!(true)),
    ] {
        body[key] = value;
    }
    // Recorded with version 58 and not with 48; when it came is not known.
    if version >= RECORDED {
        body["sobjectDescribeOption"] = json!("FULL");
    }
    for (key, value) in [
        ("uiDetailTemplate", "/{ID}".to_owned()),
        ("uiEditTemplate", "/{ID}/e".to_owned()),
        ("uiNewRecord", format!("/{}/e", object.prefix)),
    ] {
        body["urls"][key] = json!(value);
    }
    Answer::json(200, body)
}

/// In which scopes a query may look (`USING SCOPE`), by name, as recorded of Account and Contact with version 58 and later and
/// of Case with 48. That a Case has the scope of rules as well is documented ("scoping rules" are for accounts, cases, contacts
/// and others), and not recorded.
fn scopes(at: ObjectIndex, plural: &str, version: u32) -> Value {
    let scope = |label: String, name: &str| json!({"label": label, "name": name});
    let mut all = vec![scope(format!("All {plural}"), "everything"), scope(format!("My {plural}"), "mine")];
    let standard = matches!(at, objects::ACCOUNT | objects::CONTACT | objects::CASE);
    if standard && version >= RECORDED {
        all.push(scope("Filter by scope".to_owned(), "scopingRule"));
    }
    if at == objects::CASE {
        all.push(scope(format!("My case teams {plural}"), "genericteam"));
        all.push(scope(format!("Queue owned {plural}"), "queue_owned"));
        all.push(scope(format!("My role-based team's {plural}"), "team_by_role"));
        all.push(scope(format!("User owned {plural}"), "user_owned"));
    } else if standard {
        all.push(scope(format!("My team's {plural}"), "team"));
    }
    all.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    json!(all)
}

fn visible(org: &Org) -> impl Iterator<Item = ObjectIndex> {
    (0..).zip(&org.tables).filter(|(_, table)| !table.object.hidden).map(|(at, _)| at)
}

fn path(org: &Org, at: ObjectIndex, version: u32) -> String {
    format!("/services/data/v{version}.0/sobjects/{}", org.table(at).object.name)
}

fn summary(org: &Org, at: ObjectIndex, version: u32) -> Value {
    let object = &org.table(at).object;
    let path = path(org, at, version);
    let custom = object.name.ends_with("__c");
    // Objects of the platform itself have no layouts and are not shared.
    let plain = matches!(at, objects::QUEUE_SOBJECT | objects::RECORD_TYPE | objects::GROUP);
    let mut body = json!({
        "activateable": false,
        "createable": true,
        "custom": custom,
        "customSetting": false,
        "deepCloneable": false,
        "deletable": true,
        "deprecatedAndHidden": false,
        "feedEnabled": !plain,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": object.prefix,
        "label": object.label,
        "labelPlural": object.label_plural(),
        "layoutable": !plain,
        "mergeable": matches!(at, objects::ACCOUNT | objects::CONTACT),
        "mruEnabled": !plain,
        "name": object.name,
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": !plain,
        "triggerable": !plain,
        "undeletable": !plain,
        "updateable": true,
        "urls": {"sobject": path, "describe": format!("{path}/describe"), "rowTemplate": format!("{path}/{{ID}}")},
    });
    if version >= 50 {
        body["associateEntityType"] = Value::Null;
        body["associateParentEntity"] = Value::Null;
    }
    if !plain {
        for name in ["compactLayouts", "approvalLayouts", "layouts"] {
            body["urls"][name] = json!(format!("{path}/describe/{name}"));
        }
        for name in ["listviews", "quickActions"] {
            body["urls"][name] = json!(format!("{path}/{name}"));
        }
    }
    body
}

/// Every field of every object that refers to this one.
fn children(org: &Org, parent: ObjectIndex) -> Value {
    let mut found = Vec::new();
    for at in visible(org) {
        let object = &org.table(at).object;
        for field in object.fields.iter().filter(|field| !field.hidden) {
            let Kind::Reference { to, children, .. } = &field.kind else { continue };
            if !to.contains(&parent) {
                continue;
            }
            let named = field.source == Source::Stored && to.len() == 1;
            found.push(json!({
                "cascadeDelete": false,
                "childSObject": object.name,
                "deprecatedAndHidden": false,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": named.then_some(children),
                "restrictedDelete": false,
            }));
        }
    }
    json!(found)
}

/// The record types of an object, the master one last.
fn record_types(org: &Org, at: ObjectIndex, version: u32) -> Value {
    let table = org.table(objects::RECORD_TYPE);
    let path = path(org, at, version);
    let entry = |name: &str, developer_name: &str, id: String, master: bool| {
        json!({
            "active": true,
            "available": true,
            "defaultRecordTypeMapping": master,
            "developerName": developer_name,
            "master": master,
            "name": name,
            "recordTypeId": id,
            "urls": {"layout": format!("{path}/describe/layouts/{id}")},
        })
    };
    let mut types = Vec::new();
    if let (Some(kind), Some(name), Some(developer_name)) =
        (table.object.find("SobjectType"), table.object.find("Name"), table.object.find("DeveloperName"))
    {
        let wanted = Cell::Text(org.table(at).object.name.as_str().into());
        for (number, row) in table.rows().filter(|(_, row)| row.get(kind) == Some(&wanted)) {
            let id = org.record_id(RecordRef { object: objects::RECORD_TYPE, number });
            let text = |field| row.text(field).unwrap_or_default();
            types.push(entry(text(name), text(developer_name), id, false));
        }
    }
    types.push(entry("Master", "Master", "012000000000000AAA".to_owned(), true));
    json!(types)
}
