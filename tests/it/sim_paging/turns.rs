//! Schedules of the simulated days on which turns move.

use warroom::domain::plan::Plan;

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
