//! The mailroom: carries messages out of the house, each as a task of its own.
//!
//! Invariants:
//! - Every message ends as `Input::Delivered`, within its channel's time limit.
//! - One destination that hangs delays no other: tasks are independent, pages and other messages
//!   and each channel have places of their own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::clock::wall_now;
use crate::domain::channel::{Channel, File};
use crate::domain::delivery::{address_of, channel_of};
use crate::domain::elsewhere::Closing;
use crate::domain::text::{fit, hex};
use crate::domain::words::{AttemptResult, DeliveryKind, Severity};
use crate::keeper::gate::Gate;
use crate::keeper::turn::{Input, Job, JobItem};
use crate::keeper::writer::Mail;
use crate::notify::message::{self, About, Kind, Message, Signal};
use crate::notify::send::{Context, Outcome, send};

/// Pages of one channel that are under way at once, and other messages; one that hangs takes a
/// place until its time limit.
const PAGES_MAX: usize = 128;
const OTHERS_MAX: usize = 32;
/// Where pages go that have no other way: below the home directory.
pub const PAGES_FILE: &str = "pages.jsonl";

/// Carries messages out of the house.
pub struct Mailroom {
    gate: Arc<Gate>,
    inbox: mpsc::WeakSender<Mail>,
    runtime: Handle,
    home: PathBuf,
    host: String,
    /// Places by channel and whether it is a page.
    places: Mutex<HashMap<(String, bool), Arc<Semaphore>>>,
    under_way: Arc<Mutex<HashMap<u64, AbortHandle>>>,
}

impl Mailroom {
    /// A mailroom that reports into `inbox`; files of pages lie below `home`.
    pub fn new(
        gate: Arc<Gate>,
        inbox: mpsc::WeakSender<Mail>,
        runtime: Handle,
        home: PathBuf,
        host: String,
    ) -> Self {
        Self {
            gate,
            inbox,
            runtime,
            home,
            host,
            places: Mutex::default(),
            under_way: Arc::default(),
        }
    }

    /// Sends a message; what became of it goes into the inbox.
    pub fn send(&self, job: Job) {
        let name = channel_of(&job.destination.method).to_owned();
        let channel = self.gate.channel(&name).or_else(|| builtin(&name));
        let asks = matches!(job.kind, DeliveryKind::Page | DeliveryKind::Handover);
        let places = self.places_of(&name, asks);
        let context = Context { home: self.home.clone(), host: self.host.clone(), now: wall_now() };
        let key = job.ticket;
        let work = async move {
            let Some(channel) = channel else {
                let detail = format!("the plan has no channel '{name}'; add [channels.{name}]");
                return (AttemptResult::Refused, detail, 0);
            };
            let Ok(_place) = places.acquire().await else {
                return (AttemptResult::Cancelled, "the keeper ends".to_owned(), 0);
            };
            let message = message(&job);
            // A file is for everybody: whose page it is stands in its line.
            let address = match (&channel, address_of(&job.destination.method)) {
                (Channel::File(_), "") => job.destination.to.as_str(),
                (_, address) => address,
            };
            let outcome = send(&channel, address, &message, &context).await;
            result(&channel, outcome)
        };
        let task = self.runtime.spawn(work);
        self.lock().insert(key, task.abort_handle());
        let (inbox, under_way) = (self.inbox.clone(), Arc::clone(&self.under_way));
        drop(self.runtime.spawn(async move {
            let (result, detail, wait_ms) = task.await.unwrap_or_else(|error| {
                if error.is_cancelled() {
                    let detail = "called back; it may have arrived all the same".to_owned();
                    (AttemptResult::Cancelled, detail, 0)
                } else {
                    (AttemptResult::Failed, "the driver failed; look at keeper.log".to_owned(), 0)
                }
            });
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            let input = Input::Delivered { ticket: key, result, detail, wait_ms };
            if let Some(inbox) = inbox.upgrade() {
                drop(inbox.send(Mail::Input(input)).await);
            }
        }));
    }

    /// Calls back what is under way; its end is reported like any other.
    pub fn recall(&self, ticket: u64) {
        if let Some(task) = self.lock().get(&ticket) {
            task.abort();
        }
    }

