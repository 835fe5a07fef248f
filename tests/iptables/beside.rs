//! Chains that came with rules: there while a rule needs them, and gone with the last one.

use std::net::UdpSocket;
use std::process::Command;

use crate::lab::{Netns, run};
use crate::lab::{isolate, split};
use crate::world::Family;

const GATE: &str = "tproxy-tcp-15001-00000000-00000001-ffffffff";
const RULE: &str = "-p tcp -j TPROXY --on-port 15001 --tproxy-mark 1";

fn ours(netns: &Netns, line: &str, input: &str) {
    let answer = Family::Ours.call(netns, &split(line), input);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{line}");
}

/// The chains that no hook calls, as nft lists them.
fn chains(netns: &Netns) -> Vec<String> {
    let mut list = Command::new("nft");
    let output = netns.enter(|| run(list.args(["list", "ruleset"]), ""));
    let text = String::from_utf8(output.stdout).unwrap();
    let name = |line: &str| Some(line.trim().strip_prefix("chain ")?.split(' ').next()?.to_owned());
    text.lines().filter_map(name).filter(|name| !name.chars().all(char::is_uppercase)).collect()
}

#[test]
fn chain_of_tproxy_when_its_last_rule_goes_then_goes_too() {
    isolate();
    let netns = Netns::add("host");
    let append = format!("iptables -t mangle -A PREROUTING {RULE}");
    let again = format!("iptables -t mangle -A PREROUTING -i eth0 {RULE}");
    let file = format!("*mangle\n-F\n-A PREROUTING {RULE}\nCOMMIT\n");
    // What takes the rules away, of which the chain may outlive all but the last.
    let ways: [&[(&str, &str)]; 6] = [
        &[("iptables -t mangle -D PREROUTING 1", ""), ("iptables -t mangle -D PREROUTING 1", "")],
        &[("iptables -t mangle -F PREROUTING", "")],
        &[("iptables -t mangle -F", "")],
        &[("iptables-restore -n", "*mangle\n-F PREROUTING\nCOMMIT\n")],
        &[("iptables-restore", "*mangle\nCOMMIT\n")],
        &[
            ("iptables-restore -n", file.as_str()),
            ("iptables -t mangle -R PREROUTING 1 -p tcp -j ACCEPT", ""),
        ],
    ];
    for way in ways {
        ours(&netns, &append, "");
        ours(&netns, &again, "");
        assert_eq!(chains(&netns), [GATE], "{way:?}");
        let (last, first) = way.split_last().unwrap();
        for (line, input) in first {
            ours(&netns, line, input);
            assert_eq!(chains(&netns), [GATE], "{line}");
        }
        ours(&netns, last.0, last.1);
        assert_eq!(chains(&netns), Vec::<String>::new(), "{way:?}");
        ours(&netns, "iptables -t mangle -F", "");
    }
}

#[test]
fn chain_of_tproxy_when_rules_are_added_or_others_go_then_says_the_same() {
    isolate();
    let netns = Netns::add("host");
    ours(&netns, &format!("iptables -t mangle -A PREROUTING {RULE}"), "");
    let body = || {
        let mut list = Command::new("nft");
        let output = netns.enter(|| run(list.args(["list", "chain", "ip", "mangle", GATE]), ""));
        String::from_utf8(output.stdout).unwrap()
    };
    let expected = format!(
        "table ip mangle {{\n\tchain {GATE} {{\n\t\tmeta l4proto tcp tproxy to :15001 meta mark set \
         0x00000001 accept\n\t\tdrop\n\t}}\n}}\n"
    );
    assert_eq!(body(), expected);
    for line in [
        format!("iptables -t mangle -I PREROUTING -i eth0 {RULE}"),
        "iptables -t mangle -D PREROUTING 1".to_owned(),
        "iptables -t mangle -Z".to_owned(),
        "iptables -t mangle -X".to_owned(),
        format!("iptables -t mangle -A PREROUTING -p udp {}", &RULE[7..]),
    ] {
        ours(&netns, &line, "");
        assert_eq!(body(), expected, "{line}");
    }
    // Two in one batch.
    let lines = format!("-A PREROUTING -i a {RULE}\n-A PREROUTING -i b {RULE}\n");
    ours(&netns, "iptables-restore -n", &format!("*mangle\n{lines}COMMIT\n"));
    assert_eq!(body(), expected);
}

