//! A mail in its two forms, as text and as HTML; and several that are one.

use maud::{DOCTYPE, html};

use crate::mail::Mail;

/// A mail on its way to its two forms.
pub(super) struct Page {
    pub(super) subject: String,
    pub(super) paragraphs: Vec<String>,
    /// Causes, one line each.
    pub(super) list: Vec<String>,
    /// What to do, after the list.
    pub(super) after: Vec<String>,
    pub(super) link: (String, &'static str),
}

impl Page {
    /// What came while mails were muted, as one.
    pub(super) fn together(short: &str, pages: Vec<Self>, errors: String) -> Self {
        let mut whole = Self {
            subject: format!("{short}: {} things since mails were muted", pages.len()),
            paragraphs: vec!["Mails about this organization were muted. This is how it stands now:".to_owned()],
            list: pages.iter().map(|page| page.subject.clone()).collect(),
            after: Vec::new(),
            link: (errors, "Sync errors of this organization"),
        };
        for page in pages {
            whole.after.push(format!("{}.", page.subject));
            whole.after.extend(page.paragraphs.into_iter().chain(page.list).chain(page.after));
        }
        whole
    }

    /// Its two forms.
    pub(super) fn render(self) -> Mail {
        let Self { subject, paragraphs, list, after, link: (address, words) } = self;
        let mut text = format!("{subject}\n\n");
        for paragraph in &paragraphs {
            text += &format!("{paragraph}\n\n");
        }
        for line in &list {
            text += &format!("* {line}\n");
        }
        if !list.is_empty() {
            text += "\n";
        }
        for paragraph in &after {
            text += &format!("{paragraph}\n\n");
        }
        text += &format!("{words}: {address}\n");
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                body style="font-family: sans-serif; line-height: 1.5; color: #1c2430" {
                    h2 { (subject) }
                    @for paragraph in &paragraphs { p { (paragraph) } }
                    @if !list.is_empty() { ul { @for line in &list { li { (line) } } } }
                    @for paragraph in &after { p { (paragraph) } }
                    p { a href=(address) { (words) } }
                }
            }
        };
        Mail { subject: format!("[Switchyard] {subject}"), text, html: markup.into_string() }
    }
}
