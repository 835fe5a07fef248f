//! `reject`: refuses a packet and says so to its sender.

use super::{Expression, Fields, kernel_numbers};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::Family;
use crate::nft::listing::RuleListing;
use crate::nft::symbols::{ICMP_CODES, ICMPV6_CODES, named_or};

const NFTA_REJECT_TYPE: u16 = 1;
const NFTA_REJECT_ICMP_CODE: u16 = 2;

kernel_numbers! {
    /// With what (`NFT_REJECT_*`).
    RejectKind {
        /// ICMP or ICMPv6 destination unreachable, by the table's family.
        IcmpUnreachable = 0 "icmp",
        /// TCP reset.
        TcpReset = 1 "tcp reset",
        /// Destination unreachable with a code that both families have.
        IcmpxUnreachable = 2 "icmpx",
    }
}

/// `reject`, `reject with tcp reset`, `reject with icmp admin-prohibited`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// With what.
    pub kind: RejectKind,
    /// The code of the unreachable message.
    pub code: Option<u8>,
}

const ICMPX_CODES: &[(u64, &str)] =
    &[(0, "no-route"), (1, "port-unreachable"), (2, "host-unreachable"), (3, "admin-prohibited")];

impl Reject {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let code = self.code.unwrap_or(0);
        let name = |codes| named_or(code.into(), codes, |number| number.to_string());
        let by_network = self.kind != RejectKind::IcmpxUnreachable;
        // Where both families pass, the plain word would not say which one.
        let verbose = listing.is_dual_stack();
        let text = match (self.kind, listing.reject_family(by_network)) {
            (RejectKind::TcpReset, _) => {
                listing.drop_transport_of_reset();
                "reject with tcp reset".to_owned()
            }
            (RejectKind::IcmpxUnreachable, _) if code == 1 => "reject".to_owned(),
            (RejectKind::IcmpxUnreachable, _) => format!("reject with icmpx {}", name(ICMPX_CODES)),
            (RejectKind::IcmpUnreachable, Family::Ip6) if code == 4 && !verbose => {
                "reject".to_owned()
            }
            (RejectKind::IcmpUnreachable, Family::Ip6) => {
                format!("reject with icmpv6 {}", name(ICMPV6_CODES))
            }
            (RejectKind::IcmpUnreachable, _) if code == 3 && !verbose => "reject".to_owned(),
            (RejectKind::IcmpUnreachable, _) => format!("reject with icmp {}", name(ICMP_CODES)),
            (RejectKind::Other(number), _) => format!("reject with type {number}"),
        };
        listing.word(text);
    }
}

impl Expression for Reject {
    const NAME: &'static str = "reject";
    const KNOWN: &'static [u16] = &[NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_REJECT_TYPE, self.kind.number());
        if let Some(code) = self.code {
            message.put_u8(NFTA_REJECT_ICMP_CODE, code);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Reject {
            kind: RejectKind::from_number(attributes.need_be32(NFTA_REJECT_TYPE)?),
            code: attributes.find(NFTA_REJECT_ICMP_CODE).map(|code| code.u8()).transpose()?,
        })
    }
}
