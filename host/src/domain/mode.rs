//! Where an organization's agents answer, and what follows from that for a conversation.

use serde::{Deserialize, Serialize};

use super::{Conversation, Direction};

/// Where agents answer. The three workflows are Alcmeon's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The policy decides about each conversation alone.
    #[default]
    ByPolicy,
    /// In Alcmeon: Salesforce tracks conversations that an agent answered and whose customer is matched to a contact; they
    /// may be created closed.
    AgentsInAlcmeon,
    /// In Salesforce: a conversation is pushed as soon as it is routed to a team, and follows its team's queue.
    AgentsInSalesforce,
    /// In Salesforce where the conversation's team is among these, else in Alcmeon.
    ByTeam(Vec<String>),
}

/// What a mode makes of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As the policy routes it.
    Route,
    /// Written with its contact and without a queue, once there is a contact.
    Track,
    /// Not written yet, for this reason. (What was written before goes on being written, without a queue.)
    Wait(&'static str),
}

impl Mode {
    /// What it makes of a conversation.
    #[must_use]
    pub fn way(&self, of: &Conversation) -> Way {
        let in_salesforce = match self {
            Self::ByPolicy => return Way::Route,
            Self::AgentsInAlcmeon => false,
            Self::AgentsInSalesforce => true,
            Self::ByTeam(teams) => of.team.as_ref().is_some_and(|team| teams.contains(team)),
        };
        let answered = || of.messages.iter().any(|message| message.direction == Direction::Outbound);
        match in_salesforce {
            true if of.team.is_none() => Way::Wait("no team has it yet"),
            true => Way::Route,
            false if !answered() => Way::Wait("no agent has answered yet"),
            false => Way::Track,
        }
    }

    /// Where agents answer, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::ByPolicy => "the policy decides which conversations are written".to_owned(),
            Self::AgentsInAlcmeon => {
                "agents answer in Alcmeon: conversations are tracked once an agent has answered and \
                                      the customer is matched to a contact"
                    .to_owned()
            }
            Self::AgentsInSalesforce => {
                "agents answer in Salesforce: conversations are pushed as soon as a team has them".to_owned()
            }
            Self::ByTeam(teams) => {
                format!("agents of {} answer in Salesforce, all others in Alcmeon", teams.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, ConversationId, Customer, Message, MessageId, SourceId, Timestamp};

    fn conversation(team: Option<&str>, answered: bool) -> Conversation {
        let message = |direction| Message {
            id: MessageId::new("main:1").unwrap(),
            direction,
            author: String::new(),
            body: String::new(),
            sent_at: Timestamp::default(),
        };
        let mut messages = vec![message(Direction::Inbound)];
        messages.extend(answered.then(|| message(Direction::Outbound)));
        Conversation {
            id: ConversationId::new("main:1").unwrap(),
            source: SourceId::new("main").unwrap(),
            account: AccountId::new("1").unwrap(),
            account_name: String::new(),
            channel: String::new(),
            team: team.map(str::to_owned),
            agent: None,
            closed: true,
            tags: Vec::new(),
            attributes: Vec::new(),
            customer: Customer::default(),
            messages,
            url: String::new(),
            version: 1,
            state_as_of: 1,
            agent_as_of: 0,
            numbered: false,
            erased_until: None,
        }
    }

    #[test]
    fn a_mode_says_when_a_conversation_is_written_and_how() {
        let by_team = Mode::ByTeam(vec!["billing".to_owned()]);
        for (mode, team, answered, way) in [
            (&Mode::ByPolicy, None, false, Way::Route),
            (&Mode::AgentsInSalesforce, None, true, Way::Wait("no team has it yet")),
            (&Mode::AgentsInSalesforce, Some("billing"), false, Way::Route),
            (&Mode::AgentsInAlcmeon, Some("billing"), false, Way::Wait("no agent has answered yet")),
            (&Mode::AgentsInAlcmeon, None, true, Way::Track),
            (&by_team, Some("billing"), false, Way::Route),
            (&by_team, Some("sales"), true, Way::Track),
            (&by_team, None, false, Way::Wait("no agent has answered yet")),
        ] {
            assert_eq!(mode.way(&conversation(team, answered)), way, "{mode:?} {team:?} {answered}");
        }
    }

    #[test]
    fn each_mode_is_described_in_words_of_its_own() {
        let by_team = Mode::ByTeam(vec!["billing".to_owned(), "sales".to_owned()]);
        for (mode, words) in [
            (Mode::ByPolicy, "the policy decides"),
            (Mode::AgentsInAlcmeon, "agents answer in Alcmeon: "),
            (Mode::AgentsInSalesforce, "agents answer in Salesforce: "),
            (by_team, "agents of billing, sales answer in Salesforce"),
        ] {
            assert!(mode.describe().starts_with(words), "{mode:?}: {}", mode.describe());
        }
    }
}
