//! Functions and types of two interfaces side by side: where they differ, and how either is written as WIT.

use wit_parser::{Function, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId};

/// A type's text is cut off here: a component from outside may nest types without an end.
const TEXT_BYTES: usize = 4_000;

/// What a component has beside what it should have.
pub(super) struct Sides<'a> {
    pub(super) found: &'a Resolve,
    pub(super) expected: &'a Resolve,
}

/// A named type that differs, as it is found and as it is expected.
pub(super) type Differing = (TypeId, TypeId);

impl Sides<'_> {
    /// Whether two functions are the same but for the named types that are added to `differing`. Names of parameters do
    /// not count. It goes no deeper than the expected side does.
    pub(super) fn same_function(&self, found: &Function, expected: &Function, differing: &mut Vec<Differing>) -> bool {
        let same_kind = std::mem::discriminant(&found.kind) == std::mem::discriminant(&expected.kind);
        let params = |of: &Function| of.params.iter().map(|param| param.ty).collect::<Vec<_>>();
        let params = self.same_types(&params(found), &params(expected), differing);
        let result = self.same_optional(found.result.as_ref(), expected.result.as_ref(), differing);
        same_kind && params && result
    }

    fn same_types(&self, found: &[Type], expected: &[Type], differing: &mut Vec<Differing>) -> bool {
        let mut same = found.len() == expected.len();
        for (found, expected) in found.iter().zip(expected) {
            same &= self.same(found, expected, differing);
        }
        same
    }

    fn same_optional(&self, found: Option<&Type>, expected: Option<&Type>, differing: &mut Vec<Differing>) -> bool {
        match (found, expected) {
            (Some(found), Some(expected)) => self.same(found, expected, differing),
            (found, expected) => found.is_none() && expected.is_none(),
        }
    }

    fn same(&self, found: &Type, expected: &Type, differing: &mut Vec<Differing>) -> bool {
        let (found, expected) = (resolved(self.found, *found), resolved(self.expected, *expected));
        let (Type::Id(found_id), Type::Id(expected_id)) = (found, expected) else { return found == expected };
        let (found, expected) = (&self.found.types[found_id], &self.expected.types[expected_id]);
        if self.same_kind(found, expected, differing) {
            return true;
        }
        let both_named = found.name.is_some() && expected.name.is_some();
        if both_named && !differing.iter().any(|(_, known)| *known == expected_id) {
            differing.push((found_id, expected_id));
        }
        // A type with a name of its own bears the blame; without one it is what has it that differs.
        both_named
    }

    fn same_kind(&self, found: &TypeDef, expected: &TypeDef, differing: &mut Vec<Differing>) -> bool {
        use TypeDefKind as Kind;
        match (&found.kind, &expected.kind) {
            (Kind::Record(found), Kind::Record(expected)) => {
                let names = found.fields.iter().map(|it| &it.name).eq(expected.fields.iter().map(|it| &it.name));
                let types = |of: &wit_parser::Record| of.fields.iter().map(|field| field.ty).collect::<Vec<_>>();
                names && self.same_types(&types(found), &types(expected), differing)
            }
            (Kind::Variant(found), Kind::Variant(expected)) => {
                let mut same = found.cases.iter().map(|it| &it.name).eq(expected.cases.iter().map(|it| &it.name));
                for (found, expected) in found.cases.iter().zip(&expected.cases) {
                    same &= self.same_optional(found.ty.as_ref(), expected.ty.as_ref(), differing);
                }
                same
            }
            (Kind::Enum(found), Kind::Enum(expected)) => {
                found.cases.iter().map(|it| &it.name).eq(expected.cases.iter().map(|it| &it.name))
            }
            (Kind::Option(found), Kind::Option(expected)) | (Kind::List(found), Kind::List(expected)) => {
                self.same(found, expected, differing)
            }
            (Kind::Result(found), Kind::Result(expected)) => {
                let ok = self.same_optional(found.ok.as_ref(), expected.ok.as_ref(), differing);
                self.same_optional(found.err.as_ref(), expected.err.as_ref(), differing) && ok
            }
            // The interface has no other kinds of types.
            _ => false,
        }
    }
}

