//! What many sync errors are, and what is done with them, in words; and what organizations and causes are called.

use std::collections::{BTreeMap, HashMap};

use maud::{Markup, html};

use super::parts::format::{counted, grouped};
use crate::domain::{ErrorQuery, Fingerprint, OrgId, ResyncQuery};
use crate::http::App;
use crate::http::api::InOrg;
use crate::http::error_query::{fields, texts};
use crate::http::problem::Problem;

/// What organizations and causes are called.
#[derive(Default)]
pub(super) struct Names {
    orgs: HashMap<OrgId, String>,
    titles: BTreeMap<(OrgId, Fingerprint), String>,
}

impl Names {
    /// The names of all organizations.
    pub(super) fn of_orgs(app: &App) -> Self {
        let orgs = app.parts.engine.connected();
        Self { orgs: orgs.iter().map(|org| (org.id.clone(), org.name.clone())).collect(), ..Self::default() }
    }

    /// The same, with the titles of these causes.
    pub(super) async fn with_titles(
        app: &App,
        causes: impl IntoIterator<Item = (OrgId, Fingerprint)>,
    ) -> Result<Self, Problem> {
        let (mut names, mut by_org) = (Self::of_orgs(app), BTreeMap::<OrgId, Vec<Fingerprint>>::new());
        for (org, id) in causes {
            by_org.entry(org).or_default().push(id);
        }
        for (org, ids) in by_org {
            let titles = app.parts.engine.ledger().group_titles(&org, &ids).await?;
            names.titles.extend(titles.into_iter().map(|(id, title)| ((org.clone(), id), title)));
        }
        Ok(names)
    }

    /// What an organization is called; one that is no longer connected by its id.
    pub(super) fn org<'a>(&'a self, id: &'a OrgId) -> &'a str {
        self.orgs.get(id).map_or(id.as_str(), String::as_str)
    }

    /// What is wrong by a cause; its id where nothing is known of it any more.
    pub(super) fn cause<'a>(&'a self, org: &OrgId, id: &'a Fingerprint) -> &'a str {
        self.titles.get(&(org.clone(), id.clone())).map_or(id.as_str(), String::as_str)
    }
}

/// The causes that the queries of an operation name, and those by which it failed again.
pub(super) fn causes_of(orgs: &[InOrg]) -> Vec<(OrgId, Fingerprint)> {
    let of = |of: &InOrg| {
        let failed = of.failed_as.keys().filter_map(|id| id.parse().ok());
        let all = failed.chain(of.query.groups.iter().cloned()).chain(of.stopped.iter().cloned());
        all.map(|id| (of.org.clone(), id)).collect::<Vec<_>>()
    };
    orgs.iter().flat_map(of).collect()
}

/// The address of the question before something is done with all that these fields mean.
pub(super) fn question(task: &str, given: &[(&str, String)]) -> String {
    let given: Vec<_> = given.iter().map(|(name, value)| (*name, value.clone())).collect();
    format!("/operations/new?{}", encoded(&[vec![("task", task.to_owned())], given].concat()))
}

/// The address of a cause.
pub(super) fn cause(org: &OrgId, id: &Fingerprint) -> String {
    format!("/causes/{id}?org={org}")
}

