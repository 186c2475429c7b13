//! Answers of two policies side by side, counted; and what would become of a sync error by them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::domain::{Conversation, Decision, Fingerprint, OrgId, Question};
use crate::policy::{Difference, difference};

/// Examples that are kept.
const EXAMPLES: usize = 10;

/// Conversations that two policies were asked about.
#[derive(Debug, Default)]
pub struct Compared {
    /// So many there were.
    pub looked_at: u64,
    /// So many of them get another answer to at least one question.
    pub different: u64,
    /// So many would now be answered where they were refused,
    pub answered: u64,
    /// and so many refused where they were answered.
    pub refused: u64,
    /// Different answers by question.
    pub by_question: BTreeMap<String, u64>,
    /// Some of them.
    pub examples: Vec<Difference>,
}

/// What two policies answer to one question about one conversation.
#[derive(Debug)]
pub(super) struct Answers {
    question: Question,
    /// Whether the policy in force has no answer with which the conversation goes on,
    now_refused: bool,
    /// and whether the candidate has none.
    then_refused: bool,
    difference: Option<Difference>,
}

/// What would become of a sync error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The policy in force refuses it, and the candidate has all answers.
    Passes,
    /// The candidate refuses it, or it goes the way on which Salesforce refused it.
    FailsAgain,
    /// It goes another way; only Salesforce can say whether that is open.
    Changes,
}

/// What would become of the sync errors of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedCause {
    /// The cause.
    pub id: Fingerprint,
    /// Its organization.
    pub org: OrgId,
    /// What is wrong, in words for a person.
    pub title: String,
    /// So many of it were looked at.
    pub looked_at: u64,
    /// So many are refused by the policy in force, and the candidate has all answers.
    pub would_pass: u64,
    /// So many the candidate refuses, or sends the way on which they failed.
    pub would_fail_again: u64,
    /// So many get another answer to at least one question.
    pub changed: u64,
}

impl Answers {
    pub(super) fn of<T: Serialize + PartialEq>(of: &Conversation, now: &Decision<T>, then: &Decision<T>) -> Self {
        Self {
            question: now.question,
            now_refused: now.answer.is_err(),
            then_refused: then.answer.is_err(),
            difference: difference(of, now, then),
        }
    }

    /// The same where answers too may keep a conversation from going on.
    pub(super) fn refused_where(mut self, now: bool, then: bool) -> Self {
        self.now_refused |= now;
        self.then_refused |= then;
        self
    }

    pub(super) fn differ(&self) -> bool {
        self.difference.is_some()
    }
}

impl Fate {
    pub(super) fn of(answers: &[Answers]) -> Self {
        let any = |is: fn(&Answers) -> bool| answers.iter().any(is);
        match (any(|it| it.then_refused), any(|it| it.now_refused), any(Answers::differ)) {
            (true, ..) => Self::FailsAgain,
            (false, true, _) => Self::Passes,
            (false, false, true) => Self::Changes,
            (false, false, false) => Self::FailsAgain,
        }
    }
}

impl PreviewedCause {
    pub(super) const fn new(org: OrgId, id: Fingerprint) -> Self {
        Self { id, org, title: String::new(), looked_at: 0, would_pass: 0, would_fail_again: 0, changed: 0 }
    }

    /// Counts one of its sync errors.
    pub(super) fn take(&mut self, fate: Fate, changed: bool) {
        self.looked_at += 1;
        self.would_pass += u64::from(fate == Fate::Passes);
        self.would_fail_again += u64::from(fate == Fate::FailsAgain);
        self.changed += u64::from(changed);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.looked_at += other.looked_at;
        self.would_pass += other.would_pass;
        self.would_fail_again += other.would_fail_again;
        self.changed += other.changed;
    }

    /// Where it stands among others: those of which most would pass come first.
    pub(super) fn rank(&self) -> (Reverse<(u64, u64, u64)>, &OrgId, &Fingerprint) {
        (Reverse((self.would_pass, self.changed, self.looked_at)), &self.org, &self.id)
    }
}

