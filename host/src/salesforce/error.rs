//! Why the settings of an organization cannot be used.

/// A setting that cannot be one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not the address of a server that tokens may be sent to.
    #[error("`{0}` must be https://HOST without a path (http only for this machine itself)")]
    Server(String),
    /// Not a name that Salesforce gives to an object or a field.
    #[error("`{0}` must be an API name: a letter, then letters, digits and _, at most 80 characters")]
    ApiName(String),
    /// The flow needs it.
    #[error("{0} is needed for this flow")]
    Lacking(&'static str),
    /// It has a value, and the flow does nothing with it: perhaps another flow is meant.
    #[error("{0} is of no use for this flow")]
    Useless(&'static str),
    /// Not a private key. (It is not repeated.)
    #[error("private_key: {0}")]
    PrivateKey(String),
    /// The flow is not one in which somebody is asked in a browser.
    #[error("nobody authorizes this organization: its flow asks for tokens by itself")]
    NobodyAuthorizes,
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    NoRandomNumbers,
    /// Not a share of anything.
    #[error("slow_at: `{0}` must be above 0, and 1 at most")]
    Share(f64),
    /// Not the id of an organization.
    #[error("organization_id: `{0}` must be an organization's id: 15 or 18 characters that begin with 00D")]
    OrganizationId(String),
    /// Not a version, or one whose upsert does not say which record it wrote.
    #[error("`{0}` must be a version such as v62.0, and at least v46.0")]
    Version(String),
}
