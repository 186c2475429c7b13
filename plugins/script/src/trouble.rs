//! What goes wrong in a script, in words that lead a person to the place.

use rhai::{EvalAltResult, Position};

use crate::bindings::switchyard::policy::types::{Problem, Refusal};
use crate::place::Place;

/// Settings that are not accepted: `path` is a key of the settings or the script's file.
pub(crate) fn problem(path: &str, at: Position, message: impl ToString) -> Vec<Problem> {
    let number = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
    vec![Problem {
        path: path.into(),
        line: number(at.line()),
        column: number(at.position()),
        message: message.to_string(),
    }]
}

/// A decision that the script could not make.
pub(crate) fn script_error(message: String) -> Refusal {
    Refusal { code: "SCRIPT_ERROR".into(), message }
}

/// An error of a running script, taken apart.
pub(crate) struct Failure {
    /// The innermost function that it happened in, where that is not the one that was called from outside.
    pub(crate) function: Option<String>,
    pub(crate) at: Position,
    pub(crate) message: String,
    /// What the script threw, when it was a `refuse(...)`.
    pub(crate) refusal: Option<Refusal>,
    /// It ran into a limit, so its place is not known yet.
    pub(crate) is_limit: bool,
}

impl Failure {
    pub(crate) fn new(mut error: Box<EvalAltResult>) -> Self {
        let mut function = None;
        while let EvalAltResult::ErrorInFunctionCall(name, _, inner, _) = *error {
            function = Some(name);
            error = inner;
        }
        let at = error.take_position();
        let refusal = match &*error {
            EvalAltResult::ErrorRuntime(thrown, _) => thrown.clone().try_cast(),
            _ => None,
        };
        Self { function, at, message: error.to_string(), refusal, is_limit: error.is_system_exception() }
    }

    /// Puts the place where it belongs.
    pub(crate) fn stands(self, place: Place) -> Self {
        let function = place.function.map(Into::into);
        Self { function, at: place.at, ..self }
    }

    /// As a reason not to accept the settings; `file` is the script's.
    pub(crate) fn into_problem(self, file: &str) -> Vec<Problem> {
        problem(file, self.at, self.message)
    }

    /// As a policy's no to `question`; `file` is the script's.
    pub(crate) fn into_refusal(self, file: &str, question: &str) -> Refusal {
        if let Some(refusal) = self.refusal {
            return refusal;
        }
        // Closures have names too, which only Rhai knows.
        let function = match self.function.as_deref() {
            Some(name) if name.starts_with("anon$") => "a closure",
            Some(name) => name,
            None => question,
        };
        let at = match (self.at.line(), self.at.position()) {
            (Some(line), Some(column)) => format!(", line {line}, column {column}"),
            (Some(line), None) => format!(", line {line}"),
            _ => String::new(),
        };
        script_error(format!("{file}{at}, in {function}: {}", self.message))
    }
}
