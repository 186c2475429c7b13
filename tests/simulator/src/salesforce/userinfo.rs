//! Who the access token belongs to.

use serde_json::{Value, json};

use super::Salesforce;
use super::answer::Answer;
use super::org::Org;

/// What a field of the integration user says.
pub(crate) fn read(org: &Org, name: &str) -> Value {
    let user = org.integration_user;
    let field = org.table(user.object).object.find(name);
    org.row(user).zip(field).map_or(Value::Null, |(row, field)| org.read(user, row, field))
}

/// The address that names org and user, as token answers carry it.
pub(crate) fn address(salesforce: &Salesforce, org: &Org) -> String {
    format!("{}/id/{}/{}", salesforce.base, org.id(), org.record_id(org.integration_user))
}

fn urls(salesforce: &Salesforce) -> Value {
    let base = &salesforce.base;
    json!({
        "rest": format!("{base}/services/data/v{{version}}/"),
        "sobjects": format!("{base}/services/data/v{{version}}/sobjects/"),
        "search": format!("{base}/services/data/v{{version}}/search/"),
        "query": format!("{base}/services/data/v{{version}}/query/"),
    })
}

/// GET /services/oauth2/userinfo
pub(crate) fn shown(salesforce: &Salesforce, org: &Org) -> Answer {
    let body = json!({
        "sub": address(salesforce, org),
        "user_id": org.record_id(org.integration_user),
        "organization_id": org.id(),
        "preferred_username": read(org, "Username"),
        "name": read(org, "Name"),
        "email": read(org, "Email"),
        "email_verified": true,
        "active": read(org, "IsActive"),
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "urls": urls(salesforce),
    });
    Answer::json(200, body)
}

/// GET /id/{org}/{user}
pub(crate) fn identity(salesforce: &Salesforce, org: &Org) -> Answer {
    let body = json!({
        "id": address(salesforce, org),
        "asserted_user": true,
        "user_id": org.record_id(org.integration_user),
        "organization_id": org.id(),
        "username": read(org, "Username"),
        "display_name": read(org, "Name"),
        "email": read(org, "Email"),
        "active": read(org, "IsActive"),
        "user_type": "STANDARD",
        "urls": urls(salesforce),
    });
    Answer::json(200, body)
}
