//! The settings of an organization: what is in force and since when, a form to change it, and mails to try and to mute.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::mails;
use super::org_mails::of_mails;
use super::parts::{Section, Visit, format};
use crate::domain::{ChangedSetting, Mode, OrgId, OrgSettings, PolicyName, SettingsInForce, Timestamp};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::extract::Id;
use crate::http::org_settings::assignable;
use crate::http::problem::Problem;

/// Mails of an organization that the page shows.
const MAILS: usize = 10;
/// The modes as the form names them.
const MODES: [(&str, &str); 4] = [
    ("by-policy", "As the policy decides"),
    ("agents-in-alcmeon", "In Alcmeon"),
    ("agents-in-salesforce", "In Salesforce"),
    ("by-team", "In Salesforce for these teams"),
];

/// What somebody gave and what was not saved, because the settings were others by then.
pub(super) struct Late {
    pub(super) given: OrgSettings,
    /// What the form was made of,
    pub(super) shown: OrgSettings,
    /// and what it is made of now: what was given over what is in force.
    pub(super) next: OrgSettings,
}

/// What somebody gave and what was not saved, because a value of it makes no sense.
pub(super) struct Refused {
    pub(super) problem: Problem,
    pub(super) given: OrgSettings,
    /// What the form was made of, and its version.
    pub(super) shown: OrgSettings,
    pub(super) tag: String,
}

pub(super) enum Unsaved {
    Late(Late),
    Refused(Refused),
}

/// How the settings stand.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(org): Id<OrgId>,
) -> Result<Markup, Problem> {
    page(&app, &visit, &caller, &org, None).await
}

/// The page, with what was not saved.
pub(super) async fn page(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    id: &OrgId,
    unsaved: Option<Unsaved>,
) -> Result<Markup, Problem> {
    let (org, _) = app.parts.engine.org(id)?;
    let stand = org.settings.now();
    let may = visit.may(Scope::Connect);
    let content = html! {
        h1 { "Settings of " (org.name) }
        p.hint {
            "The configuration says how they begin. What is changed here stands above it, is in force at once, and stays after a \
             restart. What is on its way goes on as it began."
        }
        @for trouble in app.parts.troubles.of(Some(id)).iter().filter(|it| it.kind == "org-settings") {
            div.notice.bad { div { (format::capital(&trouble.what)) ". " (format::capital(&trouble.cure)) "." } }
        }
        @if let Some(Unsaved::Late(late)) = &unsaved { (too_late(&stand, late)) }
        div.two {
            section.card aria-labelledby="values" {
                h2 #values { "In force" }
                @if let Some(Unsaved::Refused(refused)) = &unsaved { (not_taken(&refused.problem)) }
                (form(app, caller, id, &stand, unsaved.as_ref(), may))
            }
            (of_mails(app, visit, &org, &stand, may))
        }
        h2 { "Newest mails" }
        (mails::newest(app, id, MAILS).await?)
        p.links { a href={ "/orgs/" (id) "/checks" } { "The first points to check" } }
    };
    Ok(visit.page(&format!("Settings of {}", org.name), Section::Home, &content))
}

/// Both values of each field that somebody else changed meanwhile.
fn too_late(stand: &SettingsInForce, late: &Late) -> Markup {
    let (given, shown, now) = (said(&late.given), said(&late.shown), said(&stand.values));
    let changed = changed(stand);
    let lost = (0..FIELDS.len()).filter(|field| given[*field] != shown[*field] || now[*field] != shown[*field]);
    html! {
        div.notice.wait role="status" {
            div {
                b { "Nothing is saved: somebody else changed these settings meanwhile." }
                " What you gave is still in the form; look at it again and save it, or leave the page."
            }
            ul {
                @for field in lost {
                    li {
                        (FIELDS[field].1) ": "
                        @if given[field] != shown[field] { "you gave " b { (given[field]) } ", " }
                        "by now it is " b { (now[field]) }
                        @if let Some((by, at)) = &changed[field] { " (" (by) ", " (format::time(*at)) ")" }
                    }
                }
            }
        }
    }
}

/// Which field a problem is about, and what is wrong with it.
pub(super) fn of_field(problem: &Problem) -> Option<(&'static str, &str)> {
    let (field, why) = problem.detail().split_once(": ")?;
    FIELDS.iter().find(|(known, _)| *known == field).map(|(_, name)| (*name, why))
}

fn not_taken(problem: &Problem) -> Markup {
    html! {
        @if let Some((name, why)) = of_field(problem) {
            div.notice.bad role="alert" { div { b { "Nothing is saved. " } (name) ": " (why) "." } }
        }
    }
}

/// The fields, as addresses and as people call them.
const FIELDS: [(&str, &str); 5] = [
    ("alert_recipients", "Recipients of mails"),
    ("policy", "Policy"),
    ("mode", "Where agents answer"),
    ("concurrency", "Calls at the same moment"),
    ("slow_at", "Slow from this share of the calls"),
];

/// Values in words.
fn said(of: &OrgSettings) -> [String; 5] {
    let OrgSettings { alert_recipients, policy, mode, concurrency, slow_at } = of;
    let nobody = || "nobody".to_owned();
    let recipients = Some(alert_recipients.join(", ")).filter(|text| !text.is_empty()).unwrap_or_else(nobody);
    let (word, teams) = mode_words(mode);
    let named = MODES.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| *name);
    let mode = if teams.is_empty() { named.to_owned() } else { format!("{named}: {}", teams.join(", ")) };
    [recipients, policy.to_string(), mode, concurrency.to_string(), slow_at.to_string()]
}

