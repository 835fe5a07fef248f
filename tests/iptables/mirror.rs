//! Long chains that are kept in a mirror: the same answers as without one, whoever changes what,
//! and no listing where nothing has changed.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis::netlink::Connection;
use proptest::prelude::*;

use crate::lab::{Netns, run};
use crate::lab::{isolate, split};
use crate::world::{Answer, Family};

/// Where the mirrors of a network namespace are.
pub fn place(netns: &Netns) -> PathBuf {
    let cookie = netns.enter(|| Connection::open().unwrap().netns_cookie());
    let cookie = cookie.expect("SO_NETNS_COOKIE: Linux 5.14");
    Path::new("/run/portcullis/mirrors").join(format!("{cookie:x}"))
}

/// A namespace that gets no mirrors: its directory is open to others.
pub fn without_mirrors(netns: &Netns) {
    let place = place(netns);
    fs::create_dir_all(&place).unwrap();
    for own in [Path::new("/run/portcullis"), Path::new("/run/portcullis/mirrors")] {
        fs::set_permissions(own, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The rule of a number, as `-A` has it.
pub fn rule(number: usize) -> String {
    format!("T -s 10.0.0.{number}/32 -p tcp -m tcp --dport {number} -j ACCEPT")
}

/// A chain of so many rules, and one that they could jump to.
pub fn long(netns: &Netns, rules: usize) {
    let mut file = "*filter\n:T - [0:0]\n:U - [0:0]\n".to_owned();
    (1..=rules).for_each(|number| writeln!(file, "-A {}", rule(number)).unwrap());
    let answer = Family::Ours.call(netns, &split("iptables-restore"), &(file + "COMMIT\n"));
    assert_eq!(answer.code, Some(0), "{answer:?}");
}

pub fn ours(netns: &Netns, words: &str) -> Answer {
    Family::Ours.call(netns, &split(words), "")
}

pub fn done(netns: &Netns, words: &str) {
    let answer = ours(netns, words);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{words}");
}

/// Whether the rule of a number is found.
pub fn finds(netns: &Netns, number: usize) -> bool {
    let answer = ours(netns, &format!("iptables -C {}", rule(number)));
    assert!(matches!(answer.code, Some(0 | 1)), "{answer:?}");
    answer.code == Some(0)
}

/// Whether a call asks the kernel for rules. It must succeed.
pub fn lists(netns: &Netns, words: &str) -> bool {
    let trace = sent(netns, words);
    // strace does not always find out which protocol a socket speaks.
    let asks = |name: &str, number: &str| trace.contains(name) || trace.contains(number);
    assert!(asks("NFT_MSG_GETGEN", "nlmsg_type=0xa10 "), "{words}: {trace}");
    asks("NFT_MSG_GETRULE", "nlmsg_type=0xa07 ")
}

/// What a call sends to the kernel, as strace writes it.
fn sent(netns: &Netns, words: &str) -> String {
    let trace = Path::new("/run/trace");
    let mut command = Command::new("strace");
    command.args(["-qq", "-e", "trace=sendto", "-o"]).arg(trace);
    command.arg(env!("CARGO_BIN_EXE_portcullis")).args(split(words));
    netns.enter(|| run(&mut command, ""));
    fs::read_to_string(trace).expect("a trace")
}

/// Who begins a mirror waits for the commit that its generation is of, and nobody else does.
#[test]
fn batch_of_nothing_when_a_mirror_is_made_then_is_sent_once() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 100);
    let batches = |words: &str| {
        let trace = sent(&netns, words);
        let begins = ["NFNL_MSG_BATCH_BEGIN", "nlmsg_type=0x10 ", "nlmsg_type=NLMSG_MIN_TYPE"];
        begins.iter().map(|name| trace.matches(name).count()).sum::<usize>()
    };
    assert_eq!(batches(&format!("iptables -C {}", rule(50))), 1);
    assert_eq!(batches(&format!("iptables -C {}", rule(51))), 0, "it is read");
    done(&netns, "iptables -A INPUT -j DROP");
    assert_eq!(batches("iptables -C INPUT -j DROP"), 0, "it is short");
}

#[test]
fn check_when_nothing_has_changed_then_lists_the_chain_once() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 100);
    let check = |number| lists(&netns, &format!("iptables -C {}", rule(number)));
    assert!(check(50), "nobody has listed it yet");
    assert!(!check(51));
    assert!(!check(100));
    let words = format!("iptables -D {}", rule(50));
    assert!(!lists(&netns, &words), "the deletion finds it in the mirror");
    assert!(!check(49), "and takes the mirror along");
    assert!(!finds(&netns, 50));
    netns.nft("add table ip foreign");
    assert!(check(51), "somebody has changed something");
    assert!(!check(51));
}

#[test]
fn chain_when_it_is_short_then_nothing_is_kept() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 63);
    assert!(finds(&netns, 5) && finds(&netns, 63));
    done(&netns, &format!("iptables -D {}", rule(5)));
    assert!(!Path::new("/run/portcullis").exists());
}

