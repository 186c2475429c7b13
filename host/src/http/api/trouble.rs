//! What an operator can cure.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

use crate::domain::{OrgId, Timestamp};
use crate::troubles;

/// Something that is wrong at present.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Trouble {
    #[schema(examples("policy-file"))]
    pub(crate) kind: Cow<'static, str>,
    /// What it is about: a file, an address, an environment.
    pub(crate) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<OrgId>,
    pub(crate) since: Timestamp,
    pub(crate) what: String,
    pub(crate) cure: String,
}

/// All that is wrong at present.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TroubleList {
    pub(crate) troubles: Vec<Trouble>,
    /// How many more there are of kinds that have too many.
    pub(crate) left_out: usize,
}

impl From<troubles::Trouble> for Trouble {
    fn from(trouble: troubles::Trouble) -> Self {
        let troubles::Trouble { kind, subject, org, since, what, cure } = trouble;
        Self { kind: kind.into(), subject, org, since, what, cure }
    }
}
