//! All rules on random weeks: nobody is left uninformed, and nobody hears anything twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::world::{DAY, HOUR, MINUTE, World};
use crate::domain::alerting::{News, PendingCause};
use crate::domain::{Class, Fingerprint, Timestamp};

#[derive(Debug, Clone)]
enum Happens {
    Come(u8, u64),
    Resolve(u8),
    RetryAll,
    RetriesEnd(bool),
    Incident(Class),
    IncidentEnds,
    Escalates(u8),
    Restart,
}

fn weeks() -> impl Strategy<Value = Vec<(Happens, u64)>> {
    let class = prop::sample::select(vec![Class::Transient, Class::Auth, Class::Limit]);
    let happens = prop_oneof![
        4 => (0..4_u8, 1..50_u64).prop_map(|(number, count)| Happens::Come(number, count)),
        4 => (0..4_u8).prop_map(Happens::Resolve),
        1 => Just(Happens::RetryAll),
        2 => any::<bool>().prop_map(Happens::RetriesEnd),
        2 => class.prop_map(Happens::Incident),
        2 => Just(Happens::IncidentEnds),
        1 => (0..4_u8).prop_map(Happens::Escalates),
        1 => Just(Happens::Restart),
    ];
    // From a second to days.
    let passed = prop_oneof![3 => 0..90_u64, 3 => 60..1_000_u64, 2 => 1_000..20_000_u64, 1 => 20_000..300_000_u64];
    prop::collection::vec((happens, passed), 1..120)
}

/// What a recipient believes who has read all mails, and what the rules say of that.
#[derive(Default)]
struct Reader {
    read: usize,
    /// The causes that were named since the last all-clear.
    believed: BTreeSet<Fingerprint>,
    /// When each cause was named, and when it was what a mail was sent for.
    named_at: BTreeMap<Fingerprint, Timestamp>,
    news_at: BTreeMap<Fingerprint, Timestamp>,
    /// When something was last said of what waits.
    listed_at: Option<Timestamp>,
    reminded_at: Option<Timestamp>,
    incident: BTreeSet<Class>,
    told_at: BTreeMap<Class, Timestamp>,
    all_clear: bool,
    clear_since: Option<Timestamp>,
    quiet_since: Option<Timestamp>,
    class_since: Option<(Class, Timestamp)>,
}

impl Reader {
    fn read(&mut self, world: &World) -> Result<(), TestCaseError> {
        let quiet = 4 * HOUR;
        let clear = world.now.counts.pending + world.now.retrying_by_hand == 0 && world.now.incident.is_none();
        self.clear_since = self.clear_since.filter(|_| clear).or(clear.then_some(world.at));
        let calm = world.now.incident.is_none();
        self.quiet_since = self.quiet_since.filter(|_| calm).or(calm.then_some(world.at));
        let class = world.now.incident.as_ref().map(|incident| incident.refusal.class);
        if self.class_since.map(|(class, _)| class) != class {
            self.class_since = class.map(|class| (class, world.at));
        }
        for (at, notice) in &world.mails[self.read..] {
            let at = *at;
            match &notice.news {
                News::Causes { new, known } => {
                    prop_assert!(!new.is_empty());
                    for cause in new {
                        let before = self.news_at.insert(cause.id.clone(), at);
                        prop_assert!(
                            before.is_none_or(|before| at.since(before) >= quiet),
                            "twice within the quiet time"
                        );
                    }
                    self.list(new.iter().chain(known), at);
                    self.all_clear = false;
                }
                News::Reminder { causes, incident } => {
                    prop_assert!(!causes.is_empty() || incident.is_some());
                    prop_assert!(self.reminded_at.is_none_or(|before| at.since(before) >= DAY), "two in a day");
                    self.reminded_at = Some(at);
                    self.list(causes.iter(), at);
                }
                News::IncidentBegan(incident) => {
                    prop_assert!(self.incident.insert(incident.refusal.class), "told twice");
                    self.told_at.insert(incident.refusal.class, at);
                }
                News::IncidentEnded(_) => {
                    prop_assert!(!std::mem::take(&mut self.incident).is_empty(), "an end without a beginning");
                    prop_assert!(self.quiet_since.is_some_and(|since| at.since(since) >= MINUTE), "it had just ended");
                }
                News::AllClear { .. } => {
                    prop_assert!(!std::mem::replace(&mut self.all_clear, true), "an all-clear without a mail before");
                    prop_assert!(
                        self.clear_since.is_some_and(|since| at.since(since) >= 3 * MINUTE),
                        "not clear for long"
                    );
                    self.believed.clear();
                }
                News::RolledBack(_)
                | News::Braked(_)
                | News::Standstill { .. }
                | News::MovesAgain { .. }
                | News::SourceSilent(_)
                | News::SourceAnswers { .. } => prop_assert!(false, "nothing of that happened"),
            }
        }
        self.read = world.mails.len();
        self.knows(world)
    }

