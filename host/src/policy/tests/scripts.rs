//! What policies of one script decide, and how a script that is wrong is refused.

use super::{apply_script, closed, host, name, of_team, queue, revision, route, source};
use crate::domain::{Destination, Fault};

const BY_TEAM: &str = r#"
fn route(conversation) {
    let known = settings.queues[conversation.team];
    if known == () { refuse("TEAM_NOT_MAPPED", `no queue for ${conversation.team}`) } else { queue(known) }
}
"#;

#[tokio::test]
async fn a_team_goes_to_the_queue_that_the_settings_name() {
    let host = host().await;
    apply_script(host, "by-team", BY_TEAM).await.unwrap();
    assert_eq!(route(host, "by-team", &of_team("orders")).await, queue("Orders"));
}

#[tokio::test]
async fn a_refusal_keeps_the_code_and_the_words_of_the_policy() {
    let host = host().await;
    apply_script(host, "refusing", BY_TEAM).await.unwrap();
    let refused = Fault::Refused { code: "TEAM_NOT_MAPPED".into(), message: "no queue for pets".into() };
    assert_eq!(route(host, "refusing", &of_team("pets")).await, Err(refused));
}

#[tokio::test]
async fn an_endless_loop_in_a_script_ends_and_the_next_decision_is_served() {
    let host = host().await;
    let script = "fn route(conversation) { if conversation.closed { loop {} } track_only() }";
    apply_script(host, "looping", script).await.unwrap();
    let ended =
        Fault::Refused { code: "SCRIPT_ERROR".into(), message: "looping.rhai, in route: Too many operations".into() };
    assert_eq!(route(host, "looping", &closed()).await, Err(ended));
    assert_eq!(route(host, "looping", &of_team("orders")).await, Ok(Destination::TrackOnly));
}

#[tokio::test]
async fn a_script_that_loops_on_every_conversation_is_not_accepted() {
    let host = host().await;
    let rejection = apply_script(host, "always-looping", "fn route(conversation) { loop {} }").await.unwrap_err();
    assert!(matches!(rejection.fault, Some(Fault::Refused { .. })), "{rejection:?}");
    assert_eq!(rejection.problems[0].path, "always-looping.rhai");
}

#[tokio::test]
async fn a_script_that_does_not_compile_is_rejected_with_its_place_and_the_one_in_force_serves() {
    let host = host().await;
    apply_script(host, "broken", BY_TEAM).await.unwrap();
    let rejection = apply_script(host, "broken", "fn route(conversation) {\n    queue(\"A\"\n}").await.unwrap_err();
    let problem = &rejection.problems[0];
    assert_eq!((problem.path.as_str(), problem.line), ("broken.rhai", Some(3)), "{rejection}");
    assert!(problem.column.is_some(), "{rejection}");
    let decision = host.route(&name("broken"), &of_team("orders"), super::NOW).await;
    assert_eq!((decision.answer, decision.policy.revision), (queue("Orders"), 1));
    let status = host.policies().into_iter().find(|status| status.name == name("broken")).unwrap();
    assert_eq!(status.last_rejection, Some(rejection));
}

#[tokio::test]
async fn a_misspelt_variable_is_found_before_any_decision() {
    let host = host().await;
    let rejection =
        apply_script(host, "misspelt", "fn route(conversation) {\n  queue(converstaion.team)\n}").await.unwrap_err();
    let problem = &rejection.problems[0];
    assert_eq!((problem.path.as_str(), problem.line), ("misspelt.rhai", Some(2)), "{rejection}");
    assert!(problem.message.contains("converstaion"), "{rejection}");
}

#[tokio::test]
async fn an_unknown_key_is_rejected_by_name_and_place() {
    let toml = "plugin = \"script\"\nscirpt = \"a.rhai\"\n";
    let rejection = host().await.apply(name("unknown-key"), source(toml, &[])).await.unwrap_err();
    let problem = &rejection.problems[0];
    assert!(problem.message.contains("scirpt"), "{rejection}");
    assert_eq!((problem.path.as_str(), problem.line, problem.column), ("unknown-key.toml", Some(2), Some(1)));
}

#[tokio::test]
async fn a_policy_whose_plugin_or_script_is_missing_says_which() {
    let host = host().await;
    for (toml, missing) in [
        ("plugin = \"nobody\"\n", "`nobody`"),
        ("plugin = \"script\"\nscript = \"absent.rhai\"\n", "`absent.rhai`"),
        ("[settings]\na = 1\n", "`plugin`"),
    ] {
        let rejection = host.apply(name("missing"), source(toml, &[])).await.unwrap_err();
        assert!(rejection.problems[0].message.contains(missing), "{rejection}");
    }
}

#[tokio::test]
async fn the_same_texts_keep_their_revision_and_changed_ones_get_the_next() {
    let host = host().await;
    let first = apply_script(host, "same", BY_TEAM).await.unwrap();
    let again = apply_script(host, "same", BY_TEAM).await.unwrap();
    let changed = apply_script(host, "same", &format!("{BY_TEAM}// edited")).await.unwrap();
    assert_eq!([revision(&first), revision(&again), revision(&changed)], [1, 1, 2]);
    let digest = |status: &super::PolicyStatus| status.in_force.as_ref().unwrap().digest.clone();
    assert_eq!(digest(&first), digest(&again));
    assert_ne!(digest(&first), digest(&changed));
}

#[tokio::test]
async fn a_decision_is_made_from_a_frozen_copy_and_has_the_same_cost_each_time() {
    let host = host().await;
    apply_script(host, "frozen", BY_TEAM).await.unwrap();
    let status = host.settled(&name("frozen")).await.unwrap();
    for by in status.in_force.unwrap().answered_by {
        assert!(by.frozen, "{:?}", by.not_frozen_because);
    }
    let first = host.route(&name("frozen"), &of_team("orders"), super::NOW).await;
    let second = host.route(&name("frozen"), &of_team("orders"), super::NOW).await;
    assert!(first.cost > 0);
    assert_eq!(first, second);
}

#[tokio::test]
async fn what_a_script_logs_is_kept_with_the_decision() {
    let host = host().await;
    let script = "fn route(conversation) { log_warn(`team ${conversation.team}`); track_only() }";
    apply_script(host, "logging", script).await.unwrap();
    let decision = host.route(&name("logging"), &of_team("orders"), super::NOW).await;
    assert_eq!(decision.logs, ["warn: team orders"]);
}
