//! Matches of a connection: `conntrack`, and `state`, which iptables writes as a kind of `conntrack`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, range};
use super::text::network;

const STATE: u32 = 1;
const PROTO: u32 = 1 << 1;
const STATUS: u32 = 1 << 6;
const EXPIRES: u32 = 1 << 7;
const DIRECTION: u32 = 1 << 12;
const STATE_ALIAS: u32 = 1 << 13;
const ALL: u32 = (1 << 14) - 1;

const ADDRESSES: [(u32, &str); 4] = [
    (1 << 2, "--ctorigsrc"),
    (1 << 3, "--ctorigdst"),
    (1 << 4, "--ctreplsrc"),
    (1 << 5, "--ctrepldst"),
];

const PORTS: [(u32, &str); 4] = [
    (1 << 8, "--ctorigsrcport"),
    (1 << 9, "--ctorigdstport"),
    (1 << 10, "--ctreplsrcport"),
    (1 << 11, "--ctrepldstport"),
];

/// In the order in which they are printed.
const STATES: &[(u32, &str)] = &[
    (1, "INVALID"),
    (1 << 3, "NEW"),
    (1 << 2, "RELATED"),
    (1 << 1, "ESTABLISHED"),
    (1 << 8, "UNTRACKED"),
    (1 << 6, "SNAT"),
    (1 << 7, "DNAT"),
];

/// The states of `xt_state`, where "untracked" has the bit that `conntrack` gives to SNAT.
const OLD_STATES: &[(u32, &str)] = &[
    (1, "INVALID"),
    (1 << 3, "NEW"),
    (1 << 2, "RELATED"),
    (1 << 1, "ESTABLISHED"),
    (1 << 6, "UNTRACKED"),
];

const STATUSES: &[(u32, &str)] =
    &[(1, "EXPECTED"), (1 << 1, "SEEN_REPLY"), (1 << 2, "ASSURED"), (1 << 3, "CONFIRMED")];

/// `struct xt_conntrack_mtinfo1`, `2` and `3`.
pub(super) fn conntrack(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut addresses = Vec::with_capacity(ADDRESSES.len());
    for (bit, option) in ADDRESSES {
        addresses.push((bit, option, network(info.inet_addr()?, info.inet_addr()?)));
    }
    let expires = info.u32_range()?;
    let protocol = info.u16()?;
    let ports = Ports::read(info)?;
    let (flags, inverted) = (u32::from(info.u16()?), u32::from(info.u16()?));
    known(flags | inverted, ALL)?;
    let (states, statuses) = match info.revision {
        1 => (info.u8()?.into(), info.u8()?.into()),
        _ => (u32::from(info.u16()?), u32::from(info.u16()?)),
    };
    let ports = ports.with_ends(info)?;

    let mut words = Words::new();
    if flags & STATE_ALIAS != 0 {
        words.alias = Some("state");
    }
    if flags & STATE != 0 {
        let option = if flags & STATE_ALIAS != 0 { "--state" } else { "--ctstate" };
        words.put(inverted & STATE != 0, option, list(states, STATES)?);
    }
    if flags & PROTO != 0 {
        words.put(inverted & PROTO != 0, "--ctproto", protocol);
    }
    for (bit, option, network) in addresses {
        if flags & bit != 0 {
            words.put(inverted & bit != 0, option, network);
        }
    }
    for ((bit, option), ports) in PORTS.into_iter().zip(ports) {
        if flags & bit != 0 {
            words.put(inverted & bit != 0, option, range(ports));
        }
    }
    if flags & STATUS != 0 {
        let names = if statuses == 0 { "NONE".to_owned() } else { list(statuses, STATUSES)? };
        words.put(inverted & STATUS != 0, "--ctstatus", names);
    }
    if flags & EXPIRES != 0 {
        words.put(inverted & EXPIRES != 0, "--ctexpire", range(expires));
    }
    if flags & DIRECTION != 0 {
        let direction = if inverted & DIRECTION != 0 { "REPLY" } else { "ORIGINAL" };
        words.put(false, "--ctdir", direction);
    }
    Ok(words)
}

/// The first of each pair of ports; revision 3 has the second ones at the end.
struct Ports([u16; 4]);

impl Ports {
    fn read(info: &mut Info<'_>) -> Result<Self, Flaw> {
        let mut ports = [0; 4];
        for port in &mut ports {
            // Revisions 1 and 2 hold the port as it is in a packet.
            *port = if info.revision < 3 { info.be16()? } else { info.u16()? };
        }
        Ok(Ports(ports))
    }

    fn with_ends(self, info: &mut Info<'_>) -> Result<[(u16, u16); 4], Flaw> {
        let mut ranges = self.0.map(|port| (port, port));
        if info.revision >= 3 {
            for range in &mut ranges {
                range.1 = info.u16()?;
            }
        }
        Ok(ranges)
    }
}

/// `struct xt_state_info`, which iptables before 1.4.21 writes.
pub(super) fn state(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    words.put(false, "--state", list(info.u32()?, OLD_STATES)?);
    Ok(words)
}
