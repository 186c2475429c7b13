//! The settings of traces: which collector takes them, and how many there are.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use crate::domain::Secret;

/// What follows the address of a collector.
const PATH: &str = "/v1/traces";

/// Who takes spans, and how many.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The collector.
    pub endpoint: Endpoint,
    /// The share of the traces that are recorded, from 0 to 1, of those about which no caller has decided.
    #[serde(default = "all")]
    pub ratio: f64,
    /// What it wants to be told with each batch, such as a token.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

const fn all() -> f64 {
    1.0
}

impl Config {
    /// Refuses what could not work.
    ///
    /// # Errors
    /// Names the key, and no value of a header.
    pub fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err("ratio: a number from 0 to 1 is needed".to_owned());
        }
        self.header_map().map(drop)
    }

    /// The headers as they are sent.
    pub(super) fn header_map(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, secret) in &self.headers {
            let read = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(secret.reveal()).ok());
            let (known, mut value) = read.ok_or_else(|| format!("headers.`{name}`: this is no header of HTTP"))?;
            value.set_sensitive(true);
            headers.insert(known, value);
        }
        Ok(headers)
    }
}

/// Where a collector takes OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// Where spans are posted.
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // What was given is not repeated: it may have a secret in it.
        let wrong = "must be http://HOST:PORT or https://HOST, without a user, a password or a query";
        let mut url = Url::parse(&text).map_err(|_| wrong)?;
        let has_more = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || has_more || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.ends_with(PATH) {
            url.set_path(&format!("{path}{PATH}"));
        }
        Ok(Self(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_address_of_a_collector_or_of_where_it_takes_spans() {
        let read = |text: &str| Endpoint::try_from(text.to_owned()).map(|endpoint| endpoint.to_string());
        for text in ["http://here:4318", "http://here:4318/", "http://here:4318/v1/traces"] {
            assert_eq!(read(text).unwrap(), "http://here:4318/v1/traces");
        }
        assert_eq!(read("https://here/otlp/").unwrap(), "https://here/otlp/v1/traces");
        for bad in ["", "here:4318", "grpc://here", "http://me:hush@here", "http://here?token=hush", "http://here#x"] {
            assert!(!read(bad).unwrap_err().contains("hush"), "{bad}");
        }
    }

    #[test]
    fn what_could_not_be_sent_is_refused_and_not_repeated() {
        let config = |more: &str| toml::from_str::<Config>(&format!("endpoint = 'http://here:4318'\n{more}")).unwrap();
        assert!(config("").check().is_ok() && config("ratio = 0.0").check().is_ok());
        let headers = config("headers = { authorization = 'Bearer hush' }");
        assert!(headers.check().is_ok() && !format!("{headers:?} {:?}", headers.header_map()).contains("hush"));
        for bad in ["ratio = 1.1", "ratio = nan", "headers = { 'a b' = 'x' }", "headers = { a = \"hush\\nb\" }"] {
            let error = config(bad).check().unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
