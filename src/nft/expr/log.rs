//! `log`: to the kernel log, or to a netlink group.

use super::{Expression, Fields};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_LOG_GROUP: u16 = 1;
const NFTA_LOG_PREFIX: u16 = 2;
const NFTA_LOG_SNAPLEN: u16 = 3;
const NFTA_LOG_QTHRESHOLD: u16 = 4;
const NFTA_LOG_LEVEL: u16 = 5;
const NFTA_LOG_FLAGS: u16 = 6;

/// Where to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// The kernel log.
    Kernel {
        /// Its level, 0 emerg to 7 debug, 8 audit.
        level: Option<u32>,
        /// `NF_LOG_*`: what else to log of a packet.
        flags: Option<u32>,
    },
    /// A netlink group (NFLOG).
    Group {
        /// Its number.
        group: u16,
        /// Bytes of the packet to copy.
        snaplen: Option<u32>,
        /// Packets to queue before sending.
        threshold: Option<u16>,
    },
}

/// `log prefix "P: " level notice`, `log group 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// In front of each line; at most 127 bytes.
    pub prefix: Option<String>,
    /// Where to.
    pub target: LogTarget,
}

/// syslog's names, lowest number first; `warn` is the default and not listed.
const LEVELS: [&str; 9] =
    ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];
const DEFAULT_LEVEL: u32 = 4;

impl Log {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let mut words = vec!["log".to_owned()];
        words.extend(self.prefix.as_ref().map(|prefix| format!("prefix \"{prefix}\"")));
        match &self.target {
            LogTarget::Kernel { level, flags } => {
                let level = level.unwrap_or(DEFAULT_LEVEL);
                if level != DEFAULT_LEVEL {
                    let name = usize::try_from(level).ok().and_then(|level| LEVELS.get(level));
                    words.push(format!("level {}", name.unwrap_or(&"unknown")));
                }
                words.extend(log_flags(flags.unwrap_or(0)));
            }
            LogTarget::Group { group, snaplen, threshold } => {
                words.push(format!("group {group}"));
                words.extend(snaplen.filter(|len| *len != 0).map(|len| format!("snaplen {len}")));
                words.extend(threshold.filter(|t| *t > 1).map(|t| format!("queue-threshold {t}")));
            }
        }
        listing.word(words.join(" "));
    }
}

/// `NF_LOG_*` as nft writes them: each with its own word, or `flags all`.
fn log_flags(flags: u32) -> Vec<String> {
    if flags & 0x2f == 0x2f {
        return vec!["flags all".to_owned()];
    }
    let tcp = match flags & 3 {
        0 => None,
        1 => Some("flags tcp sequence"),
        2 => Some("flags tcp options"),
        _ => Some("flags tcp sequence,options"),
    };
    let more = [(4, "flags ip options"), (8, "flags skuid"), (32, "flags ether")];
    let more = more.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word);
    tcp.into_iter().chain(more).map(str::to_owned).collect()
}

impl Expression for Log {
    const NAME: &'static str = "log";
    const KNOWN: &'static [u16] = &[
        NFTA_LOG_GROUP,
        NFTA_LOG_PREFIX,
        NFTA_LOG_SNAPLEN,
        NFTA_LOG_QTHRESHOLD,
        NFTA_LOG_LEVEL,
        NFTA_LOG_FLAGS,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        if let Some(prefix) = &self.prefix {
            message.put_str(NFTA_LOG_PREFIX, prefix);
        }
        match &self.target {
            LogTarget::Kernel { level, flags } => {
                level.iter().for_each(|level| message.put_be32(NFTA_LOG_LEVEL, *level));
                flags.iter().for_each(|flags| message.put_be32(NFTA_LOG_FLAGS, *flags));
            }
            LogTarget::Group { group, snaplen, threshold } => {
                message.put_be16(NFTA_LOG_GROUP, *group);
                snaplen.iter().for_each(|len| message.put_be32(NFTA_LOG_SNAPLEN, *len));
                threshold.iter().for_each(|t| message.put_be16(NFTA_LOG_QTHRESHOLD, *t));
            }
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let prefix = match attributes.find(NFTA_LOG_PREFIX) {
            Some(prefix) => Some(prefix.text()?.to_owned()),
            None => None,
        };
        let target = match attributes.find(NFTA_LOG_GROUP) {
            Some(group) => LogTarget::Group {
                group: group.be16()?,
                snaplen: attributes.maybe_be32(NFTA_LOG_SNAPLEN)?,
                threshold: attributes.find(NFTA_LOG_QTHRESHOLD).map(|t| t.be16()).transpose()?,
            },
            None => LogTarget::Kernel {
                level: attributes.maybe_be32(NFTA_LOG_LEVEL)?,
                flags: attributes.maybe_be32(NFTA_LOG_FLAGS)?,
            },
        };
        Ok(Log { prefix, target })
    }
}
