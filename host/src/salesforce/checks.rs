//! What an administrator asks first: does the connection stand, does the token live, is everything there that is written to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::config::Flow;
use super::queues::Queue;
use super::refusals::{advice, read};
use super::soql::cut;
use super::transport::Call;
use super::values::ApiName;
use crate::domain::{Class, FieldPath, Refusal, Timestamp};

const CONTACT_FIELDS: &str = "contact-fields";

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionCheck {
    /// Its name, the same for every organization.
    pub name: &'static str,
    /// Whether it is as it should be; `None` where that cannot be known.
    pub ok: Option<bool>,
    /// What was found, in words for an administrator.
    pub found: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Description {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    unique: bool,
    createable: Option<bool>,
}

impl Client {
    /// Looks at everything once, with a few calls and one new access token a minute at most; at these fields of contacts too,
    /// which the policy asks for.
    pub async fn checks(&self, now: Timestamp, contact_fields: &[FieldPath]) -> Vec<ConnectionCheck> {
        let mut checks = vec![self.connection().await];
        let (renewed, ago) = self.transport.session.renew_seldom().await;
        let mut renewed = renewed.map(|access| access.server.to_string());
        // What was given a moment ago may have been revoked since: the cheapest call tells.
        if let (Ok(_), Some(_)) = (&renewed, ago)
            && let Err(refusal) = self.probe().await
        {
            renewed = Err(refusal);
        }
        checks.push(authentication(&renewed, ago));
        checks.push(match self.transport.config.flow {
            Flow::RefreshToken | Flow::WebServer => {
                refresh_token(renewed.as_ref().err(), self.transport.session.rotates().await)
            }
            Flow::JwtBearer | Flow::ClientCredentials => {
                let found = "there is none: this flow asks for each access token by itself".to_owned();
                ConnectionCheck { name: "refresh-token", ok: Some(true), found }
            }
        });
        // Without a token nothing else can be asked, and asking for one again would be another failed log-in.
        if let Err(refusal) = &renewed {
            let cases = self.transport.config.cases.is_some();
            let names = ["conversation-object", "case-object", CONTACT_FIELDS, "queues"];
            let asked = names.into_iter().filter(|name| cases || *name != "case-object");
            let asked = asked.filter(|name| !contact_fields.is_empty() || *name != CONTACT_FIELDS);
            let found = format!("it could not be looked at: {}", said(refusal));
            checks.extend(asked.map(|name| ConnectionCheck { name, ok: None, found: found.clone() }));
            return checks;
        }
        let names = &self.transport.config.objects;
        checks.push(
            self.object("conversation-object", names.conversation.as_str(), &names.external_id, &names.fields()).await,
        );
        if let Some(cases) = &self.transport.config.cases {
            checks.push(self.object("case-object", "Case", &cases.external_id, &[&cases.external_id]).await);
        }
        if !contact_fields.is_empty() {
            let (ok, found) = match self.transport.missing_fields("Contact", contact_fields).await {
                Ok(missing) if missing.is_empty() => {
                    (Some(true), format!("all {} fields that the policy asks for are there", contact_fields.len()))
                }
                Ok(missing) => (Some(false), format!("the policy's table [contacts]: {}", missing.join("; "))),
                Err(refusal) => (known(&refusal), said(&refusal)),
            };
            checks.push(ConnectionCheck { name: CONTACT_FIELDS, ok, found });
        }
        checks.push(self.queue_objects(now).await);
        checks
    }

    async fn connection(&self) -> ConnectionCheck {
        let server = self.transport.session.server().await;
        let wanted = self.transport.config.api_version.as_str();
        let versions = self.transport.send_openly(&server, &Call::get("/services/data".to_owned())).await;
        let (ok, found) = match versions.and_then(read::<Vec<Version>>) {
            Ok(versions) if versions.iter().any(|known| format!("v{}", known.version) == wanted) => {
                (true, format!("{server} answers and knows {wanted}"))
            }
            Ok(versions) => {
                let newest = versions.last().map_or("none", |known| known.version.as_str());
                (false, format!("{server} answers but does not know {wanted}; its newest version is {newest}"))
            }
            Err(refusal) => (false, format!("{server}: {}", said(&refusal))),
        };
        ConnectionCheck { name: "connection", ok: Some(ok), found }
    }

    /// Whether an object has these fields, may be written, and has a key that can be trusted.
    async fn object(&self, name: &'static str, object: &str, key: &ApiName, wanted: &[&ApiName]) -> ConnectionCheck {
        let call = Call::get(self.transport.path(&format!("sobjects/{object}/describe")));
        let description: Description = match self.transport.send(&call).await.and_then(read) {
            Ok(description) => description,
            Err(refusal) => {
                return ConnectionCheck { name, ok: known(&refusal), found: format!("{object}: {}", said(&refusal)) };
            }
        };
        let find =
            |name: &ApiName| description.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_str()));
        let mut wrong = Vec::new();
        for name in wanted {
            match find(name) {
                None => wrong.push(format!("{name} is missing or hidden from this user")),
                Some(field) if field.createable == Some(false) => {
                    wrong.push(format!("{name} cannot be written by this user"))
                }
                Some(_) => {}
            }
        }
        if let Some(field) = find(key) {
            if !field.external_id {
                wrong.push(format!("{key} is not an External ID"));
            }
            if !field.unique {
                wrong.push(format!("{key} is not Unique: two records could have the same value"));
            }
        }
        let found = if wrong.is_empty() {
            format!("{object} has all {} fields, and {key} is a unique External ID", wanted.len())
        } else {
            format!("{object}: {}", wrong.join("; "))
        };
        ConnectionCheck { name, ok: Some(wrong.is_empty()), found }
    }

    async fn queue_objects(&self, now: Timestamp) -> ConnectionCheck {
        let object = if self.transport.config.cases.is_some() {
            "Case"
        } else {
            self.transport.config.objects.conversation.as_str()
        };
        let (ok, found) = match self.queues(now, Duration::ZERO).await {
            Err(refusal) => (known(&refusal), said(&refusal)),
            Ok(queues) => {
                let all = queues.iter().count();
                let (able, unable): (Vec<_>, Vec<_>) =
                    queues.iter().partition(|queue| queue.objects.iter().any(|own| own.eq_ignore_ascii_case(object)));
                let names = |list: &[&Queue]| {
                    list.iter().map(|queue| queue.developer_name.as_str()).take(20).collect::<Vec<_>>().join(", ")
                };
                // Without Cases of its own the host only names a queue; the organization's automation may use it for Cases.
                let ok = match (able.len(), unable.len()) {
                    (0, 0) => Some(false),
                    (0, _) if self.transport.config.cases.is_some() => Some(false),
                    (_, 0) => Some(true),
                    _ => None,
                };
                let rest = if unable.is_empty() { String::new() } else { format!("; not: {}", names(&unable)) };
                (ok, format!("{} of {all} queues can own {object}: {}{rest}", able.len(), names(&able)))
            }
        };
        ConnectionCheck { name: "queues", ok, found }
    }
}

