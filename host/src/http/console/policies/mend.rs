//! Mends a policy's refusal where it hurts: a queue for a team, the change of the text, its preview, and in force with a retry.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::Visit;
use super::super::parts::format::{self, counted, grouped};
use super::difference::difference;
use super::mended::{Meant, meant, retry, which};
use super::preview;
use super::queues::choice;
use super::shared::{Fields, encoded, known, page, problems, refused, tag, texts_in_force, to, up};
use crate::domain::{Fingerprint, OrgId, PolicyName, SyncErrorId};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::PolicyTexts;
use crate::http::extract::{self, Asked, Form, Id, NewId};
use crate::http::policies;
use crate::http::problem::{Kind, Problem};
use crate::policy::{PolicyStatus, with_queue};

#[derive(Deserialize)]
pub(super) struct Query {
    group: Option<Fingerprint>,
    org: Option<OrgId>,
    sync_error: Option<SyncErrorId>,
    /// The queue that is chosen, and the words that queues are searched by.
    queue: Option<String>,
    search: Option<String>,
}

/// The choice of a queue, or what the chosen one would change.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Asked(query): Asked<Query>,
) -> Result<Markup, Problem> {
    let policy = known(&app, &name)?;
    let meant = meant(&app, &caller, &name, query.group, query.org, query.sync_error.as_ref()).await?;
    let texts = texts_in_force(&app, &name).unwrap_or_default();
    let queue = query.queue.as_deref().map(str::trim).filter(|queue| !queue.is_empty());
    let rest = match (meant.team.as_deref(), queue) {
        (None, _) => without_a_team(&name),
        (Some(team), None) => choice(&app, &name, &meant, team, &texts, query.search.as_deref()).await?,
        (Some(team), Some(queue)) => match with_queue(&texts.toml, team, queue) {
            Some(toml) => {
                let new = PolicyTexts { toml, scripts: texts.scripts.clone() };
                html! {
                    h2 { "The change" }
                    (difference(&name, &texts, &new))
                    (buttons(&name, &meant, team, queue, &tag(Some(&policy)), &html! {}, Some("Preview")))
                }
            }
            None => by_hand(&name, team, queue),
        },
    };
    Ok(page(&visit, &title(&meant), &html! { (head(&name, &meant)) (rest) }))
}

fn title(meant: &Meant) -> String {
    match &meant.team {
        Some(team) => format!("A queue for team {team}"),
        None => "A queue".to_owned(),
    }
}

fn head(name: &PolicyName, meant: &Meant) -> Markup {
    html! {
        (up(name))
        h1 { "A queue" @if let Some(team) = &meant.team { " for team " bdi { (team) } } }
        p {
            a href=(super::shared::sync_errors_of(&meant.org, &meant.group)) {
                (counted(meant.open, "sync error", "sync errors"))
            }
            " of " (meant.org_name) @if meant.open == 1 { " waits" } @else { " wait" } ", because the policy " (name) " says:"
        }
        blockquote.said { (format::cut(&meant.says)) }
    }
}

fn without_a_team(name: &PolicyName) -> Markup {
    html! {
        p { "These conversations have no team, so no line about a team can help. The policy has to say where they go." }
        p.actions { a.button href={ "/policies/" (name) "/edit" } { "Edit the policy" } }
    }
}

fn by_hand(name: &PolicyName, team: &str, queue: &str) -> Markup {
    let address = format!("/policies/{name}/edit?team={}&queue={}", encoded(team), encoded(queue));
    html! {
        p {
            "This policy has no table of teams and queues in its settings (" code { "settings.queues" } " or " code { "settings.teams" }
            "), so its text cannot be changed by itself. Say in it that team “" (team) "” has the queue “" (queue) "”."
        }
        p.actions { a.button href=(address) { "Write it" } }
    }
}

fn buttons(
    name: &PolicyName,
    meant: &Meant,
    team: &str,
    queue: &str,
    tag: &str,
    more: &Markup,
    preview: Option<&str>,
) -> Markup {
    let action = format!("/policies/{name}/mend");
    html! {
        form.actions method="post" action=(action) {
            (which(meant)) (more)
            input type="hidden" name="team" value=(team);
            input type="hidden" name="queue" value=(queue);
            input type="hidden" name="tag" value=(tag);
            @if let Some(preview) = preview {
                button.quiet type="submit" formaction={ (action) "/preview" } { (preview) }
            }
            button type="submit" {
                @if meant.open == 0 { "Put in force" } @else { "Put in force and retry these " (grouped(meant.open)) }
            }
            a href={ (action) "?group=" (meant.group) "&org=" (meant.org) } { "Another queue" }
        }
    }
}

/// What a form of these pages asks for.
struct Wanted {
    name: PolicyName,
    policy: PolicyStatus,
    meant: Meant,
    fields: Fields,
    before: PolicyTexts,
    after: Option<PolicyTexts>,
}

