//! What is misspelt in a script, found by reading it: a function, a field or a value that no sample came by.
//!
//! What could run well is never refused: where a type is not known for sure, nothing is said of it.

mod bodies;
mod chain;
mod facts;
mod kinds;
mod names;
mod values;
mod walk;

use rhai::{AST, Engine, Position, Scope};

use crate::bindings::switchyard::policy::types::Problem;
use crate::trouble::problem;
use bodies::bodies;
use facts::Facts;
use names::{Names, near_question};
use walk::Walk;

/// How many problems are told at once.
const MOST: usize = 10;
/// What is known of parameters grows with each round; a script that needs more is not looked at.
const MOST_ROUNDS: usize = 12;

/// Looks at every function of a script that was parsed without being optimized; `globals` is what its top level left, and
/// `defined` says where a function is.
pub(crate) fn check(
    ast: &AST,
    engine: &Engine,
    globals: &Scope,
    file: &str,
    defined: impl Fn(&str) -> Position,
) -> Result<(), Vec<Problem>> {
    let bodies = bodies(ast);
    let facts = Facts::new(ast);
    let names = Names::new(engine, &bodies);
    let mut walk = Walk::new(&names, &facts, globals, &bodies);
    let settled = (0..MOST_ROUNDS).any(|_| !walk.learn(&bodies));
    let mut found = if settled { walk.look(&bodies) } else { Vec::new() };
    for name in bodies.iter().filter_map(|body| body.name.as_ref()) {
        // A helper may have such a name; nobody writes one that nothing calls.
        if let Some(question) = near_question(name)
            && !facts.mentions(name)
            && !names.is_of_script(question)
        {
            found.push((defined(name), format!("{name} is asked by nobody; is it {question}?")));
        }
    }
    found.sort();
    found.dedup();
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.into_iter().take(MOST).flat_map(|(at, words)| problem(file, at, words)).collect()),
    }
}
