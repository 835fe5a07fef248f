//! Conditions mean what iptables means: the same packets, the same counts.
//!
//! In the host of a laboratory each condition is loaded twice, by iptables-nft into table `mangle`
//! and by `portcullis::xtables` into an inet table at the same hook. Crafted packets of several
//! protocols, ports, sources, flags and states then pass both, and every pair of counters must be
//! equal. Some conditions must also count something and not everything, else the test shows nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conditions/headers.rs"]
mod headers;
mod lab;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

use lab::{Lab, Netns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, sendto,
    socket,
};
use portcullis::net::IpVersion;
use portcullis::nft::expr::Counter;
use portcullis::nft::{
    BaseChain, ChainKind, Change, Expr, Family, Hook, Kernel, Name, Policy, Rule, Table, TableId,
    Transaction, Userdata,
};
use portcullis::xtables::conditions;

/// Where a condition can be: in both hooks, or in one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Both,
    In,
    Out,
}

const SHARED: &[(At, &str)] = &[
    (At::Both, ""),
    (At::Both, "-p tcp"),
    (At::Both, "! -p tcp"),
    (At::Both, "-p udplite"),
    (At::Both, "! -p 132"),
    (At::Both, "-p tcp --dport 80"),
    (At::Both, "-p tcp ! --dport 80"),
    (At::Both, "-p tcp --dport 80:90"),
    (At::Both, "-p tcp ! --dport 80:90"),
    (At::Both, "-p tcp --sport :1023 --dport 1024:"),
    (At::Both, "-p udp -m udp --sport 53"),
    (At::Both, "-p udp ! --dport 53"),
    (At::Both, "-p sctp --dport 9000"),
    (At::Both, "-p dccp ! --dport 9000"),
    (At::Both, "-p udplite -m multiport --dports 53,9000"),
    (At::Both, "-p tcp -m multiport --dports 80,443,8000:8100"),
    (At::Both, "-p tcp -m multiport ! --dports 80,443"),
    (At::Both, "-p udp -m multiport --sports 53,1000:2000,1500:3000"),
    (At::Both, "-p udp -m multiport --dport 53"),
    (At::Both, "-p tcp --syn"),
    (At::Both, "-p tcp ! --syn"),
    (At::Both, "-p tcp --tcp-flags SYN,ACK SYN,ACK"),
    (At::Both, "-p tcp --tcp-flags ALL NONE"),
    (At::Both, "-p tcp ! --tcp-flags RST RST"),
    (At::Both, "-p tcp ! --tcp-flags SYN,FIN ACK"),
    (At::In, "-i wan0"),
    (At::In, "! -i wan0"),
    (At::In, "-i wan+"),
    (At::In, "! -i wan+"),
    (At::In, "-i wan"),
    (At::Out, "-o wan0"),
    (At::Out, "! -o cni+"),
    (At::Out, "-o +"),
    (At::Both, "-m conntrack --ctstate NEW"),
    (At::Both, "-m conntrack --ctstate NEW,RELATED"),
    (At::Both, "-m conntrack ! --ctstate NEW,RELATED"),
    (At::Both, "-m conntrack ! --ctstate ESTABLISHED"),
    (At::Both, "-m conntrack --ctstate INVALID,UNTRACKED"),
    (At::Both, "-m conntrack --ctstate DNAT"),
    (At::Both, "-m conntrack --ctstate SNAT,DNAT"),
    (At::Both, "-m conntrack ! --ctstate INVALID,UNTRACKED,DNAT"),
    (At::Both, "-m conntrack --ctstate NEW --ctproto tcp"),
    (At::Both, "-m conntrack ! --ctstate NEW -m conntrack --ctdir ORIGINAL"),
    (At::Both, "-m state --state ESTABLISHED,RELATED"),
    (At::Both, "-m state ! --state INVALID"),
    (At::Both, "-m conntrack --ctstatus ASSURED"),
    (At::Both, "-m conntrack --ctstatus SEEN_REPLY,ASSURED"),
    (At::Both, "-m conntrack ! --ctstatus SEEN_REPLY,ASSURED"),
    (At::Both, "-m conntrack ! --ctstatus CONFIRMED"),
    (At::Both, "-m conntrack --ctproto 6"),
    (At::Both, "-m conntrack ! --ctproto udp"),
    (At::Both, "-p tcp -m conntrack --ctorigdstport 80:90"),
    (At::Both, "-p tcp -m conntrack ! --ctorigdstport 80:90"),
    (At::Both, "-p tcp -m conntrack --ctorigsrcport 1024:"),
    (At::Both, "-p tcp -m conntrack --ctreplsrcport 80"),
    (At::Both, "-p udp -m conntrack ! --ctrepldstport 53"),
    (At::Both, "-p udp -m conntrack --ctorigdstport 53 ! --ctorigsrcport 53:60"),
    (At::Both, "-m conntrack --ctdir ORIGINAL"),
    (At::Both, "-m conntrack --ctdir REPLY"),
    (At::Both, "-m mark --mark 0x10"),
    (At::Both, "-m mark ! --mark 0x10"),
    (At::Both, "-m mark --mark 0x10/0x30"),
    (At::Both, "-m mark ! --mark 0x10/0x30"),
    (At::Both, "-m connmark --mark 0/1"),
    (At::Both, "-m connmark ! --mark 0"),
    (At::Both, "-m comment --comment hello"),
    (At::Both, "-m length --length 60"),
    (At::Both, "-m length --length 50:100"),
    (At::Both, "-m length ! --length 50:100"),
    (At::Both, "-m length --length :60"),
    (At::Both, "-m dscp --dscp 8"),
    (At::Both, "-m dscp ! --dscp-class CS1"),
    (At::In, "-m mac --mac-source 02:00:00:00:00:99"),
    (At::In, "-m mac ! --mac-source 02:00:00:00:00:99"),
    (At::Both, "-m pkttype --pkt-type unicast"),
    (At::In, "-m pkttype ! --pkt-type unicast"),
    (At::In, "-m pkttype --pkt-type multicast"),
    (At::Out, "-m owner --uid-owner 0"),
    (At::Out, "-m owner --uid-owner 0-65534 --gid-owner 0"),
    (At::Out, "-m owner --uid-owner 1-65534"),
    (At::Both, "-m statistic --mode nth --every 3 --packet 0"),
    (At::Both, "-m statistic --mode nth --every 4 --packet 2"),
    (At::Both, "-m statistic --mode nth ! --every 3 --packet 1"),
    (At::Both, "-p tcp -m statistic --mode nth --every 2 --packet 1 --dport 80"),
    (At::Both, "-m statistic --mode random --probability 1"),
    (At::Both, "-m statistic --mode random --probability 0"),
    (At::Both, "-m statistic --mode random ! --probability 0"),
    (At::Both, "-m limit --limit 1/day --limit-burst 4"),
    (At::Both, "-m addrtype --dst-type LOCAL"),
    (At::Both, "-m addrtype ! --dst-type LOCAL"),
    (At::Both, "-m addrtype --src-type LOCAL"),
    (At::Both, "-m addrtype --dst-type UNICAST"),
    (At::Both, "-m addrtype ! --dst-type UNICAST"),
    (At::Both, "-m addrtype --dst-type MULTICAST"),
    (At::Both, "-m addrtype ! --src-type MULTICAST --dst-type LOCAL"),
    (At::In, "-m addrtype --dst-type LOCAL --limit-iface-in"),
    (At::In, "-m addrtype ! --dst-type LOCAL --limit-iface-in"),
    (At::Out, "-m addrtype --src-type LOCAL --limit-iface-out"),
    (At::In, "-m rpfilter"),
    (At::In, "-m rpfilter --invert"),
    (At::In, "-m rpfilter --loose"),
    (At::In, "-m rpfilter --loose --validmark --invert"),
];

