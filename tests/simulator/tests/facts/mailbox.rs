//! The mailbox: SMTP in, JSON and pages out.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::world::World;

/// A client that speaks SMTP line by line.
struct Smtp(BufReader<TcpStream>);

impl Smtp {
    async fn connect(world: &World) -> Self {
        let mut client = Self(BufReader::new(TcpStream::connect(world.simulator.smtp).await.expect("connected")));
        assert_eq!(client.answer().await, "220 mailbox.localhost ESMTP");
        client
    }

    /// The last line of an answer.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("a line");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Sends a line; answers the code that came back.
    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.expect("sent");
        self.answer().await[..3].to_owned()
    }

    async fn send(&mut self, to: &[&str], content: &str) -> String {
        assert_eq!(self.say("MAIL FROM:<switchyard@x.org> SIZE=500").await, "250");
        for address in to {
            assert_eq!(self.say(&format!("RCPT TO:<{address}>")).await, "250");
        }
        assert_eq!(self.say("DATA").await, "354");
        self.say(&format!("{content}\r\n.")).await
    }
}

async fn mails(world: &World, query: &str) -> Vec<Value> {
    let url = format!("{}/api/mails{query}", world.simulator.mailbox);
    world.http.get(url).send().await.expect("an answer").json().await.expect("a list")
}

async fn page(world: &World, path: &str) -> String {
    let url = format!("{}{path}", world.simulator.mailbox);
    world.http.get(url).send().await.expect("an answer").text().await.expect("a page")
}

const BOTH: &str = "From: Switchyard <switchyard@x.org>\r\nTo: ada@x.org\r\nSubject: =?utf-8?q?Caf=C3=A9?= & co\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
first\r\n..dotted\r\n--b\r\nContent-Type: text/html\r\n\r\n<p class=\"x\">first</p>\r\n--b--";

#[tokio::test]
async fn a_mail_is_parsed_and_shown() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    assert_eq!(smtp.say("EHLO test").await, "250");
    assert_eq!(smtp.send(&["ada@x.org", "bob@x.org"], BOTH).await, "250");
    let mails = mails(&world, "").await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["from"], "switchyard@x.org");
    assert_eq!(mails[0]["to"], json!(["ada@x.org", "bob@x.org"]));
    assert_eq!(mails[0]["subject"], "Café & co");
    assert_eq!(mails[0]["text"].as_str().map(|text| text.replace('\r', "")).as_deref(), Some("first\n.dotted"));
    assert_eq!(mails[0]["html"], "<p class=\"x\">first</p>");
    assert!(page(&world, "/").await.contains("Café &amp; co"));
    let shown = page(&world, "/mails/1").await;
    assert!(shown.contains("<iframe sandbox=\"\"") && shown.contains("&lt;p class=&quot;x&quot;&gt;"), "{shown}");
    assert_eq!(smtp.say("QUIT").await, "221");
}

#[tokio::test]
async fn a_mail_of_text_alone_has_no_html_and_the_other_way_round() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("HELO test").await;
    smtp.send(&["a@x.org"], "Subject: plain\r\n\r\nwords").await;
    smtp.send(&["a@x.org"], "Subject: rich\r\nContent-Type: text/html\r\n\r\n<b>words</b>").await;
    let mails = mails(&world, "").await;
    assert_eq!((mails[0]["text"].as_str().map(str::trim), &mails[0]["html"]), (Some("words"), &json!(null)));
    assert_eq!((&mails[1]["text"], mails[1]["html"].as_str().map(str::trim)), (&json!(null), Some("<b>words</b>")));
}

#[tokio::test]
async fn a_long_poll_answers_when_the_mail_is_there() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("EHLO test").await;
    let (waited, sent) = tokio::join!(mails(&world, "?at_least=2&wait_ms=60000"), async {
        smtp.send(&["a@x.org"], "Subject: 1\r\n\r\nx").await;
        smtp.send(&["a@x.org"], "Subject: 2\r\n\r\nx").await
    },);
    assert_eq!((waited.len(), sent.as_str()), (2, "250"));
    assert_eq!(mails(&world, "?at_least=3&wait_ms=1").await.len(), 2);
    world.http.delete(format!("{}/api/mails", world.simulator.mailbox)).send().await.expect("cleared");
    assert_eq!(mails(&world, "").await.len(), 0);
}

