//! Foreign JSON, read by taking out what is understood: what is left over at the end is not.

use serde_json::{Map, Value};

/// What counts up stays below this, for years of millions of actions a second.
const COUNTS_BELOW: u64 = 1 << 53;

/// Tags, custom fields, or answers that are looked at, each.
const READ: usize = 1_000;

/// A body that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not JSON, or not of the expected kind at its top.
    #[error("not JSON of the expected kind: {0}")]
    Json(String),
    /// A part that nothing can be done without is missing or of another kind.
    #[error("`{path}` must be {expected}")]
    Part {
        /// Where, such as `action.task.message.id`.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
}

/// An object that parts are taken from. An absent or null object has no parts and is never an error.
#[derive(Debug, Default)]
pub(super) struct JsonObject {
    path: String,
    map: Map<String, Value>,
}

impl JsonObject {
    /// Takes an object apart; anything else becomes an object without parts.
    pub(super) fn of(path: impl Into<String>, value: Value) -> Self {
        let map = match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Self { path: path.into(), map }
    }

    /// The object under a key. What is not an object stays where it is.
    pub(super) fn child(&mut self, key: &str) -> Self {
        let value = if self.map.get(key).is_some_and(Value::is_object) { self.value(key) } else { Value::Null };
        Self::of(self.at(key), value)
    }

    /// Puts back what is left of a child.
    pub(super) fn put_back(&mut self, key: &str, child: Self) {
        if let Some(left) = child.left() {
            self.put(key, left);
        }
    }

    /// Puts a value under a key.
    pub(super) fn put(&mut self, key: &str, value: Value) {
        self.map.insert(key.to_owned(), value);
    }

    /// Whatever is under a key, `null` where nothing is.
    pub(super) fn value(&mut self, key: &str) -> Value {
        self.map.remove(key).unwrap_or_default()
    }

    /// Looks without taking.
    pub(super) fn peek(&self, key: &str) -> &Value {
        self.map.get(key).unwrap_or(&Value::Null)
    }

    /// The first elements of an array, more than anybody has of them; the rest is dropped unread.
    pub(super) fn first(&mut self, key: &str) -> Vec<Value> {
        let mut items = self.list(key);
        items.truncate(READ);
        items
    }

    /// The elements of an array; of what is not one, none.
    pub(super) fn list(&mut self, key: &str) -> Vec<Value> {
        match self.peek(key) {
            Value::Array(_) => match self.value(key) {
                Value::Array(items) => items,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// A text with something in it.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.peek(key).is_string().then(|| self.value(key)).and_then(|value| as_text(&value))
    }

    /// An id as text: a whole number, or a text with something in it.
    pub(super) fn id(&mut self, key: &str) -> Option<String> {
        let id = match self.peek(key) {
            Value::Number(number) => number.as_u64().map(|number| number.to_string()),
            other => as_text(other),
        };
        if id.is_some() {
            self.map.remove(key);
        }
        id
    }

    /// A number that counts up, as a number or in digits. One that cannot be told from its neighbours as a JSON number of
    /// other programs is none: believed, it would be the largest for ever.
    pub(super) fn count(&mut self, key: &str) -> Result<u64, Malformed> {
        let count = self.id(key).and_then(|id| id.parse().ok()).filter(|count| *count < COUNTS_BELOW);
        count.ok_or_else(|| self.missing(key, "a whole number"))
    }

    /// Says that a part is missing.
    pub(super) fn missing(&self, key: &str, expected: &'static str) -> Malformed {
        Malformed::Part { path: self.at(key), expected }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// What was not taken, without what is empty.
    pub(super) fn left(self) -> Option<Value> {
        let map: Map<String, Value> = self.map.into_iter().filter(|(_, value)| !is_empty(value)).collect();
        (!map.is_empty()).then_some(Value::Object(map))
    }
}

/// A text with something in it.
pub(super) fn as_text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
