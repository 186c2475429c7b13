//! A plugin: a component that fits the interface and was compiled.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmtime::component::InstancePre;
use wasmtime_wizer::Wizer;

use super::exports::Exports;
use super::guest::Guest;
use super::sandbox::Sandbox;
use crate::domain::{Origin, PluginName, Question};
use crate::policy::Error;
use crate::policy::component::{IMPORTS, check_parts, compatibility, inspect};

/// How many imports are named in a refusal.
const NAMES: usize = 3;
/// How much of each name, in characters.
const NAME_CHARS: usize = 100;
/// The longest reason for which a component is refused.
const LINE_BYTES: usize = 1_000;

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
pub(crate) struct Plugin {
    pub(crate) status: PluginStatus,
    pub(super) bytes: Vec<u8>,
    /// The version of the interface that it was built against.
    version: &'static str,
    /// Instrumented for snapshots, where it can be frozen.
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
        let inspection = inspect(&bytes).map_err(|misfit| refused(misfit.on_one_line()))?;
        let version = inspection.supported_version().map_err(|misfit| refused(misfit.on_one_line()))?;
        if let Some(misfit) = inspection.missing_lifecycle() {
            return Err(refused(misfit.on_one_line()));
        }
        check_parts(&bytes).map_err(refused)?;
        let (pre, freezable) = compile(sandbox, &bytes).map_err(refused)?;
        // The engine compares types when it calls: too late to tell whoever hands the plugin in.
        if let Some(what) = misfit(&bytes) {
            return Err(refused(what));
        }
        Exports::new(version, &pre).map_err(|error| refused(on_one_line(&error)))?;
        let status = PluginStatus {
            digest: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.len(),
            questions: inspection.questions(),
            interface: format!("switchyard:policy@{version}"),
            origin,
            name,
        };
        Ok(Self { status, bytes, version, pre, freezable })
    }

    /// Where its exports are, in a snapshot of it or in the plugin as it is.
    pub(super) fn exports(&self, pre: &InstancePre<Guest>) -> wasmtime::Result<Exports> {
        Exports::new(self.version, pre)
    }
}

/// Compiles it, and says why no snapshot can be made of it where none can. Only one of the two forms is compiled: the one
/// for snapshots does everything that the other does.
fn compile(sandbox: &Sandbox, bytes: &[u8]) -> Result<(InstancePre<Guest>, Result<(), String>), String> {
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
        Ok(instrumented) => instrumented.map_err(|error| on_one_line(&error)),
        Err(_) => Err(PARTS.into()),
    }
}

fn checked(sandbox: &Sandbox, bytes: &[u8]) -> Result<InstancePre<Guest>, String> {
    let component = sandbox.component(bytes).map_err(|error| on_one_line(&error))?;
    let foreign: Vec<_> = component
        .component_type()
        .imports(&sandbox.engine)
        .map(|(name, _)| name)
        .filter(|name| !IMPORTS.iter().any(|known| name.starts_with(known)))
        .map(|name| name.chars().take(NAME_CHARS).collect::<String>())
        .collect();
    match foreign.len() {
        0 => {}
        1..=NAMES => return Err(format!("it imports {}, which no plugin gets", foreign.join(", "))),
        all => {
            let (first, more) = (foreign[..NAMES].join(", "), all - NAMES);
            return Err(format!("it imports {first} and {more} more, which no plugin gets"));
        }
    }
    sandbox.link(&component).map_err(|error| misfit(bytes).unwrap_or_else(|| on_one_line(&error)))
}

/// The first function or type that does not fit the interface, and who shows the rest.
fn misfit(bytes: &[u8]) -> Option<String> {
    let mut what = compatibility::check(bytes).misfits.into_iter().next()?.what;
    what.truncate(what.floor_char_boundary(LINE_BYTES));
    Some(format!("{what}; `switchyard plugin check` shows all that does not fit, with the shapes"))
}

/// An error with its causes, on one line, which is cut off where it grows too long: it may hold names of the component.
pub(super) fn on_one_line(error: &wasmtime::Error) -> String {
    let mut line =
        format!("{error:#}").lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(LINE_BYTES));
    line
}
