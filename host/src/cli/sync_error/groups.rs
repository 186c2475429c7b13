//! The causes: how many sync errors each has, and what people put to it.

use clap::builder::NonEmptyStringValueParser as Words;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::cli::out::{self, say};
use crate::cli::remote::{Remote, known, list as list_of, query};
use crate::cli::table::{Table, plain};
use crate::domain::{Class, Condition, Fingerprint, OrgId};
use crate::http::api::{ErrorCounts, Group};

/// Causes of one call.
const PAGE: u64 = 500;

/// Which causes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Filter {
    /// Of these organizations; this and every list here: repeatable, or with commas.
    #[arg(long, value_delimiter = ',')]
    pub(super) org: Vec<OrgId>,
    /// That stand so: new, ongoing, escalating, regressed or quiet.
    #[arg(long, value_delimiter = ',')]
    condition: Vec<Condition>,
    /// Of these classes, such as transient, config or contact.
    #[arg(long, value_delimiter = ',')]
    class: Vec<Class>,
    /// With these codes.
    #[arg(long, value_delimiter = ',', value_parser = Words::new())]
    code: Vec<String>,
    /// Decided by these policies.
    #[arg(long, value_delimiter = ',', value_parser = Words::new())]
    policy: Vec<String>,
    /// That this person looks after; `none` for nobody; repeatable.
    #[arg(long, value_parser = Words::new())]
    assignee: Vec<String>,
    /// With these words in title, code, text or note.
    #[arg(long, value_parser = Words::new())]
    text: Option<String>,
}

impl Filter {
    /// As the fields of an address, with the size of a page.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("limit", PAGE.to_string())];
        fields.extend(self.org.iter().map(|org| ("org", org.to_string())));
        fields.extend(self.condition.iter().map(|condition| ("condition", condition.to_string())));
        fields.extend(self.class.iter().map(|class| ("class", class.to_string())));
        let texts = [("code", &self.code), ("policy", &self.policy), ("assignee", &self.assignee)];
        fields.extend(texts.into_iter().flat_map(|(name, texts)| texts.iter().map(move |text| (name, text.clone()))));
        fields.extend(self.text.iter().map(|text| ("text", text.clone())));
        fields
    }
}

/// Which causes, in which order, and how they are printed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Listed {
    #[command(flatten)]
    filter: Filter,
    /// What they are ordered by, the most or the newest first.
    #[arg(long, allow_hyphen_values = true, value_enum, default_value_t = Order::Open)]
    sort: Order,
    /// No more than so many; all where not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print the ids alone, for other commands.
    #[arg(long, conflicts_with = "json")]
    ids: bool,
    /// Print one JSON object for each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    #[value(name = "-open", alias = "open")]
    Open,
    #[value(name = "-pending", alias = "pending")]
    Pending,
    #[value(name = "-last_seen", alias = "last_seen")]
    LastSeen,
    #[value(name = "-first_seen", alias = "first_seen")]
    FirstSeen,
}

/// A cause.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Its id, as `groups` lists it.
    id: Fingerprint,
    /// Its organization, where several have the cause.
    #[arg(long)]
    org: Option<OrgId>,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What people put to a cause.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct Put {
    /// Who looks after it.
    #[arg(long, value_name = "NAME", conflicts_with = "no_assignee", value_parser = Words::new())]
    assignee: Option<String>,
    /// Nobody looks after it.
    #[arg(long)]
    no_assignee: bool,
    /// What there is to say of it.
    #[arg(long, value_name = "TEXT", conflicts_with = "no_note", value_parser = Words::new())]
    note: Option<String>,
    /// Take the note away.
    #[arg(long)]
    no_note: bool,
    /// The address of its ticket.
    #[arg(long, value_name = "URL", conflicts_with = "no_ticket", value_parser = Words::new())]
    ticket: Option<String>,
    /// Take the ticket away.
    #[arg(long)]
    no_ticket: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show a cause: how many, since when, what to check, and what people put to it.
    Show(Named),
    /// Say who looks after a cause, what there is to say of it, and where its ticket is.
    Edit {
        #[command(flatten)]
        cause: Named,
        #[command(flatten)]
        put: Put,
    },
}

