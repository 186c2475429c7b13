//! The ways into a component: where its exports are, whichever version of the interface it was built against.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::policy::component::compatibility as fit;
use crate::policy::revision::manifest::Part;
use crate::policy::runtime::bindings::switchyard::policy::types;
use crate::policy::runtime::guest::Guest;

/// The versions that plugins may be built against, oldest first.
pub(crate) const VERSIONS: [&str; 2] = [fit::VERSIONS[0].0, fit::VERSIONS[1].0];

/// Where a component's exports are; each component has its own.
#[derive(Clone)]
pub(crate) enum Doors {
    V0_1(v0_1::Doors),
    V0_2(v0_2::Doors),
}

/// What came of a question: the engine's failure, the policy's no, or an answer.
pub(crate) type Asked<T> = wasmtime::Result<Result<T, types::Refusal>>;

/// The doors of one version; the versions differ in the names of the exports alone.
macro_rules! doors {
    ($version:ident, $($exports:ident)::+) => {
        pub(crate) mod $version {
            use super::*;
            use crate::policy::runtime::bindings::$($exports)::+::switchyard::policy::{contacts, errors, lifecycle, routing};

            #[derive(Clone)]
            pub(crate) struct Doors {
                lifecycle: lifecycle::GuestIndices,
                routing: Option<routing::GuestIndices>,
                contacts: Option<contacts::GuestIndices>,
                errors: Option<errors::GuestIndices>,
            }

            impl Doors {
                pub(crate) fn new(pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
                    Ok(Self {
                        lifecycle: lifecycle::GuestIndices::new(pre)?,
                        routing: routing::GuestIndices::new(pre).ok(),
                        contacts: contacts::GuestIndices::new(pre).ok(),
                        errors: errors::GuestIndices::new(pre).ok(),
                    })
                }

                pub(crate) fn has(&self, part: Part) -> bool {
                    match part {
                        Part::Routing => self.routing.is_some(),
                        Part::Contacts => self.contacts.is_some(),
                        Part::Errors => self.errors.is_some(),
                    }
                }

                pub(crate) async fn configure(
                    &self, store: &mut Store<Guest>, instance: &Instance, settings: &str,
                ) -> wasmtime::Result<Result<(), Vec<types::Problem>>> {
                    self.lifecycle.load(&mut *store, instance)?.call_configure(store, settings).await
                }

                pub(crate) async fn route(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                ) -> Asked<types::Destination> {
                    let Some(door) = &self.routing else { return missing() };
                    door.load(&mut *store, instance)?.call_route(store, of).await
                }

                pub(crate) async fn search(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                ) -> Asked<Vec<types::ContactSearch>> {
                    let Some(door) = &self.contacts else { return missing() };
                    door.load(&mut *store, instance)?.call_search(store, of).await
                }

                pub(crate) async fn choose(
                    &self, store: &mut Store<Guest>, instance: &Instance, of: types::Conversation<'_>,
                    found: &[types::Contact<'_>],
                ) -> Asked<types::Link> {
                    let Some(door) = &self.contacts else { return missing() };
                    door.load(&mut *store, instance)?.call_choose(store, of, found).await
                }

                pub(crate) async fn judge(
                    &self, store: &mut Store<Guest>, instance: &Instance, error: types::SyncError<'_>,
                ) -> Asked<types::Verdict> {
                    let Some(door) = &self.errors else { return missing() };
                    door.load(&mut *store, instance)?.call_judge(store, error).await
                }
            }
        }
    };
}

doors!(v0_1, v0_1::exports);
doors!(v0_2, exports);

/// Asks whichever version there is.
macro_rules! whichever {
    ($doors:expr, $one:ident => $ask:expr) => {
        match $doors {
            Doors::V0_1($one) => $ask,
            Doors::V0_2($one) => $ask,
        }
    };
}

impl Doors {
    /// The doors of a component that was built against this version.
    pub(crate) fn new(version: &str, pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
        if version == VERSIONS[0] {
            v0_1::Doors::new(pre).map(Self::V0_1)
        } else {
            v0_2::Doors::new(pre).map(Self::V0_2)
        }
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        whichever!(self, doors => doors.has(part))
    }

    pub(crate) async fn configure(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        settings: &str,
    ) -> wasmtime::Result<Result<(), Vec<types::Problem>>> {
        whichever!(self, doors => doors.configure(store, instance, settings).await)
    }

    pub(crate) async fn route(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
    ) -> Asked<types::Destination> {
        whichever!(self, doors => doors.route(store, instance, of).await)
    }

    pub(crate) async fn search(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
    ) -> Asked<Vec<types::ContactSearch>> {
        whichever!(self, doors => doors.search(store, instance, of).await)
    }

    pub(crate) async fn choose(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        of: types::Conversation<'_>,
        found: &[types::Contact<'_>],
    ) -> Asked<types::Link> {
        whichever!(self, doors => doors.choose(store, instance, of, found).await)
    }

    pub(crate) async fn judge(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        error: types::SyncError<'_>,
    ) -> Asked<types::Verdict> {
        whichever!(self, doors => doors.judge(store, instance, error).await)
    }
}

/// The host asks only those who answer.
fn missing<T>() -> wasmtime::Result<T> {
    wasmtime::bail!("it does not answer this question")
}