/// A chain that another program has led to stays, and with it nothing that was asked for fails.
#[test]
fn chain_of_tproxy_when_another_program_leads_to_it_then_stays_alone() {
    isolate();
    let netns = Netns::add("host");
    let other = GATE.replace("15001", "15002");
    let gate = |rule: &str| format!("iptables -t mangle -A PREROUTING {rule}");
    let ways = [
        format!("add rule ip mangle adm goto {GATE}\n"),
        format!("add rule ip mangle adm jump {GATE}\n"),
        format!("add rule ip mangle adm tcp dport vmap {{ 80 : goto {GATE} }}\n"),
        format!(
            "add map ip mangle m {{ type inet_service : verdict; }}\n\
             add element ip mangle m {{ 80 : jump {GATE} }}\n"
        ),
    ];
    for way in ways {
        ours(&netns, &gate(RULE), "");
        ours(&netns, &gate(&RULE.replace("15001", "15002")), "");
        netns.nft(&format!("add chain ip mangle adm\n{way}"));
        assert_eq!(chains(&netns), [GATE, &other, "adm"], "{way}");
        ours(&netns, "iptables -t mangle -D PREROUTING 1", "");
        assert_eq!(chains(&netns), [GATE, &other, "adm"], "{way}");
        ours(&netns, "iptables -t mangle -F PREROUTING", "");
        assert_eq!(chains(&netns), [GATE, "adm"], "{way}");
        ours(&netns, "iptables -t mangle -N user", "");
        ours(&netns, "iptables -t mangle -A user -m recent --name x --set", "");
        ours(&netns, "iptables -t mangle -Z", "");
        ours(&netns, "iptables -t mangle -D user 1", "");
        ours(&netns, "iptables -t mangle -X user", "");
        assert_eq!(lists(&netns), Vec::<String>::new(), "{way}");
        ours(&netns, "iptables-restore -n", "*mangle\n-F\nCOMMIT\n");
        netns.nft("flush chain ip mangle adm\n");
        if way.contains("add map") {
            netns.nft("delete map ip mangle m\n");
        }
        netns.nft("delete chain ip mangle adm\n");
        ours(&netns, "iptables -t mangle -F", "");
        assert_eq!(chains(&netns), Vec::<String>::new(), "{way}");
    }
}

#[test]
fn tproxy_when_a_chain_is_called_from_elsewhere_then_the_kernel_refuses() {
    isolate();
    let netns = Netns::add("host");
    ours(&netns, "iptables -t mangle -N gate", "");
    ours(&netns, &format!("iptables -t mangle -A gate {RULE}"), "");
    let words = split("iptables -t mangle -A OUTPUT -j gate");
    let answer = Family::Ours.call(&netns, &words, "");
    assert_eq!(answer.code, Some(4), "{answer:?}");
    assert!(answer.err.contains("RULE_APPEND failed (Operation not supported)"), "{answer:?}");
}

/// Three datagrams without a flow and two with one.
fn send(netns: &Netns) {
    netns.enter(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for port in [9, 9, 9, 10, 10] {
            // One that is dropped is sent all the same.
            socket.send_to(b"hello", ("127.0.0.1", port)).unwrap();
        }
    });
}

