//! The causes: all sync errors that have one in common, how many they are, and what people put to them.

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::{Extension, Json};
use serde::Deserialize;
use tokio::sync::watch::Receiver;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};

use super::App;
use super::access::Caller;
use super::api::{Group as View, GroupChange, GroupList, Stale};
use super::error_query::{LARGEST_PAGE, PAGE, each, each_text, once, text, texts};
use super::etag::{IfMatch, Tagged};
use super::extract::{self, Id, page_size};
use super::parameters::{Form, Known, known, limit, named, names, one_of, text as any_text};
use super::problem::{Kind, Problem};
use crate::domain::{
    ASSIGNEE, Annotation, Class, Condition, Expected, Fingerprint, Group, GroupOrder, GroupQuery, NOTE, OrgId,
    PolicyName, TICKET, Timestamp, is_hidden,
};
use crate::engine::OrgHealth;
use crate::ledger::group_cursor;

/// The filters of the list, and how it is paged.
const KNOWN: [Known; 10] = [
    known("org", Form::Several(named::<OrgId>), "Of these organizations."),
    known("condition", Form::Several(named::<Condition>), "That develop in these ways."),
    known("class", Form::Several(named::<Class>), "Of these classes."),
    known("code", Form::Several(any_text), "Of these codes."),
    known("policy", Form::Several(named::<PolicyName>), "With these policies at fault."),
    known("assignee", Form::Repeated(any_text), "That these people look after; `none` for nobody."),
    known("text", Form::One(any_text), "With these words."),
    known("sort", Form::One(orders), "The most open sync errors first without it."),
    known("cursor", Form::One(any_text), "The `next_cursor` of a page, with the same filters and order."),
    known("limit", Form::One(limit), "Causes of a page."),
];

fn orders() -> RefOr<Schema> {
    one_of(GroupOrder::ALL.map(|(word, _)| word))
}

/// Stands for nobody among the assignees.
pub(super) const NOBODY: &str = "none";

/// Which part of which list an address asks for.
pub(super) struct Asked {
    pub(super) query: GroupQuery,
    pub(super) order: GroupOrder,
    cursor: Option<String>,
    limit: usize,
}

impl Asked {
    /// Reads the query of an address. Fields that nobody knows, and empty ones, are refused, or passed over as a form's choices are.
    pub(super) fn read(app: &App, caller: &Caller, address: &str, strict: bool) -> Result<Self, Problem> {
        let (mut query, mut order, mut cursor, mut limit) = (GroupQuery::default(), None, None, None);
        for (name, value) in url::form_urlencoded::parse(address.as_bytes()) {
            match (&*name, &*value) {
                (_, "") if !strict => {}
                ("org", value) => each("org", value, &mut query.orgs)?,
                ("condition", value) => each("condition", value, &mut query.conditions)?,
                ("class", value) => each("class", value, &mut query.classes)?,
                ("code", value) => each_text("code", value, &mut query.codes)?,
                ("policy", value) => each("policy", value, &mut query.policies)?,
                ("assignee", NOBODY) => drop(query.assignees.insert(String::new())),
                ("assignee", value) => drop(query.assignees.insert(text("assignee", value)?)),
                ("text", value) => once("text", &text("text", value)?, &mut query.text)?,
                // A client may begin without one.
                ("cursor", "") => {}
                ("cursor", value) => once("cursor", value, &mut cursor)?,
                ("limit", value) => once("limit", value, &mut limit)?,
                ("sort", value) => order = Some(order_of(value)?),
                (name, _) if strict => {
                    let name: String = name.chars().take(80).collect();
                    return Err(Problem::bad_request(format!("`{name}` is no filter; known are {}", names(&KNOWN))));
                }
                _ => {}
            }
        }
        caller.narrow(app, &mut query.orgs)?;
        let limit = page_size(limit, PAGE, LARGEST_PAGE)?;
        Ok(Self { query, order: order.unwrap_or_default(), cursor, limit })
    }

    /// The filters and the order as the fields of an address.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let GroupQuery { orgs, conditions, classes, codes, policies, assignees, text } = &self.query;
        let mut fields = Vec::new();
        let mut set = |name, values: Vec<String>| fields.extend(values.into_iter().map(|value| (name, value)));
        set("org", texts(orgs));
        set("condition", texts(conditions));
        set("class", texts(classes));
        set("code", texts(codes));
        set("policy", texts(policies));
        let name = |name: &String| if name.is_empty() { NOBODY.to_owned() } else { name.clone() };
        set("assignee", assignees.iter().map(name).collect());
        set("text", texts(text));
        if self.order != GroupOrder::default() {
            let word = GroupOrder::ALL.into_iter().find(|(_, order)| *order == self.order);
            set("sort", word.into_iter().map(|(word, _)| word.to_owned()).collect());
        }
        fields
    }
}

fn order_of(word: &str) -> Result<GroupOrder, Problem> {
    let known = || GroupOrder::ALL.map(|(word, _)| word).join(", ");
    let found = GroupOrder::ALL.into_iter().find(|(known, _)| *known == word);
    found.map(|(_, order)| order).ok_or_else(|| Problem::bad_request(format!("sort: none of {}", known())))
}

impl FromRequestParts<App> for Asked {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get().ok_or_else(|| Problem::new(Kind::Internal, "nobody asks"))?;
        Self::read(app, caller, parts.uri.query().unwrap_or_default(), true)
    }
}

