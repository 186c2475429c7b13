//! The question before something is done with many sync errors at once: how many, by cause, at what price, and why; and the beginning.

mod begun;
mod request;

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

pub(super) use self::begun::begin;
pub(super) use self::request::{Fields, SELECTED, fields_of, for_field, moment};
use self::request::{back_of, has_selection, request};
use super::list_address::address;
use super::notices::who;
use super::once;
use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, Section, Visit, choice, choice_of_org, icon};
use super::words::{self, Names};
use crate::domain::{ErrorQuery, Fingerprint, OrgId, PolicyName, ResyncQuery};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::DryRun;
use crate::http::orgs;
use crate::http::problem::Problem;
use crate::http::reasons::given_before;
use crate::http::sync_errors::REASON;
use crate::http::wanted::Wanted;

/// Causes, and chosen sync errors, that a question names; those of many more are counted.
const NAMED: usize = 50;
/// Actions that are looked at for reasons that were given before.
const ACTIONS: usize = 1_000;

/// The question. Nothing is begun.
pub(super) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    RawQuery(address): RawQuery,
) -> Result<Markup, Problem> {
    let fields = fields_of(&address.unwrap_or_default());
    page(&app, &visit, &caller, &fields, None).await
}

async fn page(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    fields: &Fields,
    refused: Option<&Problem>,
) -> Result<Markup, Problem> {
    has_selection(fields)?;
    // What was refused is in the fields still, and is shown as it was given.
    let plain: Fields = fields
        .iter()
        .filter(|(name, _)| refused.is_none() || name != "reason" && name != "assignee")
        .cloned()
        .collect();
    let asked = request(&plain, true);
    let wanted = Wanted::of(app, caller, &asked)?;
    let is_asked = fields.iter().any(|(name, _)| !["task", "done", "back", SELECTED].contains(&name.as_str()));
    let dry = match &wanted {
        Wanted::Resync(..) if !is_asked => None,
        wanted => Some(wanted.plan(app).await?),
    };
    let names = Names::with_titles(app, queried(&wanted)).await?;
    let reasons = if asked.task == "ignore" { given_before(app, caller, ACTIONS).await? } else { Vec::new() };
    let count = dry.as_ref().map(|dry| count(&asked.task, dry));
    let title = match &count {
        Some(count) => format!("{}?", words::deed(&asked.task, *count)),
        None => "Send conversations once more".to_owned(),
    };
    let content = html! {
        p.hint { a href="/operations" { "Operations" } (back_of(fields).link()) }
        h1 { (title) }
        @if let Some(problem) = refused {
            div.notice.bad role="alert" #refused { div { b { "Nothing has begun. " } (format::capital(problem.detail())) "." } }
        }
        @match &wanted {
            Wanted::Errors(_, query) => { p { "Of " (words::over(query, &names)) "." } (whose(app, caller, query, &names).await?) (waits(app, &asked.task, dry.as_ref(), &names)) }
            Wanted::Resync(_, query) => { (which_delivered(app, caller, fields, query)) }
        }
        @if let Some(dry) = &dry {
            (told(dry, &names))
            @if count == Some(0) && dry.is_exact { (nothing(&wanted, &asked.task)) } @else { (form(&asked.task, fields, dry, &reasons, refused)) }
        }
    };
    Ok(visit.page(&title, Section::Operations, &content))
}

/// What the button acts on: sync errors, or the causes that somebody is to look after.
fn count(task: &str, dry: &DryRun) -> u64 {
    if task == "assign" { dry.groups.len() as u64 } else { dry.matched }
}

fn queried(wanted: &Wanted) -> Vec<(OrgId, Fingerprint)> {
    let Wanted::Errors(_, query) = wanted else { return Vec::new() };
    let of = |org: &OrgId| query.groups.iter().map(|id| (org.clone(), id.clone())).collect::<Vec<_>>();
    query.orgs.iter().flat_map(of).collect()
}

/// Whose sync errors are meant, where they are meant by their ids.
async fn whose(app: &App, caller: &Caller, query: &ErrorQuery, names: &Names) -> Result<Markup, Problem> {
    let ids: Vec<_> = query.ids.iter().take(NAMED).cloned().collect();
    let mut errors = app.parts.engine.ledger().sync_errors_of(&ids).await?;
    errors.retain(|error| caller.sees(&error.org));
    Ok(html! {
        @if !errors.is_empty() {
            ul {
                @for error in &errors {
                    li {
                        a href={ "/sync-errors/" (error.id) } { bdi { (who(error)) } }
                        ": " code { (error.refusal.code) } ", " bdi { (names.org(&error.org)) }
                    }
                }
                @if query.ids.len() > NAMED { li { "and " (query.ids.len() - NAMED) " more" } }
            }
        }
    })
}

/// Organizations through which nothing gets at present: what is retried there waits.
fn waits(app: &App, task: &str, dry: Option<&DryRun>, names: &Names) -> Markup {
    let orgs = app.parts.engine.orgs();
    let is_meant = |org: &OrgId| dry.is_some_and(|dry| dry.groups.iter().any(|group| group.org == *org));
    let held = orgs.iter().filter(|(org, health)| is_meant(&org.id) && health.incident.is_some());
    html! {
        @if task == "retry" {
            @for (org, _) in held {
                div.notice.wait {
                    div {
                        "Nothing gets through to " b { (names.org(&org.id)) } " at present: what is retried there waits until something does. "
                        a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" }
                    }
                }
            }
        }
    }
}

