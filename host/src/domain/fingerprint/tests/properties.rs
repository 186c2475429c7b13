//! What holds for every text.

use proptest::prelude::*;

use crate::domain::fingerprint::masking::{Names, mask};
use crate::domain::{Cause, Class, OrgId, Refusal};

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

/// Pieces that matter to the masking, and letters between them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-zA-Zäß ]{1,6}",
        2 => "[0-9]{1,3}",
        4 => prop::sample::select(vec![
            "\"", "'", "「", "」", "„", "“", "”", "«", "»", "‘", "’", "`", "\\", "…", ".", ":", ",", "(", ")", "=", "@", "://", "team ", "queue: ",
            "field ", "May ", "Tue ", "data value too large: ", " (max length=", "store-1", "Jane Doe", "__c", "客户", "-", "/", "\n", "\u{200b}", "www.",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn names() -> Names<'static> {
    Names { kept: vec!["store-1", "Acme page"], taken: vec!["Jane Doe", "main:1"] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_twice_is_masking_once(text in texts()) {
        let once = mask(&text, &names());
        prop_assert_eq!(mask(&once, &names()), once);
    }

    #[test]
    fn no_number_address_or_name_is_left(text in texts()) {
        // Quoted names after a noun may have what they like, so there is none here.
        let text = text.replace("team ", "").replace("queue: ", "").replace("field ", "").replace("__c", "").replace("store-1", "");
        let masked = mask(&text, &Names { kept: Vec::new(), ..names() });
        prop_assert!(!masked.contains(|c: char| c.is_numeric() || c == '@' || c == '"'), "{}", masked);
        let alone = |text: Option<&str>| text.is_none_or(|text| !text.contains(char::is_alphanumeric));
        let named = masked.match_indices("Jane Doe").any(|(at, name)| {
            alone(masked.get(..at).map(|before| &before[before.char_indices().next_back().map_or(0, |(at, _)| at)..]))
                && alone(masked.get(at + name.len()..).and_then(|after| after.get(..after.chars().next().map_or(0, char::len_utf8))))
        });
        prop_assert!(!named, "{}", masked);
    }

    #[test]
    fn the_order_of_fields_and_a_field_named_twice_make_no_difference(mut fields in prop::collection::vec("[A-Z][a-z]{1,5}(__c)?", 0..6)) {
        let id = |fields: &[String]| {
            let refusal = Refusal { fields: fields.to_vec(), ..Refusal::new(Class::Record, "A", "words") };
            Cause::new(&org(), &refusal).identify().id
        };
        let before = id(&fields);
        fields.reverse();
        fields.extend(fields.first().cloned());
        prop_assert_eq!(before, id(&fields));
    }

    #[test]
    fn another_id_number_address_or_date_gives_the_same_fingerprint(
        words in prop::collection::vec("[a-z]{2,8}", 6),
        a in ("[a-zA-Z0-9]{14}[0-9]([A-Z]{3})?", "[0-9]{1,9}([.,][0-9]{2})?", "[a-z.]{1,9}@[a-z]{2,8}\\.(com|de)", "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00Z", "[a-zA-Z ]{0,9}"),
        b in ("[a-zA-Z0-9]{14}[0-9]([A-Z]{3})?", "[0-9]{1,9}([.,][0-9]{2})?", "[a-z.]{1,9}@[a-z]{2,8}\\.(com|de)", "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00Z", "[a-zA-Z ]{0,9}"),
    ) {
        let text = |(id, number, address, date, quoted): &(String, String, String, String, String)| {
            let [one, two, three, four, five, six]: [&str; 6] = std::array::from_fn(|at| words[at].as_str());
            format!("{one} {id}, {two}: {number} ({three} {address}) {four} {date}; {five} “{quoted}” {six}")
        };
        let id = |text: String| Cause::new(&org(), &Refusal::new(Class::Record, "A", text)).identify().id;
        prop_assert_eq!(id(text(&a)), id(text(&b)));
    }
}
