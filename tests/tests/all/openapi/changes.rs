//! What differs between two documents of the API, and whether a client that was made for the older one goes on working.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// One difference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) breaks: bool,
    words: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.breaks { "breaks clients" } else { "compatible" }, self.words)
    }
}

/// Who writes what a schema is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Client,
    Host,
}

struct Differences<'a> {
    old: &'a Value,
    new: &'a Value,
    found: BTreeSet<Change>,
    /// Pairs of schemas that are being compared: some contain themselves.
    open: Vec<(String, String)>,
}

/// All differences that matter to clients.
pub(super) fn between(old: &Value, new: &Value) -> BTreeSet<Change> {
    let mut differences = Differences { old, new, found: BTreeSet::new(), open: Vec::new() };
    for (path, item) in members(&old["paths"]) {
        for (method, operation) in members(item) {
            let place = format!("{} {path}", method.to_uppercase());
            match &new["paths"][path][method] {
                Value::Null => differences.note(true, format!("{place} is gone")),
                other => differences.operation(&place, operation, other),
            }
        }
    }
    for (path, item) in members(&new["paths"]) {
        for (method, _) in members(item).filter(|(method, _)| old["paths"][path][*method].is_null()) {
            differences.note(false, format!("{} {path} is new", method.to_uppercase()));
        }
    }
    differences.found
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is_in(values: &Value, value: &Value) -> bool {
    list(values).any(|one| one == value)
}

/// A schema, and its parts.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    std::iter::once(schema).chain(list(&schema["allOf"]))
}

impl<'a> Differences<'a> {
    fn note(&mut self, breaks: bool, words: String) {
        self.found.insert(Change { breaks, words });
    }

    fn operation(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        if old["operationId"] != new["operationId"] {
            self.note(true, format!("{place} is called {} and not {}", new["operationId"], old["operationId"]));
        }
        if old["security"] != new["security"] {
            self.note(true, format!("{place} needs {} and not {}", new["security"], old["security"]));
        }
        let find = |all: &'a Value, of: &Value| list(all).find(|it| it["name"] == of["name"] && it["in"] == of["in"]);
        for parameter in list(&old["parameters"]) {
            let name = format!("{place}, parameter {}", parameter["name"]);
            let Some(other) = find(&new["parameters"], parameter) else {
                self.note(true, format!("{name} is gone"));
                continue;
            };
            if parameter["required"] != true && other["required"] == true {
                self.note(true, format!("{name} is needed now"));
            }
            self.schema(&name, &parameter["schema"], &other["schema"], By::Client);
        }
        for parameter in list(&new["parameters"]).filter(|it| find(&old["parameters"], it).is_none()) {
            self.note(parameter["required"] == true, format!("{place}, parameter {} is new", parameter["name"]));
        }
        self.contents(&format!("{place}, body"), &old["requestBody"], &new["requestBody"], By::Client);
        for (status, answer) in members(&old["responses"]) {
            match &new["responses"][status] {
                Value::Null => self.note(status.starts_with('2'), format!("{place}: no answer {status} any more")),
                other => self.contents(&format!("{place}, answer {status}"), answer, other, By::Host),
            }
        }
        for (status, _) in members(&new["responses"]).filter(|(status, _)| old["responses"][*status].is_null()) {
            self.note(false, format!("{place}: may be answered with {status}"));
        }
    }

    fn contents(&mut self, place: &str, old: &'a Value, new: &'a Value, by: By) {
        for (kind, content) in members(&old["content"]) {
            match &new["content"][kind] {
                Value::Null => self.note(true, format!("{place} is no {kind} any more")),
                other => self.schema(place, &content["schema"], &other["schema"], by),
            }
        }
        if old["content"].is_null() && new["content"].is_object() {
            self.note(by == By::Client, format!("{place} is new"));
        }
    }

