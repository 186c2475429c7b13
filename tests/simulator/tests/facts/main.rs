//! Facts about the simulator, told over HTTP as its users would meet them.

mod alcmeon;
mod collections;
mod faults;
mod journal;
mod mailbox;
mod oauth;
mod org;
mod pushing;
mod queries;
mod records;
mod refusals;
mod volume;
mod world;
