//! Values that are known before a script runs: what is written down, settings, and what the top level left.

use rhai::{Dynamic, Expr};

/// Where a value stands: `a.b["c"]` is the variable `a` and the keys `b` and `c`.
pub(super) struct Place<'a> {
    pub(super) root: &'a Expr,
    pub(super) keys: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// A part of it, where its key is written down.
    pub(super) fn part(mut self, part: &'a Expr) -> Option<Self> {
        self.keys.push(match part {
            Expr::Property(property, _) => property.2.as_str(),
            Expr::StringConstant(key, _) => key.as_str(),
            _ => return None,
        });
        Some(self)
    }
}

/// Where the value of an expression stands.
pub(super) fn path(of: &Expr) -> Option<Place<'_>> {
    let root = match of {
        Expr::Dot(both, ..) | Expr::Index(both, ..) => &both.lhs,
        whole => return Some(Place { root: whole, keys: Vec::new() }),
    };
    let (mut place, mut link) = (Place { root, keys: Vec::new() }, of);
    while let Expr::Dot(both, ..) | Expr::Index(both, ..) = link {
        let part = match &both.rhs {
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
            last => last,
        };
        place = place.part(part)?;
        link = &both.rhs;
    }
    Some(place)
}

/// What lies in a value behind these keys.
pub(super) fn reach(value: &Dynamic, keys: &[&str]) -> Option<Dynamic> {
    let Some((key, rest)) = keys.split_first() else { return Some(value.clone()) };
    let map = value.as_map_ref().ok()?;
    reach(map.get(*key)?, rest)
}
