//! The calls that dockerd 20.10 makes: a daemon's start, networks, containers with ports. As it
//! makes them, each change is preceded by a `-C`, and many calls are expected to say no.

/// One call: the words behind `iptables`.
pub type Call = Vec<String>;

fn call(text: &str) -> Call {
    ["--wait"].into_iter().chain(text.split_whitespace()).map(str::to_owned).collect()
}

/// The daemon's chains, as it makes them in an empty namespace.
pub fn daemon_start() -> Vec<Call> {
    let mut calls = vec![call("-L -n")];
    for table in ["nat", "filter"] {
        for chain in ["DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"] {
            calls.extend(["-F", "-X"].map(|what| call(&format!("-t {table} {what} {chain}"))));
        }
    }
    let made = [
        ("nat", "DOCKER"),
        ("filter", "DOCKER"),
        ("filter", "DOCKER-ISOLATION-STAGE-1"),
        ("filter", "DOCKER-ISOLATION-STAGE-2"),
        ("filter", "DOCKER-USER"),
    ];
    for (table, chain) in made {
        calls.push(call(&format!("-t {table} -n -L {chain}")));
        calls.push(call(&format!("-t {table} -N {chain}")));
    }
    for chain in ["DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"] {
        calls.extend(checked("filter", "-A", chain, "-j RETURN"));
    }
    calls.extend(checked("nat", "-A", "PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"));
    let output = "-m addrtype --dst-type LOCAL -j DOCKER ! --dst 127.0.0.0/8";
    calls.extend(checked("nat", "-A", "OUTPUT", output));
    calls
}

/// `-C`, then the change.
fn checked(table: &str, change: &str, chain: &str, rule: &str) -> [Call; 2] {
    ["-C", change].map(|what| call(&format!("-t {table} {what} {chain} {rule}")))
}

/// A network's own rules: table, how they are added, chain, rule.
fn network_rules(number: usize) -> Vec<(&'static str, &'static str, String)> {
    let (bridge, net) = (format!("br-{number:012x}"), subnet(number));
    vec![
        ("nat", "POSTROUTING", format!("-s {net} ! -o {bridge} -j MASQUERADE")),
        ("nat", "DOCKER", format!("-i {bridge} -j RETURN")),
        ("filter", "FORWARD", format!("-i {bridge} -o {bridge} -j ACCEPT")),
        ("filter", "FORWARD", format!("-i {bridge} ! -o {bridge} -j ACCEPT")),
        ("filter", "FORWARD", format!("-o {bridge} -j DOCKER")),
        (
            "filter",
            "FORWARD",
            format!("-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ),
        (
            "filter",
            "DOCKER-ISOLATION-STAGE-1",
            format!("-i {bridge} ! -o {bridge} -j DOCKER-ISOLATION-STAGE-2"),
        ),
        ("filter", "DOCKER-ISOLATION-STAGE-2", format!("-o {bridge} -j DROP")),
    ]
}

fn subnet(number: usize) -> String {
    format!("10.{}.{}.0/24", 64 + number / 256, number % 256)
}

/// `docker network create`.
pub fn network_create(number: usize) -> Vec<Call> {
    let bridge = format!("br-{number:012x}");
    let mut calls = vec![call(&format!("-D FORWARD -i {bridge} -o {bridge} -j DROP"))];
    for (table, chain, rule) in network_rules(number) {
        calls.extend(checked(table, "-I", chain, &rule));
    }
    // Kept on top.
    for chain in ["DOCKER-ISOLATION-STAGE-1", "DOCKER-USER"] {
        calls.extend(checked("filter", "-D", "FORWARD", &format!("-j {chain}")));
        calls.push(call(&format!("-I FORWARD -j {chain}")));
    }
    calls.push(call("-t filter -n -L DOCKER-USER"));
    calls.push(call("-t filter -C DOCKER-USER -j RETURN"));
    calls
}

/// `docker network rm`.
pub fn network_remove(number: usize) -> Vec<Call> {
    let rules = network_rules(number);
    rules.iter().flat_map(|(table, chain, rule)| checked(table, "-D", chain, rule)).collect()
}

fn container_rules(ports: std::ops::Range<u16>) -> Vec<(&'static str, &'static str, String)> {
    let of_port = |port: u16| {
        let (host, to) = (port + 1_000, "172.17.0.2");
        vec![
            (
                "nat",
                "DOCKER",
                format!(
                    "-p tcp -d 0/0 --dport {host} -j DNAT --to-destination {to}:{port} ! -i docker0"
                ),
            ),
            (
                "filter",
                "DOCKER",
                format!("! -i docker0 -o docker0 -p tcp -d {to} --dport {port} -j ACCEPT"),
            ),
            ("nat", "POSTROUTING", format!("-p tcp -s {to} -d {to} --dport {port} -j MASQUERADE")),
        ]
    };
    ports.flat_map(of_port).collect()
}

/// `docker start` of a container with these ports.
pub fn container_start(ports: std::ops::Range<u16>) -> Vec<Call> {
    let rules = container_rules(ports);
    rules.iter().flat_map(|(table, chain, rule)| checked(table, "-A", chain, rule)).collect()
}

/// `docker stop` of it.
pub fn container_stop(ports: std::ops::Range<u16>) -> Vec<Call> {
    let rules = container_rules(ports);
    rules.iter().flat_map(|(table, chain, rule)| checked(table, "-D", chain, rule)).collect()
}
