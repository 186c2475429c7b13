//! Which version of something a change is of: two people who change the same thing at once do not overwrite each other.

/// The tags of one of which a change is (RFC 9110, 13.1.1: `If-Match`); without any it is of whatever there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<String>>);

/// A header that names no tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("If-Match: neither `*` nor tags in quotes, as an answer gives one in its ETag")]
pub struct NoTags;

/// What has changed since the version that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is another version by now: read it again, and see whether your change still makes sense")]
pub struct Stale;

/// Stands for whatever there is, if there is anything.
const ANY: &str = "*";

impl Expected {
    /// Reads the values of `If-Match`.
    ///
    /// # Errors
    /// When one is neither `*` nor a list of tags. A weak tag is none that a change could be of.
    pub fn read<'a>(values: impl Iterator<Item = &'a str>) -> Result<Self, NoTags> {
        let mut tags = None;
        for value in values {
            let known: &mut Vec<String> = tags.get_or_insert_default();
            for tag in value.split(',').map(str::trim) {
                let plain = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                let weak = tag.strip_prefix("W/\"").is_some_and(|tag| tag.ends_with('"'));
                match plain {
                    Some(tag) if !tag.contains('"') => known.push(tag.to_owned()),
                    _ if tag == ANY => known.push(ANY.to_owned()),
                    _ if weak => {}
                    _ => return Err(NoTags),
                }
            }
        }
        Ok(Self(tags))
    }

    /// Whether the version that there is, if there is one, is expected.
    ///
    /// # Errors
    /// When it is another one.
    pub fn check(&self, tag: Option<&str>) -> Result<(), Stale> {
        let fits = |expected: &String| tag.is_some_and(|tag| expected == ANY || expected == tag);
        if self.0.as_ref().is_none_or(|all| all.iter().any(fits)) { Ok(()) } else { Err(Stale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_of_one_of_the_tags_that_it_names() {
        let of = |values: &[&str]| Expected::read(values.iter().copied()).unwrap();
        assert_eq!(of(&[]).check(None), Ok(()));
        assert_eq!(of(&[]).check(Some("a")), Ok(()));
        assert_eq!(of(&["\"a\""]).check(Some("a")), Ok(()));
        assert_eq!(of(&["\"b\", \"a\""]).check(Some("a")), Ok(()));
        assert_eq!(of(&["\"b\"", "\"a\""]).check(Some("a")), Ok(()));
        assert_eq!(of(&["\"b\""]).check(Some("a")), Err(Stale));
        assert_eq!(of(&["\"a\""]).check(None), Err(Stale));
        assert_eq!(of(&["W/\"a\""]).check(Some("a")), Err(Stale), "a weak tag is of no version for sure");
        assert_eq!(of(&["*"]).check(Some("a")), Ok(()));
        assert_eq!(of(&["*"]).check(None), Err(Stale));
        for bad in ["a", "", "\"a", "\"a\"b\"", "W/a", "\"a\",", "'a'"] {
            assert_eq!(Expected::read([bad].into_iter()), Err(NoTags), "{bad}");
        }
    }
}
