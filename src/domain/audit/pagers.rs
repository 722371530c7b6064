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
use crate::domain::time::{MINUTE_MS, Timestamp};

/// How long nothing may be said to a place while something is to be said, in milliseconds.
const SILENT_MS: i64 = 20 * MINUTE_MS;

/// Events that may be open elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Pagers {
    /// Channels of the plan that page on their own.
    channels: BTreeSet<String>,
    /// Incident, delivery, method → since when it is over here, as far as it was looked at.
    open: BTreeMap<(IncidentId, u32, String), Option<Timestamp>>,
    /// Method → when it was told something last.
    told: BTreeMap<String, Timestamp>,
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
                    self.open.insert((item.incident, item.delivery, method.clone()), None);
                }
            }
        }
        if let Body::Incident { incident, change: Change::ToldElsewhere(told) } = &event.body {
            self.told.insert(told.method.clone(), event.at);
            for delivery in &told.deliveries {
                if told.closing == Closing::Resolve || !told.done {
                    self.open.remove(&(*incident, *delivery, told.method.clone()));
                }
            }
        }
    }

    /// Nothing could be said while no keeper ran, or by a clock that jumped.
    pub(super) fn wait_anew(&mut self, at: Timestamp) {
        self.open.values_mut().for_each(|since| *since = since.map(|_| at));
        self.told.values_mut().for_each(|then| *then = at);
    }

    /// What is over here and was not said to be over there.
    pub(super) fn check(
        &mut self,
        is_over: impl Fn(IncidentId) -> bool,
        now: Timestamp,
    ) -> Vec<String> {
        let mut findings = Vec::new();
        for ((id, _, method), since) in &mut self.open {
            if !is_over(*id) {
                *since = None;
                continue;
            }
            let since = *since.get_or_insert(now);
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
