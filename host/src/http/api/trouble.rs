//! What an operator can cure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{OrgId, Timestamp};
use crate::troubles;

/// Something that is wrong at present.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trouble {
    #[schema(examples("policy-file"))]
    kind: &'static str,
    /// What it is about: a file, an address, an environment.
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<OrgId>,
    since: Timestamp,
    what: String,
    cure: String,
}

/// All that is wrong at present.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TroubleList {
    pub(crate) troubles: Vec<Trouble>,
    /// How many more there are of kinds that have too many.
    pub(crate) left_out: usize,
}

impl From<troubles::Trouble> for Trouble {
    fn from(trouble: troubles::Trouble) -> Self {
        let troubles::Trouble { kind, subject, org, since, what, cure } = trouble;
        Self { kind, subject, org, since, what, cure }
    }
}
