//! What the pages about policies have in common: a policy's texts, who uses it, the fields of their forms, and how they answer.

use std::sync::Arc;

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::parts::format;
use super::super::parts::{Section, Visit};
use super::listing::{Mark, Marks, anchor};
use crate::domain::{Expected, Fingerprint, OrgId, PolicyName, PolicyRevision, RevisionState};
use crate::engine::Org;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{PolicyProblem, PolicyTexts};
use crate::http::etag::IfMatch;
use crate::http::problem::Problem;
use crate::policy::PolicyStatus;

/// Before the file's name in the name of a script's field.
const SCRIPT: &str = "script:";

/// A policy of which there is anything to tell.
pub(super) fn known(app: &App, name: &PolicyName) -> Result<PolicyStatus, Problem> {
    app.parts.policies.policy(name).ok_or_else(|| Problem::not_found(format!("there is no policy {name}")))
}

/// The texts in force.
pub(super) fn texts_in_force(app: &App, name: &PolicyName) -> Option<PolicyTexts> {
    let source = app.parts.policies.source(name)?;
    Some(PolicyTexts { toml: source.toml, scripts: source.scripts })
}

/// Texts as revisions keep them.
pub(super) fn texts_of(app: &App, name: &PolicyName, revision: u32) -> Result<PolicyTexts, Problem> {
    let found = app.parts.policies.revision(name, revision);
    let found = found.ok_or_else(|| Problem::not_found(format!("policy {name} has no revision {revision}")))?;
    Ok(PolicyTexts { toml: found.source.toml, scripts: found.source.scripts })
}

/// Whether a revision can be put in force again: not one that was refused.
pub(super) fn may_return(revision: &PolicyRevision) -> bool {
    revision.state != RevisionState::Refused
}

/// The organizations that a policy is assigned to.
pub(super) fn users(app: &App, name: &PolicyName) -> Vec<Arc<Org>> {
    app.parts.engine.connected().into_iter().filter(|org| org.policy() == *name).collect()
}

/// The version of what is in force; empty where nothing is.
pub(super) fn tag(status: Option<&PolicyStatus>) -> String {
    status.and_then(|status| status.in_force.as_ref()).map(|in_force| in_force.digest.clone()).unwrap_or_default()
}

/// Whether somebody may try texts out: a candidate may answer with what customers wrote.
pub(super) fn may_try(visit: &Visit) -> bool {
    visit.may(Scope::Policies) && visit.may(Scope::Errors)
}

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// A field; empty where it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// A field that has to be there and be this.
    pub(super) fn parsed<T: std::str::FromStr<Err: ToString>>(&self, name: &str) -> Result<T, Problem> {
        let parsed = self.get(name).parse();
        parsed.map_err(|error: T::Err| Problem::bad_request(format!("{name}: {}", error.to_string())))
    }

    /// The texts, with the ends of lines as they are kept: browsers send others.
    pub(super) fn texts(&self) -> PolicyTexts {
        let lines = |text: &str| text.replace("\r\n", "\n");
        let script = |(name, text): &(String, String)| Some((name.strip_prefix(SCRIPT)?.to_owned(), lines(text)));
        PolicyTexts { toml: lines(self.get("toml")), scripts: self.0.iter().filter_map(script).collect() }
    }

    /// The version that the form is about.
    ///
    /// # Errors
    /// When that is none, or when something is in force where nothing was.
    pub(super) fn expected(&self, status: Option<&PolicyStatus>) -> Result<IfMatch, Problem> {
        match self.get("tag") {
            "" if !tag(status).is_empty() => Err(crate::domain::Stale.into()),
            "" => Ok(IfMatch(Expected::default())),
            tag => {
                let expected = Expected::read(std::iter::once(format!("\"{tag}\"").as_str()));
                Ok(IfMatch(expected.map_err(|error| Problem::bad_request(error.to_string()))?))
            }
        }
    }
}

/// The name of a script's field.
pub(super) fn field_of(script: &str) -> String {
    format!("{SCRIPT}{script}")
}

/// Texts and their version, to come along with a form.
pub(super) fn hidden_texts(texts: &PolicyTexts, tag: &str) -> Markup {
    html! {
        input type="hidden" name="tag" value=(tag);
        input type="hidden" name="toml" value=(texts.toml);
        @for (file, text) in &texts.scripts { input type="hidden" name=(field_of(file)) value=(text); }
    }
}

/// Problems by file and line.
pub(super) fn marks(problems: &[PolicyProblem], file: &str) -> Marks {
    let mut marks = Marks::new();
    for problem in problems.iter().filter(|problem| problem.path == file) {
        if let Some(line) = problem.line {
            marks.entry(line).or_default().push(Mark { wrong: true, words: problem.message.clone() });
        }
    }
    marks
}

/// Problems, each with a link to its line.
pub(super) fn problems(problems: &[PolicyProblem]) -> Markup {
    html! {
        ul {
            @for problem in problems {
                li {
                    @match problem.line {
                        Some(line) => {
                            a href={ "#" (anchor(&problem.path, line)) } { (problem.path) ", line " (line) } ": "
                        }
                        None if !problem.path.is_empty() => { (problem.path) ": " }
                        None => {}
                    }
                    (format::cut(&problem.message))
                }
            }
        }
    }
}

/// A page about a policy.
pub(super) fn page(visit: &Visit, title: &str, content: &Markup) -> Markup {
    visit.page(title, Section::Policies, content)
}

/// The same, of what was refused.
pub(super) fn refused(visit: &Visit, title: &str, problem: &Problem, content: &Markup) -> Response {
    (problem.status(), page(visit, title, content)).into_response()
}

/// Where a page about a policy leads back to.
pub(super) fn up(name: &PolicyName) -> Markup {
    html! { p.hint { a href={ "/policies/" (name) } { "Policy " (name) } } }
}

/// Leads to a page.
pub(super) fn to(address: &str) -> Redirect {
    Redirect::to(address)
}

/// A value within an address.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

/// The sync errors of a cause.
pub(super) fn sync_errors_of(org: &OrgId, group: &Fingerprint) -> String {
    format!("/sync-errors?org={org}&group={group}")
}

/// The organizations of a policy that a caller may know of.
pub(super) fn seen_users(app: &App, caller: &Caller, name: &PolicyName) -> Vec<Arc<Org>> {
    let mut users = users(app, name);
    users.retain(|org| caller.sees(&org.id));
    users
}