fn authentication(renewed: &Result<String, Refusal>, ago: Option<Duration>) -> ConnectionCheck {
    let ago = ago.map(|ago| format!(" {} s ago", ago.as_secs())).unwrap_or_default();
    let (ok, found) = match renewed {
        Ok(server) => (Some(true), format!("a new access token was given for {server}{ago}, and it is accepted")),
        Err(refusal) => {
            let advice = advice(refusal);
            let words = format!("{}{ago}. {} Look at each: {}", said(refusal), advice.happened, advice.check);
            (known(refusal), words)
        }
    };
    ConnectionCheck { name: "authentication", ok, found }
}

/// The policy itself cannot be read over the API; only what it does can be seen.
fn refresh_token(refusal: Option<&Refusal>, rotates: Option<bool>) -> ConnectionCheck {
    const WANTED: &str = "the app's policy may be \"valid until revoked\", or a limit of idle days: the token is used once a day. Every \
         other policy ends the connection; Salesforce does not tell which it is";
    let (ok, found) = match (refusal, rotates) {
        (Some(refusal), _) if refusal.class == Class::Auth => {
            (Some(false), format!("the refresh token was not accepted ({}); {WANTED}", said(refusal)))
        }
        (Some(_), _) | (None, None) => (None, format!("the refresh token could not be tried; {WANTED}")),
        (None, Some(true)) => {
            (None, format!("it works, and each use gives a new one, which is stored before it is used; {WANTED}"))
        }
        (None, Some(false)) => (None, format!("it works and stays the same; {WANTED}")),
    };
    ConnectionCheck { name: "refresh-token", ok, found }
}

/// Nothing can be said about what could not be asked.
fn known(refusal: &Refusal) -> Option<bool> {
    (refusal.class == Class::Config || refusal.class == Class::Auth).then_some(false)
}

fn said(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.code, cut(&refusal.text, 300))
}
