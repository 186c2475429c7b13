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
    mend: &'static str,
}

const CAUSES: [Cause; 5] = [
    Cause {
        org: "bank",
        code: None,
        happened: "nothing gets through, because the refresh token was revoked",
        mend: "press Authorize on the card of Demo bank: what is parked follows by itself",
    },
    Cause {
        org: "retail",
        code: Some("QUEUE_NOT_FOUND"),
        happened: "somebody renamed the queue Returns",
        mend: "edit the policy demo-retail: returns = \"Returns_Desk\"; put it in force, and retry",
    },
    Cause {
        org: "retail",
        code: Some("TEAM_NOT_MAPPED"),
        happened: "no queue is mapped to the team store-events",
        mend: "open the cause and choose the queue Orders; put that in force, and retry",
    },
    Cause {
        org: "travel",
        code: Some("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        happened: "the agency has left Twitter, and a validation rule says so",
        mend: "open the cause and ignore all of it, with the reason; Undo takes that back",
    },
    Cause {
        org: "travel",
        code: Some("CONTACT_AMBIGUOUS"),
        happened: "two contacts share an address, so nobody can tell which one wrote",
        mend: "open a sync error and choose the contact",
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
    let mut told = Vec::new();
    for cause in &CAUSES {
        let count = count(app, cause).await?;
        if count > 0 {
            let (org, _) = app.engine.org(&cause.org.parse()?)?;
            told.push(format!("  {}: {} ({count} conversations)\n    {}", org.name, cause.happened, cause.mend));
        }
    }
    if !told.is_empty() {
        tell!("\nWhat went wrong, and how it is mended at {}/:\n{}\n", console(app.address), told.join("\n"));
    }
    Ok(())
}

/// Conversations that wait because of it.
async fn count(app: &App, cause: &Cause) -> anyhow::Result<u64> {
    let org = cause.org.parse()?;
    let Some(code) = cause.code else { return Ok(app.engine.org(&org)?.1.parked) };
    let groups = app.engine.ledger().groups_of(&org).await?;
    Ok(groups.iter().filter(|group| group.code == code).map(|group| group.counts.pending).sum())
}

fn console(address: SocketAddr) -> String {
    format!("http://{address}")
}
