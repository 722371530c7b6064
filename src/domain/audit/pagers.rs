//! What our pages opened in services that page on their own, as the auditor sees it: whatever is over
//! here must be said to be over there.
//!
//! Invariants:
//! - Nothing here asks the engine: each rule is written down a second time.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::channel::{Channel, WebhookFormat};
use crate::domain::elsewhere::Closing;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::plan::Plan;
use crate::domain::time::{DAY_MS, MINUTE_MS, Timestamp};

/// What began so long ago and is over is nobody's concern, in milliseconds.
const KEPT_MS: i64 = 7 * DAY_MS;
/// How long nothing may be said to a place while something is to be said, in milliseconds.
const SILENT_MS: i64 = 20 * MINUTE_MS;

/// Events that may be open elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Pagers {
    /// Channels of the plan that page on their own.
    channels: BTreeSet<String>,
    /// By incident, delivery and method.
    open: BTreeMap<(IncidentId, u32, String), Opened>,
    /// Method → when it was told something last.
    told: BTreeMap<String, Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Opened {
    at: Timestamp,
    /// Since when its incident is over here, and from when on that is waited for; what began after
    /// that is not.
    over: Option<(Timestamp, Timestamp)>,
}

impl Pagers {
    pub(super) fn adopt(&mut self, plan: &Plan) {
        let pages = |channel: &Channel| match channel {
            Channel::Webhook(hook) => hook.format == WebhookFormat::PagerdutyV2,
            Channel::Smtp(_) | Channel::Program(_) | Channel::File(_) | Channel::Terminal(_) => {
                false
            }
        };
        let named = plan.channels.iter().filter(|(_, channel)| pages(channel));
        self.channels = named.map(|(name, _)| name.clone()).collect();
    }

    pub(super) fn see(&mut self, event: &Recorded) {
        if let Body::SendingBegan { method, items, .. } = &event.body {
            let name = method.split(':').next().unwrap_or_default();
            if self.channels.contains(name) {
                for item in items {
                    let opened = Opened { at: event.at, over: None };
                    self.open.insert((item.incident, item.delivery, method.clone()), opened);
                }
            }
        }
        if let Body::Incident { incident, change: Change::ToldElsewhere(told) } = &event.body {
            self.told.insert(told.method.clone(), event.at);
            for delivery in &told.deliveries {
                if told.closing == Closing::Resolve {
                    self.open.remove(&(*incident, *delivery, told.method.clone()));
                }
            }
        }
    }

    /// Nothing could be said while no keeper ran, or by a clock that jumped.
    pub(super) fn wait_anew(&mut self, at: Timestamp) {
        self.open
            .values_mut()
            .for_each(|opened| opened.over = opened.over.map(|(ended, _)| (ended, at)));
        self.told.values_mut().for_each(|then| *then = at);
    }

    /// An incident is over, or it came back.
    pub(super) fn turned(&mut self, id: IncidentId, over: Option<Timestamp>) {
        let (from, until) = ((id, 0, String::new()), (id, u32::MAX, String::new()));
        self.open
            .range_mut(from..=until)
            .for_each(|(_, opened)| opened.over = over.map(|at| (at, at)));
    }

    /// What is over here and was not said to be over there.
    pub(super) fn check(&mut self, now: Timestamp) -> Vec<String> {
        let is_kept = |opened: &Opened| match opened.over {
            Some((ended, _)) => now.since(ended.max(opened.at)) <= KEPT_MS,
            None => true,
        };
        self.open.retain(|_, opened| is_kept(opened));
        let mut findings = Vec::new();
        for ((id, _, method), opened) in &self.open {
            let Some((_, since)) = opened.over else { continue };
            let last = self.told.get(method).map_or(since, |told| since.max(*told));
            if now.since(last) > SILENT_MS {
                let name = method.split(':').next().unwrap_or_default();
                findings.push(format!("{id}: it is over since {since}, and {name} was not told"));
            }
        }
        findings.dedup();
        findings
    }
}