const V4: &[(At, &str)] = &[
    (At::Both, "-s 192.0.2.2"),
    (At::Both, "! -s 192.0.2.2"),
    (At::Both, "-s 192.0.2.0/24"),
    (At::Both, "! -s 192.0.2.0/25"),
    (At::Both, "-s 192.0.2.2/255.0.255.255"),
    (At::Both, "! -s 192.0.2.2/255.0.255.0"),
    (At::Both, "-s 192/8 -d 192.0.2.1"),
    (At::Both, "-s 192.0.2.2,192.0.2.77"),
    (At::Both, "-s 192.0.2.64/26,203.0.113.0/24,10.0.0.1"),
    (At::Both, "-d 192.0.2.1,10.88.0.0/16 -p tcp"),
    (At::Both, "-d 0.0.0.0/0"),
    (At::Both, "-f"),
    (At::Both, "! -f"),
    (At::Both, "-p icmp --icmp-type 8"),
    (At::Both, "-p icmp ! --icmp-type echo-request"),
    (At::Both, "-p icmp --icmp-type 3/3"),
    (At::Both, "-p icmp ! --icmp-type 3/3"),
    (At::Both, "-p icmp ! --icmp-type 3/4"),
    (At::Both, "-p icmp --icmp-type any"),
    (At::Both, "-m ttl --ttl-eq 64"),
    (At::Both, "-m ttl ! --ttl-eq 64"),
    (At::Both, "-m ttl --ttl-lt 64"),
    (At::Both, "-m ttl --ttl-gt 10"),
    (At::Both, "-m iprange --src-range 192.0.2.2-192.0.2.80"),
    (At::Both, "-m iprange ! --src-range 192.0.2.2-192.0.2.80"),
    (At::Both, "-m conntrack --ctorigsrc 192.0.2.2"),
    (At::Both, "-m conntrack ! --ctorigdst 192.0.2.0/24"),
    (At::Both, "-m conntrack --ctreplsrc 10.88.0.0/15"),
    (At::Both, "-m conntrack --ctstate NEW --ctrepldst 192.0.2.2"),
    (At::Both, "-m addrtype --dst-type LOCAL,MULTICAST"),
    (At::Both, "-m addrtype ! --dst-type BROADCAST,MULTICAST"),
];

