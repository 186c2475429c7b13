//! Says what the host would make of an answer of Salesforce: its class, how far it reaches, and what is to be done.

use std::io::Read;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use crate::cli::out::{self, say};
use crate::domain::{Class, Refusal, Scope};
use crate::salesforce::{advice, explain};

/// The longest body that is read from the standard input, in bytes.
const LONGEST: u64 = 8 * 1024 * 1024;

const EXAMPLES: &str = r#"Examples:
  switchyard classify '[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access"}]'
  switchyard classify 'FIELD_INTEGRITY_EXCEPTION: Owner ID: id value of incorrect type: 00G5g000004abcdEAA'
  switchyard classify '{"error":"invalid_grant","error_description":"expired access/refresh token"}'
  curl -s https://acme.my.salesforce.com/services/data | switchyard classify --status 403 -

It needs neither a host nor an organization. The classes are those of docs/salesforce.md, section 6:
  transient, limit, ordering   tried again by themselves
  auth                         an administrator has to look at the connection
  config, record, request      wait for a person: the set-up, the data, or the mapping
  unclassified                 nobody has said yet what the code means"#;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// The body as it came: JSON, a page, or `CODE: words` as logs show it; `-` reads it from the standard input.
    body: String,
    /// The HTTP status that it came with; without it, the one that such a body usually has.
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..600))]
    status: Option<u16>,
    /// Print one JSON object for each refusal, a line each.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: Options) -> anyhow::Result<()> {
    let body = match options.body.as_str() {
        "-" => {
            let mut body = String::new();
            let read = std::io::stdin().take(LONGEST).read_to_string(&mut body);
            read.context("the standard input cannot be read as text")?;
            body
        }
        _ => options.body,
    };
    let refusals = explain(options.status, &body);
    if options.json {
        refusals.iter().for_each(|refusal| say!("{}", shown(refusal)));
        return Ok(());
    }
    if refusals.is_empty() {
        say!("It says yes: nothing is refused.");
    }
    for (number, refusal) in refusals.iter().enumerate() {
        if number > 0 {
            say!();
        }
        out::text(&told(refusal));
    }
    Ok(())
}

fn shown(refusal: &Refusal) -> serde_json::Value {
    let Refusal { class, scope, code, text, fields, records, status, .. } = refusal;
    json!({
        "class": class, "scope": scope, "code": code, "text": text, "fields": fields, "records": records,
        "status": status, "advice": advice(refusal), "retried_by_itself": is_retried(refusal),
    })
}

fn told(refusal: &Refusal) -> String {
    let advice = advice(refusal);
    let reaches = match refusal.scope {
        Scope::Record => "this record alone",
        Scope::Org => "the whole organization: an incident, during which conversations wait without sync errors",
    };
    let mut lines =
        vec![("class", refusal.class.to_string()), ("reaches", reaches.to_owned()), ("code", refusal.code.clone())];
    let lists = [("fields", &refusal.fields), ("records", &refusal.records)];
    lines.extend(lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name, list.join(", "))));
    let retried = if is_retried(refusal) { "yes" } else { "no" };
    lines.extend([
        ("retried", retried.to_owned()),
        ("happened", advice.happened.to_owned()),
        ("check", advice.check.to_owned()),
    ]);
    // Of an incident, the schedule of single conversations says nothing.
    if refusal.scope == Scope::Record {
        lines.push(("by itself", advice.by_itself.to_owned()));
    }
    lines.into_iter().map(|(name, value)| format!("{name:<10}{value}\n")).collect()
}

/// Whether it is tried again without a person: an incident is always asked about again.
fn is_retried(refusal: &Refusal) -> bool {
    refusal.scope == Scope::Org || matches!(refusal.class, Class::Transient | Class::Limit | Class::Ordering)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_has_class_reach_advice_and_whether_it_is_retried() {
        let lock = explain(None, "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access: 5005g000004abcdEAA");
        let told = told(&lock[0]);
        for part in ["transient", "this record alone", "5005g000004abcdEAA", "retried   yes", "by itself"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let page = explain(Some(404), "<html></html>");
        assert_eq!((is_retried(&page[0]), shown(&page[0])["scope"].as_str()), (true, Some("org")));
    }
}
