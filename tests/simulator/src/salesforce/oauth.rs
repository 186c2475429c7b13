//! The token endpoint and its neighbours: who gets an access token, and every recorded way to be refused one.

use axum::response::Response;
use serde_json::{Value, json};

use super::calls::Call;
use super::org::Org;
use super::schema::object;
use super::table::Cell;
use super::{Salesforce, SharedOrg};
use crate::journal::lock;
use crate::{clock, web};

/// Why no token is given: name for the control API, error and description.
const REFUSALS: [(&str, &str, &str); 19] = [
    ("expired", "invalid_grant", "expired access/refresh token"),
    ("validity_expired", "invalid_grant", "token validity expired"),
    ("inactive_user", "invalid_grant", "inactive user"),
    ("user_deactivated", "inactive_user", "user is inactive"),
    ("org_locked", "inactive_org", "organization is locked, closed, or suspended"),
    ("authentication_failure", "invalid_grant", "authentication failure"),
    ("not_approved", "invalid_grant", "user hasn't approved this consumer"),
    ("invalid_assertion", "invalid_grant", "invalid assertion"),
    ("no_client_credentials_user", "invalid_grant", "no client credentials user enabled"),
    ("wrong_domain", "invalid_grant", "request not supported on this domain"),
    ("ip_restricted", "invalid_grant", "ip restricted"),
    ("not_admin_approved", "invalid_app_access", "user is not admin approved to access this app"),
    ("unknown_client", "invalid_client_id", "client identifier invalid"),
    ("wrong_secret", "invalid_client", "invalid client credentials"),
    ("app_not_installed", "invalid_client", "app must be installed into org"),
    ("app_blocked", "OAUTH_APP_BLOCKED", "this app is blocked by admin"),
    ("unsupported_grant_type", "unsupported_grant_type", "grant type not supported"),
    ("retry", "unknown_error", "retry your request"),
    ("login_rate", "rate_limit_exceeded", "login rate exceeded"),
];

/// The body of a named refusal, which the control API makes a fault of.
pub(crate) fn refusal_body(name: &str) -> Option<Value> {
    let (_, error, description) = REFUSALS.iter().find(|(known, ..)| *known == name)?;
    Some(json!({"error": error, "error_description": description}))
}

fn refuse(name: &str) -> Response {
    web::json(400, &refusal_body(name).unwrap_or_default())
}

/// Client id and secret: in the form, or as Basic credentials.
fn client(call: &Call, form: &[(String, String)]) -> (Option<String>, Option<String>) {
    let basic = web::basic(&call.headers).unzip();
    let given = |name| web::value(form, name).map(str::to_owned);
    (given("client_id").or(basic.0), given("client_secret").or(basic.1))
}

fn form(call: &Call) -> Vec<(String, String)> {
    let mut pairs = web::pairs(&String::from_utf8_lossy(&call.body));
    pairs.extend(call.params.iter().cloned());
    pairs
}

/// The org a token request is about, so that faults and totals find it.
pub(crate) fn org_of(salesforce: &Salesforce, call: &Call) -> Option<SharedOrg> {
    let form = form(call);
    if let Some(token) = web::value(&form, "refresh_token").or_else(|| web::value(&form, "token")) {
        let by_session = salesforce.org_of_session(token);
        return by_session.or_else(|| salesforce.find_org(|org| org.tokens.knows(token)));
    }
    let (id, _) = client(call, &form);
    let id = id?;
    salesforce.find_org(|org| org.config.client_credentials && org.config.client_id == id)
}

