//! A UDP conversation that outlives the mapping it goes through.

use std::net::{SocketAddr, UdpSocket};

use super::netns::Netns;
use super::probe::{Outcome, ask_udp, open_udp};

/// One client socket that keeps its source port: to conntrack all it sends is one flow, whose
/// translation the first packet decides.
pub struct UdpFlow {
    socket: UdpSocket,
}

impl UdpFlow {
    /// A socket made in `netns` stays there, whichever thread uses it.
    pub fn open(netns: &Netns, to: &str) -> UdpFlow {
        let to: SocketAddr = to.parse().unwrap_or_else(|e| panic!("{to}: {e}"));
        let socket = netns.enter(|| open_udp(to)).unwrap_or_else(|e| panic!("udp to {to}: {e}"));
        UdpFlow { socket }
    }

    /// Sends one more datagram of the flow and waits for its answer.
    pub fn ask(&self) -> Outcome {
        // An ICMP error or an answer of an earlier datagram must not count for this one.
        self.socket.set_nonblocking(true).expect("nonblocking");
        let _ = self.socket.take_error();
        while self.socket.recv(&mut [0; 128]).is_ok() {}
        self.socket.set_nonblocking(false).expect("blocking");
        Outcome::of(ask_udp(&self.socket))
    }
}
