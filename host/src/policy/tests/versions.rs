//! Versions of the interface: a released one stays as it is, and plugins of every one of them decide side by side.

use sha2::{Digest, Sha256};

use super::{NOW, host, name, of_team, source};
use crate::domain::Destination;

#[test]
fn a_released_version_of_the_interface_is_never_edited() {
    let released = [(
        include_str!("../../../../wit/v0.1/policy.wit"),
        "0a078cada249828cc26a3812f943b7be2af53edf6d66397b622022ab1f85b0d0",
    )];
    for (text, digest) in released {
        assert_eq!(hex::encode(Sha256::digest(text)), digest, "a change is a new folder beside it");
    }
}

#[tokio::test]
async fn a_plugin_of_an_older_version_decides_beside_one_of_the_newest() {
    let host = host().await;
    let interface = |plugin: &str| {
        let plugins = host.plugins();
        plugins.into_iter().find(|status| status.name.as_str() == plugin).unwrap().interface
    };
    assert_eq!(interface("keyword-router"), "switchyard:policy@0.1.0");
    assert_eq!(interface("script"), "switchyard:policy@0.2.0");
    let toml = "[routing]\nplugin = \"keyword-router\"\n[routing.settings]\ndefault = \"Old\"\n\
                [errors]\nplugin = \"script\"\nscript = \"both.rhai\"\n";
    let script = "fn judge(error) { ignore(\"new\") }";
    host.apply(name("both"), source(toml, &[("both.rhai", script)])).await.unwrap();
    let routed = host.route(&name("both"), &of_team("orders"), NOW).await;
    assert_eq!((routed.answer, routed.rule), (Ok(Destination::Queue("Old".into())), None));
}

#[tokio::test]
async fn a_script_says_which_rule_led_to_its_answer() {
    let host = host().await;
    let script = "fn route(conversation) { explain(\"by team\"); queue(\"Orders\") }";
    super::apply_script(host, "explaining", script).await.unwrap();
    let decision = host.route(&name("explaining"), &of_team("orders"), NOW).await;
    assert_eq!(decision.rule.as_deref(), Some("by team"));
}
