//! Whether a component fits the interface, told without compiling or running it: what differs, by name, and both shapes.

use serde::Serialize;
use sha2::{Digest, Sha256};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Function, Interface, Resolve, WorldId, WorldItem};

use super::inspect::{Inspection, parts};
use super::interface::{IMPORTS, PACKAGE, known, own, text};
use super::part_limits;
use super::type_diff::{Sides, definition, signature};
use crate::domain::Question;

pub use super::inspect::Misfit;
pub use super::interface::VERSIONS;

/// The version of WASI that this host offers, without its last number.
const WASI: &str = "0.2.";

/// What a file is, and where it does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
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

/// Looks at a file that should be a plugin.
#[must_use]
pub fn check(bytes: &[u8]) -> Report {
    let digest = hex::encode(Sha256::digest(bytes));
    let mut report = Report { digest, bytes: bytes.len(), ..Report::default() };
    if let Err(misfit) = report.read_names(bytes) {
        report.misfits.push(misfit);
        return report;
    }
    // What is made to be too much for the host is too much for what follows as well.
    if let Err(why) = part_limits::check(bytes) {
        report.misfits.push(Misfit::new(why));
        return report;
    }
    match decode(bytes) {
        Ok(DecodedWasm::Component(found, world)) => report.compare(&found, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            let what = "it is an interface packed as a component; there is nothing in it that runs";
            report.misfits.push(Misfit::new(what));
        }
        Err(error) => report.misfits.push(Misfit::new(format!("its types cannot be read: {error:#}"))),
    }
    report
}

impl Report {
    /// The names at the top of the component, and the version that they are of: without it there is nothing to compare with.
    fn read_names(&mut self, bytes: &[u8]) -> Result<(), Misfit> {
        let mut inspection = Inspection::default();
        let read = inspection.read(bytes);
        (self.imports, self.exports) = (inspection.imports.clone(), inspection.exports.clone());
        read?;
        let version = inspection.version()?;
        self.interface = Some(format!("switchyard:policy@{version}"));
        inspection.supported_version()?;
        self.questions = inspection.questions();
        self.misfits.extend(inspection.missing_lifecycle());
        if self.questions.is_empty() {
            self.misfits.push(Misfit::new(format!("it answers no question: it exports none of {}", parts())));
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

/// The interfaces of a text of ours, which a test reads too.
fn interfaces(text: &str) -> Option<Resolve> {
    let mut resolve = Resolve::default();
    resolve.push_source("policy.wit", text).ok()?;
    Some(resolve)
}