impl Wanted {
    async fn read(app: &App, caller: &Caller, name: PolicyName, fields: Fields) -> Result<Self, Problem> {
        let policy = known(app, &name)?;
        let (group, org) = (fields.parsed("group")?, fields.parsed("org")?);
        let meant = meant(app, caller, &name, Some(group), Some(org), None).await?;
        let before = texts_in_force(app, &name).unwrap_or_default();
        let toml = with_queue(&before.toml, fields.get("team"), fields.get("queue"));
        let after = toml.map(|toml| PolicyTexts { toml, scripts: before.scripts.clone() });
        Ok(Self { name, policy, meant, fields, before, after })
    }

    fn texts(&self) -> Result<&PolicyTexts, Problem> {
        self.after.as_ref().ok_or_else(|| Problem::conflict("the policy's text cannot be changed by itself any more"))
    }

    /// The change again, with the version that is in force now.
    fn again(&self, rest: &Markup, more: &Markup, preview: Option<&str>) -> Markup {
        let Self { name, policy, meant, fields, before, after } = self;
        let tag = tag(Some(policy));
        html! {
            (head(name, meant)) (rest)
            @if let Some(after) = after {
                h2 { "The change" }
                (difference(name, before, after))
                (buttons(name, meant, fields.get("team"), fields.get("queue"), &tag, more, preview))
            }
        }
    }

    fn refused(&self, visit: &Visit, problem: &Problem) -> Response {
        let rest = html! {
            div.notice.bad role="alert" {
                b { "Nothing is changed." } " "
                @match &self.policy.in_force {
                    Some(it) if problem.is(Kind::Stale) => {
                        "Somebody was quicker: revision " (it.revision) " is in force, given by " (it.origin) ", "
                        (format::time(it.applied_at)) ". This is the change to their text:"
                    }
                    _ if problem.problems.is_empty() => { (format::capital(problem.detail())) "." }
                    _ => { (problems(&problem.problems)) }
                }
            }
        };
        refused(visit, &title(&self.meant), problem, &self.again(&rest, &html! {}, Some("Preview")))
    }
}

/// The next page of the preview of the change.
pub(super) async fn try_out(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(&app, &caller, name, Fields(fields)).await?;
    let (texts, group) = (wanted.texts()?, &wanted.meant.group);
    let previewed = match preview::go_on(&app, &caller, &wanted.name, texts, &wanted.fields, Some(group)).await {
        Ok(previewed) => previewed,
        Err(problem) => return Ok(wanted.refused(&visit, &problem)),
    };
    let (looked_at, would_pass) = previewed.counts.of(&wanted.meant.org, group);
    let rest = html! {
        h2 { "The preview" }
        p.notice role="status" {
            b { (grouped(would_pass)) " of these " (grouped(looked_at)) " would pass" } ", "
            b { (grouped(previewed.counts.good_changed)) " of " (grouped(previewed.counts.good)) " good ones would change" } "."
        }
        (preview::shown(&previewed))
    };
    let content =
        wanted.again(&rest, &preview::hidden(&previewed), previewed.goes_on().then_some("Go on with the preview"));
    Ok(page(&visit, &title(&wanted.meant), &content).into_response())
}

/// Puts the change in force and retries what waits for it.
pub(super) async fn put(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(&app, &caller, name.clone(), Fields(fields)).await?;
    let put = match wanted.fields.expected(Some(&wanted.policy)) {
        Ok(expected) => {
            let (state, caller) = (State(app.clone()), Extension(caller.clone()));
            let json = extract::Json(wanted.texts()?.clone());
            policies::apply(state, caller, NewId(name.clone()), expected, json).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = put {
        return Ok(wanted.refused(&visit, &problem));
    }
    let before = wanted.policy.in_force.as_ref().map(|in_force| in_force.revision);
    // It is in force: where the retry cannot begin, the page that follows says so and has the button again.
    let operation = retry(&app, &caller, &wanted.meant).await.ok();
    Ok(mended(&name, &wanted.meant, operation.as_deref(), before).into_response())
}

/// Retries what waits, where the policy needs no change any more.
pub(super) async fn again(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Problem> {
    let fields = Fields(fields);
    let (group, org) = (fields.parsed("group")?, fields.parsed("org")?);
    let meant = meant(&app, &caller, &name, Some(group), Some(org), None).await?;
    let operation = retry(&app, &caller, &meant).await?;
    let before = fields.get("before").parse().ok();
    Ok(mended(&name, &meant, Some(&operation), before))
}

fn mended(name: &PolicyName, meant: &Meant, operation: Option<&str>, before: Option<u32>) -> Redirect {
    let mut address = format!("/policies/{name}/mended?group={}&org={}", meant.group, meant.org);
    if let Some(operation) = operation {
        address = format!("{address}&operation={operation}");
    }
    if let Some(before) = before {
        address = format!("{address}&before={before}");
    }
    to(&address)
}