/// Who does something, and how.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// `iptables`, `ip6tables`, with words.
    Call(&'static str),
    /// `iptables-restore -n` with lines of the table filter.
    Restore(&'static str),
    /// A stranger, by nft.
    Nft(&'static str),
}

/// What is left of the mirror of the chain T.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mirror {
    Kept,
    Void,
}

use Deed::{Call, Nft, Restore};
use Mirror::{Kept, Void};

const DEEDS: &[(Deed, Mirror)] = &[
    (Call("iptables -A T -s 10.0.0.201 -p tcp --dport 201 -j ACCEPT"), Kept),
    (Call("iptables -A T -s 10.0.0.202,10.0.0.203 -j DROP"), Kept),
    (Call("iptables -I T -s 10.0.0.204 -j DROP"), Kept),
    (Call("iptables -I T 3 -s 10.0.0.3 -p tcp --dport 3 -j ACCEPT"), Kept),
    (Call("iptables -I T 105 -s 10.0.0.205 -j REJECT --reject-with icmp-admin-prohibited"), Kept),
    (Call("iptables -A T -p tcp -m multiport --dports 1,2,3 -m limit --limit 3/min -j LOG"), Kept),
    (Call("iptables -R T 7 -s 10.0.0.7 -p udp -j DROP"), Kept),
    (Call("iptables -R T 7 -s 10.0.0.7 -p udp -j DROP -c 5 6"), Kept),
    (Call("iptables -R T 9 -s 10.0.0.9 -j U"), Kept),
    (Call("iptables -D T 9"), Kept),
    (Call("iptables -D T -s 10.0.0.7 -p udp -j DROP"), Kept),
    (Call("iptables -D T -s 10.0.0.7 -p udp -j DROP"), Kept),
    (Call("iptables -D T 1000"), Kept),
    (Call("iptables -A INPUT -j T"), Kept),
    (Call("iptables -P FORWARD DROP"), Kept),
    (Call("iptables -N V"), Kept),
    (Call("iptables -A V -j DROP"), Kept),
    // A flush may find nothing to flush, and is no commit then: it is not counted on.
    (Call("iptables -F V"), Void),
    (Call("iptables -X V"), Kept),
    (Call("iptables -t nat -A POSTROUTING -j MASQUERADE"), Kept),
    (Call("ip6tables -A INPUT -j DROP"), Kept),
    (Call("iptables -Z T 2"), Kept),
    (Call("iptables -A T -s 10.0.0.12 -j U"), Kept),
    (Call("iptables -E U W"), Void),
    (Call("iptables -D T -s 10.0.0.12 -j W"), Kept),
    (Restore("-A T -s 10.0.0.210 -j DROP\n-I T 2 -s 10.0.0.211 -j DROP\n-D T 4\n"), Kept),
    (Restore("-R T 2 -s 10.0.0.212 -j DROP\n-D T -s 10.0.0.210 -j DROP\n-A INPUT -j DROP\n"), Kept),
    (Call("iptables -D T -p tcp -m multiport --dports 1,2,3 -m limit --limit 3/min -j LOG"), Kept),
    (Restore("-Z T\n-A T -s 10.0.0.213 -j DROP\n"), Void),
    (Restore("-N X1\n-A X1 -j T\n"), Kept),
    (Nft("add rule ip filter T ip saddr 10.0.0.20 counter drop"), Void),
    (Nft("insert rule ip filter T ip saddr 10.0.0.21 counter drop"), Void),
    (Nft("add table inet foreign"), Void),
    (Nft("delete table inet foreign"), Void),
    (Call("iptables -t nat -F"), Void),
    (Call("iptables -F T"), Void),
];

/// The rules that are looked for after each deed.
const LOOKED_FOR: [&str; 10] = [
    "-s 10.0.0.3/32 -p tcp -m tcp --dport 3 -j ACCEPT",
    "-s 10.0.0.7/32 -p tcp -m tcp --dport 7 -j ACCEPT",
    "-s 10.0.0.7 -p udp -j DROP",
    "-s 10.0.0.9/32 -p tcp -m tcp --dport 9 -j ACCEPT",
    "-s 10.0.0.12 -j U",
    "-s 10.0.0.12 -j W",
    "-s 10.0.0.20 -j DROP",
    "-s 10.0.0.203 -j DROP",
    "-s 10.0.0.212 -j DROP",
    "-p tcp -m multiport --dports 1,2,3 -m limit --limit 3/min -j LOG",
];

fn act(netns: &Netns, deed: Deed) -> Option<Answer> {
    match deed {
        Call(words) => Some(ours(netns, words)),
        Restore(lines) => {
            let file = format!("*filter\n{lines}COMMIT\n");
            Some(Family::Ours.call(netns, &split("iptables-restore -n"), &file))
        }
        Nft(script) => {
            netns.nft(script);
            None
        }
    }
}

#[test]
fn answers_when_somebody_changed_something_then_are_those_without_a_mirror() {
    isolate();
    let (with, without) = (Netns::add("with"), Netns::add("without"));
    without_mirrors(&without);
    for netns in [&with, &without] {
        long(netns, 110);
        assert!(finds(netns, 50));
    }
    for (deed, mirror) in DEEDS {
        let answer = act(&with, *deed);
        assert_eq!(answer, act(&without, *deed), "{deed:?}");
        println!("{deed:?}: {answer:?}");
        if with.ruleset().contains("10.0.0.50 ") {
            let check = format!("iptables -C {}", rule(50));
            assert_eq!(lists(&with, &check), *mirror == Void, "{deed:?}");
            assert!(lists(&without, &check), "this one has no mirror");
        }
        for words in LOOKED_FOR {
            let check = format!("iptables -C T {words}");
            assert_eq!(ours(&with, &check), ours(&without, &check), "{deed:?}, {check}");
        }
        let saved = |netns| Family::Ours.saved(netns, "iptables-save");
        assert_eq!(saved(&with), saved(&without), "{deed:?}");
    }
}

/// Counts that a mirror has are old ones: they are never written back.
#[test]
fn counts_when_a_file_zeroes_some_then_others_stay() {
    isolate();
    let netns = Netns::add("host");
    let mut file = "*filter\n:T - [0:0]\n".to_owned();
    (1..=100).for_each(|number| writeln!(file, "[{number}:7] -A {}", rule(number)).unwrap());
    let restored = |options: &str, file: &str| {
        let words = split(&format!("iptables-restore {options}"));
        let answer = Family::Ours.call(&netns, &words, file);
        assert_eq!(answer.code, Some(0), "{answer:?}");
    };
    restored("-c", &(file + "COMMIT\n"));
    assert!(finds(&netns, 5) && finds(&netns, 6));
    done(&netns, "iptables -Z T 5");
    done(&netns, &format!("iptables -I T 3 {}", &rule(201)[2..]));
    restored("-n", "*filter\n-Z T 10\n-D T 1\nCOMMIT\n");
    let saved = Family::Ours.call(&netns, &split("iptables-save -c"), "").out;
    for number in (2..=100).filter(|number| ![5, 9].contains(number)) {
        let line = format!("[{number}:7] -A {}\n", rule(number));
        assert!(saved.contains(&line), "{number}: {saved}");
    }
    for number in [5, 9] {
        assert!(saved.contains(&format!("[0:0] -A {}\n", rule(number))), "{number}: {saved}");
    }
}

/// Another namespace has the same rules, and its own mirror of them.
#[test]
fn namespaces_when_their_rules_are_the_same_then_have_mirrors_of_their_own() {
    isolate();
    let (one, other) = (Netns::add("one"), Netns::add("other"));
    for netns in [&one, &other] {
        long(netns, 100);
        assert!(finds(netns, 5));
    }
    done(&one, &format!("iptables -D {}", rule(5)));
    assert!(!finds(&one, 5) && finds(&other, 5));
    // The same number of commits, and so the same generation.
    done(&other, &format!("iptables -D {}", rule(6)));
    assert!(!finds(&one, 5) && finds(&other, 5));
    assert!(finds(&one, 6) && !finds(&other, 6));
    // Nor does the file of one do for the other.
    for file in fs::read_dir(place(&one)).unwrap().map(|file| file.unwrap().path()) {
        fs::copy(&file, place(&other).join(file.file_name().unwrap())).unwrap();
    }
    assert!(finds(&other, 5) && !finds(&other, 6));
}

/// One call of ours, or one change of a stranger's.
fn deed() -> impl Strategy<Value = (bool, String)> {
    let number = 1..90_usize;
    let at = 1..90_usize;
    (0..9_usize, number, at).prop_map(|(kind, number, at)| {
        let words = rule(number);
        let words = words.trim_start_matches("T ");
        match kind {
            0 | 1 => (true, format!("iptables -A T {words}")),
            2 => (true, format!("iptables -I T {words}")),
            3 => (true, format!("iptables -I T {at} {words}")),
            4 => (true, format!("iptables -D T {words}")),
            5 => (true, format!("iptables -D T {at}")),
            6 => (true, format!("iptables -R T {at} {words}")),
            7 => (true, format!("iptables -t nat -A OUTPUT {words}")),
            _ => (false, format!("add rule ip filter T ip saddr 10.0.0.{number} counter accept")),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_calls_when_repeated_without_a_mirror_then_ends_the_same(
        deeds in prop::collection::vec(deed(), 30),
    ) {
        std::thread::scope(|scope| scope.spawn(|| {
            isolate();
            let (with, without) = (Netns::add("with"), Netns::add("without"));
            without_mirrors(&without);
            [&with, &without].into_iter().for_each(|netns| long(netns, 80));
            for (is_ours, words) in &deeds {
                let answers = [&with, &without].map(|netns| match is_ours {
                    true => Some(ours(netns, words)),
                    false => { netns.nft(words); None }
                });
                assert_eq!(answers[0], answers[1], "{words}");
            }
            let saved = |netns| Family::Ours.saved(netns, "iptables-save");
            assert_eq!(saved(&with), saved(&without));
        }).join()).unwrap();
    }
}
