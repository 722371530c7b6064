//! The closed vocabularies of the field: severities, phases, roles, reasons.
//!
//! Invariants:
//! - Every word prints and parses to itself; the journal and the wire hold only these words.
//! - Words are added, never renamed: an old journal must stay readable.

use serde::{Deserialize, Serialize};

/// A word that is not in the vocabulary it was read for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no {what}; use one of: {choices}")]
pub struct UnknownWord {
    /// What kind of word was wanted.
    pub what: &'static str,
    /// What was given.
    pub given: String,
    /// The words that exist.
    pub choices: String,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word of this vocabulary, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is written in the journal, on the wire and on screens.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(given: &str) -> Result<Self, UnknownWord> {
                let folded = given.trim().to_ascii_lowercase().replace(['_', ' '], "-");
                Self::ALL.iter().copied().find(|word| word.word().eq_ignore_ascii_case(&folded)).ok_or_else(|| {
                    let choices: Vec<&str> = Self::ALL.iter().map(|word| word.word()).collect();
                    UnknownWord { what: $what, given: given.to_owned(), choices: choices.join(", ") }
                })
            }
        }
    };
}

words! {
    /// Observed impact, 1 the worst. SEV1 and SEV2 are major incidents.
    Severity, "severity" {
        /// Critical: customers cannot use the service at all.
        Sev1 = "SEV1",
        /// Major: an important function is down or badly degraded.
        Sev2 = "SEV2",
        /// Moderate: degraded, with a way around it.
        Sev3 = "SEV3",
        /// Minor: a nuisance, no customer impact.
        Sev4 = "SEV4",
        /// Information: worth a look, no impact.
        Sev5 = "SEV5",
    }
}

words! {
    /// ITIL impact or urgency: how much is affected, how soon it hurts.
    Level3, "level" { High = "high", Medium = "medium", Low = "low" }
}

words! {
    /// ITIL priority, the order of work, derived from impact × urgency.
    Priority, "priority" { P1 = "P1", P2 = "P2", P3 = "P3", P4 = "P4", P5 = "P5" }
}

words! {
    /// Where an incident stands in its life.
    Phase, "phase" {
        /// Nobody has decided yet whether it is one.
        Triage = "triage",
        /// It is one; the cause is not known.
        Investigating = "investigating",
        /// The cause is known.
        Identified = "identified",
        /// A remedy is in; it is being watched.
        Monitoring = "monitoring",
        /// Impact has ended and that was verified.
        Resolved = "resolved",
        /// Its review is being written.
        InReview = "in-review",
        /// Nothing is left to do.
        Closed = "closed",
        /// It was not an incident.
        Declined = "declined",
        /// It is part of another incident.
        Merged = "merged",
    }
}

words! {
    /// A part somebody plays in one incident.
    Role, "role" {
        /// The single authority; exactly one.
        Commander = "commander",
        /// Hot standby of the commander: timers, roll call.
        Deputy = "deputy",
        /// Writes down what happens.
        Scribe = "scribe",
        /// Leads the technical work.
        Operations = "operations",
        /// Speaks to the outside.
        CustomerLiaison = "customer-liaison",
        /// Speaks to the inside: support, legal, executives.
        InternalLiaison = "internal-liaison",
        /// Subject matter expert; there may be several.
        Expert = "expert",
        /// Looks on.
        Observer = "observer",
        /// The one who speaks to the press.
        Spokesperson = "spokesperson",
    }
}

words! {
    /// Why an incident was declined or how its resolution is classed.
    ClosureReason, "closure reason" {
        FalseAlarm = "false-alarm",
        Duplicate = "duplicate",
        NotReproducible = "not-reproducible",
        Planned = "planned",
        OutOfScope = "out-of-scope",
        Test = "test",
        SelfHealed = "self-healed",
        Mitigated = "mitigated",
        Fixed = "fixed",
        Accepted = "accepted-risk",
        Transferred = "transferred",
        Stale = "stale",
    }
}

