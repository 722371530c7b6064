//! Checking the journal: the whole chain, both copies, and mending a twin's older segments.

use std::path::Path;

use crate::domain::event::Recorded;
use crate::domain::ids::Seq;
use crate::domain::text::hex;
use crate::store::batch::{Hash, Head, RawEvent, link, pack_end, unpack};
use crate::store::sled_log::SledLog;
use crate::store::{StoreError, twin};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Events whose place and hash are right, from the first on.
    pub sound: u64,
    pub head: Head,
    /// The first link that is broken, in words.
    pub broken: Option<String>,
}

impl Verdict {
    /// One line for people.
    pub fn words(&self, what: &str) -> String {
        match &self.broken {
            None => format!(
                "{what}: {} events, chain intact, head {}",
                self.sound,
                &hex(&self.head.hash)[..16]
            ),
            Some(text) => format!("{what}: {} events are sound, then {text}", self.sound),
        }
    }
}

/// Walks a chain event by event.
#[derive(Default)]
pub struct ChainCheck {
    head: Head,
    broken: Option<String>,
}

impl ChainCheck {
    /// Checks the next event; false when the chain is broken here.
    pub fn step(&mut self, event: RawEvent<'_>) -> bool {
        self.step_hash(event.seq, event.json, event.hash)
    }

    /// The same with the hash that was said for this very event.
    pub fn step_hash(&mut self, seq: Seq, json: &[u8], said: Option<Hash>) -> bool {
        if seq != self.head.seq + 1 {
            self.broken = Some(format!("event {} is missing", self.head.seq + 1));
            return false;
        }
        let hash = link(&self.head.hash, json);
        if said.is_some_and(|said| said != hash) {
            self.broken =
                Some(format!("the hash of event {seq} does not follow from those before it"));
            return false;
        }
        match serde_json::from_slice::<Recorded>(json) {
            Ok(event) if event.seq == seq => {}
            Ok(event) => {
                self.broken = Some(format!("event {seq} says that it is {}", event.seq));
                return false;
            }
            Err(error) => {
                self.broken = Some(format!("event {seq} cannot be read: {error}"));
                return false;
            }
        }
        self.head = Head { seq, hash };
        true
    }

    /// Goes past an event whose words are hidden: its hash is taken as it is said.
    pub fn skip(&mut self, seq: Seq, said: Hash) -> bool {
        if seq != self.head.seq + 1 {
            self.broken = Some(format!("event {} is missing", self.head.seq + 1));
            return false;
        }
        self.head = Head { seq, hash: said };
        true
    }

    /// The verdict so far.
    pub fn finish(self) -> Verdict {
        Verdict { sound: self.head.seq, head: self.head, broken: self.broken }
    }
}

/// Checks sled's copy from the first event on.
pub fn check_sled(log: &SledLog, progress: &mut dyn FnMut(u64)) -> Result<Verdict, StoreError> {
    let mut check = ChainCheck::default();
    let result = log.packs(0, &mut |first, bytes| {
        progress(first);
        unpack(first, bytes, &mut |event| check.step(event))
    });
    Ok(finish(check, &result))
}

/// Checks a twin, with no need of sled.
pub fn check_twin(dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verdict, StoreError> {
    let mut check = ChainCheck::default();
    let mut whole = 0;
    let result = twin::scan(dir, 0, &mut |first, bytes| {
        progress(first);
        let went_on = unpack(first, bytes, &mut |event| check.step(event))?;
        whole = first;
        Ok(went_on)
    });
    let mut verdict = finish(check, &result.map(|_| ()));
    let segments = twin::segments(dir)?;
    let goes_on = |first: &Seq| *first > whole && *first > verdict.sound + 1;
    let is_short = segments.last().is_some_and(|(first, _)| goes_on(first));
    let is_torn = match segments.iter().rev().find(|(first, _)| *first <= verdict.sound.max(1)) {
        Some((_, path)) => twin::scan_segment(path, &mut |_, _| Ok(true))?.torn,
        None => false,
    };
    if verdict.broken.is_none() && (is_short || is_torn) {
        verdict.broken = Some(format!("event {} is missing or damaged", verdict.sound + 1));
    }
    Ok(verdict)
}

fn finish(check: ChainCheck, result: &Result<(), StoreError>) -> Verdict {
    let mut verdict = check.finish();
    if let (None, Err(error)) = (&verdict.broken, result) {
        verdict.broken = Some(error.to_string());
    }
    verdict
}

/// Checks every closed segment of the twin against sled and writes damaged or missing ones anew.
/// The last segment belongs to the writer and is left alone. Returns how many were mended.
pub fn mend_twin(dir: &Path, log: &SledLog) -> Result<u64, StoreError> {
    let mut mended = 0;
    let mut expected = 1;
    let all = twin::segments(dir)?;
    let Some((last, _)) = all.last() else {
        return Ok(0);
    };
    for (index, (first, path)) in all.iter().enumerate() {
        if *first > expected {
            rewrite(dir, log, expected, *first)?;
            mended += 1;
        }
        if first == last {
            break;
        }
        let next = all[index + 1].0;
        let mut at = *first;
        let scan = twin::scan_segment(path, &mut |begin, bytes| {
            let (count, _) = pack_end(bytes).unwrap_or_default();
            let fits = begin == at;
            at = begin + u64::from(count);
            Ok(fits)
        })?;
        let end = scan.head.map_or(*first, |head| head.seq + 1);
        // A whole segment reaches up to the next one, unless that one is missing itself.
        expected = if end < next && segment_is_short(log, end, next)? && scan.torn {
            rewrite(dir, log, *first, next)?;
            mended += 1;
            next
        } else {
            end
        };
    }
    Ok(mended)
}

fn segment_is_short(log: &SledLog, end: Seq, next: Seq) -> Result<bool, StoreError> {
    let mut found = false;
    log.packs(end.saturating_sub(1), &mut |first, _| {
        found = first >= end && first < next;
        Ok(first < end)
    })?;
    Ok(found)
}

fn rewrite(dir: &Path, log: &SledLog, first: Seq, next: Seq) -> Result<(), StoreError> {
    let mut frames = Vec::new();
    log.packs(first - 1, &mut |begin, bytes| {
        if begin >= first && begin < next {
            twin::frame(&mut frames, begin, bytes);
        }
        Ok(begin < next)
    })?;
    twin::rewrite_segment(dir, first, &frames)
}