/// The fields by which conversations that got through are meant.
fn which_delivered(app: &App, caller: &Caller, fields: &Fields, query: &ResyncQuery) -> Markup {
    let chosen = fields.iter().find(|(name, _)| *name == "org").map(|(_, value)| value.as_str());
    let orgs = orgs::seen(app, caller);
    let mut policies: BTreeSet<_> = orgs.iter().map(|org| org.policy()).collect();
    if caller.orgs().is_none() {
        policies.extend(app.parts.policies.policies().into_iter().map(|policy| policy.name));
    }
    let policies: Vec<_> = policies.iter().map(|name| (name.to_string(), name.to_string())).collect();
    html! {
        p { "What a wrong policy put in the wrong place is mended, and sent again: the newest state of conversations that got through." }
        form.filters method="get" action="/operations/new" {
            input type="hidden" name="task" value="resync";
            label { "Organization" (choice_of_org("all", chosen, &orgs)) }
            label { "Got through since (UTC)"
                input type="datetime-local" name="delivered_from" value=(for_field(query.delivered.from));
            }
            label { "and before (UTC)"
                input type="datetime-local" name="delivered_before" value=(for_field(query.delivered.before));
            }
            label { "Queue" input name="queue" maxlength="200" value=(query.queues.first().map_or("", String::as_str)); }
            label { "Routed by the policy" (choice("policy", "any", query.policies.first().map(PolicyName::as_str), &policies)) }
            label { "in revision"
                input type="number" name="revision" min="1" max="4294967295" value=[query.revisions.first()];
            }
            button.quiet type="submit" { "Show how many" }
        }
        p.hint { "Of " (words::over_delivered(query)) "." }
    }
}

/// How many, by cause, and what it takes.
fn told(dry: &DryRun, names: &Names) -> Markup {
    html! {
        @if !dry.is_exact {
            p.notice.wait { "There are more: so many were counted before the counting was cut off. All that match are meant." }
        }
        @if !dry.groups.is_empty() {
            table role="table" {
                thead role="rowgroup" {
                    tr role="row" { @for column in ["Cause", "Organization", "Sync errors"] { th role="columnheader" scope="col" { (column) } } }
                }
                tbody role="rowgroup" {
                    @for group in dry.groups.iter().take(NAMED) {
                        tr role="row" {
                            td role="cell" data-label="Cause" { div { a href=(words::cause(&group.org, &group.id)) { (group.title) } } }
                            td role="cell" data-label="Organization" { div { (names.org(&group.org)) } }
                            td.number role="cell" data-label="Sync errors" { div { (grouped(group.matched)) } }
                        }
                    }
                }
            }
            @if dry.groups.len() > NAMED { p.hint { "and " (counted((dry.groups.len() - NAMED) as u64, "cause", "causes")) " more." } }
        }
        @if dry.salesforce_calls > 0 {
            p.hint {
                "About " (counted(dry.salesforce_calls, "call", "calls")) " to Salesforce. "
                @if dry.task == "retry" { "Three of each cause go first: where they fail by the same cause again, the rest of that cause is left alone. " }
                "It goes on behind new conversations, and can be paused."
            }
        }
    }
}

/// Why nothing would be done.
fn nothing(wanted: &Wanted, task: &str) -> Markup {
    let Wanted::Errors(doing, query) = wanted else {
        return html! { p.empty { "Nothing that got through matches, so there is nothing to send." } };
    };
    let states: Vec<_> = doing.states().iter().map(|state| state.as_str()).collect();
    html! {
        p.empty {
            "There is nothing to do: no sync error that matches is " (states.join(" or ")) ". "
            @if task == "retry" { "(Of organizations that are no longer connected nothing is tried.) " }
            "Somebody may have been quicker: " a href="/operations" { "look at the operations" } ", or at "
            a href=(address(&ErrorQuery { states: BTreeSet::new(), ..ErrorQuery::clone(query) }, None)) { "all that match" } "."
        }
    }
}

/// The form that begins it. Its key is new for each question: a second press of the button begins nothing.
fn form(task: &str, fields: &Fields, dry: &DryRun, reasons: &[String], refused: Option<&Problem>) -> Markup {
    let given = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str());
    let filters = fields
        .iter()
        .filter(|(name, value)| !value.is_empty() && !matches!(name.as_str(), "reason" | "assignee" | "key" | "done"));
    let (kind, mark) = match task {
        "ignore" => ("danger", Icon::Ignore),
        "reopen" => ("", Icon::Reopen),
        "assign" => ("", Icon::Assign),
        _ => ("", Icon::Retry),
    };
    html! {
        form.fields method="post" action="/operations" {
            @for (name, value) in filters { input type="hidden" name=(name) value=(value); }
            (once::field())
            @if task == "ignore" {
                label { "Reason, which stands in the audit of each"
                    input name="reason" required maxlength=(REASON) list="reasons" value=(given("reason"))
                        autofocus aria-describedby=[refused.map(|_| "refused")];
                }
                datalist #reasons { @for reason in reasons { option value=(reason) {} } }
                p.hint { "What is ignored is not sent any more, until a later message or you reopen it. All of it can be taken back at once." }
            }
            @if task == "assign" {
                label { "To whom; empty for nobody" input name="assignee" maxlength="200" value=(given("assignee")); }
            }
            div.actions {
                button class=(kind) type="submit" autofocus[!matches!(task, "ignore" | "assign")] { (icon(mark)) (button(task, dry)) }
            }
        }
    }
}

fn button(task: &str, dry: &DryRun) -> String {
    let words = words::deed(task, count(task, dry));
    if dry.is_exact { words } else { words.replacen(' ', " at least ", 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_does_not_promise_less_than_it_does() {
        let dry =
            |is_exact| DryRun { task: "retry".into(), matched: 800, is_exact, salesforce_calls: 0, groups: Vec::new() };
        assert_eq!(button("retry", &dry(true)), "Retry 800 sync errors");
        assert_eq!(button("retry", &dry(false)), "Retry at least 800 sync errors");
    }
}
