//! Sends mails over SMTP.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::Deserialize;

use crate::domain::Secret;

/// The SMTP server that takes the mails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub host: String,
    /// Its port; 465 for `tls`, 587 for `starttls`, 25 for `none`, where not given.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The user, where the server asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Who the mails are from.
    pub from: String,
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, and nothing without it.
    #[default]
    Starttls,
    /// Nothing; only for a server on this machine itself.
    None,
}

/// Why a mail was not sent, or never can be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that is none: mend the configuration.
    #[error("`{0}` is not a mail address")]
    Address(String),
    /// The server cannot be used like this: mend the configuration.
    #[error("mail: {0}")]
    Config(String),
    /// Try again later.
    #[error("the mail was not taken: {0}")]
    NotTaken(String),
}

/// A mail in both forms.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For programs that show HTML.
    pub html: String,
}

/// Sends mails, over connections that are kept open.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let wrong = |error: lettre::transport::smtp::Error| Error::Config(error.to_string());
        let mut builder = match config.security {
            Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&config.host).map_err(wrong)?,
            Security::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&config.host).map_err(wrong)?,
            Security::None if config.password.is_some() => {
                return Err(Error::Config("a password is not sent without TLS".to_owned()));
            }
            Security::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host),
        };
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        let timeout = std::time::Duration::from_secs(30);
        Ok(Self { transport: builder.timeout(Some(timeout)).build(), from: address(&config.from)? })
    }

    /// Sends one mail to all recipients.
    ///
    /// # Errors
    /// When an address is none, or the server does not take the mail.
    pub async fn send(&self, to: &[String], mail: &Mail) -> Result<(), Error> {
        let mut message = Message::builder().from(self.from.clone()).subject(&mail.subject);
        for recipient in to {
            message = message.to(address(recipient)?);
        }
        let parts = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
        let message = message.multipart(parts).map_err(|error| Error::Config(error.to_string()))?;
        self.transport.send(message).await.map_err(|error| Error::NotTaken(error.to_string()))?;
        Ok(())
    }
}

/// Whether a text is a mail address, with or without a name.
///
/// # Errors
/// Names the text that is none.
pub fn check(text: &str) -> Result<(), Error> {
    address(text).map(|_| ())
}

fn address(text: &str) -> Result<Mailbox, Error> {
    text.parse().map_err(|_| Error::Address(text.to_owned()))
}
