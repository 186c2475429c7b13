//! A revision that can decide: how it is built from a draft, and whether it decides from snapshots.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::OwnedSemaphorePermit;

use super::counters::Counters;
use super::draft::{DEFAULT_POLICY, Draft, DraftError};
use super::rejection::PolicyProblem;
use super::sample;
use crate::domain::{Fault, FieldPath, PolicyRef, Question, Timestamp};
use crate::policy::component::Part;
use crate::policy::runtime::{
    Answered, Ask, Assignment, Choose, ConfigureError, ConfiguredPlugin, Failing, Route, Sandbox, Search,
    SettingProblem, Start,
};

/// How the script plugin calls a mistake in the script itself; a refusal with any other code is an answer.
const SCRIPT_ERROR: &str = "SCRIPT_ERROR";

/// By part; what is missing is left to the default policy.
type Plugins = [Option<Arc<ConfiguredPlugin>>; 3];

/// A policy that can decide.
pub(crate) struct Revision {
    pub(crate) policy: PolicyRef,
    pub(crate) draft: Arc<Draft>,
    plugins: Plugins,
    /// Decisions of this revision, with and without snapshots.
    pub(crate) counters: Arc<Counters>,
    /// Whether snapshots are still to be made.
    pub(crate) snapshot_due: bool,
    /// Whether a task is about to make them.
    snapshotting: AtomicBool,
    /// Whether there was no place for snapshots when they were to be made.
    waits: AtomicBool,
    /// When it decided last, in milliseconds since 1970.
    asked_at: AtomicU64,
    /// Its place among the policies with snapshots, where it has any.
    place: Option<OwnedSemaphorePermit>,
}

impl Draft {
    /// Configures and tries it, which takes milliseconds: for a blocking thread.
    pub(crate) async fn configured(self: &Arc<Self>, sandbox: &Sandbox, number: u32) -> Result<Revision, DraftError> {
        let policy = PolicyRef { name: self.name.clone(), revision: number };
        let plugins = self.build(sandbox, Start::Configure).await?;
        Ok(Revision::new(policy, Arc::clone(self), plugins, Arc::default(), sandbox.config.freeze))
    }

    async fn build(&self, sandbox: &Sandbox, start: Start) -> Result<Plugins, DraftError> {
        let mut made: Vec<Arc<ConfiguredPlugin>> = Vec::new();
        let mut plugins = [None, None, None];
        for part in Part::ALL {
            let Some((assignment, must)) = self.manifest.assignment(part) else { continue };
            let plugin = match made.iter().find(|made| made.assignment == *assignment) {
                Some(made) => made.clone(),
                None => {
                    let plugin = Arc::new(self.configure(sandbox, assignment, start).await?);
                    made.push(plugin.clone());
                    plugin
                }
            };
            if plugin.answers(part) {
                plugins[part as usize] = Some(plugin);
            } else if must {
                let message = format!("the plugin `{}` does not answer {}", assignment.plugin, questions(part));
                return Err(vec![PolicyProblem::of(self.file(), message)].into());
            }
        }
        self.complete(&plugins)?;
        for part in Part::ALL {
            if let Some(plugin) = plugins[part as usize].clone() {
                // One plugin may stand for several parts, so the replacement goes wherever it stood.
                if let Some(without_snapshot) = self.try_out(sandbox, &plugin, part).await? {
                    let without_snapshot = Arc::new(without_snapshot);
                    for place in plugins.iter_mut().flatten().filter(|place| Arc::ptr_eq(place, &plugin)) {
                        *place = without_snapshot.clone();
                    }
                }
            }
        }
        plugins.iter().flatten().for_each(|plugin| plugin.end_trial(sandbox));
        Ok(plugins)
    }

