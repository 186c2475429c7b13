//! The editor of a policy: its texts in a form that checks, compares, tries out and puts in force, and never loses a word.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::format;
use super::super::parts::{Done, Visit};
use super::difference::difference;
use super::done::did;
use super::listing::{Mark, Marks, excerpt};
use super::shared::{Fields, field_of, marks, may_try, page, problems, refused, tag, texts_in_force, texts_of, up};
use crate::domain::PolicyName;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::PolicyTexts;
use crate::http::extract::{self, Asked, Form, NewId};
use crate::http::policies::{self, source_of};
use crate::http::problem::{Kind, Problem};
use crate::policy::{is_script_file, scripts_named};

/// What a new policy begins with.
const BEGUN: &str = "# The policy is asked which queue a conversation goes to; other questions are left to the default policy.\n\
[routing]\nplugin = \"script\"\nscript = \"NAME.rhai\"\n\n[routing.settings.queues]\n# team = \"Queue\"\n";
const BEGUN_SCRIPT: &str = "fn route(conversation) {\n    let team = conversation.team;\n    \
if team in settings.queues {\n        return queue(settings.queues[team]);\n    }\n    \
refuse(\"TEAM_NOT_MAPPED\", `No queue is mapped to team \"${team}\".`)\n}\n";

#[derive(Default, Deserialize)]
pub(super) struct From {
    /// The revision to begin with.
    revision: Option<u32>,
    /// A team that is to have a queue.
    team: Option<String>,
    queue: Option<String>,
}

/// What there is to say above the editor.
enum Said {
    Nothing,
    Fine,
    Refused(Problem),
    Difference(Markup),
    Raced(Markup),
    Wanted { team: String, queue: String },
}

/// The editor, with the texts in force or those of an earlier revision.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    NewId(name): NewId<PolicyName>,
    Asked(from): Asked<From>,
) -> Result<Markup, Problem> {
    let texts = match from.revision {
        Some(number) => texts_of(&app, &name, number)?,
        None => texts_in_force(&app, &name).unwrap_or_else(|| begun(&name)),
    };
    let tag = tag(app.parts.policies.policy(&name).as_ref());
    let said = match (from.team, from.queue) {
        (Some(team), Some(queue)) => Said::Wanted { team, queue },
        _ => Said::Nothing,
    };
    Ok(page(&visit, &format!("Edit {name}"), &editor(&visit, &name, &texts, &tag, &said)))
}

fn begun(name: &PolicyName) -> PolicyTexts {
    let script = format!("{name}.rhai");
    PolicyTexts { toml: BEGUN.replace("NAME", name.as_str()), scripts: [(script, BEGUN_SCRIPT.to_owned())].into() }
}

/// Checks the texts, compares them, puts them in force or has them asked beside those that are.
pub(super) async fn act(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    NewId(name): NewId<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let mut texts = fields.texts();
    // A script that the text names has a field from now on.
    for script in scripts_named(&texts.toml) {
        texts.scripts.entry(script).or_default();
    }
    let title = format!("Edit {name}");
    let shown = |said: Said, tag: &str| page(&visit, &title, &editor(&visit, &name, &texts, tag, &said));
    let fine = |said: Said| shown(said, fields.get("tag")).into_response();
    let (state, caller_of) = (State(app.clone()), Extension(caller.clone()));
    let acted = match fields.get("do") {
        "put" => put(&app, &caller, &name, &fields, &texts).await.map(|()| Done::PolicyPut),
        "shadow" => {
            let json = extract::Json(texts.clone());
            policies::start_shadow(state, caller_of, NewId(name.clone()), json).await.map(|_| Done::ShadowStarted)
        }
        "difference" => {
            let before = texts_in_force(&app, &name).unwrap_or_default();
            return fine(Said::Difference(difference(&name, &before, &texts)));
        }
        "check" => match check(&app, &caller, &name, &texts).await {
            Ok(()) => return fine(Said::Fine),
            Err(problem) => Err(problem),
        },
        // Back from the preview.
        _ => return fine(Said::Nothing),
    };
    let problem = match acted {
        Ok(done) => return did(&name, &done).into_response(),
        Err(problem) => problem,
    };
    let status = app.parts.policies.policy(&name);
    if problem.is(Kind::Stale) {
        if texts_in_force(&app, &name).as_ref() == Some(&texts) {
            return did(&name, &Done::PolicyPut).into_response();
        }
        let said = Said::Raced(raced(&app, &name, &texts));
        let content = editor(&visit, &name, &texts, &tag(status.as_ref()), &said);
        return refused(&visit, &title, &problem, &content);
    }
    let content = editor(&visit, &name, &texts, fields.get("tag"), &Said::Refused(problem.clone()));
    refused(&visit, &title, &problem, &content)
}

