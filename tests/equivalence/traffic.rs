//! The packets: many kinds on every way through the host, and flows with answers and errors.

use std::net::IpAddr;

use portcullis::net::IpVersion;

use super::lab::packet::{Cast, From, Packet, dccp, icmp, ports, sctp, tcp};

/// Addresses of one family.
pub struct Hosts {
    pub host: IpAddr,
    pub far: IpAddr,
    pub other: IpAddr,
    pub distant: IpAddr,
    pub container: IpAddr,
    pub second: IpAddr,
    pub gateway: IpAddr,
    pub broadcast: IpAddr,
    pub group: IpAddr,
}

impl Hosts {
    pub fn of(version: IpVersion) -> Hosts {
        let texts = match version {
            IpVersion::V4 => [
                "192.0.2.1",
                "192.0.2.2",
                "192.0.2.77",
                "203.0.113.9",
                "10.88.0.2",
                "10.88.0.3",
                "10.88.0.1",
                "192.0.2.255",
                "224.0.0.1",
            ],
            IpVersion::V6 => [
                "2001:db8::1",
                "2001:db8::2",
                "2001:db8::77",
                "2001:db8:9::9",
                "fd00:88::2",
                "fd00:88::3",
                "fd00:88::1",
                "ff02::1",
                "ff02::1",
            ],
        };
        let [host, far, other, distant, container, second, gateway, broadcast, group] =
            texts.map(|text| text.parse().unwrap());
        Hosts { host, far, other, distant, container, second, gateway, broadcast, group }
    }
}

/// Whether conntrack is at work, which puts fragments together before any rule sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    On,
    Off,
}

/// All packets of a round, in order.
pub fn traffic(version: IpVersion, tracking: Tracking) -> Vec<Packet> {
    let hosts = Hosts::of(version);
    let mut packets = Vec::new();
    for (from, ends) in [
        (From::Outside, (hosts.far, hosts.host)),
        (From::Outside, (hosts.distant, hosts.container)),
        (From::Inside, (hosts.container, hosts.distant)),
        (From::Inside, (hosts.second, hosts.gateway)),
        (From::Local, (hosts.host, hosts.far)),
        (From::Outside, (hosts.container, hosts.host)),
    ] {
        kinds(version, from, ends, &mut packets);
    }
    casts(version, &hosts, &mut packets);
    headers(&hosts, &mut packets);
    match version {
        IpVersion::V4 => odd4(&hosts, tracking, &mut packets),
        IpVersion::V6 => odd6(&hosts, tracking, &mut packets),
    }
    flows(version, &hosts, &mut packets);
    // Eight flows of one sender. None comes twice: within a tick the kernel counts it again.
    for sport in 6001..=6008 {
        let ends = (hosts.distant, hosts.container);
        let data = (17, ports(sport, 9100, 12));
        packets.push(Packet::new("one of eight flows", From::Outside, ends, data));
        let data = (6, tcp((sport, 9101), (1, 0), 0x02, &[]));
        packets.push(Packet::new("one of eight connections", From::Outside, ends, data));
        let data = (6, tcp((sport, 9101), (2, 1), 0x10, &[]));
        packets.push(Packet::new("its first ACK, without an answer", From::Outside, ends, data));
    }
    // Without conntrack the kernel's two judges differ on them: see `fragments`.
    packets.retain(|packet| !packet.is_later_fragment());
    packets
}

/// Packets with an authentication header in front of their transport header.
pub fn authenticated() -> Vec<Packet> {
    let hosts = Hosts::of(IpVersion::V6);
    let check = (51, [vec![4, 0, 0, 0, 0, 0, 7], vec![0; 16]].concat());
    let ends = (hosts.distant, hosts.container);
    let data = tcp((40008, 80), (1, 0), 0x02, &[]);
    let packet = Packet::new("authenticated", From::Outside, ends, (6, data));
    vec![Packet { extensions: vec![check], ..packet }]
}

/// The pieces of packets that `traffic` leaves out.
pub fn fragments(version: IpVersion) -> Vec<Packet> {
    let (hosts, mut packets) = (Hosts::of(version), Vec::new());
    match version {
        IpVersion::V4 => odd4(&hosts, Tracking::Off, &mut packets),
        IpVersion::V6 => odd6(&hosts, Tracking::Off, &mut packets),
    }
    packets.retain(Packet::is_later_fragment);
    packets
}

