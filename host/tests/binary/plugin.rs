//! `plugin new`, `run`, `test` and `bench`, and `policy replay`, as those who write policies use them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::switchyard::{printed, switchyard};

const KEYWORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/keyword-router.wasm");

/// What it said, when it was content.
fn content(output: &Output) -> String {
    let (said, errors) = printed(output);
    assert!(output.status.success(), "{said}{errors}");
    said
}

/// What it said, when it was not.
fn discontent(output: &Output) -> String {
    let (said, errors) = printed(output);
    assert_eq!(output.status.code(), Some(1), "{said}{errors}");
    said + &errors
}

fn output(command: &mut Command) -> Output {
    command.output().expect("it runs")
}

fn write(path: &Path, value: &Value) -> PathBuf {
    std::fs::write(path, value.to_string()).expect("a file");
    path.to_owned()
}

/// A new project's folder inside of a temporary one.
fn project(name: &str, language: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = switchyard(["plugin", "new", name, "--lang", language]);
    content(&output(command.current_dir(folder.path())));
    let project = folder.path().join(name);
    (folder, project)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A case for the keyword router.
fn case(body: &str, settings: &Value, expected: &Value) -> Value {
    json!({
        "conversation": {"id": "c1", "channel": "web", "messages": [{"body": body}]},
        "settings": settings,
        "expected": expected,
    })
}

#[test]
fn a_new_script_passes_its_cases_and_can_be_run_and_measured() {
    let (_folder, project) = project("my-policy", "script");
    let (policy, case) = (project.join("my-policy.toml"), project.join("cases/team-with-a-queue.json"));
    let said = content(&output(switchyard(["plugin", "test"]).arg(&policy).arg(project.join("cases"))));
    assert!(said.contains("2 cases, 0 failed"), "{said}");
    let said =
        content(&output(switchyard(["plugin", "run"]).arg(project.join("my-policy.rhai")).arg("--input").arg(&case)));
    for part in [r#"{"queue":"Billing"}"#, "units of fuel", "KiB at its peak", "ms", "info: the queue of team billing"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let mut bench = switchyard(["plugin", "bench", "--times", "20", "--json"]);
    let said = content(&output(bench.arg(&policy).arg("--input").arg(&case)));
    let told: Value = serde_json::from_str(&said).expect("an object");
    assert_eq!((&told["times"], &told["frozen"], &told["faults"]), (&20.into(), &true.into(), &0.into()), "{told}");
    assert!(told["p50_us"].as_f64() > Some(0.0) && told["p99_us"].as_f64() >= told["p50_us"].as_f64(), "{told}");
    assert!(told["cost"]["least"].as_u64() > Some(0) && told["cost"]["least"] == told["cost"]["most"], "{told}");
}

#[test]
fn a_script_that_is_broken_is_refused_with_its_line() {
    let (_folder, project) = project("my-policy", "script");
    let script = project.join("my-policy.rhai");
    std::fs::write(&script, "fn route(conversation) {\n  queue(converstaion.team)\n}\n").expect("a file");
    let said = discontent(&output(switchyard(["plugin", "test"]).arg(script).arg(project.join("cases"))));
    assert!(said.contains("my-policy.rhai:2:") && said.contains("converstaion"), "{said}");
}

#[test]
fn a_project_is_written_whole_in_every_language_and_never_over_another() {
    for language in ["rust", "javascript", "python", "script"] {
        let (folder, project) = project("my-router", language);
        let files = files(&project);
        for file in &files {
            let text = std::fs::read_to_string(file).expect("a text");
            assert!(!text.contains("NAME") && !text.contains("ARTIFACT"), "{}", file.display());
        }
        for needed in ["README.md", "my-router.toml", "cases/team-with-a-queue.json"] {
            assert!(files.contains(&project.join(needed)), "{language}: {needed}");
        }
        std::fs::remove_file(project.join("README.md")).expect("a file less");
        let mut again = switchyard(["plugin", "new", "my-router", "--lang", language]);
        let said = discontent(&output(again.current_dir(folder.path())));
        assert!(said.contains("there is something at my-router already"), "{said}");
        assert!(!project.join("README.md").exists(), "it was written after all");
    }
    let said = discontent(&output(&mut switchyard(["plugin", "new", "My.Router", "--lang", "rust"])));
    assert!(said.contains("`My.Router`"), "{said}");
}

/// A Rust project that was built, where its target is installed.
fn rust_project() -> Option<&'static Path> {
    static PROJECT: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let built = PROJECT.get_or_init(|| {
        let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
        if !sysroot.join("lib/rustlib/wasm32-wasip2").is_dir() {
            println!("skipped: the target wasm32-wasip2 is not installed");
            return None;
        }
        let (folder, project) = project("my-router", "rust");
        // The versions that the plugins of this repository are built with.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/Cargo.lock");
        std::fs::copy(lock, project.join("Cargo.lock")).expect("a lock file");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"]);
        for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
            cargo.env_remove(variable);
        }
        let built = output(cargo.current_dir(&project));
        assert!(built.status.success(), "{}", printed(&built).1);
        let artifact = project.join("target/wasm32-wasip2/release/my_router.wasm");
        std::fs::copy(artifact, project.join("my-router.wasm")).expect("a component");
        Some((folder, project))
    });
    built.as_ref().map(|(_, project)| project.as_path())
}

