//! `-j TPROXY` with sockets that take packets, and without: beside xt_TPROXY, with real sockets.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket,
    sockopt,
};
use portcullis::net::IpVersion;

use super::compare::{NUMBER, frame};
use super::effects::WATCH;
use super::generate::Rule;
use super::lab::isolate;
use super::lab::packet::{From, Packet, ports, tcp};
use super::side::{Side, Who};
use super::traffic::Hosts;

/// Ports of the rules; each rule has behind it one that would accept, and never counts.
const RULES: &[(&str, &str)] = &[
    ("PREROUTING", "-p udp --dport 9300 -j TPROXY --on-port 15001 --tproxy-mark 0x1/0xff"),
    ("PREROUTING", "-p tcp --dport 9301 -j TPROXY --on-port 15002 --tproxy-mark 1"),
    // Nobody listens.
    ("PREROUTING", "-p udp --dport 9302 -j TPROXY --on-port 15999 --tproxy-mark 1"),
    ("PREROUTING", "-p tcp --dport 9302 -j TPROXY --on-port 15999 --tproxy-mark 1"),
    // The link's own address, said.
    ("PREROUTING", "-p udp --dport 9303 -j TPROXY --on-port 15001 --on-ip % --tproxy-mark 3/3"),
    // From a chain of the user's; the packet's own port.
    ("PREROUTING", "-p udp --dport 9304 -j gate"),
    ("gate", "-p udp -j TPROXY --on-port 0 --tproxy-mark 0x11/0x1"),
    // A socket that is not transparent.
    ("PREROUTING", "-p udp --dport 9305 -j TPROXY --on-port 15003 --tproxy-mark 1"),
    // The mark stays as it is: one of two datagrams has one that leads to this host.
    ("PREROUTING", "-p udp --dport 9306 -j TPROXY --on-port 15001"),
    // Two rules of one chain.
    ("PREROUTING", "-p udp --dport 9307 -j TPROXY --on-port 15001 --tproxy-mark 0x1/0xff"),
    ("PREROUTING", "-p udp --dport 9300:9310"),
    ("PREROUTING", "-p tcp --dport 9300:9310"),
    ("gate", "-p udp"),
];

/// Sockets of the host: UDP on 15001, 9304 (transparent) and 15003 (not), TCP on 15002.
struct Sockets {
    udp: Vec<(u16, UdpSocket)>,
    tcp: TcpListener,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Transparent,
    Plain,
}

fn open(version: IpVersion, kind: SockType, port: u16, transparent: Kind) -> OwnedFd {
    let (family, any): (_, IpAddr) = match version {
        IpVersion::V4 => (AddressFamily::Inet, "0.0.0.0".parse().unwrap()),
        IpVersion::V6 => (AddressFamily::Inet6, "::".parse().unwrap()),
    };
    let fd = socket(family, kind, SockFlag::SOCK_NONBLOCK, None).unwrap();
    if transparent == Kind::Transparent {
        setsockopt(&fd, sockopt::IpTransparent, &true).unwrap();
    }
    let address = SockaddrStorage::from(SocketAddr::new(any, port));
    bind(fd.as_raw_fd(), &address).unwrap();
    if kind == SockType::Stream {
        listen(&fd, Backlog::new(5).unwrap()).unwrap();
    }
    fd
}

impl Sockets {
    fn open(version: IpVersion) -> Self {
        let udp =
            |port, kind| (port, UdpSocket::from(open(version, SockType::Datagram, port, kind)));
        Sockets {
            udp: vec![
                udp(15001, Kind::Transparent),
                udp(9304, Kind::Transparent),
                udp(15003, Kind::Plain),
            ],
            tcp: TcpListener::from(open(version, SockType::Stream, 15002, Kind::Transparent)),
        }
    }

    /// What came, in words.
    fn received(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (port, udp) in &self.udp {
            while let Ok((length, from)) = udp.recv_from(&mut [0; 2000]) {
                all.push(format!("udp {port}: {length} bytes from {from}"));
            }
        }
        while let Ok((mut flow, from)) = self.tcp.accept() {
            let to = flow.local_addr().unwrap();
            flow.set_nonblocking(true).unwrap();
            let mut data = [0; 100];
            let length = flow.read(&mut data).unwrap_or_default();
            all.push(format!("tcp {from} to {to}: {:?}", &data[..length]));
        }
        all
    }
}

/// What of one host is compared.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    counts: Vec<u64>,
    received: Vec<String>,
    frames: Vec<String>,
    marks: Vec<String>,
}

