//! One request for tokens: sent, read, held against the organization that is expected, and stored.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use tokio::sync::OwnedMutexGuard;

use super::{AccessToken, Inner, Tokens};
use crate::domain::{Class, RecordId, RefreshToken, Refusal, RequestSent};
use crate::salesforce::http::{HttpAnswer, HttpError, exchange};
use crate::salesforce::refusals::{Stage, judge};
use crate::salesforce::transport::grant::TokenRequest;
use crate::salesforce::transport::granted::{Granted, PATH, access, unreadable};
use crate::salesforce::transport::measured::Measured;
use crate::salesforce::transport::scrub::scrub;
use crate::salesforce::values::OrganizationId;

impl Inner {
    pub(super) async fn renew(
        self: Arc<Self>,
        mut tokens: OwnedMutexGuard<Tokens>,
    ) -> Result<Arc<AccessToken>, Refusal> {
        let outcome = self.ask_and_store(&mut tokens).await;
        self.note(&mut tokens, &outcome);
        // Before the lock is given back, so that whoever waited for it sees that this attempt is over.
        self.over.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    pub(super) async fn authorize(
        self: Arc<Self>,
        mut tokens: OwnedMutexGuard<Tokens>,
        request: TokenRequest,
    ) -> Result<Arc<AccessToken>, Refusal> {
        let before =
            (tokens.refresh_token.clone(), tokens.unstored, tokens.access.clone(), tokens.organization.clone());
        let mut granted = self.ask(&mut tokens, request).await;
        if granted.is_ok() && tokens.refresh_token == before.0 {
            let words = "the authorization gave no refresh token";
            granted = Err(Refusal::new(Class::Auth, "REFRESH_TOKEN_MISSING", words).of_org());
        }
        if let Err(refusal) = granted {
            // An access token that came all the same may be that of another user.
            (tokens.refresh_token, tokens.unstored, tokens.access, tokens.organization) = before;
            return Err(refusal);
        }
        let outcome = self.store(&mut tokens).await;
        self.note(&mut tokens, &outcome);
        self.over.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    fn note(&self, tokens: &mut Tokens, outcome: &Result<Arc<AccessToken>, Refusal>) {
        let now = (self.now)();
        tokens.asked_at = Some(now);
        tokens.failure = outcome.as_ref().err().cloned();
        if outcome.is_ok() {
            tokens.given_at = Some(now);
        }
    }

    async fn ask_and_store(&self, tokens: &mut Tokens) -> Result<Arc<AccessToken>, Refusal> {
        let mut granted = Ok(());
        if !tokens.unstored {
            granted = match self.grant.request(&tokens.refresh_token, (self.now)()) {
                Ok(request) => self.ask(tokens, request).await,
                Err(refusal) => Err(refusal),
            };
        }
        let stored = self.store(tokens).await;
        granted?;
        stored
    }

    /// Stores a refresh token that is not stored yet, and only then answers what came with it.
    async fn store(&self, tokens: &mut Tokens) -> Result<Arc<AccessToken>, Refusal> {
        if let (true, Ok(token)) = (tokens.unstored, &tokens.refresh_token) {
            let kept = RefreshToken { token: token.clone(), organization: tokens.organization.clone() };
            (self.on_rotated)(kept).await.map_err(|words| {
                let words = format!("the new refresh token could not be stored: {words}");
                Refusal::new(Class::Transient, "TOKEN_NOT_STORED", words).of_org()
            })?;
            tokens.unstored = false;
        }
        // Empty only when the answer that rotated the token had nothing else in it.
        tokens.access.clone().ok_or_else(|| unreadable("no access token came with the new refresh token".to_owned()))
    }

    async fn ask(&self, tokens: &mut Tokens, request: TokenRequest) -> Result<(), Refusal> {
        let outcome = judge(Stage::Token, self.send(&request).await);
        let json = outcome.map_err(|refusal| {
            let sent = json!({"grant_type": request.grant_type});
            let request_sent = RequestSent { method: "POST".to_owned(), path: PATH.to_owned(), body: sent };
            // The consumer key is no secret, and a short one would be taken out of innocent words.
            let secrets = request.fields.iter().filter(|(name, _)| *name != "client_id").map(|(_, secret)| secret);
            scrub(Refusal { request: Some(request_sent), ..refusal }, secrets)
        })?;
        let granted = Granted::read(json)?;
        let organization = granted.organization();
        let news = granted.refresh_token.filter(|token| tokens.refresh_token.as_ref() != Ok(token));
        if request.grant_type == "refresh_token" {
            tokens.rotates = Some(news.is_some());
        }
        if let Some(token) = news {
            tokens.refresh_token = Ok(token);
            tokens.unstored = true;
        }
        self.expect(tokens.organization.as_ref(), organization.as_ref())?;
        tokens.organization = organization.or(tokens.organization.take());
        let (token, server) = access(granted.access_token, granted.instance_url)?;
        tokens.serial += 1;
        tokens.access = Some(Arc::new(AccessToken { token, server, serial: tokens.serial }));
        Ok(())
    }

    /// Refuses what is for another organization than the configured one, or else the one before.
    fn expect(&self, before: Option<&RecordId>, found: Option<&RecordId>) -> Result<(), Refusal> {
        let expected = self.organization.as_ref().map(OrganizationId::record).or(before);
        match (expected, found) {
            (Some(expected), Some(found)) if !expected.is_same(found.as_str()) => {
                let words = format!("the tokens are for the organization {found}, and this one is {expected}");
                Err(Refusal::new(Class::Auth, "ANOTHER_ORGANIZATION", words).of_org())
            }
            _ => Ok(()),
        }
    }

    async fn send(&self, request: &TokenRequest) -> Result<HttpAnswer, HttpError> {
        let url = self.login.at(PATH).map_err(|error| HttpError::Unsendable(error.to_string()))?;
        let mut form = vec![("grant_type", request.grant_type)];
        form.extend(request.fields.iter().map(|(name, value)| (*name, value.reveal())));
        let measured = Measured::begin("POST", PATH, &self.org, (self.now)());
        let outcome = exchange(self.http.post(url).timeout(self.timeout).form(&form)).await;
        measured.end(&outcome, &self.metrics, (self.now)());
        outcome
    }
}
