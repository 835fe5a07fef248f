//! The table of rooms: who may use whom.
//!
//! The one place to change when a room is added or may use one more. A path is judged by its
//! longest row in [`ROOMS`]: `front::iptables` has a row of its own.

/// One room, what it may use, and what of that it must leave alone all the same.
pub struct Room {
    /// Its path below `crate`.
    pub path: &'static str,
    /// The rooms it may use, besides itself.
    pub may_use: &'static [&'static str],
    /// Parts of those rooms, and of itself, that it must not use.
    pub never: &'static [&'static str],
}

/// What talks to the kernel in rooms that also hold plain values.
const KERNEL: &[&str] = &["nft::kernel", "nft::Kernel", "ruleset::apply", "ruleset::snapshot"];
/// What every caller's room may use.
const CALLER: &[&str] = &["net", "attachment", "firewall", "ipam"];
/// What the rooms that read the machine's state may use.
const READER: &[&str] =
    &["net", "attachment", "firewall", "ipam", "nft", "link", "conntrack", "ruleset"];

/// All rooms.
pub const ROOMS: &[Room] = &[
    Room { path: "net", may_use: &[], never: &[] },
    Room { path: "sys", may_use: &["net"], never: &[] },
    Room { path: "netlink", may_use: &["net", "sys"], never: &[] },
    Room { path: "nft", may_use: &["net", "sys", "netlink"], never: &[] },
    Room { path: "link", may_use: &["net", "sys", "netlink"], never: &[] },
    Room { path: "conntrack", may_use: &["net", "sys", "netlink"], never: &[] },
    Room { path: "ruleset", may_use: &["net", "nft"], never: &[] },
    Room { path: "xtables", may_use: &["net", "nft"], never: KERNEL },
    Room { path: "firewall", may_use: &["net", "nft", "ruleset", "xtables"], never: KERNEL },
    Room { path: "firewalld", may_use: &["net"], never: &[] },
    Room { path: "ipam", may_use: &["net", "sys"], never: &[] },
    Room {
        path: "attachment",
        may_use: &[
            "net",
            "sys",
            "netlink",
            "nft",
            "link",
            "conntrack",
            "ruleset",
            "firewall",
            "firewalld",
            "ipam",
        ],
        never: &[],
    },
    // What the callers' rooms share lies in `front` itself; none uses another.
    Room { path: "front", may_use: CALLER, never: &[] },
    Room { path: "front::cni", may_use: CALLER, never: &[] },
    Room { path: "front::netavark", may_use: CALLER, never: &[] },
    Room { path: "front::docker", may_use: CALLER, never: &[] },
    Room { path: "front::install", may_use: &["net"], never: &[] },
    Room {
        path: "front::iptables",
        may_use: &["net", "attachment", "firewall", "ipam", "xtables", "ruleset", "nft"],
        never: &[],
    },
    Room { path: "front::daemon", may_use: &["net", "attachment", "firewalld"], never: &[] },
    Room { path: "front::inspect", may_use: READER, never: &[] },
];

/// Only here may `unsafe` stand.
pub const UNSAFE_ROOM: &str = "sys";

/// Module names that say nothing.
pub const EMPTY_NAMES: &[&str] =
    &["utils", "util", "common", "helper", "helpers", "manager", "misc", "types"];

/// The room that a path below `crate` lies in: the longest row that it begins with.
pub fn room_of(path: &[&str]) -> Option<&'static Room> {
    ROOMS.iter().filter(|room| begins_with(path, room.path)).max_by_key(|room| room.path.len())
}

/// Why `user` must not use `path`; nothing where it may, or where the path is in no room.
pub fn objection(user: &Room, path: &[&str]) -> Option<String> {
    if let Some(part) = user.never.iter().find(|part| begins_with(path, part)) {
        return Some(format!("`{}` must never use `{part}`", user.path));
    }
    let used = room_of(path)?;
    let shared = user.path.split("::").next() == Some(used.path);
    if used.path == user.path || shared || user.may_use.contains(&used.path) {
        return None;
    }
    // A door re-exports nothing of its inner rooms: `front` itself may name them.
    if used.path.split("::").next() == Some(user.path) {
        return None;
    }
    let allowed = match user.may_use {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    Some(format!("`{}` must not use `{}` (it may use {allowed})", user.path, used.path))
}

fn begins_with(path: &[&str], room: &str) -> bool {
    let mut segments = path.iter();
    room.split("::").all(|segment| segments.next() == Some(&segment))
}
