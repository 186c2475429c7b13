//! What counts as newer: a number that the source gave, or the order of arrival; never a foreign clock alone.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const MINUTE: u64 = 60_000;
const YEAR_2099: &str = "2099-01-01T00:00:00Z";

/// What a platform hands in: a team, and messages by number with their times.
fn given(team: &str, sequence: Option<u64>, messages: &[(u64, Timestamp)]) -> Arrival {
    let messages: Vec<_> = messages
        .iter()
        .map(|(number, sent_at)| json!({ "id": format!("shop:1:{number}"), "direction": "inbound", "author": "", "body": "x", "sent_at": sent_at }))
        .collect();
    serde_json::from_value(json!({
        "source": "shop", "account": "1", "account_name": "", "conversation": "shop:1", "message": messages[0]["id"],
        "event": sequence.unwrap_or_default(), "numbered": sequence.is_some(), "kind": "intake", "at": messages[0]["sent_at"],
        "by": "intake", "channel": "chat", "url": null, "team": team, "agent": team, "closed": null, "tags": [team],
        "attributes": [], "customer": { "id": "99" }, "messages": messages, "extra": null,
    }))
    .unwrap()
}

fn at(minutes: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + minutes * MINUTE)
}

fn far() -> Timestamp {
    YEAR_2099.parse().unwrap()
}

fn then(known: Conversation, arrival: Arrival, now: Timestamp) -> Conversation {
    merge(Some(known), arrival, now).conversation
}

/// The team, the agent and the address of the newest message.
fn told(of: &Conversation) -> (&str, &str, &str) {
    (of.team.as_deref().unwrap_or_default(), of.agent.as_deref().unwrap_or_default(), &of.url)
}

#[test]
fn a_message_dated_2099_is_the_newest_until_the_next_one_comes() {
    let first = merge(None, given("a", None, &[(1, far())]), NOW).conversation;
    assert_eq!(first.messages[0].sent_at, NOW);
    // It is told again with the next one, as platforms do.
    let second = then(first, given("b", None, &[(1, far()), (2, at(4))]), at(5));
    assert_eq!(told(&second), ("b", "b", "urn:shop:shop:1:2"));
    assert_eq!(second.newest().unwrap().sent_at, at(4));
}

#[test]
fn a_message_dated_2099_that_an_earlier_release_kept_is_followed_by_the_next_one() {
    let mut kept = merge(None, given("a", None, &[(1, at(0)), (2, at(1))]), at(1)).conversation;
    kept.messages[1].sent_at = far();
    (kept.state_as_of, kept.agent_as_of) = (far().as_millis(), far().as_millis());
    let next = then(kept, given("b", None, &[(3, at(2))]), at(3));
    assert_eq!(told(&next), ("b", "b", "urn:shop:shop:1:3"));
    let times: Vec<_> = next.messages.iter().map(|message| message.sent_at).collect();
    assert_eq!(times, [at(0), at(0), at(2)]);
}

#[test]
fn numbers_are_never_compared_with_times_that_an_earlier_release_kept_in_their_place() {
    let mut kept = merge(None, given("a", None, &[(1, at(0))]), NOW).conversation;
    (kept.state_as_of, kept.agent_as_of) = (at(0).as_millis(), at(0).as_millis());
    let numbered = then(kept, given("b", Some(7), &[(1, at(0))]), at(1));
    assert_eq!(told(&numbered).0, "b");
    assert_eq!((numbered.state_as_of, numbered.agent_as_of), (7, 7));
    let late = then(numbered, given("c", Some(6), &[(1, at(0))]), at(2));
    assert_eq!((told(&late).0, told(&late).1), ("b", "b"));
    let next = then(late, given("d", Some(8), &[(1, at(0))]), at(3));
    assert_eq!((told(&next).0, told(&next).1), ("d", "d"));
}

#[test]
fn without_numbers_what_comes_later_counts_whatever_its_messages_say() {
    let first = merge(None, given("a", None, &[(1, at(50))]), NOW).conversation;
    let second = then(first, given("b", None, &[(2, at(10))]), at(11));
    assert_eq!((told(&second).0, told(&second).1), ("b", "b"));
    // What an earlier release left in an inbox has a time for its number.
    let mut waiting = given("c", None, &[(2, at(10))]);
    waiting.event = at(10).as_millis();
    let third = then(second, waiting, at(12));
    assert_eq!((told(&third).0, third.state_as_of), ("c", 0));
}

