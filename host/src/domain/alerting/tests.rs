//! The rules of the mails: each as a scenario, and all of them on random weeks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{Class, Condition, Fingerprint, OrgId, PolicyName, PolicyRef, Refusal, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn id(number: u8) -> Fingerprint {
    format!("gr-1{}{}", "a".repeat(19), char::from(b'b' + number)).parse().unwrap()
}

/// An organization, and one recipient who gets every mail.
struct World {
    at: Timestamp,
    state: AlertState,
    now: Situation,
    /// Pending sync errors that somebody asked to try again, by cause.
    by_hand: BTreeMap<u8, u64>,
    /// When a cause was pending last, and until when it escalates.
    pending_until: BTreeMap<u8, Timestamp>,
    escalates_until: BTreeMap<u8, Timestamp>,
    settings: AlertSettings,
    mails: Vec<(Timestamp, Notice)>,
    look_again_at: Option<Timestamp>,
}

impl World {
    fn new() -> Self {
        Self {
            at: Timestamp::from_millis(1_790_000_000_000),
            state: AlertState::default(),
            now: Situation::default(),
            by_hand: BTreeMap::new(),
            pending_until: BTreeMap::new(),
            escalates_until: BTreeMap::new(),
            settings: AlertSettings::default(),
            mails: Vec::new(),
            look_again_at: None,
        }
    }

    fn look(&mut self) {
        for cause in &mut self.now.causes {
            let number = cause.id.as_str().as_bytes()[23].wrapping_sub(b'b');
            let back = self.pending_until.get(&number).is_some_and(|until| cause.pending_since.since(*until) >= DAY);
            cause.condition = match () {
                () if self.escalates_until.get(&number).is_some_and(|until| self.at < *until) => Condition::Escalating,
                () if back && self.at.since(cause.pending_since) < DAY => Condition::Regressed,
                () => Condition::Ongoing,
            };
        }
        for _ in 0..8 {
            let planned = plan(&self.state, &self.now, &self.settings, self.at);
            self.state = planned.state;
            let Some(notice) = planned.notice else {
                assert!(planned.look_again_at.is_none_or(|again| again > self.at));
                self.look_again_at = planned.look_again_at;
                return;
            };
            self.state = std::mem::take(&mut self.state).told(&notice, &self.now);
            self.mails.push((self.at, notice));
        }
        panic!("there is always another notice: {:?}", self.mails.last());
    }

    /// Lets time pass, and looks whenever it was asked to.
    fn pass(&mut self, passed: Duration) {
        let until = self.at.after(passed);
        while let Some(again) = self.look_again_at.filter(|again| *again <= until) {
            self.at = again;
            self.look();
        }
        self.at = until;
        self.look();
    }

    fn come(&mut self, number: u8, count: u64) {
        self.now.counts.pending += count;
        let (at, cause) = (self.at, self.now.causes.iter_mut().find(|cause| cause.id == id(number)));
        match cause {
            Some(cause) => cause.pending += count,
            None => self.now.causes.push(PendingCause {
                id: id(number),
                title: format!("cause {number}"),
                text: String::new(),
                class: Class::Record,
                code: "CODE".to_owned(),
                pending: count,
                first_seen: at,
                last_seen: at,
                pending_since: at,
                condition: Condition::New,
                sample: None,
            }),
        }
        self.look();
    }

    /// Takes a cause away; answers how many were pending.
    fn take(&mut self, number: u8) -> u64 {
        let Some(place) = self.now.causes.iter().position(|cause| cause.id == id(number)) else { return 0 };
        let count = self.now.causes.remove(place).pending;
        self.now.counts.pending -= count;
        self.pending_until.insert(number, self.at);
        count
    }

    fn resolve(&mut self, number: u8) {
        self.now.counts.resolved += self.take(number);
        self.look();
    }

    fn retry_all(&mut self) {
        for number in 0..8 {
            let count = self.take(number);
            if count > 0 {
                *self.by_hand.entry(number).or_default() += count;
                self.now.retrying_by_hand += count;
            }
        }
        self.look();
    }

    fn retries_end(&mut self, mended: bool) {
        self.now.retrying_by_hand = 0;
        for (number, count) in std::mem::take(&mut self.by_hand) {
            if mended {
                self.now.counts.resolved += count;
            } else {
                self.come(number, count);
            }
        }
        self.look();
    }

    fn incident(&mut self, class: Class) {
        let refusal = Refusal::new(class, "CODE", "words").of_org();
        let since = self.now.incident.as_ref().map_or(self.at, |incident| incident.since);
        self.now.incident = Some(OngoingIncident { since, refusal, next_probe_at: self.at.after(MINUTE), waiting: 5 });
        self.look();
    }

