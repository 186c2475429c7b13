//! What all pages share: who visits, the frame around the content, notices and refusals, and the way back from a form.

use std::fmt;

use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::format;
use crate::http::access::{Caller, Scope};
use crate::http::problem::Problem;

/// The parts of the console, as its menu names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Orgs,
    SyncErrors,
    Policies,
    /// Pages that the menu does not lead to.
    Other,
}

const MENU: [(Section, &str, &str); 3] = [
    (Section::Orgs, "/", "Organizations"),
    (Section::SyncErrors, "/sync-errors", "Sync errors"),
    (Section::Policies, "/policies", "Policies"),
];

/// Policies are about all organizations.
fn shows(caller: &Caller, section: Section) -> bool {
    section != Section::Policies || caller.orgs().is_none()
}

/// Who looks at which page.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    caller: Option<Caller>,
    /// Whether nobody has to sign in.
    open: bool,
    /// Path and query without the notice, where forms lead back to.
    here: String,
    done: Option<Done>,
}

impl Visit {
    pub(super) fn new(caller: Option<Caller>, open: bool, uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let done = query.split('&').find_map(|pair| pair.strip_prefix("done=")).and_then(Done::parse);
        let address = uri.path_and_query().map_or("/", |address| address.as_str());
        Self { caller, open, here: without_notice(address), done }
    }

    pub(super) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    pub(super) fn here(&self) -> &str {
        &self.here
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.may(scope))
    }

    /// A whole page; the content brings its own `h1`.
    pub(super) fn page(&self, title: &str, section: Section, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · Switchyard" }
                    link rel="stylesheet" href="/style.css";
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header.top { (self.menu(section)) }
                    main #content {
                        @if let Some(done) = self.done { p.notice role="status" { (done) } }
                        (content)
                    }
                }
            }
        }
    }

    fn menu(&self, section: Section) -> Markup {
        html! {
            a.brand href="/" { "Switchyard" }
            @if let Some(caller) = &self.caller {
                nav aria-label="Main" {
                    @for (of, address, name) in MENU.into_iter().filter(|(of, ..)| shows(caller, *of)) {
                        a href=(address) aria-current=[(of == section).then_some("page")] { (name) }
                    }
                }
                @if !self.open {
                    form.out method="post" action="/logout" {
                        span { "Signed in as " b { (caller.name) } }
                        button.quiet type="submit" { "Sign out" }
                    }
                }
            }
        }
    }

    /// A refusal in its own words, with its own status.
    pub(super) fn refusal(&self, problem: &Problem) -> Response {
        let content = html! {
            h1 { (problem.title()) }
            p { (format::capital(problem.detail().trim_end_matches('.'))) "." }
            p { a href="/sync-errors" { "To the sync errors" } }
        };
        (problem.status(), self.page(problem.title(), Section::Other, &content)).into_response()
    }

    /// The field that leads back to this page.
    pub(super) fn way_back(&self) -> Markup {
        html! { input type="hidden" name="back" value=(self.here); }
    }
}

/// A table whose rows become cards where there is no room; the roles keep it a table for who hears it.
pub(super) fn table(columns: &[&str], rows: &Markup) -> Markup {
    html! {
        table role="table" {
            thead role="rowgroup" {
                tr role="row" { @for column in columns { th role="columnheader" scope="col" { (column) } } }
            }
            tbody role="rowgroup" { (rows) }
        }
    }
}

/// A cell; on a card its column stands before it.
pub(super) fn cell(column: &str, content: &Markup) -> Markup {
    html! { td role="cell" data-label=(column) { div { (content) } } }
}

/// What a form did, as the page that it leads back to says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Retried(u64),
    Ignored,
    Reopened,
    Looked,
    PutBack,
    Forgotten,
}

impl Done {
    /// Anybody can write an address: what is none of our notices is nothing.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "ignored" => Some(Self::Ignored),
            "reopened" => Some(Self::Reopened),
            "looked" => Some(Self::Looked),
            "put-back" => Some(Self::PutBack),
            "forgotten" => Some(Self::Forgotten),
            _ => text.strip_prefix("retried-")?.parse().ok().map(Self::Retried),
        }
    }

    fn as_text(self) -> String {
        match self {
            Self::Retried(count) => format!("retried-{count}"),
            Self::Ignored => "ignored".to_owned(),
            Self::Reopened => "reopened".to_owned(),
            Self::Looked => "looked".to_owned(),
            Self::PutBack => "put-back".to_owned(),
            Self::Forgotten => "forgotten".to_owned(),
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retried(0) => f.write_str("No sync error was pending or retrying."),
            Self::Retried(1) => {
                f.write_str("1 sync error is tried again. It is listed under “retrying” until that ends.")
            }
            Self::Retried(count) => {
                write!(f, "{count} sync errors are tried again. They are listed under “retrying” until that ends.")
            }
            Self::Ignored => {
                f.write_str("The sync error is ignored. It can be reopened from the list of the ignored ones.")
            }
            Self::Reopened => f.write_str("The sync error is pending again."),
            Self::Looked => f.write_str("The points were looked at."),
            Self::PutBack => f.write_str("The record is back under its key, and is read again."),
            Self::Forgotten => f.write_str("The record is forgotten."),
        }
    }
}

/// The field of a form that says where it stood.
#[derive(Debug, Deserialize)]
pub(super) struct Back {
    back: Option<String>,
}

impl Back {
    /// Back to where the form stood, with a notice.
    pub(super) fn with(&self, done: Done) -> Redirect {
        let back = without_notice(local(self.back.as_deref()));
        let mark = if back.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{back}{mark}done={}", done.as_text()))
    }
}

/// The address if it leads to a page of this host, `/` otherwise.
pub(super) fn local(address: Option<&str>) -> &str {
    let fits = |address: &&str| {
        // A browser reads `//x` and `/\x` as another host and takes blanks and line ends out before it looks.
        let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        plain && address.starts_with('/') && !address.starts_with("//")
    };
    address.filter(fits).unwrap_or("/")
}

fn without_notice(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let rest: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("done=")).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_only_leads_back_to_this_host() {
        for good in ["/", "/sync-errors?org=a&state=", "/messages/main:1"] {
            assert_eq!(local(Some(good)), good);
        }
        for bad in ["", "sync-errors", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example/"]
        {
            assert_eq!(local(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(local(None), "/");
    }

    #[test]
    fn a_notice_is_shown_once_and_only_our_own_are_known() {
        let visit = |address: &str| Visit::new(None, true, &address.parse().unwrap());
        let first = visit("/sync-errors?org=a&done=retried-2");
        assert_eq!((first.here(), first.done), ("/sync-errors?org=a", Some(Done::Retried(2))));
        assert_eq!(visit("/?done=%3Cscript%3E").done, None);
        assert_eq!(visit("/?done=ignored").here(), "/");
        for done in [Done::Retried(7), Done::Ignored, Done::Reopened, Done::Looked, Done::PutBack, Done::Forgotten] {
            assert_eq!(Done::parse(&done.as_text()), Some(done));
        }
    }
}