    /// Everything that others leave out is left to the default policy, so it has to know all the answers.
    fn complete(&self, plugins: &Plugins) -> Result<(), DraftError> {
        let missing = Part::ALL.into_iter().find(|part| plugins[*part as usize].is_none());
        match missing {
            Some(part) if self.name.as_str() == DEFAULT_POLICY => {
                let message = format!("the default policy has to answer {}", questions(part));
                Err(vec![PolicyProblem::of(self.file(), message)].into())
            }
            _ => Ok(()),
        }
    }

    async fn configure(
        &self,
        sandbox: &Sandbox,
        assignment: &Assignment,
        start: Start,
    ) -> Result<ConfiguredPlugin, DraftError> {
        let plugin = self.plugins[&assignment.plugin].clone();
        let configured = ConfiguredPlugin::new(sandbox, plugin, assignment.clone(), self.clock_and_seed(), start).await;
        configured.map_err(|error| match error {
            ConfigureError::Fault(fault) => self.failed(assignment, "configure itself", fault),
            ConfigureError::Problems(problems) => {
                problems.into_iter().map(|problem| self.located(assignment, problem)).collect::<Vec<_>>().into()
            }
        })
    }

    /// A plugin speaks of its script by the file's name and of everything else by the key.
    fn located(&self, assignment: &Assignment, problem: SettingProblem) -> PolicyProblem {
        let SettingProblem { path, line, column, message } = problem;
        if assignment.script.as_ref() == Some(&path) {
            return PolicyProblem { line, column, ..PolicyProblem::of(path, message) };
        }
        PolicyProblem::of(self.file(), format!("{path}: {message}"))
    }

    /// Asks the questions of a part with a sample. If only the snapshot fails, the plugin is better without: that one is
    /// answered.
    async fn try_out(
        &self,
        sandbox: &Sandbox,
        plugin: &ConfiguredPlugin,
        part: Part,
    ) -> Result<Option<ConfiguredPlugin>, DraftError> {
        let mut failed = self.first_fault(sandbox, plugin, part).await;
        if failed.is_some() && plugin.snapshot.is_err() {
            // It may have been the one instance that was asked several questions; no decision begins so.
            plugin.drop_instances();
            failed = self.first_fault(sandbox, plugin, part).await;
        }
        let Some((question, fault)) = failed else { return Ok(None) };
        if plugin.snapshot.is_ok()
            && matches!(fault, Fault::Trapped { .. })
            && let Ok(without) = plugin.without_snapshot(format!("once frozen, it could not {question}: {fault}"))
            && self.first_fault(sandbox, &without, part).await.is_none()
        {
            return Ok(Some(without));
        }
        Err(self.failed(&plugin.assignment, &format!("{question} a sample conversation"), fault))
    }

    fn failed(&self, assignment: &Assignment, asked: &str, fault: Fault) -> DraftError {
        let path = assignment.script.clone().unwrap_or_else(|| self.file());
        let (line, column) = place_in(&path, &fault);
        let message = format!("the plugin `{}` was asked to {asked} and {fault}", assignment.plugin);
        DraftError {
            fault: Some(fault),
            ..vec![PolicyProblem { line, column, ..PolicyProblem::of(path, message) }].into()
        }
    }

    async fn first_fault(&self, sandbox: &Sandbox, plugin: &ConfiguredPlugin, part: Part) -> Option<(Question, Fault)> {
        let with = self.clock_and_seed();
        let (of, contacts, refusal) = (sample::conversation(with.now), sample::contacts(), sample::refusal());
        let failing = Failing { refusal: &refusal, attempt: 1, first_seen: with.now, conversation: &of };
        for question in part.questions() {
            let with = with.clone();
            let fault = match question {
                Question::Route => fault(Route(&of).ask(plugin, sandbox, with).await),
                Question::Search => fault(Search(&of).ask(plugin, sandbox, with).await),
                Question::Choose => fault(Choose(&of, &contacts).ask(plugin, sandbox, with).await),
                Question::Judge => fault(failing.ask(plugin, sandbox, with).await),
            };
            if let Some(fault) = fault {
                return Some((*question, fault));
            }
        }
        None
    }
}

