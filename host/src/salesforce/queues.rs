//! The organization's queues, kept in memory for as long as the caller allows.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::refusals::record;
use super::single_flight::SingleFlight;
use super::soql::cut;
use super::transport::Transport;
use crate::domain::{Class, RecordId, Refusal, Timestamp};

/// No name of a queue is longer, as Salesforce counts.
const LONGEST_NAME: usize = 255;

/// A queue, and what it can own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its id (00G...).
    pub id: RecordId,
    /// Its label.
    pub name: String,
    /// Its API name.
    pub developer_name: String,
    /// API names of the objects that it supports.
    pub objects: Vec<String>,
}

/// The queues of an organization at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queues(Vec<Queue>);

/// The queues that were fetched last, and when.
#[derive(Default)]
pub(super) struct QueueCache(SingleFlight<(Timestamp, Arc<Queues>)>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupRow {
    id: String,
    name: Option<String>,
    developer_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectRow {
    queue_id: String,
    sobject_type: String,
}

impl Queues {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.0.iter()
    }

    /// The queues with this id, or else this developer name, or else this label (which several may share).
    #[must_use]
    pub fn find(&self, wanted: &str) -> Vec<&Queue> {
        let by = |fits: &dyn Fn(&Queue) -> bool| self.0.iter().filter(|queue| fits(queue)).collect::<Vec<_>>();
        let tries: [&dyn Fn(&Queue) -> bool; 3] =
            [&|queue| queue.id.is_same(wanted), &|queue| queue.developer_name.eq_ignore_ascii_case(wanted), &|queue| {
                queue.name == wanted
            }];
        tries.into_iter().map(by).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// The id of the queue with this id, developer name or label.
    ///
    /// # Errors
    /// `Class::Config` when there is none, or more than one.
    pub(super) fn resolve(&self, wanted: &str) -> Result<RecordId, Refusal> {
        match self.find(wanted).as_slice() {
            [one] => Ok(one.id.clone()),
            [] => {
                let known: Vec<&str> = self.iter().map(|queue| queue.developer_name.as_str()).take(20).collect();
                let words = format!("there is no queue `{wanted}`; there are: {}", known.join(", "));
                Err(Refusal::new(Class::Config, "QUEUE_NOT_FOUND", words))
            }
            several => Err(Refusal {
                records: several.iter().map(|queue| queue.id.to_string()).collect(),
                ..Refusal::new(
                    Class::Config,
                    "QUEUE_NOT_UNIQUE",
                    format!("several queues are called `{wanted}`: map the team to a developer name"),
                )
            }),
        }
    }
}

impl QueueCache {
    /// The queues, asked for anew when what is known is older than `max_age`.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub(super) async fn get(
        &self,
        transport: &Transport,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Arc<Queues>, Refusal> {
        let good = |(at, _): &(Timestamp, _)| now.since(*at) <= max_age && !max_age.is_zero();
        let ask = async { Ok((now, Arc::new(fetch(transport).await?))) };
        self.0.get(good, ask).await.map(|(_, queues)| queues)
    }
}

async fn fetch(transport: &Transport) -> Result<Queues, Refusal> {
    let groups: Vec<GroupRow> =
        transport.query("SELECT Id, Name, DeveloperName FROM Group WHERE Type = 'Queue'").await?;
    let objects: Vec<ObjectRow> = transport.query("SELECT QueueId, SobjectType FROM QueueSobject").await?;
    let bounded = |text: String| cut(&text, LONGEST_NAME).to_owned();
    let queue = |group: GroupRow| {
        let id = record(&group.id)?;
        let own = objects.iter().filter(|row| id.is_same(&row.queue_id)).map(|row| row.sobject_type.clone());
        Ok(Queue {
            objects: own.collect(),
            id,
            name: group.name.map(bounded).unwrap_or_default(),
            developer_name: group.developer_name.map(bounded).unwrap_or_default(),
        })
    };
    groups.into_iter().map(queue).collect::<Result<_, _>>().map(Queues)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(id: &str, name: &str, developer_name: &str) -> Queue {
        Queue {
            id: RecordId::new(id).unwrap(),
            name: name.to_owned(),
            developer_name: developer_name.to_owned(),
            objects: Vec::new(),
        }
    }

    #[test]
    fn a_queue_is_found_by_id_then_developer_name_then_label() {
        let queues = Queues(vec![
            queue("00G000000000001AAA", "Returns", "Returns_FR"),
            queue("00G000000000002AAA", "Returns", "Returns_EN"),
            queue("00G000000000003AAA", "Returns_FR", "Other"),
        ]);
        let found = |wanted: &str| queues.find(wanted).iter().map(|q| q.developer_name.as_str()).collect::<Vec<_>>();
        assert_eq!(found("00G000000000002"), ["Returns_EN"], "15 characters name the same record as 18");
        assert_eq!(found("returns_fr"), ["Returns_FR"]);
        assert_eq!(found("Returns"), ["Returns_FR", "Returns_EN"]);
        assert!(found("Billing").is_empty());
        assert!(found("").is_empty());
    }
}
