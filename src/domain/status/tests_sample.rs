//! A site with something of everything, for the tests of its files.
//!
//! Invariants:
//! - Its present is fixed: Wednesday, 25 November 2026, 13:30 in Berlin.

use chrono_tz::Europe::Berlin;

use super::{
    Component, ComponentStatus, Impact, IncidentStatus, Interval, Maintenance, MaintenanceStatus,
    Page, PublicIncident, PublicUpdate, Site,
};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

#[track_caller]
pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(super) fn now() -> Timestamp {
    time("2026-11-25T12:30:00Z")
}

pub(super) fn component(id: &str, group: Option<&str>, status: ComponentStatus) -> Component {
    Component {
        id: id.into(),
        name: format!("The {id}"),
        group: group.map(str::to_owned),
        description: format!("What {id} is for"),
        status,
        created_at: now().plus(-200 * DAY_MS),
        updated_at: now().plus(-HOUR_MS),
        downtime: Vec::new(),
    }
}

pub(super) fn update(at: Timestamp, status: IncidentStatus, body: &str) -> PublicUpdate {
    PublicUpdate {
        id: format!("u{}", at.0),
        status,
        body: body.into(),
        display_at: at,
        created_at: at,
    }
}

pub(super) fn incident(id: &str, began: Timestamp, updates: Vec<PublicUpdate>) -> PublicIncident {
    let last = updates.last().expect("an update");
    let is_over = !last.status.is_open();
    PublicIncident {
        id: id.into(),
        name: format!("Incident {id}"),
        status: last.status,
        impact: Impact::Minor,
        created_at: began,
        updated_at: last.display_at,
        monitoring_at: None,
        resolved_at: is_over.then_some(last.display_at),
        components: vec!["api".into()],
        updates,
    }
}

fn down(days_ago: i64, minutes: i64) -> Interval {
    let from = now().plus(-days_ago * DAY_MS);
    Interval { from, until: Some(from.plus(minutes * MINUTE_MS)) }
}

/// An open incident, a resolved one, two maintenances, five components in two groups.
pub(super) fn site() -> Site {
    use ComponentStatus::{DegradedPerformance, Operational, PartialOutage, UnderMaintenance};
    use IncidentStatus::{Identified, Investigating, Resolved};
    let began = now().plus(-40 * MINUTE_MS);
    let open = vec![
        update(began, Investigating, "Some payments fail. Next update by 13:10 CET."),
        update(
            began.plus(20 * MINUTE_MS),
            Identified,
            "Card payments in the EU fail for about one customer in ten.\nRefunds work.\n\nNext \
             update by 13:50 CET.",
        ),
    ];
    let past = now().plus(-3 * DAY_MS);
    let over = vec![
        update(past, Investigating, "Pages load slowly."),
        update(past.plus(35 * MINUTE_MS), Resolved, "All pages load as usual. No data was lost."),
    ];
    let mut api = component("api", None, DegradedPerformance);
    api.downtime = vec![down(3, 35), down(30, 130), Interval { from: began, until: None }];
    let mut pay = component("card-payments-and-refunds", Some("Payments"), PartialOutage);
    pay.created_at = now().plus(-20 * DAY_MS);
    let web = component("web", None, Operational);
    let mail = component("mail", Some("Messages"), UnderMaintenance);
    let push = component("push", Some("Messages"), ComponentStatus::MajorOutage);
    let maintenance = |id: &str, status, days: i64| Maintenance {
        id: id.into(),
        name: format!("Database upgrade {id}"),
        status,
        body: "Reports are read-only for up to an hour.".into(),
        created_at: now().plus(-DAY_MS),
        updated_at: now().plus(-DAY_MS),
        scheduled_for: now().plus(days * DAY_MS),
        scheduled_until: now().plus(days * DAY_MS + HOUR_MS),
        components: vec!["web".into()],
    };
    let mut first = incident("INC-7", began, open);
    first.impact = Impact::Major;
    first.components.push(pay.id.clone());
    Site {
        page: Page {
            id: "example".into(),
            name: "Example".into(),
            url: "https://status.example.org/".into(),
            zone: Berlin,
            updated_at: now().plus(-20 * MINUTE_MS),
        },
        components: vec![api, web, pay, mail, push],
        incidents: vec![incident("INC-3", past, over), first],
        maintenances: vec![
            maintenance("m1", MaintenanceStatus::Completed, -2),
            maintenance("m2", MaintenanceStatus::Scheduled, 2),
        ],
    }
}