    fn incident_ends(&mut self) {
        self.now.incident = None;
        self.look();
    }

    fn restart(&mut self) {
        let stored = serde_json::to_string(&self.state).unwrap();
        self.state = serde_json::from_str(&stored).unwrap();
    }

    /// One word for each mail so far.
    fn said(&self) -> Vec<String> {
        let word = |(_, notice): &(Timestamp, Notice)| match &notice.news {
            News::Causes { new, known } => format!("causes {} {}", new.len(), known.len()),
            News::IncidentBegan(incident) => format!("began {}", incident.refusal.class),
            News::IncidentEnded(_) => "ended".to_owned(),
            News::RolledBack(_) => "rolled back".to_owned(),
            News::Standstill { .. } => "standstill".to_owned(),
            News::Reminder { causes, incident } => format!("reminder {} {}", causes.len(), incident.is_some()),
            News::AllClear { resolved, ignored, .. } => format!("all clear {resolved} {ignored}"),
        };
        self.mails.iter().map(word).collect()
    }
}

#[test]
fn one_bad_deploy_is_one_mail() {
    let mut world = World::new();
    for number in 0..5 {
        world.come(number, 100);
        world.pass(10 * SECOND);
    }
    assert!(world.mails.is_empty(), "causes are gathered for a minute");
    world.come(0, 900);
    world.pass(10 * SECOND);
    assert_eq!(world.said(), ["causes 5 0"]);
    let News::Causes { new, .. } = &world.mails[0].1.news else { panic!("{:?}", world.mails) };
    assert_eq!(new[0].pending, 1000, "most conversations first");
    world.pass(HOUR);
    world.come(6, 1);
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 5 0", "causes 1 5"], "another cause is told although others are pending");
}

#[test]
fn a_retry_of_everything_before_the_cause_is_mended_sends_no_mail_at_all() {
    let mut world = World::new();
    world.come(0, 148);
    world.pass(MINUTE);
    for _ in 0..3 {
        world.retry_all();
        world.pass(10 * MINUTE);
        world.retries_end(false);
        world.pass(10 * MINUTE);
    }
    assert_eq!(world.said(), ["causes 1 0"]);
    world.retry_all();
    world.retries_end(true);
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["causes 1 0", "all clear 148 0"]);
    assert_eq!(world.mails[1].1.replies_to, Some(world.mails[0].1.id));
}

#[test]
fn a_dead_token_and_a_used_up_limit_are_told_at_once_although_an_old_error_is_pending() {
    for class in [Class::Auth, Class::Limit, Class::Config] {
        let mut world = World::new();
        world.come(0, 1);
        world.pass(2 * HOUR);
        world.incident(class);
        assert_eq!(world.said(), ["causes 1 0".to_owned(), format!("began {class}")]);
    }
}

#[test]
fn an_outage_is_told_after_three_minutes_and_its_end_once_it_lasted_a_minute() {
    let mut world = World::new();
    world.incident(Class::Transient);
    world.pass(179 * SECOND);
    world.incident_ends();
    world.pass(HOUR);
    assert!(world.mails.is_empty(), "a short one is not told");
    world.incident(Class::Transient);
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["began transient"]);
    world.incident_ends();
    world.pass(59 * SECOND);
    world.incident(Class::Transient);
    world.pass(MINUTE);
    assert_eq!(world.said().len(), 1, "it is the same one still");
    world.incident(Class::Auth);
    world.incident_ends();
    world.pass(MINUTE);
    assert_eq!(world.said(), ["began transient", "began auth", "ended"]);
    let first = Some(world.mails[0].1.id);
    assert!(world.mails[1..].iter().all(|(_, notice)| notice.replies_to == first), "one thread");
}

#[test]
fn an_incident_that_comes_and_goes_is_told_less_and_less_often() {
    let mut world = World::new();
    for _ in 0..(4 * 20) {
        world.incident(Class::Auth);
        world.pass(2 * MINUTE);
        world.incident_ends();
        world.pass(MINUTE);
    }
    assert_eq!(world.said(), ["began auth", "ended"]);
    world.incident(Class::Auth);
    world.pass(12 * MINUTE);
    assert_eq!(world.said().len(), 3, "but one that stays is told");
}

#[test]
fn a_cause_is_quiet_for_four_hours_and_told_again_when_it_is_back_after_the_all_clear() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(10 * MINUTE);
    world.come(0, 1);
    world.pass(3 * HOUR);
    assert_eq!(world.said(), ["causes 1 0", "all clear 1 0"]);
    world.pass(HOUR);
    assert_eq!(world.said(), ["causes 1 0", "all clear 1 0", "causes 1 0"]);
    assert_eq!(world.mails[2].1.replies_to, Some(world.mails[0].1.id));
}

