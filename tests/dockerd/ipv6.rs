//! IPv6 with ip6tables, and containers on docker0 that may not speak to each other.

use super::site::Site;
use super::stories::live;

const FLAGS: [&str; 6] = [
    "--experimental",
    "--ip6tables",
    "--ipv6",
    "--fixed-cidr-v6=2001:db8:d0::/64",
    "--icc=false",
    "--userland-proxy=true",
];

#[test]
fn dockerd_with_ipv6_and_links_does_what_it_does_on_iptables_nft() {
    live(&FLAGS, |site| {
        let first = site.rules_in_order();
        site.scene("ipv6");
        site.network("iris", 1, "--ipv6 --subnet 2001:db8:100::/64");
        site.network("jade", 2, "--ipv6 --subnet 2001:db8:200::/64 --internal");
        site.rules_in_order();
        site.run("web", "-p 8080:7 -p 8080:7/udp");
        site.run("next", "");
        site.run("iris1", "--network iris -p 8100:7 -p 8100:7/udp -p [2001:db8::1]:8101:7");
        site.run("iris2", "--network iris");
        site.run("jade1", "--network jade");
        site.run("jade2", "--network jade");
        site.rules();
        site.expect_native();
        reach(site);
        link(site);
        site.scene("removal");
        site.remove_all();
        site.docker("network rm iris jade");
        site.expect_rules(&first);
    });
}

fn reach(site: &mut Site<'_>) {
    site.expect(&[
        ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("client tcp [2001:db8::1]:8080", "web sees 2001:db8::2"),
        ("client udp [2001:db8::1]:8080", "web sees 2001:db8::2"),
        ("client tcp [2001:db8::1]:8100", "iris1 sees 2001:db8::2"),
        ("client udp [2001:db8::1]:8100", "iris1 sees 2001:db8::2"),
        ("client tcp [2001:db8::1]:8101", "iris1 sees 2001:db8::2"),
        ("client tcp 192.0.2.1:8101", "refused"),
        ("host tcp [::1]:8100", "iris1 sees 2001:db8:100::1"),
        ("host tcp [2001:db8::1]:8100", "iris1 sees 2001:db8::1"),
        ("client tcp [2001:db8:100::2]:7", "iris1 sees 2001:db8::2"),
        ("client tcp [2001:db8:100::2]:8", "silent"),
        ("iris1 tcp [2001:db8::2]:9000", "client sees 2001:db8::1"),
        ("iris1 udp [2001:db8::2]:9000", "client sees 2001:db8::1"),
        ("iris2 tcp [2001:db8:100::2]:7", "iris1 sees 2001:db8:100::3"),
        ("iris2 tcp [2001:db8::1]:8100", "iris1 sees 2001:db8:100::1"),
        ("iris1 tcp [2001:db8::1]:8100", "iris1 sees 2001:db8:100::1"),
        ("iris2 aaaa iris1", "2001:db8:100::2"),
        ("iris2 a iris1", "172.30.1.2"),
        // Isolation.
        ("iris1 tcp [2001:db8:200::2]:7", "silent"),
        ("iris1 tcp [2001:db8:d0::242:ac11:2]:7", "silent"),
        ("jade1 tcp [2001:db8::2]:9000", "silent"),
        // 20.10 drops what is not addressed to an internal network, neighbour discovery included.
        ("jade2 tcp [2001:db8:200::2]:7", "silent"),
        ("jade2 tcp 172.30.2.2:7", "jade1 sees 172.30.2.3"),
        ("client tcp [2001:db8:200::2]:7", "silent"),
        // --icc=false is docker0's.
        ("next tcp 172.17.0.2:7", "silent"),
        ("next tcp [2001:db8:d0::242:ac11:2]:7", "silent"),
        ("next tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
    ]);
}

/// `--link` opens what the other exposes.
fn link(site: &mut Site<'_>) {
    site.scene("link");
    site.run("served", "--expose 7");
    site.run("linked", "--link served:served");
    site.rules();
    site.expect(&[
        ("linked tcp 172.17.0.4:7", "served sees 172.17.0.5"),
        ("linked tcp 172.17.0.4:8", "silent"),
        ("served tcp 172.17.0.5:7", "silent"),
        ("next tcp 172.17.0.4:7", "silent"),
    ]);
    site.leave("linked");
    site.docker("rm -f linked");
    site.rules();
}
