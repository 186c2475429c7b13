//! What texts would change: a preview goes page by page, and its counts come along with the form.

use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::parts::format::{self, counted, grouped};
use super::super::parts::{Visit, cell, table};
use super::answer::in_words;
use super::shared::{Fields, hidden_texts, page, problems, refused, sync_errors_of, up};
use crate::domain::{Fingerprint, OrgId, PolicyName};
use crate::engine::{self, MissingQueue, PreviewedCause};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::PolicyTexts;
use crate::http::extract::{self, Asked, Form, Id};
use crate::http::preview::{self, Part};
use crate::http::problem::Problem;
use crate::policy::Difference;

/// Sync errors of a page; it ends before that when its time is over.
const PAGE: usize = 10_000;
/// Causes that the counts are kept of.
const CAUSES: usize = 60;

/// What was looked at so far.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    /// The revision that the texts are compared with.
    revision: u32,
    /// Sync errors that are not over.
    pub(super) open: u64,
    pub(super) looked_at: u64,
    would_pass: u64,
    would_fail_again: u64,
    changed: u64,
    /// Conversations that got through,
    pub(super) good: u64,
    /// and those of them with another answer.
    pub(super) good_changed: u64,
    /// Queues that the texts name and that are not there,
    missing_queues: BTreeSet<MissingQueue>,
    /// and organizations of which that is not known.
    untold_queues: BTreeSet<OrgId>,
    causes: Vec<Cause>,
    /// Whether there are more causes than are listed.
    more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cause {
    id: Fingerprint,
    org: OrgId,
    title: String,
    looked_at: u64,
    would_pass: u64,
    changed: u64,
}

/// A preview so far, and how it goes on.
pub(super) struct Previewed {
    pub(super) counts: Counts,
    examples: Vec<Difference>,
    cursor: Option<String>,
    /// Whether another revision came into force meanwhile.
    moved: bool,
    /// Whether it decides for no organization: then there is nothing to ask it about.
    unused: bool,
}

impl Counts {
    fn add(&mut self, page: &engine::Preview, wanted: Option<&Fingerprint>) {
        self.open = page.open;
        self.looked_at += page.errors.looked_at;
        self.good += page.good.looked_at;
        self.good_changed += page.good.different;
        MissingQueue::collect(&mut self.missing_queues, page.missing_queues.iter().cloned());
        self.untold_queues.extend(page.untold_queues.iter().cloned());
        for cause in &page.groups {
            self.would_pass += cause.would_pass;
            self.would_fail_again += cause.would_fail_again;
            self.changed += cause.changed;
            self.add_cause(cause);
        }
        // The one that is to be mended comes first, then those of which most would pass.
        let rank = |cause: &Cause| (Some(&cause.id) == wanted, cause.would_pass, cause.changed, cause.looked_at);
        self.causes.sort_by_key(|cause| std::cmp::Reverse(rank(cause)));
        self.more |= self.causes.len() > CAUSES;
        self.causes.truncate(CAUSES);
    }

    fn add_cause(&mut self, of: &PreviewedCause) {
        match self.causes.iter_mut().find(|cause| cause.id == of.id && cause.org == of.org) {
            Some(cause) => {
                cause.looked_at += of.looked_at;
                cause.would_pass += of.would_pass;
                cause.changed += of.changed;
            }
            None => self.causes.push(Cause {
                id: of.id.clone(),
                org: of.org.clone(),
                title: of.title.clone(),
                looked_at: of.looked_at,
                would_pass: of.would_pass,
                changed: of.changed,
            }),
        }
    }

    /// Of a cause: how many were looked at, and how many of them would pass.
    pub(super) fn of(&self, org: &OrgId, group: &Fingerprint) -> (u64, u64) {
        let found = self.causes.iter().find(|cause| cause.id == *group && cause.org == *org);
        found.map_or((0, 0), |cause| (cause.looked_at, cause.would_pass))
    }
}

impl Previewed {
    /// Whether there is a next page.
    pub(super) const fn goes_on(&self) -> bool {
        self.cursor.is_some()
    }
}

/// Looks at the next page; the counts of those before are in the form.
pub(super) async fn go_on(
    app: &App,
    caller: &Caller,
    name: &PolicyName,
    texts: &PolicyTexts,
    fields: &Fields,
    wanted: Option<&Fingerprint>,
) -> Result<Previewed, Problem> {
    let cursor = Some(fields.get("cursor")).filter(|cursor| !cursor.is_empty()).map(str::to_owned);
    let so_far = cursor.as_ref().map(|_| serde_json::from_str(fields.get("so_far")));
    let so_far: Option<Counts> =
        so_far.transpose().map_err(|_| Problem::bad_request("so_far: not the counts that a preview gave"))?;
    let part = Part { cursor, limit: Some(PAGE) };
    let (state, caller, json) = (State(app.clone()), Extension(caller.clone()), extract::Json(texts.clone()));
    let Json(page) = preview::preview(state, caller, Id(name.clone()), Asked(part), json).await?;
    let cursor = page.next_cursor.clone();
    let page = engine::Preview::from(page);
    let revision = page.in_force.as_ref().map_or(0, |in_force| in_force.revision);
    let moved = so_far.as_ref().is_some_and(|so_far| so_far.revision != revision);
    let unused = page.orgs.is_empty();
    let mut counts = Counts { revision, ..so_far.unwrap_or_default() };
    counts.add(&page, wanted);
    let examples = page.errors.examples.into_iter().chain(page.good.examples).collect();
    Ok(Previewed { counts, examples, cursor, moved, unused })
}

