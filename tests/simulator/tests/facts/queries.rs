//! SOQL: what it finds, how pages follow, and what it refuses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Org, World, reply};

async fn people(world: &World) -> Org {
    let org = world.org("acme", json!({})).await;
    for (first, last, email) in [
        ("Ada", "Byron", json!("ada@x.org")),
        ("Alan", "Turing", json!("alan@x.org")),
        ("Anne", "O'Brien", json!(null)),
        ("Ünal", "50%_off", json!("u@x.org")),
    ] {
        org.create("Contact", json!({"FirstName": first, "LastName": last, "Email": email})).await;
    }
    org
}

#[tokio::test]
async fn a_field_is_selected_once() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let twice = org.query("SELECT Id, Name, name FROM Contact").await;
    assert_eq!(twice.body[0]["errorCode"], "INVALID_FIELD", "{}", twice.body);
    assert!(twice.body[0]["message"].as_str().unwrap().contains("duplicate field selected: name"), "{}", twice.body);
}

#[tokio::test]
async fn conditions_find_what_they_say() {
    let world = World::start().await;
    let org = people(&world).await;
    for (condition, found) in [
        ("LastName = 'byron'", vec!["Byron"]),
        ("LastName != 'Byron' AND Email != null", vec!["Turing", "50%_off"]),
        ("Email = null", vec!["O'Brien"]),
        ("LastName = 'O\\'Brien'", vec!["O'Brien"]),
        ("LastName LIKE 'b%'", vec!["Byron"]),
        ("LastName LIKE '_yron'", vec!["Byron"]),
        ("LastName LIKE '50\\%\\_off'", vec!["50%_off"]),
        ("LastName LIKE '%\\%%'", vec!["50%_off"]),
        ("FirstName = '\\u00fcnal'", vec!["50%_off"]),
        ("Email IN ('ada@x.org', 'ALAN@X.ORG')", vec!["Byron", "Turing"]),
        ("Email NOT IN ('ada@x.org', null)", vec!["Turing", "50%_off"]),
        ("(LastName = 'Byron' OR LastName = 'Turing') AND FirstName < 'al'", vec!["Byron"]),
        ("NOT LastName LIKE '%r%'", vec!["50%_off"]),
        ("Name = 'Ada Byron'", vec!["Byron"]),
        ("CreatedDate > 2020-01-01T00:00:00Z AND LastName >= 'o' AND LastName <= 'p'", vec!["O'Brien"]),
        ("Owner.Name = 'Integration' AND FirstName = 'Alan'", vec!["Turing"]),
        ("LastName = 'x\\' OR Name LIKE \\'%'", vec![]),
    ] {
        let answer = org.query(&format!("SELECT LastName FROM Contact WHERE {condition}")).await;
        assert_eq!(answer.status, 200, "{condition}: {}", answer.body);
        assert_eq!(answer.column("LastName"), found.iter().map(|name| json!(name)).collect::<Vec<_>>(), "{condition}");
    }
}

#[tokio::test]
async fn order_limit_and_offset_are_kept() {
    let world = World::start().await;
    let org = people(&world).await;
    let names = |tail: &str| {
        let soql = format!("SELECT FirstName FROM Contact {tail}");
        let org = &org;
        async move { org.query(&soql).await.column("FirstName") }
    };
    assert_eq!(names("ORDER BY LastName DESC LIMIT 2").await, [json!("Alan"), json!("Anne")]);
    assert_eq!(names("ORDER BY LastName LIMIT 1 OFFSET 1").await, [json!("Ada")]);
    assert_eq!(names("ORDER BY Email LIMIT 1").await, [json!("Anne")]);
    assert_eq!(names("ORDER BY Email DESC NULLS LAST LIMIT 1").await, [json!("Ünal")]);
}

#[tokio::test]
async fn a_hop_is_shown_nested_and_an_empty_one_as_null() {
    let world = World::start().await;
    let org = people(&world).await;
    let soql = "SELECT LastName, Owner.Name, Account.Name FROM Contact WHERE FirstName = 'Ada'";
    let record = org.query(soql).await.body["records"][0].clone();
    assert_eq!(record["Owner"]["Name"], "Integration");
    assert_eq!(record["Owner"]["attributes"]["type"], "User");
    assert_eq!(record["Account"], json!(null));
    let queues =
        org.query("SELECT Id, QueueId, Queue.Name, SobjectType FROM QueueSobject WHERE SobjectType = 'Case'").await;
    assert_eq!(queues.column("Queue")[0]["Name"], "Billing");
    let queues = org.query("SELECT Id, Name, DeveloperName FROM Group WHERE Type = 'Queue'").await;
    assert_eq!(queues.column("DeveloperName"), [json!("Billing"), json!("Bare")]);
}

