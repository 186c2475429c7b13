//! Records of the domain lent to a plugin, and its answers as the domain's: within bounds, and refused where they make no sense.

use super::bindings::switchyard::policy::types;
use crate::domain::{
    Attribute, Contact, ContactSearch, Conversation, Destination, Direction, Fault, Link, RecordId, Refusal, Timestamp,
    Verdict, is_hidden,
};

/// The most searches for one customer.
const SEARCHES: usize = 10;
/// The most fields of a new contact, and the most candidates for an ambiguous one.
const ITEMS: usize = 50;
/// The longest name that a queue can have, with room to spare.
const QUEUE_BYTES: usize = 255;
/// How many things may be wrong with one file.
const PROBLEMS: usize = 20;
/// How long the message of each may be.
const PROBLEM_BYTES: usize = 1_000;
/// The longest wait that a policy may ask for: thirty days.
const LONGEST_WAIT_SECONDS: u32 = 30 * 24 * 3600;

/// A failure that a policy is to judge.
#[derive(Debug, Clone, Copy)]
pub struct Failing<'a> {
    /// What was refused, and how.
    pub refusal: &'a Refusal,
    /// How often it was tried so far, 1 for the first.
    pub attempt: u32,
    /// When it failed first.
    pub first_seen: Timestamp,
    /// The conversation that did not get through.
    pub conversation: &'a Conversation,
}

/// What a plugin finds wrong with its settings or its script.
pub(crate) struct SettingProblem {
    /// The script's file, or the key of the setting.
    pub(crate) path: String,
    /// In the script, counted from 1.
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) message: String,
}

/// A conversation for a plugin: borrowed parts in lists that live as long as the call.
pub(super) struct LentConversation<'a> {
    of: &'a Conversation,
    tags: Vec<&'a str>,
    attributes: Vec<types::AttributeParam<'a>>,
    customer: Vec<types::AttributeParam<'a>>,
    messages: Vec<types::Message<'a>>,
}

impl<'a> LentConversation<'a> {
    pub(super) fn new(of: &'a Conversation) -> Self {
        let message = |message: &'a crate::domain::Message| types::Message {
            id: message.id.as_str(),
            direction: match message.direction {
                Direction::Inbound => types::Direction::Inbound,
                Direction::Outbound => types::Direction::Outbound,
            },
            author: &message.author,
            body: &message.body,
            sent_at: message.sent_at.as_millis(),
        };
        Self {
            of,
            tags: of.tags.iter().map(String::as_str).collect(),
            attributes: lend_attributes(&of.attributes),
            customer: lend_attributes(&of.customer.attributes),
            messages: of.messages.iter().map(message).collect(),
        }
    }

    pub(super) fn lend(&self) -> types::Conversation<'_> {
        let of = self.of;
        types::Conversation {
            id: of.id.as_str(),
            channel: &of.channel,
            account: of.account.as_str(),
            team: of.team.as_deref(),
            agent: of.agent.as_deref(),
            closed: of.closed,
            tags: &self.tags,
            attributes: &self.attributes,
            customer: types::Customer {
                id: &of.customer.id,
                name: of.customer.name.as_deref(),
                email: of.customer.email.as_deref(),
                phone: of.customer.phone.as_deref(),
                contact_id: of.customer.contact.as_ref().map(RecordId::as_str),
                attributes: &self.customer,
            },
            messages: &self.messages,
        }
    }
}

/// Attributes as a plugin is told them.
pub(super) fn lend_attributes(attributes: &[Attribute]) -> Vec<types::AttributeParam<'_>> {
    attributes.iter().map(|it| types::AttributeParam { name: &it.name, value: &it.value }).collect()
}

/// A contact as a plugin is told it; `attributes` are its own, lent.
pub(super) fn contact<'a>(of: &'a Contact, attributes: &'a [types::AttributeParam<'a>]) -> types::Contact<'a> {
    types::Contact {
        id: of.id.as_str(),
        name: &of.name,
        email: of.email.as_deref(),
        phone: of.phone.as_deref(),
        person_account: of.person_account,
        attributes,
    }
}

/// A failure as a plugin is told it.
pub(super) fn sync_error<'a>(
    of: &Failing<'a>,
    fields: &'a [&'a str],
    conversation: types::Conversation<'a>,
) -> types::SyncError<'a> {
    types::SyncError {
        class: of.refusal.class.as_str(),
        code: &of.refusal.code,
        message: &of.refusal.text,
        fields,
        attempt: of.attempt,
        first_seen: of.first_seen.as_millis(),
        conversation,
    }
}

/// An answer as it came from a plugin.
pub(super) trait GuestAnswer {
    /// The domain's type of it.
    type Ours;

    /// Bytes over all its texts.
    fn bytes(&self) -> usize;

    /// Takes it if it can be carried out; says what is wrong with it otherwise.
    fn understand(self) -> Result<Self::Ours, String>;
}

/// Takes an answer or a refusal, either no longer than `answer_bytes`.
pub(super) fn understand<A: GuestAnswer>(
    answer: Result<A, types::Refusal>,
    answer_bytes: usize,
) -> Result<A::Ours, Fault> {
    let bytes = match &answer {
        Ok(answer) => answer.bytes(),
        Err(refusal) => refusal.code.len() + refusal.message.len(),
    };
    if bytes > answer_bytes {
        let message = format!("it answered with {bytes} bytes and may with {answer_bytes}");
        return Err(Fault::TooLarge { message });
    }
    match answer {
        Ok(answer) => answer.understand().map_err(|message| Fault::Senseless { message }),
        Err(refusal) if refusal.code.trim().is_empty() => {
            Err(Fault::Senseless { message: format!("a refusal without a code: {}", refusal.message) })
        }
        Err(refusal) => Err(Fault::Refused { code: refusal.code, message: refusal.message }),
    }
}

