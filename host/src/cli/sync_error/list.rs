//! Lists of sync errors, to look at and for other commands.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::filter::Filter;
use crate::cli::out::{self, say, tell};
use crate::cli::remote::{Remote, known, list as list_of};
use crate::cli::table::{fitted, plain};
use crate::domain::State;
use crate::http::api::SyncError;

/// Sync errors of one call.
const PAGE: usize = 500;

/// In which order, how many, and how they are printed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Shown {
    /// The order: those that failed first last, or first.
    #[arg(long, allow_hyphen_values = true, value_enum, default_value_t = Order::NewestFirst)]
    sort: Order,
    /// No more than so many; all where not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print the ids alone, for other commands.
    #[arg(long, conflicts_with = "json")]
    ids: bool,
    /// Print one JSON object for each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    #[value(name = "-first_seen")]
    NewestFirst,
    #[value(name = "first_seen")]
    OldestFirst,
}

/// Prints those that match. What waits for a person is listed where no state is asked for, unless `all` are.
pub(super) async fn list(mut filter: Filter, all: bool, shown: &Shown) -> anyhow::Result<()> {
    if filter.state.is_empty() && !all {
        filter.state.push(State::Pending);
    }
    let mut left = shown.limit.unwrap_or(u64::MAX);
    let mut fields = filter.fields();
    let order = if shown.sort == Order::OldestFirst { "first_seen" } else { "-first_seen" };
    fields.extend([("sort", order.to_owned()), ("limit", left.min(PAGE as u64).to_string())]);
    let (mut pages, mut codes) = (shown.remote.pages("/v1/sync-errors", &fields), BTreeMap::<_, u64>::new());
    while left > 0
        && out::is_open()
        && let Some(page) = pages.next().await?
    {
        for error in list_of(&page, "sync_errors").take(usize::try_from(left)?) {
            left -= 1;
            match shown {
                Shown { ids: true, .. } => say!("{}", known::<SyncError>(error)?.id),
                Shown { json: true, .. } => say!("{error}"),
                _ => {
                    let error: SyncError = known(error)?;
                    fitted(&line(&error));
                    *codes.entry(format!("{} {}", error.refusal.class, error.refusal.code)).or_default() += 1;
                }
            }
        }
    }
    // Whoever has five hundred begins with what most of them have in common.
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_by_key(|(_, count)| Reverse(*count));
    for (code, count) in codes {
        tell!("{count:>6}  {}", plain(&code));
    }
    Ok(())
}

fn line(SyncError { id, last_seen, org, refusal, .. }: &SyncError) -> String {
    let (class, code, words) = (refusal.class.to_string(), plain(&refusal.code), plain(&refusal.text));
    format!("{id}  {last_seen}  {org}  {class:<12} {code}: {words}")
}
