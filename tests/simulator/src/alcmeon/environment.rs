//! One Alcmeon environment: its settings, what happened in it, and how far that was pushed.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Action, Conversation, Customer, Direction, Event, Names, Outcome};

/// What is set about an environment. The field ids are those of custom fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The application's secret, hexadecimal.
    pub(crate) secret: String,
    pub(crate) rate_per_minute: usize,
    /// Conversation field that carries the team's name.
    pub(crate) team_field: u64,
    pub(crate) email_field: u64,
    pub(crate) phone_field: u64,
    pub(crate) contact_in: ContactIn,
    /// Teams that exist before a conversation is routed to them.
    pub(crate) teams: Vec<String>,
    /// Custom fields that nobody may write over the API.
    pub(crate) read_only_fields: Vec<u64>,
}

/// What a custom field is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    Conversation,
    Customer,
}

/// Where the customer's e-mail address and phone number are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContactIn {
    /// In custom fields of the user.
    Fields,
    /// In the attributes of the chat channel's author.
    Attributes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret: String::new(),
            rate_per_minute: 15,
            team_field: 1,
            email_field: 2,
            phone_field: 3,
            contact_in: ContactIn::Fields,
            teams: Vec::new(),
            read_only_fields: Vec::new(),
        }
    }
}

/// How actions are pushed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Push {
    pub(crate) url: String,
    /// Requests at a time; one conversation is always with the same pusher.
    #[serde(default = "four")]
    pub(crate) pushers: usize,
    /// Off, as Alcmeon has been since 2025: what is refused is lost until it is polled.
    #[serde(default)]
    pub(crate) retries: bool,
    /// The webhook is disabled after so many failures in a row; never when absent.
    #[serde(default)]
    pub(crate) disable_after: Option<u64>,
    /// A slower answer is a failure.
    #[serde(default = "second")]
    pub(crate) timeout_ms: u64,
}

fn four() -> usize {
    4
}

fn second() -> u64 {
    1_000
}

/// An environment.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The instance id.
    pub(crate) id: String,
    pub(crate) settings: Settings,
    pub(crate) conversations: Vec<Conversation>,
    /// Position by key.
    pub(crate) keys: HashMap<String, u32>,
    pub(crate) actions: Vec<Action>,
    /// One for every action.
    outcomes: Vec<Outcome>,
    pub(crate) acknowledged: usize,
    pub(crate) failed: usize,
    /// Messages so far, of all conversations.
    pub(crate) messages: u64,
    pub(crate) agents: Names,
    pub(crate) teams: Names,
    customers: HashMap<Customer, u64>,
    pub(crate) push: Option<Push>,
    /// Whether the webhook is on.
    pub(crate) enabled: bool,
    /// Failures since the last success.
    pub(crate) failures_in_a_row: u64,
    /// Positions of the actions to push, for each pusher.
    pub(crate) lanes: Vec<VecDeque<u32>>,
    /// Custom fields that were written over the API.
    fields: HashMap<(Scope, u64), BTreeMap<u64, Value>>,
    /// Failed pushes as the API lists them, oldest first.
    pub(crate) errors: VecDeque<Value>,
    /// When the API was called in the last minute.
    recent_calls_ms: VecDeque<i64>,
}

impl Environment {
    pub(crate) fn new(id: &str, settings: Settings) -> Self {
        let mut environment = Self {
            id: id.to_owned(),
            settings: Settings::default(),
            conversations: Vec::new(),
            keys: HashMap::new(),
            actions: Vec::new(),
            outcomes: Vec::new(),
            acknowledged: 0,
            failed: 0,
            messages: 0,
            agents: Names::default(),
            teams: Names::default(),
            customers: HashMap::new(),
            push: None,
            enabled: false,
            failures_in_a_row: 0,
            lanes: Vec::new(),
            fields: HashMap::new(),
            errors: VecDeque::new(),
            recent_calls_ms: VecDeque::new(),
        };
        environment.configure(settings);
        environment
    }

    pub(crate) fn configure(&mut self, settings: Settings) {
        for team in &settings.teams {
            self.teams.id(team);
        }
        self.settings = settings;
    }

    /// The id of a customer; the same name, address and number are the same customer.
    pub(crate) fn customer_id(&mut self, customer: &Customer) -> u64 {
        let next = self.customers.len() as u64 + 1;
        *self.customers.entry(customer.clone()).or_insert(next)
    }

