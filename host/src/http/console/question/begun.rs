//! The beginning of what a question was about: once for each form, and one sync error of a list without an operation.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::page;
use super::request::{Fields, back_of, has_selection, request};
use crate::domain::{IdempotencyKey, SyncErrorId, Task};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::console::once;
use crate::http::console::operation::address_of;
use crate::http::console::parts::{Back, Visit};
use crate::http::console::sync_error::{Act, act};
use crate::http::extract::Form;
use crate::http::idempotency::{Begun, begin as begin_once};
use crate::http::problem::{Kind, Problem};
use crate::http::wanted::Wanted;
use crate::ledger::KeptAnswer;

/// Begins what was asked about, once for each key, and leads to it. A reason that is none is asked for again.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let key = once::key(&caller, "/operations", &fields)?;
    has_selection(&fields)?;
    match begin_with(&app, &caller, &fields, &key).await {
        Ok(address) => Ok(Redirect::to(&address).into_response()),
        // It has begun, or begins just now: there it is.
        Err(problem) if problem.is(Kind::KeyInUse) || problem.is(Kind::AnswerLost) => {
            Ok(Redirect::to("/operations").into_response())
        }
        Err(problem) if problem.is(Kind::Invalid) => {
            Ok((problem.status(), page(&app, &visit, &caller, &fields, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Begins it, or finds what the same form began before; answers the address of what became of it.
async fn begin_with(app: &App, caller: &Caller, fields: &Fields, key: &IdempotencyKey) -> Result<String, Problem> {
    let _turn = match begin_once(app, key).await? {
        Begun::Before(answer) => return Ok(answer.body),
        Begun::Now(turn) => turn,
    };
    let caller = Caller { key: Some(key.clone()), ..caller.clone() };
    let (wanted, back) = (Wanted::of(app, &caller, &request(fields, false))?, back_of(fields));
    let address = match one_of_list(&wanted, &back) {
        Some((id, doing, list)) => act(app, &caller, id.clone(), doing).await?.address(list),
        None => address_of(&wanted.begin(app, &caller).await?.id, &back),
    };
    let status = StatusCode::SEE_OTHER.as_u16();
    let answer = KeptAnswer { status, content_type: None, etag: None, body: address.clone() };
    app.parts.engine.ledger().keep_answer(key, &answer, app.parts.clock.now()).await?;
    Ok(address)
}

/// One sync error alone, what is done with it, and the list that tells what became of it.
fn one_of_list<'a>(wanted: &'a Wanted, back: &'a Back) -> Option<(&'a SyncErrorId, Act<'a>, &'a str)> {
    let Wanted::Errors(task, query) = wanted else { return None };
    let doing = match task {
        Task::Retry => Act::Retry,
        Task::Ignore { reason } => Act::Ignore(reason),
        Task::Reopen { .. } => Act::Reopen,
        _ => return None,
    };
    let one = query.ids.first().filter(|_| query.ids.len() == 1)?;
    Some((one, doing, back.list()?))
}
