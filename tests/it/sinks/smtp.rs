//! The sink that speaks SMTP (RFC 5321), with AUTH (RFC 4954) and STARTTLS (RFC 3207).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::{Answer, Received, Shared, Stage, Wire};

/// Takes mails until the other side closes or an answer closes the connection.
pub(super) async fn serve(
    mut wire: Wire,
    tls: Option<Arc<ServerConfig>>,
    number: usize,
    shared: &Shared,
) {
    let mut talk = Talk { tls, mail: Received { connection: number, ..Received::default() } };
    let greeting = shared.at(Stage::Greeting);
    if reply(&mut wire, &greeting, "220 sink ESMTP").await.is_none() {
        return;
    }
    loop {
        let Some(line) = wire.until(b"\r\n").await else { return };
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.eq_ignore_ascii_case("STARTTLS") {
            let Some(encrypted) = talk.encrypt(wire).await else { return };
            wire = encrypted;
            continue;
        }
        if talk.obey(&mut wire, &line, shared).await.is_none() {
            return;
        }
    }
}

struct Talk {
    tls: Option<Arc<ServerConfig>>,
    mail: Received,
}

impl Talk {
    async fn encrypt(&mut self, mut wire: Wire) -> Option<Wire> {
        let config = self.tls.take()?;
        wire.write("220 go ahead\r\n").await?;
        let stream = TlsAcceptor::from(config).accept(wire.stream).await.ok()?;
        let mut encrypted = Wire::new(stream, true);
        encrypted.all = wire.all;
        Some(encrypted)
    }

    async fn obey(&mut self, wire: &mut Wire, line: &str, shared: &Shared) -> Option<()> {
        let upper = line.to_ascii_uppercase();
        let verb = upper.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" => {
                let starttls = if self.tls.is_some() { "250-STARTTLS\r\n" } else { "" };
                let said = format!("250-sink\r\n{starttls}250 AUTH PLAIN LOGIN");
                reply(wire, &shared.at(Stage::Hello), &said).await
            }
            "AUTH" => {
                self.mail.login = login(wire, line).await;
                reply(wire, &shared.at(Stage::Login), "235 2.7.0 welcome").await
            }
            "MAIL" => {
                self.mail.sender = between(line);
                reply(wire, &shared.at(Stage::Sender), "250 2.1.0 ok").await
            }
            "RCPT" => {
                self.mail.receivers.push(between(line));
                reply(wire, &shared.at(Stage::Receiver), "250 2.1.5 ok").await
            }
            "DATA" => {
                reply(wire, &shared.at(Stage::Data), "354 go").await?;
                self.take(wire, shared).await
            }
            "QUIT" => {
                reply(wire, &shared.at(Stage::Quit), "221 bye").await?;
                None
            }
            _ => reply(wire, &Answer::Ok, "500 5.5.2 what?").await,
        }
    }

    async fn take(&mut self, wire: &mut Wire, shared: &Shared) -> Option<()> {
        let data = wire.until(b"\r\n.\r\n").await?;
        let text = String::from_utf8_lossy(&data[..data.len() - 3]).into_owned();
        let undone: String = text
            .split_inclusive("\r\n")
            .map(|line| line.strip_prefix('.').unwrap_or(line))
            .collect();
        self.mail.headers = headers(&undone);
        self.mail.body = undone.into_bytes();
        self.mail.wire.clone_from(&wire.all);
        self.mail.is_encrypted = wire.is_encrypted;
        let answer = shared.arrived(self.mail.clone());
        let number = self.mail.connection;
        self.mail = Received { connection: number, ..Received::default() };
        reply(wire, &answer, "250-2.0.0 Ok:\r\n250 2.0.0 queued as SINK42").await
    }
}

async fn login(wire: &mut Wire, line: &str) -> Option<(String, String)> {
    let decoded =
        |text: &str| STANDARD.decode(text.trim()).ok().and_then(|b| String::from_utf8(b).ok());
    let mut words = line.split(' ').skip(1);
    let mechanism = words.next()?.to_ascii_uppercase();
    let first = words.next().map(str::to_owned);
    if mechanism == "PLAIN" {
        let all = decoded(&first?)?;
        let mut parts = all.split('\0').skip(1);
        return Some((parts.next()?.to_owned(), parts.next()?.to_owned()));
    }
    let mut answers = Vec::new();
    for question in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
        wire.write(question).await?;
        let line = String::from_utf8(wire.until(b"\r\n").await?).ok()?;
        answers.push(decoded(&line)?);
    }
    let password = answers.pop()?;
    Some((answers.pop()?, password))
}

fn between(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}

/// The headers of a mail, folded lines joined.
fn headers(mail: &str) -> Vec<(String, String)> {
    let head = mail.split("\r\n\r\n").next().unwrap_or_default();
    let joined = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    joined
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// `None` when the connection is over.
async fn reply(wire: &mut Wire, answer: &Answer, good: &str) -> Option<()> {
    match answer {
        Answer::Ok => wire.write(&format!("{good}\r\n")).await,
        Answer::Status(code, words) => {
            let words = words.first().map_or("said the sink", |(_, words)| words);
            wire.write(&format!("{code} {words}\r\n")).await
        }
        Answer::Slow(pause_ms) => wire.drip(&format!("{good}\r\n"), *pause_ms).await,
        Answer::Hang => wire.hang().await,
        Answer::Garbage => wire.write("\u{1b}]0;no answer\u{7}\r\n").await,
        Answer::Close => None,
    }
}
