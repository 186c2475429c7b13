//! Fifty people ask about twenty sync errors while the host is killed again and again: what was answered is on record once, and
//! nothing that was refused is.

mod clients;
mod judge;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use fastrand::Rng;

use self::clients::{Asked, client};
use self::judge::judge;
use crate::acme::{TOKEN, hand_in, ids};
use crate::switchyard::Host;

const ERRORS: usize = 20;
const CLIENTS: usize = 50;
/// Clients that begin operations over many; the others ask about one sync error at a time.
const OPERATORS: Range<usize> = 42..CLIENTS;
const ROUNDS: u64 = 5;
/// Answers of a round before the host is killed.
const ANSWERS: Range<usize> = 150..400;

/// The name of a client's token; everything that the client asks is on record with it.
fn name(number: usize) -> String {
    format!("client-{number}")
}

fn token(number: usize) -> String {
    format!("{}-has-a-secret", name(number))
}

/// A host for twenty conversations that no queue is mapped to. Each client has a token of its own.
fn configured(folder: &Path) -> PathBuf {
    let clients = (0..CLIENTS).map(|number| {
        let (name, secret) = (name(number), token(number));
        format!("[[http.tokens]]\nname = '{name}'\nsecret = '{secret}'\nscopes = ['read', 'errors']\n")
    });
    let text = format!(
        "[http]\nlisten = '127.0.0.1:0'\nlimits = {{ requests_per_second = 1000000 }}\n\
         [[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = ['read', 'errors', 'intake']\n{}\
         [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
         [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'none'\n",
        clients.collect::<String>()
    );
    let config = folder.join("switchyard.toml");
    std::fs::write(&config, text).expect("a file");
    config
}

/// Everybody asks until the host is killed, after so many answers; what was asked, each client's in its order.
fn round(host: Host, seed: u64, errors: &[String], begun: &[String], answers: usize) -> Vec<Asked> {
    let (told, answered) = mpsc::channel();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (address, told) = (host.address.clone(), told.clone());
                scope.spawn(move || client(&address, number, seed, errors, begun, &told))
            })
            .collect();
        for _ in 0..answers {
            answered.recv().expect("somebody is answered");
        }
        // Killed, not told to stop.
        drop(host);
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
}

#[test]
fn fifty_people_over_twenty_errors_find_what_they_were_told_whenever_the_host_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(folder.path());
    let host = Host::serve(&config);
    hand_in(&host, 1..=ERRORS);
    let errors = ids(&host, "pending", ERRORS);
    let (mut asked, mut begun, mut host) = (Vec::new(), Vec::new(), host);
    for seed in 1..=ROUNDS {
        let answers = Rng::with_seed(seed).usize(ANSWERS);
        let of_round = round(host, seed, &errors, &begun, answers);
        begun.extend(of_round.iter().filter_map(Asked::begun));
        asked.extend(of_round);
        host = Host::serve(&config);
    }
    judge(&host, &errors, &asked);
}
