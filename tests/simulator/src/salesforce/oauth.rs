//! The token endpoint and its neighbours: who gets an access token, and every recorded way to be refused one.

use axum::response::Response;
use serde_json::{Value, json};

use super::calls::Call;
use super::org::Org;
use super::schema::object;
use super::table::{Cell, RecordRef};
use super::{Salesforce, SharedOrg, jwt, userinfo};
use crate::journal::lock;
use crate::web;

/// Why no token is given: name for the control API, error and description.
const REFUSALS: [(&str, &str, &str); 23] = [
    ("expired", "invalid_grant", "expired access/refresh token"),
    ("validity_expired", "invalid_grant", "token validity expired"),
    ("inactive_user", "invalid_grant", "inactive user"),
    ("user_deactivated", "inactive_user", "user is inactive"),
    ("org_locked", "inactive_org", "organization is locked, closed, or suspended"),
    ("authentication_failure", "invalid_grant", "authentication failure"),
    ("not_approved", "invalid_grant", "user hasn't approved this consumer"),
    ("invalid_assertion", "invalid_grant", "invalid assertion"),
    ("wrong_audience", "invalid_grant", "Audience validation failed"),
    ("no_client_credentials_user", "invalid_grant", "no client credentials user enabled"),
    ("wrong_domain", "invalid_grant", "request not supported on this domain"),
    ("ip_restricted", "invalid_grant", "ip restricted"),
    ("not_admin_approved", "invalid_app_access", "user is not admin approved to access this app"),
    ("unknown_client", "invalid_client_id", "client identifier invalid"),
    ("wrong_secret", "invalid_client", "invalid client credentials"),
    ("app_not_installed", "invalid_client", "app must be installed into org"),
    ("app_blocked", "OAUTH_APP_BLOCKED", "this app is blocked by admin"),
    ("unsupported_grant_type", "unsupported_grant_type", "grant type not supported"),
    ("bad_code", "invalid_grant", "expired authorization code"),
    ("bad_verifier", "invalid_grant", "invalid code verifier"),
    ("wrong_callback", "redirect_uri_mismatch", "redirect_uri must match configuration"),
    ("retry", "unknown_error", "retry your request"),
    ("login_rate", "rate_limit_exceeded", "login rate exceeded"),
];

/// What a refresh token is for, and what its access tokens are.
const WITH_REFRESH: &str = "refresh_token api";

/// The body of a named refusal, which the control API makes a fault of.
pub(crate) fn refusal_body(name: &str) -> Option<Value> {
    let (_, error, description) = REFUSALS.iter().find(|(known, ..)| *known == name)?;
    Some(json!({"error": error, "error_description": description}))
}

pub(crate) fn refuse(name: &str) -> Response {
    web::json(400, &refusal_body(name).unwrap_or_default())
}

/// Client id and secret: in the form, or as Basic credentials.
fn client(call: &Call, form: &[(String, String)]) -> (Option<String>, Option<String>) {
    let basic = web::basic(&call.headers).unzip();
    let given = |name| web::value(form, name).map(str::to_owned);
    (given("client_id").or(basic.0), given("client_secret").or(basic.1))
}

pub(crate) fn form(call: &Call) -> Vec<(String, String)> {
    let mut pairs = web::pairs(&String::from_utf8_lossy(&call.body));
    pairs.extend(call.params.iter().cloned());
    pairs
}

