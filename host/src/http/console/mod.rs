//! The console: server-rendered pages for the people who clear errors.

use axum::Router;

use super::App;

pub(super) fn router(_app: &App) -> Router<App> {
    Router::new()
}
