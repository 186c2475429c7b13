//! A store with many sync errors, made by the ledger's own commits.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use switchyard::clock::Stopwatch;
use switchyard::domain::{
    AccountId, AuditEntry, Cause, Class, Conversation, ConversationId, Customer, Delivery, Direction, Fact,
    Fingerprint, Group, GroupChange, Message, MessageId, OpenError, OrgId, Person, Phase, Refusal, SourceId, State,
    SyncError, SyncErrorId, Timestamp,
};
use switchyard::ledger::{AuditPage, CustomerChange, DeliveryChange, ErrorChange, LaneCommit, LaneState, Ledger};
use switchyard::store::{Range, SledStore, Store};

use crate::{CAUSES, org, tell};

/// Sync errors of one commit.
const CHUNK: u64 = 500;
/// They failed within so many days.
const DAYS: u64 = 14;
const DAY_MS: u64 = 86_400_000;
/// What causes, teams and customers are called.
const NAMES: [&str; 20] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "juniper", "knoll", "lagoon",
    "meadow", "north", "orchard", "prairie", "quarry", "ridge", "summit", "tundra",
];

/// The code of a cause.
pub(crate) fn code(cause: usize) -> String {
    format!("RULE_{}", NAMES[cause % NAMES.len()].to_uppercase())
}

/// A team.
pub(crate) fn team(number: u64) -> String {
    format!("team-{}", NAMES[(number / 7 % 20) as usize])
}

/// When the sync error of this number failed first.
fn seen(number: u64, of: u64, now: u64) -> u64 {
    now - DAYS * DAY_MS + DAYS * DAY_MS / of.max(1) * number
}

/// Makes the store; answers how many records it has, and how many bytes their keys and values are.
pub(crate) async fn generate(folder: &Path, errors: u64, orgs: usize) -> (u64, u64) {
    let open = || -> Arc<dyn Store> { Arc::new(SledStore::open(folder).expect("a store")) };
    switchyard::store::format::check(open().as_ref()).await.expect("an empty store gets its format");
    let now = switchyard::clock::Clock::System.now().as_millis() - 1_000;
    for number in 0..orgs {
        // A third in the first organization.
        let own = if number == 0 { errors / 3 } else { (errors - errors / 3) / (orgs as u64 - 1) };
        // Opened anew each time: sled holds 20 kB for each sync error that is written without a pause.
        organization(&Ledger::new(open()), &OrgId::new(org(number)).expect("an id"), own, now).await;
        eprintln!("  {} has {own}", org(number));
    }
    let store = open();
    let ledger = Ledger::new(Arc::clone(&store));
    let watch = Stopwatch::start();
    let verified = ledger.verify(|_| ()).await.expect("a recount");
    assert_eq!(verified.differences, 0, "{verified:?}");
    tell("a recount of all, s", format!("{:.1}", watch.elapsed().as_secs_f64()));
    let (mut records, mut bytes, mut after) = (0, 0, None);
    loop {
        let pairs = store.range(Range::of("", 10_000).after(after.take())).await.expect("pairs");
        let Some((last, _)) = pairs.last() else { return (records, bytes) };
        after = Some(last.clone());
        records += pairs.len() as u64;
        bytes += pairs.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
    }
}

async fn organization(ledger: &Ledger, org: &OrgId, errors: u64, now: u64) {
    let writer = ledger.lane_writer(org);
    let (mut groups, mut state) = (HashMap::new(), LaneState::default());
    for begin in (0..errors).step_by(CHUNK as usize) {
        let mut commit = LaneCommit { at: Timestamp::from_millis(now), ..LaneCommit::default() };
        for number in begin..errors.min(begin + CHUNK) {
            add(org, number, Timestamp::from_millis(seen(number, errors, now)), &mut commit, &mut groups, &mut state);
        }
        commit.groups = groups.values().cloned().collect();
        state.groups = groups.len() as u64;
        (state.seen, state.highest) = (Timestamp::from_millis(now), Timestamp::from_millis(now));
        commit.state = Some(state.clone());
        writer.commit(&commit).await.expect("it is written");
    }
}

