//! The SMTP side: enough of RFC 5321 for any client to hand over a mail.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Mailbox, Mood};

/// The largest mail, in bytes; told to the client.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;
/// The longest command line, in bytes.
const LINE_LIMIT: u64 = 4_096;
/// Recipients of one mail.
const RECIPIENT_LIMIT: usize = 100;
/// A client silent for so long is left.
const IDLE: Duration = Duration::from_secs(300);

/// Talks with one client until it leaves.
pub(crate) async fn serve(mailbox: Arc<Mailbox>, stream: TcpStream) {
    mailbox.clients.send_modify(|count| *count += 1);
    let session =
        Session { mailbox, stream: BufReader::new(stream), sender: None, recipients: Vec::new(), taken: false };
    if let Err(error) = session.run().await {
        tracing::debug!(%error, "SMTP client left");
    }
}

struct Session {
    mailbox: Arc<Mailbox>,
    stream: BufReader<TcpStream>,
    /// Given by MAIL.
    sender: Option<String>,
    /// Given by RCPT.
    recipients: Vec<String>,
    /// Whether it has handed over a mail.
    taken: bool,
}

impl Session {
    async fn run(mut self) -> io::Result<()> {
        if self.mailbox.is(Mood::Mute) {
            return self.mute().await;
        }
        self.say("220 mailbox.localhost ESMTP\r\n").await?;
        loop {
            let Some(line) = self.line(LINE_LIMIT).await? else { return Ok(()) };
            if self.mailbox.is(Mood::MuteAfterMail) && self.taken {
                return self.mute().await;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.reset();
                    let size = format!("250-SIZE {SIZE_LIMIT}\r\n");
                    let answer = ["250-mailbox.localhost\r\n", &size, "250-8BITMIME\r\n", "250 SMTPUTF8\r\n"].concat();
                    self.say(&answer).await?;
                }
                "HELO" => {
                    self.reset();
                    self.say("250 mailbox.localhost\r\n").await?;
                }
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.reset();
                    self.say("250 2.0.0 Ok\r\n").await?;
                }
                "NOOP" => self.say("250 2.0.0 Ok\r\n").await?,
                "VRFY" => self.say("252 2.1.5 Cannot verify\r\n").await?,
                "QUIT" => return self.say("221 2.0.0 Bye\r\n").await,
                _ => self.say("500 5.5.2 Unknown command\r\n").await?,
            }
        }
    }

    /// Reads until the client leaves, and says nothing.
    async fn mute(&mut self) -> io::Result<()> {
        while self.line(SIZE_LIMIT as u64).await?.is_some() {}
        Ok(())
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.stream.write_all(answer.as_bytes()).await?;
        self.stream.flush().await
    }

    /// One line with its end; `None` when the client has gone. A line over the limit is an error.
    async fn line(&mut self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(limit);
        let read = tokio::time::timeout(IDLE, limited.read_until(b'\n', &mut line)).await;
        read.map_err(|_| io::ErrorKind::TimedOut)??;
        match line.last() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some((address, parameters)) = path(rest, "FROM:") else {
            return self.say("501 5.5.4 Syntax: MAIL FROM:<address>\r\n").await;
        };
        if self.sender.is_some() {
            return self.say("503 5.5.1 There is a sender already\r\n").await;
        }
        let size = parameters
            .split_whitespace()
            .find_map(|parameter| parameter.to_ascii_uppercase().strip_prefix("SIZE=")?.parse::<usize>().ok());
        if size.is_some_and(|size| size > SIZE_LIMIT) {
            return self.say("552 5.3.4 Message too large\r\n").await;
        }
        self.sender = Some(address.to_owned());
        self.say("250 2.1.0 Ok\r\n").await
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        if self.sender.is_none() {
            return self.say("503 5.5.1 MAIL first\r\n").await;
        }
        match path(rest, "TO:") {
            Some((address, _)) if !address.is_empty() => {
                if self.recipients.len() >= RECIPIENT_LIMIT {
                    return self.say("452 4.5.3 Too many recipients\r\n").await;
                }
                if let Some(refusal) = self.mailbox.refused(address) {
                    return self.say(&refusal).await;
                }
                self.recipients.push(address.to_owned());
                self.say("250 2.1.5 Ok\r\n").await
            }
            _ => self.say("501 5.5.4 Syntax: RCPT TO:<address>\r\n").await,
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.recipients.is_empty() {
            return self.say("503 5.5.1 RCPT first\r\n").await;
        }
        self.say("354 End data with <CR><LF>.<CR><LF>\r\n").await?;
        let mut content = Vec::new();
        let mut too_large = false;
        loop {
            let Some(line) = self.line(SIZE_LIMIT as u64).await? else { return Ok(()) };
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            // The rest of a mail that is too large is read and thrown away.
            too_large |= content.len() + line.len() > SIZE_LIMIT;
            if !too_large {
                content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
        let sender = self.sender.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        if too_large {
            return self.say("552 5.3.4 Message too large\r\n").await;
        }
        if let Some(refusal) = self.mailbox.refusal() {
            return self.say(refusal).await;
        }
        match self.mailbox.take(sender, recipients, &content) {
            Some(number) => {
                self.taken = true;
                self.say(&format!("250 2.0.0 Ok: queued as {number}\r\n")).await
            }
            None => self.say("554 5.6.0 Not a mail\r\n").await,
        }
    }
}

/// The address in `FROM:<a@b> SIZE=1`, and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let rest = rest.trim();
    let given = rest.get(..keyword.len())?;
    if !given.eq_ignore_ascii_case(keyword) {
        return None;
    }
    rest[keyword.len()..].trim_start().strip_prefix('<')?.split_once('>')
}