    fn list<'a>(&mut self, causes: impl Iterator<Item = &'a PendingCause>, at: Timestamp) {
        for cause in causes {
            self.believed.insert(cause.id.clone());
            self.named_at.insert(cause.id.clone(), at);
        }
        self.listed_at = Some(at);
    }

    /// Nobody is left uninformed, whatever else is pending.
    fn knows(&self, world: &World) -> Result<(), TestCaseError> {
        let lately = |at: Option<&Timestamp>| at.is_some_and(|at| world.at.since(*at) < 4 * HOUR);
        for cause in &world.now.causes {
            let gathered = world.at.since(cause.pending_since) < MINUTE;
            let informed = self.believed.contains(&cause.id) || lately(self.named_at.get(&cause.id)) || gathered;
            prop_assert!(informed, "{} is pending since {} and nobody heard", cause.title, cause.pending_since);
        }
        if !self.believed.is_empty() && world.now.counts.pending > 0 {
            prop_assert!(self.listed_at.is_some_and(|at| world.at.since(at) <= DAY), "no reminder for a day");
        }
        if let Some((class, since)) = self.class_since {
            let patience = match (self.told_at.get(&class), class) {
                (told, _) if lately(told) => 4 * HOUR,
                (_, Class::Transient) => 3 * MINUTE,
                _ => Duration::ZERO,
            };
            let told = self.incident.contains(&class) || world.at.since(since) < patience;
            prop_assert!(told, "an incident of class {class} since {since} and nobody heard");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_rule_holds_on_random_weeks(weeks in weeks()) {
        let (mut world, mut reader) = (World::new(), Reader::default());
        for (happens, passed) in weeks {
            match happens {
                Happens::Come(number, count) => world.come(number, count),
                Happens::Resolve(number) => world.resolve(number),
                Happens::RetryAll => world.retry_all(),
                Happens::RetriesEnd(mended) => world.retries_end(mended),
                Happens::Incident(class) => world.incident(class),
                Happens::IncidentEnds => world.incident_ends(),
                Happens::Escalates(number) => {
                    world.escalates_until.insert(number, world.at.after(HOUR));
                    world.look();
                }
                Happens::Restart => {
                    let mails = world.mails.len();
                    world.restart();
                    world.look();
                    prop_assert_eq!(world.mails.len(), mails, "a restart repeats nothing");
                }
            }
            reader.read(&world)?;
            let until = world.at.after(Duration::from_secs(passed));
            while let Some(again) = world.look_again_at.filter(|again| *again <= until) {
                world.at = again;
                world.look();
                reader.read(&world)?;
            }
            world.at = until;
            world.look();
            reader.read(&world)?;
            let ids: BTreeSet<_> = world.mails.iter().map(|(_, notice)| notice.id).collect();
            prop_assert_eq!(ids.len(), world.mails.len(), "no two notices have one id");
        }
    }
}
