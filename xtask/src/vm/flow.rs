//! A UDP flow that goes on while ports come and go: always from the same socket.
//!
//! A kernel that still knows the flow answers as it did before; so this tells whether stale flows
//! were forgotten.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long an answer is waited for, and between two datagrams.
const PAUSE: Duration = Duration::from_millis(200);
/// How many datagrams are sent at most.
const DATAGRAMS: u32 = 300;

/// `__flow ADDRESS:PORT`: print `answered` or `unanswered` whenever that changes.
pub fn go_on(words: &[String]) -> Result<ExitCode> {
    let [to] = words else { bail!("__flow wants an address") };
    let to: SocketAddr = to.parse().with_context(|| format!("the address {to}"))?;
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).context("binding a socket")?;
    socket.connect(to).with_context(|| format!("connecting to {to}"))?;
    socket.set_read_timeout(Some(PAUSE)).context("setting a timeout")?;
    let mut before = None;
    for _ in 0..DATAGRAMS {
        let answered = is_answered(&socket).context("sending")?;
        if before != Some(answered) {
            println!("{}", if answered { "answered" } else { "unanswered" });
            before = Some(answered);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(ExitCode::SUCCESS)
}

/// That nobody listens is reported at the next call, whichever that is.
fn is_answered(socket: &UdpSocket) -> std::io::Result<bool> {
    let mut buffer = [0; 64];
    let result = socket.send(b"still there?").and_then(|_| socket.recv(&mut buffer));
    match result {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(false),
            _ => Err(error),
        },
    }
}