#[test]
fn a_new_rust_plugin_builds_and_fits() {
    let Some(project) = rust_project() else { return };
    let said = content(&output(switchyard(["plugin", "check"]).arg(project.join("my-router.wasm"))));
    assert!(said.contains("switchyard:policy@0.2.0") && said.contains("It fits."), "{said}");
}

#[test]
fn a_new_rust_plugin_passes_its_cases() {
    let Some(project) = rust_project() else { return };
    let mut test = switchyard(["plugin", "test"]);
    let said = content(&output(test.arg(project.join("my-router.toml")).arg(project.join("cases"))));
    assert!(said.contains("2 cases, 0 failed"), "{said}");
    let mut run = switchyard(["plugin", "run"]);
    let case = project.join("cases/team-with-a-queue.json");
    let said = content(&output(run.arg(project.join("my-router.toml")).arg("--input").arg(case)));
    assert!(said.contains("rule     the queue of team billing"), "{said}");
}

#[test]
fn a_case_that_fails_shows_what_was_expected_and_the_others_still_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = json!({"keywords": {"fraud": "Fraud"}});
    write(&folder.path().join("1.json"), &case("fraud!", &settings, &json!({"queue": "Loans"})));
    write(&folder.path().join("2.json"), &case("fraud!", &settings, &json!({"queue": "Fraud"})));
    // The settings of a case go before those of the command line, and only key by key.
    write(&folder.path().join("3.json"), &case("fraud!", &json!({}), &json!({"queue": "Cards"})));
    write(&folder.path().join("4.json"), &case("hello", &settings, &json!({"queue": "Rest"})));
    let mut unknown = case("fraud!", &settings, &json!({"queue": "Fraud"}));
    unknown["conversation"]["tag"] = "vip".into();
    write(&folder.path().join("5.json"), &unknown);
    let common = folder.path().join("settings.toml");
    std::fs::write(&common, "default = \"Rest\"\n[keywords]\nfraud = \"Cards\"\n").expect("a file");
    let mut test = switchyard(["plugin", "test", KEYWORDS]);
    let said = discontent(&output(test.arg(folder.path()).arg("--settings").arg(&common)));
    assert!(said.contains("FAILED  1.json") && said.contains("5 cases, 2 failed"), "{said}");
    assert!(
        said.contains(r#"expected  {"queue":"Loans"}"#) && said.contains(r#"got       {"queue":"Fraud"}"#),
        "{said}"
    );
    for good in ["2.json", "3.json", "4.json"] {
        assert!(said.contains(&format!("ok      {good}")), "{said}");
    }
    assert!(said.contains("FAILED  5.json") && said.contains("unknown field `tag`"), "{said}");
}

