//! The parameters of addresses that have many: their names, how they are written, and what they mean, said once for whoever reads
//! an address, refuses one, or describes it.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required, Schema};

/// How a parameter is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Once.
    One(fn() -> RefOr<Schema>),
    /// With commas between several values, or again and again.
    Several(fn() -> RefOr<Schema>),
    /// Again and again: a value may have a comma in it.
    Repeated(fn() -> RefOr<Schema>),
}

/// A parameter that an address may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) name: &'static str,
    form: Form,
    meaning: &'static str,
}

pub(super) const fn known(name: &'static str, form: Form, meaning: &'static str) -> Known {
    Known { name, form, meaning }
}

/// The schema of a type that the document knows by name.
pub(super) fn named<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

pub(super) fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(200)).into()
}

pub(super) fn number() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u32::MAX)).into()
}

/// Of a page.
pub(super) fn limit() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(500)).default(Some(50.into())).into()
}

/// One of some words.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

impl Known {
    /// As the document has it.
    pub(super) fn parameter(&self) -> Parameter {
        let several = |schema: fn() -> RefOr<Schema>| ArrayBuilder::new().items(schema());
        let (schema, explode) = match self.form {
            Form::One(schema) => (schema(), None),
            Form::Several(schema) => (RefOr::from(several(schema).max_items(Some(200))), Some(false)),
            Form::Repeated(schema) => (RefOr::from(several(schema)), Some(true)),
        };
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(self.meaning))
            .style(explode.map(|_| ParameterStyle::Form))
            .explode(explode)
            .schema(Some(schema))
            .build()
    }

    /// As a member of an object that says the same.
    pub(super) fn member(&self) -> Value {
        let schema = |schema: fn() -> RefOr<Schema>| serde_json::to_value(schema()).unwrap_or_default();
        let (of, several) = match self.form {
            Form::One(of) => (of, false),
            Form::Several(of) | Form::Repeated(of) => (of, true),
        };
        let mut kinds = vec![schema(of)];
        if several {
            kinds.push(json!({ "type": "array", "items": schema(of), "minItems": 1, "maxItems": 200 }));
        }
        json!({ "anyOf": kinds, "description": self.meaning })
    }

    /// The values of the member of an object: one, or an array of them.
    ///
    /// # Errors
    /// What is wrong with it, after the member's name.
    pub(super) fn values(&self, value: &Value) -> Result<Vec<String>, String> {
        let schema = match self.form {
            Form::One(of) | Form::Several(of) | Form::Repeated(of) => serde_json::to_value(of()).unwrap_or_default(),
        };
        let values = match (value, self.form) {
            (Value::Array(_), Form::One(_)) => return Err("one value, and no array".to_owned()),
            (Value::Array(values), _) => &values[..],
            _ => std::slice::from_ref(value),
        };
        if values.is_empty() {
            return Err("empty; leave it out where it is to narrow nothing".to_owned());
        }
        let text = |value: &Value| match (value, schema["type"] == "integer") {
            (Value::String(text), false) => Ok(text.clone()),
            (Value::Number(number), true) => Ok(number.to_string()),
            (_, true) => Err("no number".to_owned()),
            (_, false) => Err("no text".to_owned()),
        };
        values.iter().map(text).collect()
    }
}

/// The names of all of them, for whoever asks for another one.
pub(super) fn names<'a>(known: impl IntoIterator<Item = &'a Known>) -> String {
    known.into_iter().map(|known| known.name).collect::<Vec<_>>().join(", ")
}
