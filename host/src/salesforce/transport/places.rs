//! Places for calls, whose number can change while some are taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

/// Places for calls.
pub(super) struct Places {
    free: Semaphore,
    stand: Mutex<Stand>,
}

struct Stand {
    most: usize,
    /// Places that are taken and are to go when they are left.
    excess: usize,
}

/// A place that is taken.
pub(super) struct Place<'a>(&'a Places);

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { free: Semaphore::new(most), stand: Mutex::new(Stand { most, excess: 0 }) }
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place<'_> {
        // It is never closed, so waiting for a permit ends in having one.
        if let Ok(permit) = self.free.acquire().await {
            permit.forget();
        }
        Place(self)
    }

    /// From now on there are so many. What is taken stays so until it is left.
    pub(super) fn resize(&self, most: usize) {
        let mut stand = self.stand();
        if most >= stand.most {
            let more = most - stand.most;
            let kept = more.min(stand.excess);
            stand.excess -= kept;
            self.free.add_permits(more - kept);
        } else {
            let less = stand.most - most;
            stand.excess += less - self.free.forget_permits(less);
        }
        stand.most = most;
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut stand = self.0.stand();
        match stand.excess {
            0 => self.0.free.add_permits(1),
            _ => stand.excess -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_many_are_taken_as_there_are_places_and_none_is_lost_by_a_change(
            steps in prop::collection::vec((0..3_u8, 1..6_usize), 1..60),
        ) {
            let (places, mut most, mut taken) = (Places::new(3), 3, Vec::new());
            for (step, number) in steps {
                match step {
                    0 => {
                        let place = places.take().now_or_never();
                        prop_assert_eq!(place.is_some(), taken.len() < most);
                        taken.extend(place);
                    }
                    1 => drop(taken.pop()),
                    _ => {
                        places.resize(number);
                        most = number;
                    }
                }
            }
        }
    }
}
