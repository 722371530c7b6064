//! Maintenance windows: planned, published after a second look, ended.
//!
//! Invariants:
//! - What the public reads of one was looked at by somebody else than its author, or there is a reason on
//!   record why nobody could.

use crate::domain::command::{Command, Order};
use crate::domain::decide::due;
use crate::domain::decide::on_call::word;
use crate::domain::decide::{Decision, already, bad, not_now, reason};
use crate::domain::duty::{Window, WindowStage};
use crate::domain::event::Body;
use crate::domain::reach::{self, Asked};
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::{Right, Severity};

/// The longest window.
const WINDOW_MAX_MS: i64 = 7 * DAY_MS;

pub(super) fn plan(room: &Room, login: &str, command: &Command, now: Timestamp) -> Decision {
    let Command::PlanWindow { services, from, until, reason: why, public } = command else {
        return Err(bad("no maintenance window", ""));
    };
    let reason = reason(why, "a maintenance window")?.to_owned();
    if *until <= now || until.since(*from) > WINDOW_MAX_MS || until <= from {
        return Err(bad(
            format!("from {from} until {until} is no maintenance window"),
            "give an end that lies ahead, at most 7 days after its beginning",
        ));
    }
    if services.iter().all(|service| service.trim().is_empty()) {
        return Err(bad("no service was named", "name services, or '*' for all of them"));
    }
    let window = Window {
        id: room.desk.last_window + 1,
        services: services.clone(),
        from: *from,
        until: *until,
        reason,
        by: login.to_owned(),
        stage: WindowStage::Planned,
        public: String::new(),
        waiting: public.trim().to_owned(),
        looked: None,
        planned_at: Some(now),
        ended_at: None,
    };
    let called = call(room, &window, now);
    let planned = Body::WindowPlanned { window: Box::new(window) };
    Ok(std::iter::once(planned).chain(called).collect())
}

/// Those on whom the plan falls back hear that words about a window wait for a second look.
pub(super) fn call(room: &Room, window: &Window, now: Timestamp) -> Option<Body> {
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: Severity::Sev4, now };
    let (reached, _) = reach::targets(asked, &room.plan.fallback);
    let people: Vec<&str> = reached.iter().map(|one| one.to.as_str()).collect();
    let id = window.id;
    let subject = format!("maintenance {id}: what the public is to read waits for a second look");
    let text = format!(
        "{} wrote it for {} from {} until {}. Let it go: warroom maintenance --publish {id}, or in \
         the console (e l).\n\n{}",
        window.by,
        window.services.join(" "),
        window.from.clock_near(now),
        window.until.clock_near(now),
        window.waiting
    );
    let is_waiting = !window.waiting.is_empty();
    is_waiting.then(|| word(asked, &window.by, &people, (subject, text), 0)).flatten()
}

/// The public reads of it what waited: somebody else looked at it, or there is a reason why nobody can.
pub(super) fn publish(room: &Room, order: &Order, id: u32, force: Option<&str>) -> Decision {
    let window = find(room, id)?;
    if window.stage == WindowStage::Over {
        return Err(already(format!("maintenance window {id} is over")));
    }
    if window.waiting.is_empty() {
        return Err(not_now(
            format!("nothing about maintenance window {id} waits for a look"),
            "list them with 'warroom maintenance'",
        ));
    }
    let forced = force.map(str::trim).filter(|why| !why.is_empty()).map(str::to_owned);
    let is_own = window.by == order.actor.login;
    if is_own && forced.is_none() {
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("you wrote what the public is to read of maintenance {id} yourself"),
            "let another who may command look at it, or say why nobody can (--force WHY)",
        ));
    }
    Ok(vec![Body::WindowPublished { window: id, forced: forced.filter(|_| is_own) }])
}

fn find(room: &Room, id: u32) -> Result<&Window, Rejection> {
    room.desk.windows.get(&id).ok_or_else(|| {
        bad(format!("there is no maintenance window {id}"), "list them with 'warroom maintenance'")
    })
}

/// Who may plan a window may end it; what the public reads, or what covers everything, is for those
/// who command, and for whoever planned it.
pub(super) fn end(room: &Room, order: &Order, id: u32) -> Decision {
    let window = find(room, id)?;
    if window.stage == WindowStage::Over {
        return Err(already(format!("maintenance window {id} is over")));
    }
    let has_words = !window.public.is_empty() || !window.waiting.is_empty();
    let is_for_command = has_words || window.services.iter().any(|s| s == "*");
    if is_for_command && order.right < Right::Command && window.by != order.actor.login {
        return Err(Rejection::new(
            RejectionKind::NotAllowed,
            format!("{} planned window {id}, and it is for those who command", window.by),
            "ask them, or somebody who may command, to end it",
        ));
    }
    Ok(due::end_window(room, id, true))
}
