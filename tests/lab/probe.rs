//! One question to one address, and its outcome.
//!
//! A probe is asked once, without retry, and prints as `outside tcp 192.0.2.1:8080`; an outcome
//! prints as `container sees 192.0.2.2`, `refused` or `silent`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::str::FromStr;
use std::time::Duration;

use super::netns::Netns;
use super::topology::Place;

/// Longer than any answer takes here, shorter than TCP's first retransmission (1 s).
pub const PATIENCE: Duration = Duration::from_millis(800);

/// A question: who asks, over what, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub client: Place,
    pub protocol: Protocol,
    pub to: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `by` answered and saw the client as `from`.
    Answered { by: String, from: IpAddr },
    /// A TCP reset or ICMP "port unreachable": the packet arrived where nobody listens.
    Refused,
    /// Nothing came back, or the kernel would not send at all.
    Silent,
}

/// Outcomes by the probes' printed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(pub BTreeMap<String, Outcome>);

impl Probe {
    /// Asks from inside `netns`.
    pub fn send(&self, netns: &Netns) -> Outcome {
        netns.enter(|| {
            let answer = match self.protocol {
                Protocol::Tcp => ask_tcp(self.to),
                Protocol::Udp => open_udp(self.to).and_then(|socket| ask_udp(&socket)),
            };
            Outcome::of(answer)
        })
    }
}

impl Outcome {
    pub fn of(answer: io::Result<String>) -> Outcome {
        match answer {
            Ok(text) => text.parse().unwrap_or_else(|e| panic!("lab: answer {text:?}: {e}")),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Refused,
            Err(_) => Outcome::Silent,
        }
    }
}

fn ask_tcp(to: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A UDP socket that only hears `to`, with a source port that it keeps.
pub fn open_udp(to: SocketAddr) -> io::Result<UdpSocket> {
    let local: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((local, 0))?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

pub fn ask_udp(socket: &UdpSocket) -> io::Result<String> {
    socket.send(b"who am I?")?;
    let mut buffer = [0; 128];
    let length = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        write!(f, "{} {protocol} {}", self.client, self.to)
    }
}

impl FromStr for Probe {
    type Err = String;

    fn from_str(text: &str) -> Result<Probe, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let [client, protocol, to] = words[..] else {
            return Err("a probe is: client protocol address:port".to_owned());
        };
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            other => return Err(format!("no protocol is called {other}")),
        };
        let to = to.parse().map_err(|e| format!("{to}: {e}"))?;
        Ok(Probe { client: client.parse()?, protocol, to })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Answered { by, from } => write!(f, "{by} sees {from}"),
            Outcome::Refused => f.write_str("refused"),
            Outcome::Silent => f.write_str("silent"),
        }
    }
}

impl FromStr for Outcome {
    type Err = String;

    /// Reads an echo server's answer.
    fn from_str(answer: &str) -> Result<Outcome, String> {
        let (by, from) = answer
            .strip_prefix("by=")
            .and_then(|rest| rest.split_once(" from="))
            .ok_or("not an echo server's answer")?;
        let from = from.parse().map_err(|e| format!("{from}: {e}"))?;
        Ok(Outcome::Answered { by: by.to_owned(), from })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(probe, outcome)| writeln!(f, "{probe}: {outcome}"))
    }
}