    fn resolved(document: &'a Value, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => document.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null),
            None => schema,
        }
    }

    fn schema(&mut self, place: &str, old: &'a Value, new: &'a Value, by: By) {
        let pair = (old["$ref"].to_string(), new["$ref"].to_string());
        if old["$ref"].is_string() && self.open.contains(&pair) {
            return;
        }
        self.open.push(pair);
        let (old, new) = (Self::resolved(self.old, old), Self::resolved(self.new, new));
        if old["type"] != new["type"] && !(old["type"].is_null() && new["type"].is_null()) {
            self.note(true, format!("{place} is {} and not {}", new["type"], old["type"]));
        }
        for word in list(&old["enum"]).filter(|word| !is_in(&new["enum"], word) && new["enum"].is_array()) {
            self.note(by == By::Client, format!("{place} is never {word} any more"));
        }
        if old["enum"].is_null() && new["enum"].is_array() {
            self.note(by == By::Client, format!("{place} is one of {} now", new["enum"]));
        }
        for word in list(&new["enum"]).filter(|word| old["enum"].is_array() && !is_in(&old["enum"], word)) {
            self.note(false, format!("{place} may be {word}"));
        }
        self.properties(place, old, new, by);
        if old["items"].is_object() {
            self.schema(&format!("{place}[]"), &old["items"], &new["items"], by);
        }
        self.open.pop();
    }

    fn properties(&mut self, place: &str, old: &'a Value, new: &'a Value, by: By) {
        let (of_old, of_new) = (self.members_of(self.old, old), self.members_of(self.new, new));
        for (name, (schema, needed)) in &of_old {
            let place = format!("{place}.{name}");
            let Some((other, needed_now)) = of_new.iter().find(|(of, _)| of == name).map(|(_, it)| *it) else {
                self.note(true, format!("{place} is gone"));
                continue;
            };
            match by {
                By::Client if needed_now && !needed => self.note(true, format!("{place} is needed now")),
                By::Host if *needed && !needed_now => self.note(true, format!("{place} may be absent now")),
                _ => {}
            }
            self.schema(&place, schema, other, by);
        }
        for (name, (_, needed)) in of_new.iter().filter(|(name, _)| !of_old.iter().any(|(of, _)| of == name)) {
            self.note(by == By::Client && *needed, format!("{place}.{name} is new"));
        }
    }

    /// The members of a schema and of its parts, and whether each has to be there.
    fn members_of(&self, document: &'a Value, schema: &'a Value) -> Vec<(&'a String, (&'a Value, bool))> {
        let mut found = Vec::new();
        for part in parts(schema).map(|part| Self::resolved(document, part)) {
            let needed = |name: &String| list(&part["required"]).any(|one| one == name);
            found.extend(members(&part["properties"]).map(|(name, of)| (name, (of, needed(name)))));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(body: Value, answer: Value, parameter: Value) -> Value {
        json!({
            "paths": { "/things": { "post": {
                "operationId": "make_thing", "security": [{ "token": ["errors"] }], "parameters": [parameter],
                "requestBody": { "content": { "application/json": { "schema": body } } },
                "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } } },
            } } },
            "components": { "schemas": { "A": answer } },
        })
    }

    fn body() -> Value {
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" }, "b": { "enum": ["x", "y"] } } })
    }

    fn parameter() -> Value {
        json!({ "name": "limit", "in": "query", "required": false, "schema": { "type": "integer" } })
    }

    fn told(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let old = document(body(), body(), parameter());
        let mut new = old.clone();
        change(&mut new);
        between(&old, &new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_client_was_made_for_has_to_stay() {
        const OPERATION: &str = "/paths/~1things/post";
        let at = |new: &mut Value, path: &str, value: Value| *new.pointer_mut(path).unwrap() = value;
        let inside = |path: &str| format!("{OPERATION}{path}");
        let body = inside("/requestBody/content/application~1json/schema");
        assert_eq!(told(|_| ()), [""; 0]);
        let gone = told(|new| at(new, "/paths", json!({})));
        assert_eq!(gone, ["breaks clients: POST /things is gone"]);
        let renamed = told(|new| at(new, &inside("/operationId"), json!("make")));
        assert_eq!(renamed, ["breaks clients: POST /things is called \"make\" and not \"make_thing\""]);
        let needed = told(|new| at(new, &inside("/parameters/0/required"), json!(true)));
        assert_eq!(needed, ["breaks clients: POST /things, parameter \"limit\" is needed now"]);
        let needed = told(|new| at(new, &format!("{body}/required"), json!(["a", "b"])));
        assert_eq!(needed, ["breaks clients: POST /things, body.b is needed now"]);
        let fewer = told(|new| at(new, &format!("{body}/properties/b/enum"), json!(["x"])));
        assert_eq!(fewer, ["breaks clients: POST /things, body.b is never \"y\" any more"]);
        let absent = told(|new| at(new, "/components/schemas/A/required", json!([])));
        assert_eq!(absent, ["breaks clients: POST /things, answer 200.a may be absent now"]);
        let other = told(|new| at(new, "/components/schemas/A/properties/a/type", json!("integer")));
        assert_eq!(other, ["breaks clients: POST /things, answer 200.a is \"integer\" and not \"string\""]);
    }

    #[test]
    fn what_is_new_and_optional_breaks_nothing() {
        let more = told(|new| {
            let item = new.pointer("/paths/~1things").unwrap().clone();
            new["paths"]["/others"] = item;
            new["components"]["schemas"]["A"]["properties"]["c"] = json!({ "type": "string" });
        });
        assert_eq!(more, ["compatible: POST /others is new", "compatible: POST /things, answer 200.c is new"]);
    }
}
