//! A revision of a policy, and how one comes to be: read, configured, frozen, tried.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::domain::{Fault, PluginName, PolicyName, PolicyRef, PolicySource, Question, Timestamp};
use crate::policy::DEFAULT_POLICY;
use crate::policy::change::status::Counters;
use crate::policy::revision::manifest::{Assignment, Manifest, Part};
use crate::policy::revision::rejection::Problem;
use crate::policy::revision::sample;
use crate::policy::runtime::configured::{Answerer, Form, Trouble};
use crate::policy::runtime::conversions::Failing;
use crate::policy::runtime::guest::Given;
use crate::policy::runtime::plugin::Plugin;
use crate::policy::runtime::sandbox::Sandbox;

/// How the script plugin calls a mistake in the script itself; a refusal with any other code is an answer.
const SCRIPT_ERROR: &str = "SCRIPT_ERROR";

/// A policy that can decide.
pub(crate) struct Revision {
    pub(crate) policy: PolicyRef,
    pub(crate) draft: Arc<Draft>,
    /// By part; what is missing is left to the default policy.
    answerers: [Option<Arc<Answerer>>; 3],
    /// Decisions of this revision, in whichever form it made them.
    pub(crate) counters: Arc<Counters>,
    /// Whether it is still to be frozen.
    pub(crate) thawed: bool,
    /// Whether somebody is about to do so.
    freezing: AtomicBool,
    /// Whether it waits for another to thaw.
    waits: AtomicBool,
    /// When it decided last, in milliseconds since 1970.
    asked_at: AtomicU64,
    /// Its place among those that may be frozen, where it is.
    place: Option<OwnedSemaphorePermit>,
}

/// What is wrong with a policy.
pub(crate) struct Wrong {
    pub(crate) problems: Vec<Problem>,
    pub(crate) fault: Option<Fault>,
    /// The plugin that is not there, where that is what is wrong.
    pub(crate) waits_for: Option<PluginName>,
}

impl From<Vec<Problem>> for Wrong {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems, fault: None, waits_for: None }
    }
}

/// A policy that was read, and whose plugins are there.
pub(crate) struct Draft {
    name: PolicyName,
    pub(crate) source: PolicySource,
    manifest: Manifest,
    plugins: BTreeMap<PluginName, Arc<Plugin>>,
    /// Over the policy's texts and its plugins.
    pub(crate) digest: String,
}

impl Draft {
    pub(crate) fn read(
        name: PolicyName,
        source: PolicySource,
        bound: usize,
        plugin: impl Fn(&PluginName) -> Result<Arc<Plugin>, String>,
    ) -> Result<Self, Wrong> {
        let file = format!("{name}.toml");
        let bytes = source.toml.len() + source.scripts.values().map(String::len).sum::<usize>();
        if bytes > bound {
            return Err(vec![Problem::of(file, format!("{bytes} bytes of text; {bound} are allowed"))].into());
        }
        let manifest = Manifest::read(&name, &source)?;
        let mut plugins = BTreeMap::new();
        let mut digest = Sha256::new();
        for Assignment { plugin: wanted, digest: pinned, configuration, .. } in manifest.assignments() {
            let plugin = plugin(wanted).map_err(|why| {
                let waits_for = Some(wanted.clone());
                Wrong { waits_for, ..vec![Problem::of(file.as_str(), why)].into() }
            })?;
            if let Some(pinned) = pinned.as_ref().filter(|pinned| **pinned != plugin.status.digest) {
                let has = &plugin.status.digest;
                let message = format!("the plugin `{wanted}` is sha256:{has}, and the policy wants sha256:{pinned}");
                return Err(vec![Problem::of(file, message)].into());
            }
            digest.update(&plugin.status.digest);
            digest.update(configuration.len().to_be_bytes());
            digest.update(configuration);
            plugins.insert(wanted.clone(), plugin);
        }
        digest.update(&source.toml);
        let digest = hex::encode(digest.finalize());
        Ok(Self { name, source, manifest, plugins, digest })
    }

    /// The plugins that it names, with the SHA-256 of each.
    pub(crate) fn plugins(&self) -> BTreeMap<PluginName, String> {
        self.plugins.iter().map(|(name, plugin)| (name.clone(), plugin.status.digest.clone())).collect()
    }

    /// Whether another component of this plugin would make another revision of it: it names the plugin and no digest.
    pub(crate) fn follows(&self, plugin: &PluginName, digest: &str) -> bool {
        let old = self.plugins.get(plugin).is_some_and(|own| own.status.digest != digest);
        old && self.manifest.assignments().any(|one| one.plugin == *plugin && one.digest.is_none())
    }

