//! What a script answers: the functions that make an answer, and the check that it is one.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use crate::bindings::switchyard::policy::types::{Attribute, ContactSearch, Destination, Link, Refusal, Verdict};

/// The answer to one of the questions.
pub(crate) trait Answer: Sized {
    /// What a script may answer, in the words of its functions.
    const ONE_OF: &str;

    /// What is answered by a script without the function.
    fn neutral() -> Result<Self, Refusal>;

    /// Gives the value back where it is no such answer.
    fn from_value(value: Dynamic) -> Result<Self, Dynamic>;
}

impl Answer for Destination {
    const ONE_OF: &str = "queue(...), owner(...), track_only(), not_eligible(...) or refuse(...)";

    fn neutral() -> Result<Self, Refusal> {
        Err(Refusal { code: "NO_ROUTE".into(), message: "the script has no function route(conversation)".into() })
    }

    fn from_value(value: Dynamic) -> Result<Self, Dynamic> {
        value.try_cast_result()
    }
}

impl Answer for Vec<ContactSearch> {
    const ONE_OF: &str = "an array of search_by(...), or refuse(...)";

    fn neutral() -> Result<Self, Refusal> {
        Ok(Vec::new())
    }

    /// One search needs no array, and `()` (a search for a value that is not there) is left out.
    fn from_value(value: Dynamic) -> Result<Self, Dynamic> {
        let values = match value.try_cast_result::<Array>() {
            Ok(values) => values,
            Err(single) => vec![single],
        };
        values.into_iter().filter(|value| !value.is_unit()).map(Dynamic::try_cast_result).collect()
    }
}

impl Answer for Link {
    const ONE_OF: &str = "contact(...), create(...), none(), ambiguous(...) or refuse(...)";

    fn neutral() -> Result<Self, Refusal> {
        Ok(Self::None)
    }

    fn from_value(value: Dynamic) -> Result<Self, Dynamic> {
        value.try_cast_result()
    }
}

impl Answer for Verdict {
    const ONE_OF: &str = "as_usual(), retry_after(...), hold(), ignore(...) or refuse(...)";

    fn neutral() -> Result<Self, Refusal> {
        Ok(Self::AsUsual)
    }

    fn from_value(value: Dynamic) -> Result<Self, Dynamic> {
        value.try_cast_result()
    }
}

/// Gives scripts the functions that make answers.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Destination>("destination")
        .register_type_with_name::<ContactSearch>("search")
        .register_type_with_name::<Link>("link")
        .register_type_with_name::<Verdict>("verdict")
        .register_type_with_name::<Refusal>("refusal");
    engine
        .register_fn("queue", |name: &str| Destination::Queue(name.into()))
        .register_fn("owner", |user_id: &str| Destination::Owner(user_id.into()))
        .register_fn("track_only", || Destination::TrackOnly)
        .register_fn("not_eligible", |why: &str| Destination::NotEligible(why.into()))
        .register_fn("refuse", |code: &str, message: &str| Refusal { code: code.into(), message: message.into() });
    engine
        .register_fn("search_by", search_by)
        .register_fn("contact", |id: &str| Link::Contact(id.into()))
        .register_fn("create", |fields: Map| {
            Link::Create(fields.into_iter().filter_map(|(name, value)| attribute(name.into(), value)).collect())
        })
        .register_fn("none", || Link::None)
        .register_fn("ambiguous", ambiguous);
    engine
        .register_fn("as_usual", || Verdict::AsUsual)
        .register_fn("retry_after", retry_after)
        .register_fn("hold", || Verdict::Hold)
        .register_fn("ignore", |why: &str| Verdict::Ignore(why.into()));
}

/// `()` where there is no value to search for: to search for nothing would find everybody who has none.
fn search_by(field: &str, value: Dynamic) -> Dynamic {
    let value = value.to_string();
    if value.trim().is_empty() {
        return Dynamic::UNIT;
    }
    Dynamic::from(ContactSearch { field: field.into(), value })
}

/// Fields without a value are left out.
fn attribute(name: String, value: Dynamic) -> Option<Attribute> {
    (!value.is_unit()).then(|| Attribute { name, value: value.to_string() })
}

fn ambiguous(ids: Array) -> Result<Link, Box<EvalAltResult>> {
    let ids = ids.into_iter().map(|id| id.into_string().map_err(|it| format!("ambiguous() takes ids, not {it}")));
    Ok(Link::Ambiguous(ids.collect::<Result<_, _>>()?))
}

fn retry_after(seconds: i64) -> Result<Verdict, Box<EvalAltResult>> {
    let seconds = u32::try_from(seconds).map_err(|_| format!("retry_after() takes seconds, not {seconds}"))?;
    Ok(Verdict::RetryAfter(seconds))
}
