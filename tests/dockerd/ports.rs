//! Published ports on docker0, with a docker-proxy for each.

use super::site::Site;

/// TCP, UDP, host addresses, ranges, ports that dockerd picks, two ports that lead to one.
pub fn published(site: &mut Site<'_>) {
    site.scene("ports");
    site.run("web", "-p 8080:7/tcp -p 8080:7/udp -p 8081:7");
    site.run("many", "-p 192.0.2.10:8082:7 -p 127.0.0.1:8083:7 -p 8084-8085:7-8 -p 8086-8090:7");
    site.run("plain", "-p 7");
    let picked = site.docker("port plain");
    site.table.see("ports | docker port plain".to_owned(), picked);
    site.rules();
    site.expect(&[
        ("client tcp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("client udp 192.0.2.1:8080", "web sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8081", "web sees 192.0.2.2"),
        ("client udp 192.0.2.1:8081", "refused"),
        ("client tcp [2001:db8::1]:8080", "web sees 172.17.0.1"),
        ("host tcp 127.0.0.1:8080", "web sees 172.17.0.1"),
        ("host udp 127.0.0.1:8080", "web sees 172.17.0.1"),
        ("host tcp [::1]:8080", "web sees 172.17.0.1"),
        ("host tcp 192.0.2.1:8080", "web sees 192.0.2.1"),
        ("client tcp 192.0.2.10:8082", "many sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8082", "refused"),
        ("host tcp 127.0.0.1:8082", "refused"),
        ("client tcp 192.0.2.1:8083", "refused"),
        ("host tcp 127.0.0.1:8083", "many sees 172.17.0.1"),
        ("client tcp 192.0.2.1:8084", "many sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8085", "many sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8086", "many sees 192.0.2.2"),
        ("client tcp 192.0.2.1:8087", "refused"),
        // A neighbour who routes to the container: what is published is open, the rest is not.
        ("client tcp 172.17.0.2:7", "web sees 192.0.2.2"),
        ("client tcp 172.17.0.2:8", "silent"),
        ("host tcp 172.17.0.2:8", "web sees 172.17.0.1"),
        // Among containers, directly and over the host.
        ("many tcp 172.17.0.2:8", "web sees 172.17.0.3"),
        ("many tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
        // docker-proxy answers from the bridge's address, which the asker does not know.
        ("many udp 192.0.2.1:8080", "silent"),
        ("web tcp 192.0.2.1:8080", "web sees 172.17.0.1"),
        // To the world.
        ("web tcp 192.0.2.2:9000", "client sees 192.0.2.1"),
        ("web udp 192.0.2.2:9000", "client sees 192.0.2.1"),
    ]);
    site.docker_exits("run -d --name late -p 8080:7 busybox /bin/sleep 600", "exit 125");
    site.docker("rm late");
    site.expect(&[("client tcp 192.0.2.1:8080", "web sees 192.0.2.2")]);
}
