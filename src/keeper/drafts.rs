//! Half-written texts that the keeper keeps for people, beside the journal.
//!
//! Invariants:
//! - A draft that was answered for is durable, whole, or it was refused with the reason.
//! - One that is longer than the store takes at once lies there in pieces: `login 0 name`, then
//!   `login 0 name 0 number` for each further piece.

use crate::proto::Reply;
use crate::store::sled_log::CHUNK_MAX;
use crate::store::{Reader, StoreError, Table};

/// The longest draft, in bytes.
const DRAFT_MAX: usize = 512 * 1024;
/// Drafts of one person.
const DRAFTS_MAX: usize = 32;
/// Bytes of drafts in one answer: well below the longest line.
const ANSWER_BYTES: usize = 600 * 1024;

type Entry = (Vec<u8>, Option<Vec<u8>>);

fn prefix_of(login: &str) -> Vec<u8> {
    let mut key = login.as_bytes().to_vec();
    key.push(0);
    key
}

/// All drafts of a person, by their names.
pub fn all(reader: &dyn Reader, login: &str) -> Result<Reply, StoreError> {
    let prefix = prefix_of(login);
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    reader.prefix(Table::Drafts, &prefix, &mut |key, value| {
        let key = &key[prefix.len()..];
        let name = key.split(|byte| *byte == 0).next().unwrap_or_default();
        match found.last_mut().filter(|(last, _)| last == name) {
            Some((_, text)) => text.extend_from_slice(value),
            None => found.push((name.to_vec(), value.to_vec())),
        }
        true
    })?;
    let mut bytes = 0;
    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let drafts = found.into_iter().take(DRAFTS_MAX).filter(|(_, text)| {
        bytes += text.len();
        bytes <= ANSWER_BYTES
    });
    Ok(Reply::Drafts { drafts: drafts.map(|(name, text)| (words(name), words(text))).collect() })
}

/// Whether a person has a draft of this name.
pub fn is_known(reader: &dyn Reader, login: &str, key: &str) -> Result<bool, StoreError> {
    let mut full = prefix_of(login);
    full.extend(key.bytes().filter(|byte| *byte != 0));
    let mut found = false;
    reader.prefix(Table::Drafts, &full, &mut |known, _| {
        found |= known.len() == full.len() || known[full.len()] == 0;
        !found
    })?;
    Ok(found)
}

/// Keeps a draft under a name in the place of what was there; an empty one is thrown away.
pub fn save(reader: &dyn Reader, login: &str, key: &str, text: &str) -> Result<(), StoreError> {
    let prefix = prefix_of(login);
    let mut name: String = key.chars().filter(|c| *c != '\0').collect();
    crate::domain::text::cut_bytes(&mut name, 100);
    if text.len() > DRAFT_MAX {
        // Cut, it could not be read again.
        return Err(StoreError::Refused(format!(
            "the draft has {} KiB, more than {} can be kept; finish it or put it into a file",
            text.len() / 1024,
            DRAFT_MAX / 1024
        )));
    }
    let full = [prefix.as_slice(), name.as_bytes()].concat();
    let (mut others, mut old) = (0, Vec::new());
    reader.prefix(Table::Drafts, &prefix, &mut |key, _| {
        let is_piece = key[prefix.len()..].contains(&0);
        let is_own = key.strip_prefix(full.as_slice()).is_some_and(|r| r.first() == Some(&0));
        if is_own {
            old.push(key.to_vec());
        }
        others += usize::from(!is_piece && key != full);
        true
    })?;
    if others >= DRAFTS_MAX && !text.is_empty() {
        return Err(StoreError::Refused(format!(
            "there are {DRAFTS_MAX} drafts already; finish or drop some"
        )));
    }
    let mut entries: Vec<Entry> = old.into_iter().map(|key| (key, None)).collect();
    if text.is_empty() {
        entries.push((full, None));
        return reader.put(Table::Drafts, &entries);
    }
    for (number, piece) in text.as_bytes().chunks(CHUNK_MAX).enumerate() {
        let mut key = full.clone();
        if number > 0 {
            key.extend_from_slice(format!("\0{number:04}").as_bytes());
        }
        // The last word on a key counts: a piece that is written again is not removed.
        entries.retain(|(known, _)| *known != key);
        entries.push((key, Some(piece.to_vec())));
    }
    reader.put(Table::Drafts, &entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryJournal;

    fn kept(reader: &dyn Reader) -> Vec<(String, String)> {
        let reply = all(reader, "ann").expect("drafts");
        if let Reply::Drafts { drafts } = reply { drafts } else { Vec::new() }
    }

    #[test]
    fn a_long_draft_is_kept_whole_and_a_shorter_one_takes_its_place() {
        let journal = MemoryJournal::default();
        let long: String = (0..40_000)
            .map(|n| char::from(b'a' + u8::try_from(n % 26).expect("a letter")))
            .collect();
        save(&journal, "ann", "note INC-1", &long).expect("kept");
        save(&journal, "ann", "note INC-12", "short").expect("kept");
        save(&journal, "annika", "note INC-1", "not hers").expect("kept");
        let drafts = kept(&journal);
        assert_eq!(
            drafts,
            [("note INC-1".to_owned(), long), ("note INC-12".to_owned(), "short".to_owned())]
        );
        save(&journal, "ann", "note INC-1", "now short").expect("kept");
        assert_eq!(kept(&journal)[0].1, "now short");
        assert!(is_known(&journal, "ann", "note INC-1").expect("read"));
        assert!(!is_known(&journal, "ann", "note INC").expect("read"));
        assert!(!is_known(&journal, "annik", "note INC-1").expect("read"));
        save(&journal, "ann", "note INC-1", "").expect("dropped");
        assert_eq!(kept(&journal).len(), 1);
        assert!(save(&journal, "ann", "x", &"x".repeat(DRAFT_MAX + 1)).is_err());
    }
}
