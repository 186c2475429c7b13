//! Sends mails over SMTP: to each recipient a message of its own, within a bounded time.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::{Secret, Timestamp};

/// How long a server that has taken a mail may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// The last millisecond of the year 9999: no later date can be written in a mail.
const LAST_DATE: u64 = 253_402_300_799_999;

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
    /// How long handing over one mail may take, from the connection to the server's last answer, in milliseconds.
    #[serde(default = "half_a_minute")]
    pub timeout_ms: u64,
}

const fn half_a_minute() -> u64 {
    30_000
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
    /// The server refuses this mail to this address for good: do not send it again. Others may get theirs.
    #[error("the mail was refused for good: {0}")]
    Permanent(String),
    /// Try again later.
    #[error("the mail was not taken: {0}")]
    NotTaken(String),
}

/// What tells a mail apart from others.
#[derive(Debug, Clone)]
pub struct Head {
    /// No other mail of this host has it. The `Message-ID` is made from it and the recipient.
    pub id: String,
    /// The `id` of the mail to the same recipient that it continues.
    pub replies_to: Option<String>,
    /// The date.
    pub at: Timestamp,
}

/// What a mail says, in both forms.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For programs that show HTML.
    pub html: String,
}

/// Sends mails, over a connection for each.
pub struct Mailer {
    host: String,
    port: u16,
    security: Security,
    /// `None` only without TLS.
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    /// How this host introduces itself.
    name: ClientId,
    from: Mailbox,
    timeout: Duration,
}

impl Mailer {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let (port, encrypted) = match config.security {
            Security::Tls => (smtp::SUBMISSIONS_PORT, true),
            Security::Starttls => (smtp::SUBMISSION_PORT, true),
            Security::None => (smtp::SMTP_PORT, false),
        };
        if !encrypted && config.password.is_some() {
            return Err(Error::Config("a password is not sent without TLS".to_owned()));
        }
        if config.timeout_ms == 0 {
            return Err(Error::Config("timeout_ms: 1 or more is needed".to_owned()));
        }
        let tls = encrypted.then(|| TlsParameters::new(config.host.clone())).transpose();
        let credentials = config.user.clone().zip(config.password.as_ref());
        Ok(Self {
            host: config.host.clone(),
            port: config.port.unwrap_or(port),
            security: config.security,
            tls: tls.map_err(|error| Error::Config(error.to_string()))?,
            credentials: credentials.map(|(user, password)| Credentials::new(user, password.reveal().to_owned())),
            name: ClientId::default(),
            from: address(&config.from)?,
            timeout: Duration::from_millis(config.timeout_ms),
        })
    }

    /// Sends a mail to one recipient, and returns when the server has taken it or the time is over.
    ///
    /// # Errors
    /// `Permanent` when the server refuses this recipient or this mail for good; `NotTaken` for everything that may
    /// pass, and for what the server has against this host instead of the recipient.
    pub async fn send(&self, to: &str, head: &Head, mail: &Mail) -> Result<(), Error> {
        let message = self.compose(to, head, mail)?;
        let silent = || Error::NotTaken(format!("no answer within {} ms", self.timeout.as_millis()));
        let taken = tokio::time::timeout(self.timeout, self.hand_over(&message)).await;
        let mut connection = taken.map_err(|_| silent())??;
        // Whether the server says goodbye changes nothing: it has the mail.
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }

    fn compose(&self, to: &str, head: &Head, mail: &Mail) -> Result<Message, Error> {
        let date = UNIX_EPOCH + Duration::from_millis(head.at.as_millis().min(LAST_DATE));
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(address(to)?)
            .date(date)
            .message_id(Some(self.message_id(&head.id, to)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .subject(&mail.subject);
        if let Some(first) = &head.replies_to {
            let first = self.message_id(first, to);
            message = message.in_reply_to(first.clone()).references(first);
        }
        let parts = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
        message.multipart(parts).map_err(|error| Error::Config(error.to_string()))
    }

    /// 128 bits of SHA-256, at the domain that mails come from.
    fn message_id(&self, id: &str, to: &str) -> String {
        let hash = Sha256::new().chain_update(id.len().to_be_bytes()).chain_update(id).chain_update(to).finalize();
        format!("<{}@{}>", hex::encode(&hash[..16]), self.from.email.domain())
    }

    /// The connection once the server has the message. What the server says before it is told the recipient is about
    /// this host: it never counts against the recipient.
    async fn hand_over(&self, message: &Message) -> Result<AsyncSmtpConnection, Error> {
        let mut connection = self.connect().await.map_err(not_taken)?;
        let (envelope, content) = (message.envelope(), message.formatted());
        let mut parameters = Vec::new();
        let addresses = envelope.from().into_iter().chain(envelope.to());
        if addresses.into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Error::Permanent("the server takes no address with such characters".to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !content.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        connection.command(From::new(envelope.from().cloned(), parameters)).await.map_err(not_taken)?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(refused)?;
        }
        connection.command(Data).await.map_err(refused)?;
        connection.message(&content).await.map_err(refused)?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let wrapped = self.tls.clone().filter(|_| self.security == Security::Tls);
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, None, &self.name, wrapped, None).await?;
        if let (Security::Starttls, Some(tls)) = (self.security, &self.tls) {
            connection.starttls(tls.clone(), &self.name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// Whether a text is a mail address, with or without a name.
///
/// # Errors
/// Names the text that is none.
pub fn check(text: &str) -> Result<(), Error> {
    address(text).map(|_| ())
}

fn not_taken(error: smtp::Error) -> Error {
    Error::NotTaken(error.to_string())
}

fn refused(error: smtp::Error) -> Error {
    if error.is_permanent() { Error::Permanent(error.to_string()) } else { not_taken(error) }
}

fn address(text: &str) -> Result<Mailbox, Error> {
    text.parse().map_err(|_| Error::Address(text.to_owned()))
}
