//! Who did what, yesterday or on any day: a sentence for each action, with a link to what it was done to.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::paging::{address, pages};
use super::parts::format::{self, counted};
use super::parts::{Section, Visit, cell, choice_of_org, table};
use super::words::Names;
use crate::domain::{Deed, Timestamp, Via};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::actions::{Query, page};
use crate::http::api::Action;
use crate::http::extract::Asked;
use crate::http::orgs;
use crate::http::problem::Problem;

const DAY: Duration = Duration::from_secs(86_400);

/// What the list is narrowed to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    by: String,
    org: String,
    what: String,
    /// A day of UTC, as `2026-01-15`.
    day: String,
    cursor: String,
}

impl Choice {
    fn fields(&self) -> [(&'static str, &str); 4] {
        [("by", self.by.as_str()), ("org", self.org.as_str()), ("what", self.what.as_str()), ("day", self.day.as_str())]
    }

    fn query(&self) -> Result<Query, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let day = given(&self.day).map(|day| format!("{day}T00:00:00Z").parse::<Timestamp>()).transpose();
        let day = day.map_err(|_| Problem::bad_request("day: it is not written as 2026-01-15"))?;
        Ok(Query {
            org: given(&self.org),
            by: given(&self.by),
            what: given(&self.what),
            since: day.map(|day| day.to_string()),
            before: day.map(|day| day.after(DAY).to_string()),
            limit: None,
            cursor: given(&self.cursor),
        })
    }
}

/// The actions that match.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Asked(choice): Asked<Choice>,
) -> Result<Markup, Problem> {
    let found = page(&app, &caller, &choice.query()?).await?;
    let edited = found.actions.iter().filter(|action| action.what == Deed::GroupEdit);
    let causes = edited.filter_map(|action| Some((action.org.clone()?, action.subject.as_deref()?.parse().ok()?)));
    let names = Names::with_titles(&app, causes).await?;
    let content = html! {
        h1 { "Who did what" }
        (filters(&app, &caller, &choice))
        @if found.actions.is_empty() {
            p.empty {
                @if found.next_cursor.is_some() { "None of the newest 5,000 actions. The next page looks at older ones." }
                @else { "Nobody did that." }
            }
        } @else {
            (table(&["When", "Who", "What", "Why"], &html! { @for action in &found.actions { (row(action, &names)) } }))
        }
        (pages("/actions", &choice.fields(), choice.cursor.is_empty(), found.next_cursor.as_deref()))
    };
    Ok(visit.page("Who did what", Section::Actions, &content))
}

fn filters(app: &App, caller: &Caller, choice: &Choice) -> Markup {
    let now = app.parts.clock.now();
    let day = |at: Timestamp| at.to_string().get(..10).unwrap_or_default().to_owned();
    let yesterday = day(Timestamp::from_millis(now.as_millis().saturating_sub(86_400_000)));
    html! {
        form.filters method="get" action="/actions" {
            label { "Person" input name="by" value=(choice.by) maxlength="100"; }
            label { "Organization" (choice_of_org("all", Some(&choice.org), &orgs::seen(app, caller))) }
            label { "Day (UTC)" input type="date" name="day" value=(choice.day); }
            label {
                "What"
                select name="what" {
                    option value="" { "anything" }
                    @for deed in Deed::ALL {
                        option value=(deed.as_str()) selected[choice.what == deed.as_str()] { (format::capital(did(*deed))) }
                    }
                }
            }
            button type="submit" { "Show" }
            a href=(address("/actions", &[("day", day(now).as_str())])) { "Today" }
            a href=(address("/actions", &[("day", yesterday.as_str())])) { "Yesterday" }
            @if choice.fields().iter().any(|(_, value)| !value.is_empty()) { a href="/actions" { "All" } }
        }
    }
}

fn row(action: &Action, names: &Names) -> Markup {
    let via = match action.via {
        Via::Api => ", by the API",
        Via::Console => "",
        Via::Folder => ", by a file",
        Via::Host => ", by itself",
    };
    let from = [action.token.as_ref().map(|id| id.as_str().to_owned()), action.address.map(|it| it.to_string())];
    let from = from.into_iter().flatten().collect::<Vec<_>>().join(", ");
    html! {
        tr role="row" {
            (cell("When", &format::time(action.at)))
            (cell("Who", &html! { b title=(from) { (action.by) } span.hint { (via) } }))
            (cell("What", &sentence(action, names)))
            (cell("Why", &html! { @if let Some(reason) = &action.reason { (format::cut(reason)) } }))
        }
    }
}

