//! What the mails say.

use super::page::Page;

use crate::domain::{
    BrakedCause, Checks, Class, IncidentEnd, News, Notice, OngoingIncident, OrgId, PendingCause, Refusal, Rollback,
    SourceHealth,
};
use crate::mail::Mail;
use crate::salesforce;

/// Characters of an organization's name in a subject, so that what follows is seen.
const NAME: usize = 40;
/// Causes that a mail names; it counts the others.
const NAMED: usize = 10;

/// The mail that somebody asked for to find out whether it comes.
pub(super) fn test(name: &str, org: &OrgId, by: &str, link: String) -> Mail {
    let short = shortened(name);
    let words = format!(
        "{by} asked for this mail, to find out whether mails about the organization {org} come to you. They do. Nothing else \
         happened, and there is nothing to do."
    );
    let link = (link, "The settings of this organization");
    let subject = format!("{short}: a test mail");
    Page { subject, paragraphs: vec![words], list: Vec::new(), after: Vec::new(), link }.render()
}

/// The mail about what is new of an organization; several things are one mail.
pub(super) fn mail(name: &str, org: &OrgId, public_url: &str, notices: &[&Notice]) -> Mail {
    let (console, short) = (public_url.trim_end_matches('/'), shortened(name));
    let mut pages: Vec<_> = notices.iter().map(|notice| page(&short, org, console, notice)).collect();
    let mut page = match pages.len() {
        1 => pages.remove(0),
        _ => Page::together(&short, pages, sync_errors(console, org)),
    };
    if short != name {
        page.paragraphs.insert(0, format!("Organization: {name}"));
    }
    page.render()
}

fn page(short: &str, org: &OrgId, console: &str, notice: &Notice) -> Page {
    let errors = (sync_errors(console, org), "Sync errors of this organization");
    let mut page = match &notice.news {
        News::Causes { new, known } => causes(short, new, known, errors),
        News::IncidentBegan(incident) => {
            incident_began(short, incident, (format!("{console}/orgs/{org}/checks"), "The first points to check"))
        }
        News::IncidentEnded(end) => incident_ended(short, end, errors),
        News::Braked(held) => braked(short, held, errors),
        News::RolledBack(back) => rolled_back(short, back, console),
        News::Standstill { .. } | News::MovesAgain { .. } | News::SourceSilent(_) | News::SourceAnswers { .. } => {
            stillness(short, &notice.news, console, errors)
        }
        News::Reminder { causes, incident } => reminder(short, causes, incident.as_deref(), errors),
        News::AllClear { since, resolved, ignored } => Page {
            subject: format!("{short}: no sync error is pending any more"),
            paragraphs: vec![format!("Since {since} {resolved} got through and {ignored} were ignored.")],
            list: Vec::new(),
            after: Vec::new(),
            link: errors,
        },
    };
    if let Some(checks) = &notice.checks {
        page.after.push(red(checks));
    }
    page
}

