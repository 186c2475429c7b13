//! What became of an operation, for people.

use serde_json::Value;

use crate::cli::out::say;
use crate::cli::table::{number, plain, text};

/// An operation as the host answers it.
pub(super) struct Report<'a>(pub(super) &'a Value);

impl Report<'_> {
    fn count(&self, name: &str) -> u64 {
        number(&self.0[name])
    }

    /// Whether it came to its end, and all that it tried got through.
    pub(super) fn is_whole(&self) -> bool {
        let stopped = self.orgs().any(|org| org["stopped"].as_array().is_some_and(|stopped| !stopped.is_empty()));
        let failed = self.count("failed_alike") + self.count("failed_otherwise");
        text(&self.0["status"]) == "done" && failed == 0 && !stopped
    }

    fn orgs(&self) -> impl Iterator<Item = &Value> {
        self.0["orgs"].as_array().into_iter().flatten()
    }

    /// How far it is, in one line.
    pub(super) fn line(&self) -> String {
        let matched = self.0["matched"].as_u64().map(|matched| format!(" of {matched}")).unwrap_or_default();
        let mut line = format!("{}: {}{matched} done", text(&self.0["status"]), self.count("done"));
        let counts = [("passed", "passed"), ("failed_alike", "failed alike"), ("failed_otherwise", "failed otherwise")];
        for (name, words) in counts {
            match self.count(name) {
                0 => {}
                count => line += &format!(", {count} {words}"),
            }
        }
        if let Some(end) = self.0["estimated_end_at"].as_str() {
            line += &format!("; may end at {end}");
        }
        line
    }

    /// Prints all that is known of it.
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            say!("{}", serde_json::to_string_pretty(self.0)?);
            return Ok(());
        }
        let words = |name: &str| plain(text(&self.0[name]));
        let lines = [
            ("id", words("id")),
            ("task", words("task")),
            ("reason", words("reason")),
            ("assignee", words("assignee")),
            ("by", words("by")),
            ("began", words("created_at")),
            ("status", words("status")),
            ("ended", words("ended_at")),
            ("may end", words("estimated_end_at")),
        ];
        for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
            say!("{name:<18}{value}");
        }
        let counts = [
            ("matched", "matched"),
            ("done", "done"),
            ("skipped", "skipped"),
            ("under_way", "under way"),
            ("passed", "passed"),
            ("failed_alike", "failed alike"),
            ("failed_otherwise", "failed otherwise"),
            ("changed", "changed"),
        ];
        let always = ["matched", "done"];
        for (name, shown) in counts {
            if self.0[name].is_u64() && (self.count(name) > 0 || always.contains(&name)) {
                say!("{shown:<18}{}", self.count(name));
            }
        }
        for of in self.orgs() {
            let org = plain(text(&of["org"]));
            for (cause, count) in of["failed_as"].as_object().into_iter().flatten() {
                say!("{:<18}{count} of {org} by {}", "failed", plain(cause));
            }
            for cause in of["stopped"].as_array().into_iter().flatten() {
                say!(
                    "{:<18}{} of {org}: the first ones failed alike, the rest was left",
                    "stopped",
                    plain(text(cause))
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_failed_or_was_left_is_no_whole_end() {
        let operation = |status: &str, failed: u64, stopped: &[&str]| json!({ "status": status, "failed_alike": failed, "orgs": [{ "org": "acme", "stopped": stopped }] });
        assert!(Report(&operation("done", 0, &[])).is_whole());
        for other in [operation("cancelled", 0, &[]), operation("done", 1, &[]), operation("done", 0, &["g-1"])] {
            assert!(!Report(&other).is_whole(), "{other}");
        }
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let operation = json!({ "status": "running", "matched": 9, "done": 4, "passed": 3, "failed_alike": 0 });
        assert_eq!(Report(&operation).line(), "running: 4 of 9 done, 3 passed");
    }
}
