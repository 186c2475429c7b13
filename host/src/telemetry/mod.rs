//! What the host tells of its own work: counts and durations at `/metrics`, and the spans of traces.

mod metrics;
mod traces;

pub use self::metrics::{
    Answered, Arrived, Attempted, Called, Committed, Decided, Mailed, Metrics, OfClass, OfOrg, OfSource, Registered,
    Wrong,
};
pub use self::traces::{Here, Kind, Span, Traces, child, following, here};
