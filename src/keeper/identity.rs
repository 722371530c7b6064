//! Who is at the other end of a Unix socket: what the kernel says, and nothing else.

use std::ffi::CString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use crate::keeper::turn::Who;

/// The person behind a peer's credentials, in a home at `home`.
pub fn who(uid: u32, gid: u32, home: &Path) -> Who {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let login = user.as_ref().map_or_else(|| format!("uid-{uid}"), |user| user.name.clone());
    let primary = user.as_ref().map_or(Gid::from_raw(gid), |user| user.gid);
    let mut gids = CString::new(login.as_str())
        .ok()
        .and_then(|name| getgrouplist(&name, primary).ok())
        .unwrap_or_default();
    gids.push(Gid::from_raw(gid));
    gids.sort_unstable_by_key(|gid| gid.as_raw());
    gids.dedup();
    let groups = gids
        .into_iter()
        .filter_map(|gid| Group::from_gid(gid).ok().flatten())
        .map(|group| group.name)
        .collect();
    let owns = std::fs::metadata(home).is_ok_and(|meta| meta.uid() == uid);
    Who { login, groups, is_owner: uid == 0 || owns, from: String::new() }
}

/// The same for somebody who may not be there; None: this machine does not know them.
pub fn who_is(login: &str, home: &Path) -> Option<Who> {
    let user = User::from_name(login).ok().flatten()?;
    Some(who(user.uid.as_raw(), user.gid.as_raw(), home))
}

/// The login of whoever runs this process.
pub fn own_login() -> String {
    let uid = Uid::current();
    User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid-{uid}"), |user| user.name)
}

/// The name of this machine.
pub fn hostname() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "?".to_owned())
}
