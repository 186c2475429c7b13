//! What an object and its fields are, as the describe call would tell it.

use std::collections::HashMap;

/// Position of an object among an org's tables; the same in every org.
pub(crate) type ObjectIndex = u16;
/// Position of a field in its object.
pub(crate) type FieldIndex = u16;

/// The positions that code names.
pub(crate) mod object {
    use super::ObjectIndex;
    pub(crate) const ACCOUNT: ObjectIndex = 0;
    pub(crate) const CONTACT: ObjectIndex = 1;
    pub(crate) const CASE: ObjectIndex = 2;
    pub(crate) const USER: ObjectIndex = 3;
    pub(crate) const GROUP: ObjectIndex = 4;
    pub(crate) const QUEUE_SOBJECT: ObjectIndex = 5;
    pub(crate) const RECORD_TYPE: ObjectIndex = 6;
    pub(crate) const CONVERSATION: ObjectIndex = 7;
    pub(crate) const ORGANIZATION: ObjectIndex = 8;
}

/// One object of an org.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) label: String,
    /// First three characters of its ids.
    pub(crate) prefix: String,
    /// Whether the integration user may not see it.
    pub(crate) hidden: bool,
    /// Asked for and added to by `add`; never removed, so positions stay.
    pub(crate) fields: Vec<Field>,
    /// Lower-case field name to position: names are compared without case.
    names: HashMap<String, FieldIndex>,
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// As refusals print it.
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    pub(crate) required: bool,
    pub(crate) external_id: bool,
    pub(crate) unique: bool,
    /// Equality on it is answered without a scan.
    pub(crate) indexed: bool,
    /// Value of a new record that gives none.
    pub(crate) default: Option<String>,
    /// Whether field-level security lets the integration user only read it.
    pub(crate) read_only: bool,
    /// Whether field-level security keeps it from the integration user: as if it were not there.
    pub(crate) hidden: bool,
}

/// Objects whose records know no recycle bin.
const BINLESS: [&str; 5] = ["Group", "Organization", "QueueSobject", "RecordType", "User"];

/// Type of a field; lengths in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Text(usize),
    Area(usize),
    Email,
    Phone,
    Url,
    /// Values are enforced only when the picklist is restricted.
    Picklist {
        values: Vec<String>,
        restricted: bool,
        /// Whether it takes several, with semicolons between them.
        several: bool,
    },
    Boolean,
    Time,
    Date,
    Number(Number),
    /// An address or a place; always blank here.
    Compound,
    Reference {
        to: Vec<ObjectIndex>,
        /// Name of the hop in SOQL and in nested writes.
        relationship: String,
        /// Name of the way back, for subqueries; made from the object's name when empty.
        children: String,
    },
}

/// Kinds of number; they differ in the describe call and in whether a fraction is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Int,
    Double,
    Currency,
    Percent,
}

/// Where a value comes from. Everything but `Stored` cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stored,
    Id,
    Created,
    Modified,
    /// Whether it is in the recycle bin, where only queryAll sees it.
    Deleted,
    /// Whoever wrote it: the integration user.
    Author,
    /// Prefix and digits, made from the record's number.
    AutoNumber(&'static str, usize),
    /// First and last name, or the stored name.
    FullName,
    /// Whether `Status` says closed.
    Closed,
    /// Kept by the platform itself.
    System,
}

impl Object {
    /// An object with the fields that every object has.
    pub(crate) fn new(name: &str, label: &str, prefix: &str, fields: Vec<Field>) -> Self {
        let mut object = Self {
            name: name.to_owned(),
            label: label.to_owned(),
            prefix: prefix.to_owned(),
            hidden: false,
            fields: Vec::new(),
            names: HashMap::new(),
        };
        object.add(Field::new("Id", "Record ID", Kind::Id).from(Source::Id));
        if !BINLESS.contains(&name) {
            object.add(Field::new("IsDeleted", "Deleted", Kind::Boolean).from(Source::Deleted));
        }
        object.add(Field::new("CreatedDate", "Created Date", Kind::Time).from(Source::Created));
        object.add(Field::new("LastModifiedDate", "Last Modified Date", Kind::Time).from(Source::Modified));
        object.add(Field::new("SystemModstamp", "System Modstamp", Kind::Time).from(Source::Modified));
        for (name, label) in [("CreatedBy", "Created By ID"), ("LastModifiedBy", "Last Modified By ID")] {
            let kind = Kind::Reference {
                to: vec![object::USER],
                relationship: name.to_owned(),
                children: format!("{name}{}", object.plural()),
            };
            object.add(Field::new(&format!("{name}Id"), label, kind).from(Source::Author));
        }
        for field in fields {
            object.add(field);
        }
        object
    }

