//! `policy preview`: page after page until all open sync errors were looked at, or until somebody presses Ctrl-C.

use std::pin::pin;

use anyhow::bail;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::Given;
use crate::cli::out::tell;
use crate::cli::progress::Progress;
use crate::cli::remote::{known, texts};
use crate::engine::{Preview, PreviewedCause};
use crate::http::api::Preview as Page;

/// Sync errors of a page. The host ends a page earlier where they take long.
const PAGE: usize = 2_000;
/// Causes that are told in words; the object has all of them.
const CAUSES: usize = 20;

pub(super) async fn run(given: &Given) -> anyhow::Result<()> {
    let (path, texts) = (format!("/v1/policies/{}/preview?limit={PAGE}", given.name()?), texts(&given.file)?);
    let (mut sum, mut next, mut complete) = (None, String::new(), false);
    let mut progress = Progress::start("sync errors are looked at");
    let mut stopped = pin!(tokio::signal::ctrl_c());
    while !complete {
        let at = format!("{path}{next}");
        let page = tokio::select! {
            page = given.remote.call(Method::POST, &at, Some(texts.clone())) => page?,
            _ = &mut stopped => break,
        };
        let mut page: Page = known(&page)?;
        let next_cursor = page.next_cursor.take();
        let preview = Preview::from(page);
        match &mut sum {
            None => sum = Some(preview),
            Some(sum) if sum.in_force != preview.in_force => {
                bail!("{}; another revision is in force by now: begin anew", told(sum))
            }
            Some(sum) => sum.add(preview),
        }
        if let Some(sum) = &sum {
            progress.of(sum.errors.looked_at, sum.open, "sync errors were looked at");
        }
        match next_cursor {
            Some(cursor) => next = format!("&cursor={}", utf8_percent_encode(&cursor, NON_ALPHANUMERIC)),
            None => complete = true,
        }
    }
    drop(progress);
    let sum = sum.unwrap_or_default();
    finish(&sum, complete);
    let mut object = json!(Page::of(sum, None));
    object["complete"] = Value::Bool(complete);
    super::print(&object)
}

fn finish(sum: &Preview, complete: bool) {
    if !complete {
        tell!("stopped: {}", told(sum));
    }
    for missing in &sum.missing_queues {
        tell!("{} has no queue `{}`, or several of that name: what goes there would fail", missing.org, missing.queue);
    }
    for org in &sum.untold_queues {
        tell!("Salesforce did not say which queues {org} has: whether they are there is not known");
    }
    sum.groups.iter().take(CAUSES).for_each(|cause| tell!("{}", line(cause)));
    if let Some(more) = sum.groups.len().checked_sub(CAUSES).filter(|more| *more > 0) {
        tell!("{} more causes", grouped(more as u64));
    }
}

fn told(sum: &Preview) -> String {
    format!("{} of {} sync errors were looked at", grouped(sum.errors.looked_at), grouped(sum.open))
}

/// A cause in one line.
fn line(cause: &PreviewedCause) -> String {
    let PreviewedCause { org, title, looked_at, would_pass, changed, .. } = cause;
    let (pass, all) = (grouped(*would_pass), grouped(*looked_at));
    let title = match title.as_str() {
        "" => cause.id.as_str(),
        title => title,
    };
    let others = match changed.saturating_sub(*would_pass) {
        0 => String::new(),
        others => format!(", {} more would be decided differently", grouped(others)),
    };
    format!("{pass} of {all} of this cause would pass{others}: {title} ({org})")
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fingerprint, OrgId};

    #[test]
    fn a_cause_says_how_many_of_it_would_pass() {
        let cause = PreviewedCause {
            id: Fingerprint::unnamed(),
            org: OrgId::new("acme").unwrap(),
            title: "Team \"store\" has no queue".into(),
            looked_at: 1_200,
            would_pass: 1_200,
            would_fail_again: 0,
            changed: 1_200,
        };
        assert_eq!(line(&cause), "1,200 of 1,200 of this cause would pass: Team \"store\" has no queue (acme)");
        let half = PreviewedCause { would_pass: 7, changed: 1_007, title: String::new(), ..cause };
        assert!(
            line(&half).starts_with("7 of 1,200 of this cause would pass, 1,000 more would be decided differently:")
        );
        assert!(line(&half).contains(Fingerprint::unnamed().as_str()), "one that was forgotten meanwhile");
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
