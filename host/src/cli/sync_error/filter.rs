//! Which sync errors are meant: every filter of the API as an option.

use std::fmt::Display;

use clap::Args;
use clap::builder::NonEmptyStringValueParser as Words;
use serde_json::{Map, Value};

use crate::domain::{Class, Fingerprint, OrgId, State, SyncErrorId, Timestamp};

/// An option with a list of values can be given again, or have commas between them; any of its values may match.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(in crate::cli) struct Filter {
    /// These alone, by their ids.
    #[arg(long, value_delimiter = ',', value_name = "SYNC_ERROR")]
    id: Vec<SyncErrorId>,
    /// Of these organizations; this and every list here: repeatable, or with commas.
    #[arg(long, value_delimiter = ',')]
    org: Vec<OrgId>,
    /// In these states: pending, retrying, ignored or resolved.
    #[arg(long, value_delimiter = ',')]
    pub(super) state: Vec<State>,
    /// Of these classes, such as transient, config or contact.
    #[arg(long, value_delimiter = ',')]
    class: Vec<Class>,
    /// With these codes.
    #[arg(long, value_delimiter = ',', value_parser = Words::new())]
    code: Vec<String>,
    /// Of these causes, by the ids that `groups` lists.
    #[arg(long, value_delimiter = ',', value_name = "CAUSE")]
    group: Vec<Fingerprint>,
    /// Of this team; repeatable, and a comma is part of its name.
    #[arg(long, value_parser = Words::new())]
    team: Vec<String>,
    /// Of these channels.
    #[arg(long, value_delimiter = ',', value_parser = Words::new())]
    channel: Vec<String>,
    /// Decided by these policies.
    #[arg(long, value_delimiter = ',', value_parser = Words::new())]
    policy: Vec<String>,
    /// That failed first at this time or later, such as 2026-01-05T09:30:00Z.
    #[arg(long, value_name = "TIME")]
    first_seen_from: Option<Timestamp>,
    /// That failed first before this time.
    #[arg(long, value_name = "TIME")]
    first_seen_before: Option<Timestamp>,
    /// That failed last at this time or later.
    #[arg(long, value_name = "TIME")]
    last_seen_from: Option<Timestamp>,
    /// That failed last before this time.
    #[arg(long, value_name = "TIME")]
    last_seen_before: Option<Timestamp>,
    /// That were tried so often or more.
    #[arg(long, value_name = "N")]
    attempts_min: Option<u32>,
    /// That were tried no more than so often.
    #[arg(long, value_name = "N")]
    attempts_max: Option<u32>,
    /// Of this conversation.
    #[arg(long, value_name = "ID", value_parser = Words::new())]
    conversation: Option<String>,
    /// That this message is affected by.
    #[arg(long, value_name = "ID", value_parser = Words::new())]
    message: Option<String>,
    /// Of the customer whose name or address begins so.
    #[arg(long, value_parser = Words::new())]
    customer: Option<String>,
    /// With these words in the cause, in any order.
    #[arg(long, value_parser = Words::new())]
    text: Option<String>,
    /// With this id of any kind, this beginning of a customer's name or address, or these words in the cause.
    #[arg(short, long, value_parser = Words::new())]
    pub(super) q: Option<String>,
}

impl Filter {
    /// As the fields of an address.
    pub(in crate::cli) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        let mut put = |name, values: Vec<String>| fields.extend(values.into_iter().map(|value| (name, value)));
        put("id", texts(&self.id));
        put("org", texts(&self.org));
        put("state", texts(&self.state));
        put("class", texts(&self.class));
        put("code", texts(&self.code));
        put("group", texts(&self.group));
        put("team", texts(&self.team));
        put("channel", texts(&self.channel));
        put("policy", texts(&self.policy));
        put("first_seen_from", texts(&self.first_seen_from));
        put("first_seen_before", texts(&self.first_seen_before));
        put("last_seen_from", texts(&self.last_seen_from));
        put("last_seen_before", texts(&self.last_seen_before));
        put("attempts_min", texts(&self.attempts_min));
        put("attempts_max", texts(&self.attempts_max));
        put("conversation", texts(&self.conversation));
        put("message", texts(&self.message));
        put("customer", texts(&self.customer));
        put("text", texts(&self.text));
        put("q", texts(&self.q));
        fields
    }

    /// As the query of an operation.
    pub(in crate::cli) fn object(&self) -> Value {
        let mut object = Map::new();
        for (name, value) in self.fields() {
            let values = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            values.as_array_mut().into_iter().for_each(|values| values.push(Value::String(value.clone())));
        }
        Value::Object(object)
    }
}

fn texts<'a, T: Display + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    values.into_iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, error::ErrorKind};
    use serde_json::json;

    use super::*;

    fn filter(arguments: &[&str]) -> Result<Filter, clap::Error> {
        let command = Filter::augment_args(clap::Command::new("x"));
        Filter::from_arg_matches(&command.try_get_matches_from([&["x"], arguments].concat())?)
    }

    #[test]
    fn lists_take_commas_and_repetition_and_a_team_may_have_a_comma() {
        let filter =
            filter(&["--state", "pending,retrying", "--state=ignored", "--team", "a,b", "--attempts-min", "2"]);
        let object = filter.unwrap().object();
        let expected = json!({ "state": ["pending", "retrying", "ignored"], "team": ["a,b"], "attempts_min": ["2"] });
        assert_eq!(object, expected);
    }

    #[test]
    fn every_option_narrows_what_is_meant() {
        let command = Filter::augment_args(clap::Command::new("x"));
        for option in command.get_arguments() {
            let name = option.get_long().expect("a long name");
            let one = [
                ("id", "err-abcdefghijklm"),
                ("org", "travel"),
                ("state", "pending"),
                ("class", "config"),
                ("group", "gr-1abcdefghijklmnopqrst"),
                ("attempts-min", "2"),
                ("attempts-max", "2"),
            ];
            let is_time = name.ends_with("-from") || name.ends_with("-before");
            let value = one.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let value = value.unwrap_or(if is_time { "2026-01-05T09:30:00.000Z" } else { "word" });
            let filter = filter(&[&format!("--{name}"), value]).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(filter.object(), json!({ name.replace('-', "_"): [value] }), "--{name}");
        }
    }

    #[test]
    fn an_empty_value_is_refused_instead_of_meaning_everything() {
        for name in ["--id", "--org", "--code", "--group", "--customer", "--text", "-q", "--team", "--last-seen-from"] {
            let error = filter(&[name, ""]).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation), "{name}: {error}");
        }
    }
}