impl Revision {
    fn new(
        policy: PolicyRef,
        draft: Arc<Draft>,
        plugins: Plugins,
        counters: Arc<Counters>,
        snapshot_due: bool,
    ) -> Self {
        Self {
            policy,
            draft,
            plugins,
            counters,
            snapshot_due,
            snapshotting: AtomicBool::default(),
            waits: AtomicBool::default(),
            asked_at: AtomicU64::default(),
            place: None,
        }
    }

    /// The same, deciding from snapshots where they can be made; takes up to a second: for a blocking thread.
    pub(crate) async fn with_snapshots(
        &self,
        sandbox: &Sandbox,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, DraftError> {
        let plugins = self.draft.build(sandbox, Start::Snapshot).await?;
        let any = plugins.iter().flatten().any(|plugin| plugin.snapshot.is_ok());
        Ok(Self { place: place.filter(|_| any), ..self.with_plugins(plugins, false) })
    }

    /// The same, of which no snapshots will be made.
    pub(crate) fn never_with_snapshots(&self, why: &str) -> Self {
        tracing::warn!(policy = %self.policy, why, "a policy could not be frozen: its decisions take longer");
        self.with_plugins(self.plugins.clone(), false)
    }

    /// The same without its snapshots, which are made again when it is asked again; takes milliseconds: for a blocking
    /// thread.
    pub(crate) async fn without_snapshots(&self, sandbox: &Sandbox) -> Result<Self, DraftError> {
        Ok(self.with_plugins(self.draft.build(sandbox, Start::Configure).await?, true))
    }

    fn with_plugins(&self, plugins: Plugins, snapshot_due: bool) -> Self {
        let (policy, draft, counters) = (self.policy.clone(), Arc::clone(&self.draft), Arc::clone(&self.counters));
        let asked_at = AtomicU64::new(self.asked_at().as_millis());
        Self { asked_at, ..Self::new(policy, draft, plugins, counters, snapshot_due) }
    }

    /// Whether snapshots are to be made now: true once, for the one who makes them.
    pub(crate) fn claim_snapshotting(&self) -> bool {
        self.snapshot_due && !self.snapshotting.swap(true, Ordering::Relaxed)
    }

    /// No snapshots were made after all: they are for another time, and where it `waits`, for when there is a place.
    pub(crate) fn give_up_snapshotting(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
        self.snapshotting.store(false, Ordering::Relaxed);
    }

    /// Why there are no snapshots yet, where other policies have all the places.
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

    /// Whether it has a place among the policies with snapshots.
    pub(crate) const fn has_a_place(&self) -> bool {
        self.place.is_some()
    }

    /// What `choose` is told of each contact that was found, beside what everybody is told.
    pub(crate) fn contact_fields(&self) -> Arc<[FieldPath]> {
        Arc::clone(self.draft.manifest.contact_fields())
    }

    /// Who answers a question, unless it is left to the default policy.
    pub(crate) fn plugin(&self, question: Question) -> Option<&Arc<ConfiguredPlugin>> {
        self.plugins[Part::of(question) as usize].as_ref()
    }
}

/// How a plugin failed; a refusal in its own words is an answer.
fn fault<T>(answered: Answered<T>) -> Option<Fault> {
    match answered.answer {
        Err(Fault::Refused { code, .. }) if code != SCRIPT_ERROR => None,
        answer => answer.err(),
    }
}

/// Where in its file a script says that it failed: it begins with `FILE, line 3, column 14, in`.
fn place_in(file: &str, fault: &Fault) -> (Option<u32>, Option<u32>) {
    let Fault::Refused { code, message } = fault else { return (None, None) };
    let Some(place) = message.strip_prefix(file).filter(|_| code == SCRIPT_ERROR) else { return (None, None) };
    let mut parts = place.split(", ").skip(1);
    let mut number = |what: &str| parts.next()?.strip_prefix(what)?.parse().ok();
    let line = number("line ");
    (line, line.and_then(|_| number("column ")))
}

fn questions(part: Part) -> String {
    part.questions().iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
