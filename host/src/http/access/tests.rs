//! Who may do what: tokens, sessions and where requests come from.

use super::*;
use crate::domain::Secret;

#[test]
fn only_names_of_this_machine_reach_a_host_without_tokens() {
    for here in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
        assert!(names_this_machine(here), "{here}");
    }
    for there in ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1:80"] {
        assert!(!names_this_machine(there), "{there}");
    }
}

#[test]
fn a_session_ends_and_a_wrong_token_opens_none() {
    let clock = crate::clock::ManualClock::new(Timestamp::from_millis(1));
    let token = Token { name: "ann".into(), secret: Secret::new("0123456789abcdef"), scopes: vec![Scope::Read] };
    let access = Access::new(&[token], Clock::Manual(clock.clone()));
    assert!(access.sign_in("0123456789abcdeX").is_none());
    let (value, _) = access.sign_in("0123456789abcdef").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, format!("a=b; {COOKIE}={value}").parse().unwrap());
    assert_eq!(access.caller(&headers).unwrap().name, "ann");
    clock.advance(SESSION);
    assert!(access.caller(&headers).is_none());
}

#[test]
fn no_session_lives_on_because_the_clock_went_back() {
    let clock = crate::clock::ManualClock::new(Timestamp::from_millis(1_790_000_000_000));
    let token = Token { name: "ann".into(), secret: Secret::new("0123456789abcdef"), scopes: vec![Scope::Read] };
    let access = Access::new(&[token], Clock::Manual(clock.clone()));
    let headers = cookie(&access.sign_in("0123456789abcdef").unwrap().0);
    clock.turn_back(Duration::from_secs(60));
    assert!(access.caller(&headers).is_some(), "a clock that is set right");
    clock.turn_back(Duration::from_secs(86_400));
    assert!(access.caller(&headers).is_none(), "nobody knows how old it is");
}

fn with_tokens(names: [&str; 2]) -> Access {
    let token = |name: &str| Token { name: name.into(), secret: Secret::new(name), scopes: vec![Scope::Read] };
    Access::new(&names.map(token), Clock::Manual(crate::clock::ManualClock::new(Timestamp::from_millis(1))))
}

fn cookie(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, format!("{COOKIE}={value}").parse().unwrap())])
}

#[test]
fn whoever_signs_in_again_and_again_ends_no_session_of_others() {
    let access = with_tokens(["ann", "bob"]);
    let (anns, _) = access.sign_in("ann").unwrap();
    let bobs: Vec<_> = (0..2 * SESSIONS).map(|_| access.sign_in("bob").unwrap().0).collect();
    assert_eq!(access.caller(&cookie(&anns)).unwrap().name, "ann");
    assert_eq!(bobs.iter().filter(|session| access.caller(&cookie(session)).is_some()).count(), SESSIONS);
}

#[test]
fn the_name_of_the_scheme_has_no_case() {
    let access = with_tokens(["ann", "bob"]);
    for (value, known) in [("Bearer ann", true), ("bearer ann", true), ("BEARER  bob", true), ("Basic ann", false)] {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(access.caller(&headers).is_some(), known, "{value}");
    }
}

#[test]
fn an_origin_that_cannot_be_read_is_foreign() {
    let ours = |origin: &[u8]| is_ours(&HeaderValue::from_bytes(origin).unwrap(), "localhost:1");
    assert!(ours(b"http://localhost:1") && ours(b"https://LOCALHOST:1"));
    assert!(!ours(b"http://localhost:1\xe9") && !ours("http://évil".as_bytes()) && !ours(b"null") && !ours(b""));
}

#[test]
fn two_hosts_or_none_are_refused_and_http_1_0_may_name_none() {
    let request = |hosts: &[&str], version: Version| {
        let mut request = Request::default();
        *request.version_mut() = version;
        for host in hosts {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        the_host(&request).map(str::to_owned).ok()
    };
    assert_eq!(request(&["here"], Version::HTTP_11).as_deref(), Some("here"));
    assert_eq!(request(&[], Version::HTTP_10).as_deref(), Some(""));
    assert_eq!(request(&[], Version::HTTP_11), None);
    assert_eq!(request(&["here", "there"], Version::HTTP_11), None);
    assert_eq!(request(&["here", "here"], Version::HTTP_10), None);
}
