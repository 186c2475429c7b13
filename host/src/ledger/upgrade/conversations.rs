//! A conversation of format 1 with all that belongs to it, as a commit of today.

use super::format_1;
use super::groups::Groups;
use super::merging::{Merged, merge};
use crate::domain::{
    AuditEntry, Conversation, ConversationId, Delivery, Fact, OpenError, OrgId, Phase, State, SyncErrorId, Timestamp,
    Work,
};
use crate::ledger::audit::PAGES;
use crate::ledger::{AuditPage, DeliveryChange, ErrorChange, LaneCommit};

/// What is known of a conversation.
pub(super) struct Known {
    pub(super) id: ConversationId,
    /// Without its texts; `None` where it could not be read.
    pub(super) conversation: Option<Conversation>,
    /// `None` where it could not be read.
    pub(super) delivery: Option<format_1::Delivery>,
    pub(super) errors: Vec<format_1::SyncError>,
    /// What the audit says of its messages.
    pub(super) audit: Vec<AuditEntry>,
}

/// What becomes of it.
pub(super) struct Converted {
    pub(super) commit: LaneCommit,
    /// The ids of its sync errors, each with the one that stays.
    pub(super) aliases: Vec<(SyncErrorId, SyncErrorId)>,
    /// Entries of the audit that are older than all that is kept of one conversation.
    pub(super) too_old: usize,
}

/// Converts a conversation, and counts its sync errors in the groups of their causes.
pub(super) fn convert(org: &OrgId, known: Known, groups: &mut Groups) -> Converted {
    let Known { id, conversation, delivery, errors, mut audit } = known;
    audit.sort_by_key(|entry| (entry.at, entry.order));
    let mut merged = merge(org, &id, conversation.as_ref(), errors, &audit);
    for error in &mut merged.errors {
        groups.count(org, conversation.as_ref(), error);
    }
    let mut delivery = self::delivery(delivery, conversation.as_ref(), &merged, &audit);
    if let (Phase::Waiting { until }, Some(error)) = (delivery.phase, merged.errors.last_mut())
        && error.state == State::Retrying
    {
        error.next_attempt_at = Some(until);
    }
    let (pages, too_old) = pages(&id, audit, &mut delivery);
    let messages = conversation.iter().flat_map(|it| &it.messages).map(|message| (message.id.clone(), id.clone()));
    let commit = LaneCommit {
        messages: messages.collect(),
        deliveries: vec![DeliveryChange { id, before: None, after: delivery }],
        errors: merged.errors.into_iter().map(|after| ErrorChange { before: None, after }).collect(),
        pages,
        ..LaneCommit::default()
    };
    Converted { commit, aliases: merged.aliases, too_old }
}

/// Where it stands. What could not be read is sent once more: Salesforce has it by its external id.
fn delivery(
    known: Option<format_1::Delivery>,
    conversation: Option<&Conversation>,
    merged: &Merged,
    audit: &[AuditEntry],
) -> Delivery {
    let known = known.unwrap_or_else(|| format_1::Delivery {
        wanted: conversation.map_or(0, |it| it.version),
        phase: format_1::Phase::Ready,
        entries: audit.len() as u64,
        day: audit.last().map_or(0, |newest| newest.at.day()),
        ..format_1::Delivery::default()
    });
    let since = audit.last().map_or_else(|| midnight(known.day), |newest| newest.at);
    let open = merged.open();
    let phase = phase(&known, open.map(|error| error.state), since);
    let open = open.map(|error| OpenError {
        id: error.id.clone(),
        state: error.state,
        group: error.group.clone(),
        message: error.message.clone(),
        version: known.wanted,
        // What waits for a place came after it was ignored.
        ignored_at: match (error.state, phase) {
            (State::Ignored, Phase::Idle) => known.wanted,
            (State::Ignored, _) => known.wanted.saturating_sub(1),
            _ => 0,
        },
    });
    let delivered = audit.iter().rev().find(|entry| matches!(entry.fact, Fact::Delivered { .. }));
    Delivery {
        operation: None,
        trace: None,
        chosen: None,
        delivered_at: None,
        wanted: known.wanted,
        settled: known.settled,
        phase,
        attempts: known.attempts,
        open,
        errors: u32::try_from(merged.errors.len()).unwrap_or(u32::MAX),
        records: known.records,
        delivered: delivered.map(|entry| entry.message.clone()),
        entries: known.entries,
        page: 0,
        day: known.day,
        erased: known.erased,
    }
}

/// What it does now. Where its sync error says otherwise (it could not be read, or was changed by a defect), nothing
/// waits for ever: it is tried once more.
const fn phase(known: &format_1::Delivery, open: Option<State>, since: Timestamp) -> Phase {
    let again = Phase::Ready { work: Work::Due, since };
    match (known.phase, open) {
        // Nothing is on its way while no host runs.
        (format_1::Phase::Ready | format_1::Phase::Sending, _) => Phase::Ready { work: Work::New, since },
        (format_1::Phase::Waiting { .. }, Some(State::Ignored)) => Phase::Idle,
        (format_1::Phase::Waiting { until }, _) => Phase::Waiting { until },
        (_, Some(State::Pending)) => Phase::Held,
        (_, Some(State::Retrying)) => again,
        (_, Some(State::Ignored)) | (format_1::Phase::Idle, _) => Phase::Idle,
        (format_1::Phase::Held, _) => again,
    }
}

const fn midnight(day: u32) -> Timestamp {
    Timestamp::from_millis(day as u64 * 86_400_000)
}

/// Puts the entries of the audit, which come in order, into pages; answers the newest ones, and how many entries are on none.
fn pages(
    id: &ConversationId,
    audit: Vec<AuditEntry>,
    delivery: &mut Delivery,
) -> (Vec<(ConversationId, u32, AuditPage)>, usize) {
    let (mut pages, mut page) = (Vec::new(), AuditPage::default());
    for entry in audit {
        if page.add(entry) {
            pages.push((id.clone(), delivery.page, std::mem::take(&mut page)));
            delivery.page += 1;
        }
    }
    if !page.entries.is_empty() {
        pages.push((id.clone(), delivery.page, page));
    }
    let mut too_old = 0;
    pages.retain(|(_, number, page)| {
        let kept = number + PAGES >= delivery.page;
        too_old += if kept { 0 } else { page.entries.len() };
        kept
    });
    (pages, too_old)
}