const V6: &[(At, &str)] = &[
    (At::Both, "-s 2001:db8::2"),
    (At::Both, "! -s 2001:db8::2"),
    (At::Both, "-s 2001:db8::/64"),
    (At::Both, "! -s 2001:db8::/61"),
    (At::Both, "-s ::2/::ffff"),
    (At::Both, "-s 2001:db8::2,2001:db8::77"),
    (At::Both, "-s 2001:db8::40/122,fd00::/8"),
    (At::Both, "-p icmpv6 --icmpv6-type 128"),
    (At::Both, "-p icmpv6 ! --icmpv6-type echo-request"),
    (At::Both, "-p icmpv6 --icmpv6-type 1/4"),
    (At::Both, "-p icmpv6 ! --icmpv6-type port-unreachable"),
    (At::Both, "-m hl --hl-eq 64"),
    (At::Both, "-m hl ! --hl-eq 64"),
    (At::Both, "-m hl --hl-lt 64"),
    (At::Both, "-m iprange --src-range 2001:db8::2-2001:db8::80"),
    (At::Both, "-m iprange ! --dst-range 2001:db8::2-2001:db8::80"),
    (At::Both, "-m conntrack --ctorigsrc 2001:db8::2"),
    (At::Both, "-m conntrack ! --ctreplsrc fd00:88::/63"),
    (At::Both, "-m addrtype --dst-type LOCAL,ANYCAST"),
    (At::Both, "-m addrtype --dst-type UNREACHABLE"),
    (At::Both, "-m addrtype --src-type UNSPEC"),
];

#[test]
fn ipv4_conditions_when_packets_pass_then_count_as_iptables() {
    compare("iptables", IpVersion::V4, V4);
}

#[test]
fn ipv6_conditions_when_packets_pass_then_count_as_ip6tables() {
    compare("ip6tables", IpVersion::V6, V6);
}

