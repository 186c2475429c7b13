//! Files that are not taken as plugins, and why.

use super::{component, patient};
use crate::domain::{Origin, PluginName};
use crate::policy::{Config, Error, PolicyHost};

async fn refusal(bytes: Vec<u8>) -> String {
    refusal_under(patient(), bytes).await
}

async fn refusal_under(config: Config, bytes: Vec<u8>) -> String {
    let host = PolicyHost::start(config).unwrap();
    let name = PluginName::new("foreign").unwrap();
    let error = host.add_plugin(name.clone(), bytes, Origin::Embedded).await.unwrap_err();
    assert!(host.plugins().is_empty());
    let Error::Plugin { name: of, reason } = error else { panic!("{error}") };
    assert_eq!(of, name);
    reason
}

#[tokio::test]
async fn a_plugin_that_imports_what_is_not_offered_is_refused_by_that_name() {
    let bytes = component::with(2, r#"(import "evil:net/sockets@1.0.0" (instance))"#, "", "(unreachable)");
    let reason = refusal(bytes).await;
    assert_eq!(reason, "it imports evil:net/sockets@1.0.0, which no plugin gets");
}

#[tokio::test]
async fn a_plugin_with_a_type_of_another_shape_is_refused_by_its_name_and_told_what_shows_more() {
    // A field of another name, in all types that hold it.
    let mut bytes = include_bytes!("../../../../plugins/prebuilt/keyword-router.wasm").to_vec();
    let (has, other) = (b"contact-id", b"contact-ix");
    for at in 0..=bytes.len() - has.len() {
        if bytes[at..].starts_with(has) {
            bytes[at..at + has.len()].copy_from_slice(other);
        }
    }
    let reason = refusal(bytes).await;
    assert!(reason.contains("the type `customer` has another shape"), "{reason}");
    assert!(reason.contains("`switchyard plugin check`"), "{reason}");
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let module = wat::parse_str("(module (func (export \"route\")))").unwrap();
    for bytes in [Vec::new(), b"no component at all".to_vec(), module] {
        assert!(!refusal(bytes).await.is_empty());
    }
}

#[tokio::test]
async fn a_component_that_was_cut_short_is_refused() {
    let mut bytes = component::router("", "(unreachable)");
    bytes.truncate(bytes.len() / 2);
    assert!(!refusal(bytes).await.is_empty());
}

#[tokio::test]
async fn a_component_that_exports_no_lifecycle_is_refused_and_told_so() {
    let reason = refusal(wat::parse_str("(component)").unwrap()).await;
    assert!(reason.contains("lifecycle, and one or more of routing, contacts, errors"), "{reason}");
    let routing = r#"(component (instance $it) (export "switchyard:policy/routing@0.1.0" (instance $it)))"#;
    let reason = refusal(wat::parse_str(routing).unwrap()).await;
    assert_eq!(reason, "it does not export switchyard:policy/lifecycle@0.1.0");
}

#[tokio::test]
async fn a_core_module_is_told_how_to_become_a_component_and_a_newer_interface_which_versions_are_known() {
    let module = refusal(wat::parse_str("(module)").unwrap()).await;
    assert!(module.contains("core module") && module.contains("wasm32-wasip2"), "{module}");
    let newer = r#"(component (instance $it) (export "switchyard:policy/lifecycle@9.0.0" (instance $it)))"#;
    let newer = refusal(wat::parse_str(newer).unwrap()).await;
    assert!(newer.contains("policy@9.0.0") && newer.contains("0.1.0 or 0.2.0"), "{newer}");
}

#[tokio::test]
async fn a_plugin_that_starts_with_more_memory_than_it_may_have_is_refused() {
    let pages = 2_000;
    let reason = refusal(component::with(pages, "", "", "(unreachable)")).await;
    assert!(reason.contains("memory"), "{reason}");
}

#[tokio::test]
async fn a_file_beyond_the_bound_is_refused() {
    let config = Config { plugin_bytes: 100, ..patient() };
    let reason = refusal_under(config, component::router("", "(unreachable)")).await;
    assert!(reason.ends_with("100 are allowed"), "{reason}");
}

#[tokio::test]
async fn a_host_that_names_keys_takes_no_unsigned_plugin_but_those_that_are_built_in() {
    let plugin_keys = vec!["RWQ93KhNG78sLuJnWgkkdcoQcsuzPBGgvuzM4eFUC33grAXVlpHgnzcU".to_owned()];
    let host = PolicyHost::start(Config { plugin_keys, ..Config::default() }).unwrap();
    let add = async |origin| {
        host.add_plugin(PluginName::new("unsigned").unwrap(), component::router("", "(unreachable)"), origin).await
    };
    let refused = add(Origin::File { path: "unsigned.wasm".into() }).await.unwrap_err().to_string();
    assert!(refused.contains("not signed"), "{refused}");
    let refused = add(Origin::Api { by: "ann".into() }).await.unwrap_err().to_string();
    assert!(refused.contains("not signed"), "{refused}");
    add(Origin::Embedded).await.unwrap();
}
