//! A full disk and a read-only home: a clear error each, nothing lost, people's acts before alerts.
//! Needs the right to mount; says so and is skipped where there is none, and required in CI.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::{Home, act, intake_address, post, until, utf8};

/// A small disk of our own.
struct Disk {
    at: PathBuf,
}

impl Disk {
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder");
        let size = format!("size={mib}m");
        let out =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        if out.as_ref().is_ok_and(|out| out.status.success()) {
            return Some(Self { at: at.to_owned() });
        }
        eprintln!("skipped: a small disk cannot be mounted here");
        None
    }

    fn remount(&self, how: &str) {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.at).status();
        assert!(done.is_ok_and(|status| status.success()), "remount {how}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.at).status());
    }
}

#[test]
fn a_full_disk_refuses_alerts_and_takes_what_people_do() {
    let home = Home::new();
    let Some(_disk) = Disk::mount(&home.path(), 160) else { return };
    std::fs::write(home.path().join("warroom.toml"), "listen = \"127.0.0.1:0\"\n")
        .expect("the settings");
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let address = intake_address(&caller);
    let mut n = 0;
    let mut alert = || {
        n += 1;
        post(
            &address,
            "/v1/events",
            &[],
            format!(r#"{{"title":"alert {n}","host":"h{n}"}}"#).as_bytes(),
        )
    };
    assert_eq!(alert().0, 202);
    let filler = home.path().join("filler");
    let free = |path: &Path| warroom::store::journal::free_bytes(path).expect("free space");
    let take = free(&home.path()).saturating_sub(20 << 20);
    std::fs::write(&filler, vec![1; usize::try_from(take).expect("small")]).expect("a filler");
    act(&mut caller, r#"{"do":"open","title":"by hand","declare":true}"#);
    until("alerts are refused", || {
        act(&mut caller, r#"{"do":"note","incident":2,"kind":"note","text":"still taken"}"#);
        let (status, said) = alert();
        (status == 507 && said.contains("nearly full")).then_some(())
    });
    act(&mut caller, r#"{"do":"note","incident":2,"kind":"note","text":"still taken"}"#);
    std::fs::remove_file(&filler).expect("space");
    until("alerts are taken again", || {
        act(&mut caller, r#"{"do":"note","incident":2,"kind":"note","text":"space again"}"#);
        (alert().0 == 202).then_some(())
    });
    assert_eq!(home.ok(&["verify"]).matches("chain intact").count(), 2);
}

#[test]
fn a_read_only_home_is_told_in_words() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home.path(), 100) else { return };
    disk.remount("ro");
    let out = home.run(&["list"]);
    assert_eq!(out.status.code(), Some(4));
    let said = utf8(&out.stderr);
    assert!(said.contains("Read-only file system"), "{said}");
    disk.remount("rw");
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).expect("a filler");
    for size in [1 << 20, 4096, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[test]
fn a_disk_that_is_full_to_the_last_byte_takes_acknowledgements() {
    let home = Home::new();
    let Some(_disk) = Disk::mount(&home.path(), 200) else { return };
    home.ok(&["declare", "before"]);
    home.ok(&["stop"]);
    // While no keeper runs …
    let filler = home.path().join("filler");
    fill(&filler);
    home.ok(&["ack", "1"]);
    let said = home.ok(&["status"]);
    assert!(said.contains("NEARLY FULL"), "{said}");
    let out = home.run(&["stop"]);
    let log = std::fs::read_to_string(home.path().join("keeper.log")).unwrap_or_default();
    assert!(out.status.success(), "{}\n{log}", utf8(&out.stderr));
    std::fs::remove_file(&filler).expect("space");
    // … and under one that has the ballast still, between one act and the next.
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let ballast = home.path().join("journal/ballast");
    until("there is ballast", || {
        act(&mut caller, r#"{"do":"note","incident":1,"kind":"note","text":"space"}"#);
        ballast.exists().then_some(())
    });
    fill(&filler);
    let words = "x".repeat(8_000);
    for n in 0..400 {
        // Whatever fills the disk takes all that becomes free meanwhile.
        if n % 50 == 0 {
            fill(&home.path().join(format!("more{n}")));
        }
        let note = format!(r#"{{"do":"note","incident":1,"kind":"note","text":"{n} {words}"}}"#);
        act(&mut caller, &note);
    }
    assert!(ballast.exists(), "it is kept for the next segment, and for the next start");
    let free = warroom::store::journal::free_bytes(&home.path()).expect("free space");
    assert!(free < 4096, "{free} bytes were free");
    for n in (0..400).step_by(50) {
        std::fs::remove_file(home.path().join(format!("more{n}"))).expect("space");
    }
    std::fs::remove_file(&filler).expect("space");
    assert_eq!(home.ok(&["verify"]).matches("chain intact").count(), 2);
}
