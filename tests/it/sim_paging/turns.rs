//! Plans of the simulated days: schedules on which turns move, and policies that vary.

use warroom::domain::plan::{Plan, Trigger, When};
use warroom::domain::throttle::Throttle;
use warroom::domain::words::Severity;

use crate::sim::SplitMix;

/// Two levels by two schedules, whose people change places at the same moment; by day only, perhaps.
pub fn chain(plan: &mut Plan, random: &mut SplitMix) {
    let rotation = |people: [&str; 3], hours: &str| {
        let people = people.map(|who| format!("\"{who}\"")).join(", ");
        let text = format!(
            "zone = \"UTC\"\n[[rotations]]\nname = \"turns\"\nstart = \"2026-11-16T09:00:00\"\n\
             every = \"day\"\npeople = [{people}]\n{hours}"
        );
        toml::from_str(&text).expect("a schedule")
    };
    let days = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;
    let by_day = format!("hours = [{{ days = {days}, from = \"08:00\", until = \"18:00\" }}]\n");
    let hours = if random.below(2) == 0 { by_day.as_str() } else { "" };
    plan.schedules.insert("primary".to_owned(), rotation(["bob", "dana", "erik"], hours));
    plan.schedules.insert("backup".to_owned(), rotation(["dana", "erik", "bob"], ""));
    let standard = plan.policies.get_mut("standard").expect("a policy");
    standard.levels[1].targets = vec!["schedule:backup".to_owned()];
}

/// Levels that do not always hold, take turns or inform; triggers beside them; limits of a channel.
pub fn vary(plan: &mut Plan, random: &mut SplitMix) {
    let severity = |random: &mut SplitMix| match random.below(3) {
        0 => Severity::Sev1,
        1 => Severity::Sev2,
        _ => Severity::Sev3,
    };
    for policy in plan.policies.values_mut() {
        for level in &mut policy.levels {
            match random.below(10) {
                0 => level.when.severity = Some(severity(random)),
                1 => "08:00-18:00".clone_into(&mut level.when.hours),
                2 => level.round_robin = true,
                3 => level.informs = true,
                _ => {}
            }
        }
        let names: Vec<String> = policy.levels.iter().map(|level| level.name.clone()).collect();
        let pick = usize::try_from(random.below(names.len().max(1) as u64)).unwrap_or(0);
        let Some(level) = names.get(pick).cloned() else { continue };
        let when = match random.below(4) {
            0 => When { severity: Some(severity(random)), ..When::default() },
            1 => When { growing: true, ..When::default() },
            2 => When { alerts: 3, ..When::default() },
            _ => continue,
        };
        policy.triggers.push(Trigger { when, level });
    }
    if random.below(3) == 0 {
        let limit = Throttle::try_from("2/10m".to_owned()).expect("a limit");
        plan.throttles.insert("mail".to_owned(), vec![limit]);
    }
}
