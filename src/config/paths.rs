//! Where things are kept.

use std::path::{Path, PathBuf};

/// The home directory's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    pub root: PathBuf,
}

/// The home shared by everybody on a host.
pub const SHARED_HOME: &str = "/var/lib/warroom";

impl Home {
    /// `$WARROOM_HOME`, else `/var/lib/warroom` where this user may use it, else
    /// `$XDG_STATE_HOME/warroom` or `~/.local/state/warroom`.
    pub fn find() -> Self {
        let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(root) = from("WARROOM_HOME") {
            return Self { root: absolute(root) };
        }
        if is_usable(Path::new(SHARED_HOME)) {
            return Self { root: SHARED_HOME.into() };
        }
        let state = from("XDG_STATE_HOME")
            .or_else(|| from("HOME").map(|home| home.join(".local/state")))
            .unwrap_or_else(|| PathBuf::from("."));
        Self { root: absolute(state.join("warroom")) }
    }

    /// Makes the home where there is none: a personal one is nobody else's, a shared one is made by
    /// its administrator.
    pub fn make(&self) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root)
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The keeper's socket.
    pub fn socket(&self) -> PathBuf {
        self.root.join("keeper.sock")
    }

    /// Held by the one keeper.
    pub fn lock(&self) -> PathBuf {
        self.root.join("keeper.lock")
    }

    /// What the keeper has to say.
    pub fn log(&self) -> PathBuf {
        self.root.join("keeper.log")
    }

    /// Settings that are not part of the plan.
    pub fn settings(&self) -> PathBuf {
        self.root.join("warroom.toml")
    }

    /// The plan's files, if the installation has its own.
    pub fn plan(&self) -> PathBuf {
        self.root.join("plan")
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// A shared home can be used by its keeper's user, or by a member of its group through the socket.
fn is_usable(root: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    access(root, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
        || access(&root.join("keeper.sock"), AccessFlags::R_OK | AccessFlags::W_OK).is_ok()
}