    /// Adds a field; one of a name that is there replaces its definition.
    pub(crate) fn add(&mut self, mut field: Field) -> FieldIndex {
        let plural = self.plural();
        if let Kind::Reference { children, .. } = &mut field.kind
            && children.is_empty()
        {
            *children = plural;
        }
        let key = field.name.to_ascii_lowercase();
        if let Some(at) = self.names.get(&key) {
            self.fields[*at as usize] = field;
            return *at;
        }
        let at = u16::try_from(self.fields.len()).unwrap_or(u16::MAX);
        self.fields.push(field);
        self.names.insert(key, at);
        at
    }

    /// The field of this name, whatever its case.
    pub(crate) fn find(&self, name: &str) -> Option<FieldIndex> {
        self.names.get(&name.to_ascii_lowercase()).copied()
    }

    /// `Cases`, `Opportunities`, `Things__r`: how a parent names these records, unless a field says otherwise.
    pub(crate) fn plural(&self) -> String {
        match (self.name.strip_suffix("__c"), self.name.strip_suffix('y')) {
            (Some(stem), _) => format!("{stem}s__r"),
            (None, Some(stem)) => format!("{stem}ies"),
            (None, None) => format!("{}s", self.name),
        }
    }

    /// The field of this name that the integration user may see.
    pub(crate) fn seen(&self, name: &str) -> Option<FieldIndex> {
        self.find(name).filter(|at| !self.field(*at).hidden)
    }

    /// The definition at a position.
    pub(crate) fn field(&self, at: FieldIndex) -> &Field {
        &self.fields[at as usize]
    }

    /// The reference field whose relationship has this name.
    pub(crate) fn relationship(&self, name: &str) -> Option<FieldIndex> {
        let at = self.fields.iter().position(|field| match &field.kind {
            Kind::Reference { relationship, .. } => !field.hidden && relationship.eq_ignore_ascii_case(name),
            _ => false,
        })?;
        u16::try_from(at).ok()
    }

    /// The field by which these records are the children of this name.
    pub(crate) fn child(&self, parent: ObjectIndex, name: &str) -> Option<FieldIndex> {
        let at = self.fields.iter().position(|field| match &field.kind {
            Kind::Reference { to, children, .. } => {
                !field.hidden && to.contains(&parent) && children.eq_ignore_ascii_case(name)
            }
            _ => false,
        })?;
        u16::try_from(at).ok()
    }

    /// The label of several records.
    pub(crate) fn label_plural(&self) -> String {
        match self.label.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{}s", self.label),
        }
    }
}

impl Field {
    pub(crate) fn new(name: &str, label: &str, kind: Kind) -> Self {
        let indexed = matches!(kind, Kind::Reference { .. } | Kind::Email);
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            source: Source::Stored,
            required: false,
            external_id: false,
            unique: false,
            indexed,
            default: None,
            read_only: false,
            hidden: false,
        }
    }

    pub(crate) fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    pub(crate) fn default(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        self
    }

    /// An external id, unique or not.
    pub(crate) fn external_id(mut self, unique: bool) -> Self {
        self.external_id = true;
        self.unique = unique;
        self.indexed = true;
        self
    }

    /// Whether a client may set it.
    pub(crate) fn writable(&self) -> bool {
        self.source == Source::Stored && !self.read_only
    }

    /// Longest text it holds, in characters; 0 when it is not a text.
    pub(crate) fn length(&self) -> usize {
        match &self.kind {
            Kind::Id | Kind::Reference { .. } => 18,
            Kind::Text(length) | Kind::Area(length) => *length,
            Kind::Email => 80,
            Kind::Phone => 40,
            Kind::Url | Kind::Picklist { .. } => 255,
            Kind::Boolean | Kind::Time | Kind::Date | Kind::Number(_) | Kind::Compound => 0,
        }
    }
}
