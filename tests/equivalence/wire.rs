//! The far ends of a host's two links: frames go in and come out there, with nothing between.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};

use super::lab::packet::Cast;

/// The host's side of the outside link and of the inside link, and what is at their other end.
pub const HOST: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 0x11]];
pub const FAR: [[u8; 6]; 2] = [[2, 0, 0, 0, 2, 2], [2, 0, 0, 0, 2, 3]];

const ARP: [u8; 2] = [0x08, 0x06];

/// One end.
pub struct Wire {
    socket: OwnedFd,
    link: usize,
}

impl Wire {
    /// `wI` of the namespace that the calling thread is in.
    pub fn open(link: usize) -> Wire {
        let name = format!("w{link}");
        let address: LinkAddr = getifaddrs()
            .unwrap()
            .filter(|found| found.interface_name == name)
            .find_map(|found| found.address?.as_link_addr().copied())
            .unwrap_or_else(|| panic!("no link {name}"));
        let (raw, all) = (SockType::Raw, SockProtocol::EthAll);
        let socket = socket(AddressFamily::Packet, raw, SockFlag::SOCK_NONBLOCK, all).unwrap();
        bind(socket.as_raw_fd(), &address).unwrap();
        Wire { socket, link }
    }

    /// A packet to the host.
    pub fn send(&self, cast: Cast, mac: u8, packet: &[u8]) {
        let to = match cast {
            Cast::Host => HOST[self.link],
            Cast::Broadcast => [0xff; 6],
            Cast::Multicast => [0x33, 0x33, 0, 0, 0, 1],
        };
        let mut frame = to.to_vec();
        frame.extend([2, 0, 0, 0, 2, mac]);
        frame.extend(if packet[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] });
        frame.extend(packet);
        send(self.socket.as_raw_fd(), &frame, MsgFlags::empty()).unwrap();
    }

    /// The next packet of the host, without its Ethernet header.
    pub fn receive(&self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 4096];
        loop {
            match recv(self.socket.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(length) if frame[6..12] == HOST[self.link] && frame[12..14] != ARP => {
                    frame.truncate(length);
                    return Some(frame.split_off(14));
                }
                Ok(_) => {}
                Err(Errno::EAGAIN) => return None,
                Err(errno) => panic!("receive from w{}: {errno}", self.link),
            }
        }
    }
}
