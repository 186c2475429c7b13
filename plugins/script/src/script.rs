//! A configured script: parsed and checked once, then asked.

use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, CorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{
    AST, CallFnOptions, Dynamic, Engine, EvalAltResult, FuncArgs, Map, Module, OptimizationLevel, Position, Scope,
    Shared,
};
use serde::Deserialize;

use crate::answers::{self, Answer};
use crate::bindings::switchyard::policy::types::{self, ContactSearch, Destination, Link, Problem, Refusal, Verdict};
use crate::check::check;
use crate::helpers;
use crate::outside::Outside;
use crate::place;
use crate::records::{self, Contact, Conversation, SyncError};
use crate::trouble::{Failure, problem, script_error};

/// The functions that a script may have, each with its number of arguments.
const QUESTIONS: [(&str, usize); 4] = [("route", 1), ("search", 1), ("choose", 2), ("judge", 1)];

/// To configure: half a second at most, and the host gives two.
const MAX_OPERATIONS_TO_CONFIGURE: u64 = 1_000_000;
/// For a decision: a script that needs more is lost in a loop. Finding the place of that takes the same number once more,
/// and both together have to end before the host's deadline, or nobody would hear of the place.
const MAX_OPERATIONS: u64 = 50_000;
/// What the stack of the guest holds even where every level is a long expression.
const MAX_CALL_LEVELS: usize = 16;
const MAX_STRING_BYTES: usize = 1024 * 1024;
const MAX_ARRAY_ITEMS: usize = 10_000;
const MAX_MAP_ITEMS: usize = 10_000;

/// What `configure` is given.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Configuration {
    #[serde(default)]
    settings: Dynamic,
    script: Option<String>,
    script_file: Option<String>,
}

/// A script that can be asked.
pub(crate) struct Script {
    engine: Engine,
    ast: AST,
    /// Settings and constants, as the engine has them.
    globals: Shared<Module>,
    outside: Outside,
    /// The script's file, as the policy names it.
    file: String,
}

impl Script {
    /// Reads what the host gives to `configure`, parses the script and runs its top level.
    pub(crate) fn configure(settings: &str, outside: Outside) -> Result<Self, Vec<Problem>> {
        let given: Configuration =
            serde_json::from_str(settings).map_err(|error| problem("settings", Position::NONE, error.to_string()))?;
        let file = given.script_file.unwrap_or_else(|| "script".into());
        let settings = match given.settings {
            settings if settings.is_map() => settings,
            settings if settings.is_unit() => Map::new().into(),
            _ => return Err(problem("settings", Position::NONE, "settings have to be a table")),
        };
        let source = given.script.ok_or_else(|| problem("script", Position::NONE, "this plugin needs a script"))?;

        let without_clock = Outside { now: None, ..outside };
        let mut engine = engine(without_clock, MAX_OPERATIONS_TO_CONFIGURE);
        let mut known = Scope::new();
        known.push_dynamic("settings", settings);
        let only_settings = global(&known);
        engine.register_global_module(only_settings.clone());
        // As it was written, so that nothing is lost of what is looked at below.
        engine.set_optimization_level(OptimizationLevel::None);
        let ast = engine.compile(&source).map_err(|error| problem(&file, error.1, error.0))?;
        check_questions(&ast, &file, &source)?;

        // What the top level defines is made global, since a function of Rhai sees nothing of it otherwise.
        engine.run_ast_with_scope(&mut known, &ast).map_err(|error| {
            let run_again = |engine: &Engine| drop(engine.run_ast_with_scope(&mut Scope::new(), &ast));
            let like_it = || self::engine(without_clock.mute(), MAX_OPERATIONS_TO_CONFIGURE);
            failure(error, like_it, &only_settings, run_again).into_problem(&file)
        })?;
        engine.set_max_operations(MAX_OPERATIONS);
        helpers::set_clock(&mut engine, outside);
        let globals = global(&known);
        engine.register_global_module(globals.clone());
        // Again, now that every name is known: a misspelt variable is a problem here, not an error in a decision.
        engine.set_strict_variables(true);
        engine.set_optimization_level(OptimizationLevel::Simple);
        let strict =
            engine.compile_with_scope(&names(&known), &source).map_err(|error| problem(&file, error.1, error.0))?;
        check(&ast, &engine, &known, &file, |function| definition(&source, function))?;
        Ok(Self { engine, ast: strict.clone_functions_only(), globals, outside, file })
    }

    /// Where the conversation goes.
    pub(crate) fn route(&self, of: types::Conversation) -> Result<Destination, Refusal> {
        self.ask("route", (Conversation::new(of),))
    }

    /// What to search contacts for.
    pub(crate) fn search(&self, of: types::Conversation) -> Result<Vec<ContactSearch>, Refusal> {
        self.ask("search", (Conversation::new(of),))
    }

    /// Which of the found contacts the customer is.
    pub(crate) fn choose(&self, of: types::Conversation, found: Vec<types::Contact>) -> Result<Link, Refusal> {
        let found: rhai::Array = found.into_iter().map(|it| Dynamic::from(Contact::new(it))).collect();
        self.ask("choose", (Conversation::new(of), found))
    }