/// A hook and its names on both sides.
struct Side {
    hook: Hook,
    theirs: &'static str,
    ours: &'static str,
    not: At,
}

const SIDES: [Side; 2] = [
    Side { hook: Hook::Prerouting, theirs: "PREROUTING", ours: "in", not: At::Out },
    Side { hook: Hook::Output, theirs: "OUTPUT", ours: "out", not: At::In },
];

fn compare(tool: &str, version: IpVersion, own: &[(At, &str)]) {
    let lab = Lab::new();
    prepare(&lab, tool, version);
    // What neighbours say while the rules are loaded must not reach one counter and not the other.
    let close = "add table inet gate
        add chain inet gate in { type filter hook prerouting priority -450; policy drop; }
        add chain inet gate out { type filter hook output priority -450; policy drop; }";
    lab.host.nft(close);
    for side in &SIDES {
        let cases: Vec<&str> = cases(side, version, own).collect();
        load_theirs(&lab.host, tool, side, &cases);
        lab.host.enter(|| load_ours(side, version, &cases));
    }
    lab.host.nft("delete table inet gate");
    traffic(&lab, version);
    lab.host.nft(close);
    let mut wrong = Vec::new();
    for side in &SIDES {
        let theirs = their_counts(&lab.host, tool, side);
        let ours = lab.host.enter(|| our_counts(side));
        let cases: Vec<&str> = cases(side, version, own).collect();
        assert_eq!((theirs.len(), ours.len()), (cases.len(), cases.len()));
        let telling = theirs.iter().filter(|count| **count != 0 && **count != theirs[0]).count();
        println!(
            "{tool} {}: {} packets, {} conditions, {telling} match some and not all",
            side.theirs,
            theirs[0],
            cases.len()
        );
        assert!(telling * 2 > cases.len(), "the packets tell too few conditions apart");
        for ((case, theirs), ours) in cases.iter().zip(theirs).zip(ours) {
            println!("{theirs:6} {ours:6}  {tool} {} {case}", side.theirs);
            if theirs != ours {
                wrong.push(format!("{} {case}: {theirs} in {tool}, {ours} here", side.theirs));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.host.ruleset());
}

fn cases<'a>(
    side: &Side,
    version: IpVersion,
    own: &'a [(At, &'a str)],
) -> impl Iterator<Item = &'a str> {
    let not = side.not;
    let headers = headers::SHARED.iter().chain(headers::of(version));
    SHARED
        .iter()
        .chain(own)
        .chain(headers)
        .filter(move |(at, _)| *at != not)
        .map(|(_, words)| *words)
}

/// A known hardware address, published ports, marks on some packets, a flow without tracking.
fn prepare(lab: &Lab, tool: &str, version: IpVersion) {
    lab.outside.ip("link set eth0 address 02:00:00:00:00:99\n");
    let to = match version {
        IpVersion::V4 => "10.88.0.2:80",
        IpVersion::V6 => "[fd00:88::2]:80",
    };
    for rule in [
        "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination @",
        "-t nat -A OUTPUT -p tcp --dport 8081 -j DNAT --to-destination @",
        "-t nat -A POSTROUTING -o cni0 -p tcp -j MASQUERADE",
        "-t raw -A PREROUTING -p udp --dport 7777 -j CT --notrack",
        "-t raw -A PREROUTING -p udp --dport 53 -j MARK --set-mark 0x10",
        "-t raw -A PREROUTING -p tcp --dport 80 -j MARK --set-mark 0x55",
        "-t raw -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 0x10",
        "-t raw -A OUTPUT -p udp -j MARK --set-mark 0x50",
        "-t mangle -A INPUT -p tcp --dport 443 -j CONNMARK --set-mark 1",
    ] {
        let words = rule.replace('@', to);
        iptables(&lab.host, tool, words.split(' '));
    }
}

