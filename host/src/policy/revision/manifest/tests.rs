//! Whatever a policy's text is, it makes a policy or a problem in few words.

use proptest::prelude::*;

use super::*;
use crate::domain::{Origin, Timestamp};

fn read(toml: &str) -> Result<Manifest, Vec<PolicyProblem>> {
    let (scripts, at) = (Default::default(), Timestamp::default());
    let source = PolicySource { toml: toml.into(), scripts, origin: Origin::Embedded, at };
    Manifest::read(&PolicyName::new("shop").unwrap(), &source)
}

/// Settings as people write them, and as they do not.
fn setting() -> impl Strategy<Value = toml::Value> {
    let one = prop_oneof![
        any::<String>().prop_map(toml::Value::from),
        any::<i64>().prop_map(toml::Value::from),
        any::<f64>().prop_map(toml::Value::from),
        any::<bool>().prop_map(toml::Value::from),
        Just(toml::Value::Datetime("2026-01-15T09:30:12Z".parse().unwrap())),
    ];
    one.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(toml::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|table| toml::Value::Table(table.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_settings_a_policy_has_are_told_to_its_plugin_or_refused_in_words(
        settings in prop::collection::btree_map(any::<String>(), setting(), 0..5)
    ) {
        let settings: toml::Table = settings.into_iter().collect();
        let mut policy = toml::Table::new();
        policy.insert("plugin".into(), "script".into());
        policy.insert("settings".into(), settings.clone().into());
        match read(&toml::to_string(&policy).unwrap()) {
            Ok(manifest) => {
                let told: Value = serde_json::from_str(&manifest.general.unwrap().configuration).unwrap();
                prop_assert_eq!(told["settings"].as_object().unwrap().len(), settings.len());
            }
            Err(problems) => prop_assert!(problems[0].message.contains("is not a number"), "{problems:?}"),
        }
    }

    #[test]
    fn whatever_text_a_policy_is_makes_a_policy_or_a_problem_within_it(
        text in "([a-z]{1,9}|[\\[\\]{}=.,\"'#\\\\ \n]|plugin|script|settings|routing|\u{e9}|\u{0}|1e999|nan){0,40}"
    ) {
        prop_assert!(scripts_named(&text).iter().all(|file| is_script_file(file)));
        if let Err(problems) = read(&text) {
            let lines = text.lines().count().max(1) + 1;
            prop_assert!(problems.iter().all(|problem| problem.line.is_none_or(|line| line as usize <= lines)));
        }
    }
}

#[test]
fn a_problem_is_told_in_few_words_however_long_what_is_wrong_may_be() {
    let long = "\u{e9}".repeat(10_000);
    for toml in [
        format!("plugin = 'script'\n'{long}' = 1\n"),
        format!("plugin = 'script'\nscript = '{long}'\n"),
        format!("plugin = 'script'\n[settings]\n'{long}' = nan\n"),
        format!("plugin = ['{long}']\n"),
        format!("plugin = 'script'\nsettings = '{long}'\n"),
    ] {
        let problems = read(&toml).unwrap_err();
        assert!(problems.iter().all(|problem| problem.message.chars().count() <= 1_000), "{}", &toml[..40]);
    }
}

#[test]
fn how_much_a_policy_may_ignore_is_set_by_name_and_has_defaults() {
    assert_eq!(read("plugin = 'script'").unwrap().ignore, BrakeSettings::default());
    let read_one = read("plugin = 'script'\n[ignore]\nmost_per_hour = 7\n").unwrap().ignore;
    assert_eq!(read_one, BrakeSettings { most_per_hour: 7, ..BrakeSettings::default() });
    let problems = read("plugin = 'script'\n[ignore]\nmost = 7\n").unwrap_err();
    assert!(problems[0].message.contains("most_per_hour") && problems[0].line == Some(3), "{problems:?}");
    assert!(read("plugin = 'script'\n[ignore]\nmost_per_hour = -1\n").is_err());
}

#[test]
fn the_scripts_that_a_policy_names_are_plain_files_of_its_own_tables() {
    let named = |toml: &str| scripts_named(toml).into_iter().collect::<Vec<_>>();
    let toml = "plugin = 'script'\nscript = 'ba.rhai'\n[errors]\nplugin = 'script'\nscript = 'errors.rhai'\n\
                [contacts]\nscript = '../outside.rhai'\n[settings]\nscript = 'setting.rhai'\n";
    assert_eq!(named(toml), ["ba.rhai", "errors.rhai"]);
    assert_eq!(named("script = "), [] as [&str; 0]);
    for other in ["", ".rhai", "a", "a.toml", "/etc/a.rhai", "a/b.rhai", "..\\a.rhai", "a b.rhai", "a.RHAI"] {
        assert!(!is_script_file(other), "{other}");
    }
}