/// The org a request without an access token is about, so that faults and totals find it.
pub(crate) fn org_of(salesforce: &Salesforce, call: &Call) -> Option<SharedOrg> {
    let form = form(call);
    let given = |name| web::value(&form, name);
    if let Some(token) = given("refresh_token").or_else(|| given("token")) {
        let by_session = salesforce.org_of_session(token);
        return by_session.or_else(|| salesforce.find_org(|org| org.tokens.knows(token)));
    }
    if let Some(code) = given("code") {
        return salesforce.find_org(|org| org.tokens.knows_code(code));
    }
    let (id, user) = match given("assertion").and_then(jwt::claims) {
        Some(claims) => (claims["iss"].as_str().map(str::to_owned), claims["sub"].as_str().map(str::to_owned)),
        None => (client(call, &form).0, given("login_hint").map(str::to_owned)),
    };
    // Several orgs may have installed one app: the user tells which is meant, or the flow that the org allows.
    let id = id?;
    let of_app = |org: &Org| org.config.client_id == id;
    let of_user = |org: &Org| user.as_ref().is_some_and(|user| org.find(object::USER, "Username", user).is_some());
    salesforce
        .find_org(|org| of_app(org) && of_user(org))
        .or_else(|| salesforce.find_org(|org| of_app(org) && org.config.client_credentials))
        .or_else(|| salesforce.find_org(of_app))
}

/// POST /services/oauth2/token
pub(crate) fn token(salesforce: &Salesforce, org: Option<&SharedOrg>, call: &Call) -> Response {
    let form = form(call);
    let (client_id, secret) = client(call, &form);
    let grant = web::value(&form, "grant_type").unwrap_or_default();
    if grant == jwt::GRANT {
        return jwt_grant(salesforce, org, call, &form);
    }
    if !["refresh_token", "client_credentials", "authorization_code"].contains(&grant) {
        return refuse("unsupported_grant_type");
    }
    let needed = match grant {
        "refresh_token" => "refresh_token",
        "authorization_code" => "code",
        _ => "grant_type",
    };
    if web::value(&form, needed).is_none_or(str::is_empty) {
        return missing(needed);
    }
    let known = client_id.as_ref().is_some_and(|id| salesforce.find_org(|org| org.config.client_id == *id).is_some());
    if !known {
        return refuse("unknown_client");
    }
    let Some(org) = org else { return refuse(if grant == "refresh_token" { "expired" } else { "bad_code" }) };
    let mut org = lock(org);
    if client_id.as_deref() != Some(org.config.client_id.as_str()) {
        return refuse(if grant == "refresh_token" { "expired" } else { "bad_code" });
    }
    // The web-server flow with PKCE and a refresh may do without a secret; client credentials are nothing else.
    let needed = grant == "client_credentials" || !org.config.client_secret.is_empty();
    match grant {
        "client_credentials" if on_login_host(call) => return refuse("wrong_domain"),
        "client_credentials" if !org.config.client_credentials => return refuse("no_client_credentials_user"),
        _ if needed && secret.as_deref() != Some(org.config.client_secret.as_str()) => return refuse("wrong_secret"),
        _ if !user_is_active(&org) => return refuse("inactive_user"),
        _ => {}
    }
    match grant {
        "client_credentials" => client_grant(salesforce, &mut org, call.now_ms),
        "authorization_code" => code_grant(salesforce, &mut org, &form, call.now_ms),
        _ => refresh_grant(salesforce, &mut org, &form, call.now_ms),
    }
}

fn missing(parameter: &str) -> Response {
    let description = format!("missing required parameter: {parameter}");
    web::json(400, &json!({"error": "invalid_request", "error_description": description}))
}

/// Whether the call went to a host for logins, such as `login.salesforce.com`, and not to an org's own domain.
fn on_login_host(call: &Call) -> bool {
    call.header("Host").is_some_and(|host| host.starts_with("login.") || host.starts_with("test."))
}

fn client_grant(salesforce: &Salesforce, org: &mut Org, now_ms: i64) -> Response {
    let org_id = org.id();
    let access = org.tokens.session(&org_id, None, now_ms);
    grant(salesforce, org, &access, None, "api", now_ms)
}

fn refresh_grant(salesforce: &Salesforce, org: &mut Org, form: &[(String, String)], now_ms: i64) -> Response {
    let refresh = web::value(form, "refresh_token").unwrap_or_default();
    let (policy, rotation, org_id) = (org.config.refresh_policy, org.config.rotation, org.id());
    match org.tokens.refresh(refresh, policy, rotation, &org_id, now_ms) {
        Some((access, replacement)) => grant(salesforce, org, &access, replacement.as_deref(), WITH_REFRESH, now_ms),
        None => refuse("expired"),
    }
}

