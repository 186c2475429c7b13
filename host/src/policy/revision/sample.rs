//! The invented conversation that every new revision is tried with; every field of it has a value.

use crate::domain::{
    AccountId, Attribute, Class, Contact, Conversation, ConversationId, Customer, Direction, IdError, Message,
    MessageId, RecordId, Refusal, SourceId, Timestamp,
};

/// A conversation of three messages that ends at `now`.
pub(crate) fn conversation(now: Timestamp) -> Conversation {
    let message = |number: u64, direction, author: &str, body: &str| {
        let id = MessageId::new(format!("sample:{number}"));
        let sent_at = Timestamp::from_millis(now.as_millis().saturating_sub(60_000 * (3 - number)));
        id.map(|id| Message { id, direction, author: author.into(), body: body.into(), sent_at })
    };
    let messages = [
        message(1, Direction::Inbound, "Ada Sample", "Hello, where is my order 1234?"),
        message(2, Direction::Outbound, "Grace", "Good morning, I am looking it up."),
        message(3, Direction::Inbound, "Ada Sample", "Thank you! I would rather have a refund."),
    ];
    let attribute = |name: &str, value: &str| Attribute { name: name.into(), value: value.into() };
    Conversation {
        id: known(ConversationId::new("sample:1")),
        source: known(SourceId::new("sample")),
        account: known(AccountId::new("sample")),
        account_name: "Sample account".into(),
        channel: "whatsapp".into(),
        team: Some("Sample team".into()),
        agent: Some("Grace".into()),
        closed: false,
        tags: vec!["sample".into(), "topic: order".into()],
        attributes: vec![attribute("order", "1234")],
        customer: Customer {
            id: "sample".into(),
            name: Some("Ada Sample".into()),
            email: Some("ada@example.com".into()),
            phone: Some("+1 202 555 0143".into()),
            contact: None,
            attributes: vec![attribute("language", "en")],
        },
        messages: messages.into_iter().map(known).collect(),
        url: "https://example.com/sample".into(),
        version: 1,
        state_as_of: 1,
        agent_as_of: 1,
        numbered: false,
        erased_until: None,
    }
}

/// Two contacts between whom to choose.
pub(crate) fn contacts() -> [Contact; 2] {
    let contact = |id: &str, name: &str, person_account| Contact {
        id: known(RecordId::new(id)),
        name: name.into(),
        email: Some("ada@example.com".into()),
        phone: Some("+12025550143".into()),
        person_account,
        attributes: vec![Attribute { name: "Title".into(), value: "Dr".into() }],
    };
    [contact("003000000000001AAA", "Ada Sample", false), contact("003000000000002AAA", "A. Sample", true)]
}

/// A refusal as Salesforce words it.
pub(crate) fn refusal() -> Refusal {
    let text = "unable to obtain exclusive access to this record";
    Refusal { fields: vec!["Email".into()], ..Refusal::new(Class::Transient, "UNABLE_TO_LOCK_ROW", text) }
}

/// The ids above are constants that can be ids.
fn known<T>(id: Result<T, IdError>) -> T {
    id.unwrap_or_else(|error| unreachable!("{error}"))
}