pub(super) fn encoded(fields: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Which sync errors a query means, in words.
pub(super) fn over(query: &ErrorQuery, names: &Names) -> Markup {
    let org = query.orgs.first().filter(|_| query.orgs.len() == 1);
    let mut parts: Vec<Markup> = Vec::new();
    for id in &query.groups {
        parts.push(match org {
            Some(org) => html! { "cause " a href=(cause(org, id)) { (names.cause(org, id)) } },
            None => html! { "cause " code { (id) } },
        });
    }
    if !query.orgs.is_empty() {
        let all: Vec<_> = query.orgs.iter().map(|org| names.org(org)).collect();
        parts.push(html! { b { bdi { (all.join(", ")) } } });
    }
    if !query.ids.is_empty() {
        parts.push(html! { (counted(query.ids.len() as u64, "chosen sync error", "chosen sync errors")) });
    }
    if !query.states.is_empty() {
        parts.push(html! { (texts(&query.states).join(" or ")) });
    }
    for (name, value) in fields(query).into_iter().filter(|(name, _)| !["org", "group", "id", "state"].contains(name)) {
        parts.push(said(name, &value));
    }
    joined(&parts, "all organizations")
}

/// Which conversations that got through a resync means, in words.
pub(super) fn over_delivered(query: &ResyncQuery) -> Markup {
    let mut parts = Vec::new();
    let mut set = |name: &str, values: Vec<String>| parts.extend(values.iter().map(|value| said(name, value)));
    set("since", texts(&query.delivered.from));
    set("before", texts(&query.delivered.before));
    set("policy", texts(&query.policies));
    set("revision", texts(&query.revisions));
    set("queue", texts(&query.queues));
    joined(&parts, "all that got through")
}

fn said(name: &str, value: &str) -> Markup {
    html! { (name.replace('_', " ")) " " code { (value) } }
}

fn joined(parts: &[Markup], none: &str) -> Markup {
    html! {
        @for (at, part) in parts.iter().enumerate() { @if at > 0 { ", " } (part) }
        @if parts.is_empty() { (none) }
    }
}

/// What is done and with how many, as a button says it.
pub(super) fn deed(task: &str, count: u64) -> String {
    let errors = || counted(count, "sync error", "sync errors");
    match task {
        "ignore" => format!("Ignore {}", errors()),
        "reopen" => format!("Reopen {}", counted(count, "ignored sync error", "ignored sync errors")),
        "assign" => format!("Assign {}", counted(count, "cause", "causes")),
        "resync" => format!("Send {} once more", counted(count, "conversation", "conversations")),
        _ => format!("Retry {}", errors()),
    }
}

/// What somebody asked for, as a title says it.
pub(super) fn title(task: &str, count: Option<u64>) -> String {
    let (what, one, many, end) = match task {
        "auto-ignore" => return "Ignored by a policy".to_owned(),
        "ignore" => ("Ignoring", "sync error", "sync errors", ""),
        "reopen" => ("Reopening", "sync error", "sync errors", ""),
        "assign" => ("Assigning", "cause", "causes", ""),
        "resync" => ("Sending", "conversation", "conversations", " once more"),
        _ => ("Retry of", "sync error", "sync errors", ""),
    };
    match count {
        Some(count) => format!("{what} {}{end}", counted(count, one, many)),
        None => format!("{what} {many}{end}"),
    }
}

/// A number with what it counts, as one of the figures that are read first.
pub(super) fn figure(count: u64, words: &str) -> Markup {
    html! { li { b { (grouped(count)) } (words) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::State;

    #[test]
    fn a_query_is_said_in_words_and_hostile_ones_stay_words() {
        let acme = OrgId::new("acme").unwrap();
        let query = ErrorQuery {
            orgs: [acme].into(),
            states: [State::Pending, State::Retrying].into(),
            teams: ["<b>x</b>".to_owned()].into(),
            ..ErrorQuery::default()
        };
        let said = over(&query, &Names::default()).0;
        assert_eq!(said, "<b><bdi>acme</bdi></b>, pending or retrying, team <code>&lt;b&gt;x&lt;/b&gt;</code>");
        assert_eq!(over(&ErrorQuery::default(), &Names::default()).0, "all organizations");
    }

    #[test]
    fn a_button_says_what_it_does_and_with_how_many() {
        let said = ["retry", "ignore", "reopen", "assign", "resync"].map(|task| deed(task, 1_200));
        assert_eq!(
            said,
            [
                "Retry 1,200 sync errors",
                "Ignore 1,200 sync errors",
                "Reopen 1,200 ignored sync errors",
                "Assign 1,200 causes",
                "Send 1,200 conversations once more",
            ]
        );
        assert_eq!(deed("retry", 1), "Retry 1 sync error");
        assert_eq!(
            (title("retry", Some(1)), title("resync", None)),
            ("Retry of 1 sync error".into(), "Sending conversations once more".into())
        );
    }
}
