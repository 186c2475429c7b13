//! A lane as the engine holds it: how it is asked, told of arrivals and looked at; and its start.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::command::{Command, PutBack};
use super::inbound::Inbound;
use super::lane::{self, Lane};
use super::org::{Links, Org, OrgHealth};
use super::outbound::{Connected, Departed, Outbound};
use super::shared::Shared;
use crate::domain::OrgId;

/// Commands that may wait for a lane.
const COMMANDS: usize = 64;

/// A running lane.
pub(super) struct LaneHandle {
    /// What is configured of the organization; `None` where it has records and is not configured any more.
    pub(super) org: Option<Arc<Org>>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) put_backs: mpsc::Sender<PutBack>,
    pub(super) inbound: Arc<Inbound>,
    pub(super) health: Arc<watch::Sender<OrgHealth>>,
}

/// Starts the lane of an organization.
pub(super) fn start_lane(
    id: OrgId,
    org: Option<Arc<Org>>,
    shared: &Shared,
    stopping: &watch::Sender<bool>,
) -> (LaneHandle, JoinHandle<()>) {
    let (commands, received) = mpsc::channel(COMMANDS);
    let (put_backs, asked_back) = mpsc::channel(1);
    let inbound = Arc::new(Inbound::default());
    let health = Arc::new(watch::Sender::new(OrgHealth { unmerged: 1, ..OrgHealth::default() }));
    let outbound: Arc<dyn Outbound> = match &org {
        Some(org) => Arc::new(Connected { org: Arc::clone(org), shared: shared.clone() }),
        None => Arc::new(Departed),
    };
    let lane = Lane::new(lane::Parts {
        org: id,
        links: org.as_ref().map_or_else(Links::new, |org| org.linking.clone()),
        shared: shared.clone(),
        outbound,
        commands: received,
        put_backs: asked_back,
        inbound: Arc::clone(&inbound),
        health: Arc::clone(&health),
        stopping: stopping.subscribe(),
    });
    (LaneHandle { org, commands, put_backs, inbound, health }, tokio::spawn(lane.run()))
}