fn rules(hosts: &Hosts) -> Vec<Rule> {
    let host = hosts.host.to_string();
    let of = |(chain, words): &(&'static str, &str)| {
        Rule::new("mangle", chain, &words.replace('%', &host))
    };
    let marked = "-p udp --sport 1501 -j MARK --set-xmark 0xa5a5/0xffffffff";
    [Rule::new("raw", "PREROUTING", marked)].into_iter().chain(RULES.iter().map(of)).collect()
}

fn played(who: Who, version: IpVersion) -> Seen {
    let hosts = Hosts::of(version);
    let rules = rules(&hosts);
    let mut side = Side::new(who, version, NUMBER.fetch_add(1, Ordering::Relaxed));
    let refused = side.load(&rules);
    assert!(refused.is_empty(), "{who:?}: {refused:?}");
    let family = version.digit();
    let any = if family == '4' { "0.0.0.0/0" } else { "::/0" };
    side.host().enter(|| {
        for words in [
            format!("-{family} rule add fwmark 0x1/0x1 lookup 100"),
            format!("-{family} route add local {any} dev lo table 100"),
        ] {
            let mut ip = std::process::Command::new("ip");
            super::lab::run(ip.args(words.split(' ')), "");
        }
    });
    side.host().nft(WATCH);
    let sockets = side.host().enter(|| Sockets::open(version));
    let ends = (hosts.distant, hosts.container);
    let mut packets = Vec::new();
    for port in 9300..=9307 {
        for source in [1500, 1501] {
            let data = ports(source, port, 12);
            packets.push(Packet::new("datagram", From::Outside, ends, (17, data)));
        }
        let syn = tcp((1500, port), (1, 0), 0x02, &[]);
        packets.push(Packet::new("SYN", From::Outside, ends, (6, syn)));
    }
    side.play(&packets, |_, _| {});
    // The rest of the handshake goes to the socket of the flow, which only its addresses tell.
    let number = |bytes: &[u8]| {
        let at = if bytes[0] >> 4 == 4 { 20 } else { 40 };
        let header = bytes.get(at..at + 20)?;
        let from = u16::from_be_bytes([header[0], header[1]]);
        let number = u32::from_be_bytes(header[4..8].try_into().ok()?);
        (from == 9301 && header[13] == 0x12).then_some(number)
    };
    let number = side.captured.iter().find_map(|(_, bytes)| number(bytes));
    let number = number.unwrap_or_else(|| panic!("{who:?}: nobody answers the SYN"));
    let ack = tcp((1500, 9301), (2, number.wrapping_add(1)), 0x10, &[]);
    let mut data = tcp((1500, 9301), (2, number.wrapping_add(1)), 0x18, &[]);
    data.extend(b"hello");
    side.play(
        &[ack, data].map(|data| Packet::new("flow", From::Outside, ends, (6, data))),
        |_, _| {},
    );
    let counts = side.counts(&rules).into_iter().map(|(packets, _)| packets).collect();
    let received = side.host().enter(|| sockets.received());
    let frames = side.captured.iter().map(|(link, bytes)| frame(*link, bytes)).collect();
    let marks = side.notes().into_iter().filter(|note| note.starts_with("marks")).collect();
    Seen { counts, received, frames, marks }
}

#[test]
fn tproxy_when_sockets_listen_or_do_not_then_is_as_in_xtables() {
    isolate();
    for version in [IpVersion::V4, IpVersion::V6] {
        let [theirs, ours] = [Who::Theirs, Who::Ours].map(|who| played(who, version));
        let without_frames =
            |seen: &Seen| (seen.counts.clone(), seen.received.clone(), seen.marks.clone());
        assert_eq!(without_frames(&theirs), without_frames(&ours), "{version:?}");
        // The acknowledgement of the data has the cookie of a clock in it: as many are enough.
        assert_eq!(theirs.frames.len(), ours.frames.len(), "{version:?}");
        let hits = |port: &str| ours.received.iter().filter(|said| said.starts_with(port)).count();
        assert_eq!((hits("udp 15001"), hits("udp 9304"), hits("udp 15003")), (7, 2, 0));
        assert_eq!(hits("tcp"), 1, "{:?}", ours.received);
        assert!(ours.received.iter().any(|said| said.ends_with("[104, 101, 108, 108, 111]")));
        // Behind a rule come only packets of the ports that it is not for.
        assert_eq!(ours.counts[ours.counts.len() - 3..], [2, 6, 0], "{ours:?}");
    }
}
