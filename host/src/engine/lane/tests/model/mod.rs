//! A model of the error registry, and random cases in which the lane has to come to the same after each move: sync errors, counts,
//! lists, operations, the incident. What is on its way at the end of a move waits for time, or for a person.

mod asks;
mod conversations;
mod entries;
mod facts;
mod lists;
mod moves;
mod operating;
mod operations;
mod organization;

use std::time::Duration;

use proptest::prelude::*;

use self::conversations::Does;
use self::entries::Why;
use self::facts::{adopt, assert_same, mood, on_record};
use self::moves::{Asked, Begun, CONVERSATIONS, Doing, Move, SENTINEL, Steered, Then, moves};
use self::organization::Model;
use super::bench::{Bench, Mood, START, alone, arrival, conversation, lock};
use crate::domain::{Arrival, OperationStatus};
use crate::engine::command::Command;

const REASON: &str = "a test";
/// Lists that are compared after each move; all of them are where it counts.
const SOME: usize = 3;

/// How the customer of a conversation is called.
fn name(number: u64, married: bool) -> String {
    format!("Ada{number} {}", if married { "Falk" } else { "Berg" })
}

/// A lane and what it has to have come to.
struct Case {
    bench: Bench,
    model: Model,
    moves: usize,
    /// Whether the lane is to be killed before what is on its way ends.
    killed: bool,
}

impl Case {
    fn new() -> Self {
        Self { bench: Bench::start(), model: Model::new(), moves: 0, killed: false }
    }

    /// Compares everything that the model knows, and some of the lists or all of them.
    async fn compare(&mut self, after: &str, all: bool) {
        self.bench.quiet().await;
        self.model.settle();
        adopt(&mut self.model, &self.bench).await;
        assert_same(&on_record(&self.bench, &self.model).await, &self.model.facts(), after);
        self.moves += 1;
        let most = if all { usize::MAX } else { SOME };
        lists::compare(&self.bench, &self.model, self.moves * SOME, most, after).await;
        lists::compare_indexes(&self.bench, &self.model, after).await;
    }

    async fn pass(&mut self, by: Duration) {
        self.model.pass(by);
        self.bench.pass(by).await;
        self.bench.quiet().await;
        self.model.settle();
        adopt(&mut self.model, &self.bench).await;
    }

    /// A retry does not wait for the end of an incident while others are tried with it: it is paused before.
    async fn part(&mut self, next: &Move) {
        let Some(number) = self.model.waiting_retry() else { return };
        let tries = matches!(
            next,
            Move::Ask(_, Asked::Retry, _)
                | Move::Choose(..)
                | Move::Meanwhile(..)
                | Move::Operate(Doing::Retry, ..)
                | Move::Steer(_, Steered::Resume)
        );
        if tries || self.model.clashes(Some(number)) {
            self.steer(number, OperationStatus::Paused).await;
            self.compare("a pause", false).await;
        }
    }

    async fn carry_out(mut self, next: Move) -> Self {
        self.part(&next).await;
        self.pass(Duration::from_millis(1)).await;
        self.model.first_batch = None;
        let all = matches!(next, Move::Kill | Move::Restart);
        let after = format!("{next:?}, the move {}", self.moves);
        let killed = match next {
            Move::Arrive(.., killed) | Move::Ask(.., killed) => killed,
            Move::Operate(.., begun) => begun == Begun::Killed,
            _ => false,
        };
        let killed = killed && !self.model.is_open();
        if killed {
            self.bench.mood(Mood::Hangs);
        }
        match next {
            Move::Arrive(number, married, _) => self.arrive(number, &name(number, married)).await,
            Move::Meanwhile(number, then, killed) => self.meanwhile(number, then, killed).await,
            Move::Says(number, why) => self.says(number, why),
            Move::Accept => {
                (1..=CONVERSATIONS).for_each(|number| self.says(number, None));
                mood(&mut self.model, &self.bench, Mood::Good);
            }
            Move::Outage => self.outage().await,
            Move::Dead => mood(&mut self.model, &self.bench, Mood::Dead),
            Move::Ask(number, asked, _) => self.ask(number, asked).await,
            Move::Choose(number, place) => self.choose(number, place).await,
            Move::IgnoreParked(number) => self.ignore_parked(number).await,
            Move::Operate(doing, over, begun) => self.operate(doing, over, begun == Begun::Paused).await,
            Move::Steer(which, steered) => self.steer_some(which, steered).await,
            Move::Undo(which) => self.undo(which).await,
            Move::Erase(number) => self.erase(number).await,
            Move::Lift => self.lift().await,
            Move::Pass(seconds) => self.pass(Duration::from_secs(seconds)).await,
            Move::Kill => self.bench = self.bench.kill().await,
            Move::Restart => self.bench = self.bench.restart().await,
        }
        if all {
            self.model.lift();
        }
        if std::mem::take(&mut self.killed) {
            self.bench = self.bench.kill().await;
            self.bench.world.holds.send_replace(false);
        }
        if killed {
            self.bench.quiet().await;
            self.bench = self.bench.kill().await;
            self.bench.mood(self.model.mood);
            self.model.settle();
            // They are sent again.
            self.model.attempts += self.model.first_batch.unwrap_or(0);
        }
        self.compare(&after, all).await;
        self
    }

