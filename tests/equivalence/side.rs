//! One of the two hosts: its links, the packets it gets, what it counts.

use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use portcullis::net::IpVersion;
use portcullis::nft::{Expr, Family, Kernel, Name, TableId};
use portcullis::xtables::{decided, deciding_map};

use super::effects::answer;
use super::generate::Rule;
use super::lab::Netns;
use super::lab::packet::{Cast, From, Packet, RawSockets};
use super::loading;
use super::wire::Wire;

/// Who loads the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// iptables-legacy: the kernel's xt modules.
    Theirs,
    /// iptables-nft: native expressions where it has them.
    Nft,
    /// Our front: native expressions.
    Ours,
}

/// Packets and bytes.
pub type Count = (u64, u64);

/// A host, its two wires and what came out of them.
pub struct Side {
    who: Who,
    version: IpVersion,
    host: Netns,
    far: Netns,
    wires: [Wire; 2],
    local: RawSockets,
    /// What left the host: the link and the packet.
    pub captured: Vec<(usize, Vec<u8>)>,
}

const LINKS: &str = "link add e0 type veth peer name w0 netns FAR
link add e1 type veth peer name w1 netns FAR
link set e0 address 02:00:00:00:00:01 group 5
link set e1 address 02:00:00:00:00:11 group 6
link set lo up
address add 192.0.2.1/24 dev e0
address add 10.88.0.1/24 dev e1
address add 2001:db8::1/64 dev e0 nodad
address add fd00:88::1/64 dev e1 nodad
link set e0 up
link set e1 up
route add default via 192.0.2.2
route add 203.0.113.0/24 via 192.0.2.2 realm 5
route add blackhole 198.18.0.0/24
route add unreachable 198.18.1.0/24
route add prohibit 198.18.2.0/24
route add blackhole 2001:db8:b::/48
route add unreachable 2001:db8:c::/48
route add prohibit 2001:db8:d::/48
route add ::/0 via 2001:db8::2 dev e0
";

/// The kernel's own talk, which comes when it likes: no rule sees it.
const QUIET: &str = "table inet quiet {
  chain output {
    type filter hook output priority -1000
    icmpv6 type { 130, 131, 132, 133, 135, 136, 137, 143 } drop
    ip protocol igmp drop
  }
}
";

/// Everyone who is ever sent to, so that nobody is asked for.
fn neighbours() -> String {
    let mut text = String::new();
    for last in [2, 3, 9, 10, 11, 20, 21, 77] {
        for (network, device, far) in [
            (format!("192.0.2.{last}"), "e0", 2),
            (format!("2001:db8::{last:x}"), "e0", 2),
            ("2001:db8::77".to_owned(), "e0", 2),
            (format!("10.88.0.{last}"), "e1", 3),
            (format!("fd00:88::{last:x}"), "e1", 3),
        ] {
            let there = format!("lladdr 02:00:00:00:02:0{far} dev {device}");
            text += &format!("neighbour replace {network} {there}\n");
        }
    }
    text
}

impl Side {
    /// Hosts of one name are wired alike; `number` keeps them apart.
    pub fn new(who: Who, version: IpVersion, number: usize) -> Side {
        let host = Netns::add(&format!("host{number}{who:?}"));
        let far = Netns::add(&format!("far{number}{who:?}"));
        far.sysctl("ipv6/conf/default/disable_ipv6", "1");
        host.sysctl("ipv6/conf/default/router_solicitations", "0");
        host.ip(&LINKS.replace("FAR", far.name()));
        host.ip(&neighbours());
        far.ip(
            "link set w0 address 02:00:00:00:02:02 up\nlink set w1 address 02:00:00:00:02:03 up\n",
        );
        for (key, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv4/conf/all/rp_filter", "0"),
            ("ipv4/conf/e0/rp_filter", "0"),
            ("ipv4/conf/e1/rp_filter", "0"),
            ("ipv4/conf/all/accept_redirects", "0"),
            ("ipv4/conf/all/send_redirects", "0"),
            ("ipv4/conf/e0/send_redirects", "0"),
            ("ipv4/conf/e1/send_redirects", "0"),
            ("ipv4/conf/all/accept_local", "1"),
            ("ipv4/icmp_ratemask", "0"),
            ("ipv4/icmp_echo_ignore_broadcasts", "0"),
            ("ipv6/icmp/ratelimit", "0"),
            ("ipv6/icmp/ratemask", "0"),
            ("ipv6/auto_flowlabels", "0"),
            // A socket has only one port to take.
            ("ipv4/ip_local_port_range", "45000 45001"),
            ("ipv4/ip_local_reserved_ports", "45001"),
        ] {
            host.sysctl(key, value);
        }
        host.nft(QUIET);
        let wires = far.enter(|| [Wire::open(0), Wire::open(1)]);
        let local = host.enter(RawSockets::open);
        Side { who, version, host, far, wires, local, captured: Vec::new() }
    }

