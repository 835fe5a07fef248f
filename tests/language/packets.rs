//! Rules that remember or change something: what packets they count is what iptables counts, and
//! what they write is what iptables reads.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use portcullis::net::IpVersion::{self, V4, V6};
use portcullis::nft::expr::Counter;
use portcullis::nft::{Expr, Family, Kernel, Name, TableId};

use crate::lab::split;
use crate::rules::{base, change, compile};
use crate::tools::{in_netns, run, tool};

const OURS: &str = "filter/OUTPUT";

fn lo_up() {
    run("ip", &["link", "set", "lo", "up"], "");
}

/// Our rules, each in a chain of its own that OUTPUT jumps to.
fn commit(kernel: &mut Kernel, version: IpVersion, rules: &[&str]) {
    kernel.commit(&base(version, OURS), None).unwrap();
    for (number, rule) in rules.iter().enumerate() {
        let compiled = compile(version, rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
        let change = change(version, OURS, number, &compiled);
        kernel.commit(&change, None).unwrap_or_else(|error| panic!("{rule}: {error:#}"));
    }
}

/// How many packets each of our rules has counted.
fn counted(kernel: &mut Kernel, version: IpVersion, rules: usize) -> Vec<u64> {
    let table = TableId { family: Family::of(version), name: Name::literal("filter") };
    let count = |number| {
        let chain = Name::new(format!("case{number}")).unwrap();
        let listed = kernel.rules(&table, Some(&chain)).unwrap();
        let exprs = listed.into_iter().flat_map(|(_, rule)| rule.value.exprs);
        let mut packets = exprs.filter_map(|expr| match expr {
            Expr::Counter(Counter { packets, .. }) => Some(packets),
            _ => None,
        });
        packets.next().expect("a rule counts")
    };
    (0..rules).map(count).collect()
}

/// How many packets each rule of a chain of iptables has counted.
fn counted_by_iptables(version: IpVersion, table: &str, chain: &str) -> Vec<u64> {
    let saved = run(&tool(version, "-save"), &["-c", "-t", table], "");
    let rule = format!("-A {chain} ");
    let lines = saved.lines().filter(|line| line.contains(&rule));
    let packets = |line: &str| line.trim_start_matches('[').split(':').next().unwrap().to_owned();
    lines.map(|line| packets(line).parse().unwrap()).collect()
}

fn append(version: IpVersion, table: &str, chain: &str, rules: &[&str]) {
    let lines: String = rules.iter().map(|rule| format!("-A {chain} {rule}\n")).collect();
    run(&tool(version, "-restore"), &["-n"], &format!("*{table}\n{lines}COMMIT\n"));
}

#[test]
fn rates_and_counts_of_flows_when_packets_pass_then_count_as_iptables() {
    let rules = [
        "-m hashlimit --hashlimit-upto 10/hour --hashlimit-mode srcip --hashlimit-name a",
        "-m hashlimit --hashlimit-above 10/hour --hashlimit-burst 3 --hashlimit-mode srcip \
         --hashlimit-name b",
        "-p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode \
         srcip,dstport --hashlimit-name c",
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 4 --hashlimit-mode srcip \
         --hashlimit-srcmask 31 --hashlimit-name d",
        "-m connlimit --connlimit-above 2",
        "-m connlimit --connlimit-upto 2",
        "-m connlimit --connlimit-above 3 --connlimit-mask 31",
        "-p udp -m udp --dport 9 -m connlimit --connlimit-upto 1 --connlimit-daddr",
        "-m connlimit ! --connlimit-above 5 --connlimit-mask 0",
    ];
    let (theirs, ours) = in_netns(|| {
        lo_up();
        // By another table of the same hook: both see each packet once.
        append(V4, "mangle", "OUTPUT", &rules);
        let mut kernel = Kernel::open().unwrap();
        commit(&mut kernel, V4, &rules);
        for source in ["127.0.0.2", "127.0.0.3", "127.0.0.4"] {
            for port in [7_u16, 8, 9] {
                let socket = UdpSocket::bind((source, 0)).unwrap();
                for _ in 0..3 {
                    // Nobody listens: the answer is an error that the next send may tell.
                    let _ = socket.send_to(b"x", ("127.0.0.1", port));
                }
            }
        }
        (counted_by_iptables(V4, "mangle", "OUTPUT"), counted(&mut kernel, V4, rules.len()))
    });
    let told: Vec<_> = rules.iter().zip(theirs.iter().zip(&ours)).collect();
    assert_eq!(theirs, ours, "{told:#?}");
    assert!(theirs.iter().all(|count| *count > 0), "a rule counts nothing: {told:#?}");
}

/// Each target changes packets to a port of its own; iptables then matches them on their way in,
/// and the socket gets them, which shows that the checksums are right.
fn written(version: IpVersion, cases: &[(&str, &str)]) {
    let (read, got) = in_netns(|| {
        lo_up();
        let port = |at: usize| 5000 + u16::try_from(at).unwrap();
        let number = |at: usize| format!("-p udp -m udp --dport {}", port(at));
        let reads: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(at, (_, read))| format!("{} {read}", number(at)))
            .collect();
        append(version, "mangle", "INPUT", &reads.iter().map(String::as_str).collect::<Vec<_>>());
        let rules: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(at, (rule, _))| format!("{} {rule}", number(at)))
            .collect();
        let mut kernel = Kernel::open().unwrap();
        commit(&mut kernel, version, &rules.iter().map(String::as_str).collect::<Vec<_>>());
        let host = if version == V4 { "127.0.0.1" } else { "::1" };
        let mut got = Vec::new();
        for at in 0..cases.len() {
            let to = SocketAddr::new(host.parse().unwrap(), port(at));
            let listener = UdpSocket::bind(to).unwrap();
            listener.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            UdpSocket::bind((host, 0)).unwrap().send_to(b"hello", to).unwrap();
            got.push(listener.recv(&mut [0; 16]).unwrap_or(0));
        }
        (counted_by_iptables(version, "mangle", "INPUT"), got)
    });
    assert_eq!(read, vec![1; cases.len()], "{cases:#?}");
    assert_eq!(got, vec![5; cases.len()], "{cases:#?}");
}