    /// Whether there is such a conversation or customer.
    pub(crate) fn has(&self, scope: Scope, id: u64) -> bool {
        let known = match scope {
            Scope::Conversation => self.conversations.len(),
            Scope::Customer => self.customers.len(),
        };
        id > 0 && id <= known as u64
    }

    /// Writes a custom field; null blanks it.
    pub(crate) fn set_field(&mut self, scope: Scope, id: u64, field: u64, value: Value) {
        let fields = self.fields.entry((scope, id)).or_default();
        if value.is_null() {
            fields.remove(&field);
        } else {
            fields.insert(field, value);
        }
    }

    /// The custom fields of a conversation or a customer, by id.
    pub(crate) fn fields_of(&self, scope: Scope, id: u64) -> BTreeMap<u64, Value> {
        let mut fields = self.fields.get(&(scope, id)).cloned().unwrap_or_default();
        let conversation = id.checked_sub(1).and_then(|at| self.conversations.get(usize::try_from(at).ok()?));
        if scope == Scope::Conversation
            && let Some(team) = conversation.and_then(|conversation| conversation.team.as_ref())
        {
            fields.entry(self.settings.team_field).or_insert_with(|| json!(team));
        }
        fields
    }

    /// Empties what a customer wrote and who he was, and tells of it.
    pub(crate) fn anonymize(&mut self, at: u32, at_ms: i64) {
        let conversation = &mut self.conversations[at as usize];
        conversation.customer = Customer::default();
        for message in &mut conversation.messages {
            message.body = "".into();
            message.author = None;
        }
        conversation.anonymized = true;
        let task = (0..).zip(&conversation.messages).filter(|(_, message)| message.direction == Direction::Inbound);
        let Some((task, _)) = task.last() else { return };
        self.add(Action { conversation: at, task, event: Event::Anonymized, at_ms });
    }

    /// Queues every pending action from this position on.
    pub(crate) fn queue(&mut self, from: usize) {
        let lanes = self.lanes.len();
        if lanes == 0 {
            return;
        }
        for (at, action) in self.actions.iter().enumerate().skip(from) {
            if self.outcomes[at] == Outcome::Pending {
                self.lanes[action.conversation as usize % lanes].push_back(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
    }

    /// The action a pusher has to push next. Those that a former pusher settled are passed over.
    pub(crate) fn front(&mut self, lane: usize) -> Option<usize> {
        let lane = self.lanes.get_mut(lane)?;
        while let Some(at) = lane.front() {
            let at = *at as usize;
            if self.outcomes[at] == Outcome::Pending {
                return Some(at);
            }
            lane.pop_front();
        }
        None
    }

    /// Adds an action that nobody has heard of.
    pub(crate) fn add(&mut self, action: Action) {
        self.actions.push(action);
        self.outcomes.push(Outcome::Pending);
    }

    /// Says how the push of an action ended; it ends once.
    pub(crate) fn settle(&mut self, at: usize, outcome: Outcome) {
        let Some(known) = self.outcomes.get_mut(at).filter(|known| **known == Outcome::Pending) else { return };
        *known = outcome;
        match outcome {
            Outcome::Acknowledged => self.acknowledged += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Pending => {}
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.actions.len() - self.acknowledged - self.failed
    }

    /// Counts a call; `Err` is the instant from which calls are answered again.
    pub(crate) fn call(&mut self, now_ms: i64) -> Result<(), i64> {
        const MINUTE_MS: i64 = 60_000;
        while self.recent_calls_ms.front().is_some_and(|at| now_ms - at >= MINUTE_MS) {
            self.recent_calls_ms.pop_front();
        }
        if self.recent_calls_ms.len() < self.settings.rate_per_minute {
            self.recent_calls_ms.push_back(now_ms);
            return Ok(());
        }
        Err(self.recent_calls_ms.front().map_or(now_ms, |first| first + MINUTE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, Settings};

    #[test]
    fn a_call_over_the_rate_is_refused_until_the_oldest_is_a_minute_old() {
        let mut environment = Environment::new("1", Settings { rate_per_minute: 2, ..Settings::default() });
        assert_eq!(environment.call(1_000), Ok(()));
        assert_eq!(environment.call(2_000), Ok(()));
        assert_eq!(environment.call(3_000), Err(61_000));
        assert_eq!(environment.call(61_000), Ok(()));
        assert_eq!(environment.call(61_001), Err(62_000));
    }
}