impl IntoParams for Asked {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        KNOWN.iter().map(Known::parameter).collect()
    }
}

/// List causes
///
/// Those that match, in pages: how many sync errors each has by state, how it develops, and what people put to it.
#[utoipa::path(get, path = "/v1/groups", operation_id = "list_groups", tag = "causes", params(Asked),
    responses((status = 200, description = "A page of causes.", body = GroupList)))]
pub(super) async fn list(State(app): State<App>, asked: Asked) -> Result<Json<GroupList>, Problem> {
    let (page, _) = page(&app, &asked, false).await?;
    Ok(Json(page))
}

/// A page of causes, with their failures by hour where that is wanted, and who looks after causes of these organizations.
pub(super) async fn page(app: &App, asked: &Asked, by_hour: bool) -> Result<(GroupList, BTreeSet<String>), Problem> {
    let Asked { query, order, cursor, limit } = asked;
    let after = cursor.as_ref().map(|text| {
        group_cursor(text, query, *order)
            .ok_or_else(|| Problem::bad_request("cursor: not one that a list with these filters and this order gave"))
    });
    let (after, now) = (after.transpose()?, app.parts.clock.now());
    let page = app.parts.engine.ledger().group_page(query, *order, after.as_ref(), *limit, now).await?;
    let groups = page.items.into_iter().map(|group| view(app, group, now, by_hour)).collect();
    Ok((GroupList { groups, next_cursor: page.next, total: page.total }, page.assignees))
}

/// One cause is meant by its id, and by its organization where the id alone does not tell.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfOrg {
    /// Its organization, where several have this cause.
    pub(super) org: Option<OrgId>,
}

/// A cause, and what policies may not do about it any more.
fn view(app: &App, group: Group, now: Timestamp, by_hour: bool) -> View {
    let health = app.parts.engine.watch(&group.org).ok();
    let of_it = |health: Receiver<OrgHealth>| {
        health.borrow().held.iter().filter(|held| held.group == group.id).cloned().collect()
    };
    let held = health.map(of_it).unwrap_or_default();
    View::of(group, held, now, by_hour)
}

pub(super) async fn find(app: &App, caller: &Caller, id: &Fingerprint, of: OfOrg) -> Result<Group, Problem> {
    let mut orgs = of.org.into_iter().collect();
    caller.narrow(app, &mut orgs)?;
    let mut found = app.parts.engine.ledger().group(id).await?;
    found.retain(|group| orgs.is_empty() || orgs.contains(&group.org));
    match (found.pop(), found.is_empty()) {
        (Some(group), true) => Ok(group),
        (Some(_), false) => Err(Problem::bad_request("several organizations have this cause: say which by `?org=`")),
        (None, _) => Err(Problem::not_found(format!("there is no cause {id}"))),
    }
}

/// Look at a cause
///
/// With its failures by hour. Its `ETag` is that of what people put to it.
#[utoipa::path(get, path = "/v1/groups/{id}", operation_id = "get_group", tag = "causes",
    params(("id" = Fingerprint, Path), OfOrg),
    responses((status = 200, description = "The cause.", body = View)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<Fingerprint>,
    extract::Asked(of): extract::Asked<OfOrg>,
) -> Result<Tagged<Json<View>>, Problem> {
    let (tag, group) = seen(&app, &caller, &id, of).await?;
    Ok(Tagged(Some(tag), Json(group)))
}

/// A cause with its version.
pub(super) async fn seen(app: &App, caller: &Caller, id: &Fingerprint, of: OfOrg) -> Result<(String, View), Problem> {
    Ok(tagged(app, find(app, caller, id, of).await?))
}

/// A cause; its version is that of what people put to it, since its counts move by themselves.
fn tagged(app: &App, group: Group) -> (String, View) {
    let tag = group.tag();
    (tag, view(app, group, app.parts.clock.now(), true))
}

fn annotations(GroupChange { assignee, note, ticket }: GroupChange) -> Result<Vec<Annotation>, Problem> {
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

/// Put an assignee, a note or a ticket to a cause
///
/// What is absent stays, and `null` takes away.
#[utoipa::path(patch, path = "/v1/groups/{id}", operation_id = "update_group", tag = "causes",
    params(("id" = Fingerprint, Path), OfOrg, IfMatch), request_body = GroupChange,
    responses((status = 200, description = "The cause as it is now.", body = View), (status = 412, response = Stale)))]
pub(super) async fn patch(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<Fingerprint>,
    extract::Asked(of): extract::Asked<OfOrg>,
    IfMatch(expected): IfMatch,
    extract::Json(change): extract::Json<GroupChange>,
) -> Result<Tagged<Json<View>>, Problem> {
    let (tag, group) = change_to(&app, &caller, &id, of, expected, change).await?;
    Ok(Tagged(Some(tag), Json(group)))
}

/// Puts something to a cause; answers it as it is then, with its version.
pub(super) async fn change_to(
    app: &App,
    caller: &Caller,
    id: &Fingerprint,
    of: OfOrg,
    expected: Expected,
    change: GroupChange,
) -> Result<(String, View), Problem> {
    let annotations = annotations(change)?;
    let org = find(app, caller, id, of).await?.org;
    let group = app.parts.engine.annotate(&org, id, expected, annotations, &caller.asker()).await?;
    Ok(tagged(app, group))
}

#[cfg(test)]
mod tests;
