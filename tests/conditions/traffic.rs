//! Packets that tell conditions apart.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use portcullis::net::IpVersion;

use crate::headers;
use crate::lab::packet::{From, Packet, RawSockets};
use crate::lab::{self, Lab};

/// Packets of many kinds: crafted ones from outside, answers to them, and real connections.
pub fn traffic(lab: &Lab, version: IpVersion) {
    let [host, outside, spoofed, group] = match version {
        IpVersion::V4 => ["192.0.2.1", "192.0.2.2", "192.0.2.77", "224.0.0.1"],
        IpVersion::V6 => ["2001:db8::1", "2001:db8::2", "2001:db8::77", "ff02::1"],
    }
    .map(|text| text.parse::<IpAddr>().unwrap());
    let far: IpAddr = match version {
        IpVersion::V4 => "203.0.113.9".parse().unwrap(),
        IpVersion::V6 => "fd00:99::9".parse().unwrap(),
    };
    let mut packets = Vec::new();
    for source in [outside, spoofed, far] {
        for (protocol, sport, dport) in [
            (17, 53, 53),
            (17, 1500, 53),
            (17, 40000, 7777),
            (17, 40000, 9000),
            (132, 1000, 9000),
            (132, 1000, 9001),
            (33, 1000, 9000),
            (33, 1000, 9001),
            (136, 1000, 9000),
            (136, 1000, 80),
            (47, 0, 0),
        ] {
            packets.push(packet(source, host, protocol, ports(sport, dport)));
        }
        for (dport, flags) in
            [(80, 0x02), (85, 0x02), (443, 0x02), (8050, 0x12), (81, 0x00), (82, 0x29), (8080, 2)]
        {
            packets.push(packet(source, host, 6, tcp(40001, dport, flags)));
            packets.push(packet(source, host, 6, tcp(999, dport, flags)));
        }
        let (icmp, kinds) = match version {
            IpVersion::V4 => (1, [(8, 0), (3, 4), (3, 3), (13, 0)]),
            IpVersion::V6 => (58, [(128, 0), (1, 4), (1, 3), (3, 0)]),
        };
        for (kind, code) in kinds {
            packets.push(packet(source, host, icmp, vec![kind, code, 0, 0, 0, 7, 0, 1]));
        }
    }
    packets.push(packet(outside, group, 17, ports(5353, 5353)));
    for hops in [5, 63, 64, 255] {
        packets.push(Packet { hops, class: 8 << 2, ..packet(outside, host, 17, ports(1, 2)) });
    }
    for size in [20, 32, 72, 73, 500] {
        let mut data = ports(2000, 3000);
        data.resize(size, 0);
        packets.push(packet(outside, host, 17, data));
    }
    if version == IpVersion::V4 {
        let whole = packet(outside, host, 17, ports(2000, 53));
        packets.push(Packet { fragment: 0x2000, ..whole.clone() });
        packets.push(Packet { fragment: 0x0002, ..whole });
    }
    packets.extend(headers::packets(version, outside, host));
    lab.outside.enter(|| send(&packets));
    std::thread::sleep(Duration::from_millis(200));
    connections(lab, host, outside);
    std::thread::sleep(Duration::from_millis(300));
}

/// Real flows with answers: to published ports, from the host, refused and not.
fn connections(lab: &Lab, host: IpAddr, outside: IpAddr) {
    let talk = |address: SocketAddr| {
        if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let _ = stream.write_all(b"x\n");
            let _ = stream.read(&mut [0; 64]);
        }
    };
    lab.outside.enter(|| {
        talk((host, 8080).into());
        talk((host, 443).into());
    });
    lab.host.enter(|| {
        talk((outside, 8081).into());
        talk((outside, 80).into());
        let any: IpAddr = if host.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = UdpSocket::bind((any, 0)).unwrap();
        for port in [53, 80, 9000] {
            let _ = socket.send_to(b"hello", (outside, port));
        }
    });
}

/// By the link to the host, which is also where the multicast group is.
fn send(packets: &[Packet]) {
    let sockets = RawSockets::open();
    let link = if_nametoindex("eth0").unwrap();
    for packet in packets {
        // All have one number, so that fragments belong together.
        sockets.send(packet, 0x1234, link).unwrap_or_else(|e| panic!("send {packet:?}: {e}"));
    }
}

/// A packet from outside.
pub fn packet(source: IpAddr, destination: IpAddr, protocol: u8, data: Vec<u8>) -> Packet {
    Packet::new("conditions", From::Outside, (source, destination), (protocol, data))
}

/// A header that begins with ports, and enough behind it for any protocol that has them.
pub fn ports(source: u16, destination: u16) -> Vec<u8> {
    lab::packet::ports(source, destination, 24)
}

/// A TCP header without options.
pub fn tcp(source: u16, destination: u16, flags: u8) -> Vec<u8> {
    lab::packet::tcp((source, destination), (1, 0), flags, &[])
}
