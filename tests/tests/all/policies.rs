//! Policies: an edit is in force for the next decision, and a bad one changes nothing.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::domain::Secret;
use switchyard::http::{Scope, Token};
use switchyard_tests::{ADMIN, OPERATOR, Setup, TestHost, received};

async fn revision(host: &TestHost) -> u64 {
    host.get("/v1/policies/acme").await.1["in_force"]["revision"].as_u64().expect("a revision")
}

fn texts(host: &TestHost, queue: &str) -> Value {
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    let toml = format!("plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\nbilling = \"{queue}\"\n");
    json!({ "toml": toml, "scripts": { "acme.rhai": script } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_put_decides_the_next_conversation_and_is_kept_as_a_file() {
    let host = TestHost::start().await;
    let (status, answer) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts(&host, "Care"))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let rows = host.query("SELECT alcmeon__To_SF_Queue_Id__c FROM alcmeon__Conversation__c").await;
    let queue = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Care'").await;
    assert_eq!(rows[0]["alcmeon__To_SF_Queue_Id__c"], queue[0]["Id"]);
    assert!(std::fs::read_to_string(host.policy_file("acme.toml")).unwrap().contains("Care"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_edited_is_in_force_without_a_restart() {
    let host = TestHost::start().await;
    assert_eq!(revision(&host).await, 1);
    let script = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    std::fs::write(host.policy_file("acme.rhai"), format!("{script}\n// edited\n")).unwrap();
    let deadline = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while revision(&host).await == 1 {
            tokio::task::yield_now().await;
        }
    });
    deadline.await.expect("the edit is in force");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_does_not_compile_is_refused_with_file_and_line_and_the_one_in_force_goes_on() {
    let host = TestHost::start().await;
    let mut bad = texts(&host, "Care");
    bad["scripts"]["acme.rhai"] = json!("fn route(conversation) {\n  queue(\n}\n");
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(bad)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["problems"][0]["path"], "acme.rhai");
    assert!(problem["problems"][0]["line"].as_u64().is_some_and(|line| line >= 2), "{problem}");
    assert_eq!(revision(&host).await, 1);
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_cannot_put_a_policy_and_a_script_cannot_leave_its_folder() {
    let host = TestHost::start().await;
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", OPERATOR, Some(texts(&host, "Care"))).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    let mut outside = texts(&host, "Care");
    outside["scripts"]["../evil.rhai"] = json!("");
    let (status, _) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(outside)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_are_listed_with_who_gave_them_and_an_earlier_one_is_put_back_by_one_call() {
    let host = TestHost::start().await;
    host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts(&host, "Care"))).await;
    let mut bad = texts(&host, "Care");
    bad["scripts"]["acme.rhai"] = json!("fn route(conversation) {\n  queue(\n}\n");
    host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(bad)).await;
    let (_, list) = host.get("/v1/policies/acme/revisions").await;
    let revisions = list["revisions"].as_array().unwrap();
    let states: Vec<_> = revisions.iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["refused", "in-force", "retired"], "{list}");
    assert_eq!(revisions[1]["origin"], json!({ "from": "api", "by": "admin" }));
    assert!(revisions[0]["reason"].as_str().unwrap().starts_with("acme.rhai:"), "{list}");
    let (status, answer) = host.post("/v1/policies/acme/revisions/1/restore", json!({})).await;
    assert_eq!((status, answer["in_force"]["revision"].as_u64()), (StatusCode::OK, Some(1)), "{answer}");
    assert!(std::fs::read_to_string(host.policy_file("acme.toml")).unwrap().contains("Billing"));
    let (_, one) = host.get("/v1/policies/acme/revisions/2").await;
    assert!(one["source"]["toml"].as_str().unwrap().contains("Care"));
    assert_eq!(host.get("/v1/policies/acme/revisions/9").await.0, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_which_sync_errors_and_which_good_conversations_would_be_decided_differently() {
    let host = TestHost::start().await;
    for n in 1..=3 {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    for n in 4..=5 {
        host.notify(received(n, n, "unknown", "jane@example.com")).await;
    }
    assert_eq!(host.idle().await.len(), 2);
    let mut candidate = texts(&host, "Care");
    candidate["toml"] = json!(format!("{}unknown = \"Care\"\n", candidate["toml"].as_str().unwrap()));
    let (status, preview) = host.post("/v1/policies/acme/preview", candidate).await;
    assert_eq!(status, StatusCode::OK, "{preview}");
    assert_eq!((&preview["errors"]["looked_at"], &preview["errors"]["answered"]), (&json!(2), &json!(2)), "{preview}");
    assert_eq!((&preview["good"]["looked_at"], &preview["good"]["different"]), (&json!(3), &json!(3)), "{preview}");
    let example = &preview["good"]["examples"][0];
    assert_eq!((&example["now"], &example["then"]), (&json!({ "queue": "Billing" }), &json!({ "queue": "Care" })));
    assert_eq!(revision(&host).await, 1);
    assert_eq!(host.get("/v1/sync-errors?org=acme&state=pending").await.1["sync_errors"].as_array().unwrap().len(), 2);
    let (_, coverage) = host.get("/v1/policies/acme/coverage").await;
    assert_eq!(coverage["looked_at"], 5);
    assert_eq!((&coverage["teams"][0]["value"], &coverage["teams"][0]["refused"]), (&json!("unknown"), &json!(2)));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_answers_beside_the_policy_in_force_and_its_differences_are_shown() {
    let host = TestHost::start().await;
    let (status, _) = host.call(Method::PUT, "/v1/policies/acme/shadow", ADMIN, Some(texts(&host, "Care"))).await;
    assert_eq!(status, StatusCode::OK);
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    let seen = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            let shadow = host.get("/v1/policies/acme").await.1["shadow"].clone();
            if shadow["different"] == 1 {
                return shadow;
            }
        }
    });
    let shadow = seen.await.expect("the difference is seen");
    assert_eq!(shadow["examples"][0]["then"], json!({ "queue": "Care" }));
    assert_eq!(host.call(Method::DELETE, "/v1/policies/acme/shadow", ADMIN, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(host.call(Method::DELETE, "/v1/policies/acme/shadow", ADMIN, None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(revision(&host).await, 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repro_bundle_holds_what_the_policy_was_told_and_answers_the_same_without_personal_data() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "unknown", "jane@example.com")).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    let (status, bundle) = host.get(&format!("/v1/sync-errors/{id}/repro")).await;
    assert_eq!(status, StatusCode::OK, "{bundle}");
    assert_eq!((&bundle["question"], &bundle["expected"]), (&json!("route"), &json!({ "refused": "TEAM_NOT_MAPPED" })));
    assert!(bundle["policy"]["scripts"]["acme.rhai"].is_string() && bundle["now"].is_string(), "{bundle}");
    assert_eq!(bundle["policy"]["plugin_digests"]["script"].as_str().unwrap().len(), 64);
    let text = bundle["conversation"].to_string();
    assert!(!text.contains("Jane") && !text.contains("jane@"), "{text}");
    let whole = format!("/v1/sync-errors/{id}/repro?mask=false");
    assert!(host.call(Method::GET, &whole, OPERATOR, None).await.1.to_string().contains("jane@example.com"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_said_is_kept_with_every_question_and_also_when_it_refused() {
    let script = "fn route(conversation) { log_info(\"looked at the team\"); explain(\"nobody\"); refuse(\"CLOSED\", \"no\") }\n\
                  fn judge(error) { log_info(\"looked at the failure\"); as_usual() }\n";
    let files: [(&str, &[u8]); 1] = [("acme.rhai", script.as_bytes())];
    let host = TestHost::set_up(Setup { files: &files, ..Setup::default() }).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let error = host.idle().await[0].clone();
    assert_eq!(error["refusal"]["code"], "CLOSED", "{error}");
    let (_, audit) = host.get("/v1/messages/main:5001/audit").await;
    let entries = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["fact"]);
    let said: Vec<_> = entries.filter(|fact| fact["what"] == "POLICY_SAID").collect();
    let of = |question: &str| said.iter().find(|fact| fact["question"] == question).expect("an entry");
    assert_eq!(
        (&of("route")["rule"], of("route")["logs"].as_array().map(Vec::len)),
        (&json!("nobody"), Some(1)),
        "{audit}"
    );
    assert!(of("judge")["logs"][0].as_str().unwrap().contains("looked at the failure"), "{audit}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_contact_can_be_asked_about_again_by_a_bundle_and_by_a_preview() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "twin@example.com")).await;
    let error = host.idle().await[0].clone();
    assert_eq!(error["refusal"]["code"], "CONTACT_AMBIGUOUS");
    assert!(error["refusal"].get("choice").is_none(), "no list shows the contacts: {error}");
    let (status, bundle) = host.get(&format!("/v1/sync-errors/{}/repro", error["id"].as_str().unwrap())).await;
    assert_eq!(status, StatusCode::OK, "{bundle}");
    assert_eq!((&bundle["question"], bundle["found"].as_array().unwrap().len()), (&json!("choose"), 2));
    assert_eq!(bundle["expected"]["ambiguous"].as_array().unwrap().len(), 2, "{bundle}");
    assert!(!bundle.to_string().contains("Twin") && !bundle.to_string().contains("twin@"), "{bundle}");
    let mut candidate = texts(&host, "Billing");
    let script = &mut candidate["scripts"]["acme.rhai"];
    *script = json!(script.as_str().unwrap().replace("ambiguous(found.map(|it| it.id))", "contact(found[0].id)"));
    let (_, preview) = host.post("/v1/policies/acme/preview", candidate).await;
    assert_eq!(preview["errors"]["by_question"]["choose"], 1, "{preview}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_handed_in_by_one_call_and_a_policy_may_name_the_one_that_will_do() {
    let host = TestHost::start().await;
    let component = include_bytes!("../../../plugins/prebuilt/keyword-router.wasm").to_vec();
    let put = async |path: &str, token: &str, body: Vec<u8>| {
        let url = format!("http://{}{path}", host.app.address);
        let answer = host.http.put(url).bearer_auth(token).body(body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, plugin) = put("/v1/plugins/router", ADMIN, component.clone()).await;
    assert_eq!((status, plugin["origin"]["by"].as_str()), (StatusCode::OK, Some("admin")), "{plugin}");
    assert_eq!(std::fs::read(host.plugin_file("router.wasm")).unwrap(), component);
    let pinned = |digest: &str| json!({ "toml": format!("plugin = \"router\"\ndigest = \"sha256:{digest}\"\n[settings]\ndefault = \"Care\"\n") });
    let digest = plugin["digest"].as_str().unwrap();
    let (status, _) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(pinned(digest))).await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(pinned(&"0".repeat(64)))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains(digest), "{problem}");
    assert_eq!(put("/v1/plugins/router", OPERATOR, component).await.0, StatusCode::FORBIDDEN);
    let (status, problem) = put("/v1/plugins/router", ADMIN, b"no component".to_vec()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert!(host.get("/v1/plugins").await.1.to_string().contains(digest), "the one before stays");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_policies_alone_reads_no_customers_words_through_the_answers_of_a_policy() {
    const AUTHOR: &str = "author-token-0123456789ab";
    let host = TestHost::start().await;
    let author = Token { name: "author".into(), secret: Secret::new(AUTHOR), scopes: vec![Scope::Policies] };
    let host = host.restart_with(|config| config.http.tokens.push(author)).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let toml = "plugin = \"script\"\nscript = \"tells.rhai\"\n";
    let script = "fn route(conversation) { not_eligible(conversation.customer.email ?? \"nobody\") }";
    let texts = json!({ "toml": toml, "scripts": { "tells.rhai": script } });
    let (status, problem) = host.call(Method::POST, "/v1/policies/acme/preview", AUTHOR, Some(texts.clone())).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    host.call(Method::PUT, "/v1/policies/acme/shadow", AUTHOR, Some(texts)).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    host.idle().await;
    host.seen("/v1/policies/acme", |policy| policy["shadow"]["examples"][0].is_object()).await;
    let same = self::texts(&host, "Billing");
    let (status, policy) = host.call(Method::PUT, "/v1/policies/acme", AUTHOR, Some(same)).await;
    assert_eq!((status, policy["shadow"].is_object()), (StatusCode::OK, true), "{policy}");
    assert!(!policy.to_string().contains("jane@example.com"), "{policy}");
    host.stop().await;
}
