//! The rules of the keyword router: what the settings may say, and which queue they give.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::bindings::switchyard::policy::types::{Conversation, Direction, Problem, Refusal};
use crate::refusal;

/// What `configure` is given.
#[derive(Deserialize)]
struct Configuration {
    settings: Rules,
    script: Option<String>,
}

/// Which queue (id or developer name) a conversation goes to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// Before all others.
    vip: Option<Vip>,
    /// By a word or a phrase of the newest inbound message; the one that stands first in the message counts.
    keywords: BTreeMap<String, String>,
    /// By team, where no keyword is found.
    teams: BTreeMap<String, String>,
    /// Where neither says anything.
    default: Option<String>,
}

/// Who is served first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vip {
    /// One of them in a tag makes a conversation one of these.
    words: Vec<String>,
    queue: String,
}

impl Rules {
    /// Reads and checks the settings.
    pub(crate) fn configure(settings: &str) -> Result<Self, Vec<Problem>> {
        let given: Configuration =
            serde_json::from_str(settings).map_err(|error| vec![problem("settings", error.to_string())])?;
        let mut problems = Vec::new();
        if given.script.is_some() {
            problems.push(problem("script", "this plugin runs no script"));
        }
        problems.extend(given.settings.problems());
        match problems.is_empty() {
            true => Ok(given.settings),
            false => Err(problems),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let tables = [("keywords", &self.keywords), ("teams", &self.teams)];
        let entries = tables.iter().flat_map(|(table, of)| of.iter().map(move |(key, queue)| (*table, key, queue)));
        let mut problems: Vec<_> = entries
            .filter_map(|(table, key, queue)| {
                let what = match (key.trim().is_empty(), queue.trim().is_empty()) {
                    (true, _) => "the word is empty",
                    (_, true) => "the queue is empty",
                    _ => return None,
                };
                Some(problem(&format!("settings.{table}.{key}"), what))
            })
            .collect();
        if self.default.as_ref().is_some_and(|queue| queue.trim().is_empty()) {
            problems.push(problem("settings.default", "the queue is empty"));
        }
        if self.vip.as_ref().is_some_and(|vip| vip.queue.trim().is_empty()) {
            problems.push(problem("settings.vip.queue", "the queue is empty"));
        }
        if self.vip.is_none() && self.keywords.is_empty() && self.teams.is_empty() && self.default.is_none() {
            problems.push(problem("settings", "there is no rule: give vip, keywords, teams or default"));
        }
        problems
    }

    /// The queue, and why it is that one.
    pub(crate) fn route(&self, of: &Conversation) -> Result<(&str, String), Refusal> {
        if let Some((vip, tag)) = self.vip.as_ref().and_then(|vip| Some((vip, vip.tag(of)?))) {
            return Ok((&vip.queue, format!("VIP by the tag {tag:?}")));
        }
        let newest = of.messages.iter().rfind(|message| message.direction == Direction::Inbound);
        if let Some((word, queue)) = newest.and_then(|message| self.keyword(&message.body)) {
            return Ok((queue, format!("the newest message says {word:?}")));
        }
        let team = of.team.as_deref();
        if let Some((team, queue)) = team.and_then(|team| Some((team, self.team(team)?))) {
            return Ok((queue, format!("no keyword; team {team:?}")));
        }
        match &self.default {
            Some(queue) => Ok((queue, "no keyword and no team of the settings".into())),
            None => Err(refusal("NO_RULE_MATCHES", self.no_rule(team))),
        }
    }

    /// The keyword that stands first in the text; of two in one place, the longer.
    fn keyword(&self, text: &str) -> Option<(&str, &str)> {
        let word = switchyard_words::first(text, self.keywords.keys().map(String::as_str))?;
        Some((word, self.keywords.get(word)?))
    }

    /// The team as it is; else the one that differs in case and blanks around it only.
    fn team(&self, team: &str) -> Option<&str> {
        let plain = |name: &str| name.trim().to_lowercase();
        let alike = || self.teams.iter().find(|(name, _)| plain(name) == plain(team)).map(|(_, queue)| queue);
        self.teams.get(team).or_else(alike).map(String::as_str)
    }

    fn no_rule(&self, team: Option<&str>) -> String {
        let team = team.map_or("it has no team".into(), |team| format!("team {team:?} is not in settings.teams"));
        format!("no keyword is in the newest message, {team}, and there is no settings.default")
    }
}

impl Vip {
    /// The tag that makes the conversation one of these.
    fn tag<'a>(&self, of: &'a Conversation) -> Option<&'a str> {
        let is_one = |tag: &&String| switchyard_words::contains_any(tag, self.words.iter().map(String::as_str));
        of.tags.iter().find(is_one).map(String::as_str)
    }
}