/// What a form that goes on brings along.
pub(super) fn hidden(previewed: &Previewed) -> Markup {
    html! {
        @if let Some(cursor) = &previewed.cursor {
            input type="hidden" name="cursor" value=(cursor);
            input type="hidden" name="so_far" value=(serde_json::to_string(&previewed.counts).unwrap_or_default());
        }
    }
}

/// The counts, and how far the preview is.
pub(super) fn shown(previewed: &Previewed) -> Markup {
    let Previewed { counts, examples, cursor, moved, unused } = previewed;
    html! {
        @if *moved {
            p.notice.bad { "Another revision came into force while this went on: the counts are of both. Begin again." }
        }
        @if *unused {
            p.notice { "No organization has this policy as its own, so there is nothing to ask it about." }
        }
        p.sums role="status" {
            b { (grouped(counts.would_pass)) " of " (counted(counts.looked_at, "sync error", "sync errors")) " would pass" }
            ", " (grouped(counts.would_fail_again)) " would fail again; "
            b { (grouped(counts.good_changed)) " of " (counted(counts.good, "good conversation", "good conversations")) " would change" } "."
        }
        @for MissingQueue { org, queue } in &counts.missing_queues {
            p.notice.bad { b { (org) " has no queue “" (queue) "”" } ", or several of that name: what goes there would fail." }
        }
        @if !counts.untold_queues.is_empty() {
            p.notice { "Salesforce did not say which queues there are: "
                (counts.untold_queues.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ")) "." }
        }
        p {
            progress max=(counts.open.max(1)) value=(counts.looked_at) aria-label="Sync errors looked at" {}
            " "
            @if cursor.is_some() { (grouped(counts.looked_at)) " of " (grouped(counts.open)) " looked at." }
            @else { "All " (grouped(counts.looked_at)) " looked at." }
        }
        (causes(counts))
        (differences(examples))
    }
}

fn causes(counts: &Counts) -> Markup {
    let row = |cause: &Cause| {
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { a href=(sync_errors_of(&cause.org, &cause.id)) { (cause.title) } }
                (cell("Organization", &html! { (cause.org) }))
                (cell("Would pass", &html! { (grouped(cause.would_pass)) " of " (grouped(cause.looked_at)) }))
                (cell("Other answers", &html! { (grouped(cause.changed)) }))
            }
        }
    };
    let rows = html! { @for cause in &counts.causes { (row(cause)) } };
    html! {
        @if !counts.causes.is_empty() {
            h2 { "By cause" }
            (table(&["Cause", "Organization", "Would pass", "Other answers"], &rows))
        }
        @if counts.more { p.hint { "Only " (CAUSES) " causes are listed; the sums are of all." } }
    }
}

fn differences(examples: &[Difference]) -> Markup {
    let row = |example: &Difference| {
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { code { (example.conversation) } }
                (cell("Asked to", &html! { (example.question) }))
                (cell("Now", &html! { (format::cut(&in_words(&example.now))) }))
                (cell("Then", &html! { (format::cut(&in_words(&example.then))) }))
            }
        }
    };
    let rows = html! { @for example in examples { (row(example)) } };
    html! {
        @if !examples.is_empty() {
            h2 { "Some answers that would be others" }
            (table(&["Conversation", "Asked to", "Now", "Then"], &rows))
        }
    }
}

/// The next page of a preview of the texts in the editor.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let (texts, title) = (fields.texts(), format!("Preview of {name}"));
    let keep = |rest: &Markup, more: bool| {
        html! {
            form.actions method="post" action={ "/policies/" (name) "/edit" } {
                (hidden_texts(&texts, fields.get("tag"))) (rest)
                @if more { button type="submit" data-goes-on formaction={ "/policies/" (name) "/preview" } { "Go on" } }
                button.quiet type="submit" { "Back to the editor" }
                button.quiet type="submit" name="do" value="shadow" { "Ask as a shadow" }
                button.quiet[more] type="submit" name="do" value="put" { "Put in force" }
            }
        }
    };
    match go_on(&app, &caller, &name, &texts, &fields, None).await {
        Ok(previewed) => {
            let content = html! {
                (up(&name)) h1 { (title) }
                (shown(&previewed))
                (keep(&hidden(&previewed), previewed.cursor.is_some()))
            };
            page(&visit, &title, &content).into_response()
        }
        Err(problem) => {
            let content = html! {
                (up(&name)) h1 { (title) }
                div.notice.bad role="alert" {
                    @if problem.problems.is_empty() { (format::capital(problem.detail())) "." } @else { (problems(&problem.problems)) }
                }
                (keep(&html! {}, false))
            };
            refused(&visit, &title, &problem, &content)
        }
    }
}

#[cfg(test)]
mod tests;
