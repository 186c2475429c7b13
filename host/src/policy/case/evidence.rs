//! What was sent to Salesforce and what came back, in the bundle of a sync error.

use serde::{Deserialize, Serialize};

use crate::domain::{AnswerReceived, Refusal, RequestSent};

/// A request that was refused, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// As it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestSent>,
    /// As it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<AnswerReceived>>,
}

impl Evidence {
    /// What a refusal has of it; `None` where nothing was sent.
    #[must_use]
    pub fn of(refusal: &Refusal) -> Option<Self> {
        let (request, answer) = (refusal.request.clone(), refusal.answer.clone());
        (request.is_some() || answer.is_some()).then_some(Self { request, answer })
    }
}
