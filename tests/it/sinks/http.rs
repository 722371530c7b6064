//! The sink that speaks HTTP/1.1.

use super::{Answer, Received, Shared, Wire};

/// Takes requests until the other side closes or an answer closes the connection.
pub(super) async fn serve(mut wire: Wire, number: usize, shared: &Shared) {
    while let Some(received) = read(&mut wire, number).await {
        let answer = shared.arrived(received);
        if reply(&mut wire, answer).await.is_none() {
            return;
        }
    }
}

async fn read(wire: &mut Wire, number: usize) -> Option<Received> {
    let head = String::from_utf8(wire.until(b"\r\n\r\n").await?).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let body = wire.exactly(length).await?;
    Some(Received {
        connection: number,
        is_encrypted: wire.is_encrypted,
        method,
        path,
        headers,
        body,
        wire: wire.all.clone(),
        ..Received::default()
    })
}

/// `None` when the connection is over.
async fn reply(wire: &mut Wire, answer: Answer) -> Option<()> {
    match answer {
        Answer::Ok => wire.write(&page(200, &[])).await,
        Answer::Status(code, headers) => wire.write(&page(code, &headers)).await,
        Answer::Slow(pause_ms) => wire.drip(&page(200, &[]), pause_ms).await,
        Answer::Hang => wire.hang().await,
        Answer::Garbage => {
            wire.write("\u{0}\u{1b}]0;no answer\u{7}\r\n\r\n").await?;
            None
        }
        Answer::Close => None,
    }
}

fn page(code: u16, headers: &[(String, String)]) -> String {
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {code} Said\r\n{}", lines.concat());
    if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        return format!("{head}\r\n");
    }
    let body = format!("answer {code}\nsecond line\n");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}
