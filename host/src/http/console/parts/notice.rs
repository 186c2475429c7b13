//! What a form did, as the address of the page that it leads back to says it. What became of it is looked up when that page is
//! made, so that a notice stays true in a bookmark.

use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{ApiTokenId, OperationId, SyncErrorId};

/// What a form did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Retried(SyncErrorId),
    Ignored(SyncErrorId),
    Reopened(SyncErrorId),
    /// The contact was chosen.
    Chose(SyncErrorId),
    /// Nothing: the sync error had changed meanwhile.
    Late(SyncErrorId),
    /// Nothing: the operation stood otherwise meanwhile.
    Overtaken(OperationId),
    /// Nothing: the conversation was parked no more.
    NotParked,
    Looked,
    PutBack,
    Forgotten,
    PolicyPut,
    PolicyRestored,
    PolicyDeleted,
    ShadowStarted,
    ShadowEnded,
    RejectionForgotten,
    PluginTaken,
    PluginPulled,
    PluginDeleted,
    /// Settings were saved.
    Saved,
    /// Test mails were sent.
    Tested,
    /// A token.
    Revoked(ApiTokenId),
}

/// What has nothing to look up: as an address says it, and as the page does.
static PLAIN: [(Done, &str, &str); 15] = [
    (Done::NotParked, "not-parked", "Nothing was done: the conversation is not parked any more."),
    (Done::Looked, "looked", "The points were looked at: what was found stands under “The first points to check”."),
    (Done::PutBack, "put-back", "The record is back under its key, and is read again."),
    (Done::Forgotten, "forgotten", "The record is forgotten."),
    (Done::PolicyPut, "policy-put", "The texts were put in force: they decide the next conversation."),
    (Done::PolicyRestored, "policy-restored", "The revision was put in force again: it decides the next conversation."),
    (Done::PolicyDeleted, "policy-deleted", "The policy was deleted. Its revisions are kept."),
    (Done::ShadowStarted, "shadow-started", "The shadow was begun: it is asked beside what is in force."),
    (Done::ShadowEnded, "shadow-ended", "The shadow was ended."),
    (Done::RejectionForgotten, "rejection-forgotten", "The refused change was let go."),
    (Done::PluginTaken, "plugin-taken", "The plugin was taken, and the policies that name it were applied again."),
    (Done::PluginPulled, "plugin-pulled", "The plugin was pulled, and the policies that name it were applied again."),
    (Done::PluginDeleted, "plugin-deleted", "The plugin was deleted."),
    (Done::Saved, "saved", "What is in force by now is below."),
    (Done::Tested, "tested", "The mail server was asked; what it said of each test mail is below."),
];

impl Done {
    /// Anybody can write an address: what is none of our notices is nothing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((done, ..)) = PLAIN.iter().find(|(_, word, _)| *word == text) {
            return Some(done.clone());
        }
        let (word, id) = text.split_once('-').unwrap_or((text, ""));
        match (word, id) {
            ("retried", id) => id.parse().ok().map(Self::Retried),
            ("ignored", id) => id.parse().ok().map(Self::Ignored),
            ("reopened", id) => id.parse().ok().map(Self::Reopened),
            ("chose", id) => id.parse().ok().map(Self::Chose),
            ("late", id) => id.parse().ok().map(Self::Late),
            ("revoked", id) => id.parse().ok().map(Self::Revoked),
            ("overtaken", id) => id.parse().ok().map(Self::Overtaken),
            _ => None,
        }
    }

    /// To an address of this host, with a notice.
    pub(crate) fn at(&self, address: &str) -> Redirect {
        Redirect::to(&self.address(address))
    }

    /// An address of this host, with a notice.
    pub(crate) fn address(&self, address: &str) -> String {
        let address = without_notice(address);
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}done={}", self.as_text())
    }

    pub(crate) fn as_text(&self) -> String {
        match self {
            Self::Retried(id) => format!("retried-{id}"),
            Self::Ignored(id) => format!("ignored-{id}"),
            Self::Reopened(id) => format!("reopened-{id}"),
            Self::Chose(id) => format!("chose-{id}"),
            Self::Late(id) => format!("late-{id}"),
            Self::Revoked(id) => format!("revoked-{id}"),
            Self::Overtaken(id) => format!("overtaken-{id}"),
            plain => PLAIN.iter().find(|(done, ..)| done == plain).map_or("", |(_, word, _)| *word).to_owned(),
        }
    }

    /// The words for what has nothing to look up.
    pub(crate) fn plain(&self) -> Option<&'static str> {
        PLAIN.iter().find(|(done, ..)| done == self).map(|(.., says)| *says)
    }
}

/// The field of a form that says where it stood.
#[derive(Debug, Deserialize)]
pub(crate) struct Back {
    back: Option<String>,
}

impl Back {
    /// To this page.
    pub(crate) fn to(page: String) -> Self {
        Self { back: Some(page) }
    }

    /// Back to where the form stood, with a notice.
    pub(crate) fn with(&self, done: &Done) -> Redirect {
        done.at(local(self.back.as_deref()))
    }

    /// The list of sync errors that it leads back to, with its filters.
    pub(crate) fn list(&self) -> Option<&str> {
        let address = local(self.back.as_deref());
        (address.split('?').next() == Some("/sync-errors")).then_some(address)
    }

    /// The link to that list.
    pub(crate) fn link(&self) -> Markup {
        html! { @if let Some(list) = self.list() { " · " a href=(list) data-key="b" { "Back to the list" } } }
    }
}

/// The address if it leads to a page of this host, `/` otherwise.
pub(crate) fn local(address: Option<&str>) -> &str {
    let fits = |address: &&str| {
        // A browser reads `//x` and `/\x` as another host and takes blanks and line ends out before it looks.
        let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        plain && address.starts_with('/') && !address.starts_with("//")
    };
    address.filter(fits).unwrap_or("/")
}

pub(super) fn without_notice(address: &str) -> String {
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
    fn only_a_list_of_this_host_is_a_list_to_go_back_to() {
        for good in ["/sync-errors", "/sync-errors?org=a&cursor=1~2"] {
            assert_eq!(Back::to(good.to_owned()).list(), Some(good));
        }
        for bad in ["/", "/sync-errors/se-1", "//evil.example/sync-errors", "https://evil.example/sync-errors?org=a"] {
            assert_eq!(Back::to(bad.to_owned()).list(), None, "{bad}");
        }
    }

    #[test]
    fn a_notice_is_read_as_it_was_written_and_only_our_own_are_known() {
        let error = SyncErrorId::of(&"shop".parse().unwrap(), &"main:1".parse().unwrap(), 1);
        let operation = OperationId::begun(crate::domain::Timestamp::from_millis(1_768_469_500_000), 7);
        let looked_up = [
            Done::Retried(error.clone()),
            Done::Ignored(error.clone()),
            Done::Reopened(error.clone()),
            Done::Chose(error.clone()),
            Done::Late(error),
            Done::Overtaken(operation),
            Done::Revoked("tok-1".parse().unwrap()),
        ];
        for done in looked_up.into_iter().chain(PLAIN.iter().map(|(done, ..)| done.clone())) {
            assert_eq!(Done::parse(&done.as_text()), Some(done));
        }
        for foreign in ["%3Cscript%3E", "", "retried-", "looked-1", "put-", "overtaken-%00"] {
            assert_eq!(Done::parse(foreign), None, "{foreign}");
        }
        assert_eq!(without_notice("/sync-errors?org=a&done=looked"), "/sync-errors?org=a");
        assert_eq!(without_notice("/?done=looked"), "/");
    }
}
