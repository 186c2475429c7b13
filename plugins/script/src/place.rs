//! Finds where a script was when it ran into a limit: Rhai forgets the place of such an error, so the script runs again
//! under a debugger that notes each step.

use std::cell::RefCell;
use std::rc::Rc;

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{Engine, ImmutableString, Position};

/// Where a script was.
#[derive(Clone, Default)]
pub(crate) struct Place {
    /// The function, where it is one of the script.
    pub(crate) function: Option<ImmutableString>,
    pub(crate) at: Position,
}

/// Where `run` was when it ended. It has to end in the same way as before, so everything that it uses has to be the same;
/// a script is, since it changes nothing outside itself.
pub(crate) fn of_last_step(mut engine: Engine, run: impl FnOnce(&Engine)) -> Place {
    let last = Rc::new(RefCell::new(Place::default()));
    let noted = Rc::clone(&last);
    #[expect(deprecated, reason = "Rhai marks what may change that way; the version is pinned by the lock file")]
    engine.register_debugger(
        |_, debugger| debugger,
        move |context, event, _, _, at| {
            // A function that is left with the error is no step.
            if matches!(event, DebuggerEvent::Start | DebuggerEvent::Step) && !at.is_none() {
                let stack = context.global_runtime_state().debugger().call_stack();
                let function = stack.last().map(|frame| frame.fn_name.clone());
                *noted.borrow_mut() = Place { function, at };
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
    run(&engine);
    drop(engine);
    last.take()
}
