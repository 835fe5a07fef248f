//! A packet as it is, with the lengths and checksums that its protocols want.

use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, sendto,
    socket,
};

/// Where a packet enters the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The link to the world.
    Outside,
    /// The link to the containers.
    Inside,
    /// The host's own raw socket.
    Local,
}

/// Whom the frame is addressed to, which is what `-m pkttype` sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    Host,
    Broadcast,
    Multicast,
}

/// One packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// What it is for, to be read in a failure.
    pub about: &'static str,
    pub from: From,
    pub cast: Cast,
    /// The last byte of the sender's hardware address.
    pub mac: u8,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub hops: u8,
    /// TOS or traffic class.
    pub class: u8,
    /// Flags and offset of IPv4 as on the wire.
    pub fragment: u16,
    /// Options of IPv4, padded to 4 bytes.
    pub options: Vec<u8>,
    /// Extension headers of IPv6: type and body without the next-header byte.
    pub extensions: Vec<(u8, Vec<u8>)>,
    pub data: Vec<u8>,
    /// Whether the checksum of the transport header is left as it is in `data`.
    pub raw: bool,
}

impl Packet {
    pub fn new(
        about: &'static str,
        from: From,
        ends: (IpAddr, IpAddr),
        what: (u8, Vec<u8>),
    ) -> Self {
        Packet {
            about,
            from,
            cast: Cast::Host,
            mac: 2,
            source: ends.0,
            destination: ends.1,
            protocol: what.0,
            hops: 60,
            class: 0,
            fragment: 0,
            options: Vec::new(),
            extensions: Vec::new(),
            data: what.1,
            raw: false,
        }
    }

    /// Whether it begins behind the transport header, and is not put together with others.
    pub fn is_later_fragment(&self) -> bool {
        let later = |(kind, body): &(u8, Vec<u8>)| *kind == 44 && (body[1] > 0 || body[2] >= 8);
        let alone = !self.about.ends_with("put together");
        alone && (self.fragment & 0x1fff != 0 || self.extensions.iter().any(later))
    }

    /// From the network header on; `id` is the identification of IPv4.
    pub fn bytes(&self, id: u16) -> Vec<u8> {
        let payload = self.payload();
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let words = 5 + self.options.len() / 4;
                let total = words * 4 + payload.len();
                let mut bytes = vec![0x40 | words as u8, self.class];
                bytes.extend((total as u16).to_be_bytes());
                bytes.extend(id.to_be_bytes());
                bytes.extend(self.fragment.to_be_bytes());
                bytes.extend([self.hops, self.protocol, 0, 0]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes.extend(&self.options);
                let sum = fold(add(&bytes));
                bytes[10..12].copy_from_slice(&(!sum).to_be_bytes());
                bytes.extend(payload);
                bytes
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut chain = Vec::new();
                for (at, (_, body)) in self.extensions.iter().enumerate() {
                    let next = self.extensions.get(at + 1).map_or(self.protocol, |next| next.0);
                    chain.push(next);
                    chain.extend(body);
                }
                let first = self.extensions.first().map_or(self.protocol, |first| first.0);
                let length = (chain.len() + payload.len()) as u16;
                let mut bytes = vec![0x60 | self.class >> 4, self.class << 4, 0, 0];
                bytes.extend(length.to_be_bytes());
                bytes.extend([first, self.hops]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes.extend(chain);
                bytes.extend(payload);
                bytes
            }
            _ => panic!("addresses of two families: {self:?}"),
        }
    }

    fn payload(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        let at = match self.protocol {
            _ if self.raw => return data,
            6 => 16,
            17 | 136 => {
                if self.protocol == 17 {
                    let length = (data.len() as u16).to_be_bytes();
                    data[4..6].copy_from_slice(&length);
                }
                6
            }
            1 | 58 => 2,
            _ => return data,
        };
        let mut sum: u32 = 0;
        if self.protocol != 1 {
            let octets = |address: IpAddr| match address {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            };
            let mut pseudo = [octets(self.source), octets(self.destination)].concat();
            pseudo.extend((data.len() as u32).to_be_bytes());
            pseudo.extend([0, 0, 0, self.protocol]);
            sum += add(&pseudo);
        }
        let sum = !fold(sum + add(&data));
        data[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        data
    }
}

/// Sockets of both families whose packets have their network header already (`raw(7)`).
pub struct RawSockets {
    v4: OwnedFd,
    v6: OwnedFd,
}

impl RawSockets {
    /// Opens them in the calling thread's namespace.
    pub fn open() -> RawSockets {
        let open = |family| {
            socket(family, SockType::Raw, SockFlag::empty(), SockProtocol::Raw)
                .unwrap_or_else(|errno| panic!("lab: no raw socket of {family:?}: {errno}"))
        };
        RawSockets { v4: open(AddressFamily::Inet), v6: open(AddressFamily::Inet6) }
    }

    /// Sends a packet, with `id` as the identification of IPv4. An IPv6 multicast address belongs to
    /// the link with the number `scope`.
    pub fn send(&self, packet: &Packet, id: u16, scope: u32) -> nix::Result<()> {
        let (bytes, none) = (packet.bytes(id), MsgFlags::empty());
        let sent = match packet.destination {
            IpAddr::V4(to) => {
                let to = SockaddrIn::from(SocketAddrV4::new(to, 0));
                sendto(self.v4.as_raw_fd(), &bytes, &to, none)
            }
            IpAddr::V6(to) => {
                let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, scope));
                sendto(self.v6.as_raw_fd(), &bytes, &to, none)
            }
        };
        sent.map(|_| ())
    }
}

/// A header that begins with ports: UDP's, and enough of SCTP's, DCCP's or UDP-Lite's.
pub fn ports(source: u16, destination: u16, length: usize) -> Vec<u8> {
    let mut data = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    data.resize(length.max(8), 0);
    data
}

/// A TCP header: ports, sequence and acknowledgement, flags, options.
pub fn tcp(ports: (u16, u16), numbers: (u32, u32), flags: u8, options: &[u8]) -> Vec<u8> {
    let mut data = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    data.extend(numbers.0.to_be_bytes());
    data.extend(numbers.1.to_be_bytes());
    data.extend([(5 + options.len() as u8 / 4) << 4, flags, 0x20, 0, 0, 0, 0, 0]);
    data.extend(options);
    data
}

/// A packet of SCTP that consists of chunks: type, flags, body.
pub fn sctp(ports: (u16, u16), chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut data = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    data.extend([0; 8]);
    for (kind, flags, body) in chunks {
        data.extend([*kind, *flags]);
        data.extend((body.len() as u16 + 4).to_be_bytes());
        data.extend(*body);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    data
}

/// A DCCP header of a type.
pub fn dccp(ports: (u16, u16), kind: u8) -> Vec<u8> {
    let mut data = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    // Data offset in words; type and the bit of long sequence numbers; the rest zero.
    data.extend([7, 0, 0, 0, kind << 1 | 1, 0, 0, 0]);
    data.resize(28, 0);
    data
}

/// An ICMP message.
pub fn icmp(kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0], rest].concat()
}

fn add(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
