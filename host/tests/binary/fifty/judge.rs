//! What has to be true in the end: what is on record is compared with what was answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use switchyard::clock::Stopwatch;

use super::clients::{Answer, Asked, ask};
use super::{OPERATORS, name};
use crate::acme::{PATIENCE, TOKEN};
use crate::switchyard::Host;

/// Who, what, about which sync error, and why: how often.
type Counts = BTreeMap<(String, &'static str, String, Option<String>), usize>;

pub(super) fn judge(host: &Host, errors: &[String], asked: &[Asked]) {
    drained(host);
    let by_people = |by: &Value| !OPERATORS.map(name).any(|operator| operator == text(by));
    let (mut of_people, mut lines) = (Counts::new(), Vec::new());
    for id in errors {
        let (error, facts) = (get(host, &format!("/v1/sync-errors/{id}")), facts(host, id));
        follows_from_the_last(&error, &facts);
        in_order(id, asked, &facts);
        for fact in facts {
            let what = word(&fact).filter(|_| by_people(&fact["by"]));
            if let Some(what) = what {
                let reason = fact["reason"].as_str().map(str::to_owned);
                *of_people.entry((text(&fact["by"]), what, id.clone(), reason)).or_default() += 1;
            }
            lines.push(fact);
        }
    }
    as_answered(asked, &of_people);
    assert_eq!(actions(host), of_people, "the actions are those of the audit");
    operations(host, asked, &lines);
    counts(host, errors.len() as u64);
    let (status, verified) = ask(&host.address, TOKEN, "POST", "/v1/store/verify", None).expect("an answer");
    assert_eq!((status, &verified["differences"]), (200, &json!(0)), "{verified}");
}

fn get(host: &Host, path: &str) -> Value {
    let (status, answer) = ask(&host.address, TOKEN, "GET", path, None).expect("an answer");
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().unwrap_or_else(|| panic!("{name}: {of}"))
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_else(|| panic!("a text: {of}")).to_owned()
}

fn number(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("a number: {of}"))
}

/// Returns when nothing is left that goes on by itself.
fn drained(host: &Host) {
    let watch = Stopwatch::start();
    loop {
        let org = get(host, "/v1/orgs/acme");
        let moving = ["unmerged", "waiting", "sending", "scheduled", "parked", "operations"];
        let moving = moving.map(|what| org[what].as_u64().unwrap_or(0)).into_iter().sum::<u64>();
        if moving + number(&org["sync_errors"]["retrying"]) == 0 {
            return;
        }
        assert!(watch.elapsed() < PATIENCE, "it never came to rest: {org}");
    }
}

/// What happened to a sync error, by the audit of its message.
fn facts(host: &Host, id: &str) -> Vec<Value> {
    let error = get(host, &format!("/v1/sync-errors/{id}"));
    let audit = get(host, &format!("/v1/messages/{}/audit", text(&error["message"])));
    let facts = list(&audit, "entries").iter().map(|entry| entry["fact"].clone());
    facts.filter(|fact| fact["sync_error"] == id).collect()
}

/// What was asked, by a line of the audit.
fn word(fact: &Value) -> Option<&'static str> {
    match fact["what"].as_str() {
        Some("RETRY_ASKED") => Some("retry"),
        Some("IGNORED") => Some("ignore"),
        Some("REOPENED") => Some("reopen"),
        _ => None,
    }
}

/// The state is the one that what was done last leads to.
fn follows_from_the_last(error: &Value, facts: &[Value]) {
    let last = facts.iter().rfind(|fact| word(fact).is_some()).expect("somebody has asked something");
    let ignored = word(last) == Some("ignore");
    assert_eq!(error["state"], if ignored { "ignored" } else { "pending" }, "{last}: {error}");
    assert_eq!((&error["touched_by"], &error["reason"]), (&last["by"], &last["reason"]), "{error}");
    let history = list(error, "history");
    assert_eq!(history.last().map(|moment| &moment["state"]), Some(&error["state"]), "{error}");
    for reason in history.iter().map(|moment| &moment["reason"]).filter(|reason| reason.is_string()) {
        assert!(facts.iter().any(|fact| fact["reason"] == *reason), "{reason} is not in the audit");
    }
}

/// Answers say at which version of the sync error they were true: the audit has them in that order.
fn in_order(id: &str, asked: &[Asked], facts: &[Value]) {
    let of_it = asked.iter().filter(|asked| asked.error.as_deref() == Some(id));
    let mut done: Vec<_> = of_it.filter_map(|asked| Some((number(&asked.done()?["version"]), asked))).collect();
    done.sort_by_key(|(version, _)| *version);
    assert!(done.windows(2).all(|pair| pair[0].0 < pair[1].0), "two answers of {id} have one version");
    let mut rest = facts.iter();
    for (version, asked) in done {
        let state = match asked.what {
            "retry" => "retrying",
            "ignore" => "ignored",
            _ => "pending",
        };
        let told = asked.done().expect("it was done");
        assert_eq!((&told["state"], &told["touched_by"]), (&json!(state), &json!(asked.by)), "{told}");
        let is_it = |fact: &&Value| {
            word(fact) == Some(asked.what) && fact["by"] == *asked.by && fact["reason"] == json!(asked.reason)
        };
        let found = rest.any(|fact| is_it(&fact));
        assert!(found, "{} of {id} by {}, at version {version}, is not where it was: {facts:#?}", asked.what, asked.by);
    }
}

