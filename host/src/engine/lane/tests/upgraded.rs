//! A lane goes on with what an import of the first format, or an older release, made of it.

use std::time::Duration;

use super::bench::{Bench, START, alone, arrival, conversation, lock, org};
use crate::domain::{Arrival, Ending, ErrorQuery, State, Timestamp};
use crate::ledger::Paging;
use crate::ledger::testing::{EXPORT, convert};
use crate::store::{Batch, Store};

#[test]
fn a_later_message_of_a_conversation_with_merged_sync_errors_resolves_the_one_that_they_became() {
    alone(async {
        // Everything of one of its organizations belongs to the one that the lane has.
        let export = EXPORT.replace("/retail", "/acme").replace("\\\"retail\\\"", "\\\"acme\\\"");
        let bench = Bench::start();
        convert(&export, bench.store.as_ref() as &dyn Store, Timestamp::from_millis(START)).await.unwrap();
        // Later than all that is on record.
        bench.clock.advance(Duration::from_secs(90 * 86_400));
        let mut bench = bench.kill().await;
        let list = bench.ledger.error_list(&org(), State::Pending, None, 100).await.unwrap();
        let merged = list.iter().find(|error| error.affected_count > 1).expect("a conversation with several");
        let known = bench.ledger.conversation(&org(), &merged.conversation).await.unwrap().unwrap();
        let later = known.messages.iter().map(|message| message.sent_at).max().unwrap();
        let mut arrival = arrival(1, known.state_as_of + 1);
        arrival.messages[0].sent_at = later;
        bench.arrive(Arrival { conversation: known.id.clone(), ..arrival }).await;
        bench.settled().await;
        let over = bench.ledger.sync_error(&merged.id).await.unwrap().unwrap();
        assert_eq!((over.state, over.ending), (State::Resolved, Some(Ending::Superseded)));
        assert_eq!(bench.ledger.delivery(&org(), &known.id).await.unwrap().open, None);
        for message in &over.affected {
            let audit = bench.ledger.audit(message, |_| true).await.unwrap();
            let last = serde_json::to_string(&audit.last().unwrap().fact).unwrap();
            assert!(last.contains("RESOLVED") && last.contains(over.id.as_str()), "{message}: {last}");
        }
        bench.verify().await;
    });
}

#[test]
fn what_an_older_release_found_customers_by_goes_and_what_this_one_finds_them_by_is_written() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).insert(conversation(1));
        let mut said = arrival(1, 1);
        said.customer.name = Some("Zo\u{eb}".to_owned());
        bench.arrive(said).await;
        bench.settled().await;
        let id = bench.ledger.error_list(&org(), State::Pending, None, 10).await.unwrap()[0].id.clone();
        let customer = conversation(1);
        let [now, gone] = ["zoe", "zo%C3%AB"]
            .map(|term| [format!("error-term/acme/{term}/{id}"), format!("customer/acme/{term}/{customer}")]);
        let lane = bench.store.get(b"lane/acme").unwrap().unwrap();
        let lane = String::from_utf8(lane).unwrap();
        let mut older = Batch::default();
        older.put("lane/acme", lane.replace("\"indexes\":5", "\"indexes\":4"));
        now.iter().for_each(|key| older.delete(key.as_str()));
        gone.iter().for_each(|key| older.put(key.as_str(), ""));
        bench.store.commit(older).await.unwrap();
        let mut bench = bench.kill().await;
        bench.settled().await;
        for key in &gone {
            assert_eq!(bench.store.get(key.as_bytes()).unwrap(), None, "{key}");
        }
        let query = ErrorQuery { q: Some("zoe".to_owned()), ..ErrorQuery::default() };
        let found = bench.ledger.error_summaries(&query, &Paging::first(10)).await.unwrap().items;
        assert_eq!(found.len(), 1);
        let found = bench.ledger.find_customer(&[org()], "ZO\u{cb}").await.unwrap().items;
        assert_eq!(found.len(), 1);
        bench.verify().await;
    });
}
