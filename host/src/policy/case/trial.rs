//! Asks a policy about a case: for those who write policies, where nobody acts on the answer.

use crate::domain::{Decision, PolicyName, Question};
use crate::policy::case::{Answer, Case};
use crate::policy::runtime::configured::Answerer;
use crate::policy::runtime::conversions::Failing;
use crate::policy::runtime::decide::Outcome;
use crate::policy::runtime::guest::Given;
use crate::policy::{Candidate, PolicyHost};

/// A decision that nobody acts on, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The decision; its answer in the words of cases.
    pub decision: Decision<Answer>,
    /// The most memory that the plugin had, in bytes; 0 when it was not asked.
    pub memory_bytes: usize,
}

impl PolicyHost {
    /// Asks what a case asks, with the clock and the seed of the case. Its settings and its policy are the caller's to
    /// apply; a fault is an answer like any other, see [`Answer`].
    pub async fn try_case(&self, policy: &PolicyName, case: &Case) -> Trial {
        let (of, room) = (case.conversation(), &self.0);
        let given = Given { now: case.now(), seed: case.seed().to_owned() };
        let mut memory_bytes = 0;
        let bytes = &mut memory_bytes;
        let decision = match case.question {
            Question::Route => {
                let ask = async |asked: &Answerer, given| seen(bytes, asked.route(&room.sandbox, given, &of).await);
                self.decide(policy, case.question, given, ask).await.map(Answer::from)
            }
            Question::Search => {
                let ask = async |asked: &Answerer, given| seen(bytes, asked.search(&room.sandbox, given, &of).await);
                self.decide(policy, case.question, given, ask).await.map(Answer::from)
            }
            Question::Choose => {
                let found = case.found();
                let ask =
                    async |asked: &Answerer, given| seen(bytes, asked.choose(&room.sandbox, given, &of, &found).await);
                self.decide(policy, case.question, given, ask).await.map(Answer::from)
            }
            Question::Judge => {
                let (refusal, attempt, first_seen) = case.failure();
                let failing = Failing { refusal: &refusal, attempt, first_seen, conversation: &of };
                let ask = async |asked: &Answerer, given| seen(bytes, asked.judge(&room.sandbox, given, failing).await);
                self.decide(policy, case.question, given, ask).await.map(Answer::from)
            }
        };
        Trial { decision, memory_bytes }
    }
}

impl Candidate {
    /// Asks what a case asks, with the clock of the case and the conversation's id as the seed, as a live decision is.
    pub async fn try_case(&self, case: &Case) -> Decision<Answer> {
        let (of, now) = (case.conversation(), case.now());
        match case.question {
            Question::Route => self.route(&of, now).await.map(Answer::from),
            Question::Search => self.search(&of, now).await.map(Answer::from),
            Question::Choose => self.choose(&of, &case.found(), now).await.map(Answer::from),
            Question::Judge => {
                let (refusal, attempt, first_seen) = case.failure();
                let failing = Failing { refusal: &refusal, attempt, first_seen, conversation: &of };
                self.judge(failing, now).await.map(Answer::from)
            }
        }
    }
}

fn seen<T>(bytes: &mut usize, outcome: Outcome<T>) -> Outcome<T> {
    *bytes = outcome.memory_bytes;
    outcome
}
