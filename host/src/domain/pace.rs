//! How an organization slows when most of its calls of 24 hours are used: in waves, each paid for before the next.

use std::time::Duration;

use super::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A wave has no more conversations than calls are earned in this part of a day: a quarter of an hour.
const WAVES_A_DAY: u64 = 96;
/// What is left is known from answers only: after so long, another wave finds out.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// An organization's calls within 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Those that were made, by whomever.
    pub used: u64,
    /// The most that may be.
    pub allowed: u64,
}

impl Quota {
    /// Whether so large a share of them (0 to 1) is used that the organization slows.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "no organization has so many calls that their share is not exact enough"
    )]
    pub fn slows_at(self, share: f64) -> bool {
        self.used as f64 >= self.allowed as f64 * share
    }

    /// One at least, so that it can be divided by.
    fn left(self) -> u64 {
        self.allowed.saturating_sub(self.used).max(1)
    }
}

/// The pace of an organization that slows. One wave is on its way at a time. The next one begins when what it took is
/// paid for: each call costs as long as it may, if those that are left are to last for 24 hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pace {
    /// When the newest wave began, and how many calls had been made by then.
    wave: Option<(Timestamp, u64)>,
}

impl Pace {
    /// A wave begins, after so many calls in all.
    pub fn begin(&mut self, calls: u64, now: Timestamp) {
        self.wave = Some((now, calls));
    }

    /// When the next wave may begin, if so many calls were made in all.
    #[must_use]
    pub fn next(&self, quota: Quota, calls: u64, now: Timestamp) -> Timestamp {
        let Some((began, before)) = self.wave else { return Timestamp::default() };
        // A wave that began later than now began by a clock that went back since.
        let began = began.min(now);
        let taken = u128::from(calls.saturating_sub(before));
        let millis = DAY.as_millis() * taken / u128::from(quota.left());
        began.after(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).min(LONGEST))
    }

    /// The most conversations of a wave.
    #[must_use]
    pub fn size(quota: Quota) -> usize {
        usize::try_from((quota.left() / WAVES_A_DAY).max(1)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_organization_slows_from_its_share_on() {
        let quota = |used| Quota { used, allowed: 1000 };
        assert!(!quota(799).slows_at(0.8) && quota(800).slows_at(0.8) && quota(1001).slows_at(0.8));
        assert!(!quota(999).slows_at(1.0) && quota(1000).slows_at(1.0));
    }

    #[test]
    fn a_wave_is_paid_for_before_the_next() {
        let (mut pace, now) = (Pace::default(), Timestamp::from_millis(5_000));
        let quota = Quota { used: 85_600, allowed: 100_000 };
        assert!(pace.next(quota, 7, now) <= now, "the first one costs nothing");
        pace.begin(7, now);
        assert_eq!(pace.next(quota, 7, now), now, "nothing was sent");
        assert_eq!(pace.next(quota, 17, now), now.after(Duration::from_secs(60)), "6 seconds for each of 10 calls");
        assert_eq!(Pace::size(quota), 150);
        let spent = Quota { used: 100_000, allowed: 100_000 };
        assert_eq!((pace.next(spent, 8, now), Pace::size(spent)), (now.after(Duration::from_secs(3_600)), 1));
    }

    proptest! {
        #[test]
        fn what_is_left_lasts_for_a_day(left in 100..50_000_u64, costs in prop::collection::vec(1..=4_u64, 1..20)) {
            let (mut pace, mut now, mut made, mut costs) =
                (Pace::default(), Timestamp::from_millis(0), 0, costs.into_iter().cycle());
            // Nobody else calls, and no call is forgotten within the day: the worst that can be.
            while made < left && now.as_millis() < 86_400_000 {
                let quota = Quota { used: 100_000 + made, allowed: 100_000 + left };
                now = now.max(pace.next(quota, made, now));
                if now.as_millis() >= 86_400_000 {
                    break;
                }
                pace.begin(made, now);
                // Each conversation costs a search, and the wave some calls to write.
                made += Pace::size(quota) as u64 + costs.next().unwrap();
            }
            prop_assert!(now.as_millis() >= 86_400_000 || left - made.min(left) < 100, "{made} of {left} by {now}");
        }
    }
}