/// As many problems with its settings as a person wants to read; they are kept with the revision.
pub(super) fn few(problems: Vec<types::Problem>) -> Vec<SettingProblem> {
    let one = |types::Problem { path, line, column, mut message }| {
        message.truncate(message.floor_char_boundary(PROBLEM_BYTES));
        SettingProblem { path: start(&path), line, column, message }
    };
    problems.into_iter().take(PROBLEMS).map(one).collect()
}

impl GuestAnswer for types::Destination {
    type Ours = Destination;

    fn bytes(&self) -> usize {
        match self {
            Self::Queue(text) | Self::Owner(text) | Self::NotEligible(text) => text.len(),
            Self::TrackOnly => 0,
        }
    }

    fn understand(self) -> Result<Destination, String> {
        match self {
            Self::Queue(name) if name.trim().is_empty() => Err("a queue without a name".into()),
            Self::Queue(name) if name.len() > QUEUE_BYTES || name.chars().any(char::is_control) => {
                Err(format!("`{}` cannot be the name of a queue", start(&name)))
            }
            Self::Queue(name) => Ok(Destination::Queue(name)),
            Self::Owner(id) if !id.starts_with("005") => Err(format!("`{}` is not the id of a user", start(&id))),
            Self::Owner(id) => Ok(Destination::Owner(record(&id)?)),
            Self::TrackOnly => Ok(Destination::TrackOnly),
            Self::NotEligible(why) => Ok(Destination::NotEligible(reason(why)?)),
        }
    }
}

impl GuestAnswer for Vec<types::ContactSearch> {
    type Ours = Vec<ContactSearch>;

    fn bytes(&self) -> usize {
        self.iter().map(|search| search.field.len() + search.value.len()).sum()
    }

    fn understand(self) -> Result<Vec<ContactSearch>, String> {
        if self.len() > SEARCHES {
            return Err(format!("{} searches; {SEARCHES} are allowed", self.len()));
        }
        let search = |types::ContactSearch { field, value }| match value.trim().is_empty() {
            // It would find everybody who has none.
            true => Err(format!("a search for nothing in {}", start(&field))),
            false => Ok(ContactSearch { field: api_name(field)?, value }),
        };
        self.into_iter().map(search).collect()
    }
}

impl GuestAnswer for types::Link {
    type Ours = Link;

    fn bytes(&self) -> usize {
        match self {
            Self::Contact(id) => id.len(),
            Self::Create(fields) => fields.iter().map(|field| field.name.len() + field.value.len()).sum(),
            Self::None => 0,
            Self::Ambiguous(ids) => ids.iter().map(String::len).sum(),
        }
    }

    fn understand(self) -> Result<Link, String> {
        match self {
            Self::Contact(id) => Ok(Link::Contact(record(&id)?)),
            Self::Create(fields) if fields.is_empty() => Err("a new contact without fields".into()),
            Self::Create(fields) if fields.len() > ITEMS => Err(format!("a new contact with {} fields", fields.len())),
            Self::Create(fields) => {
                let field = |it: types::AttributeResult| Ok(Attribute { name: api_name(it.name)?, value: it.value });
                Ok(Link::Create(fields.into_iter().map(field).collect::<Result<_, String>>()?))
            }
            Self::None => Ok(Link::None),
            Self::Ambiguous(ids) if ids.is_empty() || ids.len() > ITEMS => {
                Err(format!("an ambiguous contact with {} candidates", ids.len()))
            }
            Self::Ambiguous(ids) => Ok(Link::Ambiguous(ids.iter().map(|id| record(id)).collect::<Result<_, _>>()?)),
        }
    }
}

impl GuestAnswer for types::Verdict {
    type Ours = Verdict;

    fn bytes(&self) -> usize {
        if let Self::Ignore(why) = self { why.len() } else { 0 }
    }

    fn understand(self) -> Result<Verdict, String> {
        match self {
            Self::AsUsual => Ok(Verdict::AsUsual),
            Self::RetryAfter(seconds) if !(1..=LONGEST_WAIT_SECONDS).contains(&seconds) => {
                Err(format!("a retry after {seconds} seconds; 1 to {LONGEST_WAIT_SECONDS} are allowed"))
            }
            Self::RetryAfter(seconds) => Ok(Verdict::RetryAfter(seconds)),
            Self::Hold => Ok(Verdict::Hold),
            Self::Ignore(why) => Ok(Verdict::Ignore(reason(why)?)),
        }
    }
}

fn record(id: &str) -> Result<RecordId, String> {
    let fits = matches!(id.len(), 15 | 18) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let record = if fits { RecordId::new(id).ok() } else { None };
    record.ok_or_else(|| format!("`{}` is not the id of a record", start(id)))
}

fn reason(why: String) -> Result<String, String> {
    let why = why.replace(is_hidden, " ");
    if why.trim().is_empty() { Err("no reason is given".into()) } else { Ok(why) }
}

/// Field names go into queries as they are.
fn api_name(name: String) -> Result<String, String> {
    let fits = name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    if fits { Ok(name) } else { Err(format!("`{}` is not the API name of a field", start(&name))) }
}

/// Enough of a text to recognise it.
fn start(text: &str) -> String {
    text.chars().take(80).collect()
}
