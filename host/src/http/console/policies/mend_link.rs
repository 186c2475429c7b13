//! Where what a policy decided is mended: by choosing a queue for the team that it has none for, or by another queue in its text.

use maud::{Markup, html};

use super::super::parts::Visit;
use super::shared::may_try;
use crate::domain::{Fault, Fingerprint, Group, OrgId, PolicyName, Question, Refusal, State, SyncError};
use crate::http::App;
use crate::http::access::Scope;
use crate::http::api;

/// What can be done about a sync error by its policy, for who may do it: choose a queue, or ask the policy again.
pub(in crate::http::console) fn ways(app: &App, visit: &Visit, error: &SyncError) -> Markup {
    let router = router_of_lost_queue(app, &error.refusal.code, &error.org);
    let blamed = error.refusal.blame.as_ref().map(|blame| &blame.policy.name);
    let policy = blamed.or(router.as_ref()).or(error.judged_by.as_ref().map(|policy| &policy.name));
    let opened = router.as_ref().filter(|_| visit.may(Scope::Policies) && error.state != State::Resolved);
    let asked = policy.filter(|_| may_try(visit));
    html! {
        @if opened.is_some() || asked.is_some() {
            p.actions {
                @if let Some(policy) = opened { (open_policy(policy)) }
                @if let Some(policy) = asked {
                    @if let Some(address) = mend_link(&error.refusal, &error.group) { a.button href=(address) { "Choose a queue" } }
                    a href={ "/policies/" (policy) "/ask?sync_error=" (error.id) } { "Ask the policy " (policy) " about it" }
                }
            }
        }
    }
}

/// Whether a code says that a policy named a queue that the organization does not have: the refusal's text names those that it has.
pub(in crate::http::console) fn names_no_queue(code: &str) -> bool {
    code == "QUEUE_NOT_FOUND"
}

/// The policy that says where an organization's conversations go, where that was to a queue that is not there.
fn router_of_lost_queue(app: &App, code: &str, org: &OrgId) -> Option<PolicyName> {
    let org = app.parts.engine.org(org).ok().filter(|_| names_no_queue(code))?.0;
    let answered_by = app.parts.policies.policy(&org.policy())?.in_force?.answered_by;
    answered_by.into_iter().find(|by| by.question == Question::Route).map(|by| by.policy.name)
}

fn open_policy(policy: &PolicyName) -> Markup {
    html! { a.button href={ "/policies/" (policy) "/edit" } { "Open the policy " (policy) } }
}

/// How the script plugin calls a mistake in the script itself, and how codes of faults begin that are no refusals.
const SCRIPT_ERROR: &str = "SCRIPT_ERROR";
const FAULT: &str = "POLICY_";

/// The page that mends a policy's refusal to say where a conversation goes; `None` for every other refusal. It needs the scopes
/// `policies` and `errors`.
pub(super) fn mend_link(refusal: &Refusal, group: &Fingerprint) -> Option<String> {
    let blame = refusal.blame.as_ref()?;
    let refuses = matches!(&blame.fault, Fault::Refused { code, .. } if code != SCRIPT_ERROR);
    (refuses && blame.question == Question::Route).then(|| address(&blame.policy.name, group))
}

/// The same for a cause.
pub(super) fn mend_link_of(group: &Group) -> Option<String> {
    of_cause(group.policy.as_ref(), group.question, &group.code, &group.org, &group.id)
}

/// The page that mends a cause, for who may do it.
pub(in crate::http::console) fn way_of_cause(app: &App, visit: &Visit, group: &api::Group) -> Markup {
    let is_open = group.counts.pending + group.counts.retrying > 0;
    let router = router_of_lost_queue(app, &group.code, &group.org);
    let address = of_cause(group.policy.as_ref(), group.question, &group.code, &group.org, &group.id);
    html! {
        @if let Some(address) = address.filter(|_| may_try(visit) && is_open) {
            p.actions { a.button href=(address) { "Choose a queue" } span.hint { "and retry these with it" } }
        }
        @if let Some(policy) = router.filter(|_| visit.may(Scope::Policies) && is_open) {
            p.actions { (open_policy(&policy)) span.hint { "and retry these when it names a queue that is there" } }
        }
    }
}

fn of_cause(
    policy: Option<&PolicyName>,
    question: Option<Question>,
    code: &str,
    org: &OrgId,
    group: &Fingerprint,
) -> Option<String> {
    let refuses = code != SCRIPT_ERROR && !code.starts_with(FAULT);
    let policy = policy.filter(|_| refuses && question == Some(Question::Route))?;
    Some(format!("{}&org={org}", address(policy, group)))
}

fn address(policy: &PolicyName, group: &Fingerprint) -> String {
    format!("/policies/{policy}/mend?group={group}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, PolicyRef};

    #[test]
    fn only_a_refusal_to_route_is_mended_by_choosing_a_queue() {
        let policy = PolicyRef { name: PolicyName::new("shop").unwrap(), revision: 3 };
        let group = Fingerprint::unnamed();
        let refused = Fault::Refused { code: "TEAM_NOT_MAPPED".into(), message: "no".into() };
        let of = |question, fault| mend_link(&Refusal::blaming(policy.clone(), question, fault), &group);
        assert_eq!(of(Question::Route, refused.clone()), Some(format!("/policies/shop/mend?group={group}")));
        assert_eq!(of(Question::Judge, refused), None);
        assert_eq!(of(Question::Route, Fault::TooSlow { limit_ms: 1 }), None);
        assert_eq!(mend_link(&Refusal::new(Class::Record, "X", "x"), &group), None);
    }
}
