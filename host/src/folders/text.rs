//! A text of a policy as it is read from a file: UTF-8, or why it is none, with the place.

use std::path::Path;

use super::regular::{Unread, read_regular};
use crate::policy::PolicyProblem;

/// Reads a text: for a blocking thread. `None` where there is no such file.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn read_text(folder: &Path, file: &str, most_bytes: usize) -> Result<Option<String>, PolicyProblem> {
    let bytes = match read_regular(&folder.join(file), most_bytes) {
        Ok(bytes) => bytes,
        Err(Unread::Missing) => return Ok(None),
        Err(why) => return Err(PolicyProblem::of(file, why.to_string())),
    };
    decoded(file, bytes).map(Some)
}

fn decoded(file: &str, bytes: Vec<u8>) -> Result<String, PolicyProblem> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(PolicyProblem::at(file, "", 0, "it is UTF-16; save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let (before, rest) = error.as_bytes().split_at(place);
        let byte = rest.first().copied().unwrap_or_default();
        let message = format!("it is not UTF-8: byte 0x{byte:02x}; save it as UTF-8");
        PolicyProblem::at(file, &String::from_utf8_lossy(before), place, message)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_is_no_utf_8_is_told_with_its_line_and_column() {
        let wrong = |bytes: &[u8]| decoded("a.toml", bytes.to_vec()).unwrap_err();
        let problem = wrong(b"# one\n# \xc3\xa9t\xe9\n");
        assert_eq!((problem.line, problem.column), (Some(2), Some(5)), "{problem}");
        assert!(problem.message.contains("0xe9"), "{problem}");
        assert!(wrong(b"\xff\xfea\0").message.contains("UTF-16") && wrong(b"\xfe\xff\0a").message.contains("UTF-16"));
    }

    proptest! {
        #[test]
        fn whatever_bytes_a_file_has_are_a_text_or_a_problem_within_it(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            match decoded("a", bytes.clone()) {
                Ok(text) => prop_assert_eq!(text.into_bytes(), bytes),
                Err(problem) => prop_assert!(problem.line.is_some_and(|line| line as usize <= bytes.len())),
            }
        }
    }
}