/// What was done, to what, and to how many.
fn sentence(action: &Action, names: &Names) -> Markup {
    let subject = action.subject.as_deref().unwrap_or_default();
    let cause = subject.parse().ok().filter(|_| action.what == Deed::GroupEdit);
    let called = match (&action.org, &cause) {
        (Some(org), Some(cause)) => names.cause(org, cause),
        _ => subject,
    };
    html! {
        (did(action.what))
        @if action.count > 1 { " (" (counted(action.count, "one", "of them")) ")" }
        @if !subject.is_empty() {
            " "
            @match place(action) {
                Some(place) => { a.clip href=(place) title=(called) { (called) } }
                None => { code.clip title=(subject) { (subject) } }
            }
        }
        @if let Some(org) = &action.org { span.hint { " · " bdi.clip title=(names.org(org)) { (names.org(org)) } } }
    }
}

/// The page of what it was done to.
fn place(action: &Action) -> Option<String> {
    let subject = action.subject.as_deref()?;
    Some(match action.what {
        Deed::Retry | Deed::Ignore | Deed::Reopen | Deed::Choose => format!("/sync-errors/{subject}"),
        Deed::OperationBegin
        | Deed::OperationPause
        | Deed::OperationResume
        | Deed::OperationCancel
        | Deed::OperationUndo => {
            format!("/operations/{subject}")
        }
        Deed::GroupEdit => match &action.org {
            Some(org) => format!("/causes/{subject}?org={org}"),
            None => format!("/causes/{subject}"),
        },
        Deed::IgnoreParked | Deed::Erase => format!("/conversations/{subject}"),
        // What was done to a policy may name a revision behind it.
        Deed::PolicyPut
        | Deed::PolicyRollBack
        | Deed::PolicyRestore
        | Deed::RejectionForget
        | Deed::ShadowStart
        | Deed::ShadowEnd => format!("/policies/{}", subject.split(' ').next()?),
        Deed::TokenMake | Deed::TokenRevoke => "/tokens".to_owned(),
        _ => return None,
    })
}

/// What was done, as the end of a sentence that begins with who did it.
const fn did(what: Deed) -> &'static str {
    match what {
        Deed::Retry => "retried a sync error",
        Deed::Ignore => "ignored a sync error",
        Deed::Reopen => "reopened an ignored sync error",
        Deed::Choose => "chose a contact for a conversation",
        Deed::RetryAll => "retried all sync errors of an organization",
        Deed::OperationBegin => "began an operation over many sync errors",
        Deed::OperationPause => "paused an operation",
        Deed::OperationResume => "resumed an operation",
        Deed::OperationCancel => "cancelled an operation",
        Deed::OperationUndo => "undid an operation",
        Deed::GroupEdit => "changed what stands at a cause",
        Deed::IgnoreParked => "ignored a parked conversation",
        Deed::Erase => "erased conversations of a customer",
        Deed::Check => "looked at the first points to check",
        Deed::QuarantineRetry => "put a record of the quarantine back",
        Deed::QuarantineDrop => "forgot a record of the quarantine",
        Deed::PolicyPut => "put a policy in force",
        Deed::PolicyRollBack => "rolled a policy back that did worse",
        Deed::PolicyRestore => "restored a revision of a policy",
        Deed::PolicyDelete => "deleted a policy",
        Deed::RejectionForget => "let go why a policy was refused",
        Deed::ShadowStart => "began a shadow of a policy",
        Deed::ShadowEnd => "ended a shadow of a policy",
        Deed::PluginPut => "handed a plugin in",
        Deed::PluginPull => "pulled a plugin",
        Deed::PluginDelete => "deleted a plugin",
        Deed::AuthorizeStart => "began to authorize an organization",
        Deed::Authorize => "authorized an organization",
        Deed::AuthorizeRefused => "was refused an authorization",
        Deed::OrgSettings => "changed settings of an organization",
        Deed::MailTest => "sent a test mail",
        Deed::SignIn => "signed in",
        Deed::SignInRefused => "gave a token that is none",
        Deed::SignOut => "signed out",
        Deed::TokenMake => "made a token",
        Deed::TokenRevoke => "revoked a token",
        Deed::Backup => "read a backup",
        Deed::Recount => "recounted the store",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_of_utc_and_what_is_none_is_said() {
        let choice = |day: &str| Choice { day: day.to_owned(), ..Choice::default() };
        let query = choice("2026-02-28").query().ok().unwrap();
        assert_eq!(query.since.as_deref(), Some("2026-02-28T00:00:00.000Z"));
        assert_eq!(query.before.as_deref(), Some("2026-03-01T00:00:00.000Z"));
        assert!(choice("").query().is_ok_and(|query| query.since.is_none()));
        for bad in ["28.2.2026", "2026-02-30", "<script>"] {
            assert!(choice(bad).query().is_err(), "{bad}");
        }
    }
}
