//! What a configuration says, and which ones are refused.

use super::*;

#[test]
fn the_default_file_is_accepted_as_it_is_and_with_every_example_switched_on() {
    Config::parse(DEFAULT_FILE, "switchyard.toml").unwrap();
    let switched_on: String = DEFAULT_FILE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if !rest.starts_with('#') && (rest.contains(" = ") || rest.starts_with('[')) => {
                format!("{rest}\n")
            }
            _ if line.starts_with('#') => "\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = Config::parse(&switched_on, "switchyard.toml").unwrap();
    assert_eq!((config.orgs.len(), config.alcmeon.len(), config.http.tokens.len()), (1, 1, 1));
    assert!(config.mail.is_some() && config.orgs[0].salesforce.cases.is_some());
    config.check().unwrap();
}

#[test]
fn an_unknown_key_is_refused_by_name_and_place_without_repeating_what_stands_there() {
    let text = "[http]\nlisten = '127.0.0.1:1'\n[alcmeon.main]\ninstance_id = '1'\nsecret = 'hush'\nteem_field = 3\n";
    let error = Config::parse(text, "x.toml").unwrap_err().to_string();
    assert!(error.starts_with("x.toml:") && error.contains("teem_field") && !error.contains("hush"), "{error}");
}

/// A configuration in which every secret has this text.
fn with_secrets(of: &str) -> String {
    format!(
        "[secrets]\nkeys = ['{KEY}']\n[[http.tokens]]\nname = 'a'\nsecret = '{of}'\nscopes = []\n\
         [policies.registries.'reg.example']\nuser = 'u'\npassword = '{of}'\n\
         [mail]\nhost = 'mail.example'\nfrom = 'a@example.com'\nuser = 'u'\npassword = '{of}'\n\
         [alcmeon.main]\ninstance_id = '1'\nsecret = '{of}'\n[[orgs]]\nid = 'acme'\naccounts = []\n\
         [orgs.salesforce]\nclient_id = 'c'\nclient_secret = '{of}'\nrefresh_token = '{of}'\n"
    )
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const GOOD: &str = "0123456789abcdef";

#[test]
fn an_empty_secret_is_refused_whichever_it_is_and_however_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("blank"), "\n0123456789abcdef\n").unwrap();
    let file = folder.path().join("switchyard.toml");
    let whole = with_secrets(GOOD);
    std::fs::write(&file, &whole).unwrap();
    Config::load(&file).unwrap();
    let places: Vec<_> = whole.match_indices(GOOD).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 6);
    for at in places {
        for empty in ["", "                ", "file:blank"] {
            let text = format!("{}{empty}{}", &whole[..at], &whole[at + GOOD.len()..]);
            std::fs::write(&file, text).unwrap();
            let refused = Config::load(&file).expect_err(&format!("{empty:?} at {at}")).to_string();
            assert!(refused.contains("nothing in file:blank") || refused.contains("it is empty"), "{refused}");
        }
    }
}

#[test]
fn a_token_that_is_anothers_or_cannot_be_sent_is_refused() {
    let token = |name: &str, secret: &str| {
        format!("[[http.tokens]]\nname = '{name}'\nsecret = '{secret}'\nscopes = ['read']\n")
    };
    let refused = |text: String| Config::parse(&text, "x.toml").unwrap().check().unwrap_err().to_string();
    assert!(refused(token("a", GOOD) + &token("b", GOOD)).contains("the tokens `a` and `b` have the same secret"));
    assert!(refused(token("a", "short")).contains("16 characters"));
    assert!(refused(token("a", " 0123456789abcdef")).contains("visible"));
    assert!(refused(token("a", "0123456789abcdéf")).contains("visible"));
    assert!(refused(token("a\u{202e}b", GOOD)).contains("no name"));
    assert!(refused(token(" ", GOOD)).contains("no name"));
}

#[test]
fn an_account_leads_to_one_organization() {
    let org = |id: &str| {
        format!(
            "[[orgs]]\nid = '{id}'\naccounts = ['main/1']\n[orgs.salesforce]\nclient_id = 'c'\nrefresh_token = 't'\n"
        )
    };
    let config = Config::parse(&(org("a") + &org("b")), "x.toml").unwrap();
    assert!(config.check().unwrap_err().to_string().contains("main/1 leads to another"));
}

#[test]
fn sources_of_which_the_conversations_of_one_could_be_the_others_are_refused() {
    let config = |accounts: &str| {
        let org = format!("[[orgs]]\nid = 'a'\naccounts = [{accounts}]\n");
        Config::parse(&(org + "[orgs.salesforce]\nclient_id = 'c'\nrefresh_token = 't'\n"), "x.toml").unwrap()
    };
    let refused = config("'shop/*', 'shop:fr/*'").check().unwrap_err().to_string();
    assert!(refused.contains("the sources `shop` and `shop:fr`"), "{refused}");
    config("'shop:fr/*', 'shop:de/*', 'shops/*'").check().unwrap();
}