/// What was done is there once, what was refused is not, and what was not answered is there once at most.
fn as_answered(asked: &[Asked], found: &Counts) {
    let mut bounds = BTreeMap::<_, (usize, usize)>::new();
    for Asked { by, what, error, reason, answer } in asked {
        let Some(error) = error else { continue };
        let (least, most) = bounds.entry((by.clone(), *what, error.clone(), reason.clone())).or_default();
        *least += usize::from(matches!(answer, Answer::Done(_)));
        *most += usize::from(!matches!(answer, Answer::Refused));
    }
    for (key, count) in found {
        assert!(bounds.contains_key(key), "nobody has asked for {key:?}, which is there {count} times");
    }
    for (key, (least, most)) in bounds {
        let count = found.get(&key).copied().unwrap_or(0);
        assert!((least..=most).contains(&count), "{key:?} is there {count} times, and {least} to {most} were answered");
    }
}

/// The actions of those who ask about one sync error at a time.
fn actions(host: &Host) -> Counts {
    let (mut counts, mut path) = (Counts::new(), "/v1/actions?limit=500".to_owned());
    loop {
        let page = get(host, &path);
        for action in list(&page, "actions") {
            let what = ["retry", "ignore", "reopen"].into_iter().find(|what| action["what"] == *what);
            if let Some(what) = what {
                let reason = action["reason"].as_str().map(str::to_owned);
                *counts.entry((text(&action["by"]), what, text(&action["subject"]), reason)).or_default() += 1;
            }
        }
        let Some(next) = page["next_cursor"].as_str() else { return counts };
        path = format!("/v1/actions?limit=500&cursor={next}");
    }
}

/// Every operation that was begun has ended, its report adds up, and the audit has as many lines of it as it says.
fn operations(host: &Host, asked: &[Asked], lines: &[Value]) {
    let all = get(host, "/v1/operations?limit=500");
    let all = list(&all, "operations");
    for of in all {
        let sum: u64 =
            ["passed", "failed_alike", "failed_otherwise", "changed"].map(|how| number(&of[how])).iter().sum();
        assert!(of["ended_at"].is_string() && number(&of["under_way"]) == 0, "{of}");
        assert_eq!(sum, if of["task"] == "retry" { number(&of["done"]) } else { 0 }, "{of}");
        assert!(number(&of["done"]) + number(&of["skipped"]) <= number(&of["matched"]), "{of}");
        let ignored = lines.iter().filter(|line| of["reason"].is_string() && line["reason"] == of["reason"]);
        assert_eq!(ignored.count() as u64, if of["task"] == "ignore" { number(&of["done"]) } else { 0 }, "{of}");
    }
    let begun: Vec<_> = asked.iter().filter_map(Asked::begun).collect();
    for id in &begun {
        assert_eq!(all.iter().filter(|of| of["id"] == **id).count(), 1, "{id}");
    }
    for operator in OPERATORS.map(name) {
        let own = |of: &&Value| of["by"] == *operator;
        let done = |task: &str| {
            all.iter().filter(own).filter(|of| of["task"] == task).map(|of| number(&of["done"])).sum::<u64>()
        };
        let found = |what: &str| lines.iter().filter(own).filter(|line| line["what"] == what).count() as u64;
        let told = [("retry", "RETRY_ASKED"), ("ignore", "IGNORED"), ("reopen", "REOPENED")];
        for (task, what) in told {
            assert_eq!(found(what), done(task), "{operator}: {task}");
        }
        let of_it = || asked.iter().filter(|asked| asked.by == operator);
        let (least, refused) = (
            of_it().filter(|asked| asked.done().is_some()).count(),
            of_it().filter(|asked| matches!(asked.answer, Answer::Refused)).count(),
        );
        let (count, most) = (all.iter().filter(own).count(), of_it().count() - refused);
        assert!(
            (least..=most).contains(&count),
            "{operator} has {count} operations, and {least} to {most} were answered"
        );
    }
    assert!(all.len() < 500 && !begun.is_empty(), "{} operations are on record, {} begun", all.len(), begun.len());
}

/// The counts of the organization, and those of its causes, are a recount of the list.
fn counts(host: &Host, errors: u64) {
    let told = get(host, "/v1/orgs/acme")["sync_errors"].clone();
    let listed = get(host, "/v1/sync-errors?org=acme&limit=500");
    let groups = get(host, "/v1/groups?org=acme&limit=500");
    for state in ["pending", "retrying", "ignored", "resolved"] {
        let recounted = list(&listed, "sync_errors").iter().filter(|error| error["state"] == state).count() as u64;
        let by_cause: u64 = list(&groups, "groups").iter().map(|group| number(&group["counts"][state])).sum();
        assert_eq!((number(&told[state]), by_cause), (recounted, recounted), "{state}: {told}");
    }
    assert_eq!(list(&listed, "sync_errors").len() as u64, errors);
}