/// A function's type, such as `func(of: conversation) -> result<destination, refusal>`.
pub(super) fn signature(of: &Resolve, function: &Function) -> String {
    let mut text = Text { of, text: "func(".to_owned() };
    for (number, param) in function.params.iter().enumerate() {
        text.push(if number > 0 { ", " } else { "" });
        text.push(&format!("{}: ", param.name));
        text.name(&param.ty);
    }
    text.push(")");
    if let Some(result) = &function.result {
        text.push(" -> ");
        text.name(result);
    }
    text.text
}

/// A named type's definition, over several lines.
pub(super) fn definition(of: &Resolve, id: TypeId) -> String {
    use TypeDefKind as Kind;
    let name = of.types[id].name.as_deref().unwrap_or_default();
    let mut text = Text { of, text: String::new() };
    let (kind, lines): (_, Vec<(&str, Option<Type>)>) = match &of.types[id].kind {
        Kind::Record(it) => ("record", it.fields.iter().map(|field| (field.name.as_str(), Some(field.ty))).collect()),
        Kind::Variant(it) => ("variant", it.cases.iter().map(|case| (case.name.as_str(), case.ty)).collect()),
        Kind::Enum(it) => ("enum", it.cases.iter().map(|case| (case.name.as_str(), None)).collect()),
        Kind::Flags(it) => ("flags", it.flags.iter().map(|flag| (flag.name.as_str(), None)).collect()),
        _ => {
            text.push(&format!("type {name} = "));
            text.kind(&of.types[id]);
            return text.text;
        }
    };
    text.push(&format!("{kind} {name} {{"));
    for (name, ty) in lines {
        text.push(&format!("\n  {name}"));
        if let Some(ty) = ty {
            text.push(if kind == "record" { ": " } else { "(" });
            text.name(&ty);
            text.push(if kind == "record" { "" } else { ")" });
        }
        text.push(",");
    }
    text.push("\n}");
    text.text
}

/// A type behind the names that it is merely known by elsewhere.
fn resolved(of: &Resolve, mut ty: Type) -> Type {
    while let Type::Id(id) = ty
        && let TypeDefKind::Type(behind) = of.types[id].kind
    {
        ty = behind;
    }
    ty
}

struct Text<'a> {
    of: &'a Resolve,
    text: String,
}

impl Text<'_> {
    fn push(&mut self, text: &str) {
        if self.text.len() < TEXT_BYTES {
            self.text.push_str(text);
        }
    }

    /// A type by its name, or by what it is where it has none.
    fn name(&mut self, ty: &Type) {
        if self.text.len() >= TEXT_BYTES {
            return;
        }
        match resolved(self.of, *ty) {
            Type::Id(id) => {
                let of = self.of;
                match &of.types[id].name {
                    Some(name) => self.push(name),
                    None => self.kind(&of.types[id]),
                }
            }
            plain => {
                // The names in WIT are those of the variants in lower case, but for this one.
                let word = format!("{plain:?}").to_lowercase().replace("errorcontext", "error-context");
                self.push(&word);
            }
        }
    }

    fn kind(&mut self, of: &TypeDef) {
        use TypeDefKind as Kind;
        match &of.kind {
            Kind::Option(ty) => self.of_types("option", &[Some(*ty)]),
            Kind::List(ty) => self.of_types("list", &[Some(*ty)]),
            Kind::Tuple(tuple) => self.of_types("tuple", &tuple.types.iter().copied().map(Some).collect::<Vec<_>>()),
            Kind::Result(result) => match (result.ok, result.err) {
                (None, None) => self.push("result"),
                (ok, None) => self.of_types("result", &[ok]),
                both => self.of_types("result", &[both.0, both.1]),
            },
            Kind::Handle(Handle::Own(id)) => self.of_types("own", &[Some(Type::Id(*id))]),
            Kind::Handle(Handle::Borrow(id)) => self.of_types("borrow", &[Some(Type::Id(*id))]),
            Kind::Future(ty) => self.of_types("future", &[*ty]),
            Kind::Stream(ty) => self.of_types("stream", &[*ty]),
            other => self.push(&format!("a {}", other.as_str())),
        }
    }

    fn of_types(&mut self, word: &str, types: &[Option<Type>]) {
        self.push(word);
        self.push("<");
        for (number, ty) in types.iter().enumerate() {
            self.push(if number > 0 { ", " } else { "" });
            match ty {
                Some(ty) => self.name(ty),
                None => self.push("_"),
            }
        }
        self.push(">");
    }
}
