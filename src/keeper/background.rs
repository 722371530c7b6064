//! Work behind the writer: receipts, the text index, mending the twin's older segments.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::keeper::gate::Gate;
use crate::keeper::inbox::Inbox;
use crate::keeper::reads::Places;
use crate::keeper::turn::Input;
use crate::keeper::writer::Mail;
use crate::store::{text_index, verify};

/// How often receipts are written down.
const RECEIPTS_EVERY: Duration = Duration::from_secs(1);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Writes receipts down, until the writer goes.
pub async fn receipts(gate: Arc<Gate>, inbox: Inbox) {
    loop {
        gate.receipts_wait.notified().await;
        // Others of the same kind join within this second.
        tokio::time::sleep(RECEIPTS_EVERY).await;
        for receipt in gate.receipts() {
            if inbox.send(Mail::Input(Input::Receipt(receipt))).await.is_err() {
                return;
            }
        }
    }
}

/// Builds text index segments as the journal grows.
pub async fn index(places: Arc<Places>, gate: Arc<Gate>) {
    let mut indexed = 0;
    loop {
        let head = gate.seq.load(Ordering::Relaxed);
        if head < indexed + text_index::SEGMENT_EVENTS {
            gate.grown.notified().await;
            continue;
        }
        let worker = Arc::clone(&places);
        let built =
            tokio::task::spawn_blocking(move || text_index::build_next(&*worker.reader, head))
                .await;
        match built {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => indexed = head - head % text_index::SEGMENT_EVENTS,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the text index cannot grow");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, "the indexer failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Checks the whole chain in the database, and the twin's closed segments: after the start, and once a
/// day.
/// A damaged segment is mended; a damaged database is rebuilt at the next start, which is said.
pub fn mend(places: &Places) -> Option<u64> {
    let checked = catch_unwind(AssertUnwindSafe(|| verify::check_sled(&places.log, &mut |_| {})));
    let broken = match checked {
        Ok(Ok(verdict)) => verdict.broken,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("reading it failed".to_owned()),
    };
    if let Some(broken) = broken {
        tracing::error!(broken, "the database is damaged; restart the keeper: it is rebuilt then");
        if let Err(error) = std::fs::write(&places.paths.damaged, broken) {
            tracing::error!(%error, "the damage cannot be noted");
        }
        return None;
    }
    match verify::mend_twin(&places.paths.twin, &places.log) {
        Ok(0) => None,
        Ok(mended) => {
            tracing::warn!(mended, "segments of the twin were written anew");
            Some(mended)
        }
        Err(error) => {
            tracing::error!(%error, "the twin cannot be checked");
            None
        }
    }
}