    /// Loads all rules; the errors of those that are refused, by their number.
    pub fn load(&self, rules: &[Rule]) -> Vec<(usize, String)> {
        match self.who {
            Who::Theirs => loading::by_restore(&self.host, self.version, "legacy", rules),
            Who::Nft => loading::by_restore(&self.host, self.version, "nft", rules),
            Who::Ours => self.host.enter(|| loading::by_us(self.version, rules)),
        }
    }

    /// What the rules have counted, in the order of `rules`; all of them must be there.
    pub fn counts(&self, rules: &[Rule]) -> Vec<Count> {
        let mut chains: Vec<(&str, &str)> = Vec::new();
        for rule in rules {
            if !chains.contains(&(rule.table, rule.chain)) {
                chains.push((rule.table, rule.chain));
            }
        }
        let mut counts = vec![(0, 0); rules.len()];
        for (table, chain) in chains {
            let listed = match self.who {
                Who::Theirs => self.their_counts(table, chain),
                Who::Ours | Who::Nft => self.host.enter(|| self.our_counts(table, chain)),
            };
            let numbers: Vec<usize> = (0..rules.len())
                .filter(|at| (rules[*at].table, rules[*at].chain) == (table, chain))
                .collect();
            assert_eq!(listed.len(), numbers.len(), "{:?}: rules of {table} {chain}", self.who);
            for (number, count) in numbers.into_iter().zip(listed) {
                counts[number] = count;
            }
        }
        counts
    }

    fn their_counts(&self, table: &str, chain: &str) -> Vec<Count> {
        let name = match self.version {
            IpVersion::V4 => "iptables-legacy-save",
            IpVersion::V6 => "ip6tables-legacy-save",
        };
        let mut save = Command::new(name);
        save.args(["-c", "-t", table]);
        let output = self.host.enter(|| super::lab::run(&mut save, ""));
        let text = String::from_utf8(output.stdout).unwrap();
        let wanted = format!("-A {chain} ");
        text.lines()
            .filter_map(|line| {
                let (count, rule) = line.strip_prefix('[')?.split_once("] ")?;
                let whole = format!("{rule} ");
                let (packets, bytes) = count.split_once(':')?;
                whole
                    .starts_with(&wanted)
                    .then(|| (packets.parse().unwrap(), bytes.parse().unwrap()))
            })
            .collect()
    }

    fn our_counts(&self, table: &'static str, chain: &'static str) -> Vec<Count> {
        let table = TableId { family: Family::of(self.version), name: Name::literal(table) };
        let mut kernel = Kernel::open().unwrap();
        let rules = kernel.rules(&table, Some(&Name::literal(chain))).unwrap();
        let count = |expr: &Expr| match expr {
            Expr::Counter(counter) => Some((counter.packets, counter.bytes)),
            _ => None,
        };
        let mut of = |rule: &portcullis::nft::Rule| {
            let (packets, bytes) = rule.exprs.iter().find_map(count)?;
            // A map may decide for it, and count what it decides.
            let decided = deciding_map(rule)
                .map(|map| decided(map, &kernel.elements(&table, map).unwrap()))
                .unwrap_or_default();
            Some((packets + decided.packets, bytes + decided.bytes))
        };
        rules.iter().map(|(_, rule)| of(&rule.value).expect("each rule counts")).collect()
    }

