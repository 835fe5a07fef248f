//! A daemon whose rules real iptables-nft has made finds other programs when it comes back.

use super::rules;
use super::site::Site;
use super::stories::live_after_peer;

const REACH: [(&str, &str); 9] = [
    ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
    ("client udp 192.0.2.1:8080", "web sees 192.0.2.2"),
    ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
    ("host tcp 127.0.0.1:8100", "amber1 sees 172.30.1.1"),
    ("web tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
    ("web tcp 172.30.1.2:7", "silent"),
    ("blue1 tcp 192.0.2.2:9000", "silent"),
    ("amber1 tcp 192.0.2.1:8100", "amber1 sees 172.30.1.1"),
    ("amber1 a amber1", "172.30.1.2"),
];

#[test]
fn dockerd_whose_iptables_are_exchanged_keeps_one_rule_for_each() {
    live_after_peer(&["--live-restore"], |site| {
        let first = site.rules_in_order();
        site.network("amber", 1, "");
        site.network("blue", 2, "--internal");
        site.run("web", "-p 8080:7 -p 8080:7/udp");
        site.run("amber1", "--network amber -p 8100:7");
        site.run("blue1", "--network blue");
        let full = site.rules();
        assert!(!rules::modules(&site.host.netns).is_empty(), "rules of real iptables-nft");
        site.expect(&REACH);

        for scene in ["exchange", "restart after the exchange"] {
            site.daemon.stop();
            site.host.programs.link();
            site.scene(scene);
            site.daemon.start_again();
            site.expect_rules(&full);
            site.expect(&REACH);
        }
        grow(site);
        site.scene("removal");
        site.remove_all();
        site.docker("network rm amber blue");
        site.expect_rules(&first);
    });
}

/// Old rules are taken away, and new ones come beside them.
fn grow(site: &mut Site<'_>) {
    site.scene("beside old rules");
    site.leave("web");
    site.docker("rm -f web");
    site.run("next", "-p 8081:7");
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8080", "refused"),
        ("client tcp 192.0.2.1:8081", "next sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("next tcp 172.30.1.2:7", "silent"),
    ]);
}
