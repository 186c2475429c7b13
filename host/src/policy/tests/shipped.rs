//! The policies that come with the program, applied as they are.

use std::collections::BTreeMap;
use std::path::Path;

use super::{NOW, add, host, name, patient, source};
use crate::domain::PolicySource;
use crate::domain::{Question, Timestamp};
use crate::policy::{DEFAULT_POLICY, PolicyHost, PolicyStatus, revision::sample};

/// By name, the default policy first.
fn shipped() -> Vec<(String, PolicySource)> {
    let mut tomls = BTreeMap::new();
    let mut scripts = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        match file.strip_suffix(".toml") {
            Some(policy) => tomls.insert(policy.to_owned(), text),
            None => scripts.insert(file, text),
        };
    }
    let mut policies: Vec<_> = tomls
        .into_iter()
        .map(|(policy, toml)| (policy, PolicySource { scripts: scripts.clone(), ..source(&toml, &[]) }))
        .collect();
    policies.sort_by_key(|(policy, _)| policy != DEFAULT_POLICY);
    policies
}

async fn with_shipped() -> PolicyHost {
    let host = PolicyHost::start(patient()).unwrap();
    add(&host, "script", super::SCRIPT).await;
    add(&host, "keyword-router", super::KEYWORDS).await;
    for (policy, source) in shipped() {
        host.apply(name(&policy), source).await.unwrap();
    }
    host
}

#[tokio::test]
async fn every_shipped_policy_is_accepted_and_every_question_of_it_has_a_frozen_answerer() {
    let host = with_shipped().await;
    let policies = host.policies();
    assert!(policies.len() >= 4, "{policies:?}");
    for PolicyStatus { name, .. } in policies {
        let status = host.settled(&name).await.unwrap();
        let answered_by = status.in_force.unwrap().answered_by;
        assert_eq!(answered_by.len(), 4, "{}", status.name);
        for by in answered_by {
            assert!(by.frozen, "{}: {:?}", status.name, by.not_frozen_because);
        }
    }
}

#[tokio::test]
async fn a_question_that_the_plugin_does_not_answer_goes_to_the_default_policy() {
    let host = with_shipped().await;
    let of = sample::conversation(NOW);
    let own = host.route(&name("demo-bank"), &of, NOW).await;
    let left = host.search(&name("demo-bank"), &of, NOW).await;
    assert_eq!(own.policy.name, name("demo-bank"));
    assert_eq!((left.policy.name, left.question), (name(DEFAULT_POLICY), Question::Search));
    let searches = left.answer.unwrap();
    assert_eq!(searches[0].value, "ada@example.com");
    let unassigned = host.search(&name("never-heard-of"), &of, NOW).await;
    assert_eq!((unassigned.policy.name, unassigned.answer.unwrap()), (name(DEFAULT_POLICY), searches));
}

#[tokio::test]
async fn a_default_policy_that_leaves_a_question_open_is_not_accepted() {
    let toml = "plugin = \"keyword-router\"\n[settings]\ndefault = \"All\"\n[settings.keywords]\n";
    let rejection = host().await.apply(name(DEFAULT_POLICY), source(toml, &[])).await.unwrap_err();
    assert!(rejection.problems[0].message.contains("the default policy has to answer"), "{rejection}");
    assert_eq!(rejection.at, Timestamp::from_millis(NOW.as_millis()));
}