words! {
    /// How one incident stands to another.
    LinkKind, "link" { DuplicateOf = "duplicate-of", CausedBy = "caused-by", RelatedTo = "related-to" }
}

words! {
    /// What kind of remedy was tried; a workaround is never a fix.
    RemedyKind, "remedy" {
        /// Impact is reduced, the cause stays; carries an expiry.
        Workaround = "workaround",
        Fix = "fix",
        Patch = "patch",
        Upgrade = "upgrade",
        Rollback = "rollback",
    }
}

words! {
    /// How a remedy turned out.
    Outcome, "outcome" { Pending = "pending", Worked = "worked", Partly = "partly", Failed = "failed", Removed = "removed" }
}

words! {
    /// How well the time of something in the world is known.
    Fidelity, "fidelity" { Exact = "exact", About = "about", Unknown = "unknown" }
}

words! {
    /// Through what an act came in.
    Via, "way in" { Console = "console", Cli = "cli", Http = "http", Timer = "timer", Import = "import", Keeper = "keeper", Gateway = "gateway" }
}

words! {
    /// What a timeline entry written by a person is.
    NoteKind, "note kind" {
        Note = "note",
        Decision = "decision",
        Hypothesis = "hypothesis",
        /// An eyewitness account.
        Statement = "statement",
        Observation = "observation",
        /// Said by people and not known to be so; its correction is an entry of its own.
        Rumour = "rumour",
    }
}

words! {
    /// Who must look at an update before it goes out; each asks for more than the one before.
    Approval, "approval" {
        /// Nobody.
        None = "none",
        /// Somebody other than its author.
        Other = "other",
        /// The commander; where they wrote it, another who may command.
        Commander = "commander",
    }
}

words! {
    /// What a stakeholder is to us.
    StakeholderKind, "kind of stakeholder" {
        Customers = "customers",
        Employees = "employees",
        Executives = "executives",
        Partners = "partners",
        Regulator = "regulator",
        Media = "media",
        Insurer = "insurer",
        Board = "board",
        Other = "other",
    }
}

words! {
    /// The instants of an incident that metrics are made of.
    Moment, "instant" {
        /// Impact started; may be revised.
        Began = "began",
        Detected = "detected",
        Reported = "reported",
        /// The first human answered.
        Acknowledged = "acknowledged",
        Declared = "declared",
        IcAssigned = "ic-assigned",
        Identified = "identified",
        /// User impact ended.
        Mitigated = "mitigated",
        /// The fix was verified.
        Resolved = "resolved",
        Closed = "closed",
        FirstInternalUpdate = "first-internal-update",
        FirstPublicUpdate = "first-public-update",
    }
}

words! {
    /// What the public is told; set apart from the phase because public truth lags on purpose.
    PublicStatus, "public status" {
        Unpublished = "unpublished",
        Investigating = "investigating",
        Identified = "identified",
        Monitoring = "monitoring",
        Resolved = "resolved",
    }
}

words! {
    /// Where an incident came from.
    Origin, "origin" { Alert = "alert", Report = "report", Declared = "declared", Import = "import", Split = "split" }
}

words! {
    /// An alert's state in the terms of ISA 18.2.
    AlertState, "alert state" {
        /// B: firing, nobody has answered.
        Unacknowledged = "unacknowledged",
        /// C: firing, somebody has it.
        Acknowledged = "acknowledged",
        /// D: it healed before anybody looked; it must still be seen.
        Returned = "returned-unacknowledged",
        /// A: quiet.
        Normal = "normal",
        /// E: put aside by a person until a given time.
        Shelved = "shelved",
    }
}

words! {
    /// What a delivery is.
    DeliveryKind, "kind of delivery" {
        /// Somebody must answer.
        Page = "page",
        /// Somebody must know; nothing is asked of them.
        Inform = "inform",
        /// An open incident is offered to somebody.
        Handover = "handover",
        /// A word to a stakeholder.
        Update = "update",
    }
}