fn problem(path: &str, message: impl Into<String>) -> Problem {
    Problem { path: path.into(), line: None, column: None, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::switchyard::policy::types::{Customer, Message};

    const SETTINGS: &str = r#"{"settings": {
        "keywords": {"lost card": "Fraud", "card": "Cards", "mortgage": "Loans", "紛失": "Fraud"},
        "teams": {"cards": "Cards", "finance": "Advice"}}}"#;

    fn conversation(team: Option<&str>, messages: &[(Direction, &str)]) -> Conversation {
        let message = |(direction, body): &(Direction, &str)| Message {
            id: "1".into(),
            direction: *direction,
            author: String::new(),
            body: (*body).into(),
            sent_at: 0,
        };
        Conversation {
            id: "21:whatsapp:1:2".into(),
            channel: "whatsapp".into(),
            account: "21".into(),
            team: team.map(Into::into),
            agent: None,
            closed: false,
            tags: Vec::new(),
            attributes: Vec::new(),
            customer: Customer {
                id: "1".into(),
                name: None,
                email: None,
                phone: None,
                contact_id: None,
                attributes: Vec::new(),
            },
            messages: messages.iter().map(message).collect(),
        }
    }

    #[test]
    fn the_first_keyword_of_the_newest_inbound_message_decides_then_the_team() {
        use Direction::{Inbound, Outbound};
        let rules = Rules::configure(SETTINGS).unwrap();
        for (team, messages, queue) in [
            (None, &[(Inbound, "About my mortgage and my card")][..], Some("Loans")),
            (None, &[(Inbound, "I have a LOST CARD!")][..], Some("Fraud")),
            (None, &[(Inbound, "カードを紛失しました")][..], Some("Fraud")),
            (None, &[(Inbound, "my mortgage"), (Outbound, "Which card?")][..], Some("Loans")),
            (Some("finance"), &[(Inbound, "my card"), (Inbound, "hello?")][..], Some("Advice")),
            (Some("finance"), &[][..], Some("Advice")),
            (Some("cards"), &[(Inbound, "discard this")][..], Some("Cards")),
            (Some("media"), &[(Inbound, "hello")][..], None),
            (None, &[][..], None),
        ] {
            let routed = rules.route(&conversation(team, messages));
            assert_eq!(routed.as_ref().ok().map(|(queue, _)| *queue), queue, "{team:?} {messages:?}");
        }
    }

    #[test]
    fn the_default_takes_what_no_rule_takes() {
        let rules = Rules::configure(r#"{"settings": {"default": "General"}}"#).unwrap();
        assert_eq!(rules.route(&conversation(Some("media"), &[])).unwrap().0, "General");
    }

    #[test]
    fn a_refusal_says_what_is_missing() {
        let rules = Rules::configure(SETTINGS).unwrap();
        let refusal = rules.route(&conversation(Some("media"), &[])).unwrap_err();
        assert_eq!(refusal.code, "NO_RULE_MATCHES");
        assert!(refusal.message.contains(r#"team "media" is not in settings.teams"#), "{}", refusal.message);
    }

    #[test]
    fn settings_that_make_no_sense_are_problems() {
        for (settings, path) in [
            ("nonsense", "settings"),
            (r#"{"settings": {}}"#, "settings"),
            (r#"{"settings": {"defualt": "General"}}"#, "settings"),
            (r#"{"settings": {"default": " "}}"#, "settings.default"),
            (r#"{"settings": {"vip": {"words": ["vip"], "queue": ""}}}"#, "settings.vip.queue"),
            (r#"{"settings": {"vip": {"queue": "Vip_Care"}}}"#, "settings"),
            (r#"{"settings": {"keywords": {"card": ""}}}"#, "settings.keywords.card"),
            (r#"{"settings": {"keywords": {" ": "Cards"}}}"#, "settings.keywords. "),
            (r#"{"settings": {"default": "General"}, "script": "fn route(c) {}", "script-file": "x.rhai"}"#, "script"),
        ] {
            let problems = Rules::configure(settings).unwrap_err();
            assert_eq!(problems[0].path, path, "{settings}");
        }
    }

    #[test]
    fn the_demo_bank_hears_of_fraud_in_every_language_and_knows_every_team() {
        let policy: toml::Table = include_str!("../../../policies/demo-bank.toml").parse().unwrap();
        assert_eq!(policy["plugin"].as_str(), Some("keyword-router"));
        let bank = Rules::configure(&serde_json::json!({"settings": policy["settings"]}).to_string()).unwrap();
        for text in ["I lost my card", "J'ai perdu ma carte !", "Ist das Betrug?", "me fue robada", "بطاقتي مسروقة"]
        {
            assert_eq!(bank.route(&conversation(None, &[(Direction::Inbound, text)])).unwrap().0, "Fraud", "{text}");
        }
        for (team, queue) in
            [("airline", "Cards"), ("fastfood", "Cards"), ("finance", "Accounts"), ("insurance", "Insurance")]
        {
            assert_eq!(bank.route(&conversation(Some(team), &[])).unwrap().0, queue, "{team}");
        }
    }
}
