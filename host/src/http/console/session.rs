//! Signing in with a token, and out again.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::parts::{Section, Visit, local};
use crate::domain::{Action, Deed, Via};
use crate::http::App;
use crate::http::access::{COOKIE, Caller};
use crate::http::extract::{Asked, Form};
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::serving::Peer;

#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// The form; who is signed in already goes on.
pub(super) async fn form(Extension(visit): Extension<Visit>, Asked(Next { next }): Asked<Next>) -> Response {
    let next = local(next.as_deref());
    if visit.caller().is_some() {
        return Redirect::to(next).into_response();
    }
    page(&visit, next, None).into_response()
}

#[derive(Deserialize)]
pub(super) struct Given {
    token: String,
    next: Option<String>,
}

/// Opens a session.
pub(super) async fn sign_in(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    peer: Option<Extension<Peer>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let next = local(given.next.as_deref());
    if app.access.open() {
        return Ok(Redirect::to(next).into_response());
    }
    let peer = peer.map(|Extension(peer)| peer);
    let action = |caller| at_the_console(&app, caller, peer, id, Deed::SignIn);
    let Some(session) = app.access.sign_in(given.token.trim(), action).await? else {
        app.guesses.wrong(Via::Console, peer).await?;
        let refused = "This token is not known, or it may not look at the console.";
        return Ok((StatusCode::UNAUTHORIZED, page(&visit, next, Some(refused))).into_response());
    };
    let secure = secure(&app, &headers);
    Ok(([(header::SET_COOKIE, cookie(&session, secure))], Redirect::to(next)).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    peer: Option<Extension<Peer>>,
    Extension(RequestId(id)): Extension<RequestId>,
) -> Result<Response, Problem> {
    let peer = peer.map(|Extension(peer)| peer);
    app.access.sign_out(&headers, |caller| at_the_console(&app, caller, peer, id, Deed::SignOut)).await?;
    let secure = secure(&app, &headers);
    let over = format!("{}; Max-Age=0", cookie("", secure));
    Ok(([(header::SET_COOKIE, over)], Redirect::to("/login")).into_response())
}

fn at_the_console(app: &App, caller: Caller, peer: Option<Peer>, id: String, what: Deed) -> Action {
    let address = peer.map(|Peer(address)| address.ip());
    let caller = Caller { via: Via::Console, address, request_id: Some(id), ..caller };
    app.parts.engine.action(&caller.asker(), what)
}

/// It comes along with a link from elsewhere, such as one in a mail, and with no form from elsewhere: these are told by their origin, and a
/// link changes nothing. Without an age the browser forgets it when it is closed; the host forgets it after half a day.
fn cookie(value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/{secure}")
}

/// Whether a cookie has to travel by https.
pub(super) fn secure(app: &App, headers: &HeaderMap) -> bool {
    app.https || by_https(headers)
}

/// Whether a proxy in front of this host says so.
fn by_https(headers: &HeaderMap) -> bool {
    let proto = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    proto.is_some_and(|proto| proto.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https")))
}

fn page(visit: &Visit, next: &str, refused: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(refused) = refused { p.notice.bad role="alert" #refused { (refused) } }
        form.card.sign-in method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            label for="token" { "Token" }
            input #token type="password" name="token" required autofocus autocomplete="current-password"
                aria-describedby=[refused.map(|_| "refused")];
            p.hint { "A token that has the scope “read”." }
            button type="submit" { "Sign in" }
        }
    };
    visit.page("Sign in", Section::Other, &content)
}
