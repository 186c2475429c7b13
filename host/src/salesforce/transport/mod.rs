//! Calls of the REST API, and the tokens that go with them.

mod authorize;
mod grant;
mod granted;
mod measured;
mod places;
mod rest;
mod scrub;
mod session;

pub use authorize::Authorization;
#[cfg(any(test, fuzzing))]
pub(super) use granted::granted;
pub(super) use rest::{Accepted, Call, Transport};
pub use session::{Keeping, OnRotated};
