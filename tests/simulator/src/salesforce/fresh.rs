//! Conditional reads: what has not changed since the caller last saw it is not sent again.

use jiff::fmt::rfc2822;

use super::answer::Answer;
use super::calls::Call;
use crate::clock;

/// The answer with `Last-Modified` and `ETag`, or 304 when the caller has it already.
pub(crate) fn since(call: &Call, modified_ms: i64, full: impl FnOnce() -> Answer) -> Answer {
    let modified_s = modified_ms.div_euclid(1000);
    let tag = format!("\"{modified_ms:x}\"");
    let known = call.header("If-None-Match").is_some_and(|given| given == tag || given == "*")
        || call
            .header("If-Modified-Since")
            .and_then(|given| rfc2822::parse(given).ok())
            .is_some_and(|at| modified_s <= at.timestamp().as_second());
    let answer = if known { Answer::empty(304) } else { full() };
    let at = clock::utc(modified_ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer.with("ETag", tag).with("Last-Modified", at)
}
