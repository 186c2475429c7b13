//! The candidate that is asked about many conversations, call after call: kept with its snapshots from one call to the next.

use tokio::sync::Mutex;

use super::candidate::Candidate;
use crate::policy::revision::Rejection;

/// One candidate by what it is made of: texts and the name of its policy. Another one takes its place.
#[derive(Default)]
pub(crate) struct KeptCandidate(Mutex<Option<(String, Candidate)>>);

impl KeptCandidate {
    /// The one that is made of this: the kept one, or the one that `make` makes, which is kept from now on.
    pub(crate) async fn get(
        &self,
        made_of: String,
        make: impl Future<Output = Result<Candidate, Rejection>>,
    ) -> Result<Candidate, Rejection> {
        let mut kept = self.0.lock().await;
        if let Some((_, candidate)) = kept.as_ref().filter(|(of, _)| *of == made_of) {
            return Ok(candidate.clone());
        }
        let candidate = make.await?;
        *kept = Some((made_of, candidate.clone()));
        Ok(candidate)
    }

    /// It is needed no more.
    pub(crate) async fn drop_one(&self, made_of: &str) {
        let mut kept = self.0.lock().await;
        kept.take_if(|(of, _)| of == made_of);
    }
}