/// Who changed each, and when.
fn changed(stand: &SettingsInForce) -> [Option<(String, Timestamp)>; 5] {
    fn by<T>(changed: Option<&ChangedSetting<T>>) -> Option<(String, Timestamp)> {
        changed.map(|changed| (changed.by.clone(), changed.at))
    }
    let of = &stand.changes;
    [
        by(of.alert_recipients.as_ref()),
        by(of.policy.as_ref()),
        by(of.mode.as_ref()),
        by(of.concurrency.as_ref()),
        by(of.slow_at.as_ref()),
    ]
}

fn mode_words(mode: &Mode) -> (&'static str, &[String]) {
    match mode {
        Mode::ByPolicy => (MODES[0].0, &[]),
        Mode::AgentsInAlcmeon => (MODES[1].0, &[]),
        Mode::AgentsInSalesforce => (MODES[2].0, &[]),
        Mode::ByTeam(teams) => (MODES[3].0, teams),
    }
}

/// What each field is, and a way to change it for whoever may.
fn form(
    app: &App,
    caller: &Caller,
    id: &OrgId,
    stand: &SettingsInForce,
    unsaved: Option<&Unsaved>,
    may: bool,
) -> Markup {
    let (values, file, by) = (said(&stand.values), said(&stand.file), changed(stand));
    let origin = |field: usize| {
        html! {
            p.hint id={ "of-" (FIELDS[field].0) } data-live {
                @match &by[field] {
                    None => { "As the configuration says." }
                    Some((by, at)) => {
                        "Changed to " b { (shortened(&values[field])) } " by " b { (by) } ", " (format::time(*at)) ". "
                        @if file[field] == values[field] { "The configuration says the same." }
                        @else { "The configuration says otherwise: " b { (file[field]) } "." }
                        @if may {
                            " " button.quiet type="submit" name="take_back" value=(FIELDS[field].0) formnovalidate {
                                "Back to " (shortened(&file[field]))
                            }
                        }
                    }
                }
            }
        }
    };
    if !may {
        return html! {
            dl.wide {
                @for (field, value) in values.iter().enumerate() { dt { (FIELDS[field].1) } dd { (value) (origin(field)) } }
            }
        };
    }
    // What was refused is given once more over what the form was made of: so it is told when it came too late meanwhile.
    let (tag, made_of, shown) = match unsaved {
        Some(Unsaved::Refused(refused)) => (refused.tag.clone(), &refused.shown, &refused.given),
        Some(Unsaved::Late(late)) => (stand.tag(), &stand.values, &late.next),
        None => (stand.tag(), &stand.values, &stand.values),
    };
    html! {
        form.fields method="post" action={ "/orgs/" (id) "/settings" } {
            input type="hidden" name="tag" value=(tag);
            input type="hidden" name="shown" value=(serde_json::to_string(made_of).unwrap_or_default());
            // Whoever presses Enter in a field saves.
            button.quietly type="submit" tabindex="-1" aria-hidden="true" { "Save" }
            (fields(shown, &choices(app, caller, id, &stand.values.policy), &origin))
            div.actions { button type="submit" { "Save the settings" } }
        }
    }
}

/// The fields, with what they show and where each comes from.
fn fields(shown: &OrgSettings, policies: &[PolicyName], origin: &dyn Fn(usize) -> Markup) -> Markup {
    let (mode, teams) = mode_words(&shown.mode);
    html! {
        div {
            label {
                (FIELDS[0].1) ", in lines or with commas between"
                textarea name="alert_recipients" rows="3" spellcheck="false" { (shown.alert_recipients.join("\n")) }
            }
            (origin(0))
        }
        div {
            label {
                (FIELDS[1].1)
                select name="policy" {
                    @for policy in policies {
                        option value=(policy) selected[*policy == shown.policy] { (policy) }
                    }
                }
            }
            (origin(1))
        }
        div {
            label {
                (FIELDS[2].1)
                select name="mode" {
                    @for (word, name) in MODES { option value=(word) selected[word == mode] { (name) } }
                }
            }
            label { "Those teams, one to a line" textarea name="teams" rows="2" { (teams.join("\n")) } }
            (origin(2))
        }
        div {
            label {
                (FIELDS[3].1)
                input type="number" name="concurrency" min="1" max="1000" required value=(shown.concurrency);
            }
            p.hint { "Calls to Salesforce that may be on their way; one carries up to 200 conversations." }
            (origin(3))
        }
        div {
            label {
                (FIELDS[4].1)
                input type="number" name="slow_at" min="0.01" max="1" step="any" required value=(shown.slow_at);
            }
            p.hint { "Of the calls that Salesforce allows in 24 hours; from there on conversations go in waves." }
            (origin(4))
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The policy that decides, and those that the caller may choose instead.
fn choices(app: &App, caller: &Caller, org: &OrgId, now: &PolicyName) -> Vec<PolicyName> {
    let all = app.parts.policies.policies().into_iter().filter(|status| status.in_force.is_some());
    let mut names: Vec<_> = all.map(|status| status.name).collect();
    names.retain(|name| name == now || assignable(app, caller, org, name).is_ok());
    if !names.contains(now) {
        names.insert(0, now.clone());
    }
    names
}