#[test]
fn headers_when_written_then_iptables_reads_them() {
    written(
        V4,
        &[
            ("-j TTL --ttl-set 7", "-m ttl --ttl-eq 7"),
            ("-j TTL --ttl-set 255", "-m ttl --ttl-eq 255"),
            ("-j DSCP --set-dscp 3", "-m tos --tos 0x0c"),
            ("-j DSCP --set-dscp-class EF", "-m dscp --dscp-class EF"),
            ("-j TOS --set-tos 0x1f", "-m tos --tos 0x1f"),
            ("-j TOS --set-tos 0x2/0x3", "-m tos --tos 0x2"),
            ("-j TOS --or-tos 0xfc", "-m tos --tos 0xfc"),
            ("-j MARK --set-xmark 0x7/0x3", "-m mark --mark 0x7"),
            ("-j CONNMARK --set-xmark 0x7/0x3", "-m connmark --mark 0x7"),
            ("-j CONNMARK --set-mark 9", "-m connmark --mark 9"),
        ],
    );
    written(
        V6,
        &[
            ("-j HL --hl-set 7", "-m hl --hl-eq 7"),
            ("-j DSCP --set-dscp 3", "-m tos --tos 0x0c"),
            ("-j DSCP --set-dscp 0x3f", "-m tos --tos 0xfc"),
            ("-j TOS --set-tos 0x1f", "-m tos --tos 0x1f"),
            ("-j TOS --set-tos 0x2/0x3", "-m tos --tos 0x2"),
            ("-j CONNMARK --set-mark 9", "-m connmark --mark 9"),
        ],
    );
}

#[test]
fn netmap_when_committed_then_nft_lists_and_reads_it() {
    for (version, chain, rule, listed) in [
        (V4, "PREROUTING", "-j NETMAP --to 192.0.2.7/24", "dnat prefix to 192.0.2.0/24"),
        (V4, "POSTROUTING", "-j NETMAP --to 192.0.2.7", "snat prefix to 192.0.2.7"),
        (V6, "OUTPUT", "-j NETMAP --to fd00:1::/64", "dnat prefix to fd00:1::/64"),
    ] {
        let words = split(&format!("-A {chain} {rule}"));
        let command = portcullis::xtables::command(&words, version).unwrap();
        let portcullis::xtables::Operation::Append { rules, .. } = command.operation else {
            panic!("-A is no append")
        };
        let at: &'static str = match chain {
            "PREROUTING" => "nat/PREROUTING",
            "OUTPUT" => "nat/OUTPUT",
            _ => "nat/POSTROUTING",
        };
        let listing = in_netns(|| {
            let mut kernel = Kernel::open().unwrap();
            kernel.commit(&base(version, at), None).unwrap();
            kernel.commit(&change(version, at, 0, &rules), None).unwrap();
            run("nft", &["list", "ruleset"], "")
        });
        assert!(listing.contains(listed), "{listing}");
        let again = in_netns(|| {
            run("nft", &["-f", "-"], &listing);
            run("nft", &["list", "ruleset"], "")
        });
        assert_eq!(again, listing);
    }
}
