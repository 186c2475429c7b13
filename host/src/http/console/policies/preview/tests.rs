//! How the pages of a preview add up.

use super::*;

fn cause(digit: &str, looked_at: u64, would_pass: u64) -> PreviewedCause {
    PreviewedCause {
        id: Fingerprint::unnamed().as_str().replace('a', digit).parse().unwrap(),
        org: OrgId::new("acme").unwrap(),
        title: digit.to_owned(),
        looked_at,
        would_pass,
        would_fail_again: looked_at - would_pass,
        changed: would_pass,
    }
}

#[test]
fn pages_are_added_up_and_the_cause_that_is_to_be_mended_is_never_dropped() {
    let mut counts = Counts::default();
    let wanted = cause("b", 1, 0).id;
    let mut page = engine::Preview { open: 9, groups: vec![cause("b", 3, 1), cause("c", 2, 2)], ..Default::default() };
    page.errors.looked_at = 5;
    (page.good.looked_at, page.good.different) = (4, 1);
    counts.add(&page, Some(&wanted));
    let next = engine::Preview { open: 9, groups: vec![cause("c", 4, 4), cause("b", 1, 0)], ..Default::default() };
    counts.add(&next, Some(&wanted));
    assert_eq!((counts.would_pass, counts.would_fail_again, counts.good, counts.good_changed), (7, 3, 4, 1));
    assert_eq!(counts.causes.iter().map(|it| (&*it.title, it.looked_at)).collect::<Vec<_>>(), [("b", 4), ("c", 6)]);
    assert_eq!(counts.of(&OrgId::new("acme").unwrap(), &wanted), (4, 1));
    let text = serde_json::to_string(&counts).unwrap();
    assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts);
}