/// Every protocol on one way.
fn kinds(version: IpVersion, from: From, ends: (IpAddr, IpAddr), packets: &mut Vec<Packet>) {
    let mut put =
        |about, protocol, data| packets.push(Packet::new(about, from, ends, (protocol, data)));
    for (sport, dport) in [(53, 53), (1023, 1024), (40000, 7777), (40001, 80), (65535, 1), (79, 90)]
    {
        put("udp", 17, ports(sport, dport, 12));
        put("udplite", 136, ports(sport, dport, 12));
    }
    put("udp to 9000", 17, ports(5001, 9000, 100));
    for flags in [
        0x02, 0x12, 0x10, 0x11, 0x04, 0x14, 0x18, 0x20, 0, 0x29, 0x3f, 0x03, 0x06, 0xc2, 0x42, 0x90,
    ] {
        put("tcp with flags", 6, tcp((40002, 80), (1, 1), flags, &[]));
    }
    for (sport, dport) in [(80, 40003), (443, 443), (1024, 1023), (0, 0), (65535, 65535), (81, 91)]
    {
        put("tcp with ports", 6, tcp((sport, dport), (1, 0), 0x02, &[]));
    }
    for options in [
        &[2u8, 4, 2, 24][..],
        &[2, 4, 3, 232],
        &[2, 4, 5, 180],
        &[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7],
        &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
        &[5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0],
        &[254, 4, 0, 0],
    ] {
        put("tcp with options", 6, tcp((40004, 80), (1, 0), 0x02, options));
        put("tcp with options, no SYN", 6, tcp((40004, 80), (1, 1), 0x10, options));
    }
    for chunks in [
        &[(1u8, 0u8, &[0u8; 16][..])][..],
        &[(0, 3, &[0; 12]), (3, 0, &[0; 12])],
        &[(0, 7, &[0; 13])],
        &[(6, 1, &[])],
        &[(14, 1, &[])],
        &[(10, 0, &[0; 8]), (0, 0, &[0; 12])],
    ] {
        put("sctp", 132, sctp((1000, 9000), chunks));
        put("sctp", 132, sctp((80, 9001), chunks));
    }
    for kind in [0, 1, 2, 5, 7, 9] {
        put("dccp", 33, dccp((1000, 9000), kind));
        put("dccp", 33, dccp((80, 9001), kind));
    }
    // One more of some, so that no rule and its opposite count the same.
    put("sctp", 132, sctp((1000, 9000), &[(1, 0, &[0; 16])]));
    put("dccp", 33, dccp((1000, 9000), 0));
    for spi in [0u32, 5, 7, 10, 11, 12, 0xffff_ffff] {
        put("esp", 50, [spi.to_be_bytes(), [0; 4], [0; 4], [0; 4]].concat());
        put("ah", 51, [[59, 4, 0, 0], spi.to_be_bytes(), [0; 4], [0; 4], [0; 4], [0; 4]].concat());
        let [_, _, high, low] = spi.to_be_bytes();
        put("ipcomp", 108, vec![59, 0, high, low, 1, 2, 3, 4]);
    }
    put("gre", 47, vec![0; 20]);
    put("protocol 255", 255, vec![0; 20]);
    let (protocol, messages) = match version {
        IpVersion::V4 => {
            (1, [(8, 0), (0, 0), (37, 0), (17, 0), (15, 0), (8, 1), (40, 3), (255, 3)])
        }
        IpVersion::V6 => {
            (58, [(128, 0), (129, 0), (128, 1), (130, 0), (139, 0), (100, 1), (200, 2), (255, 3)])
        }
    };
    for (kind, code) in messages {
        put("icmp", protocol, icmp(kind, code, &[0, 7, 0, 1, 1, 2, 3, 4]));
    }
}

