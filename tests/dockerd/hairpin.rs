//! Without docker-proxy all traffic to published ports is the rules', and outlives the daemon.

use super::site::Site;
use super::stories::live;

const FLAGS: [&str; 6] = [
    "--userland-proxy=false",
    "--live-restore",
    "--experimental",
    "--ip6tables",
    "--ipv6",
    "--fixed-cidr-v6=2001:db8:d0::/64",
];
/// amber's part of IPv6.
const AMBER: &str = "--ipv6 --subnet 2001:db8:100::/64";
const OUTLIVES: [(&str, &str); 10] = [
    ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
    ("client udp 192.0.2.1:8080", "web sees 192.0.2.2"),
    ("client tcp [2001:db8::1]:8080", "web sees 2001:db8::2"),
    ("client udp [2001:db8::1]:8100", "amber1 sees 2001:db8::2"),
    ("amber1 tcp [2001:db8::2]:9000", "client sees 2001:db8::1"),
    ("web tcp [2001:db8:100::2]:7", "silent"),
    ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
    ("host tcp 127.0.0.1:8100", "amber1 sees 172.30.1.1"),
    ("web tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
    ("web tcp 172.30.1.2:7", "silent"),
];

#[test]
fn dockerd_without_proxy_and_with_live_restore_does_what_it_does_on_iptables_nft() {
    live(&FLAGS, |site| {
        let first = site.rules_in_order();
        site.scene("hairpin");
        site.network("amber", 1, AMBER);
        site.rules_in_order();
        site.run("web", "-p 8080:7 -p 8080:7/udp -p 127.0.0.1:8081:7");
        site.run("next", "");
        site.run("amber1", "--network amber -p 8100:7 -p 8100:7/udp -p 192.0.2.10:8101:7");
        site.run("amber2", "--network amber");
        site.rules();
        site.expect_native();
        reach(site);
        restore(site);
        site.scene("removal");
        site.remove_all();
        site.docker("network rm amber");
        site.expect_rules(&first);
        site.network("amber", 1, AMBER);
        flush(site);
    });
}

fn reach(site: &mut Site<'_>) {
    site.expect(&OUTLIVES);
    site.expect(&[
        ("host tcp 127.0.0.1:8080", "web sees 172.17.0.1"),
        ("host udp 127.0.0.1:8080", "web sees 172.17.0.1"),
        ("host tcp 127.0.0.1:8081", "web sees 172.17.0.1"),
        ("client tcp 192.0.2.1:8081", "refused"),
        ("host tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
        // A container reaches what it publishes itself, and what its neighbour publishes.
        ("web tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
        ("web udp 192.0.2.1:8080", "web sees 172.17.0.1"),
        ("amber1 tcp 192.0.2.1:8100", "amber1 sees 172.30.1.1"),
        ("amber1 tcp 192.0.2.10:8101", "amber1 sees 172.30.1.1"),
        ("next tcp 192.0.2.1:8080", "web sees 172.17.0.3"),
        ("amber2 tcp 192.0.2.1:8100", "amber1 sees 172.30.1.3"),
        // Another network's ports are behind the isolation: nobody is there to go between.
        ("web tcp 192.0.2.1:8100", "silent"),
        ("amber1 tcp 192.0.2.1:8080", "silent"),
        ("host tcp [2001:db8::1]:8080", "web sees 2001:db8:d0::1"),
        // Translated as well, but IPv6 routes no packet that comes from ::1.
        ("host tcp [::1]:8080", "silent"),
        ("web tcp [2001:db8::1]:8080", "web sees 2001:db8:d0::1"),
        ("next tcp [2001:db8::1]:8080", "web sees 2001:db8:d0::242:ac11:3"),
        ("amber1 tcp [2001:db8::1]:8100", "amber1 sees 2001:db8:100::1"),
        ("amber1 tcp [2001:db8::1]:8080", "silent"),
        ("amber1 a amber2", "172.30.1.3"),
    ]);
}

/// The daemon goes and comes; containers and their traffic stay.
fn restore(site: &mut Site<'_>) {
    site.scene("stopped daemon");
    site.daemon.stop();
    site.expect(&OUTLIVES);
    site.scene("restarted daemon");
    site.daemon.start_again();
    site.rules();
    site.expect(&OUTLIVES);

    site.scene("killed daemon");
    site.daemon.kill();
    site.expect(&OUTLIVES);
    site.scene("daemon after its death");
    site.daemon.start_again();
    site.rules();
    site.expect(&OUTLIVES);
}

/// Rules that someone took away while nobody looked are made anew.
fn flush(site: &mut Site<'_>) {
    site.scene("flush");
    site.run("web", "-p 8080:7 -p 8080:7/udp -p 127.0.0.1:8081:7");
    site.run("amber1", "--network amber -p 8100:7 -p 8100:7/udp");
    site.expect(&OUTLIVES);
    site.host.netns.nft("flush ruleset\n");
    site.docker_exits("network create -o com.docker.network.bridge.name=br-b blue", "exit 1");
    site.docker_exits("run -d --name late -p 8200:7 busybox /bin/sleep 600", "exit 125");
    site.expect_complaints(3);
    site.daemon.stop();
    site.scene("daemon after the flush");
    site.daemon.start_again();
    site.rules();
    site.expect(&OUTLIVES);
    site.expect_native();
}
