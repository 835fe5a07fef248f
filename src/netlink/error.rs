//! What can go wrong between a request and its answer.

use nix::errno::Errno;

use super::attribute::Malformed;
use super::message::Message;
use crate::sys::SocketError;

/// `ERESTART` of the kernel: never seen by normal system calls, so libc has no name for it as an
/// error of netlink; nf_tables answers it when the generation has moved on.
pub(crate) const ERESTART: i32 = 85;

/// A failed exchange.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket failed.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// More messages than the send buffer takes, and it cannot grow: a user namespace is bound
    /// to `net.core.wmem_max`.
    #[error(
        "a batch of {bytes} bytes does not fit the socket's send buffer of {limit} bytes, and only \
         CAP_NET_ADMIN in the initial user namespace can enlarge it: raise net.core.wmem_max to \
         {bytes} or publish fewer ports at a time"
    )]
    TooLarge {
        /// Length of the batch.
        bytes: usize,
        /// What the buffer takes.
        limit: usize,
    },
    /// The kernel answered with bytes that make no sense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The kernel refused one request.
    #[error("the kernel refused the request: {0}")]
    Refused(Refusal),
    /// The kernel sent no answer where one is due.
    #[error("the kernel sent no answer to request {seq}")]
    NoAnswer {
        /// The request's number.
        seq: u32,
    },
    /// What was being dumped changed again and again.
    #[error("the kernel's state kept changing while it was read, {attempts} times")]
    Interrupted {
        /// How often it was tried.
        attempts: u32,
    },
    /// Answers were lost for want of receive buffer; whether a batch landed is unknown.
    #[error("answers of the kernel were lost: its receive queue overflowed")]
    Lost,
}

/// One message that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The request's number.
    pub seq: u32,
    /// Why, as a positive errno.
    pub errno: i32,
    /// What else the kernel says.
    pub extended: ExtendedAck,
}

/// The extended ACK (`NLMSGERR_ATTR_*` of linux/netlink.h).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtendedAck {
    /// The kernel's own words.
    pub text: Option<String>,
    /// The offset of the offending attribute in the request's message.
    pub offset: Option<u32>,
}

impl Refusal {
    /// Reads an `NLMSG_ERROR`; errno 0 is an ACK.
    pub(super) fn parse(message: &Message<'_>) -> Result<Self, Malformed> {
        const NLM_F_CAPPED: u16 = 0x100;
        const NLM_F_ACK_TLVS: u16 = 0x200;
        let short =
            Malformed { what: "error message cut short", kind: 2, length: message.payload.len() };
        let (errno, rest) = message.payload.split_first_chunk::<4>().ok_or(short)?;
        let errno = i32::from_ne_bytes(*errno).checked_neg().ok_or(short)?;
        let mut extended = ExtendedAck::default();
        if message.flags & NLM_F_ACK_TLVS != 0 {
            let (header, _) = rest.split_first_chunk::<4>().ok_or(short)?;
            let echoed = if message.flags & NLM_F_CAPPED != 0 {
                16
            } else {
                (u32::from_ne_bytes(*header) as usize).next_multiple_of(4)
            };
            for attribute in super::Attributes::new(rest.get(echoed..).unwrap_or_default()) {
                let attribute = attribute?;
                match attribute.kind {
                    1 => extended.text = Some(attribute.text()?.to_owned()),
                    2 => {
                        extended.offset = attribute.value.try_into().ok().map(u32::from_ne_bytes);
                    }
                    _ => {}
                }
            }
        }
        Ok(Refusal { seq: message.seq, errno, extended })
    }

    /// The reason in words: errno's text, and the kernel's own where it has one.
    #[must_use]
    pub fn reason(&self) -> String {
        let errno = if self.errno == ERESTART {
            "generation has changed".to_owned()
        } else {
            Errno::from_raw(self.errno).desc().to_owned()
        };
        match &self.extended.text {
            Some(text) => format!("{errno} ({text})"),
            None => errno,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason())
    }
}
