//! What may happen in a case, and how likely it is.

use proptest::prelude::*;

use super::entries::Why;
use crate::engine::lane::tests::bench::CONTACTS;

/// Conversations that people and the world do something with.
pub(super) const CONVERSATIONS: u64 = 7;
/// One more, whose messages make an outage known.
pub(super) const SENTINEL: u64 = 9;

/// One step of a case: it is carried out whole, and nothing is left to do then but what waits for time.
#[derive(Debug, Clone)]
pub(super) enum Move {
    /// A message, whose author has married or not; the lane may be killed while that is on its way.
    Arrive(u64, bool, bool),
    /// A message, and what somebody does while that is on its way; whether the lane is killed then.
    Meanwhile(u64, Then, bool),
    /// What becomes of attempts at a conversation from now on.
    Says(u64, Option<Why>),
    /// Nothing is refused any more, and everything gets through.
    Accept,
    /// Nothing is answered.
    Outage,
    /// The connection is no longer authorized.
    Dead,
    /// About one sync error.
    Ask(u64, Asked, bool),
    /// Says which contact the customer is.
    Choose(u64, usize),
    /// A conversation that is parked is not to be written.
    IgnoreParked(u64),
    /// About many.
    Operate(Doing, Over, Begun),
    /// Changes the status of an operation: which one, counted from the newest, and how.
    Steer(usize, Steered),
    /// Takes back what an operation ignored: which one, counted from the newest of those.
    Undo(usize),
    Erase(u64),
    /// Somebody says that the cause of the incident is gone.
    Lift,
    /// So many seconds.
    Pass(u64),
    Kill,
    Restart,
}

/// What is done while an attempt is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Arrive,
    Ask(Asked),
    Choose(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Retry,
    Ignore,
    Reopen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Retry,
    Ignore,
    Reopen,
    Assign,
}

/// What happens as an operation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Runs,
    Paused,
    /// The lane is killed while the first attempts are on their way.
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steered {
    Pause,
    Resume,
    Cancel,
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    All,
    Cause(Why),
    Conversation(u64),
    Customer(u64),
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let number = || 1..=CONVERSATIONS;
    let why = || prop::sample::select(Why::OF_RECORDS.to_vec());
    let likely =
        || prop_oneof![3 => Just(Why::Queue), 1 => Just(Why::Rule), 1 => Just(Why::Lock), 1 => Just(Why::Contact)];
    let over = || {
        prop_oneof![
            5 => Just(Over::All),
            2 => why().prop_map(Over::Cause),
            1 => number().prop_map(Over::Conversation),
            1 => number().prop_map(Over::Customer),
        ]
    };
    let asked = || prop::sample::select(vec![Asked::Retry, Asked::Ignore, Asked::Reopen]);
    let then = prop_oneof![
        1 => Just(Then::Arrive),
        4 => asked().prop_map(Then::Ask),
        1 => (0..CONTACTS.len()).prop_map(Then::Choose),
    ];
    let doing = prop::sample::select(vec![Doing::Retry, Doing::Retry, Doing::Ignore, Doing::Reopen, Doing::Assign]);
    let steered = prop::sample::select(vec![Steered::Pause, Steered::Resume, Steered::Resume, Steered::Cancel]);
    let begun = prop_oneof![5 => Just(Begun::Runs), 2 => Just(Begun::Paused), 1 => Just(Begun::Killed)];
    let rarely = || prop::bool::weighted(0.15);
    let one = prop_oneof![
        10 => (number(), rarely(), rarely()).prop_map(|(number, married, killed)| Move::Arrive(number, married, killed)),
        3 => (number(), then, prop::bool::weighted(0.3)).prop_map(|(number, then, killed)| Move::Meanwhile(number, then, killed)),
        8 => (number(), prop::option::weighted(0.8, likely())).prop_map(|(number, why)| Move::Says(number, why)),
        2 => Just(Move::Accept),
        1 => Just(Move::Outage),
        1 => Just(Move::Dead),
        5 => (number(), asked(), rarely()).prop_map(|(number, asked, killed)| Move::Ask(number, asked, killed)),
        2 => (number(), 0..CONTACTS.len()).prop_map(|(number, place)| Move::Choose(number, place)),
        1 => number().prop_map(Move::IgnoreParked),
        7 => (doing, over(), begun).prop_map(|(doing, over, begun)| Move::Operate(doing, over, begun)),
        3 => (0..3usize, steered).prop_map(|(which, steered)| Move::Steer(which, steered)),
        2 => (0..3usize).prop_map(Move::Undo),
        1 => number().prop_map(Move::Erase),
        1 => Just(Move::Lift),
        4 => prop_oneof![1..4u64, 5..400u64].prop_map(Move::Pass),
        1 => Just(Move::Kill),
        1 => Just(Move::Restart),
    ];
    (opening(), prop::collection::vec(one, 1..30)).prop_map(|(opening, moves)| [opening, moves].concat())
}

/// How a day begins: badly, or with what chance alone seldom brings.
fn opening() -> impl Strategy<Value = Vec<Move>> {
    let number = || 1..=CONVERSATIONS;
    let fails = |(number, why)| [Move::Says(number, Some(why)), Move::Arrive(number, false, false)];
    let all_fail = move || (1..=CONVERSATIONS).flat_map(move |number| fails((number, Why::Queue)));
    let whys = prop::sample::select(Why::OF_RECORDS.to_vec());
    prop_oneof![
        6 => prop::collection::vec((number(), whys), 0..6).prop_map(move |of| of.into_iter().flat_map(fails).collect()),
        // Somebody has changed what is taken back, to the same.
        1 => number().prop_map(move |number| {
            let changed = [Asked::Reopen, Asked::Ignore].map(|asked| Move::Ask(number, asked, false));
            let ignored = [Move::Operate(Doing::Ignore, Over::All, Begun::Runs)];
            all_fail().chain(ignored).chain(changed).chain([Move::Undo(0)]).collect()
        }),
        // One is reopened while an operation rests that it is not in.
        1 => (number(), prop::sample::select(vec![Doing::Retry, Doing::Ignore])).prop_map(move |(number, doing)| {
            let ask = |asked| Move::Ask(number, asked, false);
            let begun = [ask(Asked::Ignore), Move::Operate(doing, Over::All, Begun::Paused), ask(Asked::Reopen)];
            all_fail().chain(begun).chain([Move::Steer(0, Steered::Resume)]).collect()
        }),
        // What is ignored while it is on its way fails by another cause, also at the next start.
        1 => (number(), any::<bool>()).prop_map(move |(number, killed)| {
            let ignored = Move::Meanwhile(number, Then::Ask(Asked::Ignore), killed);
            fails((number, Why::Queue)).into_iter().chain([Move::Says(number, Some(Why::Rule)), ignored]).collect()
        }),
        // One fails now as others do, of which some get through.
        1 => (2..=CONVERSATIONS).prop_map(move |number| {
            let other = fails((number, Why::Rule)).into_iter().chain([Move::Says(number, Some(Why::Queue))]);
            let retried = [Move::Says(1, None), Move::Operate(Doing::Retry, Over::All, Begun::Runs)];
            all_fail().chain(other).chain(retried).collect()
        }),
    ]
}