#[tokio::test]
async fn a_count_has_a_size_and_no_records() {
    let world = World::start().await;
    let org = people(&world).await;
    let answer = org.query("select count() from contact where email != null").await;
    assert_eq!(answer.body, json!({"totalSize": 3, "done": true, "records": []}));
}

#[tokio::test]
async fn ids_are_compared_in_either_length() {
    let world = World::start().await;
    let org = people(&world).await;
    let id = org.query("SELECT Id FROM Contact WHERE FirstName = 'Ada'").await.column("Id")[0].clone();
    let id = id.as_str().expect("an id");
    for id in [id, &id[..15]] {
        let answer = org.query(&format!("SELECT FirstName FROM Contact WHERE Id = '{id}'")).await;
        assert_eq!(answer.column("FirstName"), [json!("Ada")]);
    }
    let other = org.query("SELECT Id FROM Contact WHERE Id IN ('003zzzzzzzzzzzz')").await;
    assert_eq!(other.body["totalSize"], 0);
}

#[tokio::test]
async fn wrong_queries_are_refused_in_the_recorded_words() {
    let world = World::start().await;
    let org = people(&world).await;
    for (soql, code, text) in [
        (
            "SELECT Id FROM XYZZY",
            "INVALID_TYPE",
            "\n               ^\nERROR at Row:1:Column:16\nsObject type 'XYZZY' is not supported.",
        ),
        (
            "SELECT Foo FROM Contact",
            "INVALID_FIELD",
            "ERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Contact'.",
        ),
        ("SELECT Foo.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo' in field path."),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE LastName = 'O'Brien'", "MALFORMED_QUERY", "string literal is not closed"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\x'", "MALFORMED_QUERY", "Illegal escape sequence"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\'", "MALFORMED_QUERY", "string literal is not closed"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\_'", "MALFORMED_QUERY", "Illegal escape sequence"),
        (
            "SELECT Id FROM Contact WHERE LastName = 'a' AND Email = 'b' OR Email = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Contact; DROP", "MALFORMED_QUERY", "unexpected token: ';'"),
        (
            "SELECT Id FROM Case WHERE Description = 'a'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        ("SELECT Id FROM Case WHERE ContactId = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "must be of type string and should"),
        ("", "MALFORMED_QUERY", "unexpected token"),
    ] {
        let answer = org.query(soql).await;
        assert_eq!((answer.status, answer.refusal().1), (400, code), "{soql}: {}", answer.body);
        assert!(answer.refusal().2.contains(text), "{soql}: {}", answer.refusal().2);
    }
}

#[tokio::test]
async fn pages_follow_by_locator_until_all_is_read() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    for chunk in 0..3 {
        let record =
            |at: usize| json!({"attributes": {"type": "Contact"}, "LastName": format!("L{:03}", chunk * 200 + at)});
        let records: Vec<Value> = (0..200).map(record).collect();
        assert_eq!(org.post("composite/sobjects", json!({"records": records})).await.status, 200);
    }
    let request = org.request(Method::GET, "query").query(&[("q", "SELECT LastName FROM Contact ORDER BY LastName")]);
    let mut page = reply(request.header("Sforce-Query-Options", "batchSize=250")).await;
    let mut names = Vec::new();
    let mut sizes = Vec::new();
    loop {
        assert_eq!(page.body["totalSize"], 600);
        names.extend(page.column("LastName"));
        sizes.push(page.body["records"].as_array().expect("records").len());
        let Some(next) = page.body["nextRecordsUrl"].as_str() else { break };
        let path = next.strip_prefix("/services/data/v59.0/").expect("a path");
        assert_eq!(page.body["done"], false);
        page = org.get(path).await;
    }
    assert_eq!((sizes, page.body["done"].clone()), (vec![250, 250, 100], json!(true)));
    assert_eq!(names, (0..600).map(|at| json!(format!("L{at:03}"))).collect::<Vec<_>>());
    assert_eq!(org.get("query/0r8xx0000000000AAA-2000").await.refusal().1, "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn query_all_sees_the_recycle_bin_and_query_does_not() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let id = org.create("Contact", json!({"LastName": "A"})).await;
    org.create("Contact", json!({"LastName": "B"})).await;
    org.delete(&format!("sobjects/Contact/{id}")).await;
    assert_eq!(org.query("SELECT LastName FROM Contact").await.column("LastName"), ["B"]);
    let all = org.get("queryAll?q=SELECT LastName, IsDeleted FROM Contact ORDER BY LastName").await;
    assert_eq!(all.column("IsDeleted"), [true, false]);
    let deleted = org.get("queryAll?q=SELECT LastName FROM Contact WHERE IsDeleted = true").await;
    assert_eq!(deleted.column("LastName"), ["A"]);
}

