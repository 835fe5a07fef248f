//! What nft_compat wraps: a match or a target of xtables inside a rule of nf_tables.
//!
//! Only its name is read. Numbers are those of `linux/netfilter/nf_tables_compat.h`.

use super::Opaque;
use crate::netlink::Attributes;

/// `NFTA_MATCH_NAME` and `NFTA_TARGET_NAME`.
const NFTA_NAME: u16 = 1;

impl Opaque {
    /// `conntrack` of `xt match "conntrack"`, `MASQUERADE` of `xt target "MASQUERADE"`; `None` for
    /// any other expression.
    #[must_use]
    pub fn xtables_name(&self) -> Option<&str> {
        if !matches!(self.name.as_str(), "match" | "target") {
            return None;
        }
        Attributes::new(&self.data).find(NFTA_NAME)?.text().ok()
    }
}