#[test]
fn a_run_tells_decision_cost_memory_and_log_as_one_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let conversation = json!({"id": "c1", "channel": "web", "messages": [{"body": "I lost my card"}]});
    let input = write(&folder.path().join("conversation.json"), &conversation);
    let settings = write(&folder.path().join("settings.json"), &json!({"keywords": {"card": "Cards"}}));
    let run = |more: &[&str]| {
        let mut run = switchyard(["plugin", "run", KEYWORDS, "--json", "--input"]);
        let said = content(&output(run.arg(&input).arg("--settings").arg(&settings).args(more)));
        serde_json::from_str::<Value>(&said).expect("an object")
    };
    let told = run(&[]);
    assert_eq!(told["answer"], json!({"queue": "Cards"}));
    assert_eq!((&told["plugin"], &told["frozen"]), (&"keyword-router".into(), &true.into()));
    assert!(told["cost"].as_u64() > Some(0) && told["memory_bytes"].as_u64() >= Some(65_536), "{told}");
    assert!(told["logs"][0].as_str().is_some_and(|line| line.starts_with("debug: ")), "{told}");
    let again = run(&[]);
    assert_eq!((&again["cost"], &again["memory_bytes"]), (&told["cost"], &told["memory_bytes"]));
    // A question that the plugin does not answer goes to the default policy, as on a host.
    let told = run(&["--question", "choose"]);
    assert_eq!((&told["answer"], &told["policy"]["name"]), (&json!({"none": true}), &"default".into()));
}

/// A repro bundle of a script.
fn bundle() -> Value {
    json!({
        "question": "route",
        "conversation": {"id": "c1", "channel": "web", "team": "orders", "messages": []},
        "now": "2026-01-05T09:30:00Z",
        "seed": "c1",
        "policy": {
            "toml": "plugin = 'script'\nscript = 'a.rhai'\n[settings.queues]\norders = 'Orders'\n",
            "scripts": {"a.rhai": "fn route(conversation) { queue(settings.queues[conversation.team] ?? \"Rest\") }"},
            "plugin_digests": {},
        },
        "expected": {"queue": "Orders"},
    })
}

#[test]
fn a_bundle_is_replayed_and_its_answer_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let replay = |bundle: &Value| {
        let path = write(&folder.path().join("bundle.json"), bundle);
        output(switchyard(["policy", "replay"]).arg(path))
    };
    let same = replay(&bundle());
    assert!(content(&same).contains(r#"the same answer: {"queue":"Orders"}"#), "{same:?}");
    assert_eq!(printed(&same).1, "", "a warning without a reason");
    let mut other = bundle();
    other["expected"] = json!({"refused": "TEAM_NOT_MAPPED"});
    other["policy"]["plugin_digests"] = json!({"script": "00ff", "absent": "11ff"});
    let said = discontent(&replay(&other));
    assert!(
        said.contains("expected  {\"refused\":\"TEAM_NOT_MAPPED\"}") && said.contains("got       {\"queue\""),
        "{said}"
    );
    assert!(said.contains("the plugin `script` is another one") && said.contains("no plugin `absent`"), "{said}");
    let mut bare = bundle();
    bare.as_object_mut().expect("an object").remove("policy");
    assert!(discontent(&replay(&bare)).contains("no `policy`"));
}

#[test]
fn a_bundle_is_a_case_for_a_plugin_as_it_is_and_its_plugins_may_come_from_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(KEYWORDS, folder.path().join("mine.wasm")).expect("a component");
    let mut bundle = bundle();
    bundle["settings"] = json!({"teams": {"orders": "Orders"}, "keywords": {}});
    let toml = "plugin = 'mine'\n[settings]\nkeywords = {}\nteams = { orders = 'Orders' }\n";
    bundle["policy"] = json!({"toml": toml});
    let path = write(&folder.path().join("bundle.json"), &bundle);
    let said = discontent(&output(switchyard(["policy", "replay"]).arg(&path)));
    assert!(said.contains("there is no plugin `mine`"), "{said}");
    content(&output(switchyard(["policy", "replay"]).arg(&path).arg("--plugins").arg(folder.path())));
    let said = content(&output(switchyard(["plugin", "test", KEYWORDS]).arg(folder.path())));
    assert!(said.contains("ok      bundle.json"), "{said}");
}
