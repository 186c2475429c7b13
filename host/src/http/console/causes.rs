//! The list of causes: how many sync errors each has, whether it grows, and who looks after it.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, Section, Visit, choice, choice_of_org, icon, spark};
use super::words::{self, Names};
use crate::domain::{Class, Condition, GroupOrder, Timestamp};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{Group, GroupList};
use crate::http::groups::{Asked, NOBODY, page};
use crate::http::orgs;
use crate::http::problem::Problem;

/// The causes that an address asks for. Unlike in the API, other fields are passed over, and empty ones are no filters.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    RawQuery(address): RawQuery,
) -> Result<Markup, Problem> {
    let asked = Asked::read(&app, &caller, &address.unwrap_or_default(), false)?;
    let (page, people) = page(&app, &asked, true).await?;
    let (names, now) = (Names::of_orgs(&app), app.parts.clock.now());
    let content = html! {
        div.head { h1 { "Causes" } (total(&page)) }
        (views(&caller, &asked))
        (filters(&app, &caller, &asked, &people))
        (rows(&visit, &page, &names, now, asked.query.orgs.len() == 1))
        (pages(&asked, &page))
    };
    Ok(visit.page("Causes", Section::Causes, &content))
}

fn total(page: &GroupList) -> Markup {
    html! { span.hint #total data-live { (counted(page.total as u64, "cause", "causes")) } }
}

/// The address of the list with these fields.
fn address(fields: &[(&str, String)]) -> String {
    if fields.is_empty() { "/causes".to_owned() } else { format!("/causes?{}", words::encoded(fields)) }
}

/// Lists that are asked for again and again. An address is a view: whoever wants another one keeps that.
fn views(caller: &Caller, asked: &Asked) -> Markup {
    let field = |name, value: &str| vec![(name, value.to_owned())];
    let views = [
        ("All", Vec::new()),
        ("New", field("condition", "new")),
        ("Escalating", field("condition", "escalating")),
        ("Back again", field("condition", "regressed")),
        ("Nobody's", field("assignee", NOBODY)),
        ("Mine", field("assignee", &caller.name)),
    ];
    let mut here = asked.fields();
    here.retain(|(name, _)| matches!(*name, "condition" | "assignee"));
    // A choice of organizations stays from view to view.
    let own = caller.orgs().is_some_and(|own| *own == asked.query.orgs);
    let orgs: Vec<_> = asked.fields().into_iter().filter(|(name, _)| *name == "org" && !own).collect();
    html! {
        ul.tabs {
            @for (name, fields) in views {
                li {
                    a href=(address(&[orgs.clone(), fields.clone()].concat()))
                        aria-current=[(fields == here).then_some("true")] { (name) }
                }
            }
        }
    }
}

fn filters(app: &App, caller: &Caller, asked: &Asked, people: &BTreeSet<String>) -> Markup {
    let fields = asked.fields();
    // A filter has one value at most here; of several none is shown.
    let chosen = |wanted: &str| -> Option<&str> {
        let mut values = fields.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    };
    let same = |word: &str| (word.to_owned(), word.to_owned());
    let orgs = orgs::seen(app, caller);
    let conditions = Condition::ALL.map(|condition| same(condition.as_str()));
    let classes: Vec<_> = Class::ALL.into_iter().map(|class| same(&class.to_string())).collect();
    let mut owners = vec![(NOBODY.to_owned(), "nobody".to_owned())];
    owners.extend(people.iter().map(|name| same(name)));
    // What a link has narrowed the list to stays so.
    let others: Vec<_> = fields.iter().filter(|(name, _)| matches!(*name, "code" | "policy")).collect();
    html! {
        form.filters method="get" action="/causes" {
            label { "Organization" (choice_of_org("all", chosen("org"), &orgs)) }
            label { "State" (choice("condition", "all", chosen("condition"), &conditions)) }
            label { "Class" (choice("class", "all", chosen("class"), &classes)) }
            label { "Owner" (choice("assignee", "anybody", chosen("assignee"), &owners)) }
            label { "Order"
                select name="sort" {
                    @for (word, order) in GroupOrder::ALL {
                        option value=(word) selected[order == asked.order] { (ordered(order)) }
                    }
                }
            }
            label { "Words"
                input type="search" name="text" maxlength="200" value=(asked.query.text.as_deref().unwrap_or_default());
            }
            @for (name, value) in &others { input type="hidden" name=(name) value=(value); }
            button.quiet type="submit" { "Show" }
        }
        @if !others.is_empty() {
            p.hint {
                "Only " @for (at, (name, value)) in others.iter().enumerate() {
                    @if at > 0 { ", " } (name) " " code { (value) }
                }
                ". " a href="/causes" { "Show all" }
            }
        }
    }
}

const fn ordered(order: GroupOrder) -> &'static str {
    match order {
        GroupOrder::Open => "most open first",
        GroupOrder::Pending => "most pending first",
        GroupOrder::LastSeen => "failed last first",
        GroupOrder::FirstSeen => "newest first",
    }
}

