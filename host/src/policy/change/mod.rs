//! Which revision of a policy decides, and how that changes: tried beside it, put in force, compared, and perhaps taken back.

mod apply;
mod candidate;
mod current;
mod guard;
mod history_store;
mod kept_candidate;
mod plugin_updates;
mod policies;
mod policy;
mod retiring;
mod rollback;
mod shadow;
mod shadowing;
mod snapshotting;
mod status;

pub(crate) use apply::Changes;
pub use candidate::{Candidate, Difference, difference, shown};
pub use guard::RolledBack;
pub use history_store::{HistoryStore, Keep};
pub(crate) use kept_candidate::KeptCandidate;
pub(crate) use policies::{Decider, Policies};
pub use shadow::ShadowStatus;
pub(crate) use snapshotting::Snapshotting;
pub use status::{AnsweredBy, InForce, PolicyStatus};