/// Frames to all and to groups, and other senders.
fn casts(version: IpVersion, hosts: &Hosts, packets: &mut Vec<Packet>) {
    let udp = |about, ends, cast| Packet {
        cast,
        ..Packet::new(about, From::Outside, ends, (17, ports(5353, 5353, 20)))
    };
    packets.push(udp("to a group", (hosts.far, hosts.group), Cast::Multicast));
    packets.push(udp("to all", (hosts.far, hosts.broadcast), Cast::Broadcast));
    packets.push(udp("to all, but for the host", (hosts.far, hosts.host), Cast::Broadcast));
    packets.push(udp("from the host's own address", (hosts.host, hosts.far), Cast::Host));
    for mac in [0x53, 0x54] {
        let packet = udp("of another station", (hosts.other, hosts.host), Cast::Host);
        packets.push(Packet { mac, ..packet });
    }
    if version == IpVersion::V4 {
        for (about, from, to) in [
            ("to everyone", "192.0.2.2", "255.255.255.255"),
            ("DHCP", "0.0.0.0", "255.255.255.255"),
            ("from loopback", "127.0.0.1", "192.0.2.1"),
            ("from a group", "224.0.0.5", "192.0.2.1"),
            ("to the network", "192.0.2.2", "192.0.2.0"),
        ] {
            packets.push(udp(about, (from.parse().unwrap(), to.parse().unwrap()), Cast::Host));
        }
    }
    let nowhere = match version {
        IpVersion::V4 => ["198.18.0.1", "198.18.1.1", "198.18.2.1"],
        IpVersion::V6 => ["2001:db8:b::1", "2001:db8:c::1", "2001:db8:d::1"],
    };
    for address in nowhere.map(|text| text.parse().unwrap()) {
        packets.push(udp("to where no route leads", (hosts.far, address), Cast::Host));
        packets.push(udp("from where no route leads", (address, hosts.host), Cast::Host));
    }
    for last in [9u8, 10, 11, 20, 21] {
        let near = |address: IpAddr| match address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                IpAddr::from([a, b, c, last])
            }
            IpAddr::V6(v6) => {
                let mut octets = v6.octets();
                octets[15] = last;
                IpAddr::from(octets)
            }
        };
        packets.push(udp("from an address in a range", (near(hosts.far), hosts.host), Cast::Host));
        packets.push(udp("to a distant range", (hosts.far, near(hosts.distant)), Cast::Host));
    }
}

/// Lifetimes, classes, lengths.
fn headers(hosts: &Hosts, packets: &mut Vec<Packet>) {
    for ends in [(hosts.far, hosts.host), (hosts.distant, hosts.container)] {
        let udp = |about, length| {
            Packet::new(about, From::Outside, ends, (17, ports(2000, 3000, length)))
        };
        for hops in [1, 2, 3, 4, 5, 6, 63, 64, 65, 127, 128, 255] {
            packets.push(Packet { hops, ..udp("lifetime", 8) });
        }
        for class in [
            1,
            2,
            3,
            0x10,
            0x08,
            0x04,
            0x02 << 2,
            0x20,
            0x22,
            0x28,
            0x40,
            0x88,
            0xb8,
            0xbb,
            0xe0,
            0xfc,
            0xff,
        ] {
            packets.push(Packet { class, ..udp("class", 9) });
        }
        for length in [8, 20, 59, 60, 61, 71, 72, 73, 80, 81, 472, 473, 1000, 1400] {
            packets.push(udp("length", length));
        }
        for class in [0, 1, 2, 3] {
            for flags in [0x02, 0x42, 0x82, 0xc2, 0x10, 0x50, 0x90, 0xd0] {
                let data = tcp((40005, 81), (1, 1), flags, &[]);
                let packet = Packet::new("congestion bits", From::Outside, ends, (6, data));
                packets.push(Packet { class, ..packet });
            }
        }
    }
}

