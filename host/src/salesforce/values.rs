//! What the settings of an organization are made of: addresses, names, versions, ids and shares, each checked.

use reqwest::Url;
use serde::Deserialize;

use super::error::Error;
use crate::domain::{BaseUrl, RecordId};

/// A share: above 0, and 1 at most.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

impl Share {
    /// From 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Share {
    fn default() -> Self {
        Self(0.8)
    }
}

impl TryFrom<f64> for Share {
    type Error = Error;
    fn try_from(number: f64) -> Result<Self, Error> {
        if number > 0.0 && number <= 1.0 { Ok(Self(number)) } else { Err(Error::Share(number)) }
    }
}

/// Salesforce's id of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OrganizationId(RecordId);

impl OrganizationId {
    /// The id.
    #[must_use]
    pub fn record(&self) -> &RecordId {
        &self.0
    }
}

impl TryFrom<String> for OrganizationId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let fits = matches!(text.len(), 15 | 18)
            && text.starts_with("00D")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match RecordId::new(&text) {
            Ok(id) if fits => Ok(Self(id)),
            _ => Err(Error::OrganizationId(text.chars().take(100).collect())),
        }
    }
}

/// The address of a server that may be told tokens: as [`BaseUrl`], and no path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Server(BaseUrl);

impl Server {
    /// Whether it is one of those where every organization signs in.
    pub(super) fn is_for_all(&self) -> bool {
        let host = self.at("/").ok().and_then(|url| url.host_str().map(str::to_owned));
        host.is_none_or(|host| ["login.salesforce.com", "test.salesforce.com"].contains(&host.as_str()))
    }

    /// The address with this path and query.
    pub(super) fn at(&self, path: &str) -> Result<Url, Error> {
        self.0.at(path).map_err(|_| Error::Server(path.chars().take(200).collect()))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::try_from("https://login.salesforce.com".to_owned()).expect("a constant")
    }
}

impl TryFrom<String> for Server {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        match BaseUrl::try_from(text.clone()) {
            Ok(url) if url.is_bare() => Ok(Self(url)),
            _ => Err(Error::Server(text.chars().take(200).collect())),
        }
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an object or a field in Salesforce's API. Checked, because it is written into queries and paths unquoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiName(String);

impl ApiName {
    /// One that is written here.
    pub(super) fn constant(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ApiName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let fits = text.len() <= 80
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text)) } else { Err(Error::ApiName(text.chars().take(100).collect())) }
    }
}

impl std::fmt::Display for ApiName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of the REST API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiVersion(String);

impl ApiVersion {
    /// `v62.0`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self("v62.0".to_owned())
    }
}

impl TryFrom<String> for ApiVersion {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let number = text.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
        // Before v46.0 an upsert that updates answers 204 with an empty body.
        match number.filter(|digits| digits.len() <= 3).and_then(|digits| digits.parse::<u16>().ok()) {
            Some(46..) => Ok(Self(text)),
            _ => Err(Error::Version(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_above_nothing_and_no_more_than_all() {
        assert_eq!(Share::try_from(1.0), Ok(Share(1.0)));
        for bad in [0.0, 1.01, -0.5, f64::NAN, 80.0] {
            assert!(Share::try_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_address_of_a_server_has_no_path() {
        let server = |text: &str| Server::try_from(text.to_owned());
        assert!(server("https://acme.my.salesforce.com/").is_ok_and(|own| !own.is_for_all()));
        assert!(Server::default().is_for_all());
        for bad in ["https://login.salesforce.com/services", "http://login.salesforce.com"] {
            assert_eq!(server(bad), Err(Error::Server(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_name_that_could_break_out_of_a_query_is_refused() {
        for bad in ["", "1st", "Name = '' OR Id", "a.b", "Émail", "x'", &"a".repeat(81)] {
            assert!(ApiName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        for bad in ["62.0", "v45.0", "v62", "v62.0/../..", "v.0"] {
            assert!(ApiVersion::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_organizations_id_is_known_by_its_first_characters() {
        let id = |text: &str| OrganizationId::try_from(text.to_owned());
        assert!(id("00D000000000001AAA").is_ok() && id("00D000000000001").is_ok());
        for bad in ["", "005000000000001AAA", "00D", "00D00000000000é", "00D000000000001AA", "00D-00000000001AAA"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
