//! The console's style and script: put together at build time, and named by their digest, so that a browser keeps them until they change.

use std::sync::LazyLock;

use axum::extract::RawQuery;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use sha2::{Digest as _, Sha256};

/// A file that pages name.
pub(super) struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
    digest: LazyLock<String, fn() -> String>,
}

impl Asset {
    /// Where pages find it; another text has another address.
    pub(super) fn address(&self) -> String {
        format!("{}?{}", self.path, *self.digest)
    }

    fn answer(&self, query: Option<&str>) -> impl IntoResponse + use<> {
        let is_this = query == Some(self.digest.as_str());
        let keep = if is_this { "max-age=31536000, immutable" } else { "no-cache" };
        let headers: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, self.kind), (header::CACHE_CONTROL, keep)];
        (headers, self.text)
    }
}

const CSS: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/frame.css"),
    include_str!("assets/parts.css"),
    include_str!("assets/pages.css"),
    include_str!("assets/policies.css"),
    include_str!("assets/choosing.css"),
);
const JS: &str = include_str!("assets/console.js");

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

pub(super) static STYLE: Asset =
    Asset { path: "/style.css", kind: "text/css; charset=utf-8", text: CSS, digest: LazyLock::new(|| digest(CSS)) };
pub(super) static SCRIPT: Asset = Asset {
    path: "/console.js",
    kind: "text/javascript; charset=utf-8",
    text: JS,
    digest: LazyLock::new(|| digest(JS)),
};

pub(super) async fn style(RawQuery(query): RawQuery) -> impl IntoResponse {
    STYLE.answer(query.as_deref())
}

pub(super) async fn script(RawQuery(query): RawQuery) -> impl IntoResponse {
    SCRIPT.answer(query.as_deref())
}

/// The mark of the product, for a browser's tab.
pub(super) async fn icon() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, include_str!("assets/icon.svg"))
}