    fn places_of(&self, channel: &str, is_page: bool) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if is_page { PAGES_MAX } else { OTHERS_MAX };
        let fresh = || Arc::new(Semaphore::new(count));
        Arc::clone(places.entry((channel.to_owned(), is_page)).or_insert_with(fresh))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Channels that need no line in a plan.
fn builtin(name: &str) -> Option<Channel> {
    (name == "file").then(|| Channel::File(File { path: PAGES_FILE.to_owned() }))
}

/// A program that ended well is a gateway that took it; a file proves nothing but that it is there.
fn result(channel: &Channel, outcome: Outcome) -> (AttemptResult, String, i64) {
    match outcome {
        Outcome::HandedOver { proof } if matches!(channel, Channel::Program(_)) => {
            (AttemptResult::Accepted, proof, 0)
        }
        Outcome::HandedOver { proof } => (AttemptResult::HandedOver, proof, 0),
        Outcome::Accepted { code, proof } => {
            // Some say their code themselves.
            let code = code.to_string();
            let is_said = proof.split_whitespace().any(|word| word == code);
            let words = if is_said { proof } else { format!("{code} {proof}") };
            (AttemptResult::Accepted, words.trim().to_owned(), 0)
        }
        Outcome::Failed { reason, permanent: true, .. } => (AttemptResult::Refused, reason, 0),
        Outcome::Failed { reason, permanent: false, retry_after_ms } => {
            let wait_ms = retry_after_ms.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
            (AttemptResult::Failed, reason, wait_ms)
        }
    }
}

/// What a job says.
pub fn message(job: &Job) -> Message {
    let kind = match job.kind {
        DeliveryKind::Page => Kind::Page,
        DeliveryKind::Handover => Kind::Handoff,
        DeliveryKind::Inform => Kind::Brief,
        DeliveryKind::Update => Kind::Update,
    };
    if let Some(closing) = job.closing {
        let signal = match closing {
            Closing::Acknowledge => Signal::Acknowledge,
            Closing::Resolve => Signal::Resolve,
        };
        let incidents = job.items.iter().map(about).collect();
        return Message { signal, kind, subject: subject(job), incidents, ..Message::default() };
    }
    if job.kind == DeliveryKind::Update {
        let (subject, text) = job.update.clone().unwrap_or_default();
        // Nothing but its words: what is inside of the incident is not for its readers.
        return Message {
            id: outside_id(&job.items),
            kind,
            signal: Signal::Trigger,
            subject,
            text,
            to_name: job.name.clone(),
            language: job.language.clone(),
            ..Message::default()
        };
    }
    let briefs: Vec<&str> =
        job.items.iter().map(|i| i.brief.as_str()).filter(|b| !b.is_empty()).collect();
    let how = [
        job.items.iter().any(|item| item.code.is_some()).then_some(
            "Acknowledge in the console, with 'warroom ack INC-…', or with 'warroom ack --code CODE'.",
        ),
        job.items.iter().any(|item| !item.brief.is_empty()).then_some(
            "Take what is offered in the console, or with 'warroom handover INC-… --accept'; until \
             then it stays where it is ('--refuse WHY' says that you cannot).",
        ),
    ];
    let how = how
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .chain(what_to_do(job))
        .collect::<Vec<_>>()
        .join("\n");
    let mut items: Vec<&JobItem> = job.items.iter().collect();
    items.sort_by_key(|item| urgency(item));
    Message {
        id: message_id(&job.items),
        kind,
        signal: Signal::Trigger,
        subject: subject(job),
        // What woke somebody stands first: how to answer is known, or stands below.
        text: briefs.join("\n\n"),
        closing: how,
        urgent: kind == Kind::Page,
        incidents: items.into_iter().map(about).collect(),
        to_name: job.name.clone(),
        // The words are ours, whatever the person reads: a voice that speaks them must know.
        language: "en".to_owned(),
        ..Message::default()
    }
}

/// Names a message by all that is in it: the first attempt, and for a bundle a digest of all of
/// them. Where a repetition takes along what has come since, it is another message, and no receiver
/// that knows the first one drops it.
fn message_id(items: &[JobItem]) -> String {
    use sha2::{Digest as _, Sha256};
    let name = |item: &JobItem| format!("{}-{}-{}", item.incident, item.delivery, item.attempt);
    let mut names: Vec<String> = items.iter().map(name).collect();
    // The same items are the same message, in whatever order a restart finds them.
    names.sort_unstable();
    match names.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, ..] => {
            let digest = hex(&Sha256::digest(names.join(" "))[..6]);
            format!("{first}-{digest}")
        }
    }
}

/// The same for those outside: they do not read how we number what fails.
fn outside_id(items: &[JobItem]) -> String {
    use sha2::{Digest as _, Sha256};
    hex(&Sha256::digest(format!("update {}", message_id(items)))[..12])
}

/// Hints of one message.
const HINTS_MAX: usize = 4;

