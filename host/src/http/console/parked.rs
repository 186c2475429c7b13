//! Conversations that wait for the end of an incident: a line for each, and the form by which one is ignored.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::conversation::link_to;
use super::incident::above_list;
use super::paging;
use super::parts::format::{self, counted};
use super::parts::{Done, Icon, Section, Visit, cell, choice_of_org, icon, table};
use super::sync_error::Reason;
use super::words::Names;
use crate::domain::{ConversationId, OrgId, Timestamp};
use crate::engine::{Error, Org, OrgHealth};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::error_query::PAGE;
use crate::http::extract::{Asked, Form, Ids};
use crate::http::orgs;
use crate::http::problem::Problem;
use crate::http::sync_errors::{REASON, a_reason};

/// What the list is narrowed to, and where a page of it begins.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    org: String,
    cursor: String,
}

impl Choice {
    /// The organization that is chosen.
    fn chosen(&self) -> Result<Option<OrgId>, Problem> {
        let chosen = Some(self.org.as_str()).filter(|org| !org.is_empty()).map(str::parse).transpose();
        chosen.map_err(|error: crate::domain::IdError| Problem::bad_request(format!("org: {error}")))
    }

    /// The line that the page comes behind.
    fn behind(&self) -> Result<Option<Line>, Problem> {
        let no = || Problem::bad_request("cursor: it is not one that a page of this list gave");
        Some(self.cursor.as_str()).filter(|it| !it.is_empty()).map(|it| Line::parse(it).ok_or_else(no)).transpose()
    }
}

/// A parked conversation. As a text it is its place in the list: by organization, the newest first.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    org: OrgId,
    since: Timestamp,
    conversation: ConversationId,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.org, self.since.as_millis(), self.conversation)
    }
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let (org, rest) = text.split_once('/')?;
        let (since, conversation) = rest.split_once('/')?;
        let since = Timestamp::from_millis(since.parse().ok()?);
        Some(Self { org: org.parse().ok()?, since, conversation: conversation.parse().ok()? })
    }
}

/// The list.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let (chosen, behind) = (choice.chosen()?, choice.behind()?);
    let mut narrowed: BTreeSet<OrgId> = chosen.iter().cloned().collect();
    caller.narrow(&app, &mut narrowed)?;
    let orgs = orgs::standing(&app, &caller);
    let meant: Vec<_> = orgs.iter().filter(|(org, _)| narrowed.is_empty() || narrowed.contains(&org.id)).collect();
    let (lines, more) = page(&app, &meant, behind.as_ref()).await?;
    let of: Vec<_> = lines.iter().map(|line| (&line.org, &line.conversation)).collect();
    let customers = match visit.may(Scope::Errors) {
        true => app.parts.engine.ledger().customer_names(&of).await?,
        false => vec![None; lines.len()],
    };
    let next = lines.last().filter(|_| more).map(ToString::to_string);
    let parked = meant.iter().map(|(_, health)| health.parked).sum();
    let content = html! {
        h1 { "Parked conversations" }
        p.hint {
            b #parked data-live { (counted(parked, "conversation waits", "conversations wait")) } " for the end of an incident. "
            "They follow by themselves then, the newest first."
        }
        @if orgs.len() > 1 { (filter(&orgs, chosen.as_ref())) }
        (above_list(&app, &visit, &meant))
        (rows(&visit, &lines, &customers, &Names::of_orgs(&app)))
        (paging::pages("/parked", &[("org", choice.org.as_str())], behind.is_none(), next.as_deref()))
    };
    Ok(visit.page("Parked conversations", Section::SyncErrors, &content))
}

/// A page of the list, and whether there are more.
async fn page(app: &App, orgs: &[&(Arc<Org>, OrgHealth)], behind: Option<&Line>) -> Result<(Vec<Line>, bool), Problem> {
    let mut lines = Vec::new();
    let left = orgs.iter().filter(|(org, health)| health.parked > 0 && behind.is_none_or(|it| org.id >= it.org));
    for (org, _) in left {
        let behind = behind.filter(|it| it.org == org.id).map(|it| (it.since, &it.conversation));
        let found = app.parts.engine.ledger().parked(&org.id, behind, PAGE + 1 - lines.len()).await?;
        lines.extend(found.into_iter().map(|(since, conversation)| Line { org: org.id.clone(), since, conversation }));
        if lines.len() > PAGE {
            break;
        }
    }
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    Ok((lines, more))
}

fn filter(orgs: &[(Arc<Org>, OrgHealth)], chosen: Option<&OrgId>) -> Markup {
    let orgs: Vec<_> = orgs.iter().map(|(org, _)| Arc::clone(org)).collect();
    html! {
        form.filters method="get" action="/parked" {
            label { "Organization" (choice_of_org("All organizations", chosen.map(OrgId::as_str), &orgs)) }
            button.quiet type="submit" { "Show" }
        }
    }
}

fn rows(visit: &Visit, lines: &[Line], customers: &[Option<String>], names: &Names) -> Markup {
    if lines.is_empty() {
        return html! { p.empty { "Nothing is parked here." } };
    }
    let may = visit.may(Scope::Errors);
    let row = |line: &Line, customer: Option<&str>| {
        html! {
            tr role="row" {
                (cell("Customer", &html! { @if let Some(name) = customer { bdi { (name) } } }))
                (cell("Conversation", &link_to(&line.conversation, line.conversation.as_str())))
                (cell("Organization", &html! { bdi { (names.org(&line.org)) } }))
                (cell("Since", &format::time(line.since)))
                @if may { (cell("What to do", &ignoring(visit, line, customer.unwrap_or(line.conversation.as_str())))) }
            }
        }
    };
    let columns = ["Customer", "Conversation", "Organization", "Since", "What to do"];
    let shown = if may { columns.len() } else { columns.len() - 1 };
    let rows = lines.iter().zip(customers);
    table(&columns[..shown], &html! { @for (line, customer) in rows { (row(line, customer.as_deref())) } })
}

fn ignoring(visit: &Visit, line: &Line, who: &str) -> Markup {
    html! {
        details.ignore {
            summary aria-label={ "Ignore " (who) } { (icon(Icon::Ignore)) "Ignore…" }
            form method="post" action={ "/orgs/" (line.org) "/parked/" (line.conversation) "/ignore" } {
                (visit.way_back())
                label { "Reason" input name="reason" required maxlength=(REASON); }
                button type="submit" { "Ignore" }
            }
        }
    }
}

/// No further synchronization of one is expected, and why. It may be parked no more: then the page says so.
pub(super) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Ids(org, conversation): Ids<OrgId, ConversationId>,
    Form(Reason { reason, back }): Form<Reason>,
) -> Result<Redirect, Problem> {
    let reason = a_reason(&reason)?;
    match app.parts.engine.ignore_parked(&org, &conversation, &caller.asker(), reason).await {
        Ok(error) => Ok(back.with(&Done::Ignored(error.id))),
        Err(Error::NotParked(_)) => Ok(back.with(&Done::NotParked)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let line = Line {
            org: "shop-1".parse().unwrap(),
            since: Timestamp::from_millis(1_768_469_500_000),
            conversation: "main:7".parse().unwrap(),
        };
        assert_eq!(line.to_string(), "shop-1/1768469500000/main:7");
        assert_eq!(Line::parse(&line.to_string()), Some(line));
        for foreign in ["", "shop", "shop/1", "shop/x/main:7", "/1/main:7", "shop/1/", "shop/1/a/b", "shop/1/<b>"] {
            assert_eq!(Line::parse(foreign), None, "{foreign}");
        }
    }
}
