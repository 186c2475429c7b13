//! Whether the document names what the host prints.

use std::collections::BTreeSet;

use super::*;

const DOCUMENT: &str = include_str!("../../../../docs/telemetry.md");

/// All metrics, each with a value: what has none is not printed.
fn printed() -> String {
    let all = Metrics::default();
    // Each by its name, so that a new one is not forgotten here.
    let Metrics {
        registry: _,
        arrivals,
        set_aside,
        attempts,
        sync_errors,
        groups,
        open_sync_errors,
        waiting,
        parked,
        unsynced_age,
        arrival_age,
        decisions,
        mails,
        connections: _,
        connections_cut: _,
        wrong_tokens,
        spans_dropped: _,
        commit_duration,
        turn_duration: _,
        attempt_duration,
        call_duration,
        decision_duration,
        listeners: _,
    } = &all;
    let text = || "x".to_owned();
    let of_org = OfOrg { org: text() };
    let of_source = OfSource { source: text() };
    let of_class = OfClass { org: text(), class: "x" };
    let attempted = Attempted { org: text(), outcome: "x" };
    drop(arrivals.get_or_create(&Arrived { source: text(), by: "x" }));
    drop(set_aside.get_or_create(&of_source));
    drop(attempts.get_or_create(&attempted));
    drop(sync_errors.get_or_create(&Registered { org: text(), state: "x" }));
    [groups, open_sync_errors].into_iter().for_each(|gauge| drop(gauge.get_or_create(&of_class)));
    [waiting, parked, unsynced_age].into_iter().for_each(|gauge| drop(gauge.get_or_create(&of_org)));
    drop(arrival_age.get_or_create(&of_source));
    drop(decisions.get_or_create(&Decided { policy: text(), question: "x", outcome: "x" }));
    drop(mails.get_or_create(&Mailed { outcome: "x" }));
    drop(wrong_tokens.get_or_create(&Wrong { at: "x" }));
    drop(commit_duration.get_or_create(&Committed { of: "x" }));
    drop(attempt_duration.get_or_create(&attempted));
    drop(call_duration.get_or_create(&Called { org: text(), outcome: "x" }));
    drop(decision_duration.get_or_create(&Answered { question: "x", outcome: "x" }));
    all.render()
}

#[test]
fn the_document_names_every_metric_with_its_kind_and_no_other() {
    let text = printed();
    let told = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        Some((name, kind.to_owned()))
    };
    let is: BTreeSet<_> = text.lines().filter_map(told).collect();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`').filter(|name| name.starts_with("switchyard_"))?;
        Some((name.to_owned(), cells.next()?.to_owned()))
    };
    let documented: BTreeSet<_> = DOCUMENT.lines().filter_map(row).collect();
    assert_eq!(is, documented);
    assert_eq!(is.len(), text.matches("# HELP").count(), "each has its line");
}