    /// Configures and tries it, which takes milliseconds: for a blocking thread.
    pub(crate) async fn configured(self: &Arc<Self>, sandbox: &Sandbox, number: u32) -> Result<Revision, Wrong> {
        let policy = PolicyRef { name: self.name.clone(), revision: number };
        let answerers = self.build(sandbox, Form::Configured).await?;
        let draft = Arc::clone(self);
        Ok(Revision::new(policy, draft, answerers, Arc::default(), sandbox.config.freeze))
    }

    async fn build(&self, sandbox: &Sandbox, form: Form) -> Result<[Option<Arc<Answerer>>; 3], Wrong> {
        let mut made: Vec<Arc<Answerer>> = Vec::new();
        let mut answerers = [None, None, None];
        for part in Part::ALL {
            let Some((assignment, must)) = self.manifest.assignment(part) else { continue };
            let answerer = match made.iter().find(|made| made.assignment == *assignment) {
                Some(made) => made.clone(),
                None => {
                    let answerer = Arc::new(self.configure(sandbox, assignment, form).await?);
                    made.push(answerer.clone());
                    answerer
                }
            };
            if answerer.doors.has(part) {
                answerers[part as usize] = Some(answerer);
            } else if must {
                let message = format!("the plugin `{}` does not answer {}", assignment.plugin, questions(part));
                return Err(vec![Problem::of(format!("{}.toml", self.name), message)].into());
            }
        }
        self.complete(&answerers)?;
        for part in Part::ALL {
            if let Some(answerer) = answerers[part as usize].clone() {
                // A part of its own may share an answerer, so the replacement goes wherever it stood.
                if let Some(thawed) = self.try_out(sandbox, &answerer, part).await? {
                    let thawed = Arc::new(thawed);
                    for place in answerers.iter_mut().flatten().filter(|place| Arc::ptr_eq(place, &answerer)) {
                        *place = thawed.clone();
                    }
                }
            }
        }
        answerers.iter().flatten().for_each(|answerer| answerer.ready(sandbox));
        Ok(answerers)
    }

    /// Everything that others leave out is left to the default policy, so it has to know all the answers.
    fn complete(&self, answerers: &[Option<Arc<Answerer>>; 3]) -> Result<(), Wrong> {
        let missing = Part::ALL.into_iter().find(|part| answerers[*part as usize].is_none());
        match missing {
            Some(part) if self.name.as_str() == DEFAULT_POLICY => {
                let message = format!("the default policy has to answer {}", questions(part));
                Err(vec![Problem::of(format!("{}.toml", self.name), message)].into())
            }
            _ => Ok(()),
        }
    }

    async fn configure(&self, sandbox: &Sandbox, assignment: &Assignment, form: Form) -> Result<Answerer, Wrong> {
        let plugin = self.plugins[&assignment.plugin].clone();
        let answerer = Answerer::new(sandbox, plugin, assignment.clone(), self.given(), form).await;
        answerer.map_err(|trouble| match trouble {
            Trouble::Fault(fault) => self.failed(assignment, "configure itself", fault),
            Trouble::Problems(problems) => {
                problems.into_iter().map(|problem| self.located(assignment, problem)).collect::<Vec<_>>().into()
            }
        })
    }

    /// A plugin speaks of its script by the file's name and of everything else by the key.
    fn located(
        &self,
        assignment: &Assignment,
        problem: crate::policy::runtime::bindings::switchyard::policy::types::Problem,
    ) -> Problem {
        if assignment.script.as_ref() == Some(&problem.path) {
            let (line, column) = (problem.line, problem.column);
            return Problem { line, column, ..Problem::of(problem.path, problem.message) };
        }
        Problem::of(format!("{}.toml", self.name), format!("{}: {}", problem.path, problem.message))
    }

    /// Asks the questions of a part with a sample. If only the frozen form fails, the plugin is better not frozen.
    async fn try_out(&self, sandbox: &Sandbox, answerer: &Answerer, part: Part) -> Result<Option<Answerer>, Wrong> {
        let mut failed = first_fault(sandbox, answerer, self.given(), part).await;
        if failed.is_some() && answerer.frozen.is_err() {
            // It may have been the one instance that was asked several questions; no decision begins so.
            answerer.warm.keep_at_most(0);
            failed = first_fault(sandbox, answerer, self.given(), part).await;
        }
        let Some((question, fault)) = failed else { return Ok(None) };
        if answerer.frozen.is_ok()
            && matches!(fault, Fault::Trapped { .. })
            && let Ok(thawed) = answerer.thawed(format!("once frozen, it could not {question}: {fault}"))
            && first_fault(sandbox, &thawed, self.given(), part).await.is_none()
        {
            return Ok(Some(thawed));
        }
        Err(self.failed(&answerer.assignment, &format!("{question} a sample conversation"), fault))
    }

