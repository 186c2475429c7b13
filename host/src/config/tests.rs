//! What a configuration says, and which ones are refused.

use proptest::prelude::*;

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

#[test]
fn a_secret_that_stands_where_something_else_is_expected_is_not_repeated() {
    for (text, hidden) in [
        (format!("[secrets]\nkeys = '{KEY}'\n"), KEY),
        ("[mail]\nhost = 'h'\nfrom = 'a@example.com'\npassword = 12345678\n".to_owned(), "12345678"),
        ("[[http.tokens]]\nname = 'a'\nsecret = 1234.5678\nscopes = []\n".to_owned(), "1234.5678"),
        ("[[http.tokens]]\nname = 'a'\nsecret = 'x'\nscopes = 'hush \", expected hush'\n".to_owned(), "hush"),
    ] {
        let error = Config::parse(&text, "x.toml").unwrap_err().to_string();
        assert!(error.contains("invalid type") && error.contains("expected"), "{error}");
        assert!(!error.contains(hidden), "{error}");
    }
}

#[test]
fn a_secret_in_the_place_of_an_address_is_not_repeated() {
    // An environment that is written as a list has its address first.
    let error = Config::parse("[alcmeon]\nsecret = ['hush-hush']\n", "x.toml").unwrap_err().to_string();
    assert!(error.contains("must be https://HOST") && !error.contains("hush"), "{error}");
}

#[test]
fn a_reason_is_short_however_long_what_is_wrong_may_be() {
    let long = "x".repeat(10_000);
    let org =
        |account: &str| format!("[[orgs]]\nid = 'a'\naccounts = ['{account}']\n[orgs.salesforce]\nclient_id = 'c'\n");
    let parsed = Config::parse(&format!("[http]\n{long} = 1\n"), "x.toml").unwrap_err().to_string();
    let checked = Config::parse(&org(&long), "x.toml").unwrap().check().unwrap_err().to_string();
    assert!(parsed.len() < 1_000 && checked.len() < 1_000, "{} and {}", parsed.len(), checked.len());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_repeat_a_secret(
        text in "(\\[(http|mail|secrets|policies\\.limits|alcmeon\\.main|orgs\\.salesforce)\\]\n|\\[\\[(orgs|http\\.tokens)\\]\n\
                 |(secret|password|keys|listen|id|accounts|scopes|port|client_id|flow|policy|deadline_ms) = \
                 (\"[a-z0-9 /*]{0,20}\"|[0-9]{1,12}|true|\\[\"[a-z/*]{0,12}\"\\]|1979-05-27|\\{\\})\n|[\\[\\]{}=.,\"'#\n\u{e9}]){0,12}"
    ) {
        fuzz_tests::config(text.as_bytes());
    }

    #[test]
    fn a_secret_is_not_repeated_however_wrongly_it_is_written(key in 0..200_usize, secret in "[a-z]{8}\"?[0-9]{8}") {
        let mut lines: Vec<String> = with_secrets(GOOD).lines().map(str::to_owned).collect();
        let keys: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(GOOD) || lines[*at].contains(KEY)).collect();
        let at = keys[key % keys.len()];
        let name = lines[at].split(" = ").next().unwrap().to_owned();
        lines[at] = format!("{name} = ['{secret}', {{ x = '{secret}' }}]");
        let first = Config::parse(&lines.join("\n"), "x.toml").map(|_| ()).map_err(|error| error.to_string());
        lines[at] = format!("{name} = {{ x = '{secret}' }}");
        let second = Config::parse(&lines.join("\n"), "x.toml").map(|_| ()).map_err(|error| error.to_string());
        for error in [first, second].into_iter().filter_map(Result::err) {
            prop_assert!(!error.contains(&secret), "{error}");
        }
    }
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

#[test]
fn a_collector_that_could_not_be_reached_is_refused_by_its_key_and_a_header_is_a_secret() {
    let config = |more: &str| Config::parse(&format!("[traces]\nendpoint = 'http://here:4318'\n{more}"), "x.toml");
    let error = Config::parse("[traces]\nendpoint = 'here hush'\n", "x.toml").unwrap_err().to_string();
    assert!(error.contains("x.toml:2:12") && error.contains("http://HOST:PORT") && !error.contains("hush"), "{error}");
    let checked = config("ratio = 2.0\n").unwrap().check().unwrap_err().to_string();
    assert!(checked.starts_with("traces.ratio: "), "{checked}");
    let empty = config("headers = { authorization = '' }\n").unwrap().check().unwrap_err().to_string();
    assert!(empty.starts_with("traces.headers.`authorization`: "), "{empty}");
    let mut found = config("headers = { authorization = 'env:SWITCHYARD_NO_SUCH_VARIABLE' }\n").unwrap();
    let missing = found.resolve(Path::new("")).unwrap_err().to_string();
    assert!(missing.contains("SWITCHYARD_NO_SUCH_VARIABLE is not set"), "{missing}");
}
