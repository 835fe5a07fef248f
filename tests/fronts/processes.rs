//! No program is started: everything is said over netlink.

use std::fs;

use super::call::Call;
use super::host::Host;

/// How many programs a call executes, itself included.
fn programs(host: &Host, call: &Call) -> usize {
    let trace = host.file("trace");
    let strace = ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", &trace];
    host.run(&call.clone().under(&strace)).success();
    fs::read_to_string(trace).unwrap().lines().filter(|line| line.contains("exec")).count()
}

#[test]
fn calls_when_traced_then_execute_nothing_but_themselves() {
    let host = Host::new();
    let add = host.add();
    let gc = add.command("GC");
    for call in [&add, &add, &add.command("CHECK"), &add.command("DEL"), &add.command("DEL"), &gc] {
        assert_eq!(programs(&host, call), 1, "{call:?}");
    }
    assert_eq!(programs(&host, &add.command("STATUS")), 1);
}

/// Puts an empty directory over those of nft, iptables and their kin, and no PATH is set.
const HIDDEN: [&str; 4] = ["unshare", "-m", "sh", "-c"];
const SCRIPT: &str = "mount -t tmpfs none /usr/sbin || exit 90
for dir in /usr/local/sbin /usr/local/bin /sbin; do
  [ ! -d $dir ] || [ -L $dir ] || mount -t tmpfs none $dir || exit 91
done
for program in nft iptables ip6tables iptables-nft iptables-legacy xtables-nft-multi conntrack; do
  if command -v $program > /dev/null; then echo still there: $program >&2; exit 92; fi
done
PATH= exec \"$0\"";

fn hidden(call: &Call) -> Call {
    call.clone().under(&[&HIDDEN[..], &[SCRIPT]].concat())
}

#[test]
fn calls_when_no_firewall_program_is_installed_then_work_the_same() {
    let host = Host::inhabited();
    let (plain, before) = (host.netns.ruleset(), host.ruleset());
    let add = host.add();
    let result = host.run(&add).success();
    let published = host.netns.ruleset();
    host.run(&add.command("DEL")).success();
    assert_eq!(host.run(&hidden(&add)).success(), result);
    assert_eq!(host.netns.ruleset(), published);
    assert_eq!(host.run(&hidden(&add.command("CHECK"))).success(), "");
    assert_eq!(host.run(&hidden(&add.command("STATUS"))).success(), "");
    assert_eq!(host.run(&hidden(&add.command("DEL"))).success(), "");
    assert_eq!(host.netns.ruleset(), plain);
    assert_eq!(host.ruleset(), before);
    let (code, _) = host.run(&hidden(&add.command("CHECK"))).error();
    assert_eq!(code, 105);
}

/// No PATH, no HOME, nothing: a runtime may clear what is not of CNI.
#[test]
fn calls_when_environment_has_cni_variables_only_then_work() {
    let host = Host::new();
    let add = host.add().unset("PATH");
    host.run(&add).success();
    host.run(&add.command("CHECK")).success();
    host.run(&add.command("DEL")).success();
    assert!(host.listed().is_empty());
}

/// A runtime's hard limits are small (nofile 1024, or less).
#[test]
fn calls_when_few_descriptors_are_left_then_work() {
    let host = Host::new();
    let add = host.add().under(&["prlimit", "--nofile=16:16"]);
    host.run(&add).success();
    host.run(&add.command("DEL")).success();
    assert!(host.listed().is_empty());
}
