//! What the top of a component names: its imports and exports, and by those its version of the interface and its questions.

use serde::Serialize;
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

use super::interface::{PACKAGE, Part, VERSIONS, known, newest, own};
use crate::domain::Question;

/// How many imports and exports are read, all in all; a plugin has a few dozen.
const NAMES: usize = 20_000;
/// How long a misfit on one line may be, in bytes.
const LINE_BYTES: usize = 1_000;

/// The names at the top of a component, in the order in which they stand there.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

/// One thing that keeps a file from being a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// What is wrong, and with which function or type.
    pub what: String,
    /// What the component has.
    pub found: Option<String>,
    /// What it should have.
    pub expected: Option<String>,
}

/// Reads the names of a component; nothing of it is compiled.
///
/// # Errors
/// When the file is no component, is damaged, or has more names than any plugin.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Inspection, Misfit> {
    let mut inspection = Inspection::default();
    inspection.read(bytes)?;
    Ok(inspection)
}

impl Inspection {
    /// The same into this one, which has the names up to the error.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), Misfit> {
        if !bytes.starts_with(b"\0asm") {
            return Err(no_webassembly(bytes));
        }
        let damaged = |error: BinaryReaderError| {
            Misfit::new(format!("it is damaged at byte {}: {}", error.offset(), error.message()))
        };
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(damaged)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err(core_module()),
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    self.has_place_for(imports.count())?;
                    for import in imports {
                        self.imports.push(import.map_err(damaged)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    self.has_place_for(exports.count())?;
                    for export in exports {
                        self.exports.push(export.map_err(damaged)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn has_place_for(&self, more: u32) -> Result<(), Misfit> {
        let all = self.imports.len() + self.exports.len() + more as usize;
        if all <= NAMES { Ok(()) } else { Err(Misfit::new(format!("it has {all} names; {NAMES} are allowed"))) }
    }

    /// The version that the exports are of, whether this host knows it or not.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(crate) fn version(&self) -> Result<&str, Misfit> {
        let mut versions: Vec<_> = self.own_exports().map(|(_, version)| version).collect();
        versions.dedup();
        match versions.as_slice() {
            [version] => Ok(version),
            [] => {
                let exports = if self.exports.is_empty() { "nothing".to_owned() } else { self.exports.join(", ") };
                let should = format!("lifecycle, and one or more of {}, of switchyard:policy@{}", parts(), newest());
                Err(Misfit::new("it exports nothing of switchyard:policy").with(exports, should))
            }
            several => {
                let both = several.join(" and ");
                Err(Misfit::new(format!("its exports are of several versions of switchyard:policy: {both}")))
            }
        }
    }

    /// The same, where this host knows it.
    ///
    /// # Errors
    /// As [`version`](Self::version), and when it is another one.
    pub(crate) fn supported_version(&self) -> Result<&'static str, Misfit> {
        let version = self.version()?;
        let supported = VERSIONS.into_iter().map(|(known, _)| known).find(|known| *known == version);
        supported.ok_or_else(|| {
            Misfit::new("it was built against a version of the interface that this host does not know")
                .with(format!("switchyard:policy@{version}"), format!("switchyard:policy@{}", known()))
        })
    }

    /// The questions that it answers.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let answers = |part: &Part| self.own_exports().any(|(name, _)| name == part.interface());
        Part::ALL.into_iter().filter(answers).flat_map(Part::questions).copied().collect()
    }

    /// What is missing where it cannot be configured.
    pub(crate) fn missing_lifecycle(&self) -> Option<Misfit> {
        let (_, version) = self.own_exports().next()?;
        let there = self.own_exports().any(|(name, _)| name == "lifecycle");
        (!there).then(|| Misfit::new(format!("it does not export {PACKAGE}lifecycle@{version}")))
    }

    /// The interface and the version of each export of this package.
    fn own_exports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exports.iter().filter_map(|name| own(name))
    }
}

impl Misfit {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), found: None, expected: None }
    }

    pub(super) fn with(self, found: String, expected: String) -> Self {
        Self { found: Some(found), expected: Some(expected), ..self }
    }

    /// What is wrong, what there is and what there should be, on one line that is cut off where it grows too long.
    pub(crate) fn on_one_line(&self) -> String {
        let mut line = self.what.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        if let (Some(found), Some(expected)) = (&self.found, &self.expected) {
            line = format!("{line}: it has {found}, and should have {expected}");
        }
        line.truncate(line.floor_char_boundary(LINE_BYTES));
        line
    }
}

/// The interfaces that answer questions, for a person to read.
pub(super) fn parts() -> String {
    Part::ALL.map(Part::interface).join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(text: &str) -> Inspection {
        inspect(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn names_at_the_top_are_read_and_those_of_the_parts_inside_are_not() {
        let found = inspected(
            r#"(component (instance $it) (export "switchyard:policy/routing@0.1.0" (instance $it))
                (import "wasi:io/poll@0.2.0" (instance)) (component (instance $it) (export "inside" (instance $it))))"#,
        );
        assert_eq!(found.exports, ["switchyard:policy/routing@0.1.0"]);
        assert_eq!(found.imports, ["wasi:io/poll@0.2.0"]);
        assert_eq!((found.supported_version(), found.questions()), (Ok("0.1.0"), vec![Question::Route]));
        assert!(found.missing_lifecycle().unwrap().what.contains("lifecycle@0.1.0"));
    }

    #[test]
    fn a_component_with_more_names_than_any_plugin_is_refused_before_they_are_read() {
        let imports: String = (0..=NAMES).map(|n| format!("(import \"n{n}\" (func))")).collect();
        let misfit = inspect(&wat::parse_str(format!("(component {imports})")).unwrap()).unwrap_err();
        assert_eq!(misfit.what, "it has 20001 names; 20000 are allowed");
    }

    #[test]
    fn a_misfit_on_one_line_is_cut_off_at_a_bound() {
        let misfit = Misfit::new("two\n  lines").with("é".repeat(LINE_BYTES), "less".into());
        let line = misfit.on_one_line();
        assert!(line.starts_with("two lines: it has éé") && line.len() <= LINE_BYTES, "{line}");
    }
}