/// One cause: shows it, or changes what people put to it and shows it then.
pub(super) async fn one(command: Command) -> anyhow::Result<()> {
    let (cause, method, body) = match command {
        Command::Show(cause) => (cause, Method::GET, None),
        Command::Edit { cause, put } => (cause, Method::PATCH, Some(put.body())),
    };
    let of: Vec<_> = cause.org.iter().map(|org| ("org", org.to_string())).collect();
    let path = format!("/v1/groups/{}?{}", cause.id, query(&of));
    let group = cause.remote.call(method, &path, body).await?;
    match cause.json {
        true => say!("{}", serde_json::to_string_pretty(&group)?),
        false => show(&known(&group)?),
    }
    Ok(())
}

impl Put {
    fn body(self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, text: Option<String>, none: bool| {
            if none || text.is_some() {
                body.insert(name.to_owned(), json!(text));
            }
        };
        put("assignee", self.assignee, self.no_assignee);
        put("note", self.note, self.no_note);
        put("ticket", self.ticket, self.no_ticket);
        Value::Object(body)
    }
}

fn show(group: &Group) {
    let ErrorCounts { pending, retrying, ignored, resolved } = group.counts;
    let states = format!("{pending} pending, {retrying} retrying, {ignored} ignored, {resolved} resolved");
    let policy = group.policy.as_ref().map(ToString::to_string);
    let samples: Vec<_> = group.samples.iter().map(ToString::to_string).collect();
    let advice = &group.advice;
    let put = |text: &Option<String>| text.clone().unwrap_or_default();
    say!("{}\n", plain(&group.title));
    let lines = [
        ("id", group.id.to_string()),
        ("org", group.org.to_string()),
        ("condition", group.condition.to_string()),
        ("refusal", format!("{} {}", group.class, group.code)),
        ("text", group.text.clone()),
        ("fields", group.fields.join(", ")),
        ("policy", policy.unwrap_or_default()),
        ("counts", states),
        ("failures", format!("{} in 24 hours, {} in 14 days", group.failures_24h, group.failures_14d)),
        ("seen", format!("first {}, last {}", group.first_seen, group.last_seen)),
        ("samples", samples.join(", ")),
        ("assignee", put(&group.assignee)),
        ("note", put(&group.note)),
        ("ticket", put(&group.ticket)),
        ("happened", advice.happened.to_string()),
        ("check", advice.check.to_string()),
        ("by itself", advice.by_itself.to_string()),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        say!("{name:<11}{}", plain(&value));
    }
}

/// Prints the causes that match.
pub(super) async fn list(listed: &Listed) -> anyhow::Result<()> {
    let Listed { filter, sort, limit, ids, json, remote } = listed;
    let mut fields = filter.fields();
    fields.extend(sort.to_possible_value().map(|order| ("sort", order.get_name().to_owned())));
    let mut left = limit.unwrap_or(u64::MAX);
    let mut table = Table::new(&["open", "pending", "24 h", "condition", "org", "id", "title"]);
    let mut pages = remote.pages("/v1/groups", &fields);
    while left > 0
        && out::is_open()
        && let Some(page) = pages.next().await?
    {
        for group in list_of(&page, "groups").take(usize::try_from(left)?) {
            left -= 1;
            match (ids, json) {
                (true, _) => say!("{}", known::<Group>(group)?.id),
                (_, true) => say!("{group}"),
                _ => table.row(row(&known(group)?)),
            }
        }
    }
    table.print();
    Ok(())
}

/// A cause's open and pending sync errors, and its failures of a day; how it stands, where, its id and its title.
pub(super) fn row(group: &Group) -> [String; 7] {
    let Group { counts, condition, org, id, title, failures_24h, .. } = group;
    let (open, pending) = ((counts.pending + counts.retrying).to_string(), counts.pending.to_string());
    let (condition, org, id) = (condition.to_string(), org.to_string(), id.to_string());
    [open, pending, failures_24h.to_string(), condition, org, id, title.clone()]
}
