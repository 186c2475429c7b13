//! A plugin: a component that was looked at before anything of it ran.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmtime::component::InstancePre;
use wasmtime_wizer::Wizer;

use super::bindings::exports::switchyard::policy::{contacts, errors, lifecycle, routing};
use super::guest::Guest;
use super::manifest::Part;
use super::sandbox::Sandbox;
use super::{Error, Origin};
use crate::domain::{PluginName, Question};

/// What a component may import: it finds nothing behind most of it, but compilers put it in.
pub(super) const IMPORTS: [&str; 8] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "switchyard:policy/log@",
    "switchyard:policy/types@",
];

/// Why a component that makes Wizer panic cannot be frozen.
pub(super) const PARTS: &str = "it has parts that cannot be frozen";

/// What is known of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginStatus {
    /// Its name; policies refer to it by this.
    pub name: PluginName,
    /// SHA-256 of its file, in hexadecimal.
    pub digest: String,
    /// The size of its file.
    pub bytes: usize,
    /// The questions that it answers.
    pub questions: Vec<Question>,
    /// The interface that it was built against, such as `switchyard:policy@0.1.0`.
    pub interface: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A plugin that is ready to be configured.
pub(super) struct Plugin {
    pub(super) status: PluginStatus,
    pub(super) bytes: Vec<u8>,
    /// Instrumented, where it can be frozen.
    pub(super) pre: InstancePre<Guest>,
    /// Why it cannot be frozen, where it cannot.
    pub(super) freezable: Result<(), String>,
}

impl Plugin {
    /// Looks at a component and compiles it: for a blocking thread.
    pub(super) fn new(sandbox: &Sandbox, name: PluginName, bytes: Vec<u8>, origin: Origin) -> Result<Self, Error> {
        let refused = |reason: String| Error::Plugin { name: name.clone(), reason };
        if bytes.len() > sandbox.config.plugin_bytes {
            let bound = sandbox.config.plugin_bytes;
            return Err(refused(format!("it has {} bytes; {bound} are allowed", bytes.len())));
        }
        let (pre, freezable) = compile(sandbox, &bytes).map_err(refused)?;
        let doors = Doors::new(&pre).map_err(|error| refused(error.to_string()))?;
        let questions: Vec<_> =
            Part::ALL.into_iter().filter(|part| doors.has(*part)).flat_map(Part::questions).copied().collect();
        if questions.is_empty() {
            return Err(refused("it exports none of routing, contacts and errors of switchyard:policy@0.1.0".into()));
        }
        let status = PluginStatus {
            digest: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.len(),
            questions,
            interface: interface(sandbox, &pre),
            origin,
            name,
        };
        Ok(Self { status, bytes, pre, freezable })
    }
}

/// Where a component's exports are; each component has its own.
#[derive(Clone)]
pub(super) struct Doors {
    pub(super) lifecycle: lifecycle::GuestIndices,
    pub(super) routing: Option<routing::GuestIndices>,
    pub(super) contacts: Option<contacts::GuestIndices>,
    pub(super) errors: Option<errors::GuestIndices>,
}

impl Doors {
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
}

type Compiled = (InstancePre<Guest>, Result<(), String>);

/// Only one of the two forms is compiled: the one that can be frozen does everything that the other does.
fn compile(sandbox: &Sandbox, bytes: &[u8]) -> Result<Compiled, String> {
    let why = match instrumented(bytes) {
        Ok(instrumented) => match checked(sandbox, &instrumented) {
            Ok(pre) => return Ok((pre, Ok(()))),
            Err(why) => why,
        },
        Err(why) => why,
    };
    Ok((checked(sandbox, bytes)?, Err(why)))
}

/// Wizer panics at a few things that it does not know.
fn instrumented(bytes: &[u8]) -> Result<Vec<u8>, String> {
    match catch_unwind(AssertUnwindSafe(|| Wizer::new().instrument_component(bytes).map(|(_, bytes)| bytes))) {
        Ok(instrumented) => instrumented.map_err(|error| words(&error)),
        Err(_) => Err(PARTS.into()),
    }
}

fn checked(sandbox: &Sandbox, bytes: &[u8]) -> Result<InstancePre<Guest>, String> {
    let component = sandbox.component(bytes).map_err(|error| words(&error))?;
    let foreign: Vec<_> = component
        .component_type()
        .imports(&sandbox.engine)
        .map(|(name, _)| name.to_owned())
        .filter(|name| !IMPORTS.iter().any(|known| name.starts_with(known)))
        .collect();
    if !foreign.is_empty() {
        return Err(format!("it imports {}, which no plugin gets", foreign.join(", ")));
    }
    sandbox.link(&component).map_err(|error| words(&error))
}

fn interface(sandbox: &Sandbox, pre: &InstancePre<Guest>) -> String {
    let component = pre.component().component_type();
    let version = component
        .exports(&sandbox.engine)
        .find_map(|(name, _)| name.strip_prefix("switchyard:policy/lifecycle@").map(str::to_owned));
    format!("switchyard:policy@{}", version.unwrap_or_default())
}

/// An error with its causes, on one line.
pub(super) fn words(error: &wasmtime::Error) -> String {
    format!("{error:#}").lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
