//! The parameters of addresses that have many: their names, how they are written, and what they mean, said once for whoever reads
//! an address, refuses one, or describes it.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required, Schema};
use utoipa::{PartialSchema, ToSchema};

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
    u32::schema()
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
        let several =
            |schema: fn() -> RefOr<Schema>| RefOr::from(ArrayBuilder::new().items(schema()).max_items(Some(200)));
        let (schema, explode) = match self.form {
            Form::One(schema) => (schema(), None),
            Form::Several(schema) => (several(schema), Some(false)),
            Form::Repeated(schema) => (several(schema), Some(true)),
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
}

/// The names of all of them, for whoever asks for another one.
pub(super) fn names<'a>(known: impl IntoIterator<Item = &'a Known>) -> String {
    known.into_iter().map(|known| known.name).collect::<Vec<_>>().join(", ")
}
