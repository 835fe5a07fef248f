//! One rtnetlink socket and its runtime: a request in, its answers out.
//!
//! The socket asks for strict checks (`NETLINK_GET_STRICT_CHK`, Linux 4.20): a list of addresses
//! or routes is then filtered by the kernel, not by us. And for extended ACKs, so that a refusal
//! says why.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use rtnetlink::packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::AsyncSocket;
use tokio::runtime::Runtime;

use super::error::Error;
use crate::netlink::{Attributes, ExtendedAck, Refusal};

/// The kernel answers while it takes the request; longer than this and it never will.
const PATIENCE: Duration = Duration::from_secs(10);
/// `NLM_F_DUMP_INTR`: what was dumped changed meanwhile.
const NLM_F_DUMP_INTR: u16 = 0x10;
/// How often a list is read again that changed while it was read.
const ATTEMPTS: u32 = 8;

/// An open connection.
pub(super) struct Connection {
    runtime: Runtime,
    handle: rtnetlink::Handle,
}

impl Connection {
    /// Opens one in the calling thread's network namespace.
    pub(super) fn open() -> io::Result<Self> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build()?;
        let handle = {
            let _context = runtime.enter();
            let (mut connection, handle, _) = rtnetlink::new_connection()?;
            // Else an answer that ends would look like a connection that ended without one.
            connection.set_forward_ack(true);
            connection.set_forward_done(true);
            let socket = connection.socket_mut().socket_mut();
            socket.set_ext_ack(true)?;
            socket.set_cap_ack(true)?;
            socket.set_netlink_get_strict_chk(true)?;
            runtime.spawn(connection);
            handle
        };
        Ok(Connection { runtime, handle })
    }

    /// Sends a change and waits until the kernel has made it.
    pub(super) fn change(
        &self,
        request: RouteNetlinkMessage,
        flags: u16,
        words: impl Fn() -> String,
    ) -> Result<(), Error> {
        let answers = self.exchange(request, NLM_F_ACK | flags, &words)?;
        match answers.refusal {
            Some(refusal) => Err(Error::refused(words(), refusal)),
            None if answers.is_complete => Ok(()),
            None => Err(Error::NoAnswer { request: words() }),
        }
    }

    /// Sends changes one right after the other and waits until the kernel has made them all. Gives
    /// the first refusal; what comes after that is tried all the same.
    pub(super) fn change_all(&self, changes: Vec<Change>) -> Result<(), Error> {
        let mut sent = Vec::new();
        for change in changes {
            let stream = self.send(change.request, NLM_F_ACK | change.flags);
            sent.push((stream, change.words));
        }
        let mut first = Ok(());
        for (stream, words) in sent {
            tracing::trace!(request = %words, "rtnetlink");
            let made = match stream.and_then(|stream| self.answers(stream)) {
                Some(Answers { refusal: Some(refusal), .. }) => Err(Error::refused(words, refusal)),
                Some(Answers { is_complete: true, .. }) => Ok(()),
                Some(_) | None => Err(Error::NoAnswer { request: words }),
            };
            first = first.and(made);
        }
        first
    }

    /// Asks for one object; the refusal where there is none.
    pub(super) fn ask(
        &self,
        request: RouteNetlinkMessage,
        words: impl Fn() -> String,
    ) -> Result<Result<RouteNetlinkMessage, Refusal>, Error> {
        let answers = self.exchange(request, 0, &words)?;
        match (answers.refusal, answers.messages.into_iter().next()) {
            (Some(refusal), _) => Ok(Err(refusal)),
            (None, Some(message)) => Ok(Ok(message)),
            (None, None) => Err(Error::NoAnswer { request: words() }),
        }
    }

    /// Reads a list, whole and as it was at one moment.
    pub(super) fn list(
        &self,
        request: &RouteNetlinkMessage,
        words: impl Fn() -> String,
    ) -> Result<Vec<RouteNetlinkMessage>, Error> {
        for attempt in 0..ATTEMPTS {
            let answers = self.exchange(request.clone(), NLM_F_DUMP, &words)?;
            if let Some(refusal) = answers.refusal {
                return Err(Error::refused(words(), refusal));
            }
            if !answers.is_complete {
                return Err(Error::NoAnswer { request: words() });
            }
            if !answers.is_interrupted {
                return Ok(answers.messages);
            }
            std::thread::sleep(Duration::from_millis(1 << attempt));
        }
        Err(Error::Unsteady { list: words(), attempts: ATTEMPTS })
    }

    fn exchange(
        &self,
        request: RouteNetlinkMessage,
        flags: u16,
        words: &impl Fn() -> String,
    ) -> Result<Answers, Error> {
        let stream = self.send(request, flags);
        let answers = stream.and_then(|stream| self.answers(stream));
        let answers = answers.ok_or_else(|| Error::NoAnswer { request: words() })?;
        tracing::trace!(request = %words(), refused = answers.refusal.is_some(), "rtnetlink");
        Ok(answers)
    }

    /// Hands a request to the connection, which sends it when answers are next awaited. Nothing
    /// where the connection has ended.
    fn send(&self, request: RouteNetlinkMessage, flags: u16) -> Option<Stream> {
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | flags;
        self.handle.clone().request(message).ok().map(|stream| stream.boxed_local())
    }

    /// All answers to a request; nothing where they do not come.
    fn answers(&self, stream: Stream) -> Option<Answers> {
        let all = async { tokio::time::timeout(PATIENCE, stream.collect::<Vec<_>>()).await };
        self.runtime.block_on(all).ok().map(Answers::sort)
    }
}