fn rows(visit: &Visit, page: &GroupList, names: &Names, now: Timestamp, one_org: bool) -> Markup {
    if page.groups.is_empty() {
        return html! { p.empty #causes data-live { "No cause matches: nothing of that kind has failed, or all of it is over." } };
    }
    let may = visit.may(Scope::Errors);
    html! {
        table.lines role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { "Cause" }
                    th.w-s role="columnheader" scope="col" { "State" }
                    @if !one_org { th.w-m role="columnheader" scope="col" { "Organization" } }
                    th.w-s.number role="columnheader" scope="col" { "Open" }
                    th.w-m role="columnheader" scope="col" { "14 days" }
                    th.w-s role="columnheader" scope="col" { "Last" }
                    th.w-s role="columnheader" scope="col" { "First" }
                    th.w-s role="columnheader" scope="col" { "Owner" }
                    @if may { th.w-acts role="columnheader" scope="col" { span.quietly { "What to do" } } }
                }
            }
            tbody role="rowgroup" data-rows { @for group in &page.groups { (row(group, names, now, one_org, may)) } }
        }
    }
}

fn row(group: &Group, names: &Names, now: Timestamp, one_org: bool, may: bool) -> Markup {
    let open = group.counts.pending + group.counts.retrying;
    let cell = |class: &str, content: Markup| {
        html! { td class=(class) role="cell" { div { (content) } } }
    };
    html! {
        tr role="row" data-key={ (group.org) "/" (group.id) } {
            td.main role="cell" title=(group.title) {
                div {
                    @if group.note.is_some() { span.badge title="It has a note" { "note" } " " }
                    a href=(words::cause(&group.org, &group.id)) data-open { (group.title) }
                }
            }
            (cell("side", condition(group.condition)))
            @if !one_org { td.side role="cell" title=(names.org(&group.org)) { div dir="auto" { (names.org(&group.org)) } } }
            (cell("side number", html! { (grouped(open)) span.quietly { " open" } }))
            (cell("rest", spark(group.failures.as_deref().unwrap_or_default(), now)))
            (cell("side", format::time(group.last_seen)))
            (cell("rest", format::time(group.first_seen)))
            (cell("side", html! { bdi { (group.assignee.as_deref().unwrap_or_default()) } }))
            @if may { (acts(group, open)) }
        }
    }
}

/// What can be done with all of it: the question comes first.
fn acts(group: &Group, open: u64) -> Markup {
    let act = |task: &str, key: &str, of: Icon| {
        let words = words::deed(task, open);
        html! {
            a.button.quiet href=(question(task, group)) data-key=(key) title=(words) aria-label={ (words) " of " (group.title) } {
                (icon(of))
            }
        }
    };
    html! {
        td.acts role="cell" {
            div { @if open > 0 { (act("retry", "r", Icon::Retry)) (act("ignore", "i", Icon::Ignore)) } }
        }
    }
}

/// The address of the question before something is done with all of a cause.
pub(super) fn question(task: &str, group: &Group) -> String {
    words::question(task, &[("org", group.org.to_string()), ("group", group.id.to_string())])
}

/// How a cause stands.
pub(super) fn condition(condition: Condition) -> Markup {
    let tone = match condition {
        Condition::Escalating => "bad",
        Condition::New | Condition::Regressed => "wait",
        Condition::Ongoing => "note",
        Condition::Quiet => "good",
    };
    html! {
        span class={ "badge " (tone) } {
            @if condition == Condition::Escalating { (icon(Icon::Growing)) }
            (condition)
        }
    }
}

fn pages(asked: &Asked, page: &GroupList) -> Markup {
    let Some(next) = &page.next_cursor else { return html! {} };
    let next = [asked.fields(), vec![("cursor", next.clone())]].concat();
    html! {
        nav.pages aria-label="Pages" {
            a href=(address(&asked.fields())) { "First page" }
            a href=(address(&next)) rel="next" { "Next page" (icon(Icon::Next)) }
        }
    }
}
