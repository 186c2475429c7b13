//! That one cause has one fingerprint, two causes have two, and that nobody can be told by either.

use proptest::prelude::*;

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

/// Class, code, words, fields, and what is to become of them: the text and the title. The words are Salesforce's own as
/// they were recorded, or this host's.
/// Class, code, words, fields; the masked text and the title that they become.
type Body = (Class, &'static str, &'static str, &'static [&'static str], &'static str, &'static str);
const BODIES: &[Body] = &[
    (
        Class::Record,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "An order of more than 5000 EUR needs the customer's number (ACC-1001)",
        &[],
        "An order of more than … EUR needs the customer's number (…)",
        "Validation rule: An order of more than … EUR needs the customer's number (…)",
    ),
    (
        Class::Config,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Channel: bad value for restricted picklist field: Fax from Jane",
        &["Channel__c"],
        "Channel: bad value for restricted picklist field: …",
        "A picklist does not have the value: Channel__c",
    ),
    (
        Class::Record,
        "STRING_TOO_LONG",
        "Subject: data value too large: Dear \"all\", I am Jane and (max length=9) never mind (max length=255)",
        &["Subject"],
        "Subject: data value too large: … (max length=…)",
        "A text is too long for its field: Subject",
    ),
    (
        Class::Record,
        "INVALID_EMAIL_ADDRESS",
        "Email: invalid email address: jane doe(at)example",
        &["Email"],
        "Email: invalid email address: …",
        "An e-mail address is not taken: Email",
    ),
    (
        Class::Transient,
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 3 records: 0015e00000AbCdEAAV,0015e00000AbCdFAAV,0015e00000AbCdGAAV",
        &[],
        "unable to obtain exclusive access to this record or … records: …",
        "The record is being changed by somebody else",
    ),
    (
        Class::Record,
        "DUPLICATE_VALUE",
        "duplicate value found: Ext_Id2__c duplicates value on record with id: 5005e000001AbCd",
        &[],
        "duplicate value found: Ext_Id2__c duplicates value on record with id: …",
        "Another record has the value of a unique field",
    ),
    (
        Class::Ordering,
        "INVALID_FIELD",
        "Foreign key external ID: main:abc not found for field Ext__c in entity Contact",
        &[],
        "Foreign key external ID: … not found for field Ext__c in entity Contact",
        "A record that is pointed to is not there yet: Foreign key external ID: … not found for field Ext__c in entity Contact",
    ),
    (
        Class::Config,
        "INVALID_FIELD",
        "\nSELECT Id,Foo2 FROM Contact WHERE LastName = 'O\\'Neil' LIMIT 3\n          ^\nERROR at Row:1:Column:11\nNo such column 'Foo2' on sobject of type Contact.",
        &[],
        "No such column 'Foo2' on sobject of type Contact.",
        "A field is missing or read-only: No such column 'Foo2' on sobject of type Contact.",
    ),
    (
        Class::Config,
        "INACTIVE_OWNER_OR_USER",
        "operation performed with inactive user [0055e000001AbCd] as owner of case",
        &[],
        "operation performed with inactive user […] as owner of case",
        "The owner is an inactive user",
    ),
    (
        Class::Record,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-reference a null object Trigger.CaseTrigger: line 12, column 1",
        &[],
        "CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-reference a null object Trigger.CaseTrigger: line …, column …",
        "A trigger refuses it: CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-re…",
    ),
    (
        Class::Transient,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1203-5501 (-1846722)",
        &[],
        "An unexpected error occurred. Please include this ErrorId if you contact support: … (…)",
        "Salesforce cannot take it: An unexpected error occurred. Please include this ErrorId if you contact support: … (…)",
    ),
    (
        Class::Unclassified,
        "BRAND_NEW",
        "[{\"message\":\"The widget of Mr. \\\"Doe\\\" is jammed since Tue Mar 03 09:30:00 GMT 2026\",\"errorCode\":\"BRAND_NEW\"}]",
        &[],
        "The widget of Mr. … is jammed since …",
        "BRAND_NEW: The widget of Mr. … is jammed since …",
    ),
    (
        Class::Config,
        "QUEUE_NOT_FOUND",
        "there is no queue `Billing-2`; there are: Care, Sales",
        &[],
        "there is no queue `Billing-2`; there are: …",
        "The queue is not there",
    ),
    (
        Class::Contact,
        "CONTACT_AMBIGUOUS",
        "2 contacts could be this customer: 0035e00000AbCdEAAV, 0035e00000AbCdFAAV",
        &[],
        "… contacts could be this customer: …",
        "Nobody can tell which contact the customer is",
    ),
    (
        Class::Auth,
        "invalid_grant",
        "expired access/refresh token",
        &[],
        "expired access/refresh token",
        "The connection is no longer authorized",
    ),
    (
        Class::Record,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName, Email]",
        &["LastName", "Email"],
        "Required fields are missing: [LastName, Email]",
        "A required field is empty: Email, LastName",
    ),
    (
        Class::Limit,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
        &[],
        "TotalRequests Limit exceeded.",
        "The limit of API calls is used up",
    ),
    (Class::Unclassified, "HTTP_418", "", &[], "", "HTTP_418"),
];