/// A conversation with one message and its sync error: 30 % pending, 10 % retrying, 20 % ignored, 40 % resolved.
fn add(
    org: &OrgId,
    number: u64,
    at: Timestamp,
    commit: &mut LaneCommit,
    groups: &mut HashMap<Fingerprint, Group>,
    state: &mut LaneState,
) {
    let conversation = conversation(org, number, at);
    let (id, message) = (conversation.id.clone(), conversation.messages[0].id.clone());
    let now = [State::Pending, State::Pending, State::Pending, State::Retrying, State::Ignored, State::Ignored];
    let now = now.get((number % 10) as usize).copied().unwrap_or(State::Resolved);
    let refusal = refusal((number / 10) as usize % CAUSES);
    let cause = Cause::new(org, &refusal);
    let error = SyncErrorId::of(org, &id, 1);
    let group = cause.identify().id;
    let known = groups.entry(group.clone()).or_insert_with(|| Group::new(&cause, at));
    known.apply(GroupChange { sync_error: error.clone(), before: None, after: Some(now), failed: true, at });
    let mut registered =
        SyncError::blank(error.clone(), org.clone(), id.clone(), message.clone(), group.clone(), refusal.clone(), at);
    (registered.affected, registered.affected_count, registered.attempts) = (vec![message.clone()], 1, 1);
    (registered.state, registered.version) = (now, 1);
    (registered.team, registered.channel) = (conversation.team.clone(), conversation.channel.clone());
    registered.person = Person::of(&conversation.customer);
    let open = OpenError { id: error.clone(), state: now, group, message: message.clone(), version: 1, ignored_at: 0 };
    let phase = match now {
        State::Pending => Phase::Held,
        State::Retrying => Phase::Waiting { until: at.after(std::time::Duration::from_secs(30 * 86_400)) },
        State::Ignored | State::Resolved => Phase::Idle,
    };
    let over = now == State::Resolved;
    let delivery = Delivery {
        wanted: 1,
        settled: u64::from(over),
        phase,
        attempts: 1,
        open: (!over).then_some(open),
        errors: 1,
        entries: 1,
        day: at.day(),
        ..Delivery::default()
    };
    let mut page = AuditPage::default();
    let fact = Fact::CrmSynchroError {
        sync_error: error,
        class: refusal.class,
        code: refusal.code.clone(),
        text: refusal.text,
        attempt: 1,
        next_attempt_at: None,
    };
    let (also, trace_id, request) = (Vec::new(), None, None);
    page.add(AuditEntry { message: message.clone(), also, at, order: 1, fact, trace_id, request });
    state.errors.moved(None, Some(now));
    state.phases.moved(None, Some(&delivery));
    commit.messages.push((message, id.clone()));
    commit.pages.push((id.clone(), 0, page));
    commit.deliveries.push(DeliveryChange { id, before: None, after: delivery });
    commit.errors.push(ErrorChange { before: None, after: registered });
    commit.customers.extend(CustomerChange::between(org, None, Some(&conversation)));
    commit.conversations.push(conversation);
}

fn refusal(cause: usize) -> Refusal {
    let class = [Class::Record, Class::Config, Class::Contact, Class::Policy][cause % 4];
    let text = format!("The {} rule wants a number: please look at the order again", NAMES[cause]);
    let mut refusal = Refusal::new(class, &code(cause), &text);
    refusal.request = serde_json::from_value(json!({
        "method": "PATCH", "path": "/services/data/v62.0/sobjects/alcmeon__Conversation__c/alcmeon__External_Id__c/main:1",
        "body": { "alcmeon__url__c": "https://alcmeon.example/conversations/1", "alcmeon__team__c": "amber", "OwnerId": "00G000000000001AAA" },
    }))
    .ok();
    refusal
}

fn conversation(org: &OrgId, number: u64, at: Timestamp) -> Conversation {
    let source = if org.as_str() == "acme" { "shop" } else { org.as_str() };
    let source = SourceId::new(source).expect("an id");
    let id = ConversationId::scoped(&source, &number.to_string());
    let name = format!("{} {number}", NAMES[(number % 20) as usize]);
    Conversation {
        id: id.clone(),
        account: AccountId::new("web").expect("an id"),
        account_name: "web".to_owned(),
        channel: "chat".to_owned(),
        team: Some(team(number)),
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: Customer {
            id: format!("c{number}"),
            email: Some(format!("{}{number}@example.com", NAMES[(number % 20) as usize])),
            name: Some(name),
            ..Customer::default()
        },
        messages: vec![Message {
            id: MessageId::scoped(&source, id.as_str(), &format!("m{number}")),
            direction: Direction::Inbound,
            author: "Jane".to_owned(),
            body: "Hello, where is my order?".to_owned(),
            sent_at: at,
        }],
        url: format!("https://alcmeon.example/conversations/{number}"),
        version: 1,
        state_as_of: 0,
        agent_as_of: 0,
        numbered: false,
        erased_until: None,
        source,
    }
}
