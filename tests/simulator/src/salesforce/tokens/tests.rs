//! When tokens of each policy die, and what replaces them.

use super::{Policy, Tokens, challenge_of};

const ORG: &str = "00D001000000000AAA";

fn refreshed(policy: Policy, uses_at_ms: &[i64]) -> Vec<bool> {
    let mut tokens = Tokens::default();
    tokens.approve("r", 5, 0);
    uses_at_ms.iter().map(|at| tokens.refresh("r", policy, false, ORG, *at).is_some()).collect()
}

#[test]
fn each_policy_ends_a_refresh_token_in_its_own_way() {
    assert_eq!(refreshed(Policy::UntilRevoked, &[1, 1_000_000]), [true, true]);
    assert_eq!(refreshed(Policy::ImmediatelyExpire, &[1]), [false]);
    assert_eq!(refreshed(Policy::IdleMs(100), &[90, 180, 280]), [true, true, false]);
    assert_eq!(refreshed(Policy::FixedMs(100), &[90, 99, 100]), [true, true, false]);
}

#[test]
fn the_challenge_of_the_published_verifier_is_right() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn the_sixth_approval_kills_the_first() {
    let mut tokens = Tokens::default();
    for token in ["a", "b", "c", "d", "e", "f"] {
        tokens.approve(token, 5, 0);
    }
    assert!(tokens.refresh("a", Policy::UntilRevoked, false, ORG, 1).is_none());
    assert!(tokens.refresh("b", Policy::UntilRevoked, false, ORG, 1).is_some());
}

#[test]
fn rotation_replaces_the_refresh_token_and_ends_the_sessions_before() {
    let mut tokens = Tokens::default();
    tokens.approve("r", 5, 0);
    let (first, next) = tokens.refresh("r", Policy::UntilRevoked, true, ORG, 1).expect("first use");
    let (second, _) = tokens.refresh(&next.expect("rotated"), Policy::UntilRevoked, true, ORG, 2).expect("second use");
    assert!(!tokens.accept(&first, 1_000, 3) && tokens.accept(&second, 1_000, 3));
}

#[test]
fn who_uses_a_rotated_token_again_ends_what_replaced_it() {
    let mut tokens = Tokens::default();
    tokens.approve("r", 5, 0);
    let (access, next) = tokens.refresh("r", Policy::UntilRevoked, true, ORG, 1).expect("first use");
    assert!(tokens.refresh("r", Policy::UntilRevoked, true, ORG, 2).is_none());
    assert!(tokens.refresh(&next.expect("rotated"), Policy::UntilRevoked, true, ORG, 3).is_none());
    assert!(!tokens.accept(&access, 1_000, 4));
}

#[test]
fn a_session_lives_as_long_as_it_is_used() {
    let mut tokens = Tokens::default();
    let access = tokens.session(ORG, None, 0);
    assert!(tokens.accept(&access, 100, 90));
    assert!(tokens.accept(&access, 100, 180));
    assert!(!tokens.accept(&access, 100, 280));
}

#[test]
fn revoking_a_refresh_token_ends_its_sessions() {
    let mut tokens = Tokens::default();
    tokens.approve("r", 5, 0);
    let (access, _) = tokens.refresh("r", Policy::UntilRevoked, false, ORG, 1).expect("alive");
    assert!(tokens.revoke("r"));
    assert!(!tokens.accept(&access, 1_000, 2));
    assert!(tokens.refresh("r", Policy::UntilRevoked, false, ORG, 3).is_none());
}
