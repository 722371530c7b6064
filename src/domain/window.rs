//! A maintenance window: when services page nobody, and what the public reads of it.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// A time in which services are worked on and page nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub id: u32,
    /// The services; `*` for all of them.
    pub services: Vec<String>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: String,
    pub by: String,
    #[serde(default)]
    pub stage: WindowStage,
    /// What the public reads of it; empty: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub public: String,
    /// What the public is to read of it once somebody other than `by` has looked at it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub waiting: String,
    /// Who let the public read it, and why nobody else than `by` looked at it, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<(String, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<Timestamp>,
    /// When it was over, which may be earlier than planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// How far a window has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowStage {
    #[default]
    Planned,
    Open,
    Over,
}

impl Window {
    /// In a line, as of `now`: `1 open from 18:10 until 19:10: * by root: disks are replaced`.
    pub fn words(&self, now: Timestamp) -> String {
        let stage = match self.stage {
            WindowStage::Planned => "planned",
            WindowStage::Open => "open",
            WindowStage::Over => "over",
        };
        let page = match &self.looked {
            _ if self.stage == WindowStage::Over => String::new(),
            Some((by, None)) => format!(" · on the status page, looked at by {by}"),
            Some((_, Some(why))) => {
                format!(" · on the status page, nobody else looked at it: {why}")
            }
            None if !self.waiting.is_empty() => {
                " · NOT ON THE STATUS PAGE: its words wait for another's look".to_owned()
            }
            None if !self.public.is_empty() => " · on the status page".to_owned(),
            None => String::new(),
        };
        format!(
            "{} {stage} from {} until {}: {} by {}: {}{page}",
            self.id,
            self.from.clock_near(now),
            self.end().clock_near(now),
            self.services.join(" "),
            self.by,
            self.reason
        )
    }

    /// Whether words about it wait for somebody's look, and it is not over.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() && self.stage != WindowStage::Over
    }

    /// When it is over, or was.
    pub fn end(&self) -> Timestamp {
        self.ended_at.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether it was ended before it began.
    pub fn is_called_off(&self) -> bool {
        self.ended_at.is_some_and(|ended| ended < self.from)
    }

    /// Whether it covers an incident on these services: all of them, and there are some.
    pub fn covers(&self, services: &[String]) -> bool {
        let is_named = |service: &String| self.services.iter().any(|name| name == service);
        self.services.iter().any(|name| name == "*")
            || (!services.is_empty() && services.iter().all(is_named))
    }
}
