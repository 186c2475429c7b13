//! What clients ask of the registry, one request after another: how long each kind takes.

use std::time::Duration;

use serde_json::Value;
use switchyard::clock::Stopwatch;

use crate::generator::{code, team};
use crate::host::{Host, TOKEN};
use crate::{CAUSES, Options, org, tell};

/// `p50 / p99 / max` in milliseconds.
pub(crate) fn milliseconds(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let Some(last) = took.len().checked_sub(1) else { return "-".to_owned() };
    let at = |share: usize| took[last * share / 100].as_secs_f64() * 1_000.0;
    format!("{:.1} / {:.1} / {:.1}", at(50), at(99), at(100))
}

/// Asks the host, and says how long that took.
pub(crate) async fn ask(http: &reqwest::Client, host: &Host, path: &str) -> (Value, Duration) {
    let watch = Stopwatch::start();
    let answer = http.get(format!("{}{path}", host.base)).bearer_auth(TOKEN).send().await.expect("an answer");
    let (status, body) = (answer.status(), answer.bytes().await.expect("a body"));
    let took = watch.elapsed();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
    (serde_json::from_slice(&body).expect("JSON"), took)
}

/// Waits until every organization is known and nothing moves.
pub(crate) async fn settled(host: &Host, all: usize) {
    let http = reqwest::Client::new();
    loop {
        let (orgs, _) = ask(&http, host, "/v1/orgs").await;
        let counted = orgs["orgs"].as_array().expect("a list").iter();
        if counted.filter(|org| org["sync_errors"]["pending"].as_u64() > Some(0)).count() == all {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A kind of question: its name, whether it is asked at any depth of the list, and one such query.
type Kind = (&'static str, bool, Box<dyn Fn() -> String>);

/// What lists are narrowed to.
async fn kinds(http: &reqwest::Client, host: &Host, orgs: usize) -> Vec<Kind> {
    let group = |list: &Value, at: usize| list["groups"][at]["id"].as_str().expect("an id").to_owned();
    let (groups, _) = ask(http, host, "/v1/groups?limit=500").await;
    let known = groups["groups"].as_array().expect("a list").len();
    let any_group = move || group(&groups, fastrand::usize(0..known));
    let (page, _) = ask(http, host, "/v1/sync-errors?limit=500").await;
    let ids: Vec<_> = page["sync_errors"].as_array().expect("a list").iter().map(|it| it["id"].clone()).collect();
    let any_id = move || ids[fastrand::usize(0..ids.len())].as_str().expect("an id").to_owned();
    let any_org = move || org(fastrand::usize(0..orgs));
    let any_code = || code(fastrand::usize(0..CAUSES));
    vec![
        ("all", false, Box::new(String::new)),
        ("all, any depth", true, Box::new(String::new)),
        ("one state, any depth", true, Box::new(|| "state=retrying".to_owned())),
        ("one organization, any depth", true, Box::new(move || format!("org={}", any_org()))),
        ("one organization and state, any depth", true, Box::new(move || format!("org={}&state=pending", any_org()))),
        ("one class, any depth", true, Box::new(|| "class=contact".to_owned())),
        ("one code, any depth", true, Box::new(move || format!("code={}", any_code()))),
        ("one cause, any depth", true, Box::new(move || format!("group={}", any_group()))),
        (
            "one team and organization, any depth",
            true,
            Box::new(move || format!("team={}&org={}", team(fastrand::u64(0..10_000)), any_org())),
        ),
        (
            "a week of one organization",
            false,
            Box::new(move || format!("org={}&first_seen_before=2100-01-01T00:00:00Z&attempts_min=1", any_org())),
        ),
        ("words of a cause", false, Box::new(move || format!("text={}+number", any_code().replace("RULE_", "")))),
        ("search: a customer", false, Box::new(|| format!("q=amber+{}", fastrand::u64(0..40_000) * 20))),
        ("search: an id", false, Box::new(move || format!("q={}", any_id()))),
    ]
}

/// Each kind of question, so many times.
pub(crate) async fn measure(host: &Host, options: &Options, orgs: usize) {
    let http = reqwest::Client::new();
    let kinds = kinds(&http, host, orgs).await;
    println!("milliseconds p50 / p99 / max over HTTP, pages of 50");
    for (name, deep, query) in kinds {
        let mut took = Vec::new();
        for _ in 0..options.requests {
            let query = query();
            let mut path = format!("/v1/sync-errors?{query}");
            if deep {
                let (first, _) = ask(&http, host, &path).await;
                if let Some(cursor) = first["next_cursor"].as_str() {
                    path = format!("{path}&cursor={}", anywhere(cursor));
                }
            }
            took.push(ask(&http, host, &path).await.1);
        }
        tell(&format!("  {name}"), milliseconds(took));
    }
    for (name, path) in [("the causes", "/v1/groups"), ("the organizations", "/v1/orgs")] {
        let mut took = Vec::new();
        for _ in 0..options.requests {
            took.push(ask(&http, host, path).await.1);
        }
        tell(&format!("  {name}"), milliseconds(took));
    }
    let (page, _) = ask(&http, host, "/v1/sync-errors?limit=500").await;
    let mut took = Vec::new();
    for _ in 0..options.requests {
        let id = page["sync_errors"][fastrand::usize(0..500)]["id"].as_str().expect("an id").to_owned();
        took.push(ask(&http, host, &format!("/v1/sync-errors/{id}")).await.1);
    }
    tell("  one sync error", milliseconds(took));
}

/// The same cursor at any time of the 14 days before.
fn anywhere(cursor: &str) -> String {
    let parts: Vec<_> = cursor.split('~').collect();
    let [version, way, at, id, of] = parts.as_slice() else { panic!("{cursor}") };
    let at = at.parse::<u64>().expect("a time") - fastrand::u64(0..14 * 86_400_000);
    format!("{version}~{way}~{at}~{id}~{of}")
}