    fn failed(&self, assignment: &Assignment, asked: &str, fault: Fault) -> Wrong {
        let path = assignment.script.clone().unwrap_or_else(|| format!("{}.toml", self.name));
        let message = format!("the plugin `{}` was asked to {asked} and {fault}", assignment.plugin);
        Wrong { fault: Some(fault), ..vec![Problem::of(path, message)].into() }
    }

    fn given(&self) -> Given {
        Given { now: self.source.at, seed: self.name.to_string() }
    }
}

impl Revision {
    fn new(
        policy: PolicyRef,
        draft: Arc<Draft>,
        answerers: [Option<Arc<Answerer>>; 3],
        counters: Arc<Counters>,
        thawed: bool,
    ) -> Self {
        let (freezing, waits, asked_at, place) = Default::default();
        Self { policy, draft, answerers, counters, thawed, freezing, waits, asked_at, place }
    }

    /// The same with its plugins frozen, where they can be; takes up to a second: for a blocking thread.
    pub(crate) async fn frozen(&self, sandbox: &Sandbox, place: OwnedSemaphorePermit) -> Result<Self, Wrong> {
        let answerers = self.draft.build(sandbox, Form::Frozen).await?;
        let any = answerers.iter().flatten().any(|answerer| answerer.frozen.is_ok());
        Ok(Self { place: any.then_some(place), ..self.in_form(answerers, false) })
    }

    /// The same, which will not be frozen.
    pub(crate) fn unfrozen(&self, why: &str) -> Self {
        tracing::warn!(policy = %self.policy, why, "a policy could not be frozen: its decisions take longer");
        self.in_form(self.answerers.clone(), false)
    }

    /// The same, to be frozen again when it is asked again; takes milliseconds: for a blocking thread.
    pub(crate) async fn thawed(&self, sandbox: &Sandbox) -> Result<Self, Wrong> {
        Ok(self.in_form(self.draft.build(sandbox, Form::Configured).await?, true))
    }

    fn in_form(&self, answerers: [Option<Arc<Answerer>>; 3], thawed: bool) -> Self {
        let (policy, draft, counters) = (self.policy.clone(), Arc::clone(&self.draft), Arc::clone(&self.counters));
        let asked_at = AtomicU64::new(self.asked_at().as_millis());
        Self { asked_at, ..Self::new(policy, draft, answerers, counters, thawed) }
    }

    /// Whether it is time to freeze it: true once, for the one who does it.
    pub(crate) fn to_be_frozen(&self) -> bool {
        self.thawed && !self.freezing.swap(true, Ordering::Relaxed)
    }

    /// It was not frozen after all: it is for another time, or `waits` for another to thaw.
    pub(crate) fn stay_thawed(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
        self.freezing.store(false, Ordering::Relaxed);
    }

    /// Why it is not frozen yet, where that is for others.
    pub(crate) fn waits_for_a_place(&self) -> Option<String> {
        let why = "as many policies are frozen as may be; this one will be when another was not asked for ten minutes";
        self.waits.load(Ordering::Relaxed).then(|| why.to_owned())
    }

    /// Remembers when it decided.
    pub(crate) fn asked(&self, now: Timestamp) {
        self.asked_at.store(now.as_millis(), Ordering::Relaxed);
    }

    /// When it decided last.
    pub(crate) fn asked_at(&self) -> Timestamp {
        Timestamp::from_millis(self.asked_at.load(Ordering::Relaxed))
    }

    /// Whether it has a place among those that are frozen.
    pub(crate) const fn has_a_place(&self) -> bool {
        self.place.is_some()
    }

    /// Who answers a question, unless it is left to the default policy.
    pub(crate) fn answerer(&self, question: Question) -> Option<&Arc<Answerer>> {
        self.answerers[Part::of(question) as usize].as_ref()
    }
}

async fn first_fault(sandbox: &Sandbox, answerer: &Answerer, given: Given, part: Part) -> Option<(Question, Fault)> {
    let of = sample::conversation(given.now);
    for question in part.questions() {
        let given = given.clone();
        let fault = match question {
            Question::Route => answerer.route(sandbox, given, &of).await.answer.err(),
            Question::Search => answerer.search(sandbox, given, &of).await.answer.err(),
            Question::Choose => answerer.choose(sandbox, given, &of, &sample::contacts()).await.answer.err(),
            Question::Judge => {
                let refusal = sample::refusal();
                let failing = Failing { refusal: &refusal, attempt: 1, first_seen: given.now, conversation: &of };
                answerer.judge(sandbox, given, failing).await.answer.err()
            }
        };
        match fault {
            None => {}
            Some(Fault::Refused { code, .. }) if code != SCRIPT_ERROR => {}
            Some(fault) => return Some((*question, fault)),
        }
    }
    None
}

fn questions(part: Part) -> String {
    part.questions().iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