fn iptables<'a>(netns: &Netns, tool: &str, words: impl Iterator<Item = &'a str> + Send) -> String {
    let output = netns.enter(|| Command::new(tool).args(words).output().expect("iptables starts"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("iptables prints UTF-8")
}

/// One chain for each condition: a list of addresses makes several rules.
fn load_theirs(netns: &Netns, tool: &str, side: &Side, cases: &[&str]) {
    for (number, case) in cases.iter().enumerate() {
        let chain = format!("{}{number}", side.ours);
        iptables(netns, tool, ["-t", "mangle", "-N", &chain].into_iter());
        let words = ["-t", "mangle", "-A", side.theirs, "-j", &chain];
        iptables(netns, tool, words.into_iter());
        // Conditions of a hook are checked where the chain is the hook's own.
        let words = ["-t", "mangle", "-A", &chain].into_iter();
        iptables(netns, tool, words.chain(case.split_whitespace()));
    }
}

fn their_counts(netns: &Netns, tool: &str, side: &Side) -> Vec<u64> {
    let output = netns.enter(|| {
        Command::new(format!("{tool}-save")).args(["-c", "-t", "mangle"]).output().expect("starts")
    });
    let text = String::from_utf8(output.stdout).expect("iptables-save prints UTF-8");
    let mut counts = Vec::new();
    for line in text.lines() {
        let Some((count, rule)) = line.strip_prefix('[').and_then(|line| line.split_once("] -A "))
        else {
            continue;
        };
        let chain = rule.split(' ').next().unwrap();
        let number = chain.strip_prefix(side.ours).and_then(|n| n.parse::<usize>().ok());
        if let Some(number) = number {
            counts.resize(counts.len().max(number + 1), 0);
            counts[number] += count.split(':').next().unwrap().parse::<u64>().unwrap();
        }
    }
    counts
}

fn table() -> TableId {
    TableId { family: Family::Inet, name: Name::literal("conditions") }
}

fn load_ours(side: &Side, version: IpVersion, cases: &[&str]) {
    let mut kernel = Kernel::open().unwrap();
    let chain = BaseChain {
        name: Name::literal(side.ours),
        kind: ChainKind::Filter,
        hook: side.hook,
        // Right behind mangle.
        priority: -149,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(table())));
    transaction.push(Change::AddBaseChain(table(), chain));
    kernel.commit(&transaction, None).unwrap();
    for case in cases {
        let words: Vec<String> = case.split_whitespace().map(str::to_owned).collect();
        let mut exprs = conditions(&words, version).unwrap_or_else(|e| panic!("{case}: {e}"));
        exprs.push(Expr::Counter(Counter::default()));
        let mut transaction = Transaction::new();
        let chain = Name::literal(side.ours);
        let rule = Rule::new(exprs);
        transaction.push(Change::AddRule { table: table(), chain, rule, after: None });
        kernel.commit(&transaction, None).unwrap_or_else(|e| panic!("{case}: {e}"));
    }
}

fn our_counts(side: &Side) -> Vec<u64> {
    let mut kernel = Kernel::open().unwrap();
    let rules = kernel.rules(&table(), Some(&Name::literal(side.ours))).unwrap();
    let count = |rule: &Rule| {
        rule.exprs.iter().find_map(|expr| match expr {
            Expr::Counter(counter) => Some(counter.packets),
            _ => None,
        })
    };
    rules.iter().map(|(_, rule)| count(&rule.value).expect("each rule counts")).collect()
}

/// Packets of many kinds: crafted ones from outside, answers to them, and real connections.
fn traffic(lab: &Lab, version: IpVersion) {
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
            packets.push(Packet::new(source, host, protocol, ports(sport, dport)));
        }
        for (dport, flags) in
            [(80, 0x02), (85, 0x02), (443, 0x02), (8050, 0x12), (81, 0x00), (82, 0x29), (8080, 2)]
        {
            packets.push(Packet::new(source, host, 6, tcp(40001, dport, flags)));
            packets.push(Packet::new(source, host, 6, tcp(999, dport, flags)));
        }
        let (icmp, kinds) = match version {
            IpVersion::V4 => (1, [(8, 0), (3, 4), (3, 3), (13, 0)]),
            IpVersion::V6 => (58, [(128, 0), (1, 4), (1, 3), (3, 0)]),
        };
        for (kind, code) in kinds {
            packets.push(Packet::new(source, host, icmp, vec![kind, code, 0, 0, 0, 7, 0, 1]));
        }
    }
    packets.push(Packet::new(outside, group, 17, ports(5353, 5353)));
    for hops in [5, 63, 64, 255] {
        packets.push(Packet { hops, class: 8 << 2, ..Packet::new(outside, host, 17, ports(1, 2)) });
    }
    for size in [20, 32, 72, 73, 500] {
        let mut data = ports(2000, 3000);
        data.resize(size, 0);
        packets.push(Packet::new(outside, host, 17, data));
    }
    if version == IpVersion::V4 {
        let whole = Packet::new(outside, host, 17, ports(2000, 53));
        packets.push(Packet { fragment: 0x2000, ..whole.clone() });
        packets.push(Packet { fragment: 0x0002, ..whole });
    }
    packets.extend(headers::packets(version, outside, host));
    lab.outside.enter(|| packets.iter().for_each(Packet::send));
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