impl Compared {
    /// Counts one conversation.
    pub(super) fn take(&mut self, answers: Vec<Answers>) {
        let failed = |answer: &Value| answer.get("fault").is_some();
        let differences: Vec<_> = answers.into_iter().filter_map(|of| Some((of.question, of.difference?))).collect();
        let any = |is: fn(bool, bool) -> bool| {
            u64::from(differences.iter().any(|(_, it)| is(failed(&it.now), failed(&it.then))))
        };
        self.looked_at += 1;
        self.different += u64::from(!differences.is_empty());
        self.answered += any(|now, then| now && !then);
        self.refused += any(|now, then| !now && then);
        for (question, difference) in differences {
            *self.by_question.entry(question.to_string()).or_default() += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(difference);
            }
        }
    }

    /// Adds the next page.
    pub(super) fn add(&mut self, page: Self) {
        let Self { looked_at, different, answered, refused, by_question, examples } = page;
        self.looked_at += looked_at;
        self.different += different;
        self.answered += answered;
        self.refused += refused;
        for (question, count) in by_question {
            *self.by_question.entry(question).or_default() += count;
        }
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(examples.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::Preview;

    fn answers(now_refused: bool, then_refused: bool, differ: bool) -> Answers {
        let (conversation, question) = ("m:1".to_owned(), Question::Route);
        let shown = |refused: bool, queue: &str| match refused {
            true => json!({ "fault": "NO_QUEUE" }),
            false => json!({ "queue": queue }),
        };
        let (now, then) = (shown(now_refused, "A"), shown(then_refused, "B"));
        let difference = differ.then_some(Difference { conversation, question, now, then });
        Answers { question, now_refused, then_refused, difference }
    }

    #[test]
    fn a_sync_error_would_pass_where_only_the_policy_in_force_refuses_it() {
        let good = || answers(false, false, false);
        for (one, fate) in [
            (answers(true, false, true), Fate::Passes),
            (answers(true, true, false), Fate::FailsAgain),
            (answers(false, true, true), Fate::FailsAgain),
            (answers(false, false, true), Fate::Changes),
            // Salesforce refused what both answer.
            (good(), Fate::FailsAgain),
        ] {
            assert_eq!(Fate::of(&[good(), one]), fate);
        }
        let half = [answers(true, false, true), answers(false, true, true)];
        assert_eq!(Fate::of(&half), Fate::FailsAgain, "one question of two is not enough");
        let ambiguous = answers(false, false, true).refused_where(true, false);
        assert_eq!(Fate::of(&[good(), ambiguous]), Fate::Passes, "a contact is chosen where nobody could tell");
    }

    fn of_cause(digit: &str) -> Fingerprint {
        Fingerprint::unnamed().as_str().replace('a', digit).parse().unwrap()
    }

    #[test]
    fn pages_add_up_to_what_one_page_would_have_said() {
        let (org, [one, other]) = (OrgId::new("acme").unwrap(), ["a", "b"].map(of_cause));
        let page = |causes: &[(&Fingerprint, bool)]| {
            let mut page = Preview { open: 30, ..Preview::default() };
            for (id, passes) in causes {
                let answers = vec![answers(true, !passes, *passes)];
                let mut cause = PreviewedCause::new(org.clone(), (*id).clone());
                cause.take(Fate::of(&answers), *passes);
                page.errors.take(answers);
                page.add(Preview { open: 30, groups: vec![cause], ..Preview::default() });
            }
            page
        };
        let all: Vec<_> = (0..30).map(|n| if n % 3 == 0 { (&one, false) } else { (&other, true) }).collect();
        let whole = page(&all);
        let mut sum = Preview::default();
        all.chunks(7).for_each(|part| sum.add(page(part)));
        assert_eq!((sum.open, sum.errors.looked_at, sum.errors.answered), (30, 30, 20));
        assert_eq!(sum.groups, whole.groups);
        assert_eq!((&sum.groups[0].id, sum.groups[0].would_pass, sum.groups[1].would_fail_again), (&other, 20, 10));
        assert_eq!(sum.errors.examples.len(), EXAMPLES);
        assert_eq!(sum.errors.by_question["route"], 20);
    }
}
