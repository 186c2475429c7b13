//! The tour of the demo: where everything answers, what goes wrong, in how many conversations, and how each cause is mended from the console.

use std::net::SocketAddr;

use crate::app::App;
use crate::cli::out::tell;

/// A cause of the samples.
struct Cause {
    org: &'static str,
    /// The code of its sync errors; absent of an incident.
    code: Option<&'static str>,
    happened: &'static str,
    /// The page where it is mended, where that is not the cause's own.
    page: Option<&'static str>,
    mend: &'static str,
}

const CAUSES: [Cause; 5] = [
    Cause {
        org: "bank",
        code: None,
        happened: "nothing gets through, because the refresh token was revoked",
        page: Some("/"),
        mend: "press Authorize: what is parked follows by itself",
    },
    Cause {
        org: "retail",
        code: Some("QUEUE_NOT_FOUND"),
        happened: "somebody renamed the queue Returns",
        page: Some("/policies/demo-retail/edit"),
        mend: "write returns = \"Returns_Desk\", put that in force, and retry the cause",
    },
    Cause {
        org: "retail",
        code: Some("TEAM_NOT_MAPPED"),
        happened: "no queue is mapped to the team store-events",
        page: None,
        mend: "choose the queue Orders, put that in force, and retry",
    },
    Cause {
        org: "travel",
        code: Some("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        happened: "the agency has left Twitter, and a validation rule says so",
        page: None,
        mend: "ignore all of it, with the reason; Take back these undoes that",
    },
    Cause {
        org: "travel",
        code: Some("CONTACT_AMBIGUOUS"),
        happened: "two contacts share an address, so nobody can tell which one wrote",
        page: None,
        mend: "choose the contact of each",
    },
];

/// Says where everything answers.
pub(super) fn addresses(app: &App, mailbox: &str) {
    let console = console(app.address);
    let names: Vec<_> = app.engine.orgs().into_iter().map(|(org, _)| org.name.clone()).collect();
    tell!(
        "Switchyard moves conversations from a simulated Alcmeon into three simulated Salesforce organizations:\n{}, each with a policy of its own.\n",
        names.join(", ")
    );
    tell!(
        "  console   {console}/\n  API       {console}/v1/orgs\n  mailbox   {mailbox}/\n  policies  {console}/policies\n\nCtrl-C ends it.\n"
    );
}

/// Says what went wrong, as the registry counts it, and how it is mended; nothing of what is mended already.
pub(super) async fn causes(app: &App) -> anyhow::Result<()> {
    let mut told = String::new();
    for cause in &CAUSES {
        let (count, page) = waiting(app, cause).await?;
        if count > 0 {
            let (org, _) = app.engine.org(&cause.org.parse()?)?;
            let page = cause.page.unwrap_or(&page);
            told += &format!(
                "  {}: {} ({count} conversations)\n    {}{page}  {}\n",
                org.name,
                cause.happened,
                console(app.address),
                cause.mend
            );
        }
    }
    if !told.is_empty() {
        tell!("\nWhat went wrong, and where it is mended:\n{told}");
    }
    Ok(())
}

/// How many conversations wait because of it, and the page of the cause.
async fn waiting(app: &App, cause: &Cause) -> anyhow::Result<(u64, String)> {
    let org = cause.org.parse()?;
    let Some(code) = cause.code else { return Ok((app.engine.org(&org)?.1.parked, String::new())) };
    let mut groups = app.engine.ledger().groups_of(&org).await?;
    groups.retain(|group| group.code == code && group.counts.pending > 0);
    let page = groups.first().map(|group| format!("/causes/{}?org={org}", group.id)).unwrap_or_default();
    Ok((groups.iter().map(|group| group.counts.pending).sum(), page))
}

fn console(address: SocketAddr) -> String {
    format!("http://{address}")
}
