//! An address that a secret may be sent to.

use serde::Deserialize;
use url::Url;

/// The address of a server that may be told a secret: https, or http on this machine itself; no user, no query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(Url);

/// An address that a secret may not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` must be https://HOST without a user or a query (http only for this machine itself)")]
pub struct BaseUrlError(String);

impl BaseUrl {
    /// The address with a path and query after its own path; never that of another server.
    ///
    /// # Errors
    /// When the path would lead to another server.
    pub fn at(&self, path: &str) -> Result<Url, BaseUrlError> {
        // Not `join` alone: a path from outside such as `//elsewhere` would name another server.
        let foreign = || BaseUrlError(path.chars().take(200).collect());
        let own = self.0.path().trim_end_matches('/');
        let path = path.strip_prefix('/').unwrap_or(path);
        let url = self.0.join(&format!("{own}/{path}")).map_err(|_| foreign())?;
        let stays = url.origin() == self.0.origin() && !path.starts_with('/') && !path.contains("://");
        if stays { Ok(url) } else { Err(foreign()) }
    }

    /// Whether it names a server alone.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.0.path() == "/"
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        let fits = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let here = host == "localhost"
                || host == "[::1]"
                || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
            (url.scheme() == "https" || url.scheme() == "http" && here)
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        match text.parse::<Url>() {
            Ok(url) if fits(&url) => Ok(Self(url)),
            _ => Err(BaseUrlError(text.chars().take(200).collect())),
        }
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<BaseUrl, BaseUrlError> {
        BaseUrl::try_from(text.to_owned())
    }

    #[test]
    fn a_secret_goes_to_https_or_to_this_machine_itself() {
        for good in ["https://acme.my.salesforce.com", "http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9"]
        {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in [
            "http://login.salesforce.com",
            "http://127.0.0.1.evil.example",
            "https://user:pw@login.salesforce.com",
            "https://x.example/?a=b",
            "ftp://localhost",
            "login.salesforce.com",
            "",
        ] {
            assert_eq!(base(bad), Err(BaseUrlError(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_path_goes_after_the_address_and_never_to_another_server() {
        let bare = base("https://login.salesforce.com").unwrap();
        assert_eq!(bare.at("/services/data?a=b").unwrap().as_str(), "https://login.salesforce.com/services/data?a=b");
        let below = base("http://127.0.0.1:9/alcmeon/").unwrap();
        assert_eq!(below.at("actions").unwrap().as_str(), "http://127.0.0.1:9/alcmeon/actions");
        for bad in ["//evil.example/x", "https://evil.example/", "http://login.salesforce.com/"] {
            assert!(bare.at(bad).is_err() && below.at(bad).is_err(), "{bad}");
        }
    }
}
