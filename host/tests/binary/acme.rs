//! A host with one organization whose conversations become sync errors, and commands that ask it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use switchyard::clock::Stopwatch;

use crate::switchyard::{Host, post, printed, switchyard};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const TOKEN: &str = "a-long-enough-secret";

/// A host that runs in a folder. Nobody routes a team that no queue is mapped to, so Salesforce is not even asked.
pub(crate) fn acme(folder: &Path) -> Host {
    let config = folder.join("switchyard.toml");
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n\
         [[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors', 'intake', 'connect', 'tokens', 'erase']\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'none'\n"
    );
    std::fs::write(&config, text).expect("a file");
    Host::serve(&config)
}

/// Hands in conversations by number, each of which becomes a sync error.
pub(crate) fn hand_in(host: &Host, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        let conversation = json!({
            "id": number.to_string(), "account": "web", "channel": "email", "team": "nowhere", "customer": {},
            "messages": [{ "id": format!("{number}-1"), "body": "Where is my order?", "sent_at": "2026-01-05T09:30:00Z" }],
        });
        let answer = post(&host.address, "/v1/intake/shop", &conversation.to_string());
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
}

/// A command that asks the host.
pub(crate) fn asking(host: &Host, arguments: &[&str]) -> Command {
    let mut command = switchyard([]);
    command.args(arguments);
    command.env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
    command
}

/// The exit code, and what was said on both outputs.
pub(crate) fn ask(host: &Host, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = asking(host, arguments).output().expect("it runs");
    let (said, errors) = printed(&output);
    (output.status.code(), said, errors)
}

/// What a command says that succeeds.
pub(crate) fn said(host: &Host, arguments: &[&str]) -> String {
    let (code, said, errors) = ask(host, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}{errors}");
    said
}

/// The ids in a state, as soon as there are so many.
pub(crate) fn ids(host: &Host, state: &str, wanted: usize) -> Vec<String> {
    let watch = Stopwatch::start();
    loop {
        let said = said(host, &["sync-error", "list", "--state", state, "--ids"]);
        let ids: Vec<_> = said.lines().map(str::to_owned).collect();
        if ids.len() == wanted {
            return ids;
        }
        assert!(watch.elapsed() < PATIENCE, "there are never {wanted} that are {state}: {said}");
    }
}