#[test]
fn what_was_forgotten_until_2099_is_learned_again_from_now_on() {
    let mut kept = merge(None, given("a", None, &[(1, at(0))]), NOW).conversation;
    kept.erased_until = Some(far());
    let next = then(kept, given("b", None, &[(2, at(2))]), at(3));
    assert_eq!(next.messages[1].body, "x");
}

#[test]
fn an_action_of_alcmeon_dated_2099_happens_now_and_its_number_orders_it() {
    let mut action = given("a", None, &[(1, far())]);
    (action.by, action.event, action.url) = (ReachedBy::Poll, 9, Some("https://alcmeon.example/1".to_owned()));
    let merged = merge(None, action.clone(), NOW);
    assert_eq!((merged.audit.at, merged.conversation.messages[0].sent_at), (NOW, NOW));
    let mut earlier = given("b", None, &[(1, at(0))]);
    (earlier.by, earlier.event) = (ReachedBy::Webhook, 8);
    assert_eq!(told(&then(merged.conversation, earlier, at(1))).0, "a");
}

#[test]
fn an_event_that_leaves_something_out_takes_nothing_away_and_its_number_alone_is_no_change() {
    let mut first = given("a", Some(1), &[(1, at(0))]);
    first.account_name = "Front desk".to_owned();
    first.customer = serde_json::from_value(json!({
        "id": "99", "name": "Jane", "email": "jane@example.com", "phone": "1", "contact": "003000000000001AAA",
        "attributes": [{ "name": "a", "value": "b" }],
    }))
    .unwrap();
    let known = merge(None, first.clone(), NOW).conversation;
    let second = Arrival { team: None, customer: Customer::default(), ..given("a", Some(2), &[(1, at(0))]) };
    let merged = merge(Some(known.clone()), second, at(1));
    assert!(!merged.changed);
    let later = Conversation { state_as_of: 2, agent_as_of: 2, ..known.clone() };
    assert_eq!(merged.conversation, later);
    let mut third = given("a", Some(3), &[(1, at(0))]);
    third.account_name = "Back office".to_owned();
    third.customer = Customer { email: Some("j@example.com".to_owned()), ..Customer::default() };
    let merged = merge(Some(later), third, at(2));
    let customer = Customer { email: Some("j@example.com".to_owned()), ..first.customer };
    assert_eq!((merged.changed, merged.conversation.customer), (true, customer));
    assert_eq!((merged.conversation.account_name.as_str(), merged.conversation.version), ("Back office", 2));
    let without = merge(None, given("a", None, &[(1, at(0))]), NOW).conversation;
    assert!(!merge(Some(without), given("a", Some(7), &[(1, at(0))]), at(1)).changed, "it has a number now");
}

#[test]
fn a_conversation_that_is_known_by_its_ids_has_the_message_that_it_is_about_and_no_words() {
    let mut arrival = given("a", None, &[(1, at(0)), (2, at(1))]);
    arrival.message = arrival.messages[1].id.clone();
    arrival.messages[1].direction = Direction::Outbound;
    let known = arrival.by_its_ids();
    assert_eq!((&known.id, known.messages.len()), (&arrival.conversation, 1));
    let Message { id, direction, author, body, sent_at } = known.messages[0].clone();
    assert_eq!(
        (id, direction, author, body),
        (arrival.message.clone(), Direction::Outbound, String::new(), String::new())
    );
    assert_eq!(sent_at, at(1));
    arrival.messages.clear();
    let message = arrival.by_its_ids().messages.remove(0);
    assert_eq!((message.direction, message.sent_at), (Direction::Inbound, arrival.at));
}

