//! That one cause has one fingerprint, two causes have two, and that nobody can be told by either.

mod bodies;
mod properties;
mod titles;

use super::masking::{Names, mask};
use super::*;
use crate::domain::{Class, Customer, Fault, PolicyName, PolicyRef, Question};

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn plain(text: &str) -> String {
    mask(text, &Names::default())
}

fn conversation(team: &str, customer: &str, name: &str) -> Conversation {
    let arrival = serde_json::json!({
        "id": format!("main:{customer}"), "source": "main", "account": "12", "account_name": "Acme page",
        "channel": "whatsapp", "team": team, "agent": "Bob Builder", "closed": false, "tags": [], "attributes": [],
        "customer": { "id": customer }, "messages": [], "url": "", "version": 1, "state_as_of": 1, "agent_as_of": 1,
    });
    let mut conversation: Conversation = serde_json::from_value(arrival).unwrap();
    conversation.customer = Customer { name: Some(name.to_owned()), ..conversation.customer };
    conversation
}

fn refusal(class: Class, code: &str, text: &str, fields: &[&str]) -> Refusal {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    Refusal { fields, ..Refusal::new(class, code, text) }
}

fn of_policy(revision: u32, code: &str, text: &str) -> Refusal {
    let policy = PolicyRef { name: PolicyName::new("monday").unwrap(), revision };
    Refusal::blaming(policy, Question::Route, Fault::Refused { code: code.to_owned(), message: text.to_owned() })
}

fn identity(refusal: &Refusal, conversation: &Conversation) -> Identity {
    Cause::new(&org(), refusal).of_conversation(conversation).identify()
}

#[test]
fn every_kind_of_quotation_mark_takes_what_it_encloses() {
    for (opening, closing) in [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("“", "”"),
        ("„", "“"),
        ("‘", "’"),
        ("«", "»"),
        ("»", "«"),
        ("‚", "‘"),
        ("‹", "›"),
        ("「", "」"),
    ] {
        let text = format!("Der Kunde {opening}Jane Doe{closing} hat keinen Vertrag");
        assert_eq!(plain(&text), "Der Kunde … hat keinen Vertrag", "{text}");
    }
    assert_eq!(plain("the customer's order isn't 'ready yet'"), "the customer's order isn't …");
    assert_eq!(plain("说“你好”的客户123没有合同"), "说…的客户…没有合同");
    assert_eq!(plain("a \"b c"), "a b c", "one that nothing closes encloses nothing");
}

#[test]
fn ids_numbers_addresses_and_dates_go_and_words_and_api_names_stay() {
    for (text, masked) in [
        ("see https://acme.my.salesforce.com/500?x=1, please", "see …, please"),
        ("mail jane.o'neil+x@example.co.uk now", "mail … now"),
        ("call +33 6 12 34 56 78 or 0612-345", "call … or …"),
        ("uuid 009ab879-ab52-4507-979e-8bc92badecef gone", "uuid … gone"),
        ("due 3/3/2026, 9:30 AM; may wait", "due …; may wait"),
        ("field Amount2__c of Case", "field Amount2__c of Case"),
        ("٣ رسائل", "… رسائل"),
        ("zero\u{200b}width\u{7}", "zerowidth"),
    ] {
        assert_eq!(plain(text), masked);
    }
}

#[test]
fn two_teams_without_a_queue_are_two_causes_and_two_customers_of_one_team_are_one() {
    let text = |team: &str| format!("No queue is mapped to team {team}. Add it to settings.queues of monday.toml.");
    let of = |team: &str, customer: &str, name: &str, revision| {
        identity(&of_policy(revision, "TEAM_NOT_MAPPED", &text(team)), &conversation(team, customer, name))
    };
    let events = of("store-events", "1001", "Jane Doe", 1);
    assert_eq!(events, of("store-events", "2002", "John Roe", 7), "nor does the revision make a difference");
    assert_eq!(events.title, "Team store-events has no queue");
    assert_ne!(events.id, of("store-2", "1001", "Jane Doe", 1).id);
    assert_ne!(of("store-1", "1001", "Jane Doe", 1).id, of("store-2", "1001", "Jane Doe", 1).id);
    let quoted = |team: &str| {
        let refusal = of_policy(1, "NO_QUEUE", &format!("nothing for „{team}“"));
        identity(&refusal, &conversation(team, "1", "Jane")).id
    };
    assert_ne!(quoted("store-1"), quoted("store-2"), "also where the team stands in quotation marks");
    let numbered = |team: &str, line: u32| {
        let refusal = of_policy(1, "NO_QUEUE", &format!("nothing for team: {team}, see line {line}"));
        identity(&refusal, &conversation(team, "1", "Jane")).id
    };
    assert_ne!(numbered("7", 3), numbered("8", 3), "also where the team's name is a number");
    assert_eq!(numbered("7", 3), numbered("7", 7), "which is a number like others elsewhere");
}

