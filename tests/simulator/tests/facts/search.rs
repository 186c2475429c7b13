//! SOSL and parameterized search: what is found, and how it is asked for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, Reply, World, reply};

async fn org(world: &World) -> Org {
    let contacts = json!([
        {"LastName": "Byron", "FirstName": "Ada", "Email": "ada.byron@x.org", "MobilePhone": "+33 6 12 34 56 78"},
        {"LastName": "O'Brien", "Email": "obrien@x.org", "Phone": "(01) 23 45"},
    ]);
    world.org("acme", json!({"contacts": contacts})).await
}

async fn find(org: &Org, sosl: &str) -> Reply {
    reply(org.request(Method::GET, "search").query(&[("q", sosl)])).await
}

fn names(answer: &Reply) -> Vec<&str> {
    let records = answer.body["searchRecords"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    records.iter().map(|record| record["LastName"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_phone_number_is_found_however_it_is_written() {
    let world = World::start().await;
    let org = org(&world).await;
    for number in ["33612345678", "+33 612345678", "33*5678"] {
        let quoted = if number.contains(' ') { format!("\"{number}\"") } else { number.to_owned() };
        let sosl = format!("FIND {{{quoted}}} IN PHONE FIELDS RETURNING Contact(LastName)");
        assert_eq!(names(&find(&org, &sosl).await), ["Byron"], "{number}");
    }
    let elsewhere = find(&org, "FIND {33612345678} IN EMAIL FIELDS RETURNING Contact(LastName)").await;
    assert!(names(&elsewhere).is_empty());
}

#[tokio::test]
async fn the_clauses_of_returning_hold() {
    let world = World::start().await;
    let org = org(&world).await;
    let both = find(&org, "FIND {x.org} IN EMAIL FIELDS RETURNING Contact(LastName ORDER BY LastName DESC)").await;
    assert_eq!(names(&both), ["O'Brien", "Byron"]);
    let one = find(&org, "FIND {x.org} RETURNING Contact(LastName WHERE FirstName = 'Ada'), Account(Id) LIMIT 5").await;
    assert_eq!(names(&one), ["Byron"]);
    assert_eq!(one.body["searchRecords"][0]["attributes"]["type"], "Contact");
    let limited = find(&org, "FIND {x.org} RETURNING Contact(LastName) LIMIT 1").await;
    assert_eq!(names(&limited).len(), 1);
}

#[tokio::test]
async fn a_backslash_takes_a_sign_its_meaning_and_what_is_open_is_malformed() {
    let world = World::start().await;
    let org = org(&world).await;
    let quoted = find(&org, r"FIND {O\'Brien} IN NAME FIELDS RETURNING Contact(LastName)").await;
    assert_eq!(names(&quoted), ["O'Brien"]);
    for wrong in [
        "FIND {ada",
        "FIND {\"ada}",
        "ada",
        "FIND {ada} IN NONSENSE FIELDS",
        "FIND {a}",
        "FIND {ada} RETURNING Contact(",
    ] {
        assert_eq!(find(&org, wrong).await.refusal().1, "MALFORMED_SEARCH", "{wrong}");
    }
    let unknown = find(&org, "FIND {ada} RETURNING Contact(Nope)").await;
    assert_eq!((unknown.status, unknown.refusal().1), (400, "INVALID_FIELD"));
}

#[tokio::test]
async fn parameters_do_the_same_by_get_and_post() {
    let world = World::start().await;
    let org = org(&world).await;
    let path = "parameterizedSearch?q=33612345678&in=PHONE&sobject=Contact&Contact.fields=Id,LastName&Contact.limit=3";
    assert_eq!(names(&org.get(path).await), ["Byron"]);
    let body = json!({
        "q": "ada.byron@x.org", "in": "EMAIL", "fields": ["LastName"],
        "sobjects": [{"name": "Contact", "where": "FirstName != null", "limit": 1}],
    });
    assert_eq!(names(&org.post("parameterizedSearch", body).await), ["Byron"]);
    for (order, expected) in [("LastName DESC", ["O'Brien", "Byron"]), ("LastName", ["Byron", "O'Brien"])] {
        let sorted = json!({ "name": "Contact", "fields": ["LastName", "Owner.Name"], "orderBy": order });
        let body = json!({ "q": "x.org", "in": "EMAIL", "sobjects": [sorted] });
        let found = org.post("parameterizedSearch", body).await;
        assert_eq!(names(&found), expected, "{order}");
        assert!(found.body["searchRecords"][0]["Owner"]["Name"].is_string(), "{}", found.body);
    }
    let bare = reply(org.request_at("v36.0", Method::GET, path)).await;
    assert_eq!(bare.body[0]["LastName"], "Byron", "a bare list before version 37");
}

#[tokio::test]
async fn what_was_just_written_is_found_when_the_index_has_caught_up() {
    let world = World::start().await;
    let org = world.org("acme", json!({"search_lag_ms": 60_000})).await;
    org.create("Contact", json!({"LastName": "Byron", "Email": "ada@x.org"})).await;
    let sosl = "FIND {ada} RETURNING Contact(LastName)";
    assert!(names(&find(&org, sosl).await).is_empty());
    world.control(Method::PUT, "clock", json!({"advance_ms": 60_001})).await;
    assert_eq!(names(&find(&org, sosl).await), ["Byron"]);
    world.control(Method::PUT, "clock", Value::Null).await;
}
