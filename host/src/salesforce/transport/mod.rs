//! Calls of the REST API, and the tokens that go with them.

pub(crate) mod authorize;
pub(crate) mod grant;
pub(crate) mod rest;
pub(crate) mod session;
