//! What containers and daemons go through: stop, start, connect, disconnect, restart, death.

use super::site::Site;

/// Containers are stopped and started, connected and disconnected.
pub fn containers(site: &mut Site<'_>) {
    site.scene("stop and start");
    site.leave("amber1");
    site.docker("stop -t 0 amber1");
    site.expect(&[
        ("client tcp 192.0.2.1:8100", "refused"),
        ("client udp 192.0.2.1:8100", "refused"),
        ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("amber2 a amber1", "no address"),
    ]);
    site.rules();
    site.docker("start amber1");
    site.enter("amber1");
    site.expect(&[
        ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("client udp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("amber2 a amber1", "172.30.1.2"),
    ]);

    site.scene("connect");
    site.connect("dune", "amber2");
    site.rules();
    site.expect(&[
        ("dune1 tcp 172.30.4.3:7", "amber2 sees 172.30.4.2"),
        ("amber2 tcp 172.30.4.2:7", "dune1 sees 172.30.4.3"),
        ("amber2 tcp 172.30.1.2:7", "amber1 sees 172.30.1.3"),
        ("amber2 a dune1", "172.30.4.2"),
        ("amber1 a dune1", "no address"),
    ]);
    // amber1 keeps its ports, on another network.
    site.connect("dune", "amber1");
    site.docker("network disconnect amber amber1");
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("amber2 tcp 172.30.1.2:7", "silent"),
        ("client tcp 172.30.4.4:7", "amber1 sees 192.0.2.2"),
    ]);
    site.connect("amber", "amber1");
    site.docker("network disconnect dune amber1");
    site.docker("network disconnect dune amber2");
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8100", "amber1 sees 192.0.2.2"),
        ("amber2 tcp 172.30.1.2:7", "amber1 sees 172.30.1.3"),
    ]);
}

/// What the host's owner says of forwarded packets comes first, and stays over restarts.
fn refuse_cyan(site: &mut Site<'_>) {
    site.scene("DOCKER-USER");
    drop_to_cyan(site, "-I");
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8300", "silent"),
        ("host tcp 127.0.0.1:8300", "cyan1 sees 172.30.3.1"),
        ("client tcp 192.0.2.1:8400", "dune1 sees 192.0.2.2"),
    ]);
}

/// `iptables -I` or `-D` of the rule.
fn drop_to_cyan(site: &Site<'_>, operation: &str) {
    let rule = ["DOCKER-USER", "-i", "wan0", "-o", "br-cyan", "-j", "DROP"];
    site.host.inside.run(&[&["iptables", operation], &rule[..]].concat());
}

/// The daemon is restarted in good order, and then killed.
pub fn daemon(site: &mut Site<'_>) {
    refuse_cyan(site);
    site.scene("before the restart");
    site.run("always", "--restart always --network amber -p 8700:7 -p 8700:7/udp");
    site.expect(&[("client tcp 192.0.2.1:8700", "always sees 192.0.2.2")]);

    site.scene("stopped daemon");
    site.leave_all();
    site.daemon.stop();
    site.rules();
    site.expect(&[("client tcp 192.0.2.1:8700", "refused")]);
    site.scene("restarted daemon");
    returns(site);

    site.scene("killed daemon");
    site.leave_all();
    site.daemon.kill();
    site.rules();
    site.scene("daemon after its death");
    returns(site);
    drop_to_cyan(site, "-D");
    site.expect(&[("client tcp 192.0.2.1:8300", "cyan1 sees 192.0.2.2")]);
}

/// Starts the daemon, which starts one container; the others are started by hand.
fn returns(site: &mut Site<'_>) {
    site.daemon.start_again();
    site.await_running("always");
    site.enter("always");
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8700", "always sees 192.0.2.2"),
        ("client udp 192.0.2.1:8700", "always sees 192.0.2.2"),
        ("host tcp 127.0.0.1:8700", "always sees 172.30.1.1"),
        ("always tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
        ("client tcp 192.0.2.1:8080", "refused"),
    ]);
    for name in ["web", "blue1", "cyan1"] {
        site.docker(&format!("start {name}"));
        site.enter(name);
    }
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("client udp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8300", "silent"),
        ("host tcp 127.0.0.1:8300", "cyan1 sees 172.30.3.1"),
        ("web tcp 172.30.1.2:7", "silent"),
        ("blue1 tcp 192.0.2.2:9000", "silent"),
        ("always a always", "172.30.1.2"),
    ]);
    site.expect_native();
}
