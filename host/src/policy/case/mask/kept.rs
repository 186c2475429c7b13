//! Takes personal data out of what is kept about a conversation: requests, answers, sync errors and the audit.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::super::Conversation;
use super::personal::{Names, PersonalIds, numbers};
use crate::domain::{
    AnswerReceived, Attribute, AuditEntry, ConversationId, Fact, Fault, Link, MessageId, RecordId, RequestSent,
    SyncError,
};

const MASKED: &str = "masked";

/// Masks as a repro bundle is masked; ids of Salesforce's records stay.
#[derive(Debug)]
pub struct Mask {
    /// `None` where it is not known who the customer is: then no text stays.
    names: Option<Names>,
    personal: PersonalIds,
    conversation: ConversationId,
    messages: Vec<MessageId>,
    /// Values of custom fields.
    values: HashSet<String>,
}

impl Mask {
    /// By what is known of a conversation.
    #[must_use]
    pub fn of(of: &Conversation) -> Self {
        let named = of.attributes.iter().chain(&of.customer.attributes);
        Self {
            names: Some(Names::of(of)),
            personal: PersonalIds::of(of),
            conversation: of.id.clone(),
            messages: of.messages.iter().filter_map(|message| message.id.clone()).collect(),
            values: named.map(|attribute| attribute.value.clone()).filter(|value| !value.is_empty()).collect(),
        }
    }

    /// Where nothing is known of the conversation any more: no text stays at all.
    #[must_use]
    pub fn blind(conversation: ConversationId) -> Self {
        Self {
            names: None,
            personal: PersonalIds::unknown(),
            conversation,
            messages: Vec::new(),
            values: HashSet::new(),
        }
    }

    /// A request also carries names that the customer had when it was sent.
    #[must_use]
    pub fn and_names_in(mut self, request: Option<&RequestSent>) -> Self {
        let mut found = Vec::new();
        request.iter().for_each(|request| names_in(&request.body, &mut found));
        self.names = self.names.map(|names| names.and(found.into_iter()));
        self
    }

