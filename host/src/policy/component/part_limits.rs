//! How many parts a component may have, counted before it is compiled: a few kilobytes can stand for a billion instances.

use std::ops::Range;

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentInstance, ComponentType, ComponentTypeDeclaration, Parser, Payload,
};

/// How many levels of components, modules and types may stand in one another; toolchains make two.
const LEVELS: u64 = 20;
/// How many modules there may be; compiled Python, the largest that is known, has 38.
const MODULES: u64 = 200;
/// How many functions there may be; compiled Python has 13,000.
const FUNCTIONS: u64 = 100_000;
/// How many items all instantiations together may make; compiled Python makes 2,000. See [`Nested`].
const ITEMS: u64 = 20_000;

/// Says what a component has too much of, or where it is damaged.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let damaged = |error: BinaryReaderError| format!("it is damaged at byte {}: {}", error.offset(), error.message());
    let mut census = Census::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(damaged)?;
        if let Payload::ComponentTypeSection(types) = &payload {
            census.type_levels = census.type_levels.max(levels(bytes, types.range()).map_err(damaged)?);
        }
        census.count(payload).map_err(damaged)?;
        census.within()?;
    }
    Ok(())
}

/// How deep the types of a section stand in one another. The decoder recurses for each level: too many of them overflow its
/// stack.
fn levels(bytes: &[u8], section: Range<usize>) -> Result<u64, BinaryReaderError> {
    let mut reader = BinaryReader::new(bytes.get(section.clone()).unwrap_or_default(), section.start);
    // How many are still to be read at each level.
    let mut open = vec![reader.read_var_u32()?];
    let mut deepest = 1;
    while let Some(left) = open.last_mut() {
        let Some(fewer) = left.checked_sub(1) else {
            open.pop();
            continue;
        };
        *left = fewer;
        // Inside of a type stand declarations, and one in five kinds of them is a type again.
        if open.len() > 1 {
            let mut ahead = reader.clone();
            if ahead.read_u8()? != 0x01 {
                reader.read::<ComponentTypeDeclaration<'_>>()?;
                continue;
            }
            reader = ahead;
        }
        // The type of a component or of an instance.
        let mut ahead = reader.clone();
        if matches!(ahead.read_u8()?, 0x41 | 0x42) {
            open.push(ahead.read_var_u32()?);
            deepest = deepest.max(open.len() as u64);
            reader = ahead;
        } else {
            reader.read::<ComponentType<'_>>()?;
        }
    }
    Ok(deepest)
}

/// What was counted so far.
#[derive(Default)]
struct Census {
    /// The parts that are open: the component, a component or module in it, and so on.
    open: Vec<Nested>,
    type_levels: u64,
    modules: u64,
    functions: u64,
    /// The items of the component that makes most of them when it is instantiated once.
    heaviest: u64,
}

/// A component or a module in it. Components instantiate others that instantiate others: a short text can stand for any
/// number of instances, so each instantiation counts as if it were of the heaviest component there is.
#[derive(Default)]
struct Nested {
    items: u64,
    instantiations: u64,
}

impl Census {
    fn count(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        let mut instantiations = 0;
        let items = match payload {
            Payload::Version { .. } => {
                self.open.push(Nested::default());
                return Ok(());
            }
            Payload::End(_) => {
                self.close();
                return Ok(());
            }
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(count);
                return Ok(());
            }
            Payload::ModuleSection { .. } => {
                self.modules += 1;
                1
            }
            Payload::ComponentInstanceSection(instances) => {
                let count = instances.count();
                for instance in instances {
                    instantiations += u64::from(matches!(instance?, ComponentInstance::Instantiate { .. }));
                }
                count
            }
            Payload::ComponentSection { .. } => 1,
            Payload::ComponentImportSection(section) => section.count(),
            Payload::InstanceSection(section) => section.count(),
            Payload::CoreTypeSection(section) => section.count(),
            Payload::ComponentTypeSection(section) => section.count(),
            Payload::ComponentAliasSection(section) => section.count(),
            Payload::ComponentCanonicalSection(section) => section.count(),
            Payload::ComponentExportSection(section) => section.count(),
            _ => return Ok(()),
        };
        if let Some(part) = self.open.last_mut() {
            part.items += u64::from(items);
            part.instantiations += instantiations;
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some(part) = self.open.pop() else { return };
        let items = part.items.saturating_add(part.instantiations.saturating_mul(self.heaviest));
        self.heaviest = self.heaviest.max(items);
    }

    fn within(&self) -> Result<(), String> {
        let items = self.open.iter().map(|part| part.items).fold(self.heaviest, u64::saturating_add);
        let bounds = [
            (self.open.len() as u64, LEVELS, "levels of components in one another"),
            (self.type_levels, LEVELS, "levels of types in one another"),
            (self.modules, MODULES, "modules"),
            (self.functions, FUNCTIONS, "functions"),
            (items, ITEMS, "items to instantiate"),
        ];
        match bounds.into_iter().find(|(has, may, _)| has > may) {
            Some((has, may, what)) => Err(format!("it has {has} {what}; {may} are allowed")),
            None => Ok(()),
        }
    }
}
