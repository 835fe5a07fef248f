//! Where ours is meant to differ from Debian's 1.1.1: the only lines that may.

/// A deliberate difference.
pub struct Difference {
    pub name: &'static str,
    /// Why ours is as it is.
    pub why: &'static str,
    /// Which cases may show it: a part of their names.
    pub case: &'static str,
    /// Which lines: all of these parts.
    pub line: &'static [&'static str],
}

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "empty dns",
        why: "from 1.0.0 on an empty dns is left out, as later releases of the reference do",
        case: "",
        line: &["said.dns {}"],
    },
    Difference {
        name: "DAD in containers",
        why: "enabledad false turns duplicate address detection off, as later releases do; \
              1.1.1 leaves the kernel's default and turns enhanced DAD on with enabledad",
        case: "",
        line: &["sysctl ipv6/conf/", "_dad ="],
    },
    Difference {
        name: "gratuitous ARP",
        why: "arp_notify is set on the container's interface, as later releases do",
        case: "",
        line: &["sysctl ipv4/conf/", "/arp_notify ="],
    },
    Difference {
        name: "addresses outlive a link that is down",
        why: "keep_addr_on_down is set in the container, as later releases do",
        case: "",
        line: &["sysctl ipv6/conf/", "/keep_addr_on_down ="],
    },
    Difference {
        name: "no router advertisements on the host's side",
        why: "accept_ra is off on bridge and host interface, as later releases do",
        case: "",
        line: &["host: sysctl ipv6/conf/", "/accept_ra ="],
    },
    Difference {
        name: "leases are private",
        why: "files of leases are made 0600, as later releases do; 1.1.1 makes them 0644",
        case: "",
        line: &["disk: ", " mode "],
    },
    Difference {
        name: "transmit queue",
        why: "links have the kernel's default length of the transmit queue; Debian's sets 0 for \
              veths, which a later qdisc would take for a limit",
        case: "",
        line: &["link ", " txqlen "],
    },
    Difference {
        name: "MTU in results",
        why: "interfaces have their MTU in the result from 1.0.0 on, as later releases do",
        case: "",
        line: &["said.interfaces[", "].mtu "],
    },
    Difference {
        name: "codes of errors",
        why: "errors have codes that a caller can act on; Debian's are all 999",
        case: "",
        line: &["error.code "],
    },
    Difference {
        name: "version of errors",
        why: "the specification wants an error to name its version",
        case: "",
        line: &["error.cniVersion "],
    },
    Difference {
        name: "warnings of DEL",
        why: "a DEL that does not understand its configuration succeeds and warns on stderr",
        case: "",
        line: &["form: indented, ends the line, quiet: (false, false, "],
    },
    Difference {
        name: "lock of addresses",
        why: "a DEL makes no directory where there is none",
        case: "DEL before all",
        line: &["disk: ", "/lock "],
    },
    Difference {
        name: "the container's link without a netns",
        why: "a DEL without a netns deletes the pair by its other end, where Debian's leaves it",
        case: "DEL without a netns",
        line: &["veth#1"],
    },
    Difference {
        name: "the container's end without a netns",
        why: "a DEL without a netns deletes the pair by its other end, where Debian's leaves it",
        case: "DEL without a netns",
        line: &["c1: "],
    },
    Difference {
        name: "the bridge without a port",
        why: "a DEL without a netns deletes the pair by its other end, where Debian's leaves it",
        case: "DEL without a netns",
        line: &["host: link br0"],
    },
    Difference {
        name: "routes through a bridge without a port",
        why: "a DEL without a netns deletes the pair by its other end, where Debian's leaves it",
        case: "DEL without a netns",
        line: &["host: route", "\"dev\":\"br0\""],
    },
    Difference {
        name: "newer versions",
        why: "ours speaks CNI 1.1.0",
        case: "version",
        line: &["error.details", "plugin supports"],
    },
    Difference {
        name: "port isolation",
        why: "portIsolation came after 1.1.1",
        case: "portIsolation",
        line: &["info_slave_data isolated"],
    },
    Difference {
        name: "port isolation keeps ports apart",
        why: "portIsolation came after 1.1.1",
        case: "portIsolation",
        line: &["reach: c"],
    },
];

/// A step that ours answers differently as a whole: its code, its words, whether it fails at all.
pub struct Answer {
    pub name: &'static str,
    /// Why ours answers as it does.
    pub why: &'static str,
    /// Which cases may show it: a part of their names.
    pub case: &'static str,
    /// A part of a line that ours answers with.
    pub ours: &'static str,
    /// A part of a line that Debian's answers with.
    pub theirs: &'static str,
}

