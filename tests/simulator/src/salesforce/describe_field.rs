//! What an org says of one field.

use serde_json::{Value, json};

use super::org::Org;
use super::schema::{Field, Kind, Number, Object, Source};

/// The type, and the type that SOAP gives it.
fn kinds(kind: &Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Id => ("id", "tns:ID"),
        Kind::Text(_) => ("string", "xsd:string"),
        Kind::Area(_) => ("textarea", "xsd:string"),
        Kind::Email => ("email", "xsd:string"),
        Kind::Phone => ("phone", "xsd:string"),
        Kind::Url => ("url", "xsd:string"),
        Kind::Picklist { several: false, .. } => ("picklist", "xsd:string"),
        Kind::Picklist { several: true, .. } => ("multipicklist", "xsd:string"),
        Kind::Boolean => ("boolean", "xsd:boolean"),
        Kind::Time => ("datetime", "xsd:dateTime"),
        Kind::Date => ("date", "xsd:date"),
        Kind::Number(Number::Int) => ("int", "xsd:int"),
        Kind::Number(Number::Double) => ("double", "xsd:double"),
        Kind::Number(Number::Currency) => ("currency", "xsd:double"),
        Kind::Number(Number::Percent) => ("percent", "xsd:double"),
        Kind::Compound => ("address", "urn:address"),
        Kind::Reference { .. } => ("reference", "tns:ID"),
    }
}

/// The entry of a field in its object's describe.
pub(crate) fn shown(org: &Org, object: &Object, field: &Field) -> Value {
    let (kind, soap) = kinds(&field.kind);
    let mut entry = plain(field);
    let (targets, relationship): (Vec<&str>, Value) = match &field.kind {
        Kind::Reference { to, relationship, .. } => {
            (to.iter().map(|at| org.table(*at).object.name.as_str()).collect(), json!(relationship))
        }
        _ => (Vec::new(), Value::Null),
    };
    let (values, restricted): (Vec<Value>, bool) = match &field.kind {
        Kind::Picklist { values, restricted, .. } => {
            let default = field.default.as_deref();
            let shown = |value: &String| {
                let chosen = default == Some(value.as_str());
                json!({"active": true, "defaultValue": chosen, "label": value, "validFor": null, "value": value})
            };
            (values.iter().map(shown).collect(), *restricted)
        }
        _ => (Vec::new(), false),
    };
    let own = field.source != Source::Stored;
    let owner = field.name == "OwnerId";
    let area = matches!(field.kind, Kind::Area(_) | Kind::Compound);
    let name_field =
        matches!(field.name.as_str(), "Name" | "CaseNumber" | "Subject") && object_name_field(object, field);
    for (key, value) in [
        ("name", json!(field.name)),
        ("label", json!(field.label)),
        ("type", json!(kind)),
        ("soapType", json!(soap)),
        ("nillable", json!(!field.required && !owner && field.kind != Kind::Boolean && !own)),
        ("createable", json!(field.writable())),
        ("updateable", json!(field.writable())),
        ("defaultedOnCreate", json!(owner || field.default.is_some() || own)),
        ("defaultValue", if field.kind == Kind::Boolean { json!(false) } else { json!(field.default) }),
        ("filterable", json!(!area)),
        ("sortable", json!(!area)),
        ("groupable", json!(!area && !matches!(field.kind, Kind::Time | Kind::Number(_)))),
        ("aggregatable", json!(field.kind != Kind::Boolean && !area)),
        ("nameField", json!(name_field)),
        ("namePointing", json!(targets.len() > 1)),
        ("polymorphicForeignKey", json!(targets.len() > 1)),
        ("referenceTo", json!(targets)),
        ("relationshipName", relationship),
        ("restrictedPicklist", json!(restricted)),
        ("picklistValues", json!(values)),
    ] {
        entry[key] = value;
    }
    entry
}

/// Whether it is the field by which people call a record: a Case has a number, not a name.
fn object_name_field(object: &Object, field: &Field) -> bool {
    let first = ["Name", "CaseNumber", "Subject"].into_iter().find(|name| object.find(name).is_some());
    first == Some(field.name.as_str())
}

/// What does not depend on other objects.
fn plain(field: &Field) -> Value {
    let length = field.length();
    let number = matches!(field.kind, Kind::Number(_));
    let int = field.kind == Kind::Number(Number::Int);
    json!({
        "aiPredictionField": false,
        "autoNumber": matches!(field.source, Source::AutoNumber(..)),
        "byteLength": length * if matches!(field.kind, Kind::Id | Kind::Reference { .. }) { 1 } else { 3 },
        "calculated": field.source == Source::Closed,
        "calculatedFormula": null,
        "cascadeDelete": false,
        "caseSensitive": false,
        "compoundFieldName": null,
        "controllerName": null,
        "custom": field.name.ends_with("__c"),
        "defaultValueFormula": null,
        "dependentPicklist": false,
        "deprecatedAndHidden": false,
        "digits": if int { 8 } else { 0 },
        "displayLocationInDecimal": false,
        "encrypted": false,
        "externalId": field.external_id,
        "extraTypeInfo": null,
        "filteredLookupInfo": null,
        "formulaTreatNullNumberAsZero": false,
        "highScaleNumber": false,
        "htmlFormatted": false,
        "idLookup": field.external_id || matches!(field.kind, Kind::Id | Kind::Email) || field.name == "CaseNumber",
        "inlineHelpText": null,
        "length": length,
        "mask": null,
        "maskType": null,
        "permissionable": field.writable() && !field.required,
        "precision": if number && !int { 18 } else { 0 },
        "queryByDistance": false,
        "referenceTargetField": null,
        "relationshipOrder": null,
        "restrictedDelete": false,
        "scale": if number && !int { 2 } else { 0 },
        "searchPrefilterable": false,
        "unique": field.unique,
        "writeRequiresMasterRead": false,
    })
}
