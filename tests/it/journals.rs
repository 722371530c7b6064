//! Journals of earlier versions: every log ever written must load, and mean what it meant.

use crate::home::Home;

#[test]
fn every_log_ever_written_loads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/logs");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the logs").flatten() {
        let home = Home::new();
        let said = home.ok(&["import", &entry.path().display().to_string()]);
        assert!(said.contains("events were imported"), "{said}");
        let queue = home.ok(&["list"]);
        let over = home.ok(&["list", "--closed"]);
        let expected = std::fs::read_to_string(entry.path()).expect("the log");
        let opened = expected.matches("\"what\":\"opened\"").count();
        // The plan of the log is in force: what it watches and nobody hears any more is told anew.
        let told = queue.lines().chain(over.lines()).filter(|line| line.contains("INC-"));
        let told = told.filter(|line| !line.contains("HeartbeatMissed: nothing was heard"));
        assert_eq!(told.count(), opened, "{queue}{over}");
        assert_eq!(home.ok(&["verify"]).matches("chain intact").count(), 2);
        seen += 1;
    }
    assert!(seen > 0, "there are logs");
}