/// Options and fragments of IPv4.
fn odd4(hosts: &Hosts, tracking: Tracking, packets: &mut Vec<Packet>) {
    let ends = (hosts.distant, hosts.container);
    for ends in [ends, (hosts.far, hosts.host)] {
        let udp =
            Packet::new("with a router alert", From::Outside, ends, (17, ports(2000, 53, 16)));
        packets.push(Packet { options: vec![148, 4, 0, 0], ..udp.clone() });
        let about = "tcp behind no-operations";
        let data = tcp((40006, 80), (1, 0), 0x02, &[]);
        let packet = Packet::new(about, From::Outside, ends, (6, data));
        packets.push(Packet { options: vec![1; 12], ..packet });
        if tracking == Tracking::Off {
            let about = "first fragment";
            let data = ports(2000, 53, 24);
            let first = Packet::new(about, From::Outside, ends, (17, data));
            packets.push(Packet { fragment: 0x2000, ..first.clone() });
            // Its bytes look like ports, and are none.
            let later = Packet { about: "later fragment", raw: true, ..first };
            packets.push(Packet { fragment: 0x2003, ..later.clone() });
            packets.push(Packet { about: "last fragment", fragment: 0x0006, ..later });
            let data = tcp((40007, 80), (1, 0), 0x02, &[2, 4, 5, 180]);
            let packet = Packet::new("first fragment of tcp", From::Outside, ends, (6, data));
            packets.push(Packet { fragment: 0x2000, ..packet.clone() });
            let about = "later fragment of tcp";
            packets.push(Packet { about, fragment: 0x0003, raw: true, ..packet });
            let data = icmp(8, 0, &[0, 7, 0, 1, 1, 2, 3, 4]);
            let packet = Packet::new("first fragment of icmp", From::Outside, ends, (1, data));
            packets.push(Packet { fragment: 0x2000, ..packet.clone() });
            let about = "later fragment of icmp";
            packets.push(Packet { about, fragment: 0x0002, raw: true, ..packet });
        }
        packets.push(Packet { about: "must not be fragmented", fragment: 0x4000, ..udp });
    }
    if tracking == Tracking::On {
        let whole = Packet::new(
            "first fragment, to be put together",
            From::Outside,
            ends,
            (17, ports(2000, 53, 24)),
        );
        // A checksum of zero is none: the pieces have no common one.
        let first = Packet { fragment: 0x2000, raw: true, ..whole.clone() };
        let mut first = first;
        first.data[4..6].copy_from_slice(&32u16.to_be_bytes());
        packets.push(first);
        let data = vec![7; 8];
        let about = "last fragment, to be put together";
        packets.push(Packet { about, fragment: 0x0003, raw: true, data, ..whole });
    }
}