words! {
    /// How an attempt to deliver ended.
    AttemptResult, "result" {
        /// The other side took it and said so, with a code.
        Accepted = "accepted",
        /// It was given away; nothing proves that it arrived.
        HandedOver = "handed-over",
        /// It failed and may be tried again.
        Failed = "failed",
        /// It failed and would fail again.
        Refused = "refused",
        /// The plan's limit holds it back: another way is taken first, and this one after them.
        Held = "held",
        /// The keeper went while it was on its way.
        Unknown = "unknown",
        /// It was called back while it was on its way.
        Cancelled = "cancelled",
    }
}

words! {
    /// Whose answer a level waits for.
    AckMode, "mode" { Any = "any", All = "all" }
}

words! {
    /// What an operator may do; each level includes the ones before it.
    Right, "right" { Observe = "observe", Respond = "respond", Command = "command", Administer = "administer" }
}

impl Default for AckMode {
    /// One answer is enough.
    fn default() -> Self {
        Self::Any
    }
}

impl ClosureReason {
    /// Whether there was no incident at all.
    pub const fn was_none(self) -> bool {
        matches!(
            self,
            Self::FalseAlarm
                | Self::Duplicate
                | Self::NotReproducible
                | Self::OutOfScope
                | Self::Test
        )
    }
}

impl Severity {
    /// 1 for SEV1 … 5 for SEV5.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// SEV1 and SEV2 page and are commanded.
    pub const fn is_major(self) -> bool {
        matches!(self, Self::Sev1 | Self::Sev2)
    }

    /// Reads `1`, `SEV1` or `sev1`.
    pub fn parse_loose(given: &str) -> Result<Self, UnknownWord> {
        let trimmed = given.trim();
        if trimmed.len() == 1 { format!("SEV{trimmed}").parse() } else { trimmed.parse() }
    }
}

impl Priority {
    /// The standard ITIL 3 × 3 table of impact × urgency.
    pub const fn derive(impact: Level3, urgency: Level3) -> Self {
        match (impact, urgency) {
            (Level3::High, Level3::High) => Self::P1,
            (Level3::High, Level3::Medium) | (Level3::Medium, Level3::High) => Self::P2,
            (Level3::High, Level3::Low)
            | (Level3::Medium, Level3::Medium)
            | (Level3::Low, Level3::High) => Self::P3,
            (Level3::Medium, Level3::Low) | (Level3::Low, Level3::Medium) => Self::P4,
            (Level3::Low, Level3::Low) => Self::P5,
        }
    }
}

impl Phase {
    /// Whether the incident still needs somebody (in the queue, in the room).
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Closed | Self::Declined | Self::Merged)
    }

    /// Whether its impact may still be going on.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Triage | Self::Investigating | Self::Identified | Self::Monitoring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_print_and_parse_to_themselves() {
        for phase in Phase::ALL {
            assert_eq!(phase.to_string().parse::<Phase>().as_ref(), Ok(phase));
        }
        for state in AlertState::ALL {
            assert_eq!(state.word().parse::<AlertState>().as_ref(), Ok(state));
        }
        assert_eq!("customer liaison".parse(), Ok(Role::CustomerLiaison));
    }

    #[test]
    fn an_unknown_word_names_the_choices() {
        let error = "huge".parse::<Level3>().expect_err("not a level");
        assert_eq!(error.to_string(), "'huge' is no level; use one of: high, medium, low");
    }

    #[test]
    fn priority_follows_the_itil_table() {
        let table: Vec<String> = Level3::ALL
            .iter()
            .flat_map(|i| Level3::ALL.iter().map(|u| Priority::derive(*i, *u).to_string()))
            .collect();
        assert_eq!(table, ["P1", "P2", "P3", "P2", "P3", "P4", "P3", "P4", "P5"]);
    }
}
