//! The files of a crate as modules, and which of them names something that another one defines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::paths::{Named, paths};

/// A module's place: `["policy", "case"]`; none for the crate itself.
pub(super) type Place = Vec<String>;

/// How many names may lead to one another.
const HOPS: usize = 10;

/// A crate's files by the module that each is.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<Place, Module>);

struct Module {
    file: PathBuf,
    named: Vec<Named>,
}

/// One file names what another one defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: Place,
    pub(super) to: Place,
    /// Whether only tests do.
    pub(super) test: bool,
}

impl Modules {
    /// Reads a crate's sources.
    pub(super) fn read(source: &Path) -> Self {
        let mut modules = Self::default();
        // The program itself is another crate, which names this one.
        for file in files(source).into_iter().filter(|file| !file.ends_with("main.rs")) {
            let text = std::fs::read_to_string(&file).expect("a file");
            modules.add(file.strip_prefix(source).expect("inside"), &text);
        }
        modules
    }

    /// Adds a file by its path below the sources.
    pub(super) fn add(&mut self, file: &Path, text: &str) {
        let mut place: Place = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        place.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
        self.0.insert(place, Module { file: file.to_owned(), named: paths(text) });
    }

    /// Every module, with its file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Place, &Path)> {
        self.0.iter().map(|(place, module)| (place, module.file.as_path()))
    }

    /// Who names what of whom. A module that puts together or passes on those inside of it does not lean on them.
    pub(super) fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (from, module) in &self.0 {
            for named in &module.named {
                let Some(to) = self.absolute(from, named).map(|path| self.owner(&path, HOPS)) else { continue };
                if !to.starts_with(from) {
                    edges.insert(Edge { from: from.clone(), to, test: named.test || is_test(from) });
                }
            }
        }
        edges
    }

    /// Files that name one another, directly or through others; each circle in order of their places.
    pub(super) fn circles(&self) -> Vec<Vec<Place>> {
        let mut next = BTreeMap::<Place, Vec<Place>>::new();
        for Edge { from, to, .. } in self.edges().into_iter().filter(|edge| !edge.test) {
            next.entry(from).or_default().push(to);
        }
        let reached: BTreeMap<_, _> = next.keys().map(|from| (from, reached(&next, from))).collect();
        let mut circles = BTreeSet::new();
        for (place, reachable) in &reached {
            let back = |other: &&&Place| reached.get(**other).is_some_and(|from_there| from_there.contains(*place));
            let circle: Vec<Place> = reachable.iter().filter(back).map(|other| (*other).clone()).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    /// A path from the crate's root; `None` where it leads out of the crate, or begins with a name from elsewhere.
    fn absolute(&self, module: &Place, named: &Named) -> Option<Place> {
        let mut at: Place = module.iter().chain(&named.inside).cloned().collect();
        let mut segments = named.segments.as_slice();
        match segments.split_first()? {
            (first, rest) if first == "crate" => (at, segments) = (Place::new(), rest),
            (first, rest) if first == "self" => segments = rest,
            (first, _) if first == "super" => {}
            (first, _) => {
                let child: Place = module.iter().chain([first]).cloned().collect();
                if !named.inside.is_empty() || !self.0.contains_key(&child) {
                    return None;
                }
            }
        }
        while let Some(rest) = segments.strip_prefix(&["super".to_owned()]) {
            at.pop()?;
            segments = rest;
        }
        at.extend(segments.iter().cloned());
        Some(at)
    }

    /// The module that defines what a path leads to, also where others pass its name on.
    fn owner(&self, path: &[String], hops: usize) -> Place {
        let mut at = Place::new();
        for (place, segment) in path.iter().enumerate() {
            at.push(segment.clone());
            if self.0.contains_key(&at) {
                continue;
            }
            at.pop();
            let known = self.0.get(&at).into_iter().flat_map(|module| &module.named);
            let mut known = known.filter(|named| named.alias.as_ref() == Some(segment) && named.inside.is_empty());
            let passed_on = known.find_map(|named| self.absolute(&at, named)).filter(|_| hops > 0);
            return match passed_on {
                Some(mut path_there) => {
                    path_there.extend(path[place + 1..].iter().cloned());
                    self.owner(&path_there, hops - 1)
                }
                None => at,
            };
        }
        at
    }
}

/// Every module that one leads to, through however many others.
fn reached<'a>(next: &'a BTreeMap<Place, Vec<Place>>, from: &'a Place) -> BTreeSet<&'a Place> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(place) = left.pop() {
        left.extend(next.get(place).into_iter().flatten().filter(|to| seen.insert(*to)));
    }
    seen
}

/// Whether a module is there for tests only.
pub(super) fn is_test(place: &Place) -> bool {
    place.iter().any(|name| name == "tests" || name.ends_with("_tests"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|own| own == "rs"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Modules {
        let mut modules = Modules::default();
        files.iter().for_each(|(file, text)| modules.add(Path::new(file), text));
        modules
    }

    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let names = |circle: Vec<Place>| circle.iter().map(|place| place.join("::")).collect();
        modules(files).circles().into_iter().map(names).collect()
    }

    #[test]
    fn a_circle_is_seen_also_through_a_list_a_third_file_and_a_name_that_is_passed_on() {
        let files = [
            ("room/mod.rs", "mod a; mod b; mod c; mod d;\npub use c::C;"),
            ("room/a.rs", "use crate::{other::X, room::{d, b::{self, B}}};"),
            ("room/b.rs", "fn f() { super::C::new(); }"),
            ("room/c.rs", "use super::super::room::a::A;"),
            ("room/d.rs", "use crate::domain::D;"),
        ];
        assert_eq!(circles(&files), [["room::a", "room::b", "room::c"]]);
        assert_eq!(circles(&files[..4]), [["room::a", "room::b", "room::c"]]);
        let opened = [files[0], files[1], files[2], ("room/c.rs", ""), files[4]];
        assert!(circles(&opened).is_empty());
    }

    #[test]
    fn a_face_is_in_no_circle_with_its_files_nor_are_the_tests_in_a_file() {
        let face = ("room/mod.rs", "mod a; mod b; pub use a::A; pub enum Error {}\nfn f() { a::go() }");
        let a = ("room/a.rs", "use super::Error;\n#[cfg(test)]\nmod tests { use crate::room::b::B; }");
        let b = ("room/b.rs", "use super::A;");
        assert!(circles(&[face, a, b]).is_empty());
        let other = ("other.rs", "use crate::room::a::A;");
        let back = ("room/a.rs", "use crate::other::X;");
        assert_eq!(circles(&[face, back, b, other]), [["other", "room::a"]]);
    }

    #[test]
    fn a_module_inside_of_a_text_stands_one_deeper() {
        let text =
            "macro_rules! m { ($v:ident) => { mod $v { use super::super::b::B; } } }\nmod inner { use super::X; }";
        let edges = modules(&[("room/mod.rs", ""), ("room/a.rs", text), ("room/b.rs", "")]).edges();
        let edges: Vec<_> = edges.iter().map(|edge| [edge.from.join("::"), edge.to.join("::")]).collect();
        assert_eq!(edges, [["room::a", "room::b"]]);
    }
}
