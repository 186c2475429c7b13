//! An org's refresh and access tokens, and the policies by which they die.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Open sessions an org keeps; a further one ends the oldest.
const SESSIONS: usize = 32;
/// Refresh tokens an org remembers, living or dead.
const REMEMBERED: usize = 64;
/// How long an authorization code is good.
const CODE_MS: i64 = 15 * 60 * 1000;

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
    /// Given out and not yet turned into tokens.
    #[serde(default)]
    codes: Vec<Code>,
    /// Tokens made so far, so that no two are alike.
    made: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refresh {
    token: String,
    issued_ms: i64,
    used_ms: i64,
    revoked: bool,
    /// Those that it replaced by rotation.
    #[serde(default)]
    spent: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    token: String,
    used_ms: i64,
    /// The refresh token it came from.
    from: Option<String>,
}

impl Refresh {
    fn has_replaced(&self, token: &str) -> bool {
        self.spent.iter().any(|spent| spent == token)
    }
}

/// An authorization code of the web-server flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Code {
    code: String,
    redirect_uri: String,
    /// The PKCE challenge (S256), when the request had one.
    challenge: Option<String>,
    issued_ms: i64,
}

/// What an introspection tells of a living token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) refresh: bool,
    pub(crate) since_ms: i64,
    /// When it ends without further use; refresh tokens that may live on have none.
    pub(crate) until_ms: Option<i64>,
}

impl Tokens {
    /// Whether the token is this org's, or was before it was replaced.
    pub(crate) fn knows(&self, refresh: &str) -> bool {
        self.refresh.iter().any(|known| known.token == refresh || known.has_replaced(refresh))
    }

    /// Makes a refresh token valid from now on, whether new, revoked or aged. Of more than `most` the oldest die.
    pub(crate) fn approve(&mut self, refresh: &str, most: usize, now_ms: i64) {
        self.refresh.retain(|known| known.token != refresh);
        let living = self.refresh.iter().filter(|known| !known.revoked).count();
        let dying = (living + 1).saturating_sub(most.max(1));
        let oldest: Vec<String> =
            self.refresh.iter().filter(|known| !known.revoked).take(dying).map(|known| known.token.clone()).collect();
        for token in oldest {
            self.revoke(&token);
        }
        // Those that died long ago are not told apart from those that never were.
        if self.refresh.len() >= REMEMBERED {
            self.refresh.remove(0);
        }
        self.refresh.push(Refresh {
            token: refresh.to_owned(),
            issued_ms: now_ms,
            used_ms: now_ms,
            revoked: false,
            spent: Vec::new(),
        });
    }

    /// Uses a refresh token: a new access token and, with rotation, the refresh token that replaces it. `None`: it is dead.
    ///
    /// With rotation the sessions of the one before end; and who uses one that was replaced already ends what replaced it,
    /// with its sessions, for one of the two must have stolen it.
    pub(crate) fn refresh(
        &mut self,
        refresh: &str,
        policy: Policy,
        rotation: bool,
        org_id: &str,
        now_ms: i64,
    ) -> Option<(String, Option<String>)> {
        if let Some(family) = self.refresh.iter().find(|known| known.has_replaced(refresh)) {
            let present = family.token.clone();
            self.revoke(&present);
            return None;
        }
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
            let spent = std::mem::replace(&mut self.refresh[at].token, replacement.clone());
            self.sessions.retain(|session| session.from.as_ref() != Some(&spent));
            let all = &mut self.refresh[at].spent;
            if all.len() >= REMEMBERED {
                all.remove(0);
            }
            all.push(spent);
        }
        let from = replacement.clone().unwrap_or_else(|| refresh.to_owned());
        Some((self.session(org_id, Some(from), now_ms), replacement))
    }

    /// A new authorization code.
    pub(crate) fn code(&mut self, redirect_uri: &str, challenge: Option<&str>, org_id: &str, now_ms: i64) -> String {
        self.codes.retain(|known| now_ms - known.issued_ms < CODE_MS);
        let code = format!("aPrx{}", self.random(org_id));
        self.codes.push(Code {
            code: code.clone(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.map(str::to_owned),
            issued_ms: now_ms,
        });
        code
    }

    /// Whether a code was given out and is not used up.
    pub(crate) fn knows_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known.code == code)
    }

    /// Turns a code into an access and a refresh token; or the name of the refusal when it is used, too old, or of
    /// another request.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        most: usize,
        org_id: &str,
        now_ms: i64,
    ) -> Result<(String, String), &'static str> {
        let at = self.codes.iter().position(|known| known.code == code).ok_or("bad_code")?;
        // Whatever comes of it, a code is used once.
        let known = self.codes.remove(at);
        let proven = match (&known.challenge, verifier) {
            (None, _) => true,
            (Some(challenge), Some(verifier)) => *challenge == challenge_of(verifier),
            (Some(_), None) => false,
        };
        if now_ms - known.issued_ms >= CODE_MS {
            return Err("bad_code");
        }
        if known.redirect_uri != redirect_uri {
            return Err("wrong_callback");
        }
        if !proven {
            return Err("bad_verifier");
        }
        let refresh = format!("5Aep861{}", self.random(org_id));
        self.approve(&refresh, most, now_ms);
        let access = self.session(org_id, Some(refresh.clone()), now_ms);
        Ok((access, refresh))
    }

    /// What is known of a living token.
    pub(crate) fn life(&self, token: &str, policy: Policy, session_ms: i64, now_ms: i64) -> Option<Life> {
        if let Some(session) = self.sessions.iter().find(|session| session.token == token) {
            let until_ms = session.used_ms + session_ms;
            return (now_ms < until_ms).then_some(Life {
                refresh: false,
                since_ms: session.used_ms,
                until_ms: Some(until_ms),
            });
        }
        let known = self.refresh.iter().find(|known| known.token == token && !known.revoked)?;
        let until_ms = match policy {
            Policy::UntilRevoked => None,
            Policy::ImmediatelyExpire => return None,
            Policy::IdleMs(limit) => Some(known.used_ms + limit),
            Policy::FixedMs(limit) => Some(known.issued_ms + limit),
        };
        let alive = until_ms.is_none_or(|until_ms| now_ms < until_ms);
        alive.then_some(Life { refresh: true, since_ms: known.issued_ms, until_ms })
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

/// The S256 challenge of a verifier.
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests;
