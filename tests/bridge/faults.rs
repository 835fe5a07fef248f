//! Faults put in on purpose: the comparison must see each of them.

use serde_json::json;

use super::cases::{conf, dual, life};
use super::compare::compare;
use super::plugins::{Maker, Plugins};

const LIE: &str = "answer=$(printf %s \"$answer\" | sed 's/10.1.0.2/10.1.0.9/')";

/// Debian's plugins on both sides, the first with `script` around its bridge plugin; gives what
/// the comparison says. The script finds the true plugin's answer in `$answer`.
fn seen(tamper: fn(&Plugins)) -> String {
    let conf = conf(&json!({"isDefaultGateway": true, "ipam": dual()}));
    compare(&life("seeded fault", &conf), Maker::Peer, tamper)
}

/// Calls the true plugin, then does `then` if it was an ADD that worked.
fn after_add(plugins: &Plugins, then: &str) {
    let text = format!(
        "answer=$(/usr/lib/cni/bridge); code=$?\n\
         if [ $CNI_COMMAND = ADD ] && [ $code = 0 ]; then\n{then}\nfi\n\
         printf %s \"$answer\"; exit $code"
    );
    plugins.script("bridge", &text);
}

fn assert_sees(report: &str, part: &str) {
    let found = report.lines().any(|line| line.starts_with("  +") && line.contains(part));
    let missed = report.lines().any(|line| line.starts_with("  -") && line.contains(part));
    assert!(found || missed, "no difference of {part} in:\n{report}");
}

#[test]
fn comparison_when_nothing_is_wrong_then_sees_nothing() {
    assert_eq!(seen(|plugins| after_add(plugins, "true")), "");
}

#[test]
fn comparison_when_mtu_is_wrong_then_sees_it() {
    let report = seen(|plugins| after_add(plugins, "ip link set br0 mtu 1300"));
    assert_sees(&report, "host: link br0 mtu 1300");
}

#[test]
fn comparison_when_a_route_is_missing_then_sees_it_and_what_it_breaks() {
    let report = seen(|plugins| after_add(plugins, "ip -n ${CNI_NETNS##*/} route del default"));
    assert_sees(&report, "\"dst\":\"default\"");
    assert_sees(&report, "reach: c1 to outside 192.0.2.2");
}

#[test]
fn comparison_when_an_address_stays_then_sees_it() {
    let report = seen(|plugins| after_add(plugins, "ip addr add 10.7.7.7/32 dev br0"));
    assert_sees(&report, "host: address of br0: 10.7.7.7");
}

#[test]
fn comparison_when_a_lease_stays_then_sees_it() {
    let report = seen(|plugins| {
        plugins.script("host-local", "[ $CNI_COMMAND = DEL ] || exec /usr/lib/cni/host-local");
    });
    assert_sees(&report, "/var/lib/cni/networks/net/10.1.0.2 holds");
}

#[test]
fn comparison_when_the_result_lies_then_sees_it() {
    let report = seen(|plugins| after_add(plugins, LIE));
    assert_sees(&report, "said.ips[0].address \"10.1.0.9/24\"");
}

#[test]
fn comparison_when_a_sysctl_or_a_port_flag_is_wrong_then_sees_it() {
    let report = seen(|plugins| {
        after_add(
            plugins,
            "port=$(ip -br link show master br0 | cut -d@ -f1 | head -1)\n\
             ip link set $port type bridge_slave hairpin on\n\
             echo 1 > /proc/sys/net/ipv4/conf/br0/route_localnet",
        );
    });
    assert_sees(&report, "info_slave_data hairpin true");
    assert_sees(&report, "ipv4/conf/br0/route_localnet = 1");
}