    /// What to do about a failure.
    pub(crate) fn judge(&self, error: types::SyncError) -> Result<Verdict, Refusal> {
        self.ask("judge", (SyncError::new(error),))
    }

    fn ask<T: Answer>(&self, question: &str, args: impl FuncArgs + Clone) -> Result<T, Refusal> {
        if !self.ast.iter_functions().any(|function| function.name == question) {
            return T::neutral();
        }
        self.call(&self.engine, question, args.clone())
            .map_err(|error| {
                let run_again = |engine: &Engine| drop(self.call(engine, question, args));
                let like_it = || engine(self.outside.mute(), MAX_OPERATIONS);
                failure(error, like_it, &self.globals, run_again).into_refusal(&self.file, question)
            })
            .and_then(|value| self.understand(question, value))
    }

    fn call(&self, engine: &Engine, question: &str, args: impl FuncArgs) -> Result<Dynamic, Box<EvalAltResult>> {
        let options = CallFnOptions::new().eval_ast(false);
        engine.call_fn_with_options(options, &mut Scope::new(), &self.ast, question, args)
    }

    fn understand<T: Answer>(&self, question: &str, value: Dynamic) -> Result<T, Refusal> {
        let value = match value.try_cast_result::<Refusal>() {
            Ok(refusal) => return Err(refusal),
            Err(value) => value,
        };
        T::from_value(value).map_err(|value| {
            let given = match value.is_unit() {
                true => "nothing",
                false => self.engine.map_type_name(value.type_name()),
            };
            script_error(format!("{}: {question} answered {given}; it has to answer {}", self.file, T::ONE_OF))
        })
    }
}

/// An engine with all that scripts may use, and without what they may not: files, modules, time.
fn engine(outside: Outside, max_operations: u64) -> Engine {
    let mut engine = Engine::new_raw();
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    for forbidden in ["eval", "import", "export"] {
        engine.disable_symbol(forbidden);
    }
    engine
        .set_max_operations(max_operations)
        .set_max_call_levels(MAX_CALL_LEVELS)
        .set_max_string_size(MAX_STRING_BYTES)
        .set_max_array_size(MAX_ARRAY_ITEMS)
        .set_max_map_size(MAX_MAP_ITEMS);
    records::register(&mut engine);
    answers::register(&mut engine);
    helpers::register(&mut engine, outside);
    engine.register_fn("sleep", |_: i64| no_sleep()).register_fn("sleep", |_: f64| no_sleep());
    engine
}

/// What is in the scope, made visible inside every function: shared, so that reading one setting does not copy them all,
/// and read-only, so that no decision reaches the next one where an instance is kept warm.
fn global(scope: &Scope) -> Shared<Module> {
    let mut module = Module::new();
    for (name, _, value) in scope.iter() {
        module.set_var(name, value.into_read_only().into_shared());
    }
    module.into()
}

/// What went wrong. Rhai forgets the place of an error of its limits, so then the script is run once more to find it.
fn failure(
    error: Box<EvalAltResult>,
    engine_like_it: impl FnOnce() -> Engine,
    globals: &Shared<Module>,
    run_again: impl FnOnce(&Engine),
) -> Failure {
    let failure = Failure::new(error);
    if !failure.is_limit {
        return failure;
    }
    let mut engine = engine_like_it();
    engine.register_global_module(globals.clone());
    failure.stands(place::of_last_step(engine, run_again))
}

/// The names alone, and none of them constant: the parser would put a constant's value in the place of its name, and comes
/// to grief where a script assigns to it.
fn names(of: &Scope) -> Scope<'static> {
    let mut names = Scope::new();
    for (name, _, _) in of.iter_raw() {
        names.push_dynamic(name, Dynamic::UNIT);
    }
    names
}

/// Stands in the place of Rhai's own function.
fn no_sleep() -> Result<(), Box<EvalAltResult>> {
    Err("a decision cannot sleep".into())
}

fn check_questions(ast: &AST, file: &str, source: &str) -> Result<(), Vec<Problem>> {
    let mut answers_something = false;
    for function in ast.iter_functions() {
        let Some((name, takes)) = QUESTIONS.into_iter().find(|(name, _)| *name == function.name) else { continue };
        if function.params.len() != takes {
            let says = format!("{name} takes {takes} argument(s) here, not {}", function.params.len());
            return Err(problem(file, definition(source, name), says));
        }
        answers_something = true;
    }
    match answers_something {
        true => Ok(()),
        false => Err(problem(file, Position::NONE, "none of the functions route, search, choose, judge is defined")),
    }
}

/// The line that defines the function; the parser keeps no place of it.
fn definition(source: &str, name: &str) -> Position {
    let defines = |line: &str| {
        let line = line.trim_start().trim_start_matches("private ").trim_start();
        let rest = line.strip_prefix("fn ").map(str::trim_start).and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    let line = source.lines().position(defines).and_then(|at| u16::try_from(at + 1).ok());
    line.map_or(Position::NONE, |line| Position::new(line, 1))
}
