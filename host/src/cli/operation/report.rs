//! What became of an operation, for people.

use serde_json::Value;

use crate::cli::out::say;
use crate::cli::remote::known;
use crate::cli::table::plain;
use crate::domain::{OperationStatus, Timestamp};
use crate::http::api::{Operation, OperationSums};

/// An operation, and the host's answer that tells of it.
pub(super) struct Report {
    operation: Operation,
    answer: Value,
}

impl Report {
    /// What an answer tells.
    pub(super) fn of(answer: Value) -> anyhow::Result<Self> {
        Ok(Self { operation: known(&answer)?, answer })
    }

    /// Whether it came to its end, and all that it tried got through.
    pub(super) fn is_whole(&self) -> bool {
        let Operation { status, sums, orgs, .. } = &self.operation;
        let stopped = orgs.iter().any(|org| !org.stopped.is_empty());
        *status == OperationStatus::Done && sums.failed_alike + sums.failed_otherwise == 0 && !stopped
    }

    /// Prints all that is known of it.
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            say!("{}", serde_json::to_string_pretty(&self.answer)?);
            return Ok(());
        }
        let Operation { id, task, reason, assignee, by, created_at, status, sums, .. } = &self.operation;
        let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let lines = [
            ("id", Some(id.to_string())),
            ("task", Some(task.to_string())),
            ("reason", reason.clone()),
            ("assignee", assignee.clone()),
            ("by", Some(by.clone())),
            ("began", Some(created_at.to_string())),
            ("status", Some(status.to_string())),
            ("ended", at(self.operation.ended_at)),
            ("may end", at(self.operation.estimated_end_at)),
        ];
        for (name, value) in lines.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            say!("{name:<18}{}", plain(&value));
        }
        let OperationSums { matched, done, skipped, under_way, passed, failed_alike, failed_otherwise, changed } = sums;
        if let Some(matched) = matched {
            say!("{:<18}{matched}", "matched");
        }
        say!("{:<18}{done}", "done");
        let counts =
            [("skipped", skipped), ("under way", under_way), ("passed", passed), ("failed alike", failed_alike)];
        let counts = counts.into_iter().chain([("failed otherwise", failed_otherwise), ("changed", changed)]);
        for (name, count) in counts.filter(|(_, count)| **count > 0) {
            say!("{name:<18}{count}");
        }
        for of in &self.operation.orgs {
            for (cause, count) in &of.failed_as {
                say!("{:<18}{count} of {} by {}", "failed", of.org, plain(cause));
            }
            for cause in &of.stopped {
                say!("{:<18}{cause} of {}: the first ones failed alike, the rest was left", "stopped", of.org);
            }
        }
        Ok(())
    }
}

/// How far an operation is, in one line.
pub(super) fn line(Operation { status, sums, estimated_end_at, .. }: &Operation) -> String {
    let matched = sums.matched.map(|matched| format!(" of {matched}")).unwrap_or_default();
    let mut line = format!("{status}: {}{matched} done", sums.done);
    let failed = [(sums.failed_alike, "failed alike"), (sums.failed_otherwise, "failed otherwise")];
    for (count, words) in [(sums.passed, "passed")].into_iter().chain(failed).filter(|(count, _)| *count > 0) {
        line += &format!(", {count} {words}");
    }
    if let Some(end) = estimated_end_at {
        line += &format!("; may end at {end}");
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(status: &str, failed: u64, stopped: &[&str]) -> Value {
        let at = "2026-01-05T09:30:00Z";
        let sums = json!({ "matched": 9, "done": 4, "skipped": 0, "under_way": 1, "passed": 3, "failed_alike": failed,
            "failed_otherwise": 0, "changed": 0 });
        let mut of = sums.clone();
        let more = json!({ "org": "acme", "status": status, "query": {}, "stopped": stopped });
        of.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut all = sums;
        let more = json!({ "id": "op-abcdefghijklmnopqrst", "task": "retry", "by": "ann", "created_at": at,
            "status": status, "orgs": [of] });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }

    #[test]
    fn what_failed_or_was_left_is_no_whole_end() {
        let cause = crate::domain::Fingerprint::unnamed();
        assert!(Report::of(operation("done", 0, &[])).unwrap().is_whole());
        let others =
            [operation("cancelled", 0, &[]), operation("done", 1, &[]), operation("done", 0, &[cause.as_str()])];
        for other in others {
            assert!(!Report::of(other.clone()).unwrap().is_whole(), "{other}");
        }
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let running = Report::of(operation("running", 0, &[])).unwrap();
        assert_eq!(line(&running.operation), "running: 4 of 9 done, 3 passed");
    }

    #[test]
    fn an_answer_that_is_no_operation_is_told_as_one_of_another_release() {
        let error = Report::of(json!({ "id": "op-abcdefghijklmnopqrst" })).err().unwrap();
        assert!(format!("{error:#}").contains("not one of this release"), "{error:#}");
    }
}
