//! Runs the binary as a user would.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

/// A command with an environment of its own.
pub(crate) fn switchyard<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchyard"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it printed to each of its outputs.
pub(crate) fn printed(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A host that is running; killed when dropped.
pub(crate) struct Host {
    process: Child,
    log: BufReader<ChildStderr>,
    /// What it said before it answered.
    pub(crate) began: String,
    /// Where it answers.
    pub(crate) address: String,
}

impl Host {
    /// Returns when it answers.
    pub(crate) fn serve(config: &Path) -> Self {
        Self::serve_with(config, [])
    }

    /// The same, with more arguments.
    pub(crate) fn serve_with<const N: usize>(config: &Path, more: [&str; N]) -> Self {
        let mut process = switchyard(["serve", "--config"]).arg(config).args(more).spawn().expect("it starts");
        let mut log = BufReader::new(process.stderr.take().expect("a log"));
        let (mut seen, mut line) = (String::new(), String::new());
        while log.read_line(&mut line).expect("a line") > 0 {
            if let Some((_, address)) = line.trim_end().split_once("the host is running address=") {
                return Self { process, log, began: seen, address: address.to_owned() };
            }
            seen += &std::mem::take(&mut line);
        }
        let status = process.wait().expect("an end");
        panic!("it did not start ({status}):\n{seen}");
    }

    /// Sends a signal by name, and answers how it ended and what it said from its start on.
    pub(crate) fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let told = Command::new("kill").args(["-s", signal, &self.process.id().to_string()]).status().expect("kill");
        assert!(told.success(), "kill -s {signal}");
        let mut said = String::new();
        self.log.read_to_string(&mut said).expect("text");
        (self.process.wait().expect("an end"), said)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One request on a connection of its own, with the token `a-long-enough-secret`.
pub(crate) fn post(address: &str, path: &str, body: &str) -> String {
    let mut connection = std::net::TcpStream::connect(address).expect("a connection");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer a-long-enough-secret\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}
