//! The built-in plugin: every question of a policy is answered by a function of a Rhai script.

mod answers;
mod check;
mod helpers;
mod outside;
mod place;
mod records;
mod script;
#[cfg(test)]
mod tests;
mod trouble;

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use bindings::exports::switchyard::policy::{contacts, errors, lifecycle, routing};
use bindings::switchyard::policy::{log, types};
use outside::Outside;
use script::Script;

#[expect(unsafe_code, reason = "the calling convention of components")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/v0.2", world: "policy" });
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
        let outside = Outside { log: log::write, explain: log::explain, now: Some(now) };
        let script = Script::configure(&settings, outside)?;
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

/// The clock that the host gives: it stands still during a decision.
fn now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
