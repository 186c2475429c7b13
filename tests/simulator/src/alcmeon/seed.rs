//! Makes actions of conversations: the same input gives the same ids and the same order.

use super::environment::Environment;
use super::model::{Action, Conversation, Direction, Event, Input, Message};

/// When conversations without times began: Monday, 5 January 2026, 8:00 UTC.
const EPOCH_MS: i64 = 1_767_600_000_000;
/// Between the beginnings of two such conversations.
const BETWEEN_CONVERSATIONS_MS: i64 = 60_000;
/// Between two messages of one.
const BETWEEN_MESSAGES_MS: i64 = 20_000;
/// The agent of an answer that names nobody.
const SOMEBODY: &str = "Agent";

/// Reads a JSON array, or one JSON object a line.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Input>, serde_json::Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        return serde_json::from_slice(body);
    }
    serde_json::Deserializer::from_slice(body).into_iter().collect()
}

/// Adds what the inputs tell that is new; answers how many actions that made. With `interleave` the conversations take
/// turns, as in life; without, one is told to its end before the next.
pub(crate) fn plant(environment: &mut Environment, inputs: &[Input], interleave: bool) -> usize {
    let before = environment.actions.len();
    let mut told: Vec<std::vec::IntoIter<Vec<Step>>> =
        inputs.iter().map(|input| tell(environment, input).into_iter()).collect();
    if !interleave {
        told.iter_mut().flatten().for_each(|turn| happen(environment, turn));
        return environment.actions.len() - before;
    }
    while !told.is_empty() {
        told.retain_mut(|turns| match turns.next() {
            Some(turn) => {
                happen(environment, turn);
                true
            }
            None => false,
        });
    }
    environment.actions.len() - before
}

/// An action that has no id yet.
struct Step {
    conversation: u32,
    task: u32,
    event: Event,
    at_ms: i64,
}

fn happen(environment: &mut Environment, turn: Vec<Step>) {
    for Step { conversation, task, event, at_ms } in turn {
        let event = match event {
            // The answer announced just before.
            Event::Sent { .. } => Event::Sent { answer: environment.actions.len() as u64 },
            other => other,
        };
        environment.add(Action { conversation, task, event, at_ms });
    }
}

/// Stores what is new of one conversation; answers its actions, grouped by message.
fn tell(environment: &mut Environment, input: &Input) -> Vec<Vec<Step>> {
    let at = conversation(environment, input);
    let index = at as usize;
    let known = environment.conversations[index].messages.len();
    let skip = if input.append { 0 } else { known };
    let mut turns = Vec::new();
    let mut agent = environment.agents.id(SOMEBODY);
    let mut task = last_task(&environment.conversations[index]);
    let new_tags = new_tags(&mut environment.conversations[index], input);
    for given in input.messages.iter().skip(skip) {
        let position = environment.conversations[index].messages.len();
        let at_ms = given.sent_at.unwrap_or_else(|| {
            EPOCH_MS + i64::from(at) * BETWEEN_CONVERSATIONS_MS + position as i64 * BETWEEN_MESSAGES_MS
        });
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let step = |task, event| Step { conversation: at, task, event, at_ms };
        environment.messages += 1;
        environment.conversations[index].messages.push(Message {
            id: environment.messages,
            direction: given.direction,
            body: given.body.as_str().into(),
            author: given.author.as_deref().map(Into::into),
            at_ms,
        });
        if given.direction == Direction::Inbound {
            task = Some(position);
            turns.push(vec![step(position, Event::Received)]);
            continue;
        }
        // An answer to nothing belongs to no task, so nobody hears of it.
        let Some(task) = task else { continue };
        let answering = environment.agents.id(given.author.as_deref().unwrap_or(SOMEBODY));
        let mut turn = Vec::new();
        if answering != agent || !environment.conversations[index].was_answered_before(position) {
            turn.push(step(task, Event::Assigned { agent: answering }));
        }
        agent = answering;
        turn.push(step(task, Event::Answered { message: position, agent }));
        turn.push(step(task, Event::Sent { answer: 0 }));
        turns.push(turn);
    }
    let conversation = &mut environment.conversations[index];
    let (Some(task), Some(last)) = (task, conversation.messages.last()) else { return turns };
    let step = |event| Step { conversation: at, task, event, at_ms: last.at_ms };
    if !new_tags.is_empty() {
        turns.push(new_tags.into_iter().map(|tag| step(Event::Tagged { tag })).collect());
    }
    if input.closed && !conversation.closed {
        turns.push(vec![step(Event::Archived { agent })]);
    }
    conversation.closed = input.closed;
    turns
}

/// Position of the conversation of this key, made when it is new and brought up to date when it is not.
fn conversation(environment: &mut Environment, input: &Input) -> u32 {
    if let Some(team) = &input.team {
        environment.teams.id(team);
    }
    let customer_id = environment.customer_id(&input.customer);
    if let Some(at) = environment.keys.get(&input.key) {
        let known = &mut environment.conversations[*at as usize];
        known.team.clone_from(&input.team);
        known.customer.clone_from(&input.customer);
        known.customer_id = customer_id;
        return *at;
    }
    let at = u32::try_from(environment.conversations.len()).unwrap_or(u32::MAX);
    environment.keys.insert(input.key.clone(), at);
    environment.conversations.push(Conversation {
        key: input.key.clone(),
        channel: input.channel.clone(),
        account: input.account.clone(),
        team: input.team.clone(),
        tags: Vec::new(),
        closed: false,
        customer: input.customer.clone(),
        customer_id,
        messages: Vec::new(),
        anonymized: false,
    });
    at
}

/// Adds the tags that are new; answers their positions.
fn new_tags(conversation: &mut Conversation, input: &Input) -> Vec<u32> {
    let mut positions = Vec::new();
    for tag in &input.tags {
        if !conversation.tags.contains(tag) {
            positions.push(u32::try_from(conversation.tags.len()).unwrap_or(u32::MAX));
            conversation.tags.push(tag.clone());
        }
    }
    positions
}

fn last_task(conversation: &Conversation) -> Option<u32> {
    let at = conversation.messages.iter().rposition(|message| message.direction == Direction::Inbound)?;
    u32::try_from(at).ok()
}

impl Conversation {
    /// Whether an agent answered before the message at this position.
    fn was_answered_before(&self, position: u32) -> bool {
        self.messages[..position as usize].iter().any(|message| message.direction == Direction::Outbound)
    }

    /// The newest message of the customer.
    pub(crate) fn newest(&self) -> Option<&Message> {
        Some(&self.messages[last_task(self)? as usize])
    }
}
