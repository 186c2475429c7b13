//! Revisions: numbered and kept, frozen while they decide, compared before they do, and taken back when they do worse.

use std::sync::{Arc, Mutex};

use super::{NOW, apply_script, closed, component, host, name, of_team, patient, queue, revision, route, source};
use crate::domain::{Origin, PolicyRevision, PolicySource, RevisionState, Timestamp};
use crate::policy::{Config, HistoryStore, PolicyHost, difference};

const TO_ORDERS: &str = "fn route(conversation) { queue(\"Orders\") }";
const REFUSES_CLOSED: &str =
    "fn route(conversation) { if conversation.closed { refuse(\"CLOSED\", \"no\") } else { queue(\"Orders\") } }";

fn states(host: &PolicyHost, policy: &str) -> Vec<(u32, RevisionState)> {
    host.revisions(&name(policy)).iter().map(|revision| (revision.number, revision.state)).collect()
}

fn given_by(toml: &str, script: &str, origin: Origin) -> PolicySource {
    PolicySource { origin, ..source(toml, &[("guarded.rhai", script)]) }
}

#[tokio::test]
async fn a_revision_decides_at_once_and_is_frozen_afterwards_with_the_same_answers() {
    let host = host().await;
    apply_script(host, "at-once", TO_ORDERS).await.unwrap();
    let at_once = host.route(&name("at-once"), &of_team("orders"), NOW).await;
    assert_eq!(at_once.answer, queue("Orders"));
    let status = host.settled(&name("at-once")).await.unwrap();
    assert!(status.in_force.unwrap().answered_by[0].frozen);
    let frozen = host.route(&name("at-once"), &of_team("orders"), NOW).await;
    assert_eq!((at_once.policy, at_once.answer), (frozen.policy, frozen.answer));
}

#[tokio::test]
async fn an_earlier_revision_comes_back_under_its_own_number_and_a_refused_one_says_why() {
    let host = host().await;
    let first = apply_script(host, "earlier", TO_ORDERS).await.unwrap();
    apply_script(host, "earlier", REFUSES_CLOSED).await.unwrap();
    apply_script(host, "earlier", "fn route(conversation) {").await.unwrap_err();
    let again = apply_script(host, "earlier", TO_ORDERS).await.unwrap();
    assert_eq!((revision(&first), revision(&again)), (1, 1));
    let all = [(1, RevisionState::InForce), (2, RevisionState::Retired), (3, RevisionState::Refused)];
    assert_eq!(states(host, "earlier"), all);
    let refused = host.revisions(&name("earlier"))[2].clone();
    assert!(refused.reason.unwrap().starts_with("earlier.rhai:1:"), "{:?}", refused.source);
}

#[tokio::test]
async fn a_revision_that_does_worse_than_the_one_before_is_taken_back_and_only_a_person_brings_it_again() {
    let host = host().await;
    let toml = "plugin = \"script\"\nscript = \"guarded.rhai\"\n";
    let by_file = || Origin::File { path: "guarded.toml".into() };
    host.apply(name("guarded"), given_by(toml, TO_ORDERS, by_file())).await.unwrap();
    for _ in 0..20 {
        assert_eq!(route(host, "guarded", &closed()).await, queue("Orders"));
    }
    host.apply(name("guarded"), given_by(toml, REFUSES_CLOSED, by_file())).await.unwrap();
    while states(host, "guarded") != [(1, RevisionState::InForce), (2, RevisionState::RolledBack)] {
        // Failing is what takes it back; once it is, nothing fails any more.
        let _ = route(host, "guarded", &closed()).await;
    }
    assert_eq!(route(host, "guarded", &closed()).await, queue("Orders"));
    let status = host.policies().into_iter().find(|status| status.name == name("guarded")).unwrap();
    let said = status.last_rejection.unwrap().to_string();
    assert!(said.contains("rolled back to revision 1") && said.contains("failed or were refused"), "{said}");
    let by_file = host.apply(name("guarded"), given_by(toml, REFUSES_CLOSED, by_file())).await;
    assert!(by_file.unwrap_err().to_string().contains("revision 2 was rolled back"));
    // Somebody looks at it once more, beside the one in force.
    let looked_at = given_by(toml, REFUSES_CLOSED, Origin::Api { by: "ann".into() });
    host.start_shadow(name("guarded"), looked_at).await.unwrap();
    assert!(host.end_shadow(&name("guarded"), NOW).await);
    assert_eq!(states(host, "guarded")[1], (2, RevisionState::RolledBack), "looking at it changes nothing");
    let touched = Origin::File { path: "guarded.toml".into() };
    let touched = host.apply(name("guarded"), given_by(toml, REFUSES_CLOSED, touched)).await;
    assert!(touched.unwrap_err().to_string().contains("revision 2 was rolled back"));
    let status = host.put_back(name("guarded"), given_by(toml, TO_ORDERS, Origin::Embedded)).await.unwrap();
    assert!(status.last_rejection.unwrap().to_string().contains("revision 2 was rolled back"), "it is told still");
    let status = host.apply(name("guarded"), given_by(toml, TO_ORDERS, Origin::Embedded)).await.unwrap();
    assert_eq!(status.last_rejection, None);
    let by_person = given_by(toml, REFUSES_CLOSED, Origin::Api { by: "ann".into() });
    assert_eq!(revision(&host.apply(name("guarded"), by_person).await.unwrap()), 2);
}

