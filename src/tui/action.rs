//! Every action of the console, in one table: name, help and group.
//!
//! The keymap's vocabulary, the palette, the help and `warroom actions` are made from it.

macro_rules! actions {
    ($($group:literal { $($variant:ident $name:literal $help:literal;)+ })+) => {
        /// Something a person can want of the console.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($($variant,)+)+ }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)+)+];

            /// Its name in keymap files and in the palette.
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// What it does, in words.
            pub const fn help(self) -> &'static str {
                match self { $($(Self::$variant => $help,)+)+ }
            }

            /// The heading it stands under in the help.
            pub const fn group(self) -> &'static str {
                match self { $($(Self::$variant => $group,)+)+ }
            }
        }
    };
}

actions! {
    "Moving" {
        NextRow "next-row" "move down";
        PreviousRow "previous-row" "move up";
        NextPage "next-page" "move down a page";
        PreviousPage "previous-page" "move up a page";
        FirstRow "first-row" "move to the top";
        LastRow "last-row" "move to the bottom";
        NextPane "next-pane" "go to the next pane";
        PreviousPane "previous-pane" "go to the pane before";
        GoQueue "go-queue" "go to the incidents";
        GoTimeline "go-timeline" "go to the timeline";
        GoChain "go-chain" "go to the escalation chain";
        GoStakeholders "go-stakeholders" "go to the stakeholders";
        Zoom "zoom" "show this pane alone, or all again";
        Details "details" "show everything known of this incident";
        Back "back" "go back: close, unzoom, clear the filter";
    }
    "Finding" {
        Filter "filter" "narrow the queue to what you type";
        FindClosed "find-closed" "find incidents that are over";
        Search "search" "search all timelines, open and closed";
        StepBack "step-back" "see it as it was known one event earlier";
        StepForward "step-forward" "step forward again";
        GoPaged "go-paged" "go to what you were paged for";
        Said "said" "read again what was said at the bottom";
    }
    "Answering" {
        Acknowledge "acknowledge" "answer for it, or for all that are marked";
        Report "report" "say that something is wrong";
        Declare "declare" "declare this an incident";
        Triage "triage" "assess impact × urgency";
        Severity "severity" "change the severity";
        Phase "phase" "move the incident on, or back";
        Decline "decline" "say that it is no incident";
    }
    "Command and roles" {
        TakeCommand "take-command" "take command while it is free";
        OfferCommand "offer-command" "offer command to somebody";
        AcceptCommand "accept-command" "accept the command you were offered";
        RefuseCommand "refuse-command" "refuse the command you were offered";
        Role "role" "give somebody a role";
        Owner "owner" "say who owns it";
        LeaveRole "leave-role" "say that somebody left a role";
    }
    "Escalation" {
        Escalate "escalate" "reach the next level now, or another one";
        Page "page" "page somebody by name, or again";
        CallBack "call-back" "take back whom you wanted by hand";
        Snooze "snooze" "put it aside until a time";
        Wake "wake" "end the snooze now";
        Handover "hand-over" "offer what you hold to somebody";
        AcceptHandover "accept-hand-over" "take what you were offered";
        RefuseHandover "refuse-hand-over" "refuse a hand-over, or take it back";
        Policy "policy" "follow a policy as it is now";
        Cover "cover" "let somebody stand in on a schedule";
        EndCover "end-cover" "take back that somebody stands in";
        Swap "swap" "ask somebody to take a shift";
        AnswerSwap "answer-swap" "take, or refuse, a shift you were asked";
        Maintenance "maintenance" "plan when services page nobody";
        PublishMaintenance "publish-window" "let words about a maintenance go";
        EndMaintenance "end-maintenance" "end a maintenance window before its time";
        OnCall "on-call" "see the fortnight's calendar of on-call";
    }
    "Working" {
        Note "note" "write a note, decision or rumour";
        Decision "decision" "record a decision";
        Hypothesis "hypothesis" "record a hypothesis";
        Correct "correct" "correct the selected entry";
        Redact "redact" "hide the selected entry's words for good";
        Attach "attach" "put a file on record by its hash";
        Remedy "remedy" "record a workaround, fix or rollback";
        Judge "judge" "say how a remedy turned out";
        Title "title" "change the title";
        Public "public-status" "say what the public is told";
        Services "services" "say which services are affected";
        Label "label" "set or remove a label";
        Moment "moment" "revise an instant that metrics use";
    }
    "Communication" {
        Update "update" "tell stakeholders how it stands";
        Write "write-update" "write an update without a template";
        Approve "approve-update" "approve an update, and send it";
        Withdraw "withdraw-update" "take an update back before it goes";
        Contact "contact" "log a call or conversation";
        Promise "promise" "promise somebody the next word";
        Pace "long-incident" "have words come less often, or again";
        Inquiry "press-inquiry" "log a question of the press";
        PressTimes "press-times" "change or lift an embargo, or a deadline";
        Holding "holding-statement" "say what the press hears for now";
        AnswerPress "answer-press" "answer the press, with one voice";
        Determine "determine" "start a clock of the law, or stop one";
        FileReport "file-report" "say what was handed in, or is not owed";
        Brief "brief" "read reports drafted from the journal";
        Matrix "stakeholder-matrix" "see who must know, how and how often";
        Feedback "feedback" "log how content a stakeholder was";
    }
    "Alerts" {
        Alerts "alerts" "list the alerts of this incident";
        AckAlert "acknowledge-alert" "answer for single alerts";
        Shelve "shelve-alert" "put alerts aside for a while";
        Unshelve "unshelve-alert" "take shelved alerts back";
        Silence "silence" "put alerts aside by their labels";
        EndSilence "end-silence" "end a silence before its time";
        Silences "silences" "see what is silenced, by whom, and why";
        Split "split" "make some alerts an incident of their own";
    }
    "Several incidents" {
        Mark "mark" "mark or unmark this incident";
        MarkAll "mark-all" "mark all that are shown";
        Unmark "unmark" "unmark all";
        Link "link" "link to another incident";
        Unlink "unlink" "take a link back";
        Merge "merge" "make it part of another incident";
        Unmerge "unmerge" "take a merge back";
    }
    "The end" {
        Resolve "resolve" "say that it is over, with what shows it";
        Reopen "reopen" "it is not over after all";
        Review "review" "start the review";
        Close "close" "nothing is left to do";
    }
    "Console" {
        Palette "palette" "find an action by its name";
        Help "help" "list the keys that work here";
        Drafts "drafts" "take up a half-written text";
        Copy "copy" "copy the incident or entry (OSC 52)";
        Redraw "redraw" "draw the screen anew";
        Suspend "suspend" "suspend the console (fg brings it back)";
        Quit "quit" "leave; the keeper goes on";
    }
    "In a form" {
        Submit "submit" "do it";
        NextField "next-field" "go to the next field";
        PreviousField "previous-field" "go to the field before";
        Cancel "cancel" "leave; what you wrote is kept as a draft";
        DropDraft "drop-draft" "throw the draft away";
        RestoreDraft "restore-draft" "bring back what was thrown away";
    }
}