#[test]
fn real_bodies_become_these_texts_and_titles() {
    for (class, code, words, fields, text, title) in BODIES {
        let refusal = refusal(*class, code, words, fields);
        let identity = Cause::new(&org(), &refusal).identify();
        assert_eq!((identity.text.as_str(), identity.title.as_str()), (*text, *title));
        assert_eq!(plain(text), *text, "{code}");
    }
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
    for piece in ["\"", "'a ", "\\\"", "x@y ", "team '", "7", "data value too large: ", "„", "Mar ", "https://", "a…"]
    {
        let text = piece.repeat(1024 * 1024 / piece.len());
        let masked = plain(&text);
        assert!(masked.len() <= 1024, "{piece}");
        assert_eq!(plain(&masked), masked, "{piece}");
    }
}

/// Pieces that matter to the masking, and letters between them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-zA-Zäß ]{1,6}",
        2 => "[0-9]{1,3}",
        4 => prop::sample::select(vec![
            "\"", "'", "„", "“", "”", "«", "»", "‘", "’", "`", "\\", "…", ".", ":", ",", "(", ")", "=", "@", "://", "team ", "queue: ",
            "field ", "May ", "Tue ", "data value too large: ", " (max length=", "store-1", "Jane Doe", "__c", "客户", "-", "/", "\n", "\u{200b}", "www.",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn names() -> Names<'static> {
    Names { kept: vec!["store-1", "Acme page"], taken: vec!["Jane Doe", "main:1"] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_twice_is_masking_once(text in texts()) {
        let once = mask(&text, &names());
        prop_assert_eq!(mask(&once, &names()), once);
    }

    #[test]
    fn no_number_address_or_name_is_left(text in texts()) {
        // Quoted names after a noun may have what they like, so there is none here.
        let text = text.replace("team ", "").replace("queue: ", "").replace("field ", "").replace("__c", "").replace("store-1", "");
        let masked = mask(&text, &Names { kept: Vec::new(), ..names() });
        prop_assert!(!masked.contains(|c: char| c.is_numeric() || c == '@' || c == '"'), "{}", masked);
        let alone = |text: Option<&str>| text.is_none_or(|text| !text.contains(char::is_alphanumeric));
        let named = masked.match_indices("Jane Doe").any(|(at, name)| {
            alone(masked.get(..at).map(|before| &before[before.char_indices().next_back().map_or(0, |(at, _)| at)..]))
                && alone(masked.get(at + name.len()..).and_then(|after| after.get(..after.chars().next().map_or(0, char::len_utf8))))
        });
        prop_assert!(!named, "{}", masked);
    }

    #[test]
    fn the_order_of_fields_and_a_field_named_twice_make_no_difference(mut fields in prop::collection::vec("[A-Z][a-z]{1,5}(__c)?", 0..6)) {
        let id = |fields: &[String]| {
            let refusal = Refusal { fields: fields.to_vec(), ..Refusal::new(Class::Record, "A", "words") };
            Cause::new(&org(), &refusal).identify().id
        };
        let before = id(&fields);
        fields.reverse();
        fields.extend(fields.first().cloned());
        prop_assert_eq!(before, id(&fields));
    }

    #[test]
    fn another_id_number_address_or_date_gives_the_same_fingerprint(
        words in prop::collection::vec("[a-z]{2,8}", 6),
        a in ("[a-zA-Z0-9]{14}[0-9]([A-Z]{3})?", "[0-9]{1,9}([.,][0-9]{2})?", "[a-z.]{1,9}@[a-z]{2,8}\\.(com|de)", "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00Z", "[a-zA-Z ]{0,9}"),
        b in ("[a-zA-Z0-9]{14}[0-9]([A-Z]{3})?", "[0-9]{1,9}([.,][0-9]{2})?", "[a-z.]{1,9}@[a-z]{2,8}\\.(com|de)", "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00Z", "[a-zA-Z ]{0,9}"),
    ) {
        let text = |(id, number, address, date, quoted): &(String, String, String, String, String)| {
            let [one, two, three, four, five, six]: [&str; 6] = std::array::from_fn(|at| words[at].as_str());
            format!("{one} {id}, {two}: {number} ({three} {address}) {four} {date}; {five} “{quoted}” {six}")
        };
        let id = |text: String| Cause::new(&org(), &Refusal::new(Class::Record, "A", text)).identify().id;
        prop_assert_eq!(id(text(&a)), id(text(&b)));
    }
}
