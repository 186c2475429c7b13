//! An org's refresh and access tokens, and the policies by which they die.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Open sessions an org keeps; a further one ends the oldest.
const SESSIONS: usize = 32;

/// When a refresh token dies by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    UntilRevoked,
    /// The first refresh already fails.
    ImmediatelyExpire,
    /// After so many milliseconds without use; every use counts anew.
    IdleMs(i64),
    /// At this age, whatever the use.
    FixedMs(i64),
}

/// All tokens of an org.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    refresh: Vec<Refresh>,
    /// Oldest first.
    sessions: Vec<Session>,
    /// Tokens made so far, so that no two are alike.
    made: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refresh {
    token: String,
    issued_ms: i64,
    used_ms: i64,
    revoked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    token: String,
    used_ms: i64,
    /// The refresh token it came from.
    from: Option<String>,
}

impl Tokens {
    /// Whether the token was ever this org's and is not replaced.
    pub(crate) fn knows(&self, refresh: &str) -> bool {
        self.refresh.iter().any(|known| known.token == refresh)
    }

    /// Makes a refresh token valid from now on, whether new, revoked or aged.
    pub(crate) fn approve(&mut self, refresh: &str, now_ms: i64) {
        self.refresh.retain(|known| known.token != refresh);
        self.refresh.push(Refresh { token: refresh.to_owned(), issued_ms: now_ms, used_ms: now_ms, revoked: false });
    }

    /// Uses a refresh token: a new access token and, with rotation, the refresh token that replaces it. `None`: it is dead.
    pub(crate) fn refresh(
        &mut self,
        refresh: &str,
        policy: Policy,
        rotation: bool,
        org_id: &str,
        now_ms: i64,
    ) -> Option<(String, Option<String>)> {
        let at = self.refresh.iter().position(|known| known.token == refresh)?;
        let known = &self.refresh[at];
        let alive = match policy {
            Policy::UntilRevoked => true,
            Policy::ImmediatelyExpire => false,
            Policy::IdleMs(limit) => now_ms - known.used_ms < limit,
            Policy::FixedMs(limit) => now_ms - known.issued_ms < limit,
        };
        if known.revoked || !alive {
            return None;
        }
        self.refresh[at].used_ms = now_ms;
        let replacement = rotation.then(|| self.random(org_id)).map(|text| format!("5Aep861{text}"));
        if let Some(replacement) = &replacement {
            self.refresh[at].token.clone_from(replacement);
        }
        let from = replacement.clone().unwrap_or_else(|| refresh.to_owned());
        Some((self.session(org_id, Some(from), now_ms), replacement))
    }

    /// A new access token.
    pub(crate) fn session(&mut self, org_id: &str, from: Option<String>, now_ms: i64) -> String {
        let token = format!("{}!AQ{}", &org_id[..15], self.random(org_id));
        if self.sessions.len() >= SESSIONS {
            self.sessions.remove(0);
        }
        self.sessions.push(Session { token: token.clone(), used_ms: now_ms, from });
        token
    }

    /// Whether an access token is alive; using it keeps it so for another `session_ms`.
    pub(crate) fn accept(&mut self, access: &str, session_ms: i64, now_ms: i64) -> bool {
        self.sessions.retain(|session| now_ms - session.used_ms < session_ms);
        let found = self.sessions.iter_mut().find(|session| session.token == access);
        found.map(|session| session.used_ms = now_ms).is_some()
    }

    /// Kills a refresh token with its sessions, or one session. Whether there was anything to kill.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let before = self.sessions.len();
        self.sessions.retain(|session| session.token != token && session.from.as_deref() != Some(token));
        let refresh = self.refresh.iter_mut().find(|known| known.token == token);
        refresh.map(|known| known.revoked = true).is_some() || before != self.sessions.len()
    }

    /// Kills every refresh token and session.
    pub(crate) fn revoke_all(&mut self) {
        self.refresh.iter_mut().for_each(|known| known.revoked = true);
        self.sessions.clear();
    }

    /// Makes every revoked refresh token valid again.
    pub(crate) fn revive_all(&mut self, now_ms: i64) {
        for known in &mut self.refresh {
            known.revoked = false;
            known.used_ms = now_ms;
            known.issued_ms = now_ms;
        }
    }

    /// Ends all sessions; refresh tokens stay.
    pub(crate) fn expire_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Text nobody guesses by accident. Not a secret: this is a simulator.
    fn random(&mut self, org_id: &str) -> String {
        self.made += 1;
        hex::encode(Sha256::digest(format!("{org_id} {}", self.made)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, Tokens};

    const ORG: &str = "00D001000000000AAA";

    fn refreshed(policy: Policy, uses_at_ms: &[i64]) -> Vec<bool> {
        let mut tokens = Tokens::default();
        tokens.approve("r", 0);
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
    fn rotation_replaces_the_refresh_token_and_the_old_one_is_dead() {
        let mut tokens = Tokens::default();
        tokens.approve("r", 0);
        let (_, next) = tokens.refresh("r", Policy::UntilRevoked, true, ORG, 1).expect("first use");
        assert!(tokens.refresh("r", Policy::UntilRevoked, true, ORG, 2).is_none());
        assert!(tokens.refresh(&next.expect("rotated"), Policy::UntilRevoked, true, ORG, 3).is_some());
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
        tokens.approve("r", 0);
        let (access, _) = tokens.refresh("r", Policy::UntilRevoked, false, ORG, 1).expect("alive");
        assert!(tokens.revoke("r"));
        assert!(!tokens.accept(&access, 1_000, 2));
        assert!(tokens.refresh("r", Policy::UntilRevoked, false, ORG, 3).is_none());
    }
}
