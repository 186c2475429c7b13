//! The console as a browser meets it: a real listener, a store in memory, and no Salesforce at the other end.

use std::collections::{HashMap, HashSet};
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
use crate::ledger::{AuditPage, DeliveryChange, ErrorChange, LaneCommit, LaneState, Ledger, Quarantined};
use crate::policy::PolicyHost;
use crate::registry::Registry;
use crate::salesforce;
use crate::store::{Batch, MemoryStore};
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
        let server = http::start(&config, parts).await.unwrap();
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

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_login_and_from_there_on() {
    let mut console = Console::start(0).await;
    for path in
        ["/", "/sync-errors?org=shop&class=", "/sync-errors/se-x", "/messages/m", "/policies", "/orgs/shop/checks"]
    {
        let answer = console.get(path).await;
        let next = leads_to(&answer).strip_prefix("/login?next=").unwrap();
        assert_eq!(percent_encoding::percent_decode_str(next).decode_utf8().unwrap(), path);
    }
    assert_eq!(leads_to(&console.post("/orgs/shop/retry-all", &[]).await), "/login?next=%2F");
    let from = |page: &str| {
        console.form("/orgs/shop/retry-all", &[]).header(header::REFERER, format!("{}{page}", console.url))
    };
    let answer = from("/sync-errors?org=shop").header(header::ORIGIN, &console.url).send().await.unwrap();
    assert_eq!(leads_to(&answer), "/login?next=%2Fsync%2Derrors%3Forg%3Dshop", "the page that the form stood on");
    refused(
        console.post("/login", &[("token", "nonsense")]).await,
        StatusCode::UNAUTHORIZED,
        "This token is not known",
    )
    .await;

    let answer = console.post("/login", &[("token", WRITER), ("next", "/policies")]).await;
    assert_eq!(leads_to(&answer), "/policies");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/") && !cookie.contains(WRITER), "{cookie}");
    assert_eq!(leads_to(&console.post("/login", &[("token", WRITER), ("next", "//evil.example")]).await), "/");
    let by_proxy = console.form("/login", &[("token", WRITER)]).header("x-forwarded-proto", "https");
    let answer = by_proxy.header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));

    console.cookie = cookie.split(';').next().map(str::to_owned);
    assert!(console.page("/policies").await.contains("Signed in as <b>ann</b>"));
    let answer = console.post("/logout", &[]).await;
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("switchyard-session=; "));
    assert_eq!(leads_to(&answer), "/login");
    assert_eq!(console.get("/policies").await.status(), StatusCode::SEE_OTHER, "the host forgot the session too");
    console.stop().await;
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere_and_no_page_needs_anything_from_elsewhere() {
    let console = Console::signed_in(51, WRITER).await;
    let (mut seen, mut left) = (HashSet::new(), vec!["/".to_owned()]);
    while let Some(path) = left.pop() {
        let page = console.page(&path).await;
        if !page.contains("<html") {
            continue;
        }
        assert!(
            page.matches("<script").count() == 1 && !page.contains("style=\"") && !page.contains("hush-token"),
            "{path}: {page}"
        );
        for (attribute, rest) in page
            .match_indices("href=\"")
            .chain(page.match_indices("src=\""))
            .map(|(at, name)| (name, &page[at + name.len()..]))
        {
            let link = rest.split('"').next().unwrap().replace("&amp;", "&");
            assert!(link.starts_with('/') || attribute == "href=\"" && link.starts_with('#'), "{path}: {link}");
            let link = link.split('#').next().unwrap().to_owned();
            // The pages of single messages and errors are all alike.
            let kind = |link: &str| {
                link.split_once('?').map_or(link, |(path, _)| path).rsplit_once('/').map(|(kind, _)| kind.to_owned())
            };
            let alike = |seen: &HashSet<String>| {
                kind(&link).is_some_and(|of| {
                    !of.is_empty() && seen.iter().filter(|known| kind(known).as_ref() == Some(&of)).count() > 8
                })
            };
            // No policy was read here.
            if !link.starts_with("/policies/default") && !link.is_empty() && !alike(&seen) && seen.insert(link.clone())
            {
                left.push(link);
            }
        }
    }
    for part in ["/style.css", "/orgs/shop/checks", "/policies", "/messages/main:m"] {
        assert!(seen.iter().any(|path| path.starts_with(part)), "{part} is not among {seen:?}");
    }
    assert!(seen.iter().any(|path| path.contains("cursor=")), "51 sync errors are two pages: {seen:?}");
    console.stop().await;
}

