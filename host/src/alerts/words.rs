//! What the mails say, as text and as HTML.

use maud::{DOCTYPE, html};

use super::{RolledBack, SyncError, Timestamp};
use crate::mail::Mail;
use crate::salesforce;

/// The first points to check, as on the sync error page.
const POINTS: [(&str, &[&str]); 3] = [
    (
        "The Salesforce connection",
        &[
            "the organization is connected",
            "its authentication is valid",
            "the refresh token policy is \"valid until revoked\"",
        ],
    ),
    ("The synchronization mode", &["the right mode is active", "teams are mapped to queues where that is needed"]),
    ("The contact", &["the customer is linked to the right Salesforce contact, where the workflow needs it"]),
];

/// Which organization, and where its sync errors are.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) page: &'a str,
}

/// Sync errors are pending.
pub(super) fn pending(of: &Subject<'_>, count: u64, newest: Option<&SyncError>) -> Mail {
    let headline = match count {
        1 => format!("{}: a sync error is pending", of.name),
        _ => format!("{}: {count} sync errors are pending", of.name),
    };
    let mut text = format!("{headline}\n\n");
    if let Some(error) = newest {
        let refusal = &error.refusal;
        let advice = salesforce::advice(refusal);
        text += &format!(
            "What failed: message {} of conversation {}\n  {} ({})\n  {}\n  What happened: {}\n  What to check: {}\n  By itself: {}\n\n",
            error.message,
            error.conversation,
            refusal.code,
            refusal.class,
            refusal.text,
            advice.happened,
            advice.check,
            advice.by_itself,
        );
    }
    text += "The first points to check:\n";
    for (title, points) in POINTS {
        text += &format!("* {title}\n");
        for point in points {
            text += &format!("  - {point}\n");
        }
    }
    text += &format!("\nRetry or ignore: {}\n\nNo further mail comes until none is pending any more.\n", of.page);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            body style="font-family: sans-serif; line-height: 1.5; color: #1c2430" {
                h2 { (headline) }
                @if let Some(error) = newest {
                    @let advice = salesforce::advice(&error.refusal);
                    p {
                        "What failed: message " b { (error.message) } " of conversation " b { (error.conversation) } br;
                        b { (error.refusal.code) } " (" (error.refusal.class) ")" br;
                        (error.refusal.text) br;
                        b { "What happened: " } (advice.happened) br;
                        b { "What to check: " } (advice.check) br;
                        b { "By itself: " } (advice.by_itself)
                    }
                }
                p { "The first points to check:" }
                ul {
                    @for (title, points) in POINTS {
                        li { (title) ul { @for point in points { li { (point) } } } }
                    }
                }
                p { a href=(of.page) { "Retry or ignore" } }
                p style="color: #667" { "No further mail comes until none is pending any more." }
            }
        }
    };
    Mail { subject: format!("[Switchyard] {headline}"), text, html: page.into_string() }
}

/// A limit of the organization is used up.
pub(super) fn paused(of: &Subject<'_>, words: &str, until: Timestamp) -> Mail {
    let headline = format!("{}: Salesforce's limit is reached, so the synchronization pauses", of.name);
    let what = format!(
        "Salesforce says: {words}\n\nNothing is lost: conversations wait, and go on by themselves. Salesforce is asked again at \
         {until}, and from then on every quarter of an hour."
    );
    let hint = "What to check: which applications use up the API calls of this organization (Setup, System Overview and API \
                Usage), and whether more can be had.";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            body style="font-family: sans-serif; line-height: 1.5; color: #1c2430" {
                h2 { (headline) }
                @for paragraph in what.split("\n\n") { p { (paragraph) } }
                p { (hint) }
                p { a href=(of.page) { "Sync errors of this organization" } }
            }
        }
    };
    let text = format!("{headline}\n\n{what}\n\n{hint}\n\n{}\n", of.page);
    Mail { subject: format!("[Switchyard] {headline}"), text, html: page.into_string() }
}

/// Its policy was rolled back.
pub(super) fn rolled_back(of: &Subject<'_>, back: &RolledBack) -> Mail {
    let RolledBack { policy, back_to, reason, .. } = back;
    let headline = format!("{}: the policy {} was rolled back to revision {back_to}", of.name, policy.name);
    let what = format!("Revision {} did worse than the one before: {reason}.", policy.revision);
    let hint = format!(
        "Revision {back_to} decides again. What revision {} refused or failed at is pending: retry it. Revision {} comes back only \
         when somebody changes it, or puts it back by hand.",
        policy.revision, policy.revision
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            body style="font-family: sans-serif; line-height: 1.5; color: #1c2430" {
                h2 { (headline) }
                p { (what) }
                p { (hint) }
                p { a href=(of.page) { "The policy and its revisions" } }
            }
        }
    };
    let text = format!("{headline}\n\n{what}\n\n{hint}\n\n{}\n", of.page);
    Mail { subject: format!("[Switchyard] {headline}"), text, html: page.into_string() }
}

/// None is pending any more.
pub(super) fn recovered(of: &Subject<'_>) -> Mail {
    let headline = format!("{}: no sync error is pending any more", of.name);
    let text = format!("{headline}\n\nThe registry keeps what happened: {}\n", of.page);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            body style="font-family: sans-serif; line-height: 1.5; color: #1c2430" {
                h2 { (headline) }
                p { "The registry keeps what happened: " a href=(of.page) { "sync errors" } }
            }
        }
    };
    Mail { subject: format!("[Switchyard] {headline}"), text, html: page.into_string() }
}
