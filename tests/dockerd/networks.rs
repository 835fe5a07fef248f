//! Networks of every kind that the bridge driver knows, side by side.

use super::site::Site;
use super::stories::live;
use super::{life, ports};

#[test]
fn dockerd_with_all_kinds_of_networks_and_ports_does_what_it_does_on_iptables_nft() {
    live(&[], |site| {
        let first = site.rules_in_order();
        create(site);
        ports::published(site);
        containers(site);
        life::containers(site);
        life::daemon(site);
        site.scene("removal");
        site.remove_all();
        site.docker("network rm amber blue cyan dune ecru fern");
        site.expect_rules(&first);
    });
}

/// One network of each kind.
fn create(site: &mut Site<'_>) {
    site.scene("networks");
    site.network("amber", 1, "");
    site.network("blue", 2, "--internal");
    site.network("cyan", 3, "-o com.docker.network.bridge.enable_icc=false");
    site.network("dune", 4, "-o com.docker.network.bridge.enable_ip_masquerade=false");
    site.network("ecru", 5, "-o com.docker.network.bridge.host_binding_ipv4=192.0.2.10");
    site.network("fern", 6, "-o com.docker.network.host_ipv4=192.0.2.10");
    site.rules_in_order();
}

/// Containers on each, and what they see.
fn containers(site: &mut Site<'_>) {
    site.scene("containers");
    for (name, options) in [
        ("amber1", "--network amber -p 8100:7 -p 8100:7/udp"),
        ("amber2", "--network amber"),
        ("blue1", "--network blue -p 8200:7"),
        ("blue2", "--network blue"),
        ("cyan1", "--network cyan -p 8300:7"),
        ("cyan2", "--network cyan"),
        ("dune1", "--network dune -p 8400:7"),
        ("ecru1", "--network ecru -p 8500:7"),
        ("fern1", "--network fern -p 8600:7"),
    ] {
        site.run(name, options);
    }
    site.rules();
    site.expect_native();
    reach(site);
    isolation(site);
    names(site);
}

/// Who reaches what is published on each, and as whom each is seen.
fn reach(site: &mut Site<'_>) {
    site.scene("reach");
    site.expect(&[
        ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("client udp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("host tcp 127.0.0.1:8100", "amber1 sees 172.30.1.1"),
        ("amber1 tcp 192.0.2.1:8100", "amber1 sees 172.30.1.1"),
        ("amber1 tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
        // An internal network publishes nothing, and nobody leaves it.
        ("client tcp 192.0.2.1:8200", "refused"),
        ("host tcp 172.30.2.2:7", "blue1 sees 172.30.2.1"),
        ("client tcp 172.30.2.2:7", "silent"),
        ("blue1 tcp 192.0.2.2:9000", "silent"),
        ("blue2 tcp 172.30.2.2:7", "blue1 sees 172.30.2.3"),
        // Without communication between containers there is the way over the host.
        ("client tcp 192.0.2.1:8300", "cyan1 sees 192.0.2.2"),
        ("cyan2 tcp 172.30.3.2:7", "silent"),
        ("cyan2 udp 172.30.3.2:7", "silent"),
        ("cyan2 tcp 192.0.2.1:8300", "cyan1 sees 172.30.3.1"),
        ("cyan2 tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
        // Without masquerading the client sees the container.
        ("client tcp 192.0.2.1:8400", "dune1 sees 192.0.2.2"),
        ("dune1 tcp 192.0.2.2:9000", "client sees 172.30.4.2"),
        // Bound to one of the host's addresses.
        ("client tcp 192.0.2.10:8500", "ecru1 sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8500", "refused"),
        ("host tcp 127.0.0.1:8500", "refused"),
        // Seen as one of the host's addresses.
        ("client tcp 192.0.2.1:8600", "fern1 sees 192.0.2.2"),
        ("fern1 tcp 192.0.2.2:9000", "client sees 192.0.2.10"),
        ("fern1 udp 192.0.2.2:9000", "client sees 192.0.2.10"),
    ]);
}

/// Between networks there is only what is published.
fn isolation(site: &mut Site<'_>) {
    site.scene("isolation");
    site.expect(&[
        ("amber1 tcp 172.30.3.2:7", "silent"),
        ("amber1 tcp 172.30.4.2:7", "silent"),
        ("amber1 tcp 172.17.0.2:7", "silent"),
        ("amber1 udp 172.17.0.2:7", "silent"),
        ("web tcp 172.30.1.2:7", "silent"),
        ("blue1 tcp 172.30.1.2:7", "silent"),
        ("amber1 tcp 172.30.2.2:7", "silent"),
        ("amber2 tcp 172.30.1.2:7", "amber1 sees 172.30.1.3"),
        ("amber2 udp 172.30.1.2:8", "amber1 sees 172.30.1.3"),
        ("web tcp 192.0.2.1:8100", "amber1 sees 172.30.1.1"),
        ("amber1 tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
        ("amber1 tcp 192.0.2.10:8500", "ecru1 sees 172.30.5.1"),
        // Nothing keeps a network without masquerading from DNAT, and so from the isolation.
        ("dune1 tcp 192.0.2.10:8500", "silent"),
    ]);
}

/// The embedded name server is behind rules in the container's namespace.
fn names(site: &mut Site<'_>) {
    site.scene("names");
    site.expect(&[
        ("amber1 a amber2", "172.30.1.3"),
        ("amber2 a amber1", "172.30.1.2"),
        ("amber2 a-tcp amber1", "172.30.1.2"),
        ("blue2 a blue1", "172.30.2.2"),
        ("cyan2 a cyan1", "172.30.3.2"),
        // docker0 has no names.
        ("web a many", "refused"),
        ("amber1 a web", "no address"),
    ]);
}
