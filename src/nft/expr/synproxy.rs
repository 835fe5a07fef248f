//! `synproxy`: answers a SYN itself and only then lets the connection through.

use super::{Expression, Fields};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_SYNPROXY_MSS: u16 = 1;
const NFTA_SYNPROXY_WSCALE: u16 = 2;
const NFTA_SYNPROXY_FLAGS: u16 = 3;

/// `synproxy mss 1460 wscale 7 timestamp sack-perm`: what the server behind it offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Synproxy {
    /// Largest segment; used with [`Synproxy::MSS`].
    pub mss: u16,
    /// Scale of the window; used with [`Synproxy::WSCALE`].
    pub wscale: u8,
    /// `NF_SYNPROXY_OPT_*`.
    pub flags: u32,
}

impl Synproxy {
    /// It says how large segments may be.
    pub const MSS: u32 = 1;
    /// It scales its window.
    pub const WSCALE: u32 = 2;
    /// It takes selective acknowledgements.
    pub const SACK_PERM: u32 = 4;
    /// It uses timestamps.
    pub const TIMESTAMP: u32 = 8;

    /// The words behind `synproxy`, of which an object has each in a line of its own or none.
    pub(in crate::nft) fn words(&self) -> (Vec<String>, Vec<&'static str>) {
        let has = |flags: u32| self.flags & flags != 0;
        let numbers = match has(Synproxy::MSS | Synproxy::WSCALE) {
            true => vec![format!("mss {}", self.mss), format!("wscale {}", self.wscale)],
            false => vec![],
        };
        let options = [
            has(Synproxy::TIMESTAMP).then_some("timestamp"),
            has(Synproxy::SACK_PERM).then_some("sack-perm"),
        ];
        (numbers, options.into_iter().flatten().collect())
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let (numbers, options) = self.words();
        let mut words = vec!["synproxy".to_owned()];
        words.extend(numbers);
        words.extend(options.into_iter().map(str::to_owned));
        listing.word(words.join(" "));
    }

    /// Puts the attributes that expressions and objects share.
    pub(in crate::nft) fn put(&self, message: &mut MessageBuilder) {
        self.encode(message);
    }

    /// Reads the attributes that expressions and objects share.
    pub(in crate::nft) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Synproxy::decode(attributes)
    }
}

impl Expression for Synproxy {
    const NAME: &'static str = "synproxy";
    const KNOWN: &'static [u16] = &[NFTA_SYNPROXY_MSS, NFTA_SYNPROXY_WSCALE, NFTA_SYNPROXY_FLAGS];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be16(NFTA_SYNPROXY_MSS, self.mss);
        message.put_u8(NFTA_SYNPROXY_WSCALE, self.wscale);
        message.put_be32(NFTA_SYNPROXY_FLAGS, self.flags);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let mss = attributes.find(NFTA_SYNPROXY_MSS).map(|mss| mss.be16()).transpose()?;
        let wscale = attributes.find(NFTA_SYNPROXY_WSCALE).map(|it| it.u8()).transpose()?;
        Ok(Synproxy {
            mss: mss.unwrap_or(0),
            wscale: wscale.unwrap_or(0),
            flags: attributes.maybe_be32(NFTA_SYNPROXY_FLAGS)?.unwrap_or(0),
        })
    }
}
