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
        name: "newer versions",
        why: "ours speaks CNI 1.1.0",
        case: "version",
        line: &["said.details", "plugin supports"],
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

/// Whether this line of this case may be on one side only.
pub fn is_deliberate(case: &str, line: &str) -> bool {
    DIFFERENCES.iter().any(|difference| {
        case.contains(difference.case) && difference.line.iter().all(|part| line.contains(part))
    })
}

#[test]
fn differences_when_read_then_each_has_a_name_a_reason_and_lines() {
    for difference in DIFFERENCES {
        assert!(!difference.line.is_empty(), "{} would allow everything", difference.name);
        assert!(difference.line.iter().all(|part| part.len() > 3), "{}", difference.name);
        assert!(difference.why.len() > 20, "{}: {}", difference.name, difference.why);
    }
}