#[test]
fn the_newest_two_hundred_messages_are_kept() {
    let all: Vec<_> = (1..=200).rev().map(|number| (number, at(number))).collect();
    let full = merge(None, given("a", None, &all), at(300)).conversation;
    let ends = |of: &Conversation| {
        let ids: Vec<_> = of.messages.iter().map(|message| message.id.to_string()).collect();
        (ids.len(), ids[0].clone(), ids[ids.len() - 1].clone())
    };
    assert_eq!(ends(&full), (200, "shop:1:1".to_owned(), "shop:1:200".to_owned()));
    let older = then(full, given("a", None, &[(999, at(0))]), at(300));
    assert_eq!(ends(&older), (200, "shop:1:1".to_owned(), "shop:1:200".to_owned()));
    let newer = then(older, given("a", None, &[(201, at(201))]), at(300));
    assert_eq!(ends(&newer), (200, "shop:1:2".to_owned(), "shop:1:201".to_owned()));
}

#[test]
fn the_address_is_that_of_the_customers_newest_message_or_of_the_newest_where_they_wrote_none() {
    let told_of = |number: u64, direction, minutes| {
        let mut arrival = given("a", None, &[(number, at(minutes))]);
        (arrival.by, arrival.event, arrival.url) = (ReachedBy::Webhook, number, Some(format!("u{number}")));
        arrival.messages[0].direction = direction;
        arrival
    };
    let mut conversation = None;
    for (number, direction, minutes, url) in [
        (1, Direction::Outbound, 1, "u1"),
        (2, Direction::Outbound, 2, "u2"),
        (3, Direction::Inbound, 3, "u3"),
        (4, Direction::Outbound, 4, "u3"),
        (5, Direction::Inbound, 2, "u3"),
        (6, Direction::Inbound, 5, "u6"),
    ] {
        let merged = merge(conversation, told_of(number, direction, minutes), at(9)).conversation;
        assert_eq!(merged.url, url, "{number}");
        conversation = Some(merged);
    }
}

#[test]
fn a_text_that_came_late_is_kept_and_one_that_is_known_stays() {
    let mut first = given("a", None, &[(1, at(0))]);
    first.messages[0].body.clear();
    let silent = merge(None, first, NOW).conversation;
    let spoken = then(silent, given("a", None, &[(1, at(0))]), at(1));
    assert_eq!(spoken.messages[0].body, "x");
    let mut other = given("a", None, &[(1, at(0))]);
    other.messages[0].body = "y".to_owned();
    assert_eq!(then(spoken, other, at(2)).messages[0].body, "x");
}

#[test]
fn what_is_on_record_and_a_day_ahead_may_be_true_and_what_is_further_ahead_is_not() {
    let kept = merge(None, given("a", None, &[(1, at(0))]), NOW).conversation;
    for (ahead, stays) in [(24 * 60, true), (24 * 60 + 1, false)] {
        let mut kept = kept.clone();
        kept.messages[0].sent_at = at(5 + ahead);
        let next = then(kept, given("b", None, &[(2, at(4))]), at(5));
        assert_eq!(next.messages.iter().any(|message| message.sent_at == at(5 + ahead)), stays, "{ahead}");
    }
}

proptest! {
    #[test]
    fn whatever_platforms_say_the_newest_state_is_that_of_the_largest_number_or_of_the_last_call(
        calls in prop::collection::vec((prop::option::of(0_u64..20), prop::collection::vec((0_u64..8, any::<u32>()), 1..4)), 1..12),
    ) {
        let (mut conversation, mut team, mut largest, mut now) = (None, String::new(), None, NOW);
        for (number, (sequence, messages)) in calls.into_iter().enumerate() {
            now = now.after(Duration::from_secs(60));
            let dated: Vec<_> =
                messages.iter().map(|(id, at)| (*id, Timestamp::from_millis(u64::from(*at) * 1_000))).collect();
            let name = format!("team-{number}");
            let arrival = given(&name, sequence, &dated);
            if sequence.is_none() || sequence >= largest {
                team = name;
            }
            largest = largest.max(sequence);
            let merged = merge(conversation, arrival.clone(), now).conversation;
            prop_assert_eq!(merged.team.as_deref(), Some(team.as_str()));
            prop_assert_eq!(merged.agent.as_deref(), Some(team.as_str()));
            prop_assert!(merged.messages.is_sorted_by_key(|message| message.sent_at));
            prop_assert!(merged.messages.iter().all(|message| message.sent_at <= now.after(Duration::from_secs(3_600))));
            prop_assert!(!merge(Some(merged.clone()), arrival, now).changed, "the same twice");
            conversation = Some(merged);
        }
    }
}
