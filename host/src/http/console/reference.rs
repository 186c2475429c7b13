//! The document of the API as a page for people, and a page for each kind of problem: neither needs a session.

use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::Value;

use super::parts::{Section, Visit};
use crate::http::App;
use crate::http::api::{Kind, PAGES};
use crate::http::problem::Problem;

/// A kind of problem: what it means, and what a caller can do.
pub(super) async fn problem(Extension(visit): Extension<Visit>, Path(word): Path<String>) -> Result<Markup, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| Problem::not_found("there is no such kind of problem"))?;
    let content = html! {
        h1 { (kind.title()) }
        p { code { (PAGES) (kind.word()) } ", status " (kind.status().as_u16()) }
        p { (words(kind.meaning())) }
        p.links { a href="/docs" { "The API" } }
    };
    Ok(visit.page(kind.title(), Section::Api, &content))
}

/// The whole API on one page.
pub(super) async fn api(State(app): State<App>, Extension(visit): Extension<Visit>) -> Markup {
    let document = app.document.get().map_or(&Value::Null, |document| &document.value);
    let content = html! {
        h1 { "The API" }
        p.links { a href="/v1/openapi.json" { "As a document (OpenAPI 3.1)" } " · version " (text(&document["info"]["version"])) }
        @for part in text(&document["info"]["description"]).split("\n\n") { p { (words(part)) } }
        (contents(document))
        @for tag in list(&document["tags"]) {
            @let of_it = operations(document, text(&tag["name"]));
            h2 id=(anchor(text(&tag["name"]))) { (capital(text(&tag["name"]))) }
            p { (words(text(&tag["description"]))) }
            @for (method, path, operation) in of_it { (shown(method, path, operation)) }
        }
        h2 #shapes { "Shapes" }
        @for (name, schema) in members(&document["components"]["schemas"]) { (shape(name, schema)) }
        h2 #problems { "Problems" }
        p { "A refusal is a problem document (RFC 9457) of one of these kinds." }
        ul { @for kind in Kind::ALL { li { a href={ (PAGES) (kind.word()) } { (kind.title()) } ", " (kind.status().as_u16()) } } }
    };
    visit.page("The API", Section::Api, &content)
}

/// A link to each part, and to each call in it.
fn contents(document: &Value) -> Markup {
    html! {
        nav.card aria-label="Contents" {
            @for name in list(&document["tags"]).map(|tag| text(&tag["name"])) {
                p {
                    a href={ "#" (anchor(name)) } { b { (capital(name)) } } ": "
                    @for (place, (.., operation)) in operations(document, name).into_iter().enumerate() {
                        @if place > 0 { ", " }
                        a href={ "#" (text(&operation["operationId"])) } { (text(&operation["summary"])) }
                    }
                }
            }
            p { a href="#shapes" { b { "Shapes" } } ", " a href="#problems" { b { "problems" } } }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn anchor(name: &str) -> String {
    name.replace(' ', "-")
}

fn capital(name: &str) -> String {
    super::parts::format::capital(name)
}

/// A text of the document, with what stands between backticks as code.
fn words(text: &str) -> Markup {
    html! {
        @for (place, part) in text.trim().split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The operations with a tag, as method, path and operation.
fn operations<'a>(document: &'a Value, tag: &str) -> Vec<(&'a str, &'a str, &'a Value)> {
    let all = members(&document["paths"])
        .flat_map(|(path, item)| members(item).map(move |(method, operation)| (method, path, operation)));
    all.filter(|(_, _, operation)| list(&operation["tags"]).any(|of| text(of) == tag)).collect()
}

fn shown(method: &str, path: &str, operation: &Value) -> Markup {
    let scopes: Vec<_> = list(&operation["security"]).flat_map(|one| list(&one["token"])).map(text).collect();
    let body = members(&operation["requestBody"]["content"]);
    let answers = members(&operation["responses"]).filter(|(status, _)| status.starts_with('2'));
    html! {
        section id=(text(&operation["operationId"])) {
            h3 { (text(&operation["summary"])) }
            p { code { (method.to_uppercase()) " " (path) } }
            @for part in text(&operation["description"]).split("\n\n").filter(|part| !part.is_empty()) { p { (words(part)) } }
            dl.wide {
                @if !scopes.is_empty() { dt { "Scope" } dd { (scopes.join(" and ")) } }
                @for parameter in list(&operation["parameters"]) {
                    dt { code { (text(&parameter["name"])) } }
                    dd { (kind(&parameter["schema"])) @if parameter["required"] == true { ", needed" } ". " (words(text(&parameter["description"]))) }
                }
                @for (content, body) in body { dt { "Body" } dd { (kind(&body["schema"])) " as " code { (content) } } }
                @for (status, answer) in answers {
                    dt { (status) }
                    dd {
                        (words(text(&answer["description"])))
                        @for (content, answer) in members(&answer["content"]) { " " (kind(&answer["schema"])) " as " code { (content) } "." }
                    }
                }
            }
        }
    }
}

/// The name of a schema, or what kind of value it is.
fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return html! { a href={ "#" (name) } { (name) } };
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind => text(kind).to_owned(),
    };
    let values: Vec<_> = list(&schema["enum"]).map(text).collect();
    html! {
        @if schema["items"].is_object() { "list of " (kind(&schema["items"])) }
        @else if !values.is_empty() { "one of " @for (place, value) in values.iter().enumerate() { @if place > 0 { ", " } code { (value) } } }
        @else if kinds.is_empty() { "any JSON" }
        @else { (kinds) }
    }
}

fn shape(name: &str, schema: &Value) -> Markup {
    let parts: Vec<_> = std::iter::once(schema).chain(list(&schema["allOf"])).collect();
    let is_needed = |member: &str| parts.iter().any(|part| list(&part["required"]).any(|one| text(one) == member));
    html! {
        section id=(name) {
            h3 { (name) }
            p { (words(text(&schema["description"]))) }
            @if schema["type"] != "object" && schema["allOf"].is_null() { p { (kind(schema)) } }
            @for base in list(&schema["allOf"]).filter(|part| part["$ref"].is_string()) { p { "All of " (kind(base)) ", and:" } }
            dl.wide {
                @for (member, of) in parts.iter().flat_map(|part| members(&part["properties"])) {
                    dt { code { (member) } }
                    dd { (kind(of)) @if !is_needed(member) { ", or absent" } ". " (words(text(&of["description"]))) }
                }
            }
        }
    }
}
