//! The tokens with which people and programs ask: which there are, and what a new one is to be.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{ApiToken, ApiTokenId, OrgId, Timestamp, TokenScope};

/// What a new token is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Which person or program it is for, in 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, examples("billing robot"))]
    pub(crate) name: String,
    /// What it may be used for; nothing that the token lacks with which this is asked.
    #[schema(min_items = 1)]
    pub(crate) scopes: Vec<TokenScope>,
    /// The organizations that it is for; all, and those to come, where absent. What is another's is not there for it.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) orgs: Option<Vec<OrgId>>,
    /// From when on it is worth nothing; never where both are absent.
    pub(crate) expires_at: Option<Timestamp>,
    /// The same in seconds from now.
    #[schema(minimum = 1, maximum = 315_360_000)]
    pub(crate) expires_in: Option<u64>,
}

/// A token that was just made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct MadeToken {
    pub(crate) token: Token,
    /// What to send as `Authorization: Bearer SECRET`: 42 characters that begin with `swy_`. It is shown this once: the host keeps its
    /// hash alone, and an answer that is given again for an `Idempotency-Key` has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// A token, without its secret.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct Token {
    pub(crate) id: ApiTokenId,
    /// Which person or program it is for.
    pub(crate) name: String,
    pub(crate) scopes: Vec<TokenScope>,
    /// The organizations that it is for; absent where it is for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orgs: Option<Vec<OrgId>>,
    pub(crate) source: TokenSource,
    pub(crate) status: TokenStatus,
    /// Who made it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) made_by: Option<String>,
    /// The token that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) made_by_token: Option<ApiTokenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) made_at: Option<Timestamp>,
    /// From when on it is worth nothing; absent where that is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was used last; after a restart by a minute too early at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<Timestamp>,
    /// Who revoked it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_by: Option<String>,
}

/// Where a token is kept: in the configuration, which alone ends it, or in the store.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenSource {
    Configuration,
    Store,
}

/// What a token is worth.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenStatus {
    Valid,
    Expired,
    Revoked,
}

/// A page of tokens.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// The newest first; those of the configuration come last.
    pub(crate) tokens: Vec<Token>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<ApiTokenId>,
}

impl Token {
    /// Of a token as it stands now.
    pub(crate) fn of(token: ApiToken, of_configuration: bool, last_used_at: Option<Timestamp>, now: Timestamp) -> Self {
        let status = match (token.revoked_at, token.ended_at(now)) {
            (Some(_), _) => TokenStatus::Revoked,
            (None, Some(_)) => TokenStatus::Expired,
            (None, None) => TokenStatus::Valid,
        };
        let source = if of_configuration { TokenSource::Configuration } else { TokenSource::Store };
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes.into_iter().collect(),
            orgs: token.orgs.map(|orgs| orgs.into_iter().collect()),
            source,
            status,
            made_by: (!of_configuration).then_some(token.made_by),
            made_by_token: token.made_by_token,
            made_at: (!of_configuration).then_some(token.made_at),
            expires_at: token.expires_at,
            last_used_at,
            revoked_at: token.revoked_at,
            revoked_by: token.revoked_by,
        }
    }
}
