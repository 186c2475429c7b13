//! The exports of a component that the host calls, whichever version of the interface it was built against.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::bindings::switchyard::policy::types;
use super::guest::Guest;
use crate::policy::component::{Part, VERSIONS};

/// Where a component's exports are; each component has its own.
#[derive(Clone)]
pub(super) enum Exports {
    V0_1(v0_1::Exports),
    V0_2(v0_2::Exports),
}

/// What came of calling an export: the engine's failure, the policy's refusal, or an answer.
pub(super) type CallResult<T> = wasmtime::Result<Result<T, types::Refusal>>;

/// The exports of one version; the versions differ in the names alone.
macro_rules! exports {
    ($version:ident, $($bindings:ident)::+) => {
        pub(super) mod $version {
            use super::*;
            use super::super::bindings::$($bindings)::+::switchyard::policy::{contacts, errors, lifecycle, routing};

            #[derive(Clone)]
            pub(in super::super) struct Exports {
                lifecycle: lifecycle::GuestIndices,
                routing: Option<routing::GuestIndices>,
                contacts: Option<contacts::GuestIndices>,
                errors: Option<errors::GuestIndices>,
            }

            impl Exports {
                pub(super) fn new(pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
                    Ok(Self {
                        lifecycle: lifecycle::GuestIndices::new(pre)?,
                        routing: routing::GuestIndices::new(pre).ok(),
                        contacts: contacts::GuestIndices::new(pre).ok(),
                        errors: errors::GuestIndices::new(pre).ok(),
                    })
                }

                pub(super) fn has(&self, part: Part) -> bool {
                    match part {
                        Part::Routing => self.routing.is_some(),
                        Part::Contacts => self.contacts.is_some(),
                        Part::Errors => self.errors.is_some(),
                    }
                }

                pub(super) async fn configure(
                    &self, store: &mut Store<Guest>, instance: &Instance, settings: &str,
                ) -> wasmtime::Result<Result<(), Vec<types::Problem>>> {
                    self.lifecycle.load(&mut *store, instance)?.call_configure(store, settings).await
                }

                pub(super) async fn route(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                ) -> CallResult<types::Destination> {
                    let Some(indices) = &self.routing else { return missing() };
                    indices.load(&mut *store, instance)?.call_route(store, of).await
                }

                pub(super) async fn search(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                ) -> CallResult<Vec<types::ContactSearch>> {
                    let Some(indices) = &self.contacts else { return missing() };
                    indices.load(&mut *store, instance)?.call_search(store, of).await
                }

                pub(super) async fn choose(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                    found: &[types::Contact<'_>],
                ) -> CallResult<types::Link> {
                    let Some(indices) = &self.contacts else { return missing() };
                    indices.load(&mut *store, instance)?.call_choose(store, of, found).await
                }

                pub(super) async fn judge(
                    &self, store: &mut Store<Guest>, instance: &Instance, error: types::SyncError<'_>,
                ) -> CallResult<types::Verdict> {
                    let Some(indices) = &self.errors else { return missing() };
                    indices.load(&mut *store, instance)?.call_judge(store, error).await
                }
            }
        }
    };
}

exports!(v0_1, v0_1::exports);
exports!(v0_2, exports);

/// Calls the exports of the version that there is.
macro_rules! of_either_version {
    ($exports:expr, $one:ident => $call:expr) => {
        match $exports {
            Exports::V0_1($one) => $call,
            Exports::V0_2($one) => $call,
        }
    };
}

impl Exports {
    /// Where the exports of a component are that was built against this version.
    pub(super) fn new(version: &str, pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
        if version == VERSIONS[0].0 {
            v0_1::Exports::new(pre).map(Self::V0_1)
        } else {
            v0_2::Exports::new(pre).map(Self::V0_2)
        }
    }

    pub(super) fn has(&self, part: Part) -> bool {
        of_either_version!(self, exports => exports.has(part))
    }

    pub(super) async fn configure(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        settings: &str,
    ) -> wasmtime::Result<Result<(), Vec<types::Problem>>> {
        of_either_version!(self, exports => exports.configure(store, instance, settings).await)
    }

    pub(super) async fn route(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
    ) -> CallResult<types::Destination> {
        of_either_version!(self, exports => exports.route(store, instance, of).await)
    }

    pub(super) async fn search(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
    ) -> CallResult<Vec<types::ContactSearch>> {
        of_either_version!(self, exports => exports.search(store, instance, of).await)
    }

    pub(super) async fn choose(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
        found: &[types::Contact<'_>],
    ) -> CallResult<types::Link> {
        of_either_version!(self, exports => exports.choose(store, instance, of, found).await)
    }

    pub(super) async fn judge(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        error: types::SyncError<'_>,
    ) -> CallResult<types::Verdict> {
        of_either_version!(self, exports => exports.judge(store, instance, error).await)
    }
}

/// The host asks only those who answer.
fn missing<T>() -> wasmtime::Result<T> {
    wasmtime::bail!("it does not answer this question")
}