#[test]
fn one_validation_rule_is_one_cause_whoever_the_customer_is_and_two_rules_are_two() {
    let of = |text: &str, customer: &str, name: &str| {
        let refusal = refusal(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", text, &["Email"]);
        identity(&refusal, &conversation("care", customer, name))
    };
    let jane = of("Jane Doe (main:1001) has no contract", "1001", "Jane Doe");
    assert_eq!(jane, of("Łukasz (main:77) has no contract", "77", "Łukasz"));
    assert_ne!(jane.id, of("Jane Doe (main:1001) has no address", "1001", "Jane Doe").id);
    assert!(!jane.title.contains("Jane") && !jane.text.contains("Jane"), "{jane:?}");
    let agent = of("Bob Builder may not do this", "1", "x");
    assert_eq!(agent.text, "… may not do this");
}

#[test]
fn class_code_organization_and_policy_make_causes_of_their_own() {
    let base = refusal(Class::Record, "A", "words", &[]);
    let id = |refusal: &Refusal| Cause::new(&org(), refusal).identify().id;
    let other = OrgId::new("other").unwrap();
    assert_ne!(id(&base), Cause::new(&other, &base).identify().id);
    assert_ne!(id(&base), id(&refusal(Class::Config, "A", "words", &[])));
    assert_ne!(id(&base), id(&refusal(Class::Record, "B", "words", &[])));
    assert_ne!(id(&base), id(&refusal(Class::Record, "A", "words", &["F"])));
    assert_ne!(id(&of_policy(1, "A", "words")), id(&refusal(Class::Policy, "A", "words", &[])));
}

/// It was made once: if this fails, every cause that is on record begins anew.
#[test]
fn the_rule_of_version_one_never_changes() {
    let refusal =
        refusal(Class::Record, "STRING_TOO_LONG", "Subject: data value too large: x (max length=255)", &["Subject"]);
    let of_record = Cause::new(&org(), &refusal).identify().id;
    assert_eq!(of_record.as_str(), "gr-1v4d6kwjim4ucjrwkx7u5");
    let of_team = of_policy(3, "TEAM_NOT_MAPPED", "No queue is mapped to team \"store-1\", says line 7.");
    assert_eq!(
        identity(&of_team, &conversation("store-1", "1001", "Jane Doe")).id.as_str(),
        "gr-1rhrbqtcq2o53vmcelsqa"
    );
    assert_eq!(of_record.as_str().parse(), Ok(of_record.clone()));
    for bad in
        ["", "gr-", "se-1aaaaaaaaaaaaaaaaaaaa", "gr-xaaaaaaaaaaaaaaaaaaaa", "gr-1aaaaaaaaaaaaaaaaaaa1", "gr-1a/b"]
    {
        assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
    }
}

#[test]
fn a_text_of_megabytes_and_one_of_quotation_marks_alone_cost_little_and_give_a_short_one() {
    for piece in [
        "\"",
        "'a ",
        "\\\"",
        "x@y ",
        "team '",
        "7",
        "data value too large: ",
        "„",
        "Mar ",
        "https://",
        "a…",
        "」",
        "a」b",
    ] {
        let text = piece.repeat(1024 * 1024 / piece.len());
        let masked = plain(&text);
        assert!(masked.len() <= 1024, "{piece}");
        assert_eq!(plain(&masked), masked, "{piece}");
    }
}
#[test]
fn what_stands_behind_a_long_part_that_is_taken_out_still_counts() {
    let text = format!("Row {} is locked", "7".repeat(4_000));
    assert_eq!(plain(&text), "Row … is locked");
    let other = format!("Row {} is gone", "7".repeat(4_000));
    assert_ne!(plain(&text), plain(&other));
}

#[test]
fn texts_that_are_all_digits_are_one_cause_with_a_title() {
    let identity =
        |text: &str| identity(&refusal(Class::Record, "ERROR", text, &[]), &conversation("care", "1", "Jane"));
    let [one, other, long] = [identity("4711"), identity("12"), identity(&"7".repeat(5_000))];
    assert_eq!((&one.id, &one.id), (&other.id, &long.id));
    assert!(!one.title.trim().is_empty() && !one.title.contains("4711"), "{}", one.title);
}
