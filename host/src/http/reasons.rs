//! Why people ignored something lately: what is offered to whoever is asked for a reason.

use super::App;
use super::access::Caller;
use super::problem::Problem;
use crate::domain::{Deed, ERASED};
use crate::ledger::ActionFilter;

/// Reasons that are offered.
const OFFERED: usize = 12;

/// The newest reasons for ignoring sync errors of organizations that the caller sees, each once, among so many of the newest actions.
pub(super) async fn given_before(app: &App, caller: &Caller, among: usize) -> Result<Vec<String>, Problem> {
    let filter = ActionFilter { orgs: caller.orgs().cloned(), looked_at: Some(among), ..ActionFilter::default() };
    let page = app.parts.engine.ledger().actions(&filter, None, among).await?;
    let mut reasons: Vec<String> = Vec::new();
    for (_, action) in page.actions {
        let Some(reason) = action.reason.as_deref() else { continue };
        let reason = match action.what {
            Deed::Ignore | Deed::IgnoreParked => reason,
            Deed::OperationBegin if let Some(reason) = reason.strip_prefix("ignore: ") => reason,
            _ => continue,
        };
        if reason != ERASED && reasons.iter().all(|known| known != reason) {
            reasons.push(reason.to_owned());
        }
        if reasons.len() == OFFERED {
            break;
        }
    }
    Ok(reasons)
}
