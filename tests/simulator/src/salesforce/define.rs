//! Makes an org as the control API describes it: settings, users, queues, accounts and contacts.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::config::Config;
use super::control::Error;
use super::org::Org;
use super::schema::{ObjectIndex, object};
use super::table::RecordRef;
use super::write::{self, Manner};
use super::{Salesforce, input};
use crate::journal::lock;

/// What an org starts with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Seed {
    refresh_token: Option<String>,
    queues: Vec<Queue>,
    /// Records as the API would take them.
    users: Vec<Map<String, Value>>,
    accounts: Vec<Map<String, Value>>,
    contacts: Vec<Map<String, Value>>,
}

/// A queue and the objects it may own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    name: String,
    /// The name with underscores when absent.
    #[serde(default)]
    developer_name: Option<String>,
    #[serde(default)]
    objects: Vec<String>,
}

/// Names of the seed's parts; everything else in a definition is a setting.
const PARTS: [&str; 5] = ["refresh_token", "queues", "users", "accounts", "contacts"];

/// PUT /control/orgs/{name}: makes the org, in place of one of this name unless `if_absent`.
pub(crate) fn put(salesforce: &Salesforce, name: &str, definition: Value, if_absent: bool) -> Result<Value, Error> {
    if let Some(org) = salesforce.org_named(name).filter(|_| if_absent) {
        return Ok(summary(&mut lock(&org), salesforce.clock.now_ms()));
    }
    let (settings, parts): (Map<String, Value>, Map<String, Value>) =
        serde_json::from_value::<Map<String, Value>>(definition)?
            .into_iter()
            .partition(|(key, _)| !PARTS.contains(&key.as_str()));
    let config: Config = serde_json::from_value(Value::Object(settings))?;
    let seed: Seed = serde_json::from_value(Value::Object(parts))?;
    let mut orgs = salesforce.orgs.write().unwrap_or_else(PoisonError::into_inner);
    let position = orgs.iter().position(|(known, _)| known == name).unwrap_or(orgs.len());
    let number = u32::try_from(position + 1).unwrap_or(u32::MAX);
    let mut org = Org::new(name, number, config);
    let mut lines = vec![json!({"org": name, "define": {"number": number, "config": org.config}})];
    let now_ms = salesforce.clock.now_ms();
    org.schema_ms = now_ms;
    let made = plant(&mut org, seed, now_ms)?;
    lines.extend(org.commit());
    lines.push(json!({"org": name, "tokens": org.tokens}));
    salesforce.journal(&lines);
    let mut answer = summary(&mut org, now_ms);
    for (key, ids) in made {
        answer[key] = json!(ids);
    }
    let org = Arc::new(Mutex::new(org));
    match orgs.get_mut(position) {
        Some(place) => place.1 = org,
        None => orgs.push((name.to_owned(), org)),
    }
    Ok(answer)
}

/// PATCH /control/orgs/{name}: changes the settings given, keeps the others.
pub(crate) fn change(salesforce: &Salesforce, org: &mut Org, changes: Value) -> Result<(), Error> {
    let mut config = serde_json::to_value(&org.config)?;
    for (key, value) in serde_json::from_value::<Map<String, Value>>(changes)? {
        config[key] = value;
    }
    org.configure(serde_json::from_value(config)?);
    org.schema_ms = salesforce.clock.now_ms();
    salesforce.journal(&[json!({"org": org.name, "config": org.config})]);
    Ok(())
}

/// Creates the seed's records; answers the ids of accounts and contacts in their order.
fn plant(org: &mut Org, seed: Seed, now_ms: i64) -> Result<[(&'static str, Vec<String>); 2], Error> {
    let name = org.name.clone();
    let itself = json!({"Name": name, "OrganizationType": "Developer Edition", "InstanceName": "SIM1"});
    add(org, now_ms, object::ORGANIZATION, itself)?;
    let user = json!({"Username": format!("integration@{name}.example"), "LastName": "Integration"});
    org.integration_user = add(org, now_ms, object::USER, user)?;
    if org.config.person_accounts {
        for (name, person) in [("Business_Account", false), ("PersonAccount", true)] {
            let label = name.replace('_', " ");
            let kind = json!({"Name": label, "DeveloperName": name, "SobjectType": "Account", "IsPersonType": person});
            add(org, now_ms, object::RECORD_TYPE, kind)?;
        }
    }
    for queue in seed.queues {
        let developer_name = queue.developer_name.unwrap_or_else(|| queue.name.replace(' ', "_"));
        let group = json!({"Name": queue.name, "DeveloperName": developer_name, "Type": "Queue"});
        let group = add(org, now_ms, object::GROUP, group)?;
        let id = org.record_id(group);
        for supported in queue.objects {
            add(org, now_ms, object::QUEUE_SOBJECT, json!({"QueueId": id, "SobjectType": supported}))?;
        }
    }
    for user in seed.users {
        add(org, now_ms, object::USER, Value::Object(user))?;
    }
    let mut ids = |at, records: Vec<Map<String, Value>>| -> Result<Vec<String>, Error> {
        records
            .into_iter()
            .map(|record| add(org, now_ms, at, Value::Object(record)).map(|made| org.record_id(made)))
            .collect()
    };
    let made = [("accounts", ids(object::ACCOUNT, seed.accounts)?), ("contacts", ids(object::CONTACT, seed.contacts)?)];
    if let Some(token) = seed.refresh_token {
        org.tokens.approve(&token, org.config.approvals, now_ms);
    }
    Ok(made)
}

fn add(org: &mut Org, now_ms: i64, at: ObjectIndex, fields: Value) -> Result<RecordRef, Error> {
    let fields: Map<String, Value> = serde_json::from_value(fields)?;
    let changes = input::changes(org, at, &fields, None)?;
    Ok(write::create(org, at, changes, Manner::admin(now_ms))?)
}

/// Ids by name, counts and totals of an org.
pub(crate) fn summary(org: &mut Org, now_ms: i64) -> Value {
    let used = org.usage.used(now_ms);
    let records: Map<String, Value> =
        org.tables.iter().map(|table| (table.object.name.clone(), json!(table.live()))).collect();
    json!({
        "organization_id": org.id(),
        "integration_user_id": org.record_id(org.integration_user),
        "queues": by_name(org, object::GROUP, "DeveloperName"),
        "users": by_name(org, object::USER, "Username"),
        "record_types": by_name(org, object::RECORD_TYPE, "DeveloperName"),
        "records": records,
        "usage": {"used": used, "limit": org.config.api_limit},
        "totals": org.totals,
    })
}

fn by_name(org: &Org, at: ObjectIndex, field: &str) -> Map<String, Value> {
    let table = org.table(at);
    let field = table.object.find(field);
    table
        .rows()
        .filter_map(|(number, row)| {
            let name = row.text(field?)?.to_owned();
            Some((name, json!(org.record_id(RecordRef { object: at, number }))))
        })
        .collect()
}
