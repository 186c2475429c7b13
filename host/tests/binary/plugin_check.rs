//! `plugin check`: what a component is told to lack, by the name of the function or type that differs.

use std::path::Path;

use crate::switchyard::{printed, switchyard};

const KEYWORDS: &[u8] = include_bytes!("../../../plugins/prebuilt/keyword-router.wasm");

/// The exit code and what it said, of a file with these bytes.
fn check(bytes: &[u8], more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.wasm");
    std::fs::write(&path, bytes).expect("a file");
    let output = switchyard(["plugin", "check"]).arg(path).args(more).output().expect("it runs");
    (output.status.code(), printed(&output).0)
}

fn misfit(bytes: &[u8]) -> String {
    let (code, said) = check(bytes, &[]);
    assert_eq!(code, Some(1), "{said}");
    said
}

/// The keyword router with one word in place of another of the same length, wherever it stands.
fn with(word: &str, other: &str) -> Vec<u8> {
    assert_eq!(word.len(), other.len());
    let mut bytes = KEYWORDS.to_vec();
    let mut found = 0;
    for at in 0..=bytes.len() - word.len() {
        if bytes[at..].starts_with(word.as_bytes()) {
            bytes[at..at + word.len()].copy_from_slice(other.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "{word}");
    bytes
}

/// A component that exports a function `route` of its own type, and with more in it.
fn router(version: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {more}
  (core module $m (func (export "route") (param i32) (result i32) local.get 0))
  (core instance $m (instantiate $m))
  (func $route (param "of" u32) (result u32) (canon lift (core func $m "route")))
  (instance $routing (export "route" (func $route)))
  (export "switchyard:policy/routing@{version}" (instance $routing)))"#
    );
    wat::parse_str(text).expect("a component")
}

#[test]
fn the_built_in_plugins_fit_and_are_told_by_digest_version_and_questions() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/prebuilt");
    for (name, questions) in [("keyword-router", "route\n"), ("script", "route, search, choose, judge\n")] {
        let (code, said) = check(&std::fs::read(plugins.join(format!("{name}.wasm"))).expect("a component"), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("answers    {questions}")) && said.contains("It fits."), "{said}");
        assert!(
            said.contains("interface  switchyard:policy@0.") && said.contains("switchyard:policy/log@0."),
            "{said}"
        );
        let digests = std::fs::read_to_string(plugins.join(format!("{name}.digest"))).expect("digests");
        let digest = digests.lines().find(|line| line.ends_with(&format!("{name}.wasm"))).expect("its own");
        assert!(said.contains(&digest[..64]), "{said}");
    }
}

#[test]
fn what_is_no_component_is_told_what_it_is() {
    assert!(misfit(b"").contains("an empty file"));
    assert!(misfit(b"# Read me").contains("a file that starts with \"# Read me\""));
    assert!(misfit(b"(component)").contains("wasm-tools parse"));
    let module = wat::parse_str("(module (func (export \"route\")))").expect("a module");
    let said = misfit(&module);
    assert!(said.contains("it is a core module") && said.contains("wasm32-wasip2"), "{said}");
    assert!(misfit(&KEYWORDS[..KEYWORDS.len() / 2]).contains("it is damaged at byte"));
    let empty = wat::parse_str("(component)").expect("a component");
    let said = misfit(&empty);
    assert!(said.contains("it exports nothing of switchyard:policy") && said.contains("lifecycle"), "{said}");
}

#[test]
fn another_version_is_named_beside_those_that_are_known() {
    let said = misfit(&router("7.0.0", ""));
    assert!(said.contains("a version of the interface that this host does not know"), "{said}");
    assert!(said.contains("switchyard:policy@7.0.0") && said.contains("switchyard:policy@0.1.0 or 0.2.0"), "{said}");
}

#[test]
fn a_function_of_another_type_is_shown_as_it_is_and_as_it_should_be() {
    let said = misfit(&router("0.2.0", ""));
    assert!(said.contains("the function `route` of switchyard:policy/routing@0.2.0 has another type"), "{said}");
    assert!(said.contains("> func(of: u32) -> u32"), "{said}");
    assert!(said.contains("> func(of: conversation) -> result<destination, refusal>"), "{said}");
    assert!(said.contains("it does not export switchyard:policy/lifecycle@0.2.0"), "{said}");
}

#[test]
fn a_type_with_another_field_is_shown_in_both_shapes() {
    let said = misfit(&with("contact-id", "contact-ix"));
    assert!(said.contains("the type `customer` has another shape"), "{said}");
    assert!(said.contains("> ") && said.contains(">   contact-ix: option<string>,"), "{said}");
    assert!(said.contains(">   contact-id: option<string>,"), "{said}");
    assert!(said.contains("    name: option<string>,"), "a line that is the same is marked: {said}");
    assert_eq!(said.matches("has another shape").count(), 1, "types that only hold it are blamed too: {said}");
}

#[test]
fn an_import_that_no_plugin_gets_is_named() {
    let said = misfit(&router("0.2.0", r#"(import "evil:net/sockets@1.0.0" (instance))"#));
    assert!(said.contains("it imports `evil:net/sockets@1.0.0`, which no plugin gets"), "{said}");
    let said = misfit(&router("0.2.0", r#"(import "fetch" (func (param "url" string) (result string)))"#));
    assert!(said.contains("it imports `fetch`") && said.contains("func(url: string) -> string"), "{said}");
    let said = misfit(&router("0.2.0", r#"(import "wasi:cli/exit@0.3.0" (instance))"#));
    assert!(said.contains("a version of WASI that this host does not offer"), "{said}");
    let said = misfit(&with("switchyard:policy/log@0.1.0", "switchyard:policy/log@0.1.9"));
    assert!(said.contains("`switchyard:policy/log@0.1.9` of a version that this host does not know"), "{said}");
}

#[test]
fn tools_get_the_same_as_one_object() {
    let (code, said) = check(&router("0.2.0", ""), &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&said).expect("an object");
    assert_eq!((code, &told["questions"]), (Some(1), &serde_json::json!(["route"])));
    let misfits = told["misfits"].as_array().expect("a list");
    assert!(misfits.iter().any(|misfit| misfit["found"] == "func(of: u32) -> u32"), "{told}");
}