/// The answers to one request, as they come.
type Stream = LocalBoxStream<'static, NetlinkMessage<RouteNetlinkMessage>>;

/// A change that is yet to be asked for.
pub(super) struct Change {
    pub(super) request: RouteNetlinkMessage,
    pub(super) flags: u16,
    /// The request in ip(8)'s words.
    pub(super) words: String,
}

/// What came back for one request.
#[derive(Default)]
struct Answers {
    messages: Vec<RouteNetlinkMessage>,
    refusal: Option<Refusal>,
    is_interrupted: bool,
    /// The kernel said that this is all: an ACK, or the end of a list.
    is_complete: bool,
}

impl Answers {
    fn sort(received: Vec<NetlinkMessage<RouteNetlinkMessage>>) -> Self {
        let mut answers = Answers::default();
        for message in received {
            answers.is_interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::InnerMessage(inner) => answers.messages.push(inner),
                NetlinkPayload::Error(error) => {
                    answers.refusal = refusal(&error);
                    answers.is_complete = true;
                }
                NetlinkPayload::Done(done) => {
                    answers.refusal = refusal_of_list(done.code);
                    answers.is_complete = true;
                }
                // NLMSG_NOOP, and NLMSG_OVERRUN, after which something is missing.
                _ => {}
            }
        }
        answers
    }
}

/// Why a list ended before its end: `NLMSG_DONE` carries it as a negative number.
fn refusal_of_list(code: i32) -> Option<Refusal> {
    let errno = code.checked_neg().filter(|errno| *errno > 0)?;
    Some(Refusal { seq: 0, errno, extended: ExtendedAck::default() })
}

/// Reads an `NLMSG_ERROR`; nothing for an ACK. The request is not echoed (`NETLINK_CAP_ACK`) but
/// for its header.
fn refusal(error: &ErrorMessage) -> Option<Refusal> {
    const HEADER: usize = 16;
    let errno = error.code?.get().wrapping_neg();
    let mut extended = ExtendedAck::default();
    for attribute in Attributes::new(error.header.get(HEADER..).unwrap_or_default()).flatten() {
        match attribute.kind {
            1 => extended.text = attribute.text().ok().map(str::to_owned),
            2 => extended.offset = attribute.value.try_into().ok().map(u32::from_ne_bytes),
            _ => {}
        }
    }
    Some(Refusal { seq: 0, errno, extended })
}

#[cfg(test)]
mod tests;
