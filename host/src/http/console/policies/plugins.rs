//! Plugins: what each answers, which policies it is used by, and how another one comes or one goes.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::format::{self, counted};
use super::super::parts::{Done, Visit, cell, table};
use super::shared::page;
use super::upload;
use crate::domain::{Origin, PluginName, PolicyName};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::PluginPull;
use crate::http::extract::{self, Form, Id, NewId};
use crate::http::plugins;
use crate::http::problem::Problem;
use crate::policy::{PluginStatus, PluginTrouble};

/// All plugins.
pub(super) async fn list(State(app): State<App>, Extension(visit): Extension<Visit>) -> Markup {
    let all = app.parts.policies.plugins();
    let rows = html! { @for plugin in &all { (row(&app, &visit, plugin)) } };
    let content = html! {
        p.hint { a href="/policies" { "Policies" } }
        h1 { "Plugins" }
        p.hint { "A plugin is a WebAssembly component that answers questions of policies. Policies name it." }
        @for trouble in &app.parts.policies.troubles() { (not_taken(trouble)) }
        @if all.is_empty() { p.empty { "No plugin is known." } }
        @else { (table(&["Plugin", "Answers", "Used by", "Size", "Origin", "Do"], &rows)) }
        @if visit.may(Scope::Policies) { (coming(&app)) }
    };
    page(&visit, "Plugins", &content)
}

fn row(app: &App, visit: &Visit, plugin: &PluginStatus) -> Markup {
    let questions: Vec<_> = plugin.questions.iter().map(ToString::to_string).collect();
    let users = app.parts.policies.users(&plugin.name);
    let used = html! {
        @if users.is_empty() { span.hint { "no policy" } }
        @for (place, policy) in users.iter().enumerate() {
            @if place > 0 { ", " } a href={ "/policies/" (policy) } { (policy) }
        }
    };
    let may_go = users.is_empty() && plugin.origin != Origin::Embedded && visit.may(Scope::Policies);
    let gone = html! { @if may_go { a href={ "/plugins/" (plugin.name) "/delete" } { "Delete…" } } };
    let digest = html! { code title=(plugin.digest) { (plugin.digest.get(..12).unwrap_or_default()) } };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { (plugin.name) }
            (cell("Answers", &html! { (questions.join(", ")) })) (cell("Used by", &used))
            (cell("Size", &html! { (counted(plugin.bytes as u64, "byte", "bytes")) }))
            (cell("Origin", &html! { (plugin.origin) " " (digest) })) td.acts role="cell" data-label="Do" { div { (gone) } }
        }
    }
}

fn not_taken(trouble: &PluginTrouble) -> Markup {
    html! {
        div.notice.bad {
            b { (trouble.name) } " (" (trouble.origin) ", " (format::time(trouble.at)) "): " (format::cut(&trouble.reason))
        }
    }
}

fn coming(app: &App) -> Markup {
    html! {
        h2 { "Another plugin" }
        (upload::form(app))
        form.filters method="post" action="/plugins/pull" {
            label { "Name" input name="name" required maxlength="64" autocomplete="off"; }
            label { "Reference in an OCI registry"
                input name="reference" maxlength="500" autocomplete="off" placeholder="registry.example/team/plugin:1.2";
            }
            button.quiet type="submit" { "Pull it" }
        }
        p.hint {
            "Policies that name it and no digest are applied again; one that cannot use it stays as it was, and says so under "
            a href="/policies" { "Policies" } ". Without a reference the one of the configuration is pulled."
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Pull {
    name: PluginName,
    #[serde(default)]
    reference: String,
}

/// Pulls a plugin.
pub(super) async fn pull(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(Pull { name, reference }): Form<Pull>,
) -> Result<Redirect, Problem> {
    let reference = Some(reference.trim()).filter(|reference| !reference.is_empty());
    let reference = reference.map(str::parse).transpose();
    let reference = reference.map_err(|error| Problem::bad_request(format!("reference: {error}")))?;
    let asked = extract::Json(PluginPull { reference });
    let Json(_) = plugins::pull(State(app), Extension(caller), NewId(name), asked).await?;
    Ok(Done::PluginPulled.at("/plugins"))
}

/// Asks whether a plugin is to go.
pub(super) async fn question(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(name): Id<PluginName>,
) -> Result<Markup, Problem> {
    let users = app.parts.policies.users(&name);
    let users: Vec<_> = users.iter().map(PolicyName::as_str).collect();
    let content = html! {
        p.hint { a href="/plugins" { "Plugins" } }
        h1 { "Delete the plugin " (name) "?" }
        @if users.is_empty() {
            p { "No policy uses it. Its file goes too; handing it in again brings it back." }
            form.actions method="post" { button type="submit" { "Delete " (name) } a href="/plugins" { "Keep it" } }
        } @else {
            p { "The policies " (users.join(" and ")) " use it: change or delete them first." }
        }
    };
    Ok(page(&visit, &format!("Delete {name}?"), &content))
}

/// Deletes a plugin.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PluginName>,
) -> Result<Redirect, Problem> {
    plugins::delete(State(app), Extension(caller), Id(name)).await?;
    Ok(Done::PluginDeleted.at("/plugins"))
}
