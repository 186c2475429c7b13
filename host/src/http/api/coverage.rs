//! What a policy has no answer for.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::SourceId;
use crate::engine;

/// What a policy refuses to route, among conversations of the last days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Coverage {
    /// Conversations that it was asked about.
    looked_at: usize,
    teams: Vec<Uncovered>,
    channels: Vec<Uncovered>,
    tags: Vec<Uncovered>,
    /// Teams that an Alcmeon environment has, that were not seen yet, and that would be refused.
    unseen_teams: Vec<UnseenTeam>,
}

/// A team, a channel or a tag with conversations that are refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uncovered {
    /// Absent for conversations without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    seen: usize,
    refused: usize,
    /// A conversation that is refused.
    example: String,
    /// The refusal.
    says: Value,
}

/// A team that nobody wrote to yet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnseenTeam {
    source: SourceId,
    team: String,
    says: Value,
}

impl From<engine::Coverage> for Coverage {
    fn from(coverage: engine::Coverage) -> Self {
        let engine::Coverage { looked_at, seen_teams: _, teams, channels, tags, unseen_teams } = coverage;
        let all = |found: Vec<engine::Uncovered>| found.into_iter().map(Uncovered::from).collect();
        let unseen = |engine::UnseenTeam { source, team, says }| UnseenTeam { source, team, says };
        let unseen_teams = unseen_teams.into_iter().map(unseen).collect();
        Self { looked_at, teams: all(teams), channels: all(channels), tags: all(tags), unseen_teams }
    }
}

impl From<engine::Uncovered> for Uncovered {
    fn from(engine::Uncovered { value, seen, refused, example, says }: engine::Uncovered) -> Self {
        Self { value, seen, refused, example, says }
    }
}
