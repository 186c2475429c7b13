//! What operations ask of a delivery, and what they are told of it.

use super::*;

/// What an operation asks for.
fn asked_by(number: u64) -> InOperation {
    InOperation { number, group: failure(1, "CODE", Class::Record, Verdict::AsUsual, 1).group, waits: true }
}

/// What operations are told, in order.
fn told(effects: &[Effect]) -> Vec<(u64, Retried)> {
    let of = |effect: &Effect| match effect {
        Effect::CameOut { of, how, .. } => Some((of.number, *how)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn an_operation_is_told_once_what_became_of_what_it_retried() {
    let retried = |number| Event::RetryAsked { by: "ann".into(), operation: Some(asked_by(number)) };
    let again = |code| Event::Failed(Box::new(failure(1, code, Class::Record, Verdict::AsUsual, 1)));
    let first = || vec![arrived(1), Event::Started, again("CODE"), retried(1)];
    let after = |events: Vec<Event>| told(&walk([first(), events].concat()).1);
    assert_eq!(after(vec![]), [], "it is not tried yet");
    assert_eq!(after(vec![Event::Started, delivered(1)]), [(1, Retried::Passed)]);
    assert_eq!(after(vec![Event::Started, again("CODE")]), [(1, Retried::FailedAlike)]);
    assert_eq!(after(vec![Event::Started, again("OTHER")]), [(1, Retried::FailedOtherwise)]);
    assert_eq!(after(vec![ignore()]), [(1, Retried::Changed)]);
    assert_eq!(after(vec![retried(2)]), [(1, Retried::Changed)], "another one has taken it over");
    assert_eq!(
        after(vec![Event::Started, again("CODE"), retry(), Event::Started, delivered(1)]),
        [(1, Retried::FailedAlike)]
    );
    // One that is asked for while an attempt is on its way waits for the next one.
    let on_its_way = vec![arrived(1), Event::Started, again("CODE"), retry(), Event::Started, retried(1)];
    assert_eq!(told(&walk([on_its_way.clone(), vec![again("CODE")]].concat()).1), []);
    let whole = [on_its_way, vec![again("CODE"), Event::Started, again("CODE")]].concat();
    assert_eq!(told(&walk(whole).1), [(1, Retried::FailedAlike)]);
}

#[test]
fn what_is_ignored_is_no_operations_to_retry() {
    let retried = Event::RetryAsked { by: "ann".into(), operation: Some(asked_by(1)) };
    let (state, _) =
        walk(vec![arrived(1), Event::Started, failed(1, Class::Record, Verdict::AsUsual), ignore(), retried]);
    assert_eq!((state.phase, state.operation), (Phase::Idle, None));
}

#[test]
fn what_got_through_is_sent_once_more_and_nothing_else_is() {
    let resync = || Event::ResyncAsked { by: "ann".into(), operation: asked_by(3) };
    let (state, effects) = walk(vec![arrived(1), Event::Started, delivered(1), resync()]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::Operation, .. }) && state.operation.is_some());
    assert!(matches!(effects.last(), Some(Effect::Queue(Work::Operation))), "{effects:?}");
    assert_eq!(walk(vec![resync()]).0.phase, Phase::Idle, "nothing got through");
    let (state, _) = walk(vec![arrived(1), Event::Started, failed(1, Class::Record, Verdict::AsUsual), resync()]);
    assert_eq!(state.phase, Phase::Held, "it waits for a person");
}
