//! A plugin handed in by a form: its name, its file and the file of its signature.

use axum::Extension;
use axum::body::HttpBody;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request, State};
use axum::response::Redirect;
use bytes::Bytes;
use maud::{Markup, html};

use super::super::parts::{Done, format::counted};
use crate::domain::PluginName;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Body, NewId};
use crate::http::plugins;
use crate::http::problem::Problem;

/// What stands around the files of a form, and its other fields.
const AROUND: usize = 64 * 1024;

/// How long the body of such a form may be.
pub(super) fn most_bytes(app: &App) -> usize {
    app.parts.policies.plugin_bytes().saturating_add(AROUND)
}

/// The form.
pub(super) fn form(app: &App) -> Markup {
    let most = counted(app.parts.policies.plugin_bytes() as u64, "byte", "bytes");
    html! {
        form.filters method="post" action="/plugins" enctype="multipart/form-data" {
            label { "Name" input name="name" required maxlength="64" autocomplete="off"; }
            label { "File (.wasm), " (most) " at most" input name="file" type="file" accept=".wasm,application/wasm" required; }
            label { "Its signature (.minisig), where the configuration asks for one"
                input name="signature" type="file" accept=".minisig";
            }
            button.quiet type="submit" { "Hand it in" }
        }
    }
}

/// Takes a plugin.
pub(super) async fn take(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Redirect, Problem> {
    if request.body().size_hint().lower() > most_bytes(&app) as u64 {
        return Err(too_large(&app));
    }
    let Upload { name, file, signature } = Upload::read(&app, request).await?;
    if file.len() > app.parts.policies.plugin_bytes() {
        return Err(too_large(&app));
    }
    plugins::take(&app, &caller, &name, file, signature).await?;
    Ok(Done::PluginTaken.at("/plugins"))
}

fn too_large(app: &App) -> Problem {
    Problem::too_large(format!("a plugin may have {} bytes", app.parts.policies.plugin_bytes()))
}

/// What the form says.
struct Upload {
    name: PluginName,
    file: Bytes,
    signature: Option<String>,
}

impl Upload {
    async fn read(app: &App, request: Request) -> Result<Self, Problem> {
        let mut read = Request::new(axum::body::Body::empty());
        *read.headers_mut() = request.headers().clone();
        let Body(bytes) = Body::from_request(request, app).await?;
        *read.body_mut() = bytes.into();
        // It is in memory already, within its own bound.
        axum::extract::DefaultBodyLimit::disable().apply(&mut read);
        let form = Multipart::from_request(read, app).await;
        let mut form = form.map_err(|error| Problem::bad_request(error.body_text()))?;
        let (mut name, mut file, mut signature) = (None, None, None);
        while let Some(field) = form.next_field().await.map_err(|error| Problem::bad_request(error.body_text()))? {
            match field.name() {
                Some("name") => name = Some(text(field).await?),
                Some("file") => file = Some(bytes_of(field).await?),
                Some("signature") => signature = Some(text(field).await?).filter(|text| !text.is_empty()),
                _ => return Err(Problem::bad_request("the form has the fields name, file and signature")),
            }
        }
        let missing = |field: &str| Problem::bad_request(format!("{field}: the form does not say it"));
        let name = NewId::parse(name.ok_or_else(|| missing("name"))?.trim())?;
        let file = file.filter(|file| !file.is_empty()).ok_or_else(|| missing("file"))?;
        Ok(Self { name, file, signature })
    }
}

async fn bytes_of(field: Field<'_>) -> Result<Bytes, Problem> {
    field.bytes().await.map_err(|error| Problem::bad_request(error.body_text()))
}

async fn text(field: Field<'_>) -> Result<String, Problem> {
    let bytes = bytes_of(field).await?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::bad_request("a field of the form is not UTF-8"))
}
