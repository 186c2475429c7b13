//! A lane goes on with what an import of the first format made of it.

use std::time::Duration;

use super::bench::{Bench, START, alone, arrival, org};
use crate::domain::{Arrival, Ending, State, Timestamp};
use crate::ledger::testing::{EXPORT, convert};
use crate::store::Store;

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
