//! The commands of the documents, run as they stand there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use switchyard::clock::Stopwatch;

use crate::switchyard::{Host, printed, switchyard};

const MONDAY: &str = include_str!("../../../docs/operating.md");
const GUIDE: &str = include_str!("../../../docs/plugins.md");
const TOKEN: &str = "a-long-enough-secret";

/// The lines of the `sh` blocks, in their order.
fn commands(text: &str) -> Vec<&str> {
    let (mut inside, mut commands) = (false, Vec::new());
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside => commands.push(command),
            _ => {}
        }
    }
    commands
}

/// A host whose policy `demo-retail` the guide replaces.
fn host(folder: &Path) -> Host {
    let policies = folder.join("policies");
    std::fs::create_dir(&policies).expect("a folder");
    std::fs::write(
        policies.join("demo-retail.toml"),
        "plugin = \"keyword-router\"\n[settings]\ndefault = \"General\"\n",
    )
    .expect("a policy");
    let config = folder.join("switchyard.toml");
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n\
         [[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors', 'policies']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\npolicy = 'demo-retail'\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'token'\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n"
    );
    std::fs::write(&config, text).expect("a file");
    Host::serve(&config)
}

#[test]
fn every_command_of_the_guide_to_plugins_does_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = host(folder.path());
    let mut at = PathBuf::from(folder.path());
    let mut said = String::new();
    let all = commands(GUIDE);
    assert!(all.len() >= 12, "{all:?}");
    for command in all {
        let words: Vec<_> = command.split_whitespace().collect();
        match words[..] {
            ["cd", into] => at.push(into),
            ["switchyard", ..] => {
                let mut run = switchyard([]);
                run.args(&words[1..]).current_dir(&at);
                run.env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
                let output = run.output().expect("it runs");
                let (out, errors) = printed(&output);
                assert!(output.status.success(), "{command}:\n{out}{errors}");
                said += &out;
            }
            _ => panic!("`{command}` is neither `cd` nor `switchyard`"),
        }
    }
    for words in ["2 cases, 0 failed", "demo-retail is in force as revision 2", "demo-retail is in force as revision 1"]
    {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

#[test]
fn a_plugin_that_cannot_be_pulled_is_told_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = host(folder.path());
    for (reference, words) in [("127.0.0.1:9/acme/my-router:1", "the registry cannot be asked"), ("?", "no reference")]
    {
        let mut run = switchyard(["plugin", "pull", reference]);
        run.env("SWITCHYARD_URL", format!("http://{}", host.address)).env("SWITCHYARD_TOKEN", TOKEN);
        let output = run.output().expect("it runs");
        let (out, errors) = printed(&output);
        assert!(!output.status.success() && errors.contains(words), "{reference}: {out}{errors}");
    }
}

/// A demo that keeps everything in the folder `demo` of another; killed when dropped.
struct Demo {
    process: Child,
    address: String,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let mut command = switchyard(["demo", "--listen", "127.0.0.1:0", "--data-dir", "demo"]);
        // What it says beside the addresses is for nobody here, and must not fill a pipe.
        let mut process = command.current_dir(folder).stdout(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(process.stderr.take().expect("what it says")).lines();
        let address = lines.by_ref().map(|line| line.expect("a line")).find_map(|line| {
            let (_, console) = line.split_once("console   http://")?;
            Some(console.trim_end_matches('/').to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: address.expect("the address of the console") }
    }

    /// What a command says that asks it.
    fn ask(&self, arguments: &[&str]) -> String {
        let mut run = switchyard([]);
        let output = run.args(arguments).env("SWITCHYARD_URL", format!("http://{}", self.address)).output();
        printed(&output.expect("it runs")).0
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn an_operators_monday_goes_as_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let watch = Stopwatch::start();
    for org in ["retail", "travel"] {
        while demo.ask(&["sync-error", "list", "--org", org, "--ids"]).is_empty() {
            assert!(watch.elapsed() < Duration::from_secs(120), "{org} has no sync errors");
        }
    }
    // The reference has the same by `curl`, with ids that nobody has.
    let (story, _) = MONDAY.split_once("\n# The reference").expect("two parts");
    let commands = commands(story);
    assert!(commands.len() >= 15, "{commands:?}");
    let program = Path::new(env!("CARGO_BIN_EXE_switchyard")).parent().expect("a folder");
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).expect("a path");
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &commands.join("\n")]).current_dir(folder.path());
    shell.env_clear().env("PATH", path).env("SWITCHYARD_URL", format!("http://{}", demo.address));
    let output = shell.output().expect("it runs");
    let (said, errors) = printed(&output);
    assert!(output.status.success(), "{said}\n{errors}");
    for words in [
        "OPEN  PENDING",
        "assignee   ann",
        "retry would be about",
        "demo-retail is in force as revision",
        "reason            two customers share an inbox",
        "has begun: reopen",
        "resync would be about ",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}\n{errors}");
    }
    let report = said.split("task              retry").nth(1).expect("the report of the retry");
    assert!(report.contains("passed  ") && !report.contains("failed alike"), "{said}");
    let table = std::fs::read_to_string(folder.path().join("monday.csv")).expect("the export");
    assert!(table.starts_with("id,organization,") && table.contains(",resolved,"), "{table}");
}