#[tokio::test]
async fn a_mailbox_may_refuse_once_or_always() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("EHLO test").await;
    for (mood, codes) in
        [("refuse_once", ["451", "250"]), ("refuse_all", ["451", "451"]), ("reject_all", ["554", "554"])]
    {
        set(&world, "mood", json!({"mood": mood})).await;
        for code in codes {
            assert_eq!(smtp.send(&["a@x.org"], "Subject: x\r\n\r\nx").await, code, "{mood}");
        }
    }
    assert_eq!(mails(&world, "").await.len(), 1);
}

async fn set(world: &World, path: &str, body: Value) {
    let url = format!("{}/control/{path}", world.simulator.mailbox);
    let set = world.http.request(Method::PUT, url).json(&body).send().await.expect("an answer");
    assert_eq!(set.status(), 200);
}

#[tokio::test]
async fn one_recipient_is_refused_and_the_others_get_the_mail() {
    let world = World::start().await;
    set(&world, "recipients", json!({"bob@x.org": 550, "eve@x.org": 451})).await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("EHLO test").await;
    smtp.say("MAIL FROM:<switchyard@x.org>").await;
    for (recipient, code) in [("ada@x.org", "250"), ("bob@x.org", "550"), ("eve@x.org", "451")] {
        assert_eq!(smtp.say(&format!("RCPT TO:<{recipient}>")).await, code, "{recipient}");
    }
    assert_eq!(smtp.say("DATA").await, "354");
    assert_eq!(smtp.say("Message-ID: <1@x.org>\r\nSubject: x\r\n\r\nx\r\n.").await, "250");
    let mails = mails(&world, "").await;
    assert_eq!((&mails[0]["to"], &mails[0]["headers"]["message-id"]), (&json!(["ada@x.org"]), &json!("<1@x.org>")));
    set(&world, "recipients", json!({})).await;
    assert_eq!(smtp.send(&["bob@x.org"], "Subject: x\r\n\r\nx").await, "250");
}

#[tokio::test]
async fn a_mute_server_says_nothing_until_the_client_leaves_and_greets_the_next_one_after_it_was_mended() {
    let world = World::start().await;
    set(&world, "mood", json!({"mood": "mute"})).await;
    let mut mute = BufReader::new(TcpStream::connect(world.simulator.smtp).await.expect("connected"));
    mute.write_all(b"EHLO test\r\n").await.expect("sent");
    mute.shutdown().await.expect("said goodbye");
    assert_eq!(mute.read_line(&mut String::new()).await.expect("the end"), 0, "not one line came");
    set(&world, "mood", json!({"mood": "mute_after_mail"})).await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("EHLO test").await;
    assert_eq!(smtp.send(&["a@x.org"], "Subject: x\r\n\r\nx").await, "250");
    smtp.0.write_all(b"QUIT\r\n").await.expect("sent");
    smtp.0.shutdown().await.expect("said goodbye");
    assert_eq!(smtp.0.read_line(&mut String::new()).await.expect("the end"), 0, "the mail was taken, and no more said");
    let clients = format!("{}/control/clients?at_least=2&wait_ms=60000", world.simulator.mailbox);
    let clients: u64 = world.http.get(clients).send().await.expect("an answer").json().await.expect("a number");
    assert_eq!(clients, 2);
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_reset_begins_anew() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    for (line, code) in [
        ("EHLO test", "250"),
        ("RCPT TO:<a@x.org>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:nobody", "501"),
        ("MAIL FROM:<a@x.org> SIZE=99999999", "552"),
        ("MAIL FROM:<a@x.org>", "250"),
        ("MAIL FROM:<a@x.org>", "503"),
        ("RSET", "250"),
        ("MAIL FROM:<> BODY=8BITMIME SMTPUTF8", "250"),
        ("RCPT TO:<>", "501"),
        ("rcpt to:<jürgen@x.org>", "250"),
        ("NOOP", "250"),
        ("WHAT", "500"),
        ("QUIT", "221"),
    ] {
        assert_eq!(smtp.say(line).await, code, "{line}");
    }
}

#[tokio::test]
async fn the_newest_five_hundred_are_kept() {
    let world = World::start().await;
    let mut smtp = Smtp::connect(&world).await;
    smtp.say("EHLO test").await;
    for number in 1..=502 {
        smtp.send(&["a@x.org"], &format!("Subject: {number}\r\n\r\nx")).await;
    }
    let mails = mails(&world, "").await;
    assert_eq!((mails.len(), &mails[0]["subject"], &mails[499]["subject"]), (500, &json!("3"), &json!("502")));
}
