//! Goes through the bodies of a script: first until all is known of parameters that can be, then once to say what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{Dynamic, Expr, FnCallExpr, FnPtr, ImmutableString, Position, Scope, Stmt};

use super::bodies::Body;
use super::facts::Facts;
use super::kinds::{Kind, Variables, of_closure, of_question};
use super::names::Names;

/// A function by its name and how many it takes.
type Function = (String, usize);

/// What was found so far.
pub(super) struct Walk<'a> {
    pub(super) names: &'a Names,
    pub(super) facts: &'a Facts,
    pub(super) globals: &'a Scope<'a>,
    /// What is known of each function's parameters.
    params: BTreeMap<Function, Vec<Kind>>,
    learned: bool,
    pub(super) variables: Variables,
    /// The top level has run already, and its variables were other ones meanwhile.
    pub(super) at_top: bool,
    /// How many `try` blocks this lies in: what goes wrong there is expected.
    trying: usize,
    /// Functions and closures that are called from such a place, and whatever they call.
    tried: BTreeSet<String>,
    wrong: Vec<(Position, String)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(names: &'a Names, facts: &'a Facts, globals: &'a Scope<'a>, bodies: &[Body]) -> Self {
        let mut params = BTreeMap::new();
        for body in bodies {
            let Some(name) = &body.name else { continue };
            let unseen = if facts.names_as_value(name) { Kind::Any } else { Kind::Unseen };
            let kinds = body.params.iter().enumerate().map(|(at, _)| {
                let asked = of_question(name).get(at).copied();
                asked.map_or(unseen, |asked| asked.or(unseen))
            });
            params.insert((name.to_string(), body.params.len()), kinds.collect());
        }
        Self {
            names,
            facts,
            globals,
            params,
            learned: false,
            variables: Variables::default(),
            at_top: false,
            trying: 0,
            tried: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    /// Goes once through everything; `true` when more is known of parameters than before.
    pub(super) fn learn(&mut self, bodies: &[Body]) -> bool {
        self.learned = false;
        self.look(bodies);
        self.learned
    }

    /// What is wrong, by what is known now.
    pub(super) fn look(&mut self, bodies: &[Body]) -> Vec<(Position, String)> {
        for body in bodies {
            self.variables = Variables::default();
            self.at_top = body.name.is_none();
            self.trying = usize::from(body.name.as_ref().is_some_and(|name| self.tried.contains(name.as_str())));
            if let Some(name) = &body.name {
                let kinds = self.params[&(name.to_string(), body.params.len())].clone();
                body.params.iter().zip(kinds).for_each(|(param, kind)| self.variables.push(param.clone(), kind));
            }
            body.statements.iter().for_each(|statement| self.statement(statement));
        }
        std::mem::take(&mut self.wrong)
    }

    pub(super) fn say(&mut self, at: Position, wrong: Option<String>) {
        if let Some(words) = wrong.filter(|_| self.trying == 0) {
            self.wrong.push((at, words));
        }
    }

    fn block<'s>(&mut self, statements: impl IntoIterator<Item = &'s Stmt>) {
        let before = self.variables.len();
        statements.into_iter().for_each(|statement| self.statement(statement));
        self.variables.back_to(before);
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Var(parts, ..) => {
                let kind = self.expression(&parts.1);
                self.variables.push(parts.0.name.clone(), kind);
            }
            Stmt::If(flow, _) => {
                self.expression(&flow.expr);
                self.block(&flow.body);
                self.block(&flow.branch);
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expression(&flow.expr);
                self.block(&flow.body);
            }
            Stmt::For(parts, _) => {
                let (name, counter, flow) = &**parts;
                let element = self.expression(&flow.expr).element();
                let before = self.variables.len();
                if let Some(counter) = counter {
                    self.variables.push(counter.name.clone(), Kind::Any);
                }
                self.variables.push(name.name.clone(), element);
                self.block(&flow.body);
                self.variables.back_to(before);
            }
            Stmt::Switch(parts, _) => {
                let (on, cases) = &**parts;
                self.expression(on);
                for case in &cases.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::TryCatch(flow, _) => {
                self.trying += 1;
                self.block(&flow.body);
                self.trying -= 1;
                let before = self.variables.len();
                if let Expr::Variable(caught, ..) = &flow.expr {
                    self.variables.push(caught.1.clone(), Kind::Any);
                }
                self.block(&flow.branch);
                self.variables.back_to(before);
            }
            Stmt::Assignment(both) => {
                self.expression(&both.1.lhs);
                self.expression(&both.1.rhs);
            }
            Stmt::FnCall(call, at) => drop(self.call(call, *at)),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::Expr(expr) | Stmt::Return(Some(expr), ..) | Stmt::BreakLoop(Some(expr), ..) => {
                self.expression(expr);
            }
            _ => {}
        }
    }

    pub(super) fn expression(&mut self, expr: &Expr) -> Kind {
        match expr {
            Expr::Variable(variable, ..) => {
                self.try_out(&variable.1);
                return self.variable(&variable.1);
            }
            Expr::StringConstant(text, _) => {
                self.try_out(text);
                return Kind::Simple;
            }
            Expr::Dot(..) | Expr::Index(..) => return self.chain(expr),
            Expr::FnCall(call, at) => return self.call(call, *at),
            Expr::Stmt(block) => self.block(block.statements()),
            Expr::DynamicConstant(constant, _) => self.given_away(constant, &[]),
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                self.expressions(parts.iter());
                return Kind::Simple;
            }
            Expr::Map(map, _) => self.expressions(map.0.iter().map(|(_, value)| value)),
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                self.expressions(parts.iter());
            }
            Expr::IntegerConstant(..) | Expr::BoolConstant(..) => return Kind::Simple,
            _ => {}
        }
        Kind::Any
    }

    fn expressions<'s>(&mut self, parts: impl Iterator<Item = &'s Expr>) {
        for part in parts {
            self.expression(part);
        }
    }

    fn variable(&self, name: &str) -> Kind {
        let kind = self.variables.get(name).unwrap_or(Kind::Any);
        let other_elements = self.facts.changes_this || self.facts.changed.contains(name);
        match kind {
            _ if self.facts.assigned.contains(name) => Kind::Any,
            Kind::List(_) if other_elements => Kind::Any,
            kind => kind,
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) -> Kind {
        if let Some((Expr::DynamicConstant(function, _), captured)) = call.args.split_first()
            && call.name == "curry"
        {
            let captured: Vec<_> = captured.iter().map(|captured| self.expression(captured)).collect();
            self.given_away(function, &captured);
            return Kind::Any;
        }
        let kinds: Vec<_> = call.args.iter().map(|arg| self.expression(arg)).collect();
        if call.is_operator_call() || call.is_qualified() {
            return Kind::Any;
        }
        self.join(&call.name, kinds.len(), &kinds);
        if !self.facts.asked_about.contains(call.name.as_str()) {
            self.say(at, self.names.wrong_call(&call.name, kinds.len(), false));
        }
        self.values(&call.name, 0, &call.args);
        Kind::Any
    }

    /// A closure that may be called by anybody with anything, beside what it has captured.
    fn given_away(&mut self, constant: &Dynamic, captured: &[Kind]) {
        let Some(function) = constant.read_lock::<FnPtr>().map(|function| function.fn_name().to_owned()) else {
            return;
        };
        for takes in self.takes(&function) {
            let mut kinds = captured.to_vec();
            kinds.resize(takes, Kind::Any);
            self.join(&function, takes, &kinds);
        }
    }

    /// A closure that a function of a list is given.
    pub(super) fn given_to(&mut self, function: &str, closure: &ImmutableString, captured: Vec<Kind>, element: Kind) {
        for takes in self.takes(closure) {
            let own = of_closure(function, element, takes.saturating_sub(captured.len()));
            let mut kinds = captured.clone();
            kinds.extend(own.into_iter().flatten());
            kinds.resize(takes, Kind::Any);
            self.join(closure, takes, &kinds);
        }
    }

    fn takes(&self, function: &str) -> Vec<usize> {
        self.params.keys().filter(|(name, _)| name == function).map(|(_, takes)| *takes).collect()
    }

    /// A function that goes by this name may be called from here.
    fn try_out(&mut self, function: &str) {
        if self.trying > 0 && self.names.is_of_script(function) {
            self.learned |= self.tried.insert(function.to_owned());
        }
    }

    /// Some call gives these to a function of the script.
    pub(super) fn join(&mut self, function: &str, takes: usize, given: &[Kind]) {
        self.try_out(function);
        let Some(known) = self.params.get_mut(&(function.to_owned(), takes)) else { return };
        for (known, given) in known.iter_mut().zip(given) {
            let both = known.or(*given);
            self.learned |= both != *known;
            *known = both;
        }
    }
}
