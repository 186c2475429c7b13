//! The built-in plugin: every question of a policy is answered by a function of a Rhai script.

mod answers;
mod helpers;
mod records;
mod script;
#[cfg(test)]
mod tests;
mod trouble;

use std::cell::RefCell;

use bindings::exports::switchyard::policy::{contacts, errors, lifecycle, routing};
use bindings::switchyard::policy::{log, types};
use script::Script;

#[expect(unsafe_code, reason = "the calling convention of components")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/v0.1", world: "policy" });
    use super::Plugin;
    export!(Plugin with_types_in self);
}

thread_local! {
    /// Filled by `configure`. The host freezes the instance then, so every decision starts with the script parsed.
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
}

struct Plugin;

impl lifecycle::Guest for Plugin {
    fn configure(settings: String) -> Result<(), Vec<types::Problem>> {
        let script = Script::configure(&settings, log::write)?;
        SCRIPT.set(Some(script));
        Ok(())
    }
}

impl routing::Guest for Plugin {
    fn route(of: types::Conversation) -> Result<types::Destination, types::Refusal> {
        ask(|script| script.route(of))
    }
}

impl contacts::Guest for Plugin {
    fn search(of: types::Conversation) -> Result<Vec<types::ContactSearch>, types::Refusal> {
        ask(|script| script.search(of))
    }

    fn choose(of: types::Conversation, found: Vec<types::Contact>) -> Result<types::Link, types::Refusal> {
        ask(|script| script.choose(of, found))
    }
}

impl errors::Guest for Plugin {
    fn judge(error: types::SyncError) -> Result<types::Verdict, types::Refusal> {
        ask(|script| script.judge(error))
    }
}

fn ask<T>(question: impl FnOnce(&Script) -> Result<T, types::Refusal>) -> Result<T, types::Refusal> {
    SCRIPT.with_borrow(|script| match script {
        Some(script) => question(script),
        None => Err(types::Refusal {
            code: "NOT_CONFIGURED".into(),
            message: "the plugin was asked before it was configured".into(),
        }),
    })
}
