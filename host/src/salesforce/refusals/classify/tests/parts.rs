//! Answers about many records: each part is judged by itself.

use serde_json::json;

use super::*;

fn codes(answer: Value) -> Vec<Result<Value, (String, Class)>> {
    let short = |refusal: Refusal| (refusal.code, refusal.class);
    parts(answer).into_iter().map(|part| part.map_err(short)).collect()
}

fn no(code: &str, class: Class) -> Result<Value, (String, Class)> {
    Err((code.to_owned(), class))
}

#[test]
fn each_element_of_a_collection_is_judged_by_itself() {
    let good = json!({"id": "001xx0000000001", "success": true, "errors": [], "created": false});
    let error =
        json!({"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []});
    let bad = json!({"success": false, "errors": [error], "created": false});
    assert_eq!(
        codes(json!([good, bad, good])),
        [Ok(good.clone()), no("UNABLE_TO_LOCK_ROW", Class::Transient), Ok(good)]
    );
}

#[test]
fn what_was_rolled_back_with_another_passes_by_itself_and_names_the_cause_though_it_has_an_id() {
    let element = |code: &str, text: &str, id: &str| json!({"id": id, "success": false, "errors": [{"statusCode": code, "message": text, "fields": []}]});
    let rolled_back = element(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
        "001xx0000000001",
    );
    let cause = element("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "");
    let follower = no("ALL_OR_NONE_OPERATION_ROLLED_BACK", Class::Transient);
    assert_eq!(codes(json!([rolled_back, cause])), [follower, no("REQUIRED_FIELD_MISSING", Class::Record)]);
    let words = parts(json!([rolled_back, cause])).swap_remove(0).unwrap_err().text;
    assert!(words.contains("REQUIRED_FIELD_MISSING") && words.contains("LastName"), "{words}");
}

#[test]
fn the_answers_inside_a_composite_a_batch_and_the_graphs_are_judged_one_by_one() {
    let halted = json!([{"errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed."}]);
    let missing = json!([{"errorCode": "INVALID_FIELD",
        "message": "Foreign key external ID: v not found for field Ext__c in entity Contact"}]);
    let part = |status: u16, body: &Value| json!({"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": "r"});
    let created = part(201, &json!({"id": "001xx0000000001", "success": true, "errors": []}));
    let twins = part(300, &json!(["/services/data/v62.0/sobjects/Contact/003a"]));
    let unread = part(304, &Value::Null);

    let ordering = no("INVALID_FIELD", Class::Ordering);
    let composite = json!({"compositeResponse": [part(400, &halted), part(400, &missing)]});
    let follower = no("PROCESSING_HALTED", Class::Transient);
    assert_eq!(codes(composite.clone()), [follower.clone(), ordering.clone()]);
    assert_eq!(
        codes(json!({"compositeResponse": [created, twins, unread]})),
        [Ok(created.clone()), no("DUPLICATE_EXTERNAL_ID", Class::Config), Ok(unread)]
    );

    let graph = |response: Value| json!({"graphId": "g", "graphResponse": response, "isSuccessful": false});
    let alone = json!({"compositeResponse": [part(400, &halted)]});
    assert_eq!(
        codes(json!({"graphs": [graph(composite), graph(alone)]})),
        [follower.clone(), ordering, follower],
        "what failed in one graph is not the cause in another"
    );

    let batch = json!({"hasErrors": true, "results": [
        {"statusCode": 404, "result": [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]},
        {"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}]},
        {"statusCode": 503, "result": null},
    ]});
    assert_eq!(
        codes(batch),
        [
            no("NOT_FOUND", Class::Config),
            no("BATCH_PROCESSING_HALTED", Class::Transient),
            no("HTTP_503", Class::Transient)
        ]
    );
}