impl Action {
    /// The action of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Whether the palette offers it: what only makes sense inside a form does not.
    pub fn is_offered(self) -> bool {
        self.group() != "In a form"
    }

    /// Whether it is about one incident even while others are marked.
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::LeaveRole
                | Self::Unlink
                | Self::Redact
                | Self::Correct
                | Self::Attach
                | Self::Withdraw
                | Self::Holding
                | Self::AnswerPress
                | Self::PressTimes
                | Self::Determine
                | Self::FileReport
        ) || self.is_of_the_desk()
    }

    /// Whether it acts on the incident under the cursor.
    pub fn is_about_incident(self) -> bool {
        const GROUPS: [&str; 7] = [
            "Answering",
            "Command and roles",
            "Escalation",
            "Working",
            "Communication",
            "Alerts",
            "The end",
        ];
        let is_not = matches!(self, Self::Report | Self::OnCall | Self::Matrix | Self::Silences);
        GROUPS.contains(&self.group()) && !is_not
    }

    /// Whether it is about schedules and services, not about an incident.
    pub const fn is_of_the_desk(self) -> bool {
        matches!(
            self,
            Self::Cover
                | Self::EndCover
                | Self::Swap
                | Self::AnswerSwap
                | Self::Maintenance
                | Self::PublishMaintenance
                | Self::EndMaintenance
                | Self::Silence
                | Self::EndSilence
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_action_does_fits_the_help_at_eighty_columns() {
        for action in Action::ALL {
            assert!(action.help().len() <= 41, "{}: {}", action.name(), action.help());
            assert!(action.name().len() <= 18, "{}", action.name());
        }
    }
}
