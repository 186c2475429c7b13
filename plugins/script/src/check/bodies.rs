//! A script taken apart: the statements of its top level, of each function and of each closure.

use rhai::{AST, ASTNode, ImmutableString, Position, Stmt};

/// The statements of one function or closure, or of the top level.
pub(super) struct Body {
    /// Nothing for the top level.
    pub(super) name: Option<ImmutableString>,
    pub(super) params: Vec<ImmutableString>,
    pub(super) statements: Vec<Stmt>,
    /// From its brace to the other; a closure without braces has no end.
    span: (Position, Position),
}

impl Body {
    fn holds(&self, at: Position) -> bool {
        let (from, until) = self.span;
        self.name.is_some() && (from == at || (from <= at && at <= until))
    }
}

/// Every body. Rhai gives the statements of all functions in one row, so each is put where it lies.
pub(super) fn bodies(ast: &AST) -> Vec<Body> {
    let top = Body {
        name: None,
        params: Vec::new(),
        statements: ast.statements().to_vec(),
        span: (Position::NONE, Position::NONE),
    };
    let functions = ast.iter_fn_def().map(|function| Body {
        name: Some(function.name.clone()),
        params: function.params.to_vec(),
        statements: Vec::new(),
        span: (function.body.start_position(), function.body.end_position()),
    });
    let mut bodies: Vec<_> = std::iter::once(top).chain(functions).collect();
    let mut of_top = ast.statements().len();
    ast.walk(&mut |path: &[ASTNode]| {
        let [ASTNode::Stmt(statement)] = path else { return true };
        if of_top > 0 {
            of_top -= 1;
            return true;
        }
        let at = statement.position();
        // Closures lie within what they are written in, so the innermost is the one that begins last.
        let owner = bodies.iter_mut().filter(|body| !at.is_none() && body.holds(at)).max_by_key(|body| body.span.0);
        if let Some(owner) = owner {
            owner.statements.push((*statement).clone());
        }
        true
    });
    bodies
}
