//! Fragments behind the first, which have no header of a transport.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::field::{masked, network};
use crate::xtables::test::{Test, network_field};

/// Flags and offset of a fragment in the header of IPv4, and the bits of the offset.
const FRAGMENT: (u32, u32) = (6, 2);
const OFFSET: [u8; 2] = [0x1f, 0xff];

/// `ip frag-off & 8191 == 0`: not a fragment behind the first, in which nf_tables would read other
/// bytes as a header. For IPv6 nf_tables has no such comparison that is true without fragments.
pub(super) fn no_later_fragment(version: IpVersion) -> Vec<Expr> {
    match version {
        IpVersion::V4 => masked(network(FRAGMENT), OFFSET, false, [0, 0]),
        IpVersion::V6 => Vec::new(),
    }
}

/// Whether a comparison is that.
pub(super) fn is_no_later_fragment(field: &Expr, test: &Test<'_>) -> bool {
    let wanted = Test::Masked { mask: &OFFSET, negated: false, value: &[0, 0] };
    network_field(field) == Some(FRAGMENT) && *test == wanted
}
