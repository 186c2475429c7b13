//! The causes: all sync errors that have one in common, how many they are, and what people put to them.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::{Extension, Json};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::watch::Receiver;

use super::App;
use super::access::Caller;
use super::error_query::{LARGEST_PAGE, PAGE, each, no_such_org, once, text};
use super::etag::{IfMatch, Tagged};
use super::extract::{self, Id};
use super::problem::Problem;
use crate::domain::{
    ASSIGNEE, Advice, Annotation, Class, Condition, ErrorCounts, Fingerprint, Group, GroupOrder, GroupQuery, NOTE,
    OrgId, PolicyName, Question, SyncErrorId, TICKET, Timestamp, is_hidden,
};
use crate::engine::{HeldCause, OrgHealth};
use crate::ledger::group_cursor;

/// The filters of the list, and how it is paged.
const KNOWN: &str = "org, condition, class, code, policy, assignee, text, sort, cursor, limit";
/// Stands for nobody among the assignees.
const NOBODY: &str = "none";

/// A cause as the API shows it.
#[derive(Serialize)]
pub(super) struct View {
    id: Fingerprint,
    org: OrgId,
    /// What is wrong, in words for a person.
    title: String,
    /// New, ongoing, escalating, regressed or quiet.
    condition: Condition,
    class: Class,
    code: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
    /// The policy at fault, and what it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    /// The words of the refusals without what differs from one conversation to the next.
    text: String,
    /// Sync errors by state.
    counts: ErrorCounts,
    /// Conversations with a sync error that is not over; each has one at most.
    conversations: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// Failures of the last 24 hours, and of the last 14 days.
    failures_24h: u64,
    failures_14d: u64,
    /// Sync errors that failed last, the newest at the end.
    samples: Vec<SyncErrorId>,
    assignee: Option<String>,
    note: Option<String>,
    ticket: Option<String>,
    advice: Advice,
    /// Failures by hour; only of a cause that is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Vec<Hour>>,
    /// Revisions of policies that may not ignore it any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<HeldCause>,
}

#[derive(Serialize)]
struct Hour {
    from: Timestamp,
    failures: u32,
}

impl View {
    fn of(app: &App, group: Group, now: Timestamp, by_hour: bool) -> Self {
        let health = app.parts.engine.watch(&group.org).ok();
        let of_it = |health: Receiver<OrgHealth>| {
            health.borrow().held.iter().filter(|held| held.group == group.id).cloned().collect()
        };
        let held = health.map(of_it).unwrap_or_default();
        let day = |days: u64| Timestamp::from_millis(now.as_millis().saturating_sub(days * 86_400_000));
        let hours = || group.failures.hours().map(|(from, failures)| Hour { from, failures }).collect();
        Self {
            condition: group.condition(now),
            conversations: group.open() + group.counts.ignored,
            failures_24h: group.failures.since(day(1)),
            failures_14d: group.failures.since(day(14)),
            advice: group.class.advice(),
            failures: by_hour.then(hours),
            held,
            id: group.id,
            org: group.org,
            title: group.title,
            class: group.class,
            code: group.code,
            fields: group.fields,
            policy: group.policy,
            question: group.question,
            text: group.text,
            counts: group.counts,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            samples: group.samples,
            assignee: group.assignee,
            note: group.note,
            ticket: group.ticket,
        }
    }
}

#[derive(Serialize)]
pub(super) struct List {
    groups: Vec<View>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// How many match in all.
    total: usize,
}

/// Which part of which list an address asks for.
pub(super) struct Asked {
    query: GroupQuery,
    order: GroupOrder,
    cursor: Option<String>,
    limit: usize,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let address = parts.uri.query().unwrap_or_default();
        let (mut query, mut order, mut cursor, mut limit) = (GroupQuery::default(), None, None, None);
        for (name, value) in url::form_urlencoded::parse(address.as_bytes()) {
            let (name, value) = (&*name, &*value);
            match name {
                "org" => each(name, value, &mut query.orgs)?,
                "condition" => each(name, value, &mut query.conditions)?,
                "class" => each(name, value, &mut query.classes)?,
                "code" => each(name, value, &mut query.codes)?,
                "policy" => each(name, value, &mut query.policies)?,
                "assignee" if value == NOBODY => drop(query.assignees.insert(String::new())),
                "assignee" if !value.is_empty() => drop(query.assignees.insert(text(name, value)?)),
                "text" if !value.is_empty() => once(name, &text(name, value)?, &mut query.text)?,
                "cursor" if !value.is_empty() => once(name, value, &mut cursor)?,
                "limit" if !value.is_empty() => once(name, value, &mut limit)?,
                "sort" if !value.is_empty() => {
                    let found = GroupOrder::ALL.into_iter().find(|(word, _)| *word == value);
                    let known = || GroupOrder::ALL.map(|(word, _)| word).join(", ");
                    let no = || Problem::bad_request(format!("sort: none of {}", known()));
                    order = Some(found.ok_or_else(no)?.1);
                }
                "assignee" | "text" | "cursor" | "limit" | "sort" => {}
                _ => {
                    let name: String = name.chars().take(80).collect();
                    return Err(Problem::bad_request(format!("`{name}` is no filter; known are {KNOWN}")));
                }
            }
        }
        if let Some(org) = query.orgs.iter().find(|org| !app.parts.engine.knows(org)) {
            return Err(no_such_org(org));
        }
        let limit = limit.unwrap_or(PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
        }
        Ok(Self { query, order: order.unwrap_or_default(), cursor, limit })
    }
}

