//! What the token endpoint says: `error` and a fragment of `error_description`. All of it reaches the organization.
//!
//! Whatever an administrator has to do about the connection is `Auth`, be it the app, the user or the token.

use super::{Rule, rule};
use crate::domain::Class::{Auth, Limit, Request, Transient};
use crate::domain::Scope::Org;

pub(super) const RULES: &[Rule] = &[
    // A 400 all the same: Salesforce itself asks for another try.
    rule(Transient, Org, "unknown_error").words(
        "Salesforce could not give a token just now and asks to try again.",
        "If it stays: `login_url`. This is also what a wrong one answers.",
    ),
    rule(Limit, Org, "rate_limit_exceeded"),
    rule(Limit, Org, "invalid_grant").with("login rate exceeded"),
    user("inactive_user"),
    user("invalid_grant").with("inactive user"),
    rule(Auth, Org, "invalid_grant").with("authentication failure").words(
        "Salesforce does not accept the integration user's credentials.",
        "Whether the user's password or security token was changed, and the login history of the user; then \
         authorize the organization again.",
    ),
    not_approved("invalid_grant").with("user hasn't approved this consumer"),
    not_approved("invalid_app_access"),
    assertion("invalid_grant").with("invalid assertion"),
    assertion("invalid_grant").with("audience"),
    rule(Auth, Org, "invalid_grant").with("no client credentials user enabled").words(
        "The app has no user that client credentials run as.",
        "The app's policies: \"Run As\" under client credentials flow, with the user's name (not the e-mail address).",
    ),
    rule(Auth, Org, "invalid_grant").with("request not supported on this domain").words(
        "Client credentials are taken only on the organization's own My Domain.",
        "`login_url`: https://YOUR-DOMAIN.my.salesforce.com instead of login or test.salesforce.com.",
    ),
    rule(Auth, Org, "invalid_grant").with("ip restricted").words(
        "The app or the user's profile does not allow this host's address.",
        "The app's policy on IP relaxation, and the login IP ranges of the user's profile.",
    ),
    rule(Auth, Org, "invalid_grant").with("authorization code").words(
        "Salesforce did not accept the code that the browser came back with: it is used once, and soon.",
        "Begin the authorization again.",
    ),
    rule(Auth, Org, "invalid_grant").with("code verifier").words(
        "Salesforce did not accept the proof (PKCE) that belongs to the code that the browser came back with.",
        "Begin the authorization again.",
    ),
    // Every policy on refresh tokens fails in these same words.
    rule(Auth, Org, "invalid_grant").words(
        "Salesforce does not accept the refresh token any more. It says the same for several causes.",
        "Whether the token was revoked or the app blocked (Setup > Connected Apps OAuth Usage); whether the app's refresh \
         token policy ends tokens that are in use (expire immediately, or after a time), or if not used for a time while this \
         host was stopped; \"valid until revoked\" ends none; whether \
         the same user was connected more than five times, which ends the oldest; whether an older token was used although \
         they rotate; whether the user has a new password, is inactive or no longer approved; whether the sandbox was \
         refreshed. Mend that and authorize the organization again.",
    ),
    rule(Auth, Org, "inactive_org").words(
        "The organization is locked, suspended or closed.",
        "The organization's contract with Salesforce.",
    ),
    rule(Transient, Org, "server_error temporarily_unavailable"),
    rule(Auth, Org, "app_not_found OAUTH_EC_APP_NOT_FOUND").words(
        "The external client app is not installed in this organization, or `login_url` is that of another one.",
        "Whether the app is installed (Setup > External Client App Manager), and `login_url`: an app that comes from \
         elsewhere is known only at the organization's own My Domain address.",
    ),
    rule(Auth, Org, "invalid_scope").words(
        "The app may not give what was asked for.",
        "The app's scopes: \"Manage user data via APIs (api)\" and \"Perform requests at any time (refresh_token, \
         offline_access)\".",
    ),
    rule(Auth, Org, "redirect_uri_missing").words(
        "The app has no callback address.",
        "The app's callback URLs: this host's public address with /oauth/callback, letter for letter.",
    ),
    rule(Auth, Org, "unauthorized_client").words(
        "The app may not use this flow.",
        "The app's settings: whether the flow of `flow` is enabled.",
    ),
    rule(Auth, Org, "invalid_client_id").words(
        "Salesforce does not know the consumer key.",
        "`client_id` against the app's consumer key. A new app is known everywhere only after some minutes.",
    ),
    rule(Auth, Org, "invalid_client").with("app must be installed").words(
        "The app has to be installed in the organization before new users may connect by it.",
        "Setup > Connected Apps OAuth Usage: install the app, or give the user \"Approve Uninstalled Connected \
         Apps\"; then authorize the organization again.",
    ),
    rule(Auth, Org, "invalid_client invalid_client_credentials").words(
        "Salesforce does not accept the consumer secret.",
        "`client_secret` against the app's consumer secret; it may have been rotated.",
    ),
    rule(Auth, Org, "OAUTH_APP_BLOCKED").words(
        "An administrator of the organization has blocked the app.",
        "Setup > Connected Apps OAuth Usage > Unblock; then authorize the organization again.",
    ),
    rule(Auth, Org, "redirect_uri_mismatch").words(
        "The callback address is not one of the app's.",
        "The app's callback URLs: this host's public address with /oauth/callback, letter for letter.",
    ),
    rule(Auth, Org, "access_denied").words(
        "Whoever was asked in the browser did not allow the app.",
        "Authorize the organization again, and allow it.",
    ),
    rule(Auth, Org, "invalid_request").with("refresh_token scope is required").words(
        "The app may not give refresh tokens, or is not authorized beforehand.",
        "The app's scopes: \"Perform requests at any time (refresh_token, offline_access)\"; whether it is \
         installed and the user approved.",
    ),
    rule(Request, Org, "invalid_request unsupported_grant_type"),
    // The words of this host itself.
    rule(Auth, Org, "REFRESH_TOKEN_MISSING").words(
        "The authorization gave an access token only, which would end within hours.",
        "The app's scopes: \"Perform requests at any time (refresh_token, offline_access)\"; then authorize the \
         organization again.",
    ),
    rule(Auth, Org, "NOT_AUTHORIZED").words(
        "Nobody has authorized this organization yet.",
        "Press \"Authorize\" on the organization's page of the console, or run `switchyard org authorize`.",
    ),
    rule(Auth, Org, "ANOTHER_ORGANIZATION").words(
        "Salesforce gave tokens for another organization than the one that is connected here.",
        "Who logged in: it has to be this organization's own integration user, at its own `login_url`. If the \
         organization has another id now (a refreshed sandbox has), set `organization_id` to it.",
    ),
];

const fn user(codes: &'static str) -> Rule {
    rule(Auth, Org, codes).words(
        "The integration user is deactivated.",
        "Setup > Users: activate the user, or authorize the organization again as another.",
    )
}

const fn not_approved(codes: &'static str) -> Rule {
    rule(Auth, Org, codes).words(
        "The user is not approved for the app.",
        "The app's policy \"Permitted Users\": with \"Admin approved users are pre-authorized\", add the user's \
         profile or permission set; else let the user approve once.",
    )
}

const fn assertion(codes: &'static str) -> Rule {
    rule(Auth, Org, codes).words(
        "Salesforce does not accept the signed assertion (JWT bearer).",
        "Whether the app holds the certificate of `private_key`; whether `login_url` and `audience` are those of \
         this organization (production or sandbox); the clock of this host.",
    )
}