/// POST /services/oauth2/token
pub(crate) fn token(salesforce: &Salesforce, org: Option<&SharedOrg>, call: &Call) -> Response {
    let form = form(call);
    let (client_id, secret) = client(call, &form);
    match web::value(&form, "grant_type") {
        Some("refresh_token" | "client_credentials") => {}
        _ => return refuse("unsupported_grant_type"),
    }
    let known = client_id.as_ref().is_some_and(|id| salesforce.find_org(|org| org.config.client_id == *id).is_some());
    if !known {
        return refuse("unknown_client");
    }
    if web::value(&form, "grant_type") == Some("refresh_token") {
        let (Some(org), Some(refresh)) = (org, web::value(&form, "refresh_token")) else { return refuse("expired") };
        return refresh_grant(salesforce, &mut lock(org), client_id.as_deref(), secret.as_deref(), refresh);
    }
    let Some(org) = org else { return refuse("no_client_credentials_user") };
    let mut org = lock(org);
    if secret.as_deref() != Some(org.config.client_secret.as_str()) {
        return refuse("wrong_secret");
    }
    if !user_is_active(&org) {
        return refuse("inactive_user");
    }
    let org_id = org.id();
    let access = org.tokens.session(&org_id, None, clock::now_ms());
    grant(salesforce, &org, &access, None)
}

fn refresh_grant(
    salesforce: &Salesforce,
    org: &mut Org,
    client_id: Option<&str>,
    secret: Option<&str>,
    refresh: &str,
) -> Response {
    if client_id != Some(org.config.client_id.as_str()) {
        return refuse("expired");
    }
    if !org.config.client_secret.is_empty() && secret != Some(org.config.client_secret.as_str()) {
        return refuse("wrong_secret");
    }
    if !user_is_active(org) {
        return refuse("inactive_user");
    }
    let (policy, rotation, org_id) = (org.config.refresh_policy, org.config.rotation, org.id());
    match org.tokens.refresh(refresh, policy, rotation, &org_id, clock::now_ms()) {
        Some((access, replacement)) => grant(salesforce, org, &access, replacement.as_deref()),
        None => refuse("expired"),
    }
}

fn user_is_active(org: &Org) -> bool {
    let active = org.table(object::USER).object.find("IsActive");
    org.row(org.integration_user).zip(active).is_none_or(|(row, at)| row.get(at) != Some(&Cell::Bool(false)))
}

fn grant(salesforce: &Salesforce, org: &Org, access: &str, replacement: Option<&str>) -> Response {
    salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
    let mut body = json!({
        "access_token": access,
        "instance_url": salesforce.base,
        "id": format!("{}/id/{}/{}", salesforce.base, org.id(), org.record_id(org.integration_user)),
        "token_type": "Bearer",
        "scope": "refresh_token api",
        "issued_at": clock::now_ms().to_string(),
        "signature": "c2ltdWxhdGVkIHNpZ25hdHVyZSwgbm90IGNoZWNrZWQ=",
    });
    if let Some(replacement) = replacement {
        body["refresh_token"] = json!(replacement);
    }
    web::json(200, &body)
}

/// POST or GET /services/oauth2/revoke
pub(crate) fn revoke(salesforce: &Salesforce, org: Option<&SharedOrg>, call: &Call) -> Response {
    let form = form(call);
    let revoked = match (org, web::value(&form, "token")) {
        (Some(org), Some(token)) => {
            let mut org = lock(org);
            let revoked = org.tokens.revoke(token);
            salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
            revoked
        }
        _ => false,
    };
    if revoked {
        return web::empty(200);
    }
    let body = "error=unsupported_token_type&error_description=this+token+type+is+not+supported";
    web::answer(400, "application/x-www-form-urlencoded", body)
}

/// GET /services/oauth2/userinfo
pub(crate) fn user_info(salesforce: &Salesforce, org: &Org) -> Response {
    let user = org.integration_user;
    let user_id = org.record_id(user);
    let read = |name: &str| {
        let field = org.table(user.object).object.find(name);
        org.row(user).zip(field).map_or(Value::Null, |(row, field)| org.read(user, row, field))
    };
    let base = &salesforce.base;
    let body = json!({
        "sub": format!("{base}/id/{}/{user_id}", org.id()),
        "user_id": user_id,
        "organization_id": org.id(),
        "preferred_username": read("Username"),
        "name": read("Name"),
        "email": read("Email"),
        "email_verified": true,
        "active": read("IsActive"),
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "urls": {
            "rest": format!("{base}/services/data/v{{version}}/"),
            "sobjects": format!("{base}/services/data/v{{version}}/sobjects/"),
            "query": format!("{base}/services/data/v{{version}}/query/"),
        },
    });
    web::json(200, &body)
}
