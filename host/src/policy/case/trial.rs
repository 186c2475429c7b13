//! Asks a policy about a case: for those who write policies, where nobody acts on the answer.

use super::{Case, CaseAnswer};
use crate::domain::{Decision, Question};
use crate::policy::change::Candidate;
use crate::policy::runtime::{Ask, Choose, Failing, Route, Search};

/// A decision that nobody acts on, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The decision; its answer in the words of cases.
    pub decision: Decision<CaseAnswer>,
    /// The most memory that the plugin had, in bytes; 0 when it was not asked.
    pub memory_bytes: usize,
}

/// A policy or a candidate, to be asked any question.
pub(crate) trait Asker: Sync {
    /// Puts a question.
    fn ask<Q: Ask>(&self, question: Q) -> impl Future<Output = Decision<Q::Answer>> + Send;
}

/// Asks what a case asks. Its settings and its policy are the caller's to apply; a fault is an answer like any other, see
/// [`CaseAnswer`].
pub(crate) async fn ask(case: &Case, asker: &impl Asker) -> Decision<CaseAnswer> {
    let of = case.conversation();
    match case.question {
        Question::Route => asker.ask(Route(&of)).await.map(CaseAnswer::from),
        Question::Search => asker.ask(Search(&of)).await.map(CaseAnswer::from),
        Question::Choose => asker.ask(Choose(&of, &case.found())).await.map(CaseAnswer::from),
        Question::Judge => {
            let (refusal, attempt, first_seen) = case.failure();
            let failing = Failing { refusal: &refusal, attempt, first_seen, conversation: &of };
            asker.ask(failing).await.map(CaseAnswer::from)
        }
    }
}

/// A candidate at the time of a case.
struct AtTheTime<'a> {
    candidate: &'a Candidate,
    case: &'a Case,
}

impl Asker for AtTheTime<'_> {
    async fn ask<Q: Ask>(&self, question: Q) -> Decision<Q::Answer> {
        self.candidate.ask(question, self.case.now()).await
    }
}

impl Candidate {
    /// Asks what a case asks, with the clock of the case and the conversation's id as the seed, as a live decision is.
    pub async fn try_case(&self, case: &Case) -> Decision<CaseAnswer> {
        ask(case, &AtTheTime { candidate: self, case }).await
    }
}
