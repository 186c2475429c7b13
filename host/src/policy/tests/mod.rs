//! Tests of the policies: what scripts decide, what a swap leaves undisturbed, and what hostile plugins come to.

mod bombs;
mod component;
mod contact_fields;
mod corpus;
mod hostile;
mod memory;
mod peak;
mod prebuilt;
mod refused;
mod revisions;
mod scripts;
mod shipped;
mod swaps;
mod versions;
mod worlds;

use tokio::sync::OnceCell;

use super::{Config, PolicyHost, PolicyStatus, Rejection, revision::sample};
use crate::domain::{Conversation, Destination, Fault, Origin, PluginName, PolicyName, PolicySource, Timestamp};

const SCRIPT: &[u8] = include_bytes!("../../../../plugins/prebuilt/script.wasm");
const KEYWORDS: &[u8] = include_bytes!("../../../../plugins/prebuilt/keyword-router.wasm");
const NOW: Timestamp = Timestamp::from_millis(1_768_469_412_000);

/// No test of what is decided should fail because the machine is busy.
fn patient() -> Config {
    Config { deadline_ms: 20_000, configure_deadline_ms: 20_000, ..Config::default() }
}

/// A host with the built-in plugins, shared because compiling them takes a while; each test has policies of its own name.
async fn host() -> &'static PolicyHost {
    static HOST: OnceCell<PolicyHost> = OnceCell::const_new();
    HOST.get_or_init(|| async {
        let host = PolicyHost::start(patient()).expect("an engine");
        add(&host, "script", SCRIPT).await;
        add(&host, "keyword-router", KEYWORDS).await;
        host
    })
    .await
}

async fn add(host: &PolicyHost, name: &str, bytes: &[u8]) {
    let name = PluginName::new(name).expect("a name");
    host.add_plugin(name, bytes.to_vec(), Origin::Embedded).await.expect("a plugin");
}

fn name(name: &str) -> PolicyName {
    PolicyName::new(name).expect("a name")
}

fn source(toml: &str, scripts: &[(&str, &str)]) -> PolicySource {
    let scripts = scripts.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    PolicySource { toml: toml.to_owned(), scripts, origin: Origin::Embedded, at: NOW }
}

/// Applies a policy that is one script, `NAME.rhai`.
async fn apply_script(host: &PolicyHost, policy: &str, script: &str) -> Result<PolicyStatus, Rejection> {
    let file = format!("{policy}.rhai");
    let toml = format!("plugin = \"script\"\nscript = \"{file}\"\n[settings.queues]\norders = \"Orders\"\n");
    host.apply(name(policy), source(&toml, &[(&file, script)])).await
}

/// A conversation of a team.
fn of_team(team: &str) -> Conversation {
    Conversation { team: Some(team.into()), ..sample::conversation(NOW) }
}

/// A conversation that differs from the sample, which every policy is tried with, in being closed.
fn closed() -> Conversation {
    Conversation { closed: true, ..sample::conversation(NOW) }
}

async fn route(host: &PolicyHost, policy: &str, of: &Conversation) -> Result<Destination, Fault> {
    host.route(&name(policy), of, NOW).await.answer
}

fn queue(name: &str) -> Result<Destination, Fault> {
    Ok(Destination::Queue(name.into()))
}

fn revision(status: &PolicyStatus) -> u32 {
    status.in_force.as_ref().expect("a revision in force").revision
}
