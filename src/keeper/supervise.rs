//! Being the only keeper of a home, and telling others that it is up.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use crate::config::paths::Home;
use crate::store::StoreError;

/// Files that are enough for everything at once.
const FILES_WANTED: u64 = 65_536;

/// Held for as long as the keeper lives.
pub struct Lock {
    _file: File,
}

/// Makes the home if needed and takes its lock; the lock comes before the socket.
pub fn take_home(home: &Home) -> Result<Lock, StoreError> {
    home.make().map_err(StoreError::io("create", &home.root))?;
    let path = home.lock();
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(StoreError::Locked { path: home.root.clone() });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
    }
    drop(file.set_len(0));
    drop(writeln!(file, "{}", std::process::id()));
    Ok(Lock { _file: file })
}

/// Raises the limit of open files as far as this user may: consoles, posts and what is sent out must
/// not leave the journal without one.
pub fn raise_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = hard.min(FILES_WANTED).max(soft);
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    });
    if let Err(errno) = raised {
        tracing::warn!(%errno, "the limit of open files could not be raised");
    }
}

/// What the codes of pages are made of: random, made once, readable by its owner only. Without
/// the file a new one is made; codes that were sent before no longer work then.
pub fn secret(home: &Home) -> Result<[u8; 32], StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = home.root.join("keeper.secret");
    if let Ok(bytes) = fs::read(&path)
        && let Ok(secret) = <[u8; 32]>::try_from(bytes.as_slice())
    {
        return Ok(secret);
    }
    let mut secret = [0; 32];
    let mut random = File::open("/dev/urandom").map_err(StoreError::io("open", "/dev/urandom"))?;
    std::io::Read::read_exact(&mut random, &mut secret)
        .map_err(StoreError::io("read", "/dev/urandom"))?;
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(StoreError::io("create", &path))?;
    file.write_all(&secret)
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &path))?;
    Ok(secret)
}

/// Binds the socket. Whoever holds the lock may remove a socket that nobody answers on.
pub fn bind(path: &Path) -> Result<UnixListener, StoreError> {
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        fs::remove_file(path).map_err(StoreError::io("remove the stale socket", path))?;
    }
    // It appears when it answers: whoever waits for it and connects at once is not refused.
    let made = path.with_extension("bind");
    drop(fs::remove_file(&made));
    let listener = UnixListener::bind(&made).map_err(StoreError::io("listen on", &made))?;
    let group = fs::Permissions::from_mode(0o660);
    fs::set_permissions(&made, group).map_err(StoreError::io("protect", &made))?;
    fs::rename(&made, path).map_err(StoreError::io("put into its place", path))?;
    listener.set_nonblocking(true).map_err(StoreError::io("listen on", path))?;
    Ok(listener)
}

/// Tells systemd something, if it is there (`Type=notify`).
pub fn tell_systemd(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let Ok(socket) = UnixDatagram::unbound() else {
        return;
    };
    if let Err(error) = socket.send_to(state.as_bytes(), &path) {
        tracing::debug!(%error, "systemd was not told");
    }
}