    /// A text without names, addresses and longer numbers.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.names.as_ref().map_or_else(|| MASKED.to_owned(), |names| names.masked(text))
    }

    /// The id of the conversation.
    #[must_use]
    pub fn conversation(&self, id: &ConversationId) -> ConversationId {
        let masked = ConversationId::new(MASKED).ok().filter(|_| self.personal.has(id.as_str()));
        masked.unwrap_or_else(|| id.clone())
    }

    /// The id of a message, as a masked conversation has it.
    #[must_use]
    pub fn message(&self, id: &MessageId) -> MessageId {
        if !self.personal.has(id.as_str()) {
            return id.clone();
        }
        let number = self.messages.iter().position(|known| known == id).map_or(0, |place| place + 1);
        MessageId::new(format!("{MASKED}:{number}")).unwrap_or_else(|_| id.clone())
    }

    /// What was sent.
    pub fn request(&self, request: &mut RequestSent) {
        let plain = percent_decode_str(&request.path).decode_utf8_lossy().into_owned();
        let (path, query) = plain.split_once('?').map_or((plain.as_str(), None), |(path, query)| (path, Some(query)));
        let parts: Vec<_> = path.split('/').map(|part| self.value(part)).collect();
        let query = query.map(|query| format!("?{}", self.text(query))).unwrap_or_default();
        let masked = format!("{}{query}", parts.join("/"));
        if masked != plain {
            request.path = masked;
        }
        self.json(&mut request.body);
    }

    /// What came back.
    pub fn answer(&self, answer: &mut AnswerReceived) {
        self.json(&mut answer.body);
    }

    /// An entry of the audit. What an event carried beside is left out.
    pub fn entry(&self, entry: &mut AuditEntry) {
        entry.message = self.message(&entry.message);
        entry.also.iter_mut().for_each(|id| *id = self.message(id));
        self.fact(&mut entry.fact);
    }

    /// What happened.
    pub fn fact(&self, fact: &mut Fact) {
        match fact {
            Fact::Arrived { extra, .. } => *extra = None,
            Fact::Linked { link: Link::Create(fields), .. } => {
                fields.iter_mut().for_each(|Attribute { value, .. }| MASKED.clone_into(value));
            }
            other => other.texts().into_iter().for_each(|text| *text = self.text(text)),
        }
    }

    /// A sync error with its request and answer.
    pub fn sync_error(&self, error: &mut SyncError) {
        error.person = None;
        error.conversation = self.conversation(&error.conversation);
        error.message = self.message(&error.message);
        error.affected.iter_mut().for_each(|id| *id = self.message(id));
        let reasons = error.history.iter_mut().map(|moment| &mut moment.reason).chain([&mut error.reason]);
        reasons.flatten().for_each(|reason| *reason = self.text(reason));
        let refusal = &mut error.refusal;
        refusal.text = self.text(&refusal.text);
        refusal.request.iter_mut().for_each(|request| self.request(request));
        refusal.answer.iter_mut().for_each(|answer| self.answer(answer));
        match refusal.blame.as_mut().map(|blame| &mut blame.fault) {
            Some(Fault::Trapped { message } | Fault::Refused { message, .. } | Fault::Senseless { message }) => {
                *message = self.text(message);
            }
            Some(Fault::TooSlow { .. } | Fault::TooLarge { .. }) | None => {}
        }
    }

    fn json(&self, json: &mut Value) {
        match json {
            Value::String(text) => *text = self.value(text),
            Value::Number(number) if numbers(&number.to_string()) != number.to_string() => *json = json!(0),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.json(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that may be an id or the value of a custom field as a whole.
    fn value(&self, text: &str) -> String {
        let own = self.conversation.as_str() == text || self.messages.iter().any(|id| id.as_str() == text);
        match text {
            text if own && self.personal.has(text) => MASKED.to_owned(),
            text if own || is_record(text) => text.to_owned(),
            text if self.values.contains(text) => MASKED.to_owned(),
            text => self.text(text),
        }
    }
}

/// Whether a text is the id of a record, and could not be a phone number.
fn is_record(text: &str) -> bool {
    let fits = matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && RecordId::new(text).is_ok()
}

/// Values of fields that are called a name, and not that of an account.
fn names_in(json: &Value, found: &mut Vec<String>) {
    let Value::Object(fields) = json else {
        json.as_array().into_iter().flatten().for_each(|item| names_in(item, found));
        return;
    };
    for (field, value) in fields {
        let field = field.to_ascii_lowercase();
        let is_name = field.trim_end_matches("__c").ends_with("name") && !field.contains("account");
        match value {
            Value::String(name) if is_name => found.push(name.clone()),
            other => names_in(other, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::case::Case;

    fn conversation() -> Conversation {
        let text = r#"{"conversation": {"id": "wa:33612345678", "channel": "whatsapp", "agent": "Grace Hopper",
            "attributes": [{"name": "7", "value": "12 rue des Lilas"}],
            "customer": {"name": "Ada Byron", "email": "ada@byron.example", "phone": "+33 6 12 34 56 78"},
            "messages": [{"id": "wa:33612345678:1", "author": "Ada Byron", "body": "hello"}]}}"#;
        Case::read(text).unwrap().conversation
    }

    #[test]
    fn a_request_and_its_answer_lose_who_it_was_and_keep_what_it_was_about() {
        let mut request = RequestSent {
            method: "PATCH".into(),
            path: "/services/data/v62.0/sobjects/Contact/003A00000000001AAA?q=Email%20%3D%20%27ada%40byron.example%27"
                .into(),
            body: json!({
                "Id__c": "wa:33612345678", "Street": "12 rue des Lilas", "Customer_Name__c": "Augusta King", "Phone": 33612345678_u64,
                "alcmeon__Case__c": "500A00000000001AAA", "Description": "Ada Byron wrote to Grace",
            }),
        };
        let mut answer = AnswerReceived::of_part(
            &json!([{ "errorCode": "DUPLICATES_DETECTED", "message": "Augusta is ada@byron.example, 0612345678" }]),
        );
        let mask = Mask::of(&conversation()).and_names_in(Some(&request));
        mask.request(&mut request);
        mask.answer(&mut answer);
        let told = serde_json::to_string(&(&request, &answer)).unwrap();
        for personal in ["Ada", "Byron", "byron", "Augusta", "King", "Grace", "Lilas", "3361", "0612"] {
            assert!(!told.contains(personal), "{personal} in {told}");
        }
        for kept in ["003A00000000001AAA", "500A00000000001AAA", "DUPLICATES_DETECTED", "/services/data/v62.0/"] {
            assert!(told.contains(kept), "{kept} in {told}");
        }
    }

    #[test]
    fn an_entry_of_the_audit_names_messages_as_the_masked_conversation_does() {
        let entry = json!({
            "message": "wa:33612345678:1", "at": "2026-09-21T10:00:00.000Z", "order": 1,
            "fact": { "what": "NOT_ELIGIBLE", "reason": "Ada Byron is a test" },
        });
        let mut entry: AuditEntry = serde_json::from_value(entry).unwrap();
        let of = conversation();
        Mask::of(&of).entry(&mut entry);
        assert_eq!(Some(&entry.message), of.masked().messages[0].id.as_ref());
        assert_eq!(serde_json::to_value(&entry.fact).unwrap()["reason"], "Customer Customer is a test");
    }

    #[test]
    fn where_nobody_knows_who_it_was_no_text_stays() {
        let mask = Mask::blind(ConversationId::new("main:1").unwrap());
        let mut answer = AnswerReceived::of_part(&json!([{ "message": "Somebody", "success": false }]));
        mask.answer(&mut answer);
        assert_eq!(answer.body, json!([{ "message": "masked", "success": false }]));
    }
}
