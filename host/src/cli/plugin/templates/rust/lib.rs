//! NAME: routes conversations by their team. Start here, and make it yours.

use std::cell::RefCell;
use std::collections::BTreeMap;

use exports::switchyard::policy::{lifecycle, routing};
use serde::Deserialize;
use switchyard::policy::log;
use switchyard::policy::types::{Conversation, Destination, Problem, Refusal};

wit_bindgen::generate!({ path: "wit", world: "router" });
export!(Plugin);

struct Plugin;

#[derive(Deserialize)]
struct Configuration {
    settings: Settings,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The queue of each team.
    queues: BTreeMap<String, String>,
}

thread_local! {
    /// Filled by `configure`, once; every decision then starts from a fresh copy of what it left.
    static SETTINGS: RefCell<Settings> = RefCell::default();
}

impl lifecycle::Guest for Plugin {
    fn configure(settings: String) -> Result<(), Vec<Problem>> {
        let read = serde_json::from_str::<Configuration>(&settings).map_err(|error| {
            vec![Problem { path: "settings".into(), line: None, column: None, message: error.to_string() }]
        })?;
        SETTINGS.set(read.settings);
        Ok(())
    }
}

impl routing::Guest for Plugin {
    fn route(of: Conversation) -> Result<Destination, Refusal> {
        let Some(team) = of.team else {
            log::explain("nobody's conversation is only written");
            return Ok(Destination::TrackOnly);
        };
        let Some(queue) = SETTINGS.with_borrow(|settings| settings.queues.get(&team).cloned()) else {
            let message = format!("No queue is mapped to team \"{team}\". Add it to settings.queues.");
            return Err(Refusal { code: "TEAM_NOT_MAPPED".into(), message });
        };
        log::explain(&format!("the queue of team {team}"));
        Ok(Destination::Queue(queue))
    }
}
