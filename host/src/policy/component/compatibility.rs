//! Whether a component fits the interface, told without compiling or running it: what differs, by name, and both shapes.

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Function, Interface, Resolve, WorldId, WorldItem};

use crate::domain::Question;
use crate::policy::component::part_limits as bounds;
use crate::policy::component::type_diff::{Sides, definition, signature};
use crate::policy::revision::manifest::Part;
use crate::policy::runtime::plugin::IMPORTS;

/// The interface's versions that this host supports, oldest first, each with its text.
pub const VERSIONS: [(&str, &str); 2] = [
    ("0.1.0", include_str!("../../../../wit/v0.1/policy.wit")),
    ("0.2.0", include_str!("../../../../wit/v0.2/policy.wit")),
];
const PACKAGE: &str = "switchyard:policy/";
/// The version of WASI that this host offers, without its last number.
const WASI: &str = "0.2.";

/// What a file is, and where it does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// The size of the file.
    pub bytes: usize,
    /// The interface that it was built against, such as `switchyard:policy@0.2.0`.
    pub interface: Option<String>,
    /// The questions that it answers.
    pub questions: Vec<Question>,
    /// The names of its exports.
    pub exports: Vec<String>,
    /// The names of its imports.
    pub imports: Vec<String>,
    /// What keeps it from being a plugin; nothing where it fits.
    pub misfits: Vec<Misfit>,
}

/// One thing in which a component does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// What is wrong, and with which function or type.
    pub what: String,
    /// What the component has.
    pub found: Option<String>,
    /// What it should have.
    pub expected: Option<String>,
}

/// Looks at a file that should be a plugin.
#[must_use]
pub fn look(bytes: &[u8]) -> Fit {
    let digest = hex::encode(Sha256::digest(bytes));
    let (interface, questions, exports, imports, misfits) = Default::default();
    let mut fit = Fit { digest, bytes: bytes.len(), interface, questions, exports, imports, misfits };
    if let Err(misfit) = fit.read_names(bytes).and_then(|()| fit.read_version()) {
        fit.misfits.push(misfit);
        return fit;
    }
    // What is made to be too much for the host is too much for what follows as well.
    if let Err(why) = bounds::check(bytes) {
        fit.misfits.push(Misfit::new(why));
        return fit;
    }
    match decode(bytes) {
        Ok(DecodedWasm::Component(found, world)) => fit.compare(&found, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            fit.misfits.push(Misfit::new("it is an interface packed as a component; there is nothing in it that runs"));
        }
        Err(error) => fit.misfits.push(Misfit::new(format!("its types cannot be read: {error:#}"))),
    }
    fit
}

