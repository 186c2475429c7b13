//! A compiled plugin: routes a conversation by the words of the customer's newest message, else by its team.

#[cfg(test)]
mod cases;
mod rules;

use std::cell::RefCell;

use bindings::exports::switchyard::policy::{lifecycle, routing};
use bindings::switchyard::policy::{log, types};
use rules::Rules;

#[expect(unsafe_code, reason = "the calling convention of components")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/v0.1", world: "router" });
    use super::Plugin;
    export!(Plugin with_types_in self);
}

thread_local! {
    /// Filled by `configure`; the host freezes the instance then.
    static RULES: RefCell<Option<Rules>> = const { RefCell::new(None) };
}

struct Plugin;

impl lifecycle::Guest for Plugin {
    fn configure(settings: String) -> Result<(), Vec<types::Problem>> {
        let rules = Rules::configure(&settings)?;
        RULES.set(Some(rules));
        Ok(())
    }
}

impl routing::Guest for Plugin {
    fn route(of: types::Conversation) -> Result<types::Destination, types::Refusal> {
        RULES.with_borrow(|rules| {
            let Some(rules) = rules else {
                return Err(refusal("NOT_CONFIGURED", "the plugin was asked before it was configured"));
            };
            let (queue, why) = rules.route(&of)?;
            log::write(log::Level::Debug, &why);
            Ok(types::Destination::Queue(queue.into()))
        })
    }
}

fn refusal(code: &str, message: impl Into<String>) -> types::Refusal {
    types::Refusal { code: code.into(), message: message.into() }
}
