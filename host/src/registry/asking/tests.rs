//! Where a registry may send for its tokens, and how it asks for them.

use super::*;

#[test]
fn a_registry_sends_for_tokens_within_its_own_domain_and_by_https_alone() {
    let asked = |registry: &str, realm: &str| {
        let scheme = if registry.starts_with("localhost") || registry.starts_with("127.") { "http" } else { "https" };
        gives_tokens_for(&Url::parse(&format!("{scheme}://{registry}/v2/")).unwrap(), realm).is_ok()
    };
    for (registry, realm) in [
        ("index.docker.io", "https://auth.docker.io/token"),
        ("ghcr.io", "https://ghcr.io/token"),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("reg.example.com:5000", "https://login.example.com:8443/token?a=b"),
        ("example.com", "https://auth.example.com/token"),
        ("10.0.0.1:5000", "https://10.0.0.1/token"),
        ("127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ("localhost:5000", "http://localhost:5000/token"),
    ] {
        assert!(asked(registry, realm), "{registry} {realm}");
    }
    for (registry, realm) in [
        ("ghcr.io", "http://ghcr.io/token"),
        ("ghcr.io", "https://evil.io/token"),
        ("ghcr.io", "https://evilghcr.io/token"),
        ("ghcr.io", "https://user:password@ghcr.io/token"),
        ("reg.example.com", "https://example.com.evil.net/token"),
        ("reg.example.com", "http://127.0.0.1:8080/token"),
        ("reg.example.com", "https://169.254.169.254/latest"),
        ("10.0.0.1", "https://10.0.0.2/token"),
        ("127.0.0.1:5000", "http://10.0.0.1/token"),
        ("localhost:5000", "http://reg.example.com/token"),
        ("ghcr.io", "ftp://ghcr.io/token"),
        ("ghcr.io", "/token"),
    ] {
        assert!(!asked(registry, realm), "{registry} {realm}");
    }
}

#[test]
fn a_challenge_is_read_whatever_stands_beside_it() {
    let of = |texts: &[&str]| {
        let each = texts.iter().map(|text| (WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap()));
        Challenge::of(&each.collect())
    };
    let realm = || "https://a.example/token".to_owned();
    let bearer = "Bearer realm=\"https://a.example/token\",service=\"a registry\"";
    let wanted = Some(Challenge::Bearer { realm: realm(), service: Some("a registry".to_owned()) });
    assert_eq!(of(&[bearer]), wanted);
    assert_eq!(of(&["Basic realm=\"x\"", bearer]), wanted);
    assert_eq!(
        of(&["bearer realm=\"https://a.example/token\""]),
        Some(Challenge::Bearer { realm: realm(), service: None })
    );
    assert_eq!(of(&["Basic realm=\"x\""]), Some(Challenge::Basic));
    assert_eq!(of(&["Bearer"]), None);
    assert_eq!(of(&[]), None);
}
