//! `warroom attach --stdio`: the wire over this process's standard input and output.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::cli::Context;
use crate::cli::out::Failure;
use crate::client::start;

/// Carries bytes both ways until either side ends.
pub fn run(context: &Context, stdio: bool) -> Result<(), Failure> {
    if !stdio {
        return Err(Failure::Usage(
            "say 'warroom attach --stdio'; a person opens the console with 'warroom'".to_owned(),
        ));
    }
    let stream = start::ensure(&context.home)?;
    let mut to_keeper = stream.try_clone()?;
    std::thread::spawn(move || {
        drop(copy(&mut std::io::stdin().lock(), &mut to_keeper));
        drop(to_keeper.shutdown(std::net::Shutdown::Write));
    });
    let mut from_keeper: UnixStream = stream;
    copy(&mut from_keeper, &mut std::io::stdout().lock())?;
    Ok(())
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..n])?;
        to.flush()?;
    }
}
