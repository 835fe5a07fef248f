//! Sysctls of the host and of a container.

use portcullis::link::{Sysctl, in_netns};
use portcullis::net::IpVersion;

use super::host::{Host, name};

#[test]
fn sysctl_when_set_inside_a_container_then_the_host_keeps_its_own() {
    let host = Host::new();
    host.veth();
    host.host.ip("link add eth0 type veth peer name eth1");
    let sysctl = Sysctl::accept_dad(&name("eth0"));
    let before = in_netns(&host.container_file, || sysctl.set("0")).unwrap().unwrap();
    assert_eq!(host.container.read_sysctl("ipv6/conf/eth0/accept_dad").as_deref(), Some("0"));
    assert_eq!(host.host.read_sysctl("ipv6/conf/eth0/accept_dad").as_deref(), Some("1"));
    in_netns(&host.container_file, || before.unwrap().restore()).unwrap().unwrap();
    assert_eq!(host.container.read_sysctl("ipv6/conf/eth0/accept_dad").as_deref(), Some("1"));
}

#[test]
fn sysctl_when_it_is_so_already_then_nothing_is_to_be_put_back() {
    let host = Host::new();
    let forwarding = Sysctl::forwarding(IpVersion::V6);
    assert!(forwarding.set("1").unwrap().is_some());
    assert!(forwarding.set("1").unwrap().is_none());
    assert_eq!(host.host.read_sysctl("ipv6/conf/all/forwarding").as_deref(), Some("1"));
}

#[test]
fn sysctls_when_set_then_each_is_the_one_of_its_name() {
    let host = Host::new();
    host.veth();
    let eth0 = name("eth0");
    let all = [
        (Sysctl::accept_ra(&eth0), "ipv6/conf/eth0/accept_ra"),
        (Sysctl::accept_dad(&eth0), "ipv6/conf/eth0/accept_dad"),
        (Sysctl::enhanced_dad(&eth0), "ipv6/conf/eth0/enhanced_dad"),
        (Sysctl::disable_ipv6(&eth0), "ipv6/conf/eth0/disable_ipv6"),
        (Sysctl::keep_addr_on_down(&eth0), "ipv6/conf/eth0/keep_addr_on_down"),
        (Sysctl::ndisc_notify(&eth0), "ipv6/conf/eth0/ndisc_notify"),
        (Sysctl::arp_notify(&eth0), "ipv4/conf/eth0/arp_notify"),
        (Sysctl::route_localnet("eth0"), "ipv4/conf/eth0/route_localnet"),
        (Sysctl::forwarding(IpVersion::V4), "ipv4/ip_forward"),
        (Sysctl::forwarding(IpVersion::V6), "ipv6/conf/all/forwarding"),
    ];
    for (sysctl, key) in all {
        let before = host.container.read_sysctl(key).unwrap();
        let value = if before == "0" { "1" } else { "0" };
        in_netns(&host.container_file, || sysctl.set(value)).unwrap().unwrap().unwrap();
        assert_eq!(host.container.read_sysctl(key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn thread_when_its_work_elsewhere_panics_then_it_is_back_all_the_same() {
    let host = Host::new();
    let work = || in_netns(&host.container_file, || -> () { panic!("on purpose") });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
    let here = portcullis::link::NetnsFile::own().unwrap();
    assert_eq!(here.id(), host.host_file.id());
}
