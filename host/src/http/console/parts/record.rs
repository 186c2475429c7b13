//! Ids of Salesforce's records: they lead to the records' pages where the organization is connected.

use std::sync::Arc;

use maud::{Markup, html};

use super::icon::{Icon, icon};
use crate::domain::{OrgId, RecordId, Records};
use crate::engine::Org;
use crate::http::App;

/// Where the records of one organization have their pages.
#[derive(Default)]
pub(crate) struct RecordPages(Option<Arc<Org>>);

impl RecordPages {
    /// Of an organization; of one that is not connected no record has a page.
    pub(crate) fn of(app: &App, org: &OrgId) -> Self {
        Self(app.parts.engine.org(org).ok().map(|(org, _)| org))
    }

    /// The record of a conversation.
    pub(crate) fn conversation(&self, id: &RecordId) -> Markup {
        self.one(id, Records { conversation: Some(id.clone()), ..Records::default() })
    }

    /// A contact, or the account of a person.
    pub(crate) fn contact(&self, id: &RecordId) -> Markup {
        self.one(id, Records { contact: Some(id.clone()), ..Records::default() })
    }

    /// A record of an object that only the beginning of its id tells.
    pub(crate) fn any(&self, text: &str) -> Markup {
        let Ok(id) = text.parse::<RecordId>() else { return record(text, None) };
        match text.get(..3) {
            Some("001" | "003") => self.contact(&id),
            Some("500") => self.one(&id, Records { case: Some(id.clone()), ..Records::default() }),
            _ => record(text, None),
        }
    }

    fn one(&self, id: &RecordId, records: Records) -> Markup {
        let page = self.0.as_ref().and_then(|org| org.salesforce.pages(&records).pop()?.url);
        record(id.as_str(), page.as_deref())
    }
}

/// The id of a record, which leads to its page where it has one.
pub(crate) fn record(id: &str, page: Option<&str>) -> Markup {
    html! {
        @match page {
            Some(page) => { a.code href=(page) rel="noreferrer" { (id) " " (icon(Icon::Outside)) } }
            None => { code { (id) } }
        }
    }
}
