//! The fields of a contact that a policy names: who is asked for them, and how a name that is none is refused.

use super::{host, name, source};

const SCRIPT: &str = "fn search(it) { [] }\nfn choose(it, found) { none() }\nfn route(it) { track_only() }";

async fn fields(policy: &str, toml: &str) -> Result<Vec<String>, String> {
    let file = format!("{policy}.rhai");
    let toml = toml.replace("SCRIPT", &format!("plugin = \"script\"\nscript = \"{file}\""));
    match host().await.apply(name(policy), source(&toml, &[(&file, SCRIPT)])).await {
        Ok(_) => Ok(host().await.contact_fields(&name(policy)).iter().map(ToString::to_string).collect()),
        Err(rejection) => Err(rejection.to_string()),
    }
}

#[tokio::test]
async fn a_policy_names_the_fields_that_its_choice_is_told() {
    for (policy, toml, expected) in [
        ("fields-none", "SCRIPT\n", &[][..]),
        ("fields-own", "SCRIPT\n[contacts]\nfields = [\"Title\", \"Account.Name\"]\n", &["Title", "Account.Name"]),
        ("fields-part", "[contacts]\nSCRIPT\nfields = [\"Tier__c\"]\n", &["Tier__c"]),
        ("fields-empty", "[contacts]\nSCRIPT\nfields = []\n", &[]),
    ] {
        assert_eq!(fields(policy, toml).await.unwrap(), expected, "{policy}");
    }
}

#[tokio::test]
async fn a_field_that_is_none_is_refused_with_its_place() {
    let many = (0..21).map(|n| format!("\"F{n}\"")).collect::<Vec<_>>().join(", ");
    for (toml, words) in [
        ("SCRIPT\n[contacts]\nfields = [\"Title\", \"Id FROM User\"]\n", "4:20: `Id FROM User` is no field"),
        ("SCRIPT\n[contacts]\nfields = [\"Title\", \"title\"]\n", "4:20: the field `title` is named twice"),
        (&format!("SCRIPT\n[contacts]\nfields = [{many}]\n"), "21 fields of a contact; 20 are allowed"),
        ("[routing]\nSCRIPT\n[contacts]\nfields = [\"Title\"]\n", "need a `plugin`, there or at the top"),
        ("SCRIPT\n[contacts]\nsettings = { a = 1 }\nfields = [\"Title\"]\n", "names no `plugin`"),
        ("SCRIPT\n[contacts]\n", "names no `plugin`"),
        (
            "plugin = \"keyword-router\"\n[settings]\ndefault = \"General\"\n[contacts]\nfields = [\"Title\"]\n",
            "does not answer search and choose",
        ),
    ] {
        let refused = fields("fields-wrong", toml).await.unwrap_err();
        assert!(refused.contains(words), "{toml}\n{refused}");
    }
}