#[tokio::test]
async fn a_shadow_is_asked_beside_the_policy_in_force_and_harms_nothing() {
    let host = host().await;
    apply_script(host, "shaded", TO_ORDERS).await.unwrap();
    let toml = "plugin = \"script\"\nscript = \"shaded.rhai\"\n";
    let candidate = source(toml, &[("shaded.rhai", REFUSES_CLOSED)]);
    host.start_shadow(name("shaded"), candidate.clone()).await.unwrap();
    assert_eq!(route(host, "shaded", &closed()).await, queue("Orders"));
    assert_eq!(route(host, "shaded", &of_team("orders")).await, queue("Orders"));
    let shadow = loop {
        let status = host.policies().into_iter().find(|status| status.name == name("shaded")).unwrap();
        let shadow = status.shadow.unwrap();
        if shadow.same + shadow.different == 2 {
            break shadow;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((shadow.same, shadow.different, shadow.faults, shadow.skipped), (1, 1, 1, 0));
    assert_eq!(shadow.examples[0].then["fault"], "CLOSED");
    assert_eq!(states(host, "shaded")[1], (2, RevisionState::Ready));
    let status = host.apply(name("shaded"), candidate).await.unwrap();
    assert_eq!((revision(&status), status.shadow), (2, None));
    assert!(!host.end_shadow(&name("shaded"), NOW).await);
}

#[tokio::test]
async fn an_error_that_the_sample_finds_and_a_byte_order_mark_are_told_with_their_place() {
    let host = host().await;
    let problem = async |script: &str| apply_script(host, "placed", script).await.unwrap_err().problems.remove(0);
    let found =
        problem("fn route(conversation) {\n    let queues = settings[\"nothing\"];\n    queue(queues.orders)\n}").await;
    assert_eq!(
        (found.path.as_str(), found.line.is_some(), found.column.is_some()),
        ("placed.rhai", true, true),
        "{found}"
    );
    let marked = problem(&format!("\u{feff}{TO_ORDERS}")).await;
    assert_eq!((marked.path.as_str(), marked.line), ("placed.rhai", Some(1)));
    assert!(marked.message.contains("byte order mark"), "{marked}");
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_not_kept() {
    let host = host().await;
    let long = format!("{TO_ORDERS}{}", " ".repeat(patient().source_bytes));
    let refused = apply_script(host, "too-long", &long).await.unwrap_err();
    assert!(refused.to_string().contains("1048576 are allowed"), "{refused}");
    assert_eq!(states(host, "too-long"), []);
}

#[tokio::test]
async fn a_policy_that_is_retired_leaves_its_revisions_and_is_listed_no_more() {
    let host = host().await;
    apply_script(host, "retired", TO_ORDERS).await.unwrap();
    let shadow = source("plugin = \"script\"\nscript = \"it.rhai\"\n", &[("it.rhai", REFUSES_CLOSED)]);
    host.start_shadow(name("retired"), shadow).await.unwrap();
    let script = crate::domain::PluginName::new("script").unwrap();
    assert!(host.users(&script).contains(&name("retired")));
    assert_eq!(host.retire(&name("retired"), NOW).await, Ok(true));
    assert_eq!(host.retire(&name("retired"), NOW).await, Ok(false));
    assert!(host.policies().iter().all(|status| status.name != name("retired")));
    assert_eq!(states(host, "retired"), [(1, RevisionState::Retired), (2, RevisionState::Retired)]);
    assert!(!host.users(&script).contains(&name("retired")));
    assert_eq!(revision(&apply_script(host, "retired", TO_ORDERS).await.unwrap()), 1);
}

#[tokio::test]
async fn a_candidate_says_what_would_change_and_leaves_no_trace() {
    let host = host().await;
    apply_script(host, "asked", TO_ORDERS).await.unwrap();
    let toml = "plugin = \"script\"\nscript = \"asked.rhai\"\n";
    let candidate = host.candidate(name("asked"), source(toml, &[("asked.rhai", REFUSES_CLOSED)])).await.unwrap();
    let in_force = host.in_force(&name("asked")).unwrap();
    let of = closed();
    let change = difference(&of, &in_force.route(&of, NOW).await, &candidate.route(&of, NOW).await).unwrap();
    assert_eq!((&change.now["queue"], &change.then["fault"]), (&"Orders".into(), &"CLOSED".into()));
    let of = of_team("orders");
    assert_eq!(difference(&of, &in_force.route(&of, NOW).await, &candidate.route(&of, NOW).await), None);
    let status = host.policies().into_iter().find(|status| status.name == name("asked")).unwrap();
    assert_eq!((status.decisions, states(host, "asked").len()), (0, 1));
}

#[tokio::test]
async fn numbers_go_on_after_a_restart_and_what_cannot_be_kept_is_not_put_in_force() {
    let kept: Arc<Mutex<Vec<(crate::domain::PolicyName, PolicyRevision)>>> = Arc::default();
    let start = |full: bool| {
        let (past, keeping) = (kept.lock().unwrap().clone(), kept.clone());
        let keep: crate::policy::Keep = Box::new(move |policy, changed, _| {
            if !full {
                let mut kept = keeping.lock().unwrap();
                kept.retain(|(_, known)| changed.iter().all(|changed| changed.number != known.number));
                kept.extend(changed.into_iter().map(|changed| (policy.clone(), changed)));
            }
            Box::pin(async move { if full { Err("the disk is full".to_owned()) } else { Ok(()) } })
        });
        PolicyHost::start_with(Config { freeze: false, ..patient() }, HistoryStore { past, keep: Some(keep) }, None)
            .unwrap()
    };
    let router = component::router("", &format!("(call $queue (i32.const {}) (i32.const 4))", component::text("Even")));
    let apply = async |host: &PolicyHost, text: &str| {
        super::add(host, "even", &router).await;
        let source = PolicySource { at: Timestamp::from_millis(1), ..source(text, &[]) };
        host.apply(name("kept"), source).await
    };
    let first = start(false);
    apply(&first, "plugin = \"even\"\n").await.unwrap();
    apply(&first, "plugin = \"even\"\n# again\n").await.unwrap();
    let second = start(false);
    assert_eq!(revision(&apply(&second, "plugin = \"even\"\n# again\n").await.unwrap()), 2);
    assert_eq!(revision(&apply(&second, "plugin = \"even\"\n# new\n").await.unwrap()), 3);
    let full = start(true);
    let error = apply(&full, "plugin = \"even\"\n# four\n").await.unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
    assert!(full.policies()[0].in_force.is_none());
    let states = states(&full, "kept");
    let expected = [(1, RevisionState::Retired), (2, RevisionState::Retired), (3, RevisionState::InForce)];
    assert_eq!(states[..3], expected, "what is not kept has not happened");
    assert_ne!(states[3].1, RevisionState::InForce);
}

#[tokio::test]
async fn a_rollback_that_cannot_be_kept_at_first_is_kept_in_the_end_and_as_a_whole() {
    let (kept, mut keeps) = tokio::sync::mpsc::unbounded_channel();
    let failures = Arc::new(Mutex::new(0));
    let failing = failures.clone();
    let keep: crate::policy::Keep = Box::new(move |_, changed, _| {
        let mut left = failing.lock().unwrap();
        let fails = *left > 0;
        *left -= i32::from(fails);
        if !fails {
            kept.send(changed.iter().map(|revision| (revision.number, revision.state)).collect::<Vec<_>>()).unwrap();
        }
        Box::pin(async move { if fails { Err("the disk is full".to_owned()) } else { Ok(()) } })
    });
    let history = HistoryStore { past: Vec::new(), keep: Some(keep) };
    let host = PolicyHost::start_with(Config { freeze: false, ..patient() }, history, None).unwrap();
    super::add(&host, "script", super::SCRIPT).await;
    let toml = "plugin = \"script\"\nscript = \"guarded.rhai\"\n";
    let policy = name("guarded");
    host.apply(policy.clone(), given_by(toml, TO_ORDERS, Origin::Embedded)).await.unwrap();
    for _ in 0..20 {
        assert_eq!(host.route(&policy, &closed(), NOW).await.answer, queue("Orders"));
    }
    host.apply(policy.clone(), given_by(toml, REFUSES_CLOSED, Origin::Embedded)).await.unwrap();
    assert_eq!(keeps.recv().await.unwrap(), [(1, RevisionState::InForce)]);
    assert_eq!(keeps.recv().await.unwrap(), [(1, RevisionState::Retired), (2, RevisionState::InForce)]);
    *failures.lock().unwrap() = 2;
    let back = [(1, RevisionState::InForce), (2, RevisionState::RolledBack)];
    while states(&host, "guarded") != back {
        // Failing is what takes it back.
        let _ = host.route(&policy, &closed(), NOW).await;
    }
    assert_eq!(keeps.recv().await.unwrap(), back, "the next that is kept is the whole of it");
    assert_eq!(*failures.lock().unwrap(), 0, "after it failed twice");
}
