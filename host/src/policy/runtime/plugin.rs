//! A plugin: a component that was looked at before anything of it ran.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::component::InstancePre;
use wasmtime_wizer::Wizer;

use crate::domain::{Origin, PluginName, Question};
use crate::policy::Error;
use crate::policy::component::compatibility as fit;
use crate::policy::component::part_limits as bounds;
use crate::policy::revision::manifest::Part;
use crate::policy::runtime::exports::{Doors, VERSIONS};
use crate::policy::runtime::guest::Guest;
use crate::policy::runtime::sandbox::Sandbox;

/// What a component may import: it finds nothing behind most of it, but compilers put it in.
pub(crate) const IMPORTS: [&str; 8] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "switchyard:policy/log@",
    "switchyard:policy/types@",
];

/// Imports that are named in a refusal, and how much of each name.
const NAMES: usize = 3;
const NAME_CHARS: usize = 100;
/// The longest reason for which a component is refused.
const WORDS_BYTES: usize = 1_000;

/// Why a component that makes Wizer panic cannot be frozen.
pub(crate) const PARTS: &str = "it has parts that cannot be frozen";

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
    pub(crate) bytes: Vec<u8>,
    /// The version of the interface that it was built against.
    version: &'static str,
    /// Instrumented, where it can be frozen.
    pub(crate) pre: InstancePre<Guest>,
    /// Why it cannot be frozen, where it cannot.
    pub(crate) freezable: Result<(), String>,
}

impl Plugin {
    /// Looks at a component and compiles it: for a blocking thread.
    pub(crate) fn new(sandbox: &Sandbox, name: PluginName, bytes: Vec<u8>, origin: Origin) -> Result<Self, Error> {
        let refused = |reason: String| Error::Plugin { name: name.clone(), reason };
        if bytes.len() > sandbox.config.plugin_bytes {
            let bound = sandbox.config.plugin_bytes;
            return Err(refused(format!("it has {} bytes; {bound} are allowed", bytes.len())));
        }
        let version = version(&bytes).map_err(refused)?;
        bounds::check(&bytes).map_err(refused)?;
        let (pre, freezable) = compile(sandbox, &bytes).map_err(refused)?;
        // The engine compares types when it calls: too late to tell whoever hands the plugin in.
        if let Some(what) = misfit(&bytes) {
            return Err(refused(what));
        }
        let doors = Doors::new(version, &pre).map_err(|error| refused(words(&error)))?;
        let questions: Vec<_> =
            Part::ALL.into_iter().filter(|part| doors.has(*part)).flat_map(Part::questions).copied().collect();
        let status = PluginStatus {
            digest: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.len(),
            questions,
            interface: format!("switchyard:policy@{version}"),
            origin,
            name,
        };
        Ok(Self { status, bytes, version, pre, freezable })
    }

    /// Where its exports are, in one of its forms.
    pub(crate) fn doors(&self, pre: &InstancePre<Guest>) -> wasmtime::Result<Doors> {
        Doors::new(self.version, pre)
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
    sandbox.link(&component).map_err(|error| misfit(bytes).unwrap_or_else(|| words(&error)))
}

/// The first function or type that does not fit the interface, and who shows the rest.
fn misfit(bytes: &[u8]) -> Option<String> {
    let mut what = fit::look(bytes).misfits.into_iter().next()?.what;
    what.truncate(what.floor_char_boundary(WORDS_BYTES));
    Some(format!("{what}; `switchyard plugin check` shows all that does not fit, with the shapes"))
}

/// The version of the interface that a component was built against, read from its exports before anything is compiled.
fn version(bytes: &[u8]) -> Result<&'static str, String> {
    const LIFECYCLE: &str = "switchyard:policy/lifecycle@";
    let known = VERSIONS.join(" and ");
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| format!("it is no WebAssembly component: {}", error.message()))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err("it is a core module; a plugin is a component (for Rust: build for wasm32-wasip2)".into());
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export.map_err(|error| error.message().to_owned())?;
                    let Some(version) = export.name.name.strip_prefix(LIFECYCLE) else { continue };
                    let found = VERSIONS.into_iter().find(|known| *known == version);
                    return found.ok_or_else(|| {
                        let version: String = version.chars().take(20).collect();
                        format!("it was built against switchyard:policy@{version}; this host knows {known}")
                    });
                }
            }
            _ => {}
        }
    }
    Err(format!("it does not export {LIFECYCLE}VERSION; this host knows {known}"))
}

/// An error with its causes, on one line, which is cut off where it grows too long: it may hold names of the component.
pub(crate) fn words(error: &wasmtime::Error) -> String {
    let mut words =
        format!("{error:#}").lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    words.truncate(words.floor_char_boundary(WORDS_BYTES));
    words
}