impl Fit {
    /// The names at the top of the component, in the order in which they stand there.
    fn read_names(&mut self, bytes: &[u8]) -> Result<(), Misfit> {
        if !bytes.starts_with(b"\0asm") {
            return Err(no_webassembly(bytes));
        }
        let damaged = |error: wasmparser::BinaryReaderError| {
            Misfit::new(format!("it is damaged at byte {}: {}", error.offset(), error.message()))
        };
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(damaged)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err(core_module()),
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        self.imports.push(import.map_err(damaged)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        self.exports.push(export.map_err(damaged)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The version that the exports are of: without it there is nothing to compare with.
    fn read_version(&mut self) -> Result<(), Misfit> {
        let parts = Part::ALL.map(Part::interface).join(", ");
        let mut versions: Vec<_> =
            self.exports.iter().filter_map(|name| own(name)).map(|(_, version)| version).collect();
        versions.dedup();
        let version = match versions.as_slice() {
            [version] => *version,
            [] => {
                let exports = if self.exports.is_empty() { "nothing".to_owned() } else { self.exports.join(", ") };
                let should = format!("lifecycle, and one or more of {parts}, of switchyard:policy@{}", newest());
                return Err(Misfit::new("it exports nothing of switchyard:policy").with(exports, should));
            }
            several => {
                let both = several.join(" and ");
                return Err(Misfit::new(format!("its exports are of several versions of switchyard:policy: {both}")));
            }
        };
        self.interface = Some(format!("switchyard:policy@{version}"));
        if text(version).is_none() {
            let found = format!("switchyard:policy@{version}");
            return Err(Misfit::new("it was built against a version of the interface that this host does not know")
                .with(found, format!("switchyard:policy@{}", known())));
        }
        self.questions = Part::ALL
            .into_iter()
            .filter(|part| self.exports.iter().filter_map(|name| own(name)).any(|(name, _)| name == part.interface()))
            .flat_map(Part::questions)
            .copied()
            .collect();
        if !self.exports.iter().filter_map(|name| own(name)).any(|(name, _)| name == "lifecycle") {
            self.misfits.push(Misfit::new(format!("it does not export {PACKAGE}lifecycle@{version}")));
        }
        if self.questions.is_empty() {
            self.misfits.push(Misfit::new(format!("it answers no question: it exports none of {parts}")));
        }
        Ok(())
    }

    fn compare(&mut self, found: &Resolve, world: WorldId) {
        let world = &found.worlds[world];
        for (key, item) in &world.imports {
            let name = found.name_world_key(key);
            match (own(&name), item) {
                (Some((interface, version)), WorldItem::Interface { id, .. }) => {
                    self.compare_interface(found, &found.interfaces[*id], interface, version, true);
                }
                // What an interface uses of another counts as imported, though nothing of it has to be given.
                (None, WorldItem::Interface { .. }) if self.imports.contains(&name) => self.foreign(&name, None),
                (_, WorldItem::Function(function)) => self.foreign(&name, Some(signature(found, function))),
                _ => {}
            }
        }
        for (key, item) in &world.exports {
            let name = found.name_world_key(key);
            // Nobody calls what else it exports.
            if let (Some((interface, version)), WorldItem::Interface { id, .. }) = (own(&name), item) {
                self.compare_interface(found, &found.interfaces[*id], interface, version, false);
            }
        }
    }

    fn foreign(&mut self, name: &str, found: Option<String>) {
        let known = found.is_none() && IMPORTS.iter().any(|known| name.starts_with(known));
        let version = name.split_once('@').map(|(_, version)| version);
        if !known {
            let offered = format!("{PACKAGE}log, and WASI {WASI}x without network, files, time or chance");
            self.misfits.push(Misfit {
                found: Some(found.unwrap_or_else(|| name.to_owned())),
                expected: Some(offered),
                ..Misfit::new(format!("it imports `{name}`, which no plugin gets"))
            });
        } else if version.is_some_and(|version| !version.starts_with(WASI)) {
            let what = format!("it imports `{name}` of a version of WASI that this host does not offer");
            self.misfits.push(Misfit::new(what).with(name.to_owned(), format!("WASI {WASI}x")));
        }
    }

    fn compare_interface(&mut self, found: &Resolve, has: &Interface, name: &str, version: &str, imported: bool) {
        let whole = format!("{PACKAGE}{name}@{version}");
        let Some(expected) = text(version).and_then(interfaces) else {
            let what = format!("it imports `{whole}` of a version that this host does not know");
            return self.misfits.push(Misfit::new(what).with(whole, format!("{PACKAGE}{name}@{}", known())));
        };
        let package = expected.packages.iter().next().map(|(_, package)| package);
        let Some(should) = package.and_then(|package| package.interfaces.get(name)) else {
            let verb = if imported { "imports" } else { "exports" };
            return self.misfits.push(Misfit::new(format!("it {verb} `{whole}`, which there is not")));
        };
        let should = &expected.interfaces[*should];
        // A component brings what it exports in whole, and of what it imports only what it uses.
        let functions = if imported { &has.functions } else { &should.functions };
        let sides = Sides { found, expected: &expected };
        for function in functions.keys() {
            let (has, should) = (has.functions.get(function), should.functions.get(function));
            self.compare_function(&sides, &whole, function, has, should);
        }
    }

    fn compare_function(
        &mut self,
        sides: &Sides<'_>,
        interface: &str,
        name: &str,
        has: Option<&Function>,
        should: Option<&Function>,
    ) {
        let misfit = |what: String| Misfit {
            what,
            found: has.map(|has| signature(sides.found, has)),
            expected: should.map(|should| signature(sides.expected, should)),
        };
        let (Some(found), Some(expected)) = (has, should) else {
            let missing = if has.is_none() { "is missing" } else { "is not there to import" };
            return self.misfits.push(misfit(format!("the function `{name}` of {interface} {missing}")));
        };
        let mut differing = Vec::new();
        if !sides.same_function(found, expected, &mut differing) {
            self.misfits.push(misfit(format!("the function `{name}` of {interface} has another type")));
        }
        for (found, expected) in differing {
            let name = sides.expected.types[expected].name.as_deref().unwrap_or_default();
            let misfit = Misfit::new(format!("the type `{name}` has another shape"))
                .with(definition(sides.found, found), definition(sides.expected, expected));
            // Several functions speak of the same types.
            if !self.misfits.contains(&misfit) {
                self.misfits.push(misfit);
            }
        }
    }
}

impl Misfit {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), found: None, expected: None }
    }

    fn with(self, found: String, expected: String) -> Self {
        Self { found: Some(found), expected: Some(expected), ..self }
    }
}

/// The interface and the version, where a name is one of ours.
fn own(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn text(version: &str) -> Option<&'static str> {
    VERSIONS.into_iter().find(|(known, _)| *known == version).map(|(_, text)| text)
}

/// The interfaces of a text of ours, which a test reads too.
fn interfaces(text: &str) -> Option<Resolve> {
    let mut resolve = Resolve::default();
    resolve.push_source("policy.wit", text).ok()?;
    Some(resolve)
}

fn newest() -> &'static str {
    VERSIONS[VERSIONS.len() - 1].0
}

/// The versions for a person to read.
fn known() -> String {
    VERSIONS.map(|(version, _)| version).join(" or ")
}

fn no_webassembly(bytes: &[u8]) -> Misfit {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).trim_start().to_owned();
    if start.starts_with("(component") || start.starts_with("(module") {
        return Misfit::new("it is WebAssembly text; make it binary with `wasm-tools parse FILE.wat -o FILE.wasm`");
    }
    let found =
        if bytes.is_empty() { "an empty file".to_owned() } else { format!("a file that starts with {start:?}") };
    Misfit::new("it is not WebAssembly").with(found, "a component: a file that starts with \"\\0asm\"".to_owned())
}

fn core_module() -> Misfit {
    Misfit::new(
        "it is a core module, and a plugin is a component.\n\
         Rust: build for the target wasm32-wasip2. JavaScript: `jco componentize`. Python: `componentize-py componentize`.\n\
         Others: `wasm-tools component embed` and `wasm-tools component new` with the WIT of a new project's wit folder.",
    )
}
