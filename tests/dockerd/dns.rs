//! One question to the daemon's name server in a container, as the container's programs ask it,
//! and the server outside that it asks in its turn.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::lab::{Netns, Protocol};

/// Where the embedded name server is for each container of a network with a name.
const SERVER: &str = "127.0.0.11:53";
const PATIENCE: Duration = Duration::from_secs(3);

/// A name server that knows no name. Stops when dropped.
pub struct Outside {
    stop: Arc<AtomicBool>,
}

impl Outside {
    /// Answers on UDP port 53 of `netns`; returns when the socket is bound.
    pub fn serve(netns: &Netns) -> Outside {
        let outside = Outside { stop: Arc::new(AtomicBool::new(false)) };
        let (netns, stop) = (netns.clone(), Arc::clone(&outside.stop));
        let (ready, bound) = mpsc::channel();
        thread::spawn(move || {
            netns.join();
            let socket = UdpSocket::bind("0.0.0.0:53").expect("bind port 53");
            socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
            ready.send(()).expect("the host waits for its server");
            let mut question = [0; 512];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut question) else { continue };
                // A response, recursion available, "no such name".
                question[2..4].copy_from_slice(&[0x81, 0x83]);
                let _ = socket.send_to(&question[..length], peer);
            }
        });
        bound.recv().expect("port 53 of the client is free");
        outside
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    A,
    Aaaa,
}

/// The first address of a name, `no address`, or what went wrong. See RFC 1035, section 4.
pub fn ask(netns: &Netns, protocol: Protocol, name: &str, record: Record) -> String {
    let question = question(name, record);
    let answer = netns.enter(|| match protocol {
        Protocol::Udp => over_udp(&question),
        Protocol::Tcp => over_tcp(&question),
    });
    match answer {
        Ok(answer) => first_address(&answer, question.len())
            .map_or_else(|| "no address".to_owned(), |address| address.to_string()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => "refused".to_owned(),
        Err(_) => "silent".to_owned(),
    }
}

fn question(name: &str, record: Record) -> Vec<u8> {
    // An id, "recursion desired", one question.
    let mut bytes = vec![0x4c, 0x07, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend(label.bytes());
    }
    let kind = match record {
        Record::A => 1,
        Record::Aaaa => 28,
    };
    bytes.extend([0, 0, kind, 0, 1]);
    bytes
}

fn over_udp(question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(SERVER)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(question)?;
    let mut answer = vec![0; 512];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

fn over_tcp(question: &[u8]) -> io::Result<Vec<u8>> {
    let server: SocketAddr = SERVER.parse().expect("an address");
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = u16::try_from(question.len()).expect("a short question");
    stream.write_all(&[&length.to_be_bytes(), question].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// The address of the first answer behind the question, which is repeated.
fn first_address(answer: &[u8], question: usize) -> Option<IpAddr> {
    let mut rest = answer.get(question..)?;
    // The answer's name: labels, or two bytes that point at some.
    loop {
        match *rest.first()? {
            0 => break rest = rest.get(1..)?,
            pointer if pointer >= 0xc0 => break rest = rest.get(2..)?,
            length => rest = rest.get(1 + usize::from(length)..)?,
        }
    }
    // Type, class, time to live, length.
    let data = rest.get(10..)?;
    match rest.get(..2)? {
        [0, 1] => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data.get(..4)?).ok()?).into()),
        [0, 28] => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data.get(..16)?).ok()?).into()),
        _ => None,
    }
}
