//! Sync errors are cleared from the command line, one by one and all of a kind; who did it is listed there too.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use switchyard::clock::Stopwatch;

use crate::switchyard::{Host, printed, switchyard};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const TOKEN: &str = "a-long-enough-secret";

/// The exit code, and what was said on both outputs.
fn sync_error(host: &Host, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(host, "sync-error", arguments)
}

fn run(host: &Host, noun: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = switchyard([noun]);
    command.args(arguments);
    command.env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
    let output = command.output().expect("it runs");
    let (said, errors) = printed(&output);
    (output.status.code(), said, errors)
}

/// The ids in a state, as soon as there are so many.
fn ids(host: &Host, state: &str, wanted: usize) -> Vec<String> {
    let watch = Stopwatch::start();
    loop {
        let (code, said, errors) = sync_error(host, &["list", "--state", state, "--ids"]);
        assert_eq!(code, Some(0), "{errors}");
        let ids: Vec<_> = said.lines().map(str::to_owned).collect();
        if ids.len() == wanted {
            return ids;
        }
        assert!(watch.elapsed() < PATIENCE, "there are never {wanted} that are {state}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_errors_are_listed_shown_ignored_reopened_and_retried_and_their_conversation_is_shown() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("switchyard.toml");
    // Nobody routes a team that no queue is mapped to, so Salesforce is not even asked.
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\n\
         [[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors', 'intake']\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'none'\n"
    );
    std::fs::write(&config, text).expect("a file");
    let host = Host::serve(&config);
    for number in 1..=3 {
        let conversation = json!({
            "id": number.to_string(), "account": "web", "channel": "email", "team": "nowhere", "customer": {},
            "messages": [{ "id": format!("{number}-1"), "body": "Where is my order?", "sent_at": "2026-01-05T09:30:00Z" }],
        });
        let url = format!("http://{}/v1/intake/shop", host.address);
        let answer = Client::new().post(url).bearer_auth(TOKEN).json(&conversation).send().await.expect("an answer");
        assert_eq!(answer.status(), 202, "{}", answer.text().await.expect("text"));
    }
    let pending = ids(&host, "pending", 3);
    let (_, listed, counted) = sync_error(&host, &["list", "--org", "acme", "--class", "policy"]);
    assert_eq!(counted.trim(), "3  policy TEAM_NOT_MAPPED");
    assert!(listed.lines().count() == 3 && pending.iter().all(|id| listed.contains(id)), "{listed}");
    assert_eq!(sync_error(&host, &["list", "--class", "limit"]).1, "");
    let (_, shown, _) = sync_error(&host, &["show", &pending[0]]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((&shown["id"], shown["advice"]["check"].is_string()), (&json!(pending[0]), true), "{shown}");
    let (_, bundle, _) = sync_error(&host, &["repro", &pending[0]]);
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    assert_eq!(bundle["question"], "route", "{bundle}");

    let conversation = |more: &[&str]| {
        let mut command = switchyard(["conversation", "show", "shop:1"]);
        command.args(more).env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
        printed(&command.output().expect("it runs")).0
    };
    let told = conversation(&[]);
    assert!(told.starts_with("acme: pending since ") && told.contains("shop:1:1-1: Where is my order?"), "{told}");
    assert!(told.contains("Team nowhere has no queue") && told.contains("CRM_SYNCHRO_ERROR"), "{told}");
    let told: Value = serde_json::from_str(&conversation(&["--json", "--mask"])).expect("JSON");
    assert_eq!((&told["masked"], &told["orgs"][0]["state"]), (&json!(true), &json!("pending")), "{told}");

    let (code, said, errors) = sync_error(&host, &["ignore", "--reason", "tests", &pending[0], "se-none", &pending[1]]);
    assert_eq!((code, said.lines().count()), (Some(1), 2), "{said}{errors}");
    assert!(errors.contains("se-none: ") && errors.contains("1 of 3 were refused"), "{errors}");
    ids(&host, "ignored", 2);
    assert_eq!(ids(&host, "pending", 1), [pending[2].clone()]);
    let (code, said, _) = sync_error(&host, &["reopen", &pending[0]]);
    assert_eq!((code, said.trim()), (Some(0), format!("{} is pending again", pending[0]).as_str()));
    let (code, said, _) = sync_error(&host, &["retry", &pending[2]]);
    assert_eq!((code, said.trim()), (Some(0), format!("{} is tried again", pending[2]).as_str()));
    ids(&host, "pending", 2);
    let (code, said, _) = sync_error(&host, &["retry-all", "acme"]);
    assert_eq!((code, said.trim()), (Some(0), "2 sync errors of acme are tried again"));
    let (code, _, errors) = sync_error(&host, &["retry-all", "nobody"]);
    assert!(code == Some(1) && errors.contains("there is no organization nobody"), "{errors}");
    let (code, said, errors) = run(&host, "action", &["list", "--org", "acme", "--what", "ignore"]);
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{said}{errors}");
    assert!(said.lines().all(|line| line.contains("  ops ") && line.ends_with("\"tests\"")), "{said}");
    let (_, said, _) = run(&host, "action", &["list", "--limit", "1", "--json"]);
    let newest: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!((&newest["what"], &newest["count"], &newest["by"]), (&json!("retry-all"), &json!(2), &json!("ops")));
    let (code, _, errors) = run(&host, "action", &["list", "--what", "nothing"]);
    assert!(code == Some(2) && errors.contains("none of retry, ignore, reopen"), "{errors}");
    let (code, _, errors) = sync_error(&host, &["list", "--state", "open"]);
    assert!(code == Some(2) && errors.contains("pending, retrying, ignored, resolved"), "{errors}");
}