fn code_grant(salesforce: &Salesforce, org: &mut Org, form: &[(String, String)], now_ms: i64) -> Response {
    let given = |name| web::value(form, name);
    let (code, callback) = (given("code").unwrap_or_default(), given("redirect_uri").unwrap_or_default());
    let (most, org_id) = (org.config.approvals, org.id());
    let redeemed = org.tokens.redeem(code, callback, given("code_verifier"), most, &org_id, now_ms);
    match redeemed {
        Ok((access, refresh)) => grant(salesforce, org, &access, Some(&refresh), WITH_REFRESH, now_ms),
        Err(name) => {
            salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
            refuse(name)
        }
    }
}

fn jwt_grant(salesforce: &Salesforce, org: Option<&SharedOrg>, call: &Call, form: &[(String, String)]) -> Response {
    let assertion = web::value(form, "assertion").unwrap_or_default();
    let Some(claims) = jwt::claims(assertion) else { return refuse("invalid_assertion") };
    let Some(org) = org else { return refuse("unknown_client") };
    let mut org = lock(org);
    if let Err(name) = jwt::check(&org, &salesforce.base, assertion, &claims, call.now_ms) {
        return refuse(name);
    }
    if !user_is_active(&org) {
        return refuse("inactive_user");
    }
    client_grant(salesforce, &mut org, call.now_ms)
}

fn user_is_active(org: &Org) -> bool {
    is_active(org, org.integration_user)
}

/// Whether a user may log in.
pub(crate) fn is_active(org: &Org, user: RecordRef) -> bool {
    let active = org.table(object::USER).object.find("IsActive");
    org.row(user).zip(active).is_none_or(|(row, at)| row.get(at) != Some(&Cell::Bool(false)))
}

fn grant(
    salesforce: &Salesforce,
    org: &Org,
    access: &str,
    refresh: Option<&str>,
    scope: &str,
    now_ms: i64,
) -> Response {
    salesforce.journal(&[json!({"org": org.name, "tokens": org.tokens})]);
    let mut body = json!({
        "access_token": access,
        "instance_url": salesforce.base,
        "id": userinfo::address(salesforce, org),
        "token_type": "Bearer",
        "scope": scope,
        "issued_at": now_ms.to_string(),
        "signature": "c2ltdWxhdGVkIHNpZ25hdHVyZSwgbm90IGNoZWNrZWQ=",
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    web::json(200, &body)
}

/// POST /services/oauth2/introspect: a token that is not this app's is told as dead.
pub(crate) fn introspect(org: Option<&SharedOrg>, call: &Call) -> Response {
    let form = form(call);
    let (client_id, secret) = client(call, &form);
    let dead = || web::json(200, &json!({"active": false}));
    let Some(org) = org else { return dead() };
    let org = lock(org);
    if client_id.as_deref() != Some(org.config.client_id.as_str()) {
        return dead();
    }
    if secret.as_deref() != Some(org.config.client_secret.as_str()) {
        return refuse("wrong_secret");
    }
    let token = web::value(&form, "token").unwrap_or_default();
    let Some(life) = org.tokens.life(token, org.config.refresh_policy, org.config.session_ms, call.now_ms) else {
        return dead();
    };
    let mut body = json!({
        "active": true,
        "scope": WITH_REFRESH,
        "client_id": org.config.client_id,
        "username": userinfo::read(&org, "Username"),
        "sub": format!("{}/{}", org.id(), org.record_id(org.integration_user)),
        "token_type": if life.refresh { "refresh_token" } else { "access_token" },
        "iat": life.since_ms / 1000,
        "nbf": life.since_ms / 1000,
    });
    if let Some(until_ms) = life.until_ms {
        body["exp"] = json!(until_ms / 1000);
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
