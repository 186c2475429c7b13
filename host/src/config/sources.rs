//! Sources whose names keep the ids of their conversations apart.

use std::collections::BTreeSet;

use super::{Config, Error, accounts};
use crate::domain::SourceId;

/// A conversation's id is that of its source, a colon, and what the source calls it: of `shop` and `shop:fr`, one could name
/// the other's.
///
/// # Errors
/// Names two sources of which that is so.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    let mut sources: BTreeSet<SourceId> = config.alcmeon.keys().cloned().collect();
    for org in &config.orgs {
        sources.extend(accounts(org)?.into_iter().map(|(source, _)| source));
    }
    for source in &sources {
        let within = format!("{source}:");
        if let Some(other) = sources.iter().find(|other| other.as_str().starts_with(&within)) {
            return Err(Error::Sense(format!(
                "orgs.accounts: the sources `{source}` and `{other}` could give one id to two conversations; call one of \
                 them something else"
            )));
        }
    }
    Ok(())
}
