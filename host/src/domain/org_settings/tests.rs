//! That a field is what was given last, else what the configuration says, and what a change tells.

use proptest::prelude::*;

use super::*;

fn file(number: usize) -> OrgSettings {
    OrgSettings {
        alert_recipients: vec![format!("{number}@example.com")],
        policy: PolicyName::new(format!("p{number}")).unwrap(),
        mode: Mode::ByTeam(vec![format!("team{number}")]),
        concurrency: number,
        slow_at: 1.0 / (number + 1) as f64,
    }
}

fn patch(field: usize, value: Option<usize>) -> SettingsPatch {
    let given = value.map(file);
    let mut patch = SettingsPatch::default();
    match field {
        0 => patch.alert_recipients = Some(given.map(|it| it.alert_recipients)),
        1 => patch.policy = Some(given.map(|it| it.policy)),
        2 => patch.mode = Some(given.map(|it| it.mode)),
        3 => patch.concurrency = Some(given.map(|it| it.concurrency)),
        _ => patch.slow_at = Some(given.map(|it| it.slow_at)),
    }
    patch
}

/// What happens to settings.
#[derive(Debug, Clone)]
enum Step {
    Change(usize, Option<usize>),
    FileEdit(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5_usize, prop::option::of(1..6_usize)).prop_map(|(field, value)| Step::Change(field, value)),
        (1..6_usize).prop_map(Step::FileEdit),
        Just(Step::Restart),
    ]
}

fn fields(of: &OrgSettings) -> [String; 5] {
    let OrgSettings { alert_recipients, policy, mode, concurrency, slow_at } = of;
    let (mode, share) = (format!("{mode:?}"), slow_at.to_string());
    [alert_recipients.join(" "), policy.to_string(), mode, concurrency.to_string(), share]
}

proptest! {
    #[test]
    fn whatever_happens_a_field_is_what_was_given_last_and_else_what_the_file_says_now(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let (mut given, mut of_file, mut changes) = ([None; 5], 1, SettingChanges::default());
        for step in steps {
            match step {
                Step::Change(field, value) => {
                    let before = fields(&changes.over(&file(of_file)))[field].clone();
                    let was_given = given[field];
                    let words = changes.apply(patch(field, value), &file(of_file), Changing { by: "ann", at: Timestamp::default() });
                    given[field] = value;
                    prop_assert_eq!(words.is_empty(), was_given == value, "it is told exactly when something changes");
                    if field == 3 && let (Some(changed), true) = (&changes.concurrency, was_given != value) {
                        prop_assert_eq!(changed.before.to_string(), before);
                    }
                }
                Step::FileEdit(number) => of_file = number,
                Step::Restart => {
                    changes = serde_json::from_str(&serde_json::to_string(&changes).unwrap()).unwrap();
                }
            }
            let now = fields(&changes.over(&file(of_file)));
            for (field, given) in given.iter().enumerate() {
                prop_assert_eq!(&now[field], &fields(&file(given.unwrap_or(of_file)))[field]);
            }
        }
    }
}

#[test]
fn a_change_says_what_it_was_before_and_a_mute_ends_by_time_or_by_word() {
    let (at, mut changes) = (Timestamp::from_millis(1_000), SettingChanges::default());
    let now = Changing { by: "ann", at };
    assert_eq!(changes.apply(patch(3, Some(8)), &file(4), now), ["concurrency: 8 (before: 4)"]);
    assert_eq!(changes.apply(patch(3, None), &file(4), now), ["concurrency: 4 as in the configuration (before: 8)"]);
    let until = Timestamp::from_millis(2_000);
    let mute = SettingsPatch { muted_until: Some(Some(until)), ..SettingsPatch::default() };
    assert_eq!(changes.apply(mute, &file(4), now).len(), 1);
    let stand = SettingsInForce::new(file(4), changes.clone());
    assert_eq!(stand.muted(at).map(|mute| mute.by.as_str()), Some("ann"));
    assert_eq!(stand.muted(until), None);
    let end = || SettingsPatch { muted_until: Some(None), ..SettingsPatch::default() };
    assert_eq!(changes.apply(end(), &file(4), now), ["mails are sent again"]);
    assert!(changes.apply(end(), &file(4), now).is_empty());
}