/// Packets that a map decides are counted by the map: each operation sees one count.
#[test]
fn counts_of_a_rule_and_its_map_when_asked_for_or_changed_then_are_those_of_iptables() {
    isolate();
    let rule = "INPUT -p udp -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";
    let steps = [
        (format!("iptables -A {rule}"), ""),
        ("iptables -S INPUT -v".to_owned(), ""),
        ("iptables -Z INPUT".to_owned(), ""),
        ("iptables -vnxL INPUT".to_owned(), ""),
        ("iptables -Z INPUT 1".to_owned(), ""),
        ("iptables-save -c -t filter".to_owned(), ""),
        ("iptables -Z".to_owned(), ""),
        ("iptables -S INPUT -v".to_owned(), ""),
        (format!("iptables -R INPUT 1 {}", &rule[6..]), ""),
        ("iptables -S INPUT -v".to_owned(), ""),
        (
            "iptables-restore -n -c".to_owned(),
            "*filter\n-F INPUT\n[7:700] -A INPUT -p udp -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\nCOMMIT\n",
        ),
        ("iptables -S INPUT -v".to_owned(), ""),
        ("iptables-restore -n".to_owned(), "*filter\n-Z INPUT\nCOMMIT\n"),
        ("iptables -L INPUT -vnZ".to_owned(), ""),
        ("iptables -S INPUT -v".to_owned(), ""),
        (format!("iptables -C {rule}"), ""),
        (format!("iptables -D {rule}"), ""),
        (format!("iptables -A {rule}"), ""),
        ("iptables -S INPUT -v".to_owned(), ""),
        ("iptables -F".to_owned(), ""),
    ];
    let hosts = [(Family::Real, Netns::add("real")), (Family::Ours, Netns::add("ours"))];
    for (family, netns) in &hosts {
        netns.ip("link set lo up\n");
        let untracked = "iptables -t raw -A OUTPUT -p udp --dport 9 -j CT --notrack";
        assert_eq!(family.call(netns, &split(untracked), "").code, Some(0));
    }
    let mut counted = 0;
    for (at, (line, input)) in steps.iter().enumerate() {
        let answers = hosts.each_ref().map(|(family, netns)| {
            let mut answer = family.call(netns, &split(line), input);
            // Policies count only where somebody has set what they have counted.
            let shown = answer.out.lines().filter(|line| !line.starts_with(['#', ':']));
            answer.out = shown.filter(|line| !line.starts_with("-P ")).collect();
            // Each other step sees what has come since.
            if at % 2 == 0 {
                send(netns);
            }
            answer
        });
        let [theirs, mine] = answers;
        assert_eq!((theirs.code, &theirs.out), (mine.code, &mine.out), "{at}: {line}");
        counted += usize::from(mine.out.contains("-c 5 165 -j DROP"));
    }
    assert_eq!(counted, 3, "what one sending is counted as");
    let ruleset = hosts[1].1.ruleset();
    assert!(!ruleset.contains("ctstate-"), "{ruleset}");
}

/// A service as kube-proxy writes it: who came once in these seconds comes to the same end.
fn service(seconds: u32, order: [usize; 2]) -> String {
    let lines = [
        format!(
            "-A KUBE-SVC-A -m comment --comment \"default/web -> 10.1.1.2:80\" -m recent --name \
             KUBE-SEP-B --rcheck --seconds {seconds} --reap -j KUBE-SEP-B\n"
        ),
        "-A KUBE-SEP-B -m comment --comment default/web -m recent --name KUBE-SEP-B --set -m tcp -p \
         tcp -j DNAT --to-destination 10.1.1.2:80\n"
            .to_owned(),
    ];
    let [first, second] = order.map(|at| lines[at].as_str());
    format!("*nat\n:KUBE-SVC-A - [0:0]\n:KUBE-SEP-B - [0:0]\n{first}{second}COMMIT\n")
}

fn lists(netns: &Netns) -> Vec<String> {
    let ruleset = netns.ruleset();
    let line = |line: &&str| line.contains("set recent-") || line.contains("timeout ");
    ruleset.lines().filter(line).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn list_of_a_service_when_restored_then_has_the_time_of_its_rules() {
    isolate();
    let [netns, real] = ["ours", "real"].map(Netns::add);
    let set = "set recent-KUBE-SEP-B {";
    for order in [[0, 1], [1, 0]] {
        for seconds in [10_800, 10_800, 600] {
            let file = service(seconds, order);
            ours(&netns, "iptables-restore -n --counters", &file);
            let time = if seconds == 600 { "timeout 10m" } else { "timeout 3h" };
            assert_eq!(lists(&netns), [set, time], "{order:?}");
            let theirs = Family::Real.call(&real, &split("iptables-restore -n --counters"), &file);
            assert_eq!(theirs.code, Some(0), "{theirs:?}");
            let saved = |family: Family, netns| family.saved(netns, "iptables-save");
            assert_eq!(saved(Family::Real, &real), saved(Family::Ours, &netns));
        }
        // The service goes.
        let gone = "*nat\n-F KUBE-SVC-A\n-F KUBE-SEP-B\n-X KUBE-SVC-A\n-X KUBE-SEP-B\nCOMMIT\n";
        ours(&netns, "iptables-restore -n", gone);
        assert_eq!(lists(&netns), Vec::<String>::new(), "{order:?}");
    }
}

#[test]
fn list_when_rules_want_different_times_then_is_refused_by_name() {
    isolate();
    let netns = Netns::add("host");
    let rule = |words: &str| format!("iptables -A INPUT -m recent --name x {words}");
    let refused = |words: &str| {
        let answer = Family::Ours.call(&netns, &split(&rule(words)), "");
        assert_eq!(answer.code, Some(2), "{words}: {answer:?}");
        assert!(
            answer.err.contains("the set \"recent-x\" of \"-m recent\" would have to keep"),
            "{answer:?}"
        );
    };
    ours(&netns, &rule("--rcheck --seconds 60"), "");
    ours(&netns, &rule("--set"), "");
    ours(&netns, &rule("--update --seconds 60 --reap"), "");
    for words in ["--rcheck --seconds 61", "--rcheck", "--update", "! --rcheck"] {
        refused(words);
    }
    ours(&netns, "iptables -F", "");
    assert_eq!(lists(&netns), Vec::<String>::new());
    // What is there for good cannot get a time later, in one file it can.
    ours(&netns, &rule("--set"), "");
    refused("--rcheck --seconds 60");
    let file = "*filter\n-F INPUT\n-A INPUT -m recent --set --name x\n-A INPUT -m recent --rcheck \
                --seconds 60 --name x\nCOMMIT\n";
    ours(&netns, "iptables-restore -n", file);
    assert_eq!(lists(&netns), ["set recent-x {", "timeout 1m"]);
    let file = "*filter\n-A INPUT -m recent --rcheck --seconds 5 --name y\n-A INPUT -m recent --rcheck \
                --name y\nCOMMIT\n";
    let answer = Family::Ours.call(&netns, &split("iptables-restore -n"), file);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.err.contains("Error occurred at line: 3"), "{answer:?}");
}

