//! What the neighbours hear of a new address: gratuitous ARP, unsolicited neighbour advertisement.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use portcullis::link::{Address, LinkChange, Sysctl, in_netns};
use portcullis::net::Subnet;

use super::host::{Host, name};

/// Everything that is received on all links of the calling thread's namespace.
fn wiretap() -> OwnedFd {
    let tap = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), SockProtocol::EthAll)
        .unwrap();
    setsockopt(&tap, sockopt::ReceiveTimeout, &TimeVal::milliseconds(200)).unwrap();
    tap
}

fn has(frames: &[Vec<u8>], wanted: impl Fn(&[u8]) -> bool) -> bool {
    frames.iter().any(|frame| wanted(frame))
}

/// An ARP packet whose sender asks for itself: both addresses are 10.88.0.2.
fn is_gratuitous_arp(frame: &[u8]) -> bool {
    let ip = [10, 88, 0, 2];
    frame.get(12..14) == Some(&[0x08, 0x06])
        && frame.get(28..32) == Some(&ip)
        && frame.get(38..42) == Some(&ip)
}

/// A neighbour advertisement (ICMPv6 type 136) to all nodes about fd00:88::2, not solicited.
fn is_unsolicited_advertisement(frame: &[u8]) -> bool {
    let mut target = [0; 16];
    (target[0], target[2], target[3], target[15]) = (0xfd, 0x00, 0x88, 0x02);
    frame.get(12..14) == Some(&[0x86, 0xdd])
        && frame.get(54) == Some(&136)
        && frame.get(58).is_some_and(|flags| flags & 0x40 == 0)
        && frame.get(62..78) == Some(&target)
}

fn capture(host: &Host, notify: &str) -> Vec<Vec<u8>> {
    let bridge = host.bridge();
    let (outer, inner) = host.veth();
    host.links.change(&outer, LinkChange::new().master(&bridge)).unwrap();
    let tap = wiretap();
    in_netns(&host.container_file, || {
        Sysctl::arp_notify(&name("eth0")).set(notify).unwrap();
        Sysctl::ndisc_notify(&name("eth0")).set(notify).unwrap();
        Sysctl::accept_dad(&name("eth0")).set("0").unwrap();
    })
    .unwrap();
    for text in ["10.88.0.2/16", "fd00:88::2/64"] {
        let (address, subnet) = Subnet::parse_interface(text).unwrap();
        host.inside.add_address(&inner, &Address::new(address, subnet)).unwrap();
    }
    host.inside.change(&inner, LinkChange::new().up()).unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(3);
    let mut frames = Vec::new();
    let mut buffer = [0; 2048];
    while std::time::Instant::now() < end {
        if let Ok(length) = recv(tap.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            frames.push(buffer[..length].to_vec());
        }
        if has(&frames, is_gratuitous_arp) && has(&frames, is_unsolicited_advertisement) {
            break;
        }
    }
    frames
}

#[test]
fn neighbours_when_the_sysctls_are_set_then_they_hear_of_both_addresses() {
    let frames = capture(&Host::new(), "1");
    assert!(has(&frames, is_gratuitous_arp), "no ARP in {frames:02x?}");
    assert!(has(&frames, is_unsolicited_advertisement), "no advertisement in {frames:02x?}");
}

#[test]
fn neighbours_when_the_sysctls_are_not_set_then_they_hear_of_neither() {
    let frames = capture(&Host::new(), "0");
    assert!(!frames.is_empty(), "the wire carries nothing at all");
    assert!(!has(&frames, is_gratuitous_arp), "ARP in {frames:02x?}");
    assert!(!has(&frames, is_unsolicited_advertisement), "advertisement in {frames:02x?}");
}
