//! The queues of an organization, to choose one of them for a team.

use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};

use super::super::parts::format::{self, grouped};
use super::mended::{Meant, which};
use crate::domain::{PolicyName, folded};
use crate::http::App;
use crate::http::api::PolicyTexts;
use crate::http::problem::Problem;
use crate::policy::mapped_teams;
use crate::salesforce::Queues;

/// How old the list of queues may be, and how long it is waited for.
const MAX_AGE: Duration = Duration::from_secs(60);
const TIME: Duration = Duration::from_secs(10);
/// Queues of a list; beyond that a search narrows it.
const SHOWN: usize = 100;

/// The organization's own queues to choose from.
pub(super) async fn choice(
    app: &App,
    name: &PolicyName,
    meant: &Meant,
    team: &str,
    texts: &PolicyTexts,
    search: Option<&str>,
) -> Result<Markup, Problem> {
    let org = app.parts.engine.org(&meant.org)?.0;
    let asked = tokio::time::timeout(TIME, org.salesforce.queues(app.parts.clock.now(), MAX_AGE)).await;
    let (queues, why): (Arc<Queues>, _) = match asked {
        Ok(Ok(queues)) => (queues, None),
        Ok(Err(refusal)) => (Arc::default(), Some(format!("{}: {}", refusal.code, refusal.text))),
        Err(_) => (Arc::default(), Some(format!("no answer within {} seconds", TIME.as_secs()))),
    };
    let mapped = mapped_teams(&texts.toml).remove(team);
    let action = format!("/policies/{name}/mend");
    let is_gone = mapped.as_ref().is_some_and(|mapped| why.is_none() && queues.find(&mapped.queue).is_empty());
    Ok(html! {
        @if let Some(mapped) = &mapped {
            p.notice {
                "The text in force has the queue “" (mapped.queue) "” for this team already (line " (mapped.line) ")."
                @if is_gone { " " b { "The organization has no such queue." } } @else { " Retry them, or choose another one." }
            }
            @if !is_gone && meant.open > 0 { (retry_form(name, meant)) }
        }
        @match why {
            None => { (of_queues(&action, meant, &queues, search.unwrap_or_default())) }
            Some(why) => {
                p.notice.bad { "The organization's queues cannot be asked for: " (format::cut(&why)) }
                form.filters method="get" action=(action) {
                    (which(meant))
                    label { "Queue, by developer name or id" input name="queue" required maxlength="255" autocomplete="off"; }
                    button type="submit" { "Show the change" }
                }
            }
        }
    })
}

fn of_queues(action: &str, meant: &Meant, queues: &Queues, search: &str) -> Markup {
    let wanted = folded(search);
    let matches = |text: &str| folded(text).contains(&wanted);
    let mut found: Vec<_> = queues.iter().filter(|it| matches(&it.name) || matches(&it.developer_name)).collect();
    found.sort_by_key(|queue| folded(&queue.name));
    let count = found.len();
    html! {
        @if queues.iter().count() > SHOWN {
            form.filters method="get" action=(action) {
                (which(meant))
                label { "Search queues" input type="search" name="search" value=(search) maxlength="100" autocomplete="off"; }
                button.quiet type="submit" { "Search" }
            }
        }
        @if found.is_empty() { p.empty { "No queue of the organization matches." } } @else {
            form.filters method="get" action=(action) {
                (which(meant))
                label { span.clip title=(meant.org_name) { "Queue of " bdi { (meant.org_name) } }
                    select name="queue" required {
                        option value="" { "Choose one" }
                        @for queue in found.iter().take(SHOWN) {
                            @let id = if queue.developer_name.is_empty() { queue.id.as_str() } else { &queue.developer_name };
                            option value=(id) { (queue.name) @if queue.name != queue.developer_name { " (" (id) ")" } }
                        }
                    }
                }
                button type="submit" { "Show the change" }
            }
            @if count > SHOWN { p.hint { "The first " (SHOWN) " of " (grouped(count as u64)) ": search for others." } }
        }
    }
}

fn retry_form(name: &PolicyName, meant: &Meant) -> Markup {
    html! {
        form.actions method="post" action={ "/policies/" (name) "/mend/retry" } {
            (which(meant))
            button type="submit" { "Retry these " (grouped(meant.open)) }
        }
    }
}
