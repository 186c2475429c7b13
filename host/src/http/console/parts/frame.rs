//! The frame around every page: who visits, the menu with what waits, the search, and refusals in words.

use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::format::{self, counted, grouped};
use super::icon::{Icon, icon};
use super::notice::{Done, without_notice};
use crate::http::access::{Caller, Scope};
use crate::http::console::assets::{SCRIPT, STYLE};
use crate::http::problem::Problem;

/// The parts of the console, as its menu names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Causes,
    SyncErrors,
    Operations,
    Policies,
    Mails,
    Quarantine,
    Actions,
    Customers,
    Tokens,
    Api,
    /// Pages that the menu does not lead to.
    Other,
}

/// An entry of the menu.
struct Entry {
    section: Section,
    address: &'static str,
    name: &'static str,
    icon: Icon,
    /// Whether it is about all organizations: a token for some is not shown it.
    about_all: bool,
    /// What a token has to have to be shown it.
    needs: Scope,
}

const fn entry(section: Section, address: &'static str, name: &'static str, icon: Icon) -> Entry {
    Entry { section, address, name, icon, about_all: false, needs: Scope::Read }
}

const fn for_scope(entry: Entry, needs: Scope) -> Entry {
    Entry { needs, ..entry }
}

const fn about_all(entry: Entry) -> Entry {
    Entry { about_all: true, ..entry }
}

/// What people come for,
const MENU: [Entry; 5] = [
    entry(Section::Home, "/", "Home", Icon::Home),
    entry(Section::Causes, "/causes", "Causes", Icon::Causes),
    entry(Section::SyncErrors, "/sync-errors", "Errors", Icon::SyncErrors),
    entry(Section::Operations, "/operations", "Operations", Icon::Operations),
    about_all(entry(Section::Policies, "/policies", "Policies", Icon::Policies)),
];

/// and what they come for now and then.
const MORE: [Entry; 6] = [
    entry(Section::Actions, "/actions", "Who did what", Icon::Actions),
    for_scope(entry(Section::Customers, "/customers", "Customers", Icon::Customers), Scope::Errors),
    entry(Section::Mails, "/mails", "Mails", Icon::Mails),
    about_all(entry(Section::Quarantine, "/quarantine", "Quarantine", Icon::Quarantine)),
    for_scope(entry(Section::Tokens, "/tokens", "Tokens", Icon::Tokens), Scope::Tokens),
    entry(Section::Api, "/docs", "The API", Icon::Api),
];

/// What waits of all that somebody sees.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waiting {
    /// Sync errors that wait for a person.
    pub(crate) pending: u64,
    /// Conversations that wait for the end of an incident.
    pub(crate) parked: u64,
}

impl Waiting {
    const fn all(self) -> u64 {
        self.pending + self.parked
    }

    fn words(self) -> String {
        let pending = (self.pending, counted(self.pending, "sync error is pending", "sync errors are pending"));
        let parked = (self.parked, counted(self.parked, "conversation is parked", "conversations are parked"));
        let some = [pending, parked].into_iter().filter(|(count, _)| *count > 0);
        some.map(|(_, words)| words).collect::<Vec<_>>().join(", ")
    }
}

/// Who looks at which page.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    caller: Option<Caller>,
    /// Whether nobody has to sign in.
    open: bool,
    /// Path and query without the notice, where forms lead back to.
    here: String,
    done: Option<Done>,
    /// What the form that led here did, in words.
    notice: Option<Markup>,
    waiting: Waiting,
}

impl Visit {
    pub(crate) fn new(caller: Option<Caller>, open: bool, uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let done = query.split('&').find_map(|pair| pair.strip_prefix("done=")).and_then(Done::parse);
        let address = uri.path_and_query().map_or("/", |address| address.as_str());
        Self { caller, open, here: without_notice(address), done, notice: None, waiting: Waiting::default() }
    }

    /// With what waits.
    pub(crate) fn with_waiting(self, waiting: Waiting) -> Self {
        Self { waiting, ..self }
    }

