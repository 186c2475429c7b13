//! Patterns with wildcards, whichever signs stand for them.

/// Whether a text matches a pattern, of which some parts stand for any `run` and the others for the `one` character that
/// they fit. Linear in memory, no recursion.
pub(crate) fn matches<P>(
    text: &[char],
    pattern: &[P],
    run: impl Fn(&P) -> bool,
    one: impl Fn(&P, char) -> bool,
) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(next) {
            Some(part) if run(part) => {
                retry = Some((next + 1, at));
                next += 1;
            }
            Some(part) if one(part, text[at]) => {
                at += 1;
                next += 1;
            }
            _ => match &mut retry {
                None => return false,
                Some((after, from)) => {
                    *from += 1;
                    (next, at) = (*after, *from);
                }
            },
        }
    }
    pattern[next..].iter().all(run)
}
