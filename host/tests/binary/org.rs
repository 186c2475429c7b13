//! An organization is authorized from the command line, through the browser of the caller's machine.

use std::io::{BufRead, BufReader, Read};

use reqwest::Client;
use reqwest::header::LOCATION;
use serde_json::json;
use switchyard_simulator::{Options, Simulator};

use crate::switchyard::{Host, printed, switchyard};

const TOKEN: &str = "a-long-enough-secret";

/// A simulated organization, and a host that waits for somebody to authorize it.
async fn world(folder: &std::path::Path, http: &Client) -> (Simulator, Host) {
    let simulator = switchyard_simulator::start(Options::default()).await.expect("the simulator starts");
    let settings = json!({ "client_id": "app", "client_secret": "shh" });
    let url = format!("{}/control/orgs/acme", simulator.salesforce);
    assert!(http.put(url).json(&settings).send().await.expect("an answer").status().is_success());
    let config = folder.join("switchyard.toml");
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors', 'connect']\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
         [orgs.salesforce]\nflow = 'web-server'\nlogin_url = '{}'\nclient_id = 'app'\nclient_secret = 'shh'\n",
        simulator.salesforce
    );
    std::fs::write(&config, text).expect("a file");
    (simulator, Host::serve(&config))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_authorized_from_the_command_line() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let folder = tempfile::tempdir().expect("a folder");
    let (simulator, host) = world(folder.path(), &http).await;
    let mut command = switchyard(["org", "authorize", "acme", "--port", "0"]);
    command.env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
    let mut process = command.spawn().expect("it runs");
    let mut said = BufReader::new(process.stdout.take().expect("an output"));
    let mut url = String::new();
    while !url.starts_with("http") {
        url.clear();
        assert!(said.read_line(&mut url).expect("a line") > 0, "no address was printed");
    }
    let page = http.get(url.trim()).send().await.expect("Salesforce's page");
    let back = page.headers()[LOCATION].to_str().expect("text").to_owned();
    let (address, _) = back.split_once('?').expect("a query");
    // What does not know the state is passed over.
    http.get(format!("{address}?state=guessed&code=guessed")).send().await.expect("an answer");
    http.get(&back).send().await.expect("an answer");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    let output = process.wait_with_output().expect("an end");
    assert!(output.status.success() && rest.contains("acme is authorized"), "{rest}{}", printed(&output).1);

    let checks = format!("http://{}/v1/orgs/acme/checks", host.address);
    let report = http.post(checks).bearer_auth(TOKEN).send().await.expect("an answer").text().await.expect("text");
    assert!(report.contains("a new access token was given"), "{report}");
    let code = back.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).expect("a code").to_owned();
    let (_, log) = host.end("TERM");
    assert!(log.contains("what=authorize ") && !log.contains(&code), "{log}");
    simulator.stop().await;
}