fn subject(job: &Job) -> String {
    // What waits for an answer stands before what is offered or told with it.
    let worst = job.items.iter().min_by_key(|item| urgency(item));
    let Some(worst) = worst else { return "nothing".to_owned() };
    let title = fit(&worst.title, 90).into_owned();
    let more = match job.items.len() {
        0 | 1 => String::new(),
        n => format!(" (+{} more{})", n - 1, missed_beside(job, worst)),
    };
    // What is told for information is why it is told: a promise or a limit that was not kept.
    let is_told = job.items.len() == 1 || message::urgency(&worst.why) < message::QUIET;
    if job.kind == DeliveryKind::Inform && is_told && !worst.why.is_empty() {
        let why = fit(&worst.why, 120);
        return format!("[{}] {} {why}: {title}{more}", worst.severity, worst.incident);
    }
    let word = match job.kind {
        DeliveryKind::Page => "",
        DeliveryKind::Handover => "hand-over: ",
        DeliveryKind::Inform => "for information: ",
        DeliveryKind::Update => "update: ",
    };
    format!("{word}[{}] {} {title}{more}", worst.severity, worst.incident)
}

/// What to do about what was not kept, each thing once.
fn what_to_do(job: &Job) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let is_told = matches!(job.kind, DeliveryKind::Inform | DeliveryKind::Page);
    for item in job.items.iter().filter(|item| is_told && item.code.is_none()) {
        let (id, why) = (item.incident, item.why.as_str());
        let is_late = why.contains("NOT TOLD");
        let hint = match () {
            () if is_late && why.contains(": press ") => format!(
                "Whoever speaks to the press answers: 'warroom press {id} --answer N TEXT' ('u s')."
            ),
            () if is_late && why.contains("NOT REACHED") || why.contains("NOT ALL GOT IT") => {
                format!(
                    "Reach them by another way, and log it: 'warroom tell {id} WHO TEXT' ('u l')."
                )
            }
            () if is_late => format!("Tell them: 'warroom update {id} --for …' ('u u')."),
            () if message::urgency(why) < message::QUIET => {
                format!("What the law wants by when: 'warroom obligation list {id}'.")
            }
            () => continue,
        };
        if !all.contains(&hint) {
            all.push(hint);
        }
    }
    all.truncate(HINTS_MAX);
    all
}

/// That beside what stands first a limit of the law is over.
fn missed_beside(job: &Job, worst: &JobItem) -> &'static str {
    let is_it = |item: &&JobItem| item.why.contains("MISSED") && *item != worst;
    if job.items.iter().any(|item| is_it(&item)) { ", the law's limit MISSED" } else { "" }
}

/// What stands first in a message about several: what waits for an answer, then what was not kept.
fn urgency(item: &JobItem) -> (bool, u8, Severity) {
    (item.code.is_none(), message::urgency(&item.why), item.severity)
}

fn about(item: &JobItem) -> About {
    About {
        id: item.incident.to_string(),
        key: format!("{}-{}", item.incident, item.delivery),
        title: item.title.clone(),
        severity: item.severity.to_string(),
        services: item.services.clone(),
        why: item.why.clone(),
        ack_code: item.code.clone(),
        url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::duty::Destination;
    use crate::domain::ids::IncidentId;

    #[test]
    fn what_was_not_kept_is_the_subject_of_words_about_several() {
        let item = |id: u32, severity: Severity, why: &str| JobItem {
            severity,
            title: format!("title {id}"),
            why: why.to_owned(),
            ..JobItem::bare(IncidentId(id), 1)
        };
        let late = "gdpr authority: MISSED, it was due 2m ago; ".to_owned() + &"x ".repeat(400);
        let items = vec![
            item(1, Severity::Sev1, "a hand-over was taken"),
            item(2, Severity::Sev3, &late),
            item(3, Severity::Sev2, "NOT TOLD in time: support (due 13:50)"),
        ];
        let job = Job {
            ticket: 1,
            destination: Destination { to: "ann".to_owned(), method: "mail:a@x.y".to_owned() },
            kind: DeliveryKind::Inform,
            closing: None,
            name: String::new(),
            language: String::new(),
            sendings: Vec::new(),
            items,
            update: None,
        };
        let said = message(&job);
        assert!(said.subject.starts_with("[SEV3] INC-2 gdpr authority: MISSED"), "{said:?}");
        assert!(said.subject.ends_with("title 2 (+2 more)"), "{said:?}");
        let text = said.tidy().plain();
        assert!(text.contains(late.trim_end()), "all of it is told: {text}");
        let order: Vec<_> =
            ["INC-2 SEV3", "INC-3 SEV2", "INC-1 SEV1"].iter().map(|id| text.find(id)).collect();
        assert!(order.is_sorted(), "{text}");
        for hint in ["'warroom update INC-3 --for …'", "'warroom obligation list INC-2'"] {
            assert!(text.contains(hint), "{text}");
        }
        assert!(said.sms().starts_with("SEV3 INC-2 title 2: gdpr"), "{}", said.sms());
    }
}
