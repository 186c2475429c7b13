//! Every path that a Rust text names: of its `use` lines, whole lists unfolded, and of the code between them.

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Modules of the text itself that it stands in, outermost first.
    pub(super) inside: Vec<String>,
    /// `crate`, `super`, `self` or a name, and what follows; `*` at the end of a glob.
    pub(super) segments: Vec<String>,
    /// The name that a `use` line gives it; `None` for a path in the code.
    pub(super) alias: Option<String>,
    /// Whether that `use` line passes the name on to other modules.
    pub(super) public: bool,
    /// Whether it is compiled for tests only.
    pub(super) test: bool,
}

/// The paths of a text, in order.
pub(super) fn paths(text: &str) -> Vec<Named> {
    let tokens = tokens(text);
    let (mut named, mut at, mut test_until) = (Vec::new(), 0, 0);
    // For each open brace the module that it begins, if it begins one.
    let mut braces: Vec<Option<String>> = Vec::new();
    while let Some(&token) = tokens.get(at) {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at]);
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        let inside = || braces.iter().flatten().cloned().collect::<Vec<String>>();
        if tokens[at..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]"]) {
            test_until = test_until.max(end_of_item(&tokens, at + 7));
        }
        let test = at < test_until;
        match token {
            "{" => {
                // In a macro a module may be called `$name`.
                let module = before(2) == "mod" || (before(2) == "$" && before(3) == "mod");
                braces.push(module.then(|| before(1).to_owned()));
            }
            "}" => drop(braces.pop()),
            // `impl Trait + use<'a>` imports nothing.
            "use" if next != "<" => {
                let public = before(1) == "pub" || before(1) == ")";
                let mut found = Vec::new();
                at = unfold(&tokens, at + 1, &[], &mut found);
                for (segments, alias) in found {
                    named.push(Named { inside: inside(), segments, alias: Some(alias), public, test });
                }
                continue;
            }
            // `pub(in super::super)` imports nothing.
            _ if is_word(token) && next == "::" && !matches!(before(1), "::" | "." | "$" | "in") => {
                let mut segments = vec![token.to_owned()];
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| is_word(next)) {
                    segments.push(tokens[at + 2].to_owned());
                    at += 2;
                }
                named.push(Named { inside: inside(), segments, alias: None, public: false, test });
            }
            _ => {}
        }
        at += 1;
    }
    named
}

/// Unfolds the tree of a `use` line, each path with its name; answers where it ends.
fn unfold(tokens: &[&str], mut at: usize, prefix: &[String], into: &mut Vec<(Vec<String>, String)>) -> usize {
    let mut segments = prefix.to_vec();
    while let Some(&token) = tokens.get(at) {
        at += 1;
        match token {
            "::" => {}
            "{" => {
                while tokens.get(at).is_some_and(|&token| !matches!(token, "}" | ";")) {
                    at = unfold(tokens, at, &segments, into);
                    at += usize::from(tokens.get(at) == Some(&","));
                }
                return at + 1;
            }
            "," | "}" | ";" => {
                at -= 1;
                break;
            }
            "as" => {
                into.push((segments, tokens.get(at).copied().unwrap_or_default().to_owned()));
                return at + 1;
            }
            // `a::{self}` is `a`.
            "self" if !segments.is_empty() => {}
            word => segments.push(word.to_owned()),
        }
    }
    if let Some(last) = segments.last().cloned() {
        into.push((segments, last));
    }
    at
}

/// Where the item ends that begins here: at its semicolon, or behind its block.
fn end_of_item(tokens: &[&str], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match *token {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *token == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::`, and every other sign by itself; comments, literals and lifetimes are left out.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_word(rest) || first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(&rest[..length]);
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                tokens.push(&rest[..length]);
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the literal or lifetime that a text begins with.
fn literal(text: &str) -> Option<usize> {
    let raw = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - raw.len();
    if prefix <= 1
        && let Some(hashes) = raw.strip_prefix('r')
    {
        let body = hashes.trim_start_matches('#');
        let fence = format!("\"{}", &hashes[..hashes.len() - body.len()]);
        if let Some(body) = body.strip_prefix('"') {
            let start = text.len() - body.len();
            return Some(body.find(&fence).map_or(text.len(), |end| start + end + fence.len()));
        }
    }
    let quote = raw.chars().next().filter(|quote| prefix <= 1 && matches!(quote, '"' | '\''))?;
    let mut signs = raw.char_indices().skip(1);
    if quote == '\'' && prefix == 0 {
        let mut ahead = signs.clone();
        let (first, second) = (ahead.next()?.1, ahead.next().map(|(_, sign)| sign));
        if first != '\\' && second != Some('\'') {
            // A lifetime.
            return Some(1 + raw[1..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(raw.len() - 1));
        }
    }
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            _ if sign == quote => return Some(prefix + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        paths(text).into_iter().map(|named| named.segments.join("::")).collect()
    }

    #[test]
    fn a_list_in_a_list_is_seen_whole() {
        let text = "use crate::{a::{B, c::{self, D as E}}, f};\nuse super::super::g;";
        assert_eq!(
            texts(text),
            ["crate::a::B", "crate::a::c", "crate::a::c::D", "crate::f", "super::super::g"],
            "what follows an inner list too"
        );
        assert_eq!(paths(text)[2].alias.as_deref(), Some("E"));
    }

    #[test]
    fn paths_in_the_code_are_seen_and_words_in_comments_and_literals_are_not() {
        let captured = "fn f<'a>() -> impl Iterator + use<'a> { crate::yes::go(); 1; 2 }";
        assert_eq!(texts(captured), ["crate::yes::go"]);
        let text = "// crate::no\n/* crate::no */ fn f<'a>(x: &'a str) -> char { let _ = crate::yes::go(\"crate::no\");\n\
            let _ = r#\"\"crate::no\"#; b'\\''; '\"'; super::too::Kind }";
        assert_eq!(texts(text), ["crate::yes::go", "super::too::Kind"]);
    }

    #[test]
    fn modules_of_the_text_and_what_is_for_tests_are_told_apart() {
        let text = "pub use a::B;\nmod inner { use super::c; }\n#[cfg(test)]\nmod tests { use super::*; }\nuse d::e;";
        let named = paths(text);
        let found: Vec<_> = named.iter().map(|it| (it.segments.join("::"), it.inside.join("::"), it.test)).collect();
        let expected =
            [("a::B", "", false), ("super::c", "inner", false), ("super::*", "tests", true), ("d::e", "", false)];
        assert_eq!(found, expected.map(|(path, inside, test)| (path.to_owned(), inside.to_owned(), test)));
        assert!(named[0].public && !named[1].public);
    }
}
