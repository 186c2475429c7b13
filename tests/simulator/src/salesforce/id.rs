//! Salesforce record ids: 15 characters that tell object, org and number, and a checksum of three more.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// What an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Key prefix of the object, such as `003`.
    pub(crate) prefix: [u8; 3],
    /// Number of the org; ids of two orgs never meet.
    pub(crate) org: u32,
    /// Number of the record in its table, from 1; 0 is no record.
    pub(crate) number: u32,
}

/// The 18-character id.
pub(crate) fn format(prefix: &str, org: u32, number: u32) -> String {
    let mut id = format!("{prefix}{}{}", base62(org, 3), base62(number, 9));
    let checks: Vec<char> = id.as_bytes().chunks(5).map(check).collect();
    id.extend(checks);
    id
}

/// Reads an id of 15 characters, or of 18 with the right checksum.
pub(crate) fn parse(text: &str) -> Option<Parts> {
    let bytes = text.as_bytes();
    let (id, checks) = match bytes.len() {
        15 => (bytes, None),
        18 => (&bytes[..15], Some(&bytes[15..])),
        _ => return None,
    };
    if let Some(checks) = checks
        && !id.chunks(5).map(check).eq(checks.iter().map(|byte| char::from(*byte)))
    {
        return None;
    }
    let prefix = id.first_chunk::<3>()?;
    if !prefix.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    // A number beyond all tables is that of no record.
    let number = |digits| number(digits).map(|value| u32::try_from(value).unwrap_or(0));
    Some(Parts { prefix: *prefix, org: number(&id[3..6])?, number: number(&id[6..])? })
}

fn base62(mut number: u32, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[number as usize % 62];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// Nine digits at most, which 64 bits hold.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| {
        let value = DIGITS.iter().position(|known| known == digit)?;
        Some(sum * 62 + value as u64)
    })
}

fn check(five: &[u8]) -> char {
    let bits = five
        .iter()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_uppercase())
        .fold(0, |bits, (position, _)| bits | 1 << position);
    char::from(CHECKS[bits])
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn the_checksum_of_a_known_id_is_right() {
        let checks: String = "001A0000006Vm9r".as_bytes().chunks(5).map(super::check).collect();
        assert_eq!(checks, "IAC");
    }

    #[test]
    fn an_id_is_read_back_with_and_without_its_checksum() {
        let id = format("003", 7, 123_456);
        assert_eq!(id.len(), 18);
        let parts = parse(&id).expect("own id");
        assert_eq!((parts.org, parts.number), (7, 123_456));
        assert_eq!(parse(&id[..15]), Some(parts));
    }

    #[test]
    fn an_id_in_the_wrong_case_or_length_is_refused() {
        let id = format("a00", 40, 99_999_999);
        assert_eq!(parse(&id.to_ascii_lowercase()), None);
        assert_eq!(parse(&id[..17]), None);
        assert_eq!(parse("00Q-00000000000"), None);
    }
}
