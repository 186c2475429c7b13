//! The commands of the documents, run as they stand there.

use std::path::{Path, PathBuf};

use crate::switchyard::{Host, printed, switchyard};

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
        "[http]\nlisten = '127.0.0.1:0'\n\
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
