//! Asks the policy in force about one conversation: from a sync error, or written by hand. Nothing is written anywhere.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::super::parts::format::{self, grouped};
use super::super::parts::{Visit, cell, table};
use super::answer::in_words;
use super::shared::{Fields, known, page, up};
use crate::domain::{Decision, PolicyName, Question, SyncError, SyncErrorId};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Asked, Form, Id};
use crate::http::problem::Problem;
use crate::http::repro::failure;
use crate::http::sync_errors::find;
use crate::policy::case::{Case, CaseAnswer, Conversation, Found};

/// What a person may begin with.
const EXAMPLE: &str = r#"{
  "conversation": {
    "id": "main:1",
    "channel": "whatsapp",
    "team": "orders",
    "tags": [],
    "customer": { "name": "Jane Doe", "email": "jane@example.com" },
    "messages": [{ "body": "Where is my order?" }]
  }
}"#;

#[derive(Deserialize)]
pub(super) struct About {
    /// A sync error whose conversation it is.
    sync_error: Option<SyncErrorId>,
}

/// The form, with the conversation of a sync error where one is named, and then with the answers too.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Asked(about): Asked<About>,
) -> Result<Response, Problem> {
    known(&app, &name)?;
    let Some(id) = about.sync_error else { return Ok(form(&visit, &name, EXAMPLE, &html! {})) };
    let error = find(&app, &caller, &id).await?;
    let case = case_of(&app, &error).await?;
    let text = serde_json::to_string_pretty(&case).unwrap_or_default();
    let answers = ask(&app, &name, &case).await?;
    Ok(form(&visit, &name, &text, &answers))
}

/// Asks about the conversation of the form.
pub(super) async fn answer(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    known(&app, &name)?;
    let fields = Fields(fields);
    let text = fields.get("case").replace("\r\n", "\n");
    let answers = match Case::read_input(&text) {
        Ok(case) => ask(&app, &name, &case).await?,
        Err(error) => html! {
            div.notice.bad role="alert" { b { "Nobody was asked." } " The conversation cannot be read: " (format::cut(&error.to_string())) }
        },
    };
    Ok(form(&visit, &name, &text, &answers))
}

/// The conversation of a sync error, as the policy was told it.
async fn case_of(app: &App, error: &SyncError) -> Result<Case, Problem> {
    let of = app.parts.engine.ledger().readable_conversation(&error.org, &error.conversation).await?;
    let of = of.ok_or_else(|| Problem::not_found(format!("conversation {} is not on record", error.conversation)))?;
    let found = error.refusal.choice.iter().flat_map(|choice| &choice.found).map(Found::from).collect();
    let failure = Some(failure(error));
    Ok(Case { now: Some(error.last_seen), failure, found, ..Case::new(Conversation::from(&of)) })
}

/// Puts every question that makes sense.
async fn ask(app: &App, name: &PolicyName, case: &Case) -> Result<Markup, Problem> {
    let policy = app.parts.policies.in_force(name);
    let policy = policy.ok_or_else(|| Problem::conflict("nothing is in force that could be asked"))?;
    let mut rows = Vec::new();
    for question in [Question::Route, Question::Search, Question::Choose, Question::Judge] {
        let makes_sense = match question {
            Question::Route | Question::Search => true,
            Question::Choose => !case.found.is_empty(),
            Question::Judge => case.failure.is_some(),
        };
        if makes_sense || case.question == question {
            rows.push(row(&policy.try_case(&Case { question, ..case.clone() }).await));
        }
    }
    let rows = html! { @for row in &rows { (row) } };
    Ok(html! {
        h2 { "It answers" }
        (table(&["Question", "Answer", "Rule", "Log", "Cost"], &rows))
        @if case.policy.is_some() || !case.settings.is_empty() {
            p.hint { "The policy and the settings of the text were passed over: what is in force was asked." }
        }
    })
}

fn row(decision: &Decision<CaseAnswer>) -> Markup {
    let answer = html! {
        @match &decision.answer {
            Ok(answer) => { (in_words(&json!(answer))) }
            Err(fault) => { span.badge.pending { "no answer" } " " (format::cut(&fault.to_string())) }
        }
    };
    let log = html! { @if !decision.logs.is_empty() { pre tabindex="0" role="region" aria-label="Log" { (decision.logs.join("\n")) } } };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { (decision.question) }
            (cell("Answer", &answer)) (cell("Rule", &html! { (decision.rule.as_deref().unwrap_or_default()) }))
            (cell("Log", &log)) (cell("Cost", &html! { (grouped(decision.cost)) }))
        }
    }
}

fn form(visit: &Visit, name: &PolicyName, text: &str, answers: &Markup) -> Response {
    let rows = text.lines().count().clamp(8, 30) + 1;
    let title = format!("Ask {name}");
    let content = html! {
        (up(name))
        h1 { (title) }
        p.hint {
            "The revision in force is asked about this conversation, with the clock of its newest message. Nothing is written "
            "anywhere. The text has the form of the cases that policies are tested with."
        }
        (answers)
        form.editor method="post" action={ "/policies/" (name) "/ask" } {
            label { "Conversation"
                textarea name="case" rows=(rows) spellcheck="false" autocapitalize="off" autocomplete="off" { "\n" (text) }
            }
            div.actions { button type="submit" { "Ask" } }
        }
    };
    page(visit, &title, &content).into_response()
}
