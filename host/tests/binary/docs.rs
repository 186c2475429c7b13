//! The commands of the documents, run as they stand there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use switchyard::clock::Stopwatch;

use crate::acme::acme;
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

/// The page of operators, split where a section begins.
fn before_and_from<'a>(text: &'a str, section: &str) -> (&'a str, &'a str) {
    text.split_at(text.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}")))
}

/// What lines of a page say in a shell that ends with the first one that fails, also where it is not the last of a pipe.
fn run_lines(lines: &[&str], folder: &Path, address: &str, token: Option<&str>) -> (String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_switchyard")).parent().expect("a folder");
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).expect("a path");
    let mut shell = Command::new("bash");
    shell.args(["-eu", "-o", "pipefail", "-c", &lines.join("\n")]).current_dir(folder);
    shell.env_clear().env("PATH", path).env("SWITCHYARD_URL", format!("http://{address}"));
    shell.envs(token.map(|token| ("SWITCHYARD_TOKEN", token)));
    let output = shell.output().expect("it runs");
    let (said, errors) = printed(&output);
    assert!(output.status.success(), "{}:\n{said}\n{errors}", output.status);
    (said, errors)
}

#[test]
fn every_block_of_the_page_of_operators_is_a_file_or_is_run() {
    let fences: Vec<_> = MONDAY.lines().filter(|line| line.trim_start().starts_with("```")).collect();
    assert!(fences.len() > 20 && fences.iter().all(|fence| ["```sh", "```toml", "```"].contains(fence)), "{fences:?}");
}

#[test]
fn the_commands_about_tokens_do_what_the_page_of_operators_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    let (_, tokens) = before_and_from(MONDAY, "Who may do what");
    let (tokens, _) = before_and_from(tokens, "A customer asks");
    let (said, errors) = run_lines(&commands(tokens), folder.path(), &host.address, Some(TOKEN));
    assert!(said.contains("billing robot") && errors.contains(" is revoked"), "{said}{errors}");
    let secret = std::fs::read_to_string(folder.path().join("robot.token")).expect("the secret");
    assert!(secret.starts_with("swy_"), "{secret}");
}

#[test]
fn an_operators_monday_goes_as_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(folder.path());
    let watch = Stopwatch::start();
    for (org, pending) in [("retail", 24), ("travel", 6)] {
        while demo.ask(&["sync-error", "list", "--org", org, "--ids"]).lines().count() < pending {
            assert!(watch.elapsed() < Duration::from_secs(120), "{org} has not {pending} sync errors");
        }
    }
    let (story, rest) = before_and_from(MONDAY, "Who may do what");
    let (_, rest) = before_and_from(rest, "A customer asks");
    let (customers, api) = before_and_from(rest, "The API");
    let mut lines = [story, customers].map(commands).concat();
    assert!(lines.len() >= 17, "{lines:?}");
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    match has_curl {
        true => lines.extend(commands(api)),
        false => println!("skipped: this machine has no `curl`, so the commands of the API were not run"),
    }
    let (said, errors) = run_lines(&lines, folder.path(), &demo.address, None);
    assert!(errors.contains(" of 1 are erased"), "{errors}");
    for task in ["retry", "reopen", "resync", "assign"] {
        assert!(!has_curl || said.contains(&format!("\"task\":\"{task}\"")), "{task} is not in\n{said}");
    }
    for words in [
        "Mathieu Moreau",
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