/// Where the sync errors of an organization are.
fn sync_errors(console: &str, org: &OrgId) -> String {
    format!("{console}/sync-errors?org={org}")
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn conversations(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{} {}", groups.join(","), if count == 1 { "conversation" } else { "conversations" })
}

/// What a refusal asks of a person.
fn advised(refusal: &Refusal) -> Vec<String> {
    let advice = salesforce::advice(refusal);
    vec![
        format!("What happened: {}", advice.happened),
        format!("What to check: {}", advice.check),
        format!("By itself: {}", advice.by_itself),
    ]
}

fn line(cause: &PendingCause) -> String {
    format!("{}: {} ({}, {}; {})", cause.title, conversations(cause.pending), cause.code, cause.class, cause.condition)
}

fn listed(causes: &[PendingCause]) -> Vec<String> {
    let mut list: Vec<_> = causes.iter().take(NAMED).map(line).collect();
    if causes.len() > NAMED {
        let left = causes[NAMED..].iter().map(|cause| cause.pending).sum();
        list.push(format!("and {} more causes with {}", causes.len() - NAMED, conversations(left)));
    }
    list
}

fn causes(short: &str, new: &[PendingCause], known: &[PendingCause], link: (String, &'static str)) -> Page {
    let count = new.iter().map(|cause| cause.pending).sum();
    let title = new.first().map_or("sync errors are pending", |cause| cause.title.as_str());
    let more = match new.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let mut after: Vec<_> = new.first().map(|cause| advised(&as_refusal(cause))).unwrap_or_default();
    if !known.is_empty() {
        let waits = conversations(known.iter().map(|cause| cause.pending).sum());
        after.push(format!("Beside these, {waits} wait because of {} that you know of.", causes_in_words(known.len())));
    }
    after
        .push("The first points to check: the connection, the mapping of teams to queues, and the contact.".to_owned());
    Page {
        subject: format!("{short}: {title}{more}, {}", conversations(count)),
        paragraphs: vec![format!("{} wait for a person:", conversations(count))],
        list: listed(new),
        after,
        link,
    }
}

fn causes_in_words(count: usize) -> String {
    if count == 1 { "one cause".to_owned() } else { format!("{count} causes") }
}

/// What advice looks at of a cause.
fn as_refusal(cause: &PendingCause) -> Refusal {
    Refusal::new(cause.class, &cause.code, cause.text.clone())
}

fn incident_began(short: &str, incident: &OngoingIncident, link: (String, &'static str)) -> Page {
    let OngoingIncident { since, refusal, next_probe_at, waiting } = incident;
    let what = match refusal.class {
        Class::Limit => "Salesforce's limit is reached",
        Class::Auth => "the connection is no longer authorized",
        _ => "nothing gets through",
    };
    let mut after = advised(refusal);
    after.push(format!("Salesforce is asked again not before {next_probe_at}, and from then on again and again."));
    Page {
        subject: format!("{short}: {what}, {} waiting", conversations(*waiting)),
        paragraphs: vec![
            format!("Since {since} nothing gets through. Salesforce says: {} ({})", refusal.text, refusal.code),
            format!(
                "Nothing is lost: {} are parked, and follow by themselves when it is over.",
                conversations(*waiting)
            ),
        ],
        list: Vec::new(),
        after,
        link,
    }
}

fn incident_ended(short: &str, end: &IncidentEnd, link: (String, &'static str)) -> Page {
    let IncidentEnd { since, until, waited, parked, pending } = end;
    Page {
        subject: format!("{short}: conversations get through again"),
        paragraphs: vec![format!(
            "What began at {since} ended at {until}. {} waited for it; {} are still to be sent, and {pending} sync errors wait for a \
             person.",
            conversations(*waited),
            conversations(*parked)
        )],
        list: Vec::new(),
        after: Vec::new(),
        link,
    }
}

fn braked(short: &str, causes: &[BrakedCause], link: (String, &'static str)) -> Page {
    let first = causes.first().map_or("", |cause| cause.title.as_str());
    let line = |BrakedCause { title, policy, until, pending, .. }: &BrakedCause| {
        let goes_on = until.map_or_else(String::new, |until| format!(", and goes on by itself at {until}"));
        format!("{title}: {} pending; policy {policy} is held{goes_on}", conversations(*pending))
    };
    Page {
        subject: format!("{short}: a policy ignored too much of: {first}"),
        paragraphs: vec![
            "A policy ignored more sync errors of a cause within an hour than its brake allows. Those of the hour are pending again, and \
             what it would ignore from now on waits for a person."
                .to_owned(),
        ],
        list: causes.iter().take(NAMED).map(line).collect(),
        after: vec![
            "If the policy is right, resume its operation (task auto-ignore) and ignore what is pending; if it is not, undo the operation \
             and change the policy."
                .to_owned(),
        ],
        link,
    }
}

fn rolled_back(short: &str, back: &Rollback, console: &str) -> Page {
    let Rollback { policy, back_to, reason, .. } = back;
    Page {
        subject: format!("{short}: the policy {} was rolled back to revision {back_to}", policy.name),
        paragraphs: vec![format!("Revision {} did worse than the one before: {reason}.", policy.revision)],
        list: Vec::new(),
        after: vec![format!(
            "Revision {back_to} decides again. What revision {} refused or failed at is pending: retry it. Revision {} comes back \
             only when somebody changes it, or puts it back by hand.",
            policy.revision, policy.revision
        )],
        link: (format!("{console}/policies/{}", policy.name), "The policy and its revisions"),
    }
}

fn reminder(
    short: &str,
    causes: &[PendingCause],
    incident: Option<&OngoingIncident>,
    link: (String, &'static str),
) -> Page {
    let pending = causes.iter().map(|cause| cause.pending).sum::<u64>();
    let mut paragraphs = Vec::new();
    if let Some(incident) = incident {
        let waits = conversations(incident.waiting);
        paragraphs.push(format!(
            "Nothing gets through since {} ({}); {waits} are parked.",
            incident.since, incident.refusal.code
        ));
    }
    if pending > 0 {
        paragraphs.push(format!("{} wait for a person:", conversations(pending)));
    }
    let waiting = pending + incident.map_or(0, |incident| incident.waiting);
    let subject = format!("{short}: {} still waiting", conversations(waiting));
    Page { subject, paragraphs, list: listed(causes), after: Vec::new(), link }
}

/// What is said of something that does not move although it could, and when it moves again.
fn stillness(short: &str, news: &News, console: &str, errors: (String, &'static str)) -> Page {
    let page = |subject: String, paragraph: String, check: Option<&str>, link| Page {
        subject: format!("{short}: {subject}"),
        paragraphs: vec![paragraph],
        list: Vec::new(),
        after: check.map(|check| format!("What to check: {check}")).into_iter().collect(),
        link,
    };
    let first_page = (format!("{console}/"), "The organizations and their sources");
    match news {
        News::Standstill { since, oldest } => page(
            format!("nothing has moved since {since}"),
            format!(
                "Conversations wait for nothing but their turn, the oldest is {}, and none has got through or been refused \
                 since {since}.",
                oldest.conversation
            ),
            Some("the log of the host, and whether the organization's API answers."),
            errors,
        ),
        News::SourceSilent(SourceHealth { source, in_vain_since, arrived_at, .. }) => page(
            format!("the source {source} does not answer"),
            format!(
                "It is asked in vain since {}. Something last came of it {arrived_at}; what it has had since, and what it is to be \
                 told, may wait.",
                in_vain_since.unwrap_or_default()
            ),
            Some("whether it can be reached, and its secret; the host's troubles say what it answered."),
            first_page,
        ),
        News::SourceAnswers { source, since } => page(
            format!("the source {source} answers again"),
            format!("It had been asked in vain since {since}."),
            None,
            first_page,
        ),
        News::MovesAgain { since } => {
            page("conversations move again".to_owned(), format!("Nothing had moved since {since}."), None, errors)
        }
        _ => page(String::new(), String::new(), None, errors),
    }
}

fn red(checks: &Checks) -> String {
    match checks.red.is_empty() {
        true => format!("The first points to check, looked at {}: all as they should be.", checks.at),
        false => format!("The first points to check, looked at {}; red are: {}", checks.at, checks.red.join("; ")),
    }
}
