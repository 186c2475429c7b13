//! Tokens of a running host: made for a person or a program, listed and revoked.

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::out::{self, say, tell};
use super::remote::{Remote, known, list as list_of};
use super::table::Table;
use crate::domain::{ApiTokenId, OrgId, Timestamp, TokenScope};
use crate::http::api::{MadeToken, Token, TokenSource, TokenStatus};

/// Tokens of one call.
const PAGE: usize = 500;

const EXAMPLES: &str = "\
Examples:
  switchyard token make \"billing robot\" --scope read,errors --org acme --expires-in 90d > robot.token
  switchyard token list
  switchyard token revoke tok-019c3e2b4f7qk2vx7ahz4

The first one stands in the configuration, under [[http.tokens]], with the scope `tokens`.";

/// What a new token is to be.
#[derive(Debug, Args)]
pub(super) struct New {
    /// Which person or program it is for.
    name: String,
    /// What it may be used for: read, errors, policies, intake, connect, backup, tokens, erase.
    #[arg(long = "scope", required = true, value_delimiter = ',')]
    scopes: Vec<TokenScope>,
    /// For this organization only; for several, say it again.
    #[arg(long = "org", value_delimiter = ',')]
    orgs: Vec<OrgId>,
    /// For so long, such as 90d, 12h or 30m; for ever without it.
    #[arg(long, value_parser = seconds)]
    expires_in: Option<u64>,
    /// Print the host's whole answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Make a token. Its secret is all that is printed, this once; what else is known of it goes to the standard error.
    Make(New),
    /// List tokens, the newest first, those that have ended too; never their secrets.
    List {
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke a token: the next request with it is refused.
    Revoke {
        /// Its id.
        id: ApiTokenId,
        /// Print what the host answers, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Make(new) => make(new).await,
        Command::List { json, remote } => list(json, &remote).await,
        Command::Revoke { id, json, remote } => {
            let answer = remote.call(Method::DELETE, &format!("/v1/tokens/{id}"), None).await?;
            if json {
                say!("{answer}")
            } else {
                tell!("{id} is revoked")
            }
            Ok(())
        }
    }
}

async fn make(New { name, scopes, orgs, expires_in, json, remote }: New) -> anyhow::Result<()> {
    let orgs = Some(orgs).filter(|orgs| !orgs.is_empty());
    let mut asked = json!({ "name": name, "scopes": scopes });
    if let Some(orgs) = orgs {
        asked["orgs"] = json!(orgs);
    }
    if let Some(seconds) = expires_in {
        asked["expires_in"] = json!(seconds);
    }
    let made = remote.call(Method::POST, "/v1/tokens", Some(asked)).await?;
    let MadeToken { token, secret } = known(&made)?;
    let secret = secret.context("the host gave no secret")?;
    if json {
        say!("{made}");
        return Ok(());
    }
    let until = token.expires_at.map_or_else(String::new, |at| format!(" until {at}"));
    tell!("{} is made{until}; its secret is shown this once", token.id);
    say!("{secret}");
    Ok(())
}

async fn list(json: bool, remote: &Remote) -> anyhow::Result<()> {
    let mut pages = remote.pages("/v1/tokens", &[("limit", PAGE.to_string())]);
    let mut table = Table::new(&["id", "name", "status", "scopes", "orgs", "made by", "made", "expires", "last used"]);
    while let Some(page) = pages.next().await?.filter(|_| out::is_open()) {
        for token in list_of(&page, "tokens") {
            if json { say!("{token}") } else { table.row(row(known(token)?)) }
        }
    }
    table.print();
    Ok(())
}

fn row(token: Token) -> [String; 9] {
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string()[..16].replace('T', " "));
    let never = || "never".to_owned();
    let scopes: Vec<_> = token.scopes.iter().map(ToString::to_string).collect();
    let orgs = token.orgs.map(|orgs| orgs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    let status = match token.status {
        TokenStatus::Valid => "valid",
        TokenStatus::Expired => "expired",
        TokenStatus::Revoked => "revoked",
    };
    let maker = match token.source {
        TokenSource::Configuration => "the configuration".to_owned(),
        TokenSource::Store => token.made_by.unwrap_or_default(),
    };
    [
        token.id.to_string(),
        token.name,
        status.to_owned(),
        scopes.join(","),
        orgs.unwrap_or_else(|| "all".to_owned()),
        maker,
        at(token.made_at).unwrap_or_default(),
        at(token.expires_at).unwrap_or_else(never),
        at(token.last_used_at).unwrap_or_else(never),
    ]
}

/// A time that passes, such as `90d`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let each = match text.bytes().last() {
        Some(b'd') => 86_400,
        Some(b'h') => 3_600,
        Some(b'm') => 60,
        Some(b's') => 1,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<u64>().ok());
    let seconds = number.and_then(|number| number.checked_mul(each)).filter(|seconds| *seconds > 0);
    seconds
        .ok_or_else(|| "a number of days, hours, minutes or seconds is needed, such as 90d, 12h, 30m or 10s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_passes_has_a_number_and_a_unit() {
        assert_eq!(["90d", "12h", "30m", "10s"].map(seconds), [Ok(7_776_000), Ok(43_200), Ok(1_800), Ok(10)]);
        for bad in ["", "d", "90", "-1d", "0d", "1w", "1.5d", "é", "99999999999999999999d", "18446744073709551615d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_says_for_whom_for_what_and_until_when() {
        let token = json!({
            "id": "tok-019c3e2b4f7qk2vx7ahz4", "name": "robot", "scopes": ["read", "errors"], "orgs": ["acme"], "source": "store", "status": "valid",
            "made_by": "ann", "made_at": "2026-11-26T10:00:00.000Z", "expires_at": "2027-11-26T10:00:00.000Z",
        });
        let wanted = [
            "tok-019c3e2b4f7qk2vx7ahz4",
            "robot",
            "valid",
            "read,errors",
            "acme",
            "ann",
            "2026-11-26 10:00",
            "2027-11-26 10:00",
            "never",
        ];
        assert_eq!(row(known(&token).unwrap()), wanted);
        let configured =
            json!({ "id": "file-1", "name": "ops", "scopes": ["read"], "source": "configuration", "status": "valid" });
        let wanted = ["file-1", "ops", "valid", "read", "all", "the configuration", "", "never", "never"];
        assert_eq!(row(known(&configured).unwrap()), wanted);
    }
}