#[tokio::test]
async fn a_sync_error_is_ignored_with_a_reason_reopened_and_tried_again_from_its_page() {
    let console = Console::signed_in(1, WRITER).await;
    let error = error_of(0);
    let list = "/sync-errors?org=shop&state=pending";
    let page = console.page(list).await;
    assert!(page.contains("Shop &lt;b&gt;&amp;") && page.contains("sync-errors?org=shop"), "{page}");
    assert!(
        page.contains("Retry this one") && page.contains("value=\"/sync-errors?org=shop&amp;state=pending\""),
        "{page}"
    );

    let ignore = format!("/sync-errors/{error}/ignore");
    refused(console.post(&ignore, &[("reason", " ")]).await, StatusCode::UNPROCESSABLE_ENTITY, "say in 1 to 500").await;
    refused(console.post(&ignore, &[]).await, StatusCode::BAD_REQUEST, "missing field `reason`").await;
    let answer = console.post(&ignore, &[("reason", "it is <i>spam"), ("back", list)]).await;
    assert_eq!(leads_to(&answer), format!("{list}&done=ignored-{error}"));
    let page = console.page(leads_to(&answer)).await;
    assert!(
        page.contains("is ignored: “it is &lt;i&gt;spam”")
            && page.contains("Undo</button>")
            && page.contains("Nothing is pending."),
        "{page}"
    );
    let page = console.page(&format!("/sync-errors/{error}")).await;
    assert!(
        page.contains("it is &lt;i&gt;spam") && page.contains("Reopen</button>") && !page.contains("Retry</button>"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;alert"), "{page}");

    let retry = format!("/sync-errors/{error}/retry");
    let answer = console.post(&retry, &[("back", list)]).await;
    assert_eq!(leads_to(&answer), format!("{list}&done=late-{error}"));
    let page = console.page(leads_to(&answer)).await;
    assert!(page.contains("Nothing was done") && page.contains("is ignored") && page.contains("(ann, "), "{page}");
    let answer = console.post(&format!("/sync-errors/{error}/reopen"), &[("back", "//evil.example")]).await;
    assert_eq!(leads_to(&answer), format!("/?done=reopened-{error}"));
    assert_eq!(console.error(0).await.state, State::Pending);

    let answer = console.post(&retry, &[("back", &format!("/sync-errors/{error}?done=reopened-{error}"))]).await;
    assert_eq!(leads_to(&answer), format!("/sync-errors/{error}?done=retried-{error}"));
    let page = console.page("/messages/main:m0").await;
    for words in
        ["<b>ann</b> ignored", "<b>ann</b> took", "<b>ann</b> asked for another attempt", "the source notified"]
    {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let mut health = console.engine.watch(&id("shop")).unwrap();
    health.wait_for(|health| health.idle() && health.sync_errors.pending == 1).await.unwrap();
    assert_eq!(console.error(0).await.refusal.code, "NO_POLICY", "it was tried");
    let answer = console.post("/orgs/shop/retry-all", &[("back", "/sync-errors")]).await;
    assert!(leads_to(&answer).starts_with("/sync-errors?done=began-"), "{answer:?}");
    let page = console.page(leads_to(&answer)).await;
    assert!(page.contains(">Retry</a> of 1 sync error"), "{page}");
    console.stop().await;
}

#[tokio::test]
async fn a_form_that_no_page_of_the_console_sent_changes_nothing() {
    let console = Console::signed_in(1, WRITER).await;
    let path = format!("/sync-errors/{}/ignore", error_of(0));
    let form = || console.form(&path, &[("reason", "gone")]);
    let forbidden = StatusCode::FORBIDDEN;
    refused(form().send().await.unwrap(), forbidden, "Forms are only taken").await;
    refused(form().header("sec-fetch-site", "cross-site").send().await.unwrap(), forbidden, "Forms are only taken")
        .await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(form().header(header::ORIGIN, origin).send().await.unwrap().status(), forbidden);
    }
    assert_eq!(console.error(0).await.state, State::Pending);
    assert_eq!(
        leads_to(&form().header("sec-fetch-site", "same-origin").send().await.unwrap()),
        format!("/?done=ignored-{}", error_of(0))
    );
    assert_eq!(console.error(0).await.state, State::Ignored);
    console.stop().await;
}

#[tokio::test]
async fn who_may_only_look_is_shown_no_button_and_refused_in_words() {
    let console = Console::signed_in(1, READER).await;
    let error = error_of(0);
    for path in ["/sync-errors?org=shop".to_owned(), format!("/sync-errors/{error}")] {
        let page = console.page(&path).await;
        assert!(page.contains("Validation rule"), "{page}");
        assert!(!page.contains("action=\"/sync-errors/"), "{page}");
        assert!(!page.contains("data-key=\"r\"") && !page.contains("type=\"checkbox\""), "{page}");
    }
    let answer = console.post(&format!("/sync-errors/{error}/retry"), &[]).await;
    refused(answer, StatusCode::FORBIDDEN, "The token of bob may look").await;
    assert_eq!(console.error(0).await.state, State::Pending);
    console.stop().await;
}

/// What was set aside because it cannot be understood.
async fn set_aside(console: &Console) -> Quarantined {
    let value = br#"{"2":{"of":"a later release"}}"#.to_vec();
    let reason = WORDS.to_owned();
    let entry = Quarantined::because(&id("shop"), "conversation/shop/main:9".to_owned(), value, reason);
    let mut batch = Batch::default();
    let record = serde_json::json!({ "2": entry });
    batch.put(format!("quarantine/shop/{}", entry.id), record.to_string());
    batch.put(format!("quarantine-value/shop/{}", entry.id), entry.value.clone());
    console.engine.ledger().store().commit(batch).await.unwrap();
    entry
}

#[tokio::test]
async fn what_is_in_the_quarantine_is_listed_and_forgotten_from_its_page() {
    let console = Console::signed_in(0, WRITER).await;
    assert!(!console.page("/").await.contains("in the quarantine"), "there is nothing to look at");
    assert!(console.page("/quarantine").await.contains("Nothing is in the quarantine."));
    let entry = set_aside(&console).await;
    let page = console.page("/").await;
    assert!(page.contains("href=\"/quarantine\"") && page.contains("1 record is in the quarantine"), "{page}");
    let page = console.page("/quarantine").await;
    for words in ["conversation/shop/main:9", "&lt;script&gt;", "Put back</button>", ">Forget it<", ">30<"] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(!page.contains("<script>") && !page.contains("a later release"), "{page}");
    let path = |verb: &str| format!("/quarantine/{}/{verb}", entry.id);
    let answer = console.post(&path("retry"), &[("back", "/quarantine")]).await;
    refused(answer, StatusCode::CONFLICT, "cannot be understood").await;
    let answer = console.post(&path("forget"), &[("back", "/quarantine")]).await;
    assert_eq!(leads_to(&answer), "/quarantine?done=forgotten");
    let page = console.page(leads_to(&answer)).await;
    assert!(page.contains("The record is forgotten.") && page.contains("Nothing is in the quarantine."), "{page}");
    refused(console.post(&path("forget"), &[]).await, StatusCode::NOT_FOUND, "The quarantine has no qu-").await;
    console.stop().await;
}

#[tokio::test]
async fn who_may_only_look_sees_the_quarantine_without_buttons() {
    let console = Console::signed_in(0, READER).await;
    let entry = set_aside(&console).await;
    let page = console.page("/quarantine").await;
    assert!(page.contains("conversation/shop/main:9") && !page.contains("action=\"/quarantine"), "{page}");
    let answer = console.post(&format!("/quarantine/{}/forget", entry.id), &[]).await;
    refused(answer, StatusCode::FORBIDDEN, "The token of bob may look").await;
    assert_eq!(console.engine.ledger().quarantine_size(10).await.unwrap(), 1);
    console.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_the_right_status() {
    let console = Console::signed_in(0, WRITER).await;
    let lost = StatusCode::NOT_FOUND;
    refused(console.get("/sync-errors/se-none").await, lost, "There is no sync error se-none.").await;
    refused(console.get("/sync-errors/%3Cb%3E").await, lost, "&lt;b&gt;").await;
    refused(console.get("/messages/main:9").await, lost, "Nothing is known of message main:9.").await;
    refused(console.get("/orgs/none/checks").await, lost, "There is no organization none.").await;
    refused(console.post("/orgs/none/retry-all", &[]).await, lost, "There is no organization none.").await;
    let answer = console.get("/sync-errors?state=nonsense").await;
    refused(answer, StatusCode::BAD_REQUEST, "`nonsense` is none of pending, retrying").await;
    assert!(console.page("/sync-errors?class=auth&state=").await.contains("There is none."));
    console.stop().await;
}

#[tokio::test]
async fn an_address_that_nobody_answers_is_a_page_for_a_browser_and_a_problem_for_a_client() {
    let console = Console::start(0).await;
    let nowhere = format!("{}/nowhere", console.url);
    let browser = console.http.get(&nowhere).header(header::ACCEPT, "text/html,*/*;q=0.8").send().await.unwrap();
    refused(browser, StatusCode::NOT_FOUND, "nothing at this address").await;
    let client = console.http.get(&nowhere).send().await.unwrap();
    assert_eq!(client.headers()[header::CONTENT_TYPE], "application/problem+json");
    console.stop().await;
}

#[tokio::test]
async fn a_sync_error_knows_its_place_in_the_list_that_it_was_opened_from() {
    let console = Console::signed_in(3, WRITER).await;
    let list = console.page("/sync-errors?org=shop").await;
    let there = |number: usize| format!("/sync-errors/{}?list=org%3Dshop%26state%3Dpending", error_of(number));
    assert!(list.contains(&there(1).replace('&', "&amp;")), "{list}");
    let page = console.page(&there(1)).await;
    for part in [
        "Back to the list of 3 sync errors",
        &format!("href=\"{}\" rel=\"prev\"", there(2)),
        &format!("href=\"{}\" rel=\"next\"", there(0)),
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let page = console.page(&there(0)).await;
    assert!(page.contains("rel=\"prev\"") && !page.contains("rel=\"next\""), "it is the last one: {page}");
    let page = console.page("/conversations/main%3A1").await;
    assert!(page.contains("What was said") && page.contains(error_of(1).as_str()), "{page}");
    console.stop().await;
}

#[test]
fn the_script_hears_of_every_event() {
    let script = include_str!("assets/console.js");
    for what in crate::domain::EventType::ALL {
        assert!(script.contains(&format!("'{}'", what.as_str())), "{}", what.as_str());
    }
}
