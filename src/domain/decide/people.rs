//! Owner, roles and command: exactly one commander, and a hand-over has two sides.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use crate::domain::change::Change;
use crate::domain::command::{Command, Order};
use crate::domain::decide::{Decision, already, bad, live, not_now, one, wanted};
use crate::domain::ids::IncidentId;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::domain::words::Role;

pub(super) fn decide(room: &Room, order: &Order, _now: Timestamp) -> Decision {
    let login = order.actor.login.as_str();
    match &order.command {
        Command::SetOwner { incident, owner } => {
            let owner =
                owner.as_deref().map(str::trim).filter(|o| !o.is_empty()).map(ToOwned::to_owned);
            if live(room, *incident)?.owner == owner {
                return Err(already(format!("the owner of {incident} is that already")));
            }
            one(*incident, Change::OwnerChanged { owner })
        }
        Command::AssignRole { incident, role, person } => assign(room, *incident, *role, person),
        Command::LeaveRole { incident, role, person } => leave(room, *incident, *role, person),
        Command::TakeCommand { incident } => take(room, login, *incident),
        Command::OfferCommand { incident, to } => offer(room, login, *incident, to),
        Command::AcceptCommand { incident } => accept(room, login, *incident),
        Command::RefuseCommand { incident, reason } => refuse(room, login, *incident, reason),
        _ => Err(bad("not a command about people", "this is a defect; please report it")),
    }
}

fn assign(room: &Room, id: IncidentId, role: Role, person: &str) -> Decision {
    let incident = live(room, id)?;
    let person = wanted(person, "person")?.to_owned();
    if role == Role::Commander {
        return Err(not_now(
            "command is not assigned",
            "take it while it is free, or let the commander offer it",
        ));
    }
    if role == Role::Expert && incident.commander() == Some(person.as_str()) {
        return Err(not_now(
            format!("{person} commands {id} and cannot be its expert too"),
            "hand over command first: the commander does not resolve",
        ));
    }
    if incident.roles.get(&role).is_some_and(|people| people.contains(&person)) {
        return Err(already(format!("{person} is {role} of {id}")));
    }
    one(id, Change::RoleAssigned { role, person })
}

fn leave(room: &Room, id: IncidentId, role: Role, person: &str) -> Decision {
    let incident = live(room, id)?;
    if !incident.roles.get(&role).is_some_and(|people| people.iter().any(|p| p == person)) {
        return Err(not_now(format!("{person} is not {role} of {id}"), "look at the roles again"));
    }
    if role == Role::Commander && incident.phase().is_active() {
        return Err(not_now(
            format!("{id} may not be left without a commander"),
            "offer command to somebody; you command until they accept",
        ));
    }
    one(id, Change::RoleLeft { role, person: person.to_owned() })
}

fn take(room: &Room, login: &str, id: IncidentId) -> Decision {
    let incident = live(room, id)?;
    match incident.commander() {
        Some(who) if who == login => Err(already(format!("you command {id}"))),
        Some(who) => {
            Err(not_now(format!("{who} commands {id}"), format!("ask {who} to offer you command")))
        }
        None => one(id, Change::CommandTaken { person: login.to_owned() }),
    }
}

fn offer(room: &Room, login: &str, id: IncidentId, to: &str) -> Decision {
    let incident = live(room, id)?;
    let to = wanted(to, "person")?;
    if incident.commander() != Some(login) {
        let who = incident.commander().unwrap_or("nobody");
        return Err(not_now(
            format!("{who} commands {id}, not you"),
            "only the commander can offer command",
        ));
    }
    if to == login {
        return Err(already(format!("you command {id}")));
    }
    one(id, Change::CommandOffered { from: login.to_owned(), to: to.to_owned() })
}

fn accept(room: &Room, login: &str, id: IncidentId) -> Decision {
    let incident = live(room, id)?;
    match &incident.offer {
        Some(offer) if offer.to == login => one(
            id,
            Change::CommandAccepted { from: Some(offer.from.clone()), to: login.to_owned() },
        ),
        Some(offer) => Err(not_now(
            format!("command of {id} was offered to {}, not to you", offer.to),
            format!("ask {} to offer it to you", offer.from),
        )),
        None => Err(not_now(format!("command of {id} was not offered"), "take it if it is free")),
    }
}

fn refuse(room: &Room, login: &str, id: IncidentId, reason: &str) -> Decision {
    let incident = live(room, id)?;
    match &incident.offer {
        // The one who offered may take it back in the same way.
        Some(offer) if offer.to == login || offer.from == login => one(
            id,
            Change::CommandRefused { by: login.to_owned(), reason: reason.trim().to_owned() },
        ),
        _ => Err(not_now(
            format!("command of {id} was not offered to you"),
            "there is nothing to refuse",
        )),
    }
}
