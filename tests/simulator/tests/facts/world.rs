//! A running simulator, an org in it, and a client that speaks like a sync host.

use std::sync::Arc;

use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};
use switchyard_simulator::{Options, Simulator};

/// A simulator of its own for one test.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) http: Client,
}

/// An org and an access token for it.
pub(crate) struct Org {
    pub(crate) name: String,
    pub(crate) base: String,
    http: Client,
    pub(crate) token: String,
    /// What the control API said of it.
    pub(crate) info: Value,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null when there was none, a text when it was not JSON.
    pub(crate) body: Value,
}

pub(crate) fn client() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        // The way back of a login leads to nobody.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("client")
}

pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    Reply { status, headers, body }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let simulator = switchyard_simulator::start(options).await.expect("the simulator starts");
        Self { simulator, http: client() }
    }

    /// A control call of the Salesforce server that has to succeed.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.simulator.salesforce);
        let reply = reply(self.http.request(method, url).json(&body)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// A control call of the Alcmeon server that has to succeed.
    pub(crate) async fn alcmeon(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/control/environments/{path}", self.simulator.alcmeon);
        let reply = reply(self.http.request(method, url).json(&body)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// An org with the queues Billing (Case and conversation) and Bare (neither), changed by `more`.
    pub(crate) async fn org(&self, name: &str, more: Value) -> Org {
        let mut definition = json!({
            "client_id": "app",
            "client_secret": "secret",
            "refresh_token": format!("refresh-{name}"),
            "queues": [
                {"name": "Billing", "objects": ["Case", "alcmeon__Conversation__c"]},
                {"name": "Bare"},
            ],
            "external_ids": [
                {"object": "Contact", "field": "Ext__c"},
                {"object": "Contact", "field": "Loose__c", "unique": false},
            ],
        });
        for (key, value) in more.as_object().expect("an object") {
            definition[key] = value.clone();
        }
        let info = self.control(Method::PUT, &format!("orgs/{name}"), definition).await;
        let token = self.refresh(&format!("refresh-{name}")).await;
        assert_eq!(token.status, 200, "{}", token.body);
        let token = token.body["access_token"].as_str().expect("a token").to_owned();
        let base = self.simulator.salesforce.clone();
        Org { name: name.to_owned(), base, http: self.http.clone(), token, info }
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("client_id", "app"),
            ("client_secret", "secret"),
            ("refresh_token", token),
        ])
        .await
    }

    /// Asks the token endpoint.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Reply {
        let url = format!("{}/services/oauth2/token", self.simulator.salesforce);
        reply(self.http.post(url).form(form)).await
    }
}

impl Org {
    /// A call below `/services/data/v59.0`.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_at("v59.0", method, path)
    }

    pub(crate) fn request_at(&self, version: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/services/data/{version}/{path}", self.base);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        reply(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        reply(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        reply(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn query(&self, soql: &str) -> Reply {
        reply(self.request(Method::GET, "query").query(&[("q", soql)])).await
    }

    /// Upserts one conversation by its scoped id.
    pub(crate) async fn upsert(&self, scoped_id: &str, fields: Value) -> Reply {
        self.patch(&format!("sobjects/alcmeon__Conversation__c/alcmeon__scoped_id__c/{scoped_id}"), fields).await
    }

    /// Creates a record that has to be taken; answers its id.
    pub(crate) async fn create(&self, object: &str, fields: Value) -> String {
        let request = self.request(Method::POST, &format!("sobjects/{object}"));
        let made = reply(request.header("Sforce-Auto-Assign", "FALSE").json(&fields)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn queue(&self, developer_name: &str) -> String {
        self.info["queues"][developer_name].as_str().expect("a queue").to_owned()
    }
}

impl Reply {
    /// Code and text of a refused call.
    pub(crate) fn refusal(&self) -> (u16, &str, &str) {
        let error = &self.body[0];
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        (self.status, text("errorCode"), text("message"))
    }

    /// One column of a query's answer.
    pub(crate) fn column(&self, name: &str) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["records"].as_array().expect("records").iter().map(|record| record[name].clone()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
