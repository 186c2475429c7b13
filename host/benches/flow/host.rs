//! The host as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::notification::SECRET;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_switchyard");
const TOKEN: &str = "a-long-enough-secret";
const ROUTE: &str = "fn route(conversation) { queue(\"Finance\") }\nfn search(conversation) { [] }\n\
                     fn choose(conversation, found) { none() }\nfn judge(error) { as_usual() }\n";

/// A running host, ended when dropped.
pub(crate) struct Host {
    process: Child,
    pub(crate) address: String,
    http: reqwest::Client,
}

impl Host {
    /// One organization, whose policy searches no contact; in a folder that is not there yet.
    pub(crate) fn serve(folder: &Path, salesforce: &str) -> Self {
        let config = format!(
            "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read']\n\
             [policies]\nfolder = 'policies'\n[store]\npath = 'data'\n\
             [alcmeon.main]\nbase_url = 'http://127.0.0.1:9'\ninstance_id = 'main'\nsecret = '{SECRET}'\nteam_field = 1\n\
             poll = false\nkeep_webhook_on = false\n\
             [[orgs]]\nid = 'acme'\naccounts = ['main/12']\npolicy = 'acme'\n\
             [orgs.salesforce]\nlogin_url = '{salesforce}'\nclient_id = 'app'\nclient_secret = 'shh'\n\
             refresh_token = 'acme-refresh'\n\
             [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n"
        );
        std::fs::create_dir_all(folder.join("policies")).expect("a folder");
        for (file, text) in [
            ("switchyard.toml", config.as_str()),
            ("policies/acme.toml", "plugin = \"script\"\nscript = \"acme.rhai\"\n"),
            ("policies/acme.rhai", ROUTE),
        ] {
            std::fs::write(folder.join(file), text).expect("a file");
        }
        let mut process = Command::new(BINARY)
            .args(["serve", "--config", "switchyard.toml"])
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a log")).lines().map_while(Result::ok);
        let address = lines
            .find_map(|line| line.split_once("the host is running address=").map(|(_, address)| address.to_owned()))
            .expect("an address");
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address, http: reqwest::Client::new() }
    }

    /// How the organization stands, as soon as it stands so.
    pub(crate) async fn until(&self, stands: impl Fn(&Value) -> bool) -> Value {
        let url = format!("http://{}/v1/orgs/acme", self.address);
        loop {
            let answer = self.http.get(&url).bearer_auth(TOKEN).send().await.expect("an answer");
            let org: Value = answer.json().await.expect("JSON");
            if stands(&org) {
                return org;
            }
        }
    }

    /// Resident memory in megabytes.
    pub(crate) fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1_024.0
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
