//! `queue`: hands packets to a process that decides on them.

use super::{Expression, Fields, Register, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_QUEUE_NUM: u16 = 1;
const NFTA_QUEUE_TOTAL: u16 = 2;
const NFTA_QUEUE_FLAGS: u16 = 3;
const NFTA_QUEUE_SREG_QNUM: u16 = 4;

/// Which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueTarget {
    /// One of these, by the flow or the processor.
    Numbers {
        /// The first.
        first: u16,
        /// How many.
        total: u16,
    },
    /// The one whose number is in a register.
    Register(Register),
}

/// How to queue (`NFT_QUEUE_FLAG_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueFlags(pub u16);

impl QueueFlags {
    /// Packets pass where no process listens.
    pub const BYPASS: u16 = 1;
    /// The processor chooses the queue, instead of the flow.
    pub const FANOUT: u16 = 2;
}

/// `queue to 3`, `queue flags bypass,fanout to 0-3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Where to.
    pub target: QueueTarget,
    /// How.
    pub flags: QueueFlags,
}

impl Queue {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let target = match self.target {
            QueueTarget::Numbers { first, total } if total > 1 => {
                format!("{first}-{}", u32::from(first) + u32::from(total) - 1)
            }
            QueueTarget::Numbers { first, .. } => first.to_string(),
            QueueTarget::Register(register) => listing.term(register),
        };
        let words = [(QueueFlags::BYPASS, "bypass"), (QueueFlags::FANOUT, "fanout")];
        let words: Vec<&str> = words
            .into_iter()
            .filter(|(flag, _)| self.flags.0 & flag != 0)
            .map(|(_, word)| word)
            .collect();
        let flags = match words.as_slice() {
            [] => String::new(),
            words => format!(" flags {}", words.join(",")),
        };
        listing.word(format!("queue{flags} to {target}"));
    }
}

impl Expression for Queue {
    const NAME: &'static str = "queue";
    const KNOWN: &'static [u16] =
        &[NFTA_QUEUE_NUM, NFTA_QUEUE_TOTAL, NFTA_QUEUE_FLAGS, NFTA_QUEUE_SREG_QNUM];

    fn encode(&self, message: &mut MessageBuilder) {
        match self.target {
            QueueTarget::Numbers { first, total } => {
                message.put_be16(NFTA_QUEUE_NUM, first);
                message.put_be16(NFTA_QUEUE_TOTAL, total);
            }
            QueueTarget::Register(register) => {
                put_register(message, NFTA_QUEUE_SREG_QNUM, register);
            }
        }
        message.put_be16(NFTA_QUEUE_FLAGS, self.flags.0);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let be16 = |kind| attributes.find(kind).map(|found| found.be16()).transpose();
        let target = match attributes.maybe_register(NFTA_QUEUE_SREG_QNUM)? {
            Some(register) => QueueTarget::Register(register),
            None => QueueTarget::Numbers {
                first: attributes.need(NFTA_QUEUE_NUM, "queue without a number")?.be16()?,
                total: be16(NFTA_QUEUE_TOTAL)?.unwrap_or(1),
            },
        };
        Ok(Queue { target, flags: QueueFlags(be16(NFTA_QUEUE_FLAGS)?.unwrap_or(0)) })
    }
}