#[test]
fn list_when_another_programs_set_has_its_name_then_is_refused_and_nothing_changes() {
    isolate();
    let netns = Netns::add("host");
    ours(&netns, "iptables -A INPUT -m recent --name own --set -j ACCEPT", "");
    let sets = [
        "set ip filter recent-x { type inet_service; }",
        "set ip filter recent-x { type ipv4_addr; }",
        "set ip filter recent-x { type ipv4_addr; size 65535; flags dynamic; }",
        "set ip filter recent-x { type ipv4_addr; flags interval; }",
        "map ip filter recent-x { type ipv4_addr : verdict; }",
    ];
    for set in sets {
        netns.nft(&format!("add {set}\n"));
        let before = netns.ruleset();
        let calls = [
            ("iptables -A INPUT -m recent --name x --rcheck -j DROP", ""),
            ("iptables -I INPUT -m recent --name x --set", ""),
            ("iptables -R INPUT 1 -m recent --name x --rcheck --seconds 60 -j DROP", ""),
            (
                "iptables-restore -n",
                "*filter\n-F INPUT\n-A INPUT -m recent --name x --set\nCOMMIT\n",
            ),
        ];
        for (line, input) in calls {
            let answer = Family::Ours.call(&netns, &split(line), input);
            assert_eq!(answer.code, Some(4), "{set}: {line}: {answer:?}");
            let expected = "(File exists): rule in chain INPUT\nanother program's set has the name \
                            recent-x, which \"-m recent\" needs\n";
            assert!(answer.err.ends_with(expected), "{answer:?}");
            assert_eq!(netns.ruleset(), before, "{set}: {line}");
        }
        netns.nft(&format!("delete {} ip filter recent-x\n", &set[..3]));
    }
    ours(&netns, "iptables -A INPUT -m recent --name x --rcheck --seconds 60 -j DROP", "");
    ours(&netns, "iptables -A INPUT -m recent --name x --set", "");
}

#[test]
fn zeroing_when_another_deletes_what_has_counted_then_does_the_rest() {
    isolate();
    let netns = Netns::add("host");
    netns.ip("link set lo up\n");
    ours(&netns, "iptables -t raw -A OUTPUT -p udp --dport 9 -j CT --notrack", "");
    let rule =
        |chain: &str| format!("-A {chain} -p udp -m conntrack ! --ctstate RELATED,DNAT -j RETURN");
    let chains: Vec<String> = (0..20).map(|number| format!("c{number:02}")).collect();
    let mut file = "*filter\n".to_owned();
    for chain in &chains {
        let rule = rule(chain);
        file.push_str(&format!(":{chain} - [0:0]\n-A INPUT -p udp -j {chain}\n{rule}\n"));
    }
    ours(&netns, "iptables-restore -n", &(file + "COMMIT\n"));
    let last = rule("c19");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            for _ in 0..15 {
                send(&netns);
                std::thread::sleep(std::time::Duration::from_millis(40));
                ours(&netns, &format!("iptables {}", last.replacen("-A", "-D", 1)), "");
                ours(&netns, &format!("iptables {last}"), "");
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !done.load(std::sync::atomic::Ordering::Relaxed) && !other.is_finished() {
            send(&netns);
            ours(&netns, "iptables -Z", "");
        }
    });
    let ruleset = netns.ruleset();
    assert_eq!(ruleset.matches("map ctstate-").count(), chains.len(), "{ruleset}");
    ours(&netns, "iptables -Z", "");
    assert!(!netns.ruleset().contains("counter packets 3 "), "{}", netns.ruleset());
}