#[test]
fn a_cause_that_regresses_or_escalates_is_told_again() {
    let mut world = World::new();
    world.come(0, 1);
    world.come(1, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(25 * HOUR);
    world.come(0, 1);
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 2 0", "reminder 1 false", "causes 1 1"]);
    world.pass(4 * HOUR);
    world.escalates_until.insert(1, world.at.after(HOUR));
    world.look();
    assert_eq!(world.said().last().unwrap(), "causes 1 1");
    world.pass(HOUR);
    assert_eq!(world.said().len(), 4);
}

#[test]
fn one_reminder_a_day_goes_out_while_something_waits_for_a_person() {
    let mut world = World::new();
    world.come(0, 1);
    world.incident(Class::Auth);
    world.pass(3 * DAY - HOUR);
    let said = ["began auth", "causes 1 0", "reminder 1 true", "reminder 1 true"];
    assert_eq!(world.said(), said);
    world.resolve(0);
    world.pass(DAY);
    assert_eq!(world.said().last().unwrap(), "reminder 0 true");
    world.incident_ends();
    world.pass(7 * DAY);
    assert_eq!(world.said()[5..], ["ended", "all clear 1 0"]);
}

#[test]
fn a_standstill_of_an_hour_is_told_once_and_one_at_an_incident_never() {
    let mut world = World::new();
    world.now.could_move = true;
    world.now.oldest_unsynced = Some(world.at);
    world.pass(59 * MINUTE);
    world.now.moved_at = Some(world.at);
    world.pass(59 * MINUTE);
    assert!(world.mails.is_empty());
    world.pass(9 * HOUR);
    assert_eq!(world.said(), ["standstill"]);
    world.now.could_move = false;
    world.pass(9 * HOUR);
    world.now.could_move = true;
    world.pass(59 * MINUTE);
    assert_eq!(world.said(), ["standstill"], "what waited because it had to did not stand still");
}

#[test]
fn what_is_pending_without_a_known_cause_is_told_too() {
    let mut world = World::new();
    world.now.counts.pending = 3;
    world.look();
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 1 0"]);
    world.now.counts.pending = 0;
    world.now.counts.ignored = 3;
    world.look();
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["causes 1 0", "all clear 0 3"]);
}

#[test]
fn a_rollback_is_told_once() {
    let mut world = World::new();
    let policy = PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 2 };
    world.now.rollback = Some(Rollback { policy, back_to: 1, reason: "worse".to_owned(), at: world.at });
    world.look();
    world.restart();
    world.pass(30 * DAY);
    assert_eq!(world.said(), ["rolled back"]);
}

#[test]
fn a_cause_that_was_quiet_for_fourteen_days_is_forgotten() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(13 * DAY);
    assert_eq!(world.state.causes.len(), 1);
    world.pass(DAY);
    assert!(world.state.causes.is_empty());
    assert!(serde_json::to_string(&world.state).unwrap().len() < 60);
}

#[test]
fn a_clock_that_was_years_ahead_for_a_moment_keeps_nobody_uninformed() {
    let mut world = World::new();
    let before = world.at;
    world.at = before.after(1000 * DAY);
    world.come(0, 1);
    world.incident(Class::Auth);
    world.pass(MINUTE);
    world.incident_ends();
    world.at = before;
    world.look();
    world.resolve(0);
    world.pass(5 * MINUTE);
    world.come(0, 1);
    world.pass(4 * HOUR);
    world.incident(Class::Auth);
    world.pass(4 * HOUR);
    assert_eq!(world.said(), ["began auth", "causes 1 0", "ended", "all clear 1 0", "causes 1 0", "began auth"]);
}

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
                News::RolledBack(_) | News::Standstill { .. } => prop_assert!(false, "nothing of that happened"),
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

#[test]
fn what_a_recipient_knows_is_bounded() {
    let mut world = World::new();
    let org = OrgId::new("acme").unwrap();
    for number in 0..3_u32 {
        let causes = (0..600).map(|own| {
            let refusal = Refusal::new(Class::Record, &format!("CODE_{number}_{own}"), "words");
            let mut group = crate::domain::Group::new(&crate::domain::Cause::new(&org, &refusal), world.at);
            group.pending_since = Some(world.at);
            group.counts.pending = 1;
            PendingCause::of(&group, world.at).unwrap()
        });
        world.now.causes = causes.collect();
        world.now.counts.pending = 600;
        world.look();
        world.pass(MINUTE);
    }
    assert_eq!((world.said().len(), world.state.causes.len()), (3, 1000));
    assert!(serde_json::to_string(&world.state).unwrap().len() < 120_000);
}
