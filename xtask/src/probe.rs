//! The two ends of a probe: a server that answers with the address it saw, and who asks it.
//!
//! Both run inside a namespace, started by `ip netns exec`; neither knows of containers.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::Step;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_millis(2500);
/// After this long without an answer a datagram is sent again.
const RESEND: Duration = Duration::from_millis(500);
/// `__probe` ends with this code where nobody answered.
const UNANSWERED: u8 = 2;

/// `__echo TCP-PORT UDP-PORT`: serve on all addresses until standard input ends.
pub fn serve(words: &[String]) -> Result<ExitCode> {
    let [tcp, udp] = words else { bail!("__echo wants a TCP and a UDP port") };
    // Rust leaves IPV6_V6ONLY at the kernel's default, 0: one socket serves both families.
    let any = |port: &str| -> Result<SocketAddr> {
        Ok((Ipv6Addr::UNSPECIFIED, port.parse::<u16>().context("a port number")?).into())
    };
    let listener = TcpListener::bind(any(tcp)?).context("listening on TCP")?;
    let socket = UdpSocket::bind(any(udp)?).context("listening on UDP")?;
    std::thread::spawn(move || answer_streams(&listener));
    std::thread::spawn(move || answer_datagrams(&socket));
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).context("waiting for the end of input")?;
    Ok(ExitCode::SUCCESS)
}

fn answer_streams(listener: &TcpListener) {
    for mut stream in listener.incoming().flatten() {
        if let Ok(peer) = stream.peer_addr() {
            // A client that went away is no concern of the server.
            let _ = stream.write_all(peer.ip().to_canonical().to_string().as_bytes());
        }
    }
}

fn answer_datagrams(socket: &UdpSocket) {
    let mut buffer = [0; 64];
    while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
        let _ = socket.send_to(peer.ip().to_canonical().to_string().as_bytes(), peer);
    }
}

/// `__probe tcp|udp ADDRESS:PORT`: print the answer, or why there is none.
pub fn ask(words: &[String]) -> Result<ExitCode> {
    let [protocol, to] = words else { bail!("__probe wants a protocol and an address") };
    let to: SocketAddr = to.parse().with_context(|| format!("the address {to}"))?;
    let answer = match protocol.as_str() {
        "tcp" => ask_stream(to),
        "udp" => ask_datagram(to),
        other => bail!("no protocol `{other}`"),
    };
    match answer {
        Ok(seen) => {
            println!("{seen}");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("{}", reason(&error));
            Ok(ExitCode::from(UNANSWERED))
        }
    }
}

fn ask_stream(to: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn ask_datagram(to: SocketAddr) -> std::io::Result<String> {
    let from: SocketAddr = match to {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from)?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(RESEND))?;
    let mut buffer = [0; 64];
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        socket.send(b"who am I?")?;
        match socket.recv(&mut buffer) {
            Ok(length) => return Ok(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => waited += RESEND,
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::TimedOut.into())
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "refused".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "timed out".to_owned(),
        _ => error.to_string(),
    }
}

/// What came of a probe.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered, and saw this address.
    Answered(String),
    /// Nobody did, and why.
    Unanswered(String),
}

/// Run `__probe` in the namespace `from`.
pub fn run(from: &str, protocol: &str, to: SocketAddr) -> Result<Outcome> {
    let exe = exe()?;
    let to = to.to_string();
    let step = Step::new("ip").args(["netns", "exec", from, &exe, "__probe", protocol, &to]);
    let output = step.quiet()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Outcome::Answered(text)),
        Some(code) if code == i32::from(UNANSWERED) => Ok(Outcome::Unanswered(text)),
        _ => bail!("`{step}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

/// A server in a namespace; ends with this value.
pub struct Server(std::process::Child);

impl Server {
    /// Start `__echo` in the namespace and wait until it listens.
    pub fn start(namespace: &str, tcp: u16, udp: u16) -> Result<Self> {
        let (tcp, udp) = (tcp.to_string(), udp.to_string());
        let step =
            Step::new("ip").args(["netns", "exec", namespace, &exe()?, "__echo", &tcp, &udp]);
        println!("$ ip netns exec {namespace} xtask __echo {tcp} {udp} &");
        let mut command = step.command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Self(command.spawn().context("starting the echo server")?);
        let mut first = [0; 6];
        let stdout = server.0.stdout.as_mut().context("the echo server's output")?;
        stdout.read_exact(&mut first).context("the echo server did not start")?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input ends it: `wait` closes that first.
        let _ = self.0.wait();
    }
}

fn exe() -> Result<String> {
    let exe = std::env::current_exe().context("finding xtask's own path")?;
    Ok(exe.to_string_lossy().into_owned())
}
