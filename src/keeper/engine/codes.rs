//! The codes by which a page is answered from anywhere.

use crate::domain::command::{Command, Order};
use crate::domain::delivery::Delivery;
use crate::domain::event::{Actor, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Ack;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::words::{Right, Via};
use crate::keeper::engine::notes::about;
use crate::keeper::engine::{Archive, Engine};

/// Letters of a code: no I, L, O or U, so that nobody misreads one (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Engine {
    /// The one-time code of a page: whoever has it may answer for the person it was sent to. It is
    /// worth nothing while somebody answers for the incident and the page is not open.
    pub fn code(&self, incident: IncidentId, delivery: u32) -> String {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(self.secret);
        hasher.update(format!("{incident}/{delivery}"));
        let digest = hasher.finalize();
        let letters: String =
            digest.iter().take(8).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        format!("{}-{delivery}-{letters}", incident.0)
    }

    /// Which page a code belongs to.
    fn page_of(&self, code: &str) -> Result<(IncidentId, u32), Rejection> {
        let wrong = || {
            Rejection::new(
                RejectionKind::NotFound,
                "that code belongs to no page",
                "look at it letter by letter: it has no I, L, O or U; or 'warroom ack INC-7'",
            )
        };
        let given = code.trim().to_ascii_uppercase().replace(' ', "-");
        let mut parts = given.split('-');
        let number = |part: Option<&str>| part.and_then(|text| text.parse::<u32>().ok());
        let (Some(incident), Some(delivery)) = (number(parts.next()), number(parts.next())) else {
            return Err(wrong());
        };
        let id = IncidentId(incident);
        if self.code(id, delivery) != given {
            return Err(wrong());
        }
        Ok((id, delivery))
    }

    /// An answer by code becomes the acknowledgement of the person to whom it was sent.
    pub(super) fn by_code(
        &self,
        order: &Order,
        archive: &dyn Archive,
    ) -> Result<Option<Order>, Rejection> {
        let Command::AcknowledgeByCode { code } = &order.command else { return Ok(None) };
        let (id, delivery) = self.page_of(code)?;
        let not_now = |what: String, next: &str| Rejection::new(RejectionKind::NotNow, what, next);
        // What became part of another one is answered there.
        let there = self.survivor(id, archive);
        let active = there.and_then(|there| self.room.incidents.get(&there));
        let active = active.filter(|incident| incident.phase().is_active());
        let (Some(incident), Some(paged)) = (active, self.known(id, archive)) else {
            let part = there.filter(|there| *there != id);
            let over = part.map(|there| format!("{id} is part of {there}, and that is over"));
            let next = format!("look with 'warroom show {}' where it stands", part.unwrap_or(id).0);
            return Err(not_now(over.unwrap_or_else(|| format!("{id} is over")), &next));
        };
        let id = incident.id;
        let answered = |kind, ack: &Ack| {
            let what = format!("{id} is answered by {} since {}", ack.by, ack.at.clock_minutes());
            Rejection::new(kind, what, "there is nothing left to answer")
        };
        // A gateway that heard no answer posts it again: that is done, and no failure.
        let page = paged.esc.delivery(delivery);
        let to = page.map(|page| page.wanted.to.as_str());
        let is_called = to.is_some_and(|to| incident.is_called(to));
        let holder = incident.ack.as_ref().filter(|ack| Some(ack.by.as_str()) == to);
        if let Some(ack) = holder.filter(|_| !is_called) {
            return Err(answered(RejectionKind::Already, ack));
        }
        // While nobody answers for it any code of it is good: what failed as far as we know may have
        // arrived, and who was called back, or whose answer expired, may hold the oldest message.
        let is_wanted = is_called && paged.id != id;
        let may_answer = |d: &&Delivery| d.is_open() || incident.ack.is_none() || is_wanted;
        let page = page.filter(may_answer).ok_or_else(|| {
            incident.ack.as_ref().map_or_else(
                || {
                    not_now(
                        format!("{id} waits, and that page is too old"),
                        "use a newer one's code",
                    )
                },
                |ack| answered(RejectionKind::NotNow, ack),
            )
        })?;
        let whose = &page.wanted.to;
        if self.room.desk.left.contains_key(whose) {
            return Err(not_now(
                format!("that page was sent to {whose}, who is in the plan no more"),
                "answer with 'warroom ack', or with the code of another page",
            ));
        }
        let passed = &order.actor;
        let via = if passed.via == Via::Http { Via::Gateway } else { passed.via };
        let through = Some(passed.login.clone()).filter(|login| *login != page.wanted.to);
        let actor =
            Actor { login: page.wanted.to.clone(), via, through, host: passed.host.clone() };
        let command = Command::Acknowledge { incident: id };
        // The one whose page it was may answer; whoever holds the code acts for them.
        let right = order.right.max(Right::Respond);
        Ok(Some(Order { actor, right, command, ..order.clone() }))
    }

    /// An answer for what became part of another incident is one for that.
    pub(super) fn answer_there(&self, order: &Order, archive: &dyn Archive) -> Option<Order> {
        let Command::Acknowledge { incident } = order.command else { return None };
        let there = self.survivor(incident, archive).filter(|there| *there != incident)?;
        Some(Order { command: Command::Acknowledge { incident: there }, ..order.clone() })
    }
}

/// What was answered instead of what was named, where that became part of another incident.
pub(super) fn answered_there(asked: &Command, events: &[Recorded]) -> Option<(IncidentId, String)> {
    let asked = match asked {
        Command::Acknowledge { incident } => *incident,
        Command::AcknowledgeByCode { code } => {
            IncidentId(code.trim().split(['-', ' ']).next()?.parse().ok()?)
        }
        _ => return None,
    };
    let there = about(events).filter(|there| *there != asked)?;
    Some((there, format!("{asked} is part of {there}: you answered {there}")))
}