async fn put(
    app: &App,
    caller: &Caller,
    name: &PolicyName,
    fields: &Fields,
    texts: &PolicyTexts,
) -> Result<(), Problem> {
    let expected = fields.expected(app.parts.policies.policy(name).as_ref())?;
    let (state, caller, json) = (State(app.clone()), Extension(caller.clone()), extract::Json(texts.clone()));
    policies::apply(state, caller, NewId(name.clone()), expected, json).await.map(drop)
}

/// Whether the texts would be accepted.
pub(super) async fn check(app: &App, caller: &Caller, name: &PolicyName, texts: &PolicyTexts) -> Result<(), Problem> {
    let source = source_of(texts, app, caller)?;
    app.parts.policies.candidate(name.clone(), source).await?;
    Ok(())
}

/// Who was quicker, and what that changed.
fn raced(app: &App, name: &PolicyName, texts: &PolicyTexts) -> Markup {
    let status = app.parts.policies.policy(name);
    let in_force = status.as_ref().and_then(|status| status.in_force.as_ref());
    html! {
        div.notice.bad role="alert" {
            b { "Nothing is changed: somebody was quicker." }
            @if let Some(it) = in_force {
                " Revision " (it.revision) " is in force, given by " (it.origin) ", " (format::time(it.applied_at)) ". "
            }
            "Your text is kept below."
        }
        h2 { "What it would change of theirs" }
        (difference(name, &texts_in_force(app, name).unwrap_or_default(), texts))
    }
}

fn editor(visit: &Visit, name: &PolicyName, texts: &PolicyTexts, tag: &str, said: &Said) -> Markup {
    let problem = match said {
        Said::Refused(problem) => Some(problem),
        _ => None,
    };
    let file = |file: &str, field: &str, text: &str| {
        let mut marks = problem.map(|problem| marks(&problem.problems, file)).unwrap_or_default();
        if let Said::Wanted { .. } = said {
            marks.extend(places(text));
        }
        area(file, field, text, &marks)
    };
    html! {
        (up(name))
        h1 { "Edit " (name) }
        (say(said))
        form.editor method="post" action={ "/policies/" (name) "/edit" } {
            input type="hidden" name="tag" value=(tag);
            div.sticky {
                button.quiet type="submit" name="do" value="check" { "Check" }
                button.quiet type="submit" name="do" value="difference" { "Difference" }
                @if may_try(visit) {
                    button.quiet type="submit" formaction={ "/policies/" (name) "/preview" } { "Preview" }
                }
                button.quiet type="submit" name="do" value="shadow" { "Ask as a shadow" }
                button type="submit" name="do" value="put" { "Put in force" }
            }
            (file(&format!("{name}.toml"), "toml", &texts.toml))
            @for (script, text) in texts.scripts.iter().filter(|(script, _)| is_script_file(script)) {
                (file(script, &field_of(script), text))
            }
        }
        p.hint {
            "Check tries the texts with a sample. The preview asks them about all sync errors that are not over and about "
            "conversations that got through. A shadow is asked beside what is in force and decides nothing. What is put in force "
            "decides the next conversation; what was in force can be put back."
        }
    }
}

fn say(said: &Said) -> Markup {
    html! {
        @match said {
            Said::Nothing => {}
            Said::Raced(of) => { (of) }
            Said::Fine => { p.notice role="status" { "These texts would be accepted. Nothing is changed yet." } }
            Said::Difference(of) => { h2 { "What would change" } (of) }
            Said::Refused(problem) => {
                div.notice.bad role="alert" {
                    b { "Nothing is changed." } " "
                    @if problem.problems.is_empty() { (format::capital(problem.detail())) "." } @else { (problems(&problem.problems)) }
                }
            }
            Said::Wanted { team, queue } => {
                p.notice {
                    "Team “" (team) "” is to have the queue “" (queue) "”. This policy maps its teams in a way of its own, so a person has "
                    "to write it: the lines below that speak of queues are shown with their numbers. Then look at the preview."
                }
            }
        }
    }
}

/// The lines that speak of queues, where a team is to have one.
fn places(text: &str) -> Marks {
    let lines = text.lines().zip(1..).filter(|(line, _)| {
        let line = line.trim_start();
        line.contains("queue") && !line.starts_with("//") && !line.starts_with('#')
    });
    lines.map(|(_, number)| (number, vec![Mark { wrong: false, words: String::new() }])).collect()
}

fn area(file: &str, field: &str, text: &str, marks: &Marks) -> Markup {
    let rows = text.lines().count().clamp(6, 40) + 1;
    html! {
        label { code { (file) }
            // The first end of a line is not taken for one of the text.
            textarea name=(field) rows=(rows) spellcheck="false" autocapitalize="off" autocomplete="off" { "\n" (text) }
        }
        @if !marks.is_empty() { (excerpt(file, text, marks)) }
    }
}
