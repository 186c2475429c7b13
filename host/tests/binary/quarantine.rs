//! A store is recounted, and what was set aside is looked after, from the command line.

use std::path::Path;

use switchyard::store::{Batch, SledStore, Store};

use crate::switchyard::{Host, printed, switchyard};

const TOKEN: &str = "a-long-enough-secret";
const LANE: &str = "lane/acme";
const STRAY: &str = "parked/acme/1790000000000/shop:9";

/// Writes records into a store in a folder.
fn write(folder: &Path, records: &[(&str, &str)]) {
    let mut batch = Batch::default();
    batch.put("meta/format", "{\"format\":2}");
    records.iter().for_each(|(key, value)| batch.put(*key, *value));
    let store = SledStore::open(folder).expect("a store");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(store.commit(batch)).expect("a commit");
}

/// One that can be put back, and one of which nothing was kept.
fn set_aside(folder: &Path) {
    let group = "{\"2\":{\"of\":\"a later release\"}}";
    let page = "{\"2\":{\"entries\":[]}}";
    let entry = |id: &str, key: &str, bytes: usize| {
        format!(
            "{{\"2\":{{\"id\":\"{id}\",\"org\":\"acme\",\"key\":\"{key}\",\"reason\":\"by plan\",\
             \"at\":\"2026-09-21T10:00:00Z\",\"bytes\":{bytes}}}}}"
        )
    };
    let records = [
        (LANE, "{\"2\":{}}".to_owned()),
        ("quarantine/acme/qu-1", entry("qu-1", "audit/acme/shop:1/000000", page.len())),
        ("quarantine-value/acme/qu-1", page.to_owned()),
        ("quarantine/acme/qu-2", entry("qu-2", "conversation/acme/shop:2 (not written)", 0)),
        ("quarantine-value/acme/qu-2", String::new()),
        ("quarantine/acme/qu-3", entry("qu-3", "group/acme/fp-1", group.len())),
        ("quarantine-value/acme/qu-3", group.to_owned()),
    ];
    let records: Vec<_> = records.iter().map(|(key, value)| (*key, value.as_str())).collect();
    write(folder, &records);
}

/// The exit code, and what was said on both outputs.
fn store(arguments: &[&str], place: &[&str]) -> (Option<i32>, String, String) {
    let output = switchyard(["store"]).args(arguments).args(place).output().expect("it runs");
    let (said, errors) = printed(&output);
    (output.status.code(), said, errors)
}

/// Lists, shows, puts back and forgets, wherever the store is.
fn look_after(place: &[&str]) {
    let quarantine = |arguments: &[&str]| store(&[&["quarantine"], arguments].concat(), place);
    let (code, said, errors) = quarantine(&["list"]);
    assert_eq!((code, said.lines().count(), errors.trim()), (Some(0), 3, "3 in the quarantine"), "{said}{errors}");
    assert!(said.contains("qu-1") && said.contains("audit/acme/shop:1/000000: by plan"), "{said}");
    let (_, said, errors) = quarantine(&["show", "qu-3"]);
    assert!(said.contains("a later release") && said.contains("group/acme/fp-1"), "{said}{errors}");
    let (code, said, errors) = quarantine(&["retry", "qu-1", "qu-2", "qu-3", "qu-none"]);
    assert_eq!((code, said.trim()), (Some(1), "qu-1 is put back"), "{errors}");
    for words in
        ["qu-2: ", "nothing to put back", "qu-3: ", "cannot be understood", "has no qu-none", "3 of 4 were refused"]
    {
        assert!(errors.contains(words), "{words} is not in {errors}");
    }
    let (code, said, errors) = quarantine(&["drop", "qu-2", "qu-3"]);
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{errors}");
    assert_eq!(quarantine(&["list", "--json"]).1, "");
}

#[test]
fn what_was_set_aside_is_looked_after_in_a_store_that_no_host_uses() {
    let folder = tempfile::tempdir().expect("a folder");
    set_aside(folder.path());
    let place = ["--path", folder.path().to_str().expect("a path")];
    look_after(&place);
    let (_, exported, _) = store(&["export"], &place);
    assert!(exported.contains("audit/acme/shop:1/000000") && !exported.contains("quarantine"), "{exported}");
}

#[test]
fn a_recount_says_what_differs_by_its_exit_code_and_makes_no_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = ["--path", folder.path().to_str().expect("a path")];
    write(folder.path(), &[(LANE, "{\"2\":{}}")]);
    let (code, said, errors) = store(&["verify"], &place);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{errors}");
    assert!(errors.contains("0 conversations, 0 sync errors, 0 differences"), "{errors}");
    write(folder.path(), &[(STRAY, "")]);
    let (code, said, errors) = store(&["verify"], &place);
    assert_eq!(code, Some(1), "{errors}");
    assert!(said.contains(STRAY), "{said}");

    let nowhere = folder.path().join("nowhere");
    let (code, _, errors) = store(&["verify"], &["--path", nowhere.to_str().expect("a path")]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("there is no store at") && !nowhere.exists(), "{errors}");
}

#[test]
fn the_same_is_done_on_a_host_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("switchyard.toml");
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors']\n\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'none'\n"
    );
    std::fs::write(&config, text).expect("a file");
    let data = folder.path().join("data");
    set_aside(&data);
    let host = Host::serve(&config);
    let url = format!("http://{}", host.address);
    let place = ["--url", url.as_str(), "--token", TOKEN];
    look_after(&place);
    let (code, said, errors) = store(&["verify"], &place);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{errors}");
    let (code, _, errors) = store(&["verify"], &["--path", data.to_str().expect("a path")]);
    assert!(code == Some(2) && errors.contains("in use by another process"), "{errors}");
}
