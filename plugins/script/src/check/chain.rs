//! Fields and functions behind a dot, and the values that functions are given.

use rhai::{ASTFlags, BinaryExpr, Dynamic, Expr, FnCallExpr, FnPtr, ImmutableString, Position, Stmt};

use super::kinds::{Kind, of_list_function};
use super::values::{Place, path, reach};
use super::walk::Walk;
use crate::helpers;
use crate::records::Record;

impl Walk<'_> {
    pub(super) fn chain(&mut self, whole: &Expr) -> Kind {
        let (Expr::Dot(both, ..) | Expr::Index(both, ..)) = whole else { return Kind::Any };
        let mut kind = self.expression(&both.lhs);
        let mut place = Some(Place { root: &both.lhs, keys: Vec::new() });
        let mut link = whole;
        while let Some((BinaryExpr { rhs, .. }, flags, is_dot)) = taken_apart(link) {
            let (part, goes_on) = match rhs {
                Expr::Dot(chain, ..) | Expr::Index(chain, ..) if !flags.intersects(ASTFlags::BREAK) => {
                    (&chain.lhs, true)
                }
                last => (last, false),
            };
            kind = self.part(kind, place.as_ref(), part, is_dot);
            place = place.and_then(|place| place.part(part));
            if !goes_on {
                break;
            }
            link = rhs;
        }
        kind
    }

    /// One part of a chain, of a value of this kind that stands at this place, where it has one.
    fn part(&mut self, of: Kind, place: Option<&Place>, part: &Expr, is_dot: bool) -> Kind {
        match part {
            Expr::Property(property, at) if is_dot => {
                let Kind::Record(record) = of else { return Kind::Any };
                let field = &property.2;
                self.say(*at, self.names.wrong_field(record, field));
                record.field(field).into()
            }
            Expr::MethodCall(call, at) if is_dot => self.method(of, place, call, *at),
            index => {
                self.expression(index);
                of.element()
            }
        }
    }

    fn method(&mut self, of: Kind, place: Option<&Place>, call: &FnCallExpr, at: Position) -> Kind {
        for arg in &call.args {
            let closure = match of {
                Kind::List(record) => closure(arg).map(|closure| (closure, Kind::Record(record))),
                _ => None,
            };
            match closure {
                Some(((function, captured), element)) => {
                    let captured: Vec<_> = captured.iter().map(|captured| self.expression(captured)).collect();
                    self.given_to(&call.name, &function, captured, element);
                }
                None => drop(self.expression(arg)),
            }
        }
        self.join(&call.name, call.args.len(), &vec![Kind::Any; call.args.len()]);
        let value = place.and_then(|place| self.value(place));
        let known = match (of, &value) {
            (Kind::Any, Some(value)) => !has_closure(value, &call.name),
            (Kind::Any | Kind::Unseen, _) => false,
            _ => true,
        };
        if (known || !self.facts.may_be_in_a_map(&call.name)) && !self.facts.asked_about.contains(call.name.as_str()) {
            let wrong = self.names.wrong_call(&call.name, call.args.len(), true);
            let wrong = match of {
                Kind::Record(record) => wrong.map(|wrong| self.of_record(record, &call.name, wrong)),
                _ => wrong,
            };
            self.say(at, wrong);
        }
        if let (Some(value), Some(place)) = (value, place) {
            self.say_of_value(&call.name, 0, &value, place.root.start_position());
        }
        self.values(&call.name, 1, &call.args);
        match of {
            Kind::List(record) => of_list_function(&call.name, record),
            _ => Kind::Any,
        }
    }

    fn of_record(&self, record: Record, function: &str, wrong: String) -> String {
        match self.names.wrong_field(record, function) {
            None => format!("a {} has no function {function}; it is a field", record.name()),
            Some(_) => wrong,
        }
    }

    /// Looks at the values that a function is given, the first of them in this place.
    pub(super) fn values(&mut self, function: &str, first: usize, args: &[Expr]) {
        for (place, arg) in (first..).zip(args) {
            if helpers::looks_at(function, place)
                && let Some(value) = path(arg).and_then(|place| self.value(&place))
            {
                self.say_of_value(function, place, &value, arg.start_position());
            }
        }
    }

    fn say_of_value(&mut self, function: &str, place: usize, value: &Dynamic, at: Position) {
        if !self.names.is_of_script(function) {
            self.say(at, helpers::wrong_value(function, place, value));
        }
    }

    /// The value that stands there, where it is the same in every decision.
    fn value(&self, of: &Place) -> Option<Dynamic> {
        match of.root {
            Expr::Variable(variable, ..) if self.at_top || self.variables.get(&variable.1).is_some() => None,
            Expr::Variable(variable, ..) => reach(self.globals.get(&variable.1)?, &of.keys),
            literal if of.keys.is_empty() => literal.get_literal_value(None),
            _ => None,
        }
    }
}

fn taken_apart(link: &Expr) -> Option<(&BinaryExpr, ASTFlags, bool)> {
    match link {
        Expr::Dot(both, flags, _) => Some((both, *flags, true)),
        Expr::Index(both, flags, _) => Some((both, *flags, false)),
        _ => None,
    }
}

/// The function of a closure that is written down here, and what it has captured.
fn closure(expr: &Expr) -> Option<(ImmutableString, &[Expr])> {
    let (constant, captured): (&Dynamic, &[Expr]) = match expr {
        Expr::DynamicConstant(constant, _) => (constant, &[]),
        Expr::Stmt(block) => {
            let call = match block.statements().last()? {
                Stmt::FnCall(call, _) => call,
                Stmt::Expr(expr) => match &**expr {
                    Expr::FnCall(call, _) => call,
                    _ => return None,
                },
                _ => return None,
            };
            match call.args.split_first()? {
                (Expr::DynamicConstant(function, _), captured) if call.name == "curry" => (function, captured),
                _ => return None,
            }
        }
        _ => return None,
    };
    constant.read_lock::<FnPtr>().map(|function| (function.fn_name().into(), captured))
}

/// Whether it is a map whose function of this name can be called.
fn has_closure(value: &Dynamic, name: &str) -> bool {
    value.as_map_ref().is_ok_and(|map| map.get(name).is_some_and(Dynamic::is_fnptr))
}