    async fn lift(&mut self) {
        self.model.lift();
        let parked =
            self.bench.ask(|reply| Command::Lift { action: None, reply }).await.expect("an answer").expect("a count");
        let parks = self.model.convs.values().filter(|conv| conv.does == Does::Parked).count();
        assert_eq!(parked, parks as u64, "how many wait for the end");
    }

    fn says(&mut self, number: u64, why: Option<Why>) {
        let mut says = lock(&self.bench.world.says);
        match why {
            Some(why) => {
                says.insert(conversation(number), why.refusal());
                self.model.says.insert(number, why);
            }
            None => {
                says.remove(&conversation(number));
                self.model.says.remove(&number);
            }
        }
    }

    async fn arrive(&mut self, number: u64, name: &str) {
        self.model.arrive(number, name.to_owned());
        let mut said = arrival(number, self.model.messages);
        (said.at, said.messages[0].sent_at) = (self.model.now, self.model.now);
        said.customer.name = Some(name.to_owned());
        assert!(self.bench.arrive(said).await);
    }

    /// A message, and what somebody does while that is on its way; in an incident nothing is.
    async fn meanwhile(&mut self, number: u64, then: Then, killed: bool) {
        let flies = !self.model.is_open();
        self.bench.world.holds.send_replace(flies);
        self.arrive(number, &name(number, false)).await;
        self.bench.quiet().await;
        if flies {
            self.model.take_off(number);
        } else {
            self.model.settle();
        }
        match then {
            Then::Arrive => self.arrive(number, &name(number, true)).await,
            Then::Ask(asked) => self.ask(number, asked).await,
            Then::Choose(place) => self.choose(number, place).await,
        }
        self.bench.quiet().await;
        self.killed |= killed && flies;
        match self.killed {
            true => self.model.conv(number).breaks_off(),
            false => {
                self.bench.world.holds.send_replace(false);
                self.model.land(number, false);
            }
        }
    }

    /// Nobody answers any more, and the messages of one conversation make that known.
    async fn outage(&mut self) {
        mood(&mut self.model, &self.bench, Mood::Outage);
        for _ in 0..5 {
            self.arrive(SENTINEL, "Eve").await;
            self.bench.quiet().await;
            self.model.settle();
        }
    }

    async fn erase(&mut self, number: u64) {
        let of = arrival(number, 0);
        let forget = Arrival::erasing(of.conversation, (of.source, of.account, of.message), "ann", self.model.now);
        assert!(self.bench.arrive(forget).await);
        self.model.erase(number);
    }
}

async fn case(moves: Vec<Move>) {
    let mut case = Case::new();
    for next in moves {
        case = case.carry_out(next).await;
    }
    case.compare("all", true).await;
    case.bench.verify().await;
    let bench = case.bench.restart().await;
    case = Case { bench, ..case };
    case.model.lift();
    case.compare("a start", true).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, max_shrink_iters: 300, ..ProptestConfig::default() })]
    #[test]
    fn after_each_move_of_a_day_the_registry_is_what_its_model_says(moves in moves()) {
        alone(case(moves));
    }
}
