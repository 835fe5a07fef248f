//! A server that tells its client whom it saw.

use std::io::{ErrorKind, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::netns::Netns;

/// Answers on one port, TCP and UDP, IPv4 and IPv6: `by=<namespace> from=<client's address>`.
/// Stops when dropped.
pub struct Echo {
    stop: Arc<AtomicBool>,
}

impl Echo {
    /// Listens in `netns`; returns when the sockets are bound.
    pub fn serve(netns: &Netns, port: u16) -> Echo {
        let echo = Echo { stop: Arc::new(AtomicBool::new(false)) };
        let (netns, stop) = (netns.clone(), Arc::clone(&echo.stop));
        let (ready, bound) = mpsc::channel();
        thread::spawn(move || {
            netns.join();
            // The unspecified IPv6 address takes IPv4 clients too, as ::ffff:a.b.c.d.
            let address = (Ipv6Addr::UNSPECIFIED, port);
            let tcp = TcpListener::bind(address).expect("bind tcp");
            let udp = UdpSocket::bind(address).expect("bind udp");
            tcp.set_nonblocking(true).expect("nonblocking tcp");
            udp.set_nonblocking(true).expect("nonblocking udp");
            ready.send(()).expect("the laboratory waits for its servers");
            while !stop.load(Ordering::Relaxed) {
                if !answer(netns.name(), &tcp, &udp) {
                    thread::sleep(Duration::from_millis(5));
                }
            }
        });
        bound.recv().unwrap_or_else(|_| panic!("lab: no server on port {port}"));
        echo
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Answers one client of each protocol; says whether there was one.
fn answer(name: &str, tcp: &TcpListener, udp: &UdpSocket) -> bool {
    let text = |peer: SocketAddr| format!("by={name} from={}", peer.ip().to_canonical());
    let mut busy = false;
    if let Ok((mut stream, peer)) = tcp.accept() {
        // A client that gave up in between is not the server's trouble.
        let _ = stream.write_all(text(peer).as_bytes());
        busy = true;
    }
    match udp.recv_from(&mut [0; 64]) {
        Ok((_, peer)) => {
            let _ = udp.send_to(text(peer).as_bytes(), peer);
            busy = true;
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        // An ICMP error of an earlier answer.
        Err(_) => busy = true,
    }
    busy
}