    /// Sends packets in order, from one processor so that they stay in it; `between` is called
    /// behind each.
    pub fn play(&mut self, packets: &[Packet], mut between: impl FnMut(&Side, usize)) {
        let pinned = Pinned::new();
        for (number, packet) in packets.iter().enumerate() {
            self.send(packet, number);
            self.drain();
            between(self, number);
        }
        self.settle();
        drop(pinned);
    }

    fn send(&self, packet: &Packet, number: usize) {
        let id = 0x4000 | number as u16;
        let wire = match packet.from {
            From::Outside => &self.wires[0],
            From::Inside => &self.wires[1],
            From::Local => {
                // A rule that drops the packet may say so to its sender.
                let _ = self.local.send(packet, id, 0);
                return;
            }
        };
        wire.send(packet.cast, packet.mac, &packet.bytes(id));
    }

    /// A datagram of another user's, with a socket behind it.
    pub fn speak(&mut self, user: u32, group: u32, to: IpAddr) {
        let script = format!("echo -n hello > /dev/udp/{to}/9200");
        let pinned = Pinned::new();
        self.host.enter(|| {
            let mut bash = Command::new("bash");
            let done = bash.args(["-c", &script]).uid(user).gid(group).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        });
        self.settle();
        drop(pinned);
    }

    /// Answers what left the host so far, as its receivers would.
    pub fn answer(&mut self) {
        let pinned = Pinned::new();
        for at in 0..self.captured.len() {
            let (link, bytes) = &self.captured[at];
            if let Some(answer) = answer(bytes) {
                let mac = super::wire::FAR[*link][5];
                self.wires[*link].send(Cast::Host, mac, &answer);
            }
        }
        self.settle();
        drop(pinned);
    }

    /// What the watching table has noted: port and value, with counts, in order.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for set in ["marks", "classes", "flows", "states", "zones"] {
            let mut list = Command::new("nft");
            list.args(["-n", "list", "set", "inet", "watch", set]);
            let output = self.host.enter(|| super::lab::run(&mut list, ""));
            let text = String::from_utf8(output.stdout).unwrap();
            let elements = text.split_once("elements = {").map_or("", |(_, rest)| rest);
            let lines = elements.split([',', '}']).map(str::trim).filter(|line| !line.is_empty());
            notes.extend(lines.map(|line| format!("{set}: {line}")));
        }
        notes.sort();
        notes
    }

    /// The namespace of the host.
    pub fn host(&self) -> &Netns {
        &self.host
    }

    fn drain(&mut self) {
        for link in [0, 1] {
            while let Some(packet) = self.wires[link].receive() {
                self.captured.push((link, packet));
            }
        }
    }

    /// Waits until nothing comes out any more.
    fn settle(&mut self) {
        let end = Instant::now() + Duration::from_secs(2);
        let mut quiet = 0;
        while quiet < 5 && Instant::now() < end {
            let before = self.captured.len();
            sleep(Duration::from_millis(5));
            self.drain();
            quiet = if self.captured.len() == before { quiet + 1 } else { 0 };
        }
    }
}

/// The calling thread on the first of its processors, as long as it lives.
struct Pinned(CpuSet);

impl Pinned {
    fn new() -> Pinned {
        let me = Pid::from_raw(0);
        let before = sched_getaffinity(me).unwrap();
        let first = (0..CpuSet::count()).find(|cpu| before.is_set(*cpu).unwrap()).unwrap();
        let mut one = CpuSet::new();
        one.set(first).unwrap();
        sched_setaffinity(me, &one).unwrap();
        Pinned(before)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // The thread ends with its test: where it may run then matters to nobody.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.0);
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        for netns in [&self.host, &self.far] {
            if let Err(error) = Command::new("ip").args(["netns", "delete", netns.name()]).status()
            {
                let _ = writeln!(std::io::stderr(), "ip netns delete: {error}");
            }
        }
    }
}