/// Causes that match, in pages; those with the most open sync errors first.
pub(super) async fn list(State(app): State<App>, asked: Asked) -> Result<Json<List>, Problem> {
    let Asked { query, order, cursor, limit } = asked;
    let after = cursor.map(|text| {
        group_cursor(&text, &query, order)
            .ok_or_else(|| Problem::bad_request("cursor: not one that a list with these filters and this order gave"))
    });
    let (after, now) = (after.transpose()?, app.parts.clock.now());
    let page = app.parts.engine.ledger().group_page(&query, order, after.as_ref(), limit, now).await?;
    let groups = page.items.into_iter().map(|group| View::of(&app, group, now, false)).collect();
    Ok(Json(List { groups, next_cursor: page.next, total: page.total }))
}

/// One cause is meant by its id, and by its organization where the id alone does not tell.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfOrg {
    org: Option<OrgId>,
}

async fn find(app: &App, id: &Fingerprint, of: OfOrg) -> Result<Group, Problem> {
    if let Some(org) = of.org.as_ref().filter(|org| !app.parts.engine.knows(org)) {
        return Err(no_such_org(org));
    }
    let mut found = app.parts.engine.ledger().group(id).await?;
    found.retain(|group| of.org.as_ref().is_none_or(|org| *org == group.org));
    match (found.pop(), found.is_empty()) {
        (Some(group), true) => Ok(group),
        (Some(_), false) => Err(Problem::bad_request("several organizations have this cause: say which by `?org=`")),
        (None, _) => Err(Problem::not_found(format!("there is no cause {id}"))),
    }
}

/// One cause.
pub(super) async fn show(
    State(app): State<App>,
    Id(id): Id<Fingerprint>,
    extract::Asked(of): extract::Asked<OfOrg>,
) -> Result<Tagged<Json<View>>, Problem> {
    let group = find(&app, &id, of).await?;
    Ok(tagged(&app, group))
}

/// A cause; its version is that of what people put to it, since its counts move by themselves.
fn tagged(app: &App, group: Group) -> Tagged<Json<View>> {
    let tag = group.tag();
    Tagged(Some(tag), Json(View::of(app, group, app.parts.clock.now(), true)))
}

/// What people put to a cause; what is absent stays, and `null` takes away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    #[serde(default, deserialize_with = "given")]
    assignee: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    note: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    ticket: Option<Option<String>>,
}

/// Tells `null` from what is absent.
#[expect(clippy::option_option, reason = "absent, taken away and put are three things")]
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Patch {
    fn annotations(self) -> Result<Vec<Annotation>, Problem> {
        let Self { assignee, note, ticket } = self;
        let mut annotations = Vec::new();
        if let Some(assignee) = assignee {
            annotations.push(Annotation::Assignee(checked("assignee", assignee, ASSIGNEE, false)?));
        }
        if let Some(note) = note {
            annotations.push(Annotation::Note(checked("note", note, NOTE, true)?));
        }
        if let Some(ticket) = ticket {
            let ticket = checked("ticket", ticket, TICKET, false)?;
            let is_link = |text: &String| {
                url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            };
            if !ticket.iter().all(is_link) {
                return Err(Problem::invalid("ticket: not an address that begins with http:// or https://"));
            }
            annotations.push(Annotation::Ticket(ticket));
        }
        if annotations.is_empty() {
            return Err(Problem::invalid("nothing to change: assignee, note and ticket can be put"));
        }
        Ok(annotations)
    }
}

fn checked(name: &str, text: Option<String>, most: usize, lines: bool) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.len() > most {
        return Err(Problem::invalid(format!("{name}: longer than {most} bytes")));
    }
    if let Some(hidden) = text.chars().find(|character| is_hidden(*character) && !(lines && *character == '\n')) {
        return Err(Problem::invalid(format!("{name}: U+{:04X} is a control character", u32::from(hidden))));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Says who looks after a cause, what there is to say of it, and where its ticket is.
pub(super) async fn patch(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<Fingerprint>,
    extract::Asked(of): extract::Asked<OfOrg>,
    IfMatch(expected): IfMatch,
    extract::Json(patch): extract::Json<Patch>,
) -> Result<Tagged<Json<View>>, Problem> {
    let annotations = patch.annotations()?;
    let org = find(&app, &id, of).await?.org;
    let group = app.parts.engine.annotate(&org, &id, expected, annotations, &caller.asker()).await?;
    Ok(tagged(&app, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(json: &str) -> Result<Vec<Annotation>, Problem> {
        serde_json::from_str::<Patch>(json).unwrap_or_else(|error| panic!("{json}: {error}")).annotations()
    }

    #[test]
    fn absent_stays_and_null_takes_away() {
        let annotations = patch(r#"{"assignee": null, "note": " a\nb "}"#).unwrap_or_else(|_| panic!());
        assert_eq!(annotations, [Annotation::Assignee(None), Annotation::Note(Some("a\nb".to_owned()))]);
    }

    #[test]
    fn a_ticket_is_a_link_and_no_script() {
        assert!(patch(r#"{"ticket": "https://tickets.example/1"}"#).is_ok());
        for bad in ["javascript:alert(1)", "tickets", "https://", "file:///etc/passwd"] {
            assert!(patch(&format!(r#"{{"ticket": "{bad}"}}"#)).is_err(), "{bad}");
        }
        assert!(patch("{}").is_err());
        assert!(patch(r#"{"assignee": "a\u0007b"}"#).is_err());
        assert!(patch(&format!(r#"{{"note": "{}"}}"#, "x".repeat(NOTE + 1))).is_err());
    }
}