    /// With what the form that led here did.
    pub(crate) fn with_notice(self, notice: Option<Markup>) -> Self {
        Self { notice, ..self }
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    pub(crate) fn here(&self) -> &str {
        &self.here
    }

    pub(crate) fn done(&self) -> Option<&Done> {
        self.done.as_ref()
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.may(scope))
    }

    /// A whole page; the content brings its own `h1`.
    pub(crate) fn page(&self, title: &str, section: Section, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { @if self.waiting.all() > 0 { "(" (grouped(self.waiting.all())) ") " } (title) " · Switchyard" }
                    link rel="icon" href="/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href=(STYLE.address());
                    script src=(SCRIPT.address()) defer {}
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header.top { (self.top(section)) }
                    main #content {
                        (self.notice.clone().unwrap_or_default())
                        (content)
                    }
                }
            }
        }
    }

    fn top(&self, section: Section) -> Markup {
        html! {
            a.brand href="/" {
                svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
                    path d="M4 22V2M4 15C4 8 15 11 15 2M20 22V2" {}
                }
                "Switchyard"
            }
            @if let Some(caller) = &self.caller {
                nav.menu aria-label="Main" {
                    @for entry in MENU.iter().filter(|entry| shows(caller, entry)) { (self.link(entry, section)) }
                    details.more {
                        summary { (icon(Icon::More)) span { "More" } }
                        div {
                            @for entry in MORE.iter().filter(|entry| shows(caller, entry)) { (self.link(entry, section)) }
                            @if !self.open {
                                form.out method="post" action="/logout" {
                                    span { "Signed in as " b { (caller.name) } }
                                    button.quiet type="submit" { "Sign out" }
                                }
                            }
                        }
                    }
                }
                form.find role="search" method="get" action="/sync-errors" {
                    input type="hidden" name="state" value="";
                    input type="search" name="q" maxlength="200" aria-label="Search" data-key="/"
                        placeholder="Search" value=[self.searched()];
                    button.quiet type="submit" aria-label="Search" { (icon(Icon::Search)) }
                }
            }
        }
    }

    /// What was searched for on this page.
    fn searched(&self) -> Option<String> {
        let (path, query) = self.here.split_once('?')?;
        let mut fields = url::form_urlencoded::parse(query.as_bytes());
        fields
            .find(|(name, value)| path == "/sync-errors" && name == "q" && !value.is_empty())
            .map(|(_, q)| q.into_owned())
    }

    fn link(&self, entry: &Entry, section: Section) -> Markup {
        html! {
            a href=(entry.address) aria-current=[(entry.section == section).then_some("page")] {
                (icon(entry.icon)) span { (entry.name) }
                @if entry.section == Section::SyncErrors && self.waiting.all() > 0 {
                    " " b.count #waiting data-live title=(self.waiting.words()) { (grouped(self.waiting.all())) }
                }
            }
        }
    }

    /// A refusal in its own words, with its own status.
    pub(crate) fn refusal(&self, problem: &Problem) -> Response {
        let content = html! {
            h1 { (problem.title()) }
            p { (format::capital(problem.detail().trim_end_matches('.'))) "." }
            p { a href="/sync-errors" { "To the sync errors" } }
        };
        (problem.status(), self.page(problem.title(), Section::Other, &content)).into_response()
    }

    /// The field that leads back to this page.
    pub(crate) fn way_back(&self) -> Markup {
        html! { input type="hidden" name="back" value=(self.here); }
    }
}

fn shows(caller: &Caller, entry: &Entry) -> bool {
    caller.may(entry.needs) && (caller.orgs().is_none() || !entry.about_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_stands_in_the_title_and_in_the_menu() {
        let visit = |pending, parked| {
            let visit = Visit::new(Some(Caller::local()), true, &"/".parse().unwrap());
            visit.with_waiting(Waiting { pending, parked }).page("Home", Section::Home, &html! {}).0
        };
        assert!(visit(0, 0).contains("<title>Home ·") && !visit(0, 0).contains("count"));
        let page = visit(4_987, 500);
        assert!(page.contains("<title>(5,487) Home ·") && page.contains(">5,487</b>"), "{page}");
        assert!(page.contains("title=\"4,987 sync errors are pending, 500 conversations are parked\""), "{page}");
    }
}
