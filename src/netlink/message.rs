//! Messages as they are read from a datagram.

use super::attribute::{Attributes, Malformed};

/// Flag of a request: its success is answered too.
pub const NLM_F_ACK: u16 = 0x4;
/// Flags of a request for all there are (`NLM_F_ROOT` and `NLM_F_MATCH`).
pub const NLM_F_DUMP: u16 = 0x300;

pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLMSG_DONE: u16 = 3;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// One received message: header fields and everything behind the netlink header.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// `nlmsg_type`: subsystem << 8 | message, or one of netlink's own below 16.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request that it answers.
    pub seq: u32,
    /// Behind the netlink header.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The address family of the netfilter header (`nfgen_family`); 0 where there is none.
    #[must_use]
    pub fn family(&self) -> u8 {
        self.payload.first().copied().unwrap_or(0)
    }

    /// The attributes behind the netfilter header.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.payload.get(4..).unwrap_or_default())
    }
}

/// The messages of one datagram.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Walks a datagram.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        Messages { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.rest.split_first_chunk::<HEADER>()?;
        let word = |at: usize| {
            u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let length = word(0) as usize;
        let Some(payload) = self.rest.get(HEADER..length) else {
            let length = self.rest.len();
            self.rest = &[];
            return Some(Err(Malformed {
                what: "message longer than its datagram",
                kind: 0,
                length,
            }));
        };
        let message = Message {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            flags: u16::from_ne_bytes([header[6], header[7]]),
            seq: word(8),
            payload,
        };
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(message))
    }
}
