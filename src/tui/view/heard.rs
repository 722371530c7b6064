//! When each sender was heard last, in as many words as the first line has room for.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use crate::domain::text::visible;
use crate::domain::time::{MINUTE_MS, Timestamp, span_words};
use crate::proto::Heard;
use crate::tui::model::Model;

/// The fewest letters of a name, where there is no room for all of it.
const NAME_MIN: usize = 2;
/// The most of them, and how many more than the fewest are tried.
const NAME_MAX: usize = 24;
const NAME_MORE: usize = 6;

/// The senders that should have been heard and were not: these are said whatever the room.
pub(super) fn silent(model: &Model) -> Option<String> {
    let silent = model.mirror.heard.iter().filter(|heard| heard.is_missed);
    let silent: Vec<String> = silent.map(|heard| named(heard, model.now)).collect();
    let mark = model.theme.mark("✗", "x");
    (!silent.is_empty()).then(|| format!("{mark} SILENT: {}", silent.join(", ")))
}

/// The others, each with the time since it was heard: names whole, else cut as far as they can still
/// be told apart, else how many there are and the longest time among them.
pub(super) fn each(model: &Model, room: usize) -> Option<String> {
    let heard: Vec<&Heard> = model.mirror.heard.iter().filter(|heard| !heard.is_missed).collect();
    let longest = heard.iter().min_by_key(|heard| heard.at)?;
    let whole: Vec<String> = heard.iter().map(|heard| named(heard, model.now)).collect();
    let mark = model.theme.mark("♥", "<3");
    let short = |length: usize| {
        let one = |heard: &Heard| {
            let name: String = visible(&heard.name).chars().take(length).collect();
            format!("{name} {}", ago(heard, model.now))
        };
        let list: Vec<String> = heard.iter().copied().map(one).collect();
        format!("{mark} {}", list.join(" "))
    };
    let longest_ago = ago(longest, model.now);
    let all = if heard.len() == 1 {
        String::new()
    } else {
        format!("{} {} ", heard.len(), model.theme.mark("≤", "<="))
    };
    let fewest = told_apart(&heard);
    let forms = [format!("heard: {}", whole.join(", ")), format!("{mark} {}", whole.join(", "))];
    let cut = (fewest..fewest + NAME_MORE).rev().map(short);
    let last = format!("{mark} {all}{longest_ago}");
    forms.into_iter().chain(cut).chain([last]).find(|form| form.width() <= room)
}

/// The fewest letters by which the names are told apart.
fn told_apart(heard: &[&Heard]) -> usize {
    let is_enough = |length: &usize| {
        let names: BTreeSet<String> = heard
            .iter()
            .map(|heard| visible(&heard.name).chars().take(*length).collect())
            .collect();
        names.len() == heard.len()
    };
    (NAME_MIN..NAME_MAX).find(is_enough).unwrap_or(NAME_MAX)
}

fn named(heard: &Heard, now: Timestamp) -> String {
    format!("{} {}", visible(&heard.name), ago(heard, now))
}

/// How long ago a sender was heard: in minutes, for the screen is drawn anew each minute.
fn ago(heard: &Heard, now: Timestamp) -> String {
    match heard.at {
        None => "never".to_owned(),
        Some(at) if now.since(at) < MINUTE_MS => "now".to_owned(),
        Some(at) => span_words(now.since(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Keymap;
    use crate::tui::theme::Theme;

    #[test]
    fn each_sender_is_said_in_as_many_words_as_there_is_room() {
        let now = Timestamp(100 * MINUTE_MS);
        let mut model = Model::new((80, 24), now, Keymap::shipped(), Theme::shipped());
        let heard = |name: &str, ago: Option<i64>, is_missed| Heard {
            name: name.to_owned(),
            at: ago.map(|minutes| now.plus(-minutes * MINUTE_MS)),
            is_missed,
        };
        model.mirror.heard = vec![
            heard("alertmanager", Some(0), false),
            heard("alerta", Some(7), false),
            heard("zabbix", Some(2), false),
        ];
        let said = |room| each(&model, room);
        let whole = "heard: alertmanager now, alerta 7m, zabbix 2m";
        assert_eq!(said(80).as_deref(), Some(whole));
        assert_eq!(said(44).as_deref(), Some("♥ alertmanager now, alerta 7m, zabbix 2m"));
        assert_eq!(said(36).as_deref(), Some("♥ alertmanag now alerta 7m zabbix 2m"));
        assert_eq!(said(9).as_deref(), Some("♥ 3 ≤ 7m"));
        assert_eq!(said(7), None, "what does not fit is not cut");
        model.mirror.heard.push(heard("nagios", None, true));
        assert_eq!(silent(&model).as_deref(), Some("✗ SILENT: nagios never"));
        assert_eq!(each(&model, 80).as_deref(), Some(whole), "and the others beside it");
    }
}