/// Extension headers of IPv6.
fn odd6(hosts: &Hosts, tracking: Tracking, packets: &mut Vec<Packet>) {
    let hop = (0, vec![0, 1, 4, 0, 0, 0, 0]);
    let alert = (0, vec![0, 5, 2, 0, 0, 1, 0]);
    let long = (0, vec![1, 5, 2, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let destination = (60, vec![0, 1, 4, 0, 0, 0, 0]);
    let home = (60, [vec![2, 1, 2, 0, 0, 201, 16], vec![0; 16]].concat());
    let routing = |kind: u8, left: u8| (43, [vec![2, kind, left], vec![0; 20]].concat());
    let segments = |left: u8, last: u8| {
        let mut body = vec![2, 4, left, last, 0, 0, 7];
        body.extend([0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        (43, body)
    };
    let piece = |offset: u16, more: u8, id: u8| {
        let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
        (44, vec![0, high, low, 0, 0, 0, id])
    };
    let mut chains = vec![
        ("hop-by-hop", vec![hop.clone()]),
        ("router alert", vec![alert.clone()]),
        ("two options", vec![long]),
        ("destination options", vec![destination.clone()]),
        ("home address", vec![home]),
        ("routing 2, all visited", vec![routing(2, 0)]),
        ("routing 3, all visited", vec![routing(3, 0)]),
        ("segments, all visited", vec![segments(0, 0)]),
        ("hop-by-hop, destination options", vec![hop.clone(), destination.clone()]),
        (
            "hop-by-hop, routing, destination options",
            vec![hop.clone(), routing(2, 0), destination.clone()],
        ),
        ("atomic fragment", vec![piece(0, 0, 9)]),
    ];
    if tracking == Tracking::Off {
        chains.extend([
            ("first fragment", vec![piece(0, 1, 1)]),
            ("later fragment", vec![piece(2, 1, 1)]),
            ("last fragment", vec![piece(4, 0, 1)]),
            ("hop-by-hop, first fragment", vec![hop.clone(), piece(0, 1, 2)]),
            ("hop-by-hop, later fragment", vec![hop, piece(5, 0, 2)]),
            ("first fragment, destination options", vec![piece(0, 1, 3), destination]),
        ]);
    }
    for ends in [(hosts.distant, hosts.container), (hosts.far, hosts.host)] {
        for (about, extensions) in &chains {
            for (protocol, data) in [
                (17, ports(2000, 53, 24)),
                (6, tcp((40008, 80), (1, 0), 0x02, &[2, 4, 5, 180])),
                (58, icmp(128, 0, &[0, 7, 0, 1, 1, 2, 3, 4])),
                (59, Vec::new()),
            ] {
                let packet = Packet::new(about, From::Outside, ends, (protocol, data));
                packets.push(Packet { extensions: extensions.clone(), ..packet });
            }
        }
        for kind in [0, 1, 5, 7] {
            let data = vec![59, 1, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            packets.push(Packet::new("mobility", From::Outside, ends, (135, data)));
        }
    }
}

/// Flows: opened, answered, closed; errors about them; answers to nobody.
fn flows(version: IpVersion, hosts: &Hosts, packets: &mut Vec<Packet>) {
    let (there, back) = ((hosts.container, hosts.distant), (hosts.distant, hosts.container));
    let mut say = |about, from, ends, data| packets.push(Packet::new(about, from, ends, (6, data)));
    use From::{Inside, Outside};
    let (out, home) = ((41000, 443), (443, 41000));
    say("SYN", Inside, there, tcp(out, (100, 0), 0x02, &[2, 4, 5, 180]));
    say("SYN ACK", Outside, back, tcp(home, (500, 101), 0x12, &[2, 4, 5, 180]));
    say("ACK", Inside, there, tcp(out, (101, 501), 0x10, &[]));
    for turn in 0..4 {
        let mut data = tcp(out, (101 + turn * 100, 501 + turn * 200), 0x18, &[]);
        data.resize(120, 7);
        say("data", Inside, there, data);
        let mut data = tcp(home, (501 + turn * 200, 201 + turn * 100), 0x18, &[]);
        data.resize(220, 7);
        say("data back", Outside, back, data);
    }
    say("out of the window", Outside, back, tcp(home, (9_000_000, 1), 0x10, &[]));
    say("FIN", Inside, there, tcp(out, (501, 1301), 0x11, &[]));
    say("FIN back", Outside, back, tcp(home, (1301, 502), 0x11, &[]));
    say("last ACK", Inside, there, tcp(out, (502, 1302), 0x10, &[]));
    // A published port, and an answer.
    let published = (hosts.distant, hosts.host);
    say("SYN to a published port", Outside, published, tcp((42000, 8080), (100, 0), 0x02, &[]));
    let answer = (hosts.container, hosts.distant);
    say("SYN ACK of it", Inside, answer, tcp((80, 42000), (700, 101), 0x12, &[]));
    say("ACK of it", Outside, published, tcp((42000, 8080), (101, 701), 0x10, &[]));
    say("RST of it", Inside, answer, tcp((80, 42000), (701, 101), 0x14, &[]));
    let mut bad = Packet::new("wrong checksum", Outside, back, (6, tcp((1, 2), (1, 0), 0x02, &[])));
    bad.raw = true;
    packets.push(bad);
    // Datagrams, masqueraded at 9000.
    for (about, port) in [("udp of a flow", 4500), ("udp masqueraded", 9000)] {
        let request = Packet::new(about, Inside, there, (17, ports(5000, port, 40)));
        packets.push(request.clone());
        let to = if port == 9000 { hosts.host } else { hosts.container };
        let reply = (hosts.distant, to);
        let data = ports(port, 5000, 60);
        packets.push(Packet::new("answer of udp", Outside, reply, (17, data)));
        let seen = Packet { source: to, ..request.clone() };
        for (kind, code) in match version {
            IpVersion::V4 => [(3, 3), (3, 4), (3, 1), (11, 0), (12, 0)],
            IpVersion::V6 => [(1, 4), (2, 0), (1, 3), (3, 0), (4, 0)],
        } {
            let quoted = seen.bytes(7);
            let data = icmp(kind, code, &[&[0, 0, 5, 0], &quoted[..]].concat());
            let protocol = if version == IpVersion::V4 { 1 } else { 58 };
            packets.push(Packet::new("error about udp", Outside, reply, (protocol, data)));
        }
        packets.push(request);
    }
    // An error about a flow that never was.
    let never = Packet::new("", Inside, (hosts.container, hosts.distant), (17, ports(1, 2, 30)));
    let (protocol, kind) = if version == IpVersion::V4 { (1, 3) } else { (58, 1) };
    let data = icmp(kind, 3, &[&[0, 0, 0, 0], &never.bytes(7)[..]].concat());
    packets.push(Packet::new("error about nothing", Outside, back, (protocol, data)));
}
