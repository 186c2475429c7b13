//! The two pages of the mailbox.

use maud::{DOCTYPE, Markup, html};

use super::Mail;
use crate::clock;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd}\
pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem}iframe{width:100%;height:40rem;border:1px solid #ddd}";

fn page(title: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (content) }
        }
    }
    .into_string()
}

/// All mails, the newest first.
pub(crate) fn list<'a>(mails: impl DoubleEndedIterator<Item = &'a Mail>) -> String {
    let mails: Vec<&Mail> = mails.rev().collect();
    let content = html! {
        @if mails.is_empty() { p { "No mail yet." } }
        @else {
            table {
                tr { th { "Received" } th { "To" } th { "Subject" } }
                @for mail in mails {
                    tr {
                        td { (clock::utc(mail.at_ms).strftime("%Y-%m-%d %H:%M:%S UTC")) }
                        td { (mail.to.join(", ")) }
                        td { a href={ "/mails/" (mail.number) } { (subject(mail)) } }
                    }
                }
            }
        }
    };
    page("Mailbox", &content)
}

/// One mail. Its HTML runs no script and reaches nothing of this page.
pub(crate) fn show(mail: &Mail) -> String {
    let content = html! {
        p { a href="/" { "All mails" } }
        table {
            tr { th { "From" } td { (mail.from) } }
            tr { th { "To" } td { (mail.to.join(", ")) } }
            tr { th { "Received" } td { (clock::utc(mail.at_ms).strftime("%Y-%m-%d %H:%M:%S UTC")) } }
        }
        @if let Some(text) = &mail.text { h2 { "Text" } pre { (text) } }
        @if let Some(markup) = &mail.html { h2 { "HTML" } iframe sandbox="" title="HTML of the mail" srcdoc=(markup) {} }
    };
    page(subject(mail), &content)
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.is_empty() { "(no subject)" } else { &mail.subject }
}
