//! The mails of an organization: whether they are muted and until when, and a mail to try the recipients.

use maud::{Markup, html};

use super::parts::{Visit, format};
use crate::domain::SettingsInForce;
use crate::engine::Org;
use crate::http::App;

/// How long mails can be muted with one press, in hours, and in words.
const MUTES: [(u64, &str); 4] = [(1, "an hour"), (8, "8 hours"), (24, "a day"), (7 * 24, "a week")];

/// Whether mails are muted, and a mail to try the recipients.
pub(super) fn of_mails(app: &App, visit: &Visit, org: &Org, stand: &SettingsInForce, may: bool) -> Markup {
    let (to, muted) = (&stand.values.alert_recipients, stand.muted(app.parts.clock.now()));
    html! {
        section.card aria-labelledby="mails" {
            h2 #mails { "Mails" }
            @match muted {
                Some(mute) => {
                    p { b { "Muted until " (mute.until.to_string().get(..16).unwrap_or_default().replace('T', " ")) " UTC" } ", which is " (format::time(mute.until)) ", by " (mute.by) ". What still holds then is one mail." }
                }
                None => { p { "Mails are sent" @if to.is_empty() { ", but nobody is a recipient" } "." } }
            }
            @if app.parts.outbox.is_none() {
                p.hint { "The configuration has no [mail], so no mail can be sent. It needs a start of the host to put it there." }
            }
            @if may {
                form.filters method="post" action={ "/orgs/" (org.id) "/mute" } {
                    (visit.way_back())
                    label {
                        "Mute them for"
                        select name="hours" { @for (hours, words) in MUTES { option value=(hours) { (words) } } }
                    }
                    label { "or until (UTC)" input type="datetime-local" name="until"; }
                    button.quiet type="submit" { "Mute mails" }
                    @if muted.is_some() { button type="submit" name="end" value="1" { "Send mails again" } }
                }
                @if app.parts.outbox.is_some() && !to.is_empty() {
                    form.filters method="post" action={ "/orgs/" (org.id) "/test-mail" } {
                        (visit.way_back())
                        label {
                            "Test mail to"
                            select name="to" {
                                option value="" { (format::counted(to.len() as u64, "recipient", "recipients")) }
                                @if to.len() > 1 { @for to in to { option value=(to) { (to) } } }
                            }
                        }
                        button.quiet type="submit" { "Send a test mail" }
                    }
                }
            }
        }
    }
}
