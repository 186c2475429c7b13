//! Facts about the simulator, told over HTTP as its users would meet them.

mod alcmeon;
mod collections;
mod composite;
mod faults;
mod flows;
mod journal;
mod load;
mod mailbox;
mod oauth;
mod org;
mod program;
mod pushing;
mod queries;
mod records;
mod refusals;
mod rules;
mod search;
mod volume;
mod world;
