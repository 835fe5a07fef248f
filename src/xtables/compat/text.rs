//! Addresses and masks as iptables prints them.

use std::net::{IpAddr, Ipv6Addr};

/// An address in the notation of inet_ntop(3), which writes the IPv4-compatible ones with dots.
pub(super) fn address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6_text(v6),
    }
}

fn v6_text(v6: Ipv6Addr) -> String {
    let [a, b, c, d, e, f, g, _] = v6.segments();
    match v6.to_ipv4() {
        Some(v4) if [a, b, c, d, e, f] == [0; 6] && g != 0 => format!("::{v4}"),
        _ => v6.to_string(),
    }
}

/// An address with what its mask needs: nothing, `/24`, or `/255.0.255.0`.
pub(super) fn network(base: IpAddr, mask: IpAddr) -> String {
    match prefix(mask) {
        Some(length) if length == width(mask) => address(base),
        Some(length) => format!("{}/{length}", address(base)),
        None => format!("{}/{}", address(base), address(mask)),
    }
}

/// The length of the prefix that a mask stands for.
pub(super) fn prefix(mask: IpAddr) -> Option<u32> {
    let bits = match mask {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let length = bits.leading_ones();
    (bits.checked_shl(length).unwrap_or(0) == 0).then_some(length)
}

fn width(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}
