//! What lists, exports and operations of sync errors can be narrowed to, as the document and the refusals name it.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::parameters::{Form, Known, known, limit, named, number, one_of, text};
use crate::domain::{Class, ConversationId, Fingerprint, MessageId, OrgId, PolicyName, State, SyncErrorId, Timestamp};

/// The filters, in the order of the documents. The search over everything stands for a filter as well.
pub(super) const FILTERS: [Known; 20] = [
    known("id", Form::Several(named::<SyncErrorId>), "These alone, at most 200."),
    known("org", Form::Several(named::<OrgId>), "Of these organizations."),
    known("state", Form::Several(named::<State>), "In these states."),
    known("class", Form::Several(named::<Class>), "With a refusal of these classes."),
    known("code", Form::Several(text), "With a refusal of these codes."),
    known("group", Form::Several(named::<Fingerprint>), "Of these causes."),
    known("team", Form::Repeated(text), "Of conversations of these teams."),
    known("channel", Form::Several(text), "Of conversations of these channels, in the platform's words."),
    known("policy", Form::Several(named::<PolicyName>), "Judged by these policies."),
    known("first_seen_from", Form::One(named::<Timestamp>), "That failed first at this moment or later."),
    known("first_seen_before", Form::One(named::<Timestamp>), "That failed first before this moment."),
    known("last_seen_from", Form::One(named::<Timestamp>), "That failed last at this moment or later."),
    known("last_seen_before", Form::One(named::<Timestamp>), "That failed last before this moment."),
    known("attempts_min", Form::One(number), "Attempted at least so often."),
    known("attempts_max", Form::One(number), "Attempted at most so often."),
    known("conversation", Form::One(named::<ConversationId>), "Of this conversation."),
    known("message", Form::One(named::<MessageId>), "That affect this message."),
    known("customer", Form::One(text), "Of customers whose name or address begins with this."),
    known("text", Form::One(text), "Of causes with these words."),
    known(
        "q",
        Form::One(text),
        "A search: an id of any kind, the beginning of a customer's name or address, or words of a cause.",
    ),
];

/// How pages of sync errors are asked for, beside the filters.
pub(super) const PAGING: [Known; 3] = [
    known(
        "sort",
        Form::One(|| one_of(["-first_seen", "first_seen"])),
        "The newest first, as without it, or the oldest.",
    ),
    known(
        "cursor",
        Form::One(text),
        "The `next_cursor` or `previous_cursor` of a page, with the same filters and order.",
    ),
    known("limit", Form::One(limit), "Sync errors of a page."),
];

/// Which sync errors a list has, and how it is paged.
pub(super) struct Listed;

impl IntoParams for Listed {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        FILTERS.iter().chain(&PAGING).map(Known::parameter).collect()
    }
}

/// Which sync errors an export has, and how they are written.
pub(super) struct Exported;

impl IntoParams for Exported {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let format =
            known("format", Form::One(|| one_of(["jsonl", "csv"])), "How they are written; `jsonl` without it.");
        FILTERS.iter().chain(&PAGING[..1]).chain([&format]).map(Known::parameter).collect()
    }
}
