//! The driver for mail: hands one message to a relay (RFC 5321).
//!
//! Each command is sent by itself, so that what the relay said last is known when it falls silent,
//! and so that a relay that has taken the mail but does not take leave counts as what it is.
//!
//! Invariants:
//! - A mail counts as accepted only by a code 2xx after the final dot, and then for ever.
//! - With `starttls`, nothing but the greeting goes in the clear; there is no falling back.

use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use crate::domain::channel::{Smtp, TIMEOUT_S_MAX, Tls, host_and_port, is_domain};
use crate::notify::mail;
use crate::notify::message::Message;
use crate::notify::secrets::{Resolved, hide, read, read_ca};
use crate::notify::send::{Context, Outcome, Step};

/// How long a relay may take to say good-bye, in the background.
const FAREWELL: Duration = Duration::from_secs(2);

/// Hands the message to the relay.
pub(crate) async fn deliver(
    smtp: &Smtp,
    to: &str,
    message: &Message,
    context: &Context,
    step: &Step,
) -> Outcome {
    step.enter("secrets and certificates to be read");
    let password = match &smtp.password {
        None => None,
        Some(secret) => match read(secret).await {
            Ok(password) => Some(password),
            Err(e) => return Outcome::permanent(&e.to_string()),
        },
    };
    let mail = match mail::render(message, &smtp.from, to, &context.host, context.now) {
        Ok(mail) => mail,
        Err(e) => return Outcome::permanent(&e.to_string()),
    };
    let mut open = match connect(smtp, context, step).await {
        Ok(open) => open,
        Err(outcome) => return outcome,
    };
    let said = converse(&mut open, smtp, password.as_ref(), &mail, step).await;
    // The relay's answer stands; whether it also says good-bye does not matter any more.
    drop(tokio::spawn(tokio::time::timeout(FAREWELL, async move { open.abort().await })));
    match said {
        Ok(answer) => accepted(&answer),
        Err(Trouble { what, error }) => failed(&smtp.server, what, &error, password.as_ref()),
    }
}

/// What went wrong, and while doing what.
struct Trouble {
    what: &'static str,
    error: Error,
}

async fn connect(
    smtp: &Smtp,
    context: &Context,
    step: &Step,
) -> Result<AsyncSmtpConnection, Outcome> {
    let (host, port) = host_and_port(&smtp.server).map_err(|e| Outcome::permanent(&e))?;
    let hello = if is_domain(&context.host) { context.host.as_str() } else { "localhost" };
    let hello = ClientId::Domain(hello.to_owned());
    let tls = match smtp.tls {
        Tls::None => None,
        Tls::Starttls | Tls::Tls => Some(tls_for(smtp, host).await?),
    };
    let (at_once, later) = match smtp.tls {
        Tls::Tls => (tls, None),
        Tls::Starttls => (None, tls),
        Tls::None => (None, None),
    };
    // Half the time for the first address, so that a second one has its chance.
    let half = Duration::from_secs(u64::from(smtp.timeout_s.clamp(1, TIMEOUT_S_MAX))) / 2;
    step.enter("the relay's greeting");
    let said = |what, error| failed(&smtp.server, what, &error, None);
    let mut open =
        AsyncSmtpConnection::connect_tokio1((host, port), Some(half), &hello, at_once, None)
            .await
            .map_err(|e| said("connect", e))?;
    let Some(tls) = later else { return Ok(open) };
    if !open.can_starttls() {
        return Err(Outcome::permanent(&format!(
            "{} offers no STARTTLS, and mail does not go in the clear; \
             write tls = \"tls\" for a port with TLS from the first byte",
            smtp.server
        )));
    }
    step.enter("the relay to encrypt");
    open.starttls(tls, &hello).await.map_err(|e| said("encrypt", e))?;
    Ok(open)
}

/// Whom to trust; reads the system's certificates, so not on the runtime's threads.
async fn tls_for(smtp: &Smtp, host: &str) -> Result<TlsParameters, Outcome> {
    let pem = match &smtp.ca_file {
        None => None,
        Some(path) => Some(read_ca(path).await.map_err(|e| Outcome::permanent(&e))?),
    };
    let host = host.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        let mut builder = TlsParameters::builder(host);
        if let Some(pem) = pem {
            builder = builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(Certificate::from_pem(&pem)?);
        }
        builder.build()
    });
    match made.await {
        Ok(Ok(tls)) => Ok(tls),
        Ok(Err(e)) => Err(Outcome::permanent(&format!(
            "cannot prepare TLS with {}: {e}; correct ca_file or server in the plan",
            smtp.server
        ))),
        Err(e) => Err(Outcome::temporary(&format!("cannot prepare TLS: {e}"))),
    }
}

async fn converse(
    open: &mut AsyncSmtpConnection,
    smtp: &Smtp,
    password: Option<&Resolved>,
    mail: &mail::Mail,
    step: &Step,
) -> Result<Response, Trouble> {
    let during = |what| move |error| Trouble { what, error };
    if let (Some(user), Some(password)) = (&smtp.user, password) {
        step.enter("the relay to take the login");
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        open.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .await
            .map_err(during("log in"))?;
    }
    step.enter("the relay to take the sender");
    let from = Mail::new(Some(mail.from.clone()), Vec::new());
    open.command(from).await.map_err(during("name the sender"))?;
    step.enter("the relay to take the receiver");
    let to = Rcpt::new(mail.to.clone(), Vec::new());
    open.command(to).await.map_err(during("name the receiver"))?;
    step.enter("the relay to ask for the mail");
    open.command(Data).await.map_err(during("begin the mail"))?;
    step.enter("the relay's receipt; the mail may have been taken");
    open.message(&mail.bytes).await.map_err(during("hand over the mail"))
}

fn accepted(answer: &Response) -> Outcome {
    let code = u16::from(answer.code());
    let lines: Vec<&str> = answer.message().collect();
    let proof = format!("{code} {}", lines.join(" "));
    // 3xx asks for more: that is no receipt.
    if (200..300).contains(&code) {
        Outcome::accepted(code, &proof)
    } else {
        Outcome::temporary(&format!("the relay gave no receipt but '{proof}'"))
    }
}

fn failed(server: &str, what: &str, error: &Error, password: Option<&Resolved>) -> Outcome {
    let secrets: Vec<&Resolved> = password.into_iter().collect();
    let said = hide(&error.to_string(), &secrets);
    let reason = format!("could not {what} at {server}: {said}");
    // What the client itself refuses (no mechanism in common) it will refuse again.
    if error.is_permanent() || error.is_client() {
        Outcome::permanent(&reason)
    } else {
        Outcome::temporary(&reason)
    }
}