/// A packet that is sent as it is.
#[derive(Clone)]
struct Packet {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    hops: u8,
    class: u8,
    fragment: u16,
    data: Vec<u8>,
}

/// A header that begins with ports: UDP's, and enough of SCTP's or DCCP's.
fn ports(source: u16, destination: u16) -> Vec<u8> {
    let mut data = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    data.resize(24, 0);
    data
}

fn tcp(source: u16, destination: u16, flags: u8) -> Vec<u8> {
    let mut data = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    data.extend([0, 0, 0, 1, 0, 0, 0, 0, 5 << 4, flags, 0x20, 0, 0, 0, 0, 0]);
    data
}

impl Packet {
    fn new(source: IpAddr, destination: IpAddr, protocol: u8, data: Vec<u8>) -> Packet {
        Packet { source, destination, protocol, hops: 60, class: 0, fragment: 0, data }
    }

    fn send(&self) {
        let (bytes, family) = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut bytes = vec![0x45, self.class, 0, 0, 0x12, 0x34];
                bytes.extend(self.fragment.to_be_bytes());
                bytes.extend([self.hops, self.protocol, 0, 0]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                (bytes, AddressFamily::Inet)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut bytes = vec![0x60 | self.class >> 4, self.class << 4, 0, 0];
                bytes.extend((self.data.len() as u16).to_be_bytes());
                bytes.extend([self.protocol, self.hops]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                (bytes, AddressFamily::Inet6)
            }
            _ => panic!("addresses of two families"),
        };
        let bytes = [bytes, self.payload()].concat();
        let fd = socket(family, SockType::Raw, SockFlag::empty(), SockProtocol::Raw).unwrap();
        let sent = match self.destination {
            IpAddr::V4(to) => {
                let to = SockaddrIn::from(std::net::SocketAddrV4::new(to, 0));
                sendto(fd.as_raw_fd(), &bytes, &to, MsgFlags::empty())
            }
            IpAddr::V6(to) => {
                // Scope 2: eth0 of the outside world, for the multicast group.
                let scope = nix::net::if_::if_nametoindex("eth0").unwrap();
                let to = SockaddrIn6::from(std::net::SocketAddrV6::new(to, 0, 0, scope));
                sendto(fd.as_raw_fd(), &bytes, &to, MsgFlags::empty())
            }
        };
        sent.unwrap_or_else(|e| {
            panic!("send protocol {} to {}: {e}", self.protocol, self.destination)
        });
    }

    /// The data with the length and the checksum that its protocol wants.
    fn payload(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        let at = match self.protocol {
            6 => 16,
            17 | 136 => {
                let length = (data.len() as u16).to_be_bytes();
                data[4..6].copy_from_slice(&length);
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
        sum += add(&data);
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        data[at..at + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
        data
    }
}

fn add(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum()
}
