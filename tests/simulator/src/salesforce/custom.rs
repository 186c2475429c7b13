//! Brings an organization's tables in line with the objects and fields its administrator set.

use super::config::{Config, CustomField};
use super::org::Org;
use super::schema::{Field, Kind, Number, Object, ObjectIndex, Source, object};
use super::table::Table;

/// Adds what the settings name; fields that settings added are never removed again.
pub(crate) fn apply(org: &mut Org, config: &Config) {
    for custom in &config.objects {
        if org.object(&custom.name).is_none() {
            let label = custom.label.clone().unwrap_or_else(|| label_of(&custom.name));
            let prefix = custom.prefix.clone().unwrap_or_else(|| format!("z{:02}", org.tables.len() % 100));
            let mut made = Object::new(&custom.name, &label, &prefix, Vec::new());
            if custom.name.ends_with("__c") {
                made.add(Field::new("Name", "Name", Kind::Text(80)));
            }
            org.tables.push(Table::new(made));
        }
    }
    for custom in &config.fields {
        if let Some(at) = org.object(&custom.object) {
            let field = field(org, custom);
            add(org, at, field);
        }
    }
    for custom in &config.external_ids {
        if let Some(at) = org.object(&custom.object) {
            let field = Field::new(&custom.field, &label_of(&custom.field), Kind::Text(255));
            add(org, at, field.external_id(custom.unique));
        }
    }
    for picklist in &config.restricted_picklists {
        if let Some(at) = org.object(&picklist.object) {
            let object = &mut org.tables[at as usize].object;
            if let Some(field) = object.find(&picklist.field) {
                object.fields[field as usize].kind =
                    Kind::Picklist { values: picklist.values.clone(), restricted: true, several: false };
            }
        }
    }
    rights(org, config);
}

/// What the integration user may see and write.
fn rights(org: &mut Org, config: &Config) {
    let names = |list: &[String], name: String| list.iter().any(|given| given.eq_ignore_ascii_case(&name));
    for table in &mut org.tables {
        let object = &mut table.object;
        object.hidden = names(&config.hidden, object.name.clone());
        for field in &mut object.fields {
            let name = format!("{}.{}", object.name, field.name);
            field.hidden = names(&config.hidden, name.clone());
            field.read_only = names(&config.read_only, name);
        }
    }
}

fn add(org: &mut Org, at: ObjectIndex, mut field: Field) {
    if at == object::CONTACT
        && let Some(stem) = field.name.strip_suffix("__c")
        && org.table(object::ACCOUNT).object.find("PersonContactId").is_some()
    {
        // A person account shows the custom fields of its contact.
        let shown = Field::new(&format!("{stem}__pc"), &field.label, field.kind.clone());
        org.tables[object::ACCOUNT as usize].object.add(shown);
    }
    let table = &mut org.tables[at as usize];
    if let Some(known) = table.object.find(&field.name).map(|known| table.object.field(known)) {
        // What the platform itself keeps stays its own.
        if known.source != Source::Stored {
            field.source = known.source;
            field.kind = known.kind.clone();
        }
        field.default.clone_from(&known.default);
        field.indexed |= known.indexed;
    }
    let indexed = field.indexed;
    let field = table.object.add(field);
    if indexed {
        table.index(field);
    }
}

fn label_of(name: &str) -> String {
    name.trim_end_matches("__c").replace('_', " ")
}

fn field(org: &Org, custom: &CustomField) -> Field {
    let length = custom.length.filter(|length| *length > 0).unwrap_or(255);
    let picklist = |several| Kind::Picklist { values: custom.values.clone(), restricted: custom.restricted, several };
    let kind = match custom.kind.as_str() {
        "textarea" => Kind::Area(length),
        "email" => Kind::Email,
        "phone" => Kind::Phone,
        "url" => Kind::Url,
        "picklist" | "combobox" => picklist(false),
        "multipicklist" => picklist(true),
        "boolean" => Kind::Boolean,
        "datetime" => Kind::Time,
        "date" => Kind::Date,
        "int" => Kind::Number(Number::Int),
        "double" => Kind::Number(Number::Double),
        "currency" => Kind::Number(Number::Currency),
        "percent" => Kind::Number(Number::Percent),
        "address" | "location" => Kind::Compound,
        "reference" => reference(org, custom),
        _ => Kind::Text(length),
    };
    let label = custom.label.clone().unwrap_or_else(|| label_of(&custom.name));
    let boolean = kind == Kind::Boolean;
    let mut field = Field::new(&custom.name, &label, kind);
    if custom.external_id || custom.unique {
        field = field.external_id(custom.unique);
        field.external_id = custom.external_id;
    }
    if custom.required && !custom.read_only {
        field = field.required();
    }
    if boolean {
        field = field.default("false");
    }
    if custom.read_only { field.from(Source::System) } else { field }
}

fn reference(org: &Org, custom: &CustomField) -> Kind {
    let to: Vec<ObjectIndex> = custom.to.iter().filter_map(|name| org.object(name)).collect();
    if to.is_empty() {
        return Kind::Text(18);
    }
    let relationship = custom.relationship.clone().unwrap_or_else(|| match custom.name.strip_suffix("__c") {
        Some(stem) => format!("{stem}__r"),
        None => custom.name.strip_suffix("Id").unwrap_or(&custom.name).to_owned(),
    });
    Kind::Reference { to, relationship, children: custom.children.clone().unwrap_or_default() }
}
