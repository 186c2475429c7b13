//! The console as a browser meets it: a real listener, a store in memory, and no Salesforce at the other end.

mod errors;
mod pages;
mod quarantine;

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::{Response, StatusCode, header};

use crate::clock::{Clock, ManualClock};
use crate::domain::{
    AccountId, AuditEntry, Cause, Change, Class, Conversation, ConversationId, Customer, Delivery, Direction,
    ErrorCounts, Fact, Group, GroupChange, Message, MessageId, OpenError, OrgId, Phase, PolicyName, ReachedBy,
    RefreshToken, Refusal, RequestSent, Secret, SourceId, State, SyncError, SyncErrorId, Timestamp,
};
use crate::engine::{self, Engine, Org};
use crate::http::{self, Scope, Server, Token};
use crate::ledger::{AuditPage, DeliveryChange, ErrorChange, LaneCommit, LaneState, Ledger};
use crate::policy::PolicyHost;
use crate::registry::Registry;
use crate::salesforce;
use crate::store::MemoryStore;
use crate::telemetry::Metrics;

const WORDS: &str = "<script>alert('bad value')</script>";
const WRITER: &str = "0123456789-writer";
const READER: &str = "0123456789-reader";

struct Console {
    url: String,
    engine: Arc<Engine>,
    server: Server,
    http: reqwest::Client,
    cookie: Option<String>,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn error_of(number: usize) -> SyncErrorId {
    SyncErrorId::of(&id("shop"), &id(&format!("main:{number}")), 1)
}

/// Counts a sync error in its cause.
fn count(commit: &mut LaneCommit, error: &SyncError, at: Timestamp) {
    if commit.groups.is_empty() {
        commit.groups.push(Group::new(&Cause::new(&error.org, &error.refusal), at));
    }
    let (sync_error, after) = (error.id.clone(), Some(State::Pending));
    commit.groups[0].apply(GroupChange { sync_error, before: None, after, failed: true, at });
}

/// A conversation whose newest message is held back by a pending sync error.
fn put_pending(commit: &mut LaneCommit, number: usize) {
    let (org, conversation, message): (OrgId, ConversationId, MessageId) =
        (id("shop"), id(&format!("main:{number}")), id(&format!("main:m{number}")));
    let now = Timestamp::from_millis(1_768_469_412_000 + number as u64);
    let body = serde_json::json!({ "alcmeon__User_name__c": WORDS });
    let request = RequestSent { method: "PATCH".into(), path: "/services/data/v62.0/sobjects/X".into(), body };
    let refusal =
        Refusal { request: Some(request), ..Refusal::new(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", WORDS) };
    let group = Cause::new(&org, &refusal).identify().id;
    let mut error = SyncError::blank(
        error_of(number),
        org,
        conversation.clone(),
        message.clone(),
        group.clone(),
        refusal.clone(),
        now,
    );
    let failed = Change::Failed {
        refusal: Box::new(refusal),
        group: group.clone(),
        affected: vec![message.clone()],
        judged_by: None,
        state: State::Pending,
        next_attempt_at: None,
        ignored: None,
        operation: None,
        held: None,
    };
    error.apply(failed, now);
    let open = OpenError {
        id: error.id.clone(),
        state: State::Pending,
        group,
        message: message.clone(),
        version: 1,
        ignored_at: 0,
    };
    let after =
        Delivery { wanted: 1, phase: Phase::Held, attempts: 1, open: Some(open), errors: 1, ..Delivery::default() };
    let arrived = Fact::Arrived { kind: "new_message".into(), by: ReachedBy::Webhook, event: 1, extra: None };
    let mut page = AuditPage::default();
    page.add(AuditEntry {
        message: message.clone(),
        also: Vec::new(),
        at: now,
        order: 0,
        fact: arrived,
        trace_id: None,
        request: None,
    });
    commit.pages.push((conversation.clone(), 0, page));
    count(commit, &error, now);
    commit.errors.push(ErrorChange { before: None, after: error });
    commit.messages.push((message.clone(), conversation.clone()));
    commit.deliveries.push(DeliveryChange { id: conversation.clone(), before: None, after });
    commit.conversations.push(conversation_with(conversation, message, now));
}

fn conversation_with(id: ConversationId, message: MessageId, now: Timestamp) -> Conversation {
    let line = Message {
        id: message,
        direction: Direction::Inbound,
        author: String::new(),
        body: String::new(),
        sent_at: now,
    };
    Conversation {
        id,
        source: self::id("main"),
        account: self::id("page"),
        account_name: "Page".into(),
        channel: "chat".into(),
        team: None,
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: Customer::default(),
        messages: vec![line],
        url: String::new(),
        version: 1,
        state_as_of: 1,
        agent_as_of: 1,
        numbered: false,
        erased_until: None,
    }
}

fn shop(http: reqwest::Client) -> Arc<Org> {
    // Nothing listens there: every call of Salesforce is refused at once.
    let config = "login_url = 'http://127.0.0.1:1'\nclient_id = 'key'\nrefresh_token = 'hush-token'";
    let keeping = salesforce::Keeping {
        org: id("shop"),
        metrics: Metrics::default(),
        token: Ok(RefreshToken { token: Secret::new("hush-token"), organization: None }),
        on_rotated: Box::new(|_| Box::pin(async { Ok(()) })),
        now: Box::new(|| Timestamp::from_millis(1_768_469_500_000)),
    };
    Arc::new(Org {
        id: id("shop"),
        name: "Shop <b>&".into(),
        accounts: vec![(id::<SourceId>("main"), Some(id::<AccountId>("page")))],
        settings: crate::engine::Settings::new(crate::domain::OrgSettings {
            alert_recipients: Vec::new(),
            policy: id::<PolicyName>("default"),
            mode: crate::domain::Mode::default(),
            concurrency: 1,
            slow_at: 0.8,
        }),
        writes_cases: false,
        linking: Vec::new(),
        salesforce: salesforce::Client::new(toml::from_str(config).unwrap(), http, keeping, 1).unwrap(),
    })
}

impl Console {
    /// With so many pending sync errors, seen by somebody who is not signed in yet.
    async fn start(pending: usize) -> Self {
        // Whoever comes first installs it; the outcome is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let mut commit = LaneCommit::default();
        (0..pending).for_each(|number| put_pending(&mut commit, number));
        let errors = ErrorCounts { pending: pending as u64, ..ErrorCounts::default() };
        commit.state = Some(LaneState { errors, ..LaneState::default() });
        ledger.lane_writer(&id("shop")).commit(&commit).await.unwrap();
        let clock = Clock::Manual(ManualClock::new(Timestamp::from_millis(1_768_469_500_000)));
        let policies = Arc::new(PolicyHost::start(crate::policy::Config::default()).unwrap());
        let (metrics, troubles) = (Metrics::default(), crate::troubles::Troubles::default());
        let engine = Engine::start(engine::Parts {
            ledger,
            policies: Arc::clone(&policies),
            clock: clock.clone(),
            metrics: metrics.clone(),
            traces: Default::default(),
            orgs: vec![shop(http.clone())],
            environments: Vec::new(),
            troubles: troubles.clone(),
            keep: None,
            silent: std::time::Duration::from_secs(3600),
        })
        .await
        .unwrap();
        let token = |name: &str, secret: &str, scopes: &[Scope]| Token {
            name: name.into(),
            secret: Secret::new(secret),
            scopes: scopes.to_vec(),
        };
        let tokens = vec![token("ann", WRITER, &[Scope::Read, Scope::Errors]), token("bob", READER, &[Scope::Read])];
        let config = http::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            tokens,
            limits: http::Limits::default(),
            shows_parts: false,
        };
        let parts = http::Parts {
            engine: Arc::clone(&engine),
            policies,
            policies_folder: crate::folders::Folder::new("nowhere".into()),
            plugins_folder: crate::folders::Folder::new("plugins".into()),
            registry: Arc::new(Registry::new(Default::default(), "pulled".into(), 0)),
            oci: Default::default(),
            environments: HashMap::new(),
            metrics,
            traces: Default::default(),
            clock,
            troubles: troubles.clone(),
            outbox: None,
            events: "0123456789abcdef".to_owned(),
        };
        let door = http::Door::listen(&config).await.unwrap();
        let server = http::start(&config, door, parts).await.unwrap();
        Self { url: format!("http://{}", server.address), engine, server, http, cookie: None }
    }

    async fn signed_in(pending: usize, token: &str) -> Self {
        let mut console = Self::start(pending).await;
        let answer = console.post("/login", &[("token", token)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        console.cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().map(str::to_owned);
        console
    }

    async fn get(&self, path: &str) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        self.http.get(format!("{}{path}", self.url)).header(header::COOKIE, cookie).send().await.unwrap()
    }

    /// A page that is there.
    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let cookie = self.cookie.clone().unwrap_or_default();
        self.http.post(format!("{}{path}", self.url)).header(header::COOKIE, cookie).form(fields)
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.form(path, fields).header(header::ORIGIN, &self.url).send().await.unwrap()
    }

    async fn error(&self, number: usize) -> SyncError {
        self.engine.ledger().sync_error(&error_of(number)).await.unwrap().unwrap()
    }

    async fn stop(self) {
        self.server.stop().await;
        self.engine.stop().await;
    }
}

fn leads_to(answer: &Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION].to_str().unwrap()
}

async fn refused(answer: Response, status: StatusCode, words: &str) {
    assert_eq!(answer.status(), status);
    assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let page = answer.text().await.unwrap();
    assert!(page.contains(words) && page.contains("<h1>"), "{words} is not in {page}");
}