pub const ANSWERS: &[Answer] = &[
    Answer {
        name: "DEL of what never came about",
        why: "Debian's cannot take back what a failed ADD had not made yet",
        case: "",
        ours: "exit: Some(0)",
        theirs: "running [/usr/sbin/iptables -t nat -D POSTROUTING",
    },
    Answer {
        name: "DEL under a wrong configuration",
        why: "what is there goes whatever the configuration says; a warning tells of it",
        case: "",
        ours: "exit: Some(0)",
        theirs: "must be between 0 and 4094",
    },
    Answer {
        name: "DEL with wrong ranges",
        why: "what is there goes whatever the configuration says; a warning tells of it",
        case: "",
        ours: "exit: Some(0)",
        theirs: "range",
    },
    Answer {
        name: "DEL with too many addresses",
        why: "what is there goes whatever the configuration says; a warning tells of it",
        case: "two v4 sets under 0.2.0",
        ours: "exit: Some(0)",
        theirs: "does not support more than 1 address",
    },
    Answer {
        name: "DEL with a key of a wrong type",
        why: "what is there goes whatever the configuration says; a warning tells of it",
        case: "wrong type of a key",
        ours: "exit: Some(0)",
        theirs: "failed to load netconf",
    },
    Answer {
        name: "a key of a wrong type",
        why: "the key is named in the configuration's own terms",
        case: "wrong type of a key",
        ours: "mtu: expected an integer, found a string",
        theirs: "failed to load netconf",
    },
    Answer {
        name: "CHECK without an address manager",
        why: "a network without addresses has nothing to ask an address manager",
        case: "no ipam",
        ours: "exit: Some(0)",
        theirs: "no plugin name provided",
    },
    Answer {
        name: "CHECK of a route without a gateway",
        why: "the ADD led it through the network's gateway, where Debian's looks for none",
        case: "",
        ours: "exit: Some(0)",
        theirs: "GW:<nil>} not found in routing table",
    },
    Answer {
        name: "refused route",
        why: "the request is shown as ip takes it, with the kernel's own reason",
        case: "",
        ours: "kernel refused route add",
        theirs: "failed to add route",
    },
    Answer {
        name: "refused MTU",
        why: "the kernel's own reason is told",
        case: "mtu too large",
        ours: "Invalid argument",
        theirs: "invalid argument",
    },
    Answer {
        name: "words of a contradiction",
        why: "later releases say it without the full stop",
        case: "hairpin and promiscuous",
        ours: "at the same time",
        theirs: "at the same time.",
    },
    Answer {
        name: "words about a netns that is gone",
        why: "the cause is in the details",
        case: "netns that is gone",
        ours: "failed to open netns",
        theirs: "failed to Statfs",
    },
    Answer {
        name: "words about a netns that is none",
        why: "a file system's number helps nobody",
        case: "netns that is none",
        ours: "not a namespace",
        theirs: "unknown FS magic",
    },
    Answer {
        name: "words about a name that is taken",
        why: "as later releases say it",
        case: "repeated ADD",
        ours: "peer provided",
        theirs: "container veth name provided (eth0) already exists",
    },
];

/// Whether a step may be answered so and so.
pub fn is_deliberate_answer(case: &str, ours: &[String], theirs: &[String]) -> bool {
    let says = |lines: &[String], part: &str| lines.iter().any(|line| line.contains(part));
    ANSWERS.iter().any(|answer| {
        case.contains(answer.case) && says(ours, answer.ours) && says(theirs, answer.theirs)
    })
}

/// Whether this line of this case may be on one side only.
pub fn is_deliberate(case: &str, line: &str) -> bool {
    DIFFERENCES.iter().any(|difference| {
        case.contains(difference.case) && difference.line.iter().all(|part| line.contains(part))
    })
}

#[test]
fn differences_when_read_then_each_has_a_name_a_reason_and_lines() {
    for answer in ANSWERS {
        assert!(answer.why.len() > 20, "{}: {}", answer.name, answer.why);
        assert!(answer.ours.len() > 4 && answer.theirs.len() > 4, "{}", answer.name);
    }
    for difference in DIFFERENCES {
        assert!(!difference.line.is_empty(), "{} would allow everything", difference.name);
        assert!(difference.line.iter().all(|part| part.len() >= 3), "{}", difference.name);
        assert!(difference.why.len() > 20, "{}: {}", difference.name, difference.why);
    }
}
