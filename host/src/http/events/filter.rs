//! Which events somebody wants, read from the query of an address.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::domain::{EventType, HostEvent, OrgId};
use crate::http::App;
use crate::http::error_query::each;
use crate::http::parameters::{Form, Known, known, named, names};
use crate::http::problem::Problem;

/// The filters.
const KNOWN: [Known; 2] = [
    known("org", Form::Several(named::<OrgId>), "About these organizations."),
    known("type", Form::Several(named::<EventType>), "Of these types."),
];

/// Which events somebody wants; all where nothing is said.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Filter {
    pub(super) orgs: BTreeSet<OrgId>,
    pub(super) types: BTreeSet<EventType>,
}

impl Filter {
    pub(super) fn matches(&self, what: EventType, org: Option<&OrgId>) -> bool {
        (self.types.is_empty() || self.types.contains(&what))
            && (self.orgs.is_empty() || org.is_some_and(|org| self.orgs.contains(org)))
    }

    pub(super) fn takes(&self, event: &HostEvent) -> bool {
        self.matches(event.what, event.org.as_ref())
    }
}

impl FromRequestParts<App> for Filter {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut filter = Self::default();
        for (name, value) in url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "org" => each("org", &value, &mut filter.orgs)?,
                "type" => each("type", &value, &mut filter.types)?,
                _ => {
                    let name: String = name.chars().take(80).collect();
                    return Err(Problem::bad_request(format!("`{name}` is no filter; known are {}", names(&KNOWN))));
                }
            }
        }
        Ok(filter)
    }
}

impl IntoParams for Filter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        KNOWN.iter().map(Known::parameter).collect()
    }
}