/// The sets and maps that rules name, by the chain of each rule.
fn sets_of(netns: &Netns, chain: &str) -> Vec<String> {
    let mut list = Command::new("nft");
    let output = netns.enter(|| run(list.args(["list", "chain", "ip", "filter", chain]), ""));
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.split_whitespace().filter_map(|word| word.strip_prefix('@'));
    words.map(str::to_owned).collect()
}

#[test]
fn sets_of_a_renamed_chain_when_another_gets_its_name_and_words_then_are_not_shared() {
    for words in [
        "-p tcp -m connlimit --connlimit-above 3 -j DROP",
        "-p udp -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
    ] {
        isolate();
        let netns = Netns::add("host");
        let rule = format!("NEW {words}");
        ours(&netns, "iptables -N NEW", "");
        ours(&netns, &format!("iptables -A {rule}"), "");
        ours(&netns, &format!("iptables -A {rule}"), "");
        let live = sets_of(&netns, "NEW");
        assert!(live[0] == live[1] && live[0].ends_with("-0") && live.len() == 2, "{live:?}");
        ours(&netns, "iptables -E NEW LIVE", "");
        let numbered = |number| format!("{}-{number}", live[0].strip_suffix("-0").unwrap());
        ours(&netns, "iptables -N NEW", "");
        for line in [
            format!("iptables -A {rule}"),
            format!("iptables -I {rule}"),
            format!("iptables -R NEW 1 {words}"),
        ] {
            ours(&netns, &line, "");
            assert_eq!(sets_of(&netns, "LIVE"), live, "{line}");
            let sets = sets_of(&netns, "NEW");
            assert!(sets.iter().all(|set| *set == numbered(1)), "{line}: {sets:?}");
        }
        // Its own rules are found whatever their set is called.
        ours(&netns, &format!("iptables -C {rule}"), "");
        ours(&netns, &format!("iptables -D {rule}"), "");
        ours(&netns, "iptables -E NEW SECOND", "");
        let file = format!("*filter\n:NEW -\n-A {rule}\n-A NEW -j ACCEPT\nCOMMIT\n");
        ours(&netns, "iptables-restore -n", &file);
        // Anew, by a file that takes away what has the name.
        ours(&netns, "iptables-restore -n", &file);
        assert_eq!(sets_of(&netns, "NEW"), [numbered(2)]);
        for chain in ["LIVE", "SECOND", "NEW"] {
            ours(&netns, &format!("iptables -C {chain} {words}"), "");
        }
        ours(&netns, "iptables -F LIVE", "");
        ours(&netns, "iptables-restore -n", &file);
        assert_eq!(sets_of(&netns, "NEW"), [live[0].as_str()]);
        ours(&netns, "iptables -F", "");
        assert!(!netns.ruleset().contains(&live[0][..10]), "{}", netns.ruleset());
    }
}

#[test]
fn chain_with_the_name_of_one_renamed_in_the_same_file_when_made_then_is_refused() {
    isolate();
    let netns = Netns::add("host");
    ours(&netns, "iptables -N NEW", "");
    ours(&netns, "iptables -A NEW -j ACCEPT", "");
    let before = netns.ruleset();
    for made in ["-N NEW", ":NEW - [0:0]"] {
        let file = format!("*filter\n-E NEW LIVE\n{made}\n-A NEW -j DROP\nCOMMIT\n");
        let answer = Family::Ours.call(&netns, &split("iptables-restore -n"), &file);
        assert_eq!(answer.code, Some(4), "{answer:?}");
        let expected = "line 3: CHAIN_ADD failed (File exists): chain NEW\na chain gives up the name \
                        NEW only when all of this is committed\n";
        assert!(answer.err.ends_with(expected), "{answer:?}");
        assert_eq!(netns.ruleset(), before, "{made}");
    }
}
