//! `fib`: asks the routing table about a packet's addresses.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_FIB_DREG: u16 = 1;
const NFTA_FIB_RESULT: u16 = 2;
const NFTA_FIB_FLAGS: u16 = 3;

kernel_numbers! {
    /// What to ask for (`NFT_FIB_RESULT_*`).
    FibResult {
        /// The outgoing interface's index.
        Oif = 1 "oif",
        /// The outgoing interface's name.
        Oifname = 2 "oifname",
        /// The type of the address: local, unicast, …
        AddrType = 3 "type",
    }
}

/// `fib daddr type`, `fib saddr . iif oif`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fib {
    /// Where to.
    pub dreg: Register,
    /// What for.
    pub result: FibResult,
    /// What to look up, and what to take into account (`NFTA_FIB_F_*`).
    pub flags: u32,
}

impl Fib {
    /// Looks up the source address.
    pub const SADDR: u32 = 1;
    /// Looks up the destination address.
    pub const DADDR: u32 = 2;
    /// With the packet's mark.
    pub const MARK: u32 = 4;
    /// On the incoming interface only.
    pub const IIF: u32 = 8;
    /// On the outgoing interface only.
    pub const OIF: u32 = 16;
    /// Only whether there is a route.
    pub const PRESENT: u32 = 32;

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let words = [
            (Fib::SADDR, "saddr"),
            (Fib::DADDR, "daddr"),
            (Fib::MARK, "mark"),
            (Fib::IIF, "iif"),
            (Fib::OIF, "oif"),
        ];
        let keys: Vec<&str> =
            words.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, word)| *word).collect();
        let data_type = match self.result {
            _ if self.flags & Fib::PRESENT != 0 => DataType::Boolean,
            FibResult::AddrType => DataType::FibAddrType,
            FibResult::Oifname => DataType::Ifname,
            FibResult::Oif | FibResult::Other(_) => DataType::IfaceIndex,
        };
        let text = format!("fib {} {}", keys.join(" . "), self.result.word());
        listing.load(self.dreg, data_type.len() as u32, Term::plain(text, data_type));
    }
}

impl Expression for Fib {
    const NAME: &'static str = "fib";
    const KNOWN: &'static [u16] = &[NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_FIB_DREG, self.dreg);
        message.put_be32(NFTA_FIB_RESULT, self.result.number());
        message.put_be32(NFTA_FIB_FLAGS, self.flags);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Fib {
            dreg: attributes.need_register(NFTA_FIB_DREG)?,
            result: FibResult::from_number(attributes.need_be32(NFTA_FIB_RESULT)?),
            flags: attributes.need_be32(NFTA_FIB_FLAGS)?,
        })
    }
}
