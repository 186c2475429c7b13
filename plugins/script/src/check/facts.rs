//! What is true of a script as a whole, whatever way a decision takes: which names change their meaning, and which it mentions.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

/// Functions that leave a list's other elements what they are.
const READING: [&str; 22] = [
    "all",
    "chop",
    "clear",
    "contains",
    "drain",
    "extract",
    "filter",
    "find",
    "find_map",
    "get",
    "index_of",
    "is_empty",
    "len",
    "map",
    "pop",
    "reduce",
    "reduce_rev",
    "remove",
    "retain",
    "shift",
    "some",
    "sort",
];

/// Names of a script, wherever in it they stand: less exact than following each variable, and never wrong.
#[derive(Default)]
pub(super) struct Facts {
    /// Variables that are assigned to.
    pub(super) assigned: BTreeSet<String>,
    /// Variables of which a part is assigned to, or that are given to a function that may change them.
    pub(super) changed: BTreeSet<String>,
    /// `this` is assigned to, which may be an element of a list.
    pub(super) changes_this: bool,
    /// Some map gets a key that is not written down.
    pub(super) computes_keys: bool,
    /// Some function is named by what is not written down.
    pub(super) computes_names: bool,
    /// Functions that are asked about before they are called.
    pub(super) asked_about: BTreeSet<String>,
    called: BTreeSet<String>,
    variables: BTreeSet<String>,
    /// Texts, and keys of maps.
    texts: BTreeSet<String>,
}

impl Facts {
    pub(super) fn new(ast: &AST) -> Self {
        let mut facts = Self::default();
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(expr)) => facts.expression(expr),
                Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => facts.call(call),
                Some(ASTNode::Stmt(Stmt::Assignment(both))) => facts.assignment(&both.1.lhs),
                _ => {}
            }
            true
        });
        facts
    }

    /// Whether this may stand for the function of that name, beside its calls.
    pub(super) fn names_as_value(&self, function: &str) -> bool {
        self.computes_names || self.variables.contains(function) || self.texts.contains(function)
    }

    /// Whether the name stands anywhere but in its definition.
    pub(super) fn mentions(&self, function: &str) -> bool {
        self.called.contains(function) || self.names_as_value(function)
    }

    /// Whether some map may have a closure by this name.
    pub(super) fn may_be_in_a_map(&self, name: &str) -> bool {
        self.computes_keys || self.texts.contains(name)
    }

    fn expression(&mut self, expr: &Expr) {
        match expr {
            Expr::StringConstant(text, _) => drop(self.texts.insert(text.to_string())),
            Expr::Map(map, _) => self.texts.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            Expr::Variable(variable, ..) => drop(self.variables.insert(variable.1.to_string())),
            Expr::FnCall(call, _) => self.call(call),
            Expr::MethodCall(call, _) => {
                self.called.insert(call.name.to_string());
                self.sets_key(&call.name, call.args.first());
            }
            Expr::Dot(both, ..) => {
                let first = match &both.rhs {
                    Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
                    last => last,
                };
                if let (Expr::Variable(variable, ..), Expr::MethodCall(call, _)) = (&both.lhs, first) {
                    self.may_change(&variable.1, &call.name);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr) {
        if call.is_operator_call() {
            return;
        }
        self.called.insert(call.name.to_string());
        self.sets_key(&call.name, call.args.get(1));
        match (call.name.as_str(), call.args.first()) {
            ("is_def_fn", Some(Expr::StringConstant(name, _))) => drop(self.asked_about.insert(name.to_string())),
            ("Fn", Some(Expr::StringConstant(..))) => {}
            ("Fn", _) => self.computes_names = true,
            (name, Some(Expr::Variable(variable, ..))) => self.may_change(&variable.1, name),
            _ => {}
        }
    }

    fn may_change(&mut self, variable: &str, function: &str) {
        if !READING.contains(&function) {
            self.changed.insert(variable.to_owned());
        }
    }

    fn sets_key(&mut self, function: &str, key: Option<&Expr>) {
        let written = matches!(key, Some(Expr::StringConstant(..) | Expr::IntegerConstant(..)));
        self.computes_keys |= function == "set" && !written;
    }

    fn assignment(&mut self, to: &Expr) {
        let mut link = to;
        let root = match to {
            Expr::Dot(both, ..) | Expr::Index(both, ..) => &both.lhs,
            whole => whole,
        };
        match root {
            Expr::Variable(variable, ..) if matches!(to, Expr::Variable(..)) => {
                self.assigned.insert(variable.1.to_string());
            }
            Expr::Variable(variable, ..) => drop(self.changed.insert(variable.1.to_string())),
            _ => self.changes_this = true,
        }
        while let Expr::Dot(both, ..) | Expr::Index(both, ..) = link {
            let of_index = matches!(link, Expr::Index(..));
            let part = match &both.rhs {
                Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
                last => last,
            };
            match part {
                Expr::Property(property, _) => drop(self.texts.insert(property.2.to_string())),
                Expr::StringConstant(..) | Expr::IntegerConstant(..) => {}
                _ => self.computes_keys |= of_index,
            }
            link = &both.rhs;
        }
    }
}