#[tokio::test]
async fn a_subquery_nests_and_is_null_where_nothing_refers() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    let account = org.create("Account", json!({"Name": "A"})).await;
    org.create("Account", json!({"Name": "B"})).await;
    for name in ["Y", "X", "Z"] {
        org.create("Contact", json!({"LastName": name, "AccountId": account})).await;
    }
    let soql = "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName != 'Z' ORDER BY LastName) FROM Account \
                ORDER BY Name";
    let found = org.query(soql).await.column("Contacts");
    assert_eq!((&found[0]["totalSize"], &found[0]["records"][0]["LastName"]), (&json!(2), &json!("X")));
    assert_eq!(found[1], json!(null));
    assert_eq!(org.query("SELECT (SELECT Id FROM Nopes) FROM Account").await.refusal().1, "INVALID_TYPE");
}

#[tokio::test]
async fn counting_a_field_is_an_aggregate() {
    let world = World::start().await;
    let org = world.org("acme", json!({})).await;
    org.create("Contact", json!({"LastName": "A", "Title": "Dr"})).await;
    org.create("Contact", json!({"LastName": "B"})).await;
    let answer = org.query("SELECT COUNT(Id), COUNT(Title) titled FROM Contact").await;
    let expected = json!({"attributes": {"type": "AggregateResult"}, "expr0": 2, "titled": 1});
    assert_eq!(answer.body["records"], json!([expected]));
}

#[tokio::test]
async fn numbers_and_dates_are_compared_as_such() {
    let world = World::start().await;
    let fields = json!([
        {"object": "Contact", "name": "Score__c", "type": "double"},
        {"object": "Contact", "name": "Visits__c", "type": "int"},
        {"object": "Contact", "name": "Born__c", "type": "date"},
    ]);
    let org = world.org("acme", json!({"fields": fields})).await;
    for (score, born) in [(9.5, "1990-01-02"), (10.0, "2001-03-04"), (100.25, "1985-05-06")] {
        org.create("Contact", json!({"LastName": born, "Score__c": score, "Visits__c": 3, "Born__c": born})).await;
    }
    let over = org.query("SELECT Score__c FROM Contact WHERE Score__c > 9.75 ORDER BY Score__c DESC").await;
    assert_eq!(over.column("Score__c"), [json!(100.25), json!(10.0)]);
    let young = org.query("SELECT Visits__c FROM Contact WHERE Born__c >= 1990-01-02").await;
    assert_eq!(young.column("Visits__c"), [json!(3), json!(3)]);
    let wrong = org.post("sobjects/Contact", json!({"LastName": "A", "Born__c": "yesterday"})).await;
    assert_eq!(wrong.refusal().1, "JSON_PARSER_ERROR");
    let wide = org.post("sobjects/Contact", json!({"LastName": "A", "Score__c": 1e20})).await;
    assert_eq!(wide.refusal().1, "NUMBER_OUTSIDE_VALID_RANGE");
}

#[tokio::test]
async fn an_object_that_an_administrator_made_is_written_linked_and_described() {
    let world = World::start().await;
    let definition = json!({
        "objects": [{"name": "Visit__c", "label": "Visit"}],
        "fields": [
            {"object": "Visit__c", "name": "Key__c", "external_id": true, "unique": true, "length": 10},
            {"object": "Visit__c", "name": "Contact__c", "type": "reference", "to": ["Contact"], "required": true},
            {"object": "Visit__c", "name": "Kind__c", "type": "multipicklist", "values": ["a", "b"], "restricted": true},
        ],
    });
    let org = world.org("acme", definition).await;
    org.create("Contact", json!({"LastName": "A", "Ext__c": "c1"})).await;
    let body = json!({"Contact__r": {"Ext__c": "c1"}, "Kind__c": "a;b"});
    assert_eq!(org.patch("sobjects/Visit__c/Key__c/k1", body).await.status, 201);
    let linked = org.query("SELECT Contact__r.LastName, CreatedBy.Username FROM Visit__c").await;
    assert_eq!(linked.column("Contact__r")[0]["LastName"], "A");
    assert_eq!(linked.column("CreatedBy")[0]["Username"], "integration@acme.example");
    let unlinked = org.patch("sobjects/Visit__c/Key__c/k2", json!({})).await;
    assert_eq!(unlinked.refusal().1, "REQUIRED_FIELD_MISSING");
    let long = org.patch("sobjects/Visit__c/Key__c/12345678901", json!({"Contact__r": {"Ext__c": "c1"}})).await;
    assert_eq!(long.refusal().1, "STRING_TOO_LONG");
    let described = org.get("sobjects/Visit__c/describe").await.body;
    let kind = described["fields"].as_array().expect("fields").iter().find(|field| field["name"] == "Kind__c");
    assert_eq!(kind.expect("described")["type"], "multipicklist");
}
