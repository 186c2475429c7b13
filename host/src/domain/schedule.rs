//! When a failed delivery is tried again by itself, and when it waits for a person.

use std::time::Duration;

use super::{Class, Timestamp, Verdict};

/// What happens after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Tried again by itself, not before this time.
    RetryAt(Timestamp),
    /// Waits for a person.
    Hold,
    /// On record as ignored, and why.
    Ignore(String),
}

/// The first wait, the longest wait and the number of tries of a class that passes by itself.
const fn terms(class: Class) -> Option<(Duration, Duration, u32)> {
    match class {
        Class::Transient => Some((Duration::from_secs(1), Duration::from_secs(300), 12)),
        Class::Limit => Some((Duration::from_secs(60), Duration::from_secs(3600), 48)),
        Class::Ordering => Some((Duration::from_secs(2), Duration::from_secs(60), 6)),
        Class::Auth
        | Class::Config
        | Class::Record
        | Class::Request
        | Class::Contact
        | Class::Policy
        | Class::Unclassified => None,
    }
}

/// Plans what follows attempt number `attempt` (1 for the first).
///
/// `jitter` is a random number in thousandths (0 to 999) and moves the wait by up to half of it in either direction,
/// so that what failed together is not tried together.
#[must_use]
pub fn plan(verdict: &Verdict, class: Class, attempt: u32, jitter: u16, now: Timestamp) -> Plan {
    match verdict {
        Verdict::Ignore(reason) => Plan::Ignore(reason.clone()),
        Verdict::Hold => Plan::Hold,
        Verdict::RetryAfter(seconds) => Plan::RetryAt(now.after(Duration::from_secs(u64::from(*seconds)))),
        Verdict::AsUsual => match terms(class) {
            Some((first, longest, tries)) if attempt < tries => {
                let wait = first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(longest);
                let spread = wait * u32::from(jitter.min(999)) / 1000;
                Plan::RetryAt(now.after(wait / 2 + spread))
            }
            _ => Plan::Hold,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_lock_is_tried_again_with_growing_waits_and_at_last_held() {
        let now = Timestamp::from_millis(0);
        let waits: Vec<_> =
            (1..=12).map(|attempt| plan(&Verdict::AsUsual, Class::Transient, attempt, 500, now)).collect();
        assert_eq!(waits[0], Plan::RetryAt(Timestamp::from_millis(1_000)));
        assert_eq!(waits[3], Plan::RetryAt(Timestamp::from_millis(8_000)));
        assert_eq!(waits[11], Plan::Hold);
    }

    #[test]
    fn the_jitter_stays_within_half_of_the_wait() {
        for jitter in 0..1000 {
            let Plan::RetryAt(at) = plan(&Verdict::AsUsual, Class::Transient, 2, jitter, Timestamp::default()) else {
                panic!("a transient failure is retried");
            };
            assert!((1_000..=3_000).contains(&at.as_millis()), "{at}");
        }
    }

    #[test]
    fn what_needs_a_person_waits_for_one_unless_the_policy_says_otherwise() {
        let now = Timestamp::from_millis(5);
        assert_eq!(plan(&Verdict::AsUsual, Class::Config, 1, 0, now), Plan::Hold);
        assert_eq!(
            plan(&Verdict::RetryAfter(2), Class::Config, 9, 0, now),
            Plan::RetryAt(Timestamp::from_millis(2_005))
        );
        assert_eq!(plan(&Verdict::Ignore("spam".into()), Class::Auth, 1, 0, now), Plan::Ignore("spam".into()));
    }
}
