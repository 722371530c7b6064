//! The plan that is in force, and the senders' tokens.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use crate::domain::command::{Command, Order};
use crate::domain::decide::{Decision, already, bad, not_now, wanted};
use crate::domain::event::Body;
use crate::domain::room::Room;

/// The plan and the senders' tokens.
pub(super) fn decide(room: &Room, order: &Order) -> Decision {
    match &order.command {
        Command::AdoptPlan { plan, digest, note } => {
            if room.plan_digest == *digest {
                return Err(already("this plan is in force"));
            }
            let (plan, digest, note) = (plan.clone(), digest.clone(), note.clone());
            Ok(vec![Body::PlanAdopted { plan, digest, note }])
        }
        Command::IssueToken { name, hash, answers } => {
            let name = wanted(name, "name")?;
            if name == crate::domain::decide::due::OWN_SOURCE {
                return Err(bad(
                    format!("'{name}' is the keeper's own name"),
                    "its alerts are told from the senders' by it; take another",
                ));
            }
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                || name.len() > 64
            {
                return Err(bad(
                    format!("'{name}' is not a token name"),
                    "use letters, digits, - _ . (at most 64)",
                ));
            }
            if room.tokens.contains_key(name) {
                return Err(already(format!("there is a token '{name}'")));
            }
            let (name, hash, answers) = (name.to_owned(), hash.clone(), *answers);
            Ok(vec![Body::TokenIssued { name, hash, answers }])
        }
        Command::RevokeToken { name } => {
            if !room.tokens.contains_key(name) {
                return Err(not_now(
                    format!("there is no token '{name}'"),
                    "list them with 'warroom token list'",
                ));
            }
            Ok(vec![Body::TokenRevoked { name: name.clone() }])
        }
        _ => Err(bad("not a command of administration", "this is a defect; please report it")),
    }
}
