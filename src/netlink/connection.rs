//! One socket, and the ways of talking over it: ask, acknowledge, commit; [`super::dump`] is another.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;

use super::attribute::Malformed;
use super::error::{ERESTART, Error, Refusal};
use super::message::{Message, Messages, NLMSG_ERROR};
use crate::sys::{MessageBuilder, Receiver, Socket, SocketError};

/// Default `net.core.wmem_default` leaves this much for messages; more is asked for when needed.
const DEFAULT_SEND: usize = 200 * 1024;
/// Largest datagram the kernel makes for a dump is 32 KiB; events stay below it too. So large a
/// buffer is mapped by malloc(3) and not cleared: what is never used of it costs nothing.
pub(super) const DATAGRAM: usize = 256 * 1024;
/// How much the kernel may queue for us: answers to some thousand requests.
const RECEIVE_QUEUE: usize = 4 * 1024 * 1024;

/// A netfilter netlink connection of the network namespace it was opened in.
#[derive(Debug)]
pub struct Connection {
    pub(super) socket: Socket,
    seq: u32,
    pub(super) buffer: Vec<u8>,
}

/// The answer to one request of several.
#[derive(Debug)]
pub enum Answer<T> {
    /// A message, decoded.
    Found(T),
    /// The kernel refused, e.g. ENOENT.
    Refused(Refusal),
}

/// What the kernel said of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is in force.
    Committed,
    /// Nothing was changed: the generation that the batch was made for is gone.
    Stale,
    /// Nothing was changed: these messages were refused.
    Refused(Vec<Refusal>),
}

impl Connection {
    /// Opens a connection in the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn open() -> Result<Self, Error> {
        let socket = Socket::open()?;
        let _granted = socket.grow_receive_buffer(RECEIVE_QUEUE);
        Ok(Connection { socket, seq: 0, buffer: vec![0; DATAGRAM] })
    }

    /// A number for the next request, never 0 (which events carry).
    pub fn next_seq(&mut self) -> u32 {
        self.seq = self.seq.wrapping_add(1).max(1);
        self.seq
    }

    /// Sends requests that each have one answer, all at once, and returns the answers in order.
    ///
    /// `seqs` are the numbers of the messages in `requests`.
    ///
    /// # Errors
    /// [`Error`]; a refusal of a single request is an [`Answer`], not an error.
    pub fn ask<T>(
        &mut self,
        requests: &MessageBuilder,
        seqs: &[u32],
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<Answer<T>>, Error> {
        self.send(requests)?;
        let mut answers: Vec<Option<Answer<T>>> = seqs.iter().map(|_| None).collect();
        while let Some(datagram) = receive(self.socket.receiver(), &mut self.buffer)? {
            for message in Messages::new(datagram) {
                let message = message?;
                let Some(at) = seqs.iter().position(|seq| *seq == message.seq) else { continue };
                if message.kind == NLMSG_ERROR {
                    let refusal = Refusal::parse(&message)?;
                    if refusal.errno != 0 {
                        answers[at] = Some(Answer::Refused(refusal));
                    }
                } else if answers[at].is_none() {
                    answers[at] = Some(Answer::Found(decode(&message)?));
                }
            }
        }
        answers
            .into_iter()
            .zip(seqs)
            .map(|(answer, seq)| answer.ok_or(Error::NoAnswer { seq: *seq }))
            .collect()
    }

    /// Sends requests that change something and each ask for an ACK; returns what was refused.
    ///
    /// # Errors
    /// [`Error`] where no answer could be had.
    pub fn acknowledge(
        &mut self,
        requests: &MessageBuilder,
        seqs: &[u32],
    ) -> Result<Vec<Refusal>, Error> {
        self.send(requests)?;
        let mut refusals = Vec::new();
        let mut answered = 0;
        while let Some(datagram) = receive(self.socket.receiver(), &mut self.buffer)? {
            for message in Messages::new(datagram) {
                let message = message?;
                if message.kind == NLMSG_ERROR && seqs.contains(&message.seq) {
                    answered += 1;
                    let refusal = Refusal::parse(&message)?;
                    refusals.extend((refusal.errno != 0).then_some(refusal));
                }
            }
        }
        match seqs.get(answered) {
            Some(seq) => Err(Error::NoAnswer { seq: *seq }),
            None => Ok(refusals),
        }
    }

    /// Sends one batch in one `sendto` and returns the kernel's verdict.
    ///
    /// `begin` is the number of the batch-begin message, `last` that of the last object message,
    /// the only one that asks for an ACK: an ACK for each would overflow the receive queue. What
    /// else the kernel tells of the batch (`NLM_F_ECHO`) is handed to `each`; it is told once the
    /// batch is in force, so that what is malformed or lost of it is no error.
    ///
    /// # Errors
    /// [`Error`] where no verdict could be had.
    pub fn commit(
        &mut self,
        batch: &MessageBuilder,
        begin: u32,
        last: u32,
        mut each: impl FnMut(&Message<'_>),
    ) -> Result<Verdict, Error> {
        self.send(batch)?;
        let mut refusals = Vec::new();
        let mut acknowledged = false;
        let mut fault = None;
        loop {
            let datagram = match receive(self.socket.receiver(), &mut self.buffer) {
                Ok(Some(datagram)) => datagram,
                Ok(None) => break,
                // The verdict may be behind it.
                Err(error) if fault.is_none() => {
                    fault = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            for message in Messages::new(datagram) {
                let message = match message {
                    Ok(message) => message,
                    Err(malformed) => {
                        fault.get_or_insert(malformed.into());
                        break;
                    }
                };
                // Answers to earlier requests may still be queued behind an error.
                if !(begin..=last).contains(&message.seq) {
                    continue;
                }
                if message.kind != NLMSG_ERROR {
                    each(&message);
                    continue;
                }
                let refusal = Refusal::parse(&message)?;
                match refusal.errno {
                    0 => acknowledged |= refusal.seq == last,
                    _ => refusals.push(refusal),
                }
            }
        }
        if refusals.iter().any(|refusal| refusal.seq == begin && refusal.errno == ERESTART) {
            Ok(Verdict::Stale)
        } else if !refusals.is_empty() {
            Ok(Verdict::Refused(refusals))
        } else if acknowledged {
            Ok(Verdict::Committed)
        } else {
            Err(fault.unwrap_or(Error::NoAnswer { seq: last }))
        }
    }

    /// Whether as much was granted for answers as was asked for.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.socket.receive_buffer() >= RECEIVE_QUEUE
    }

    /// The number of the network namespace that it was opened in, unique until the next boot; `None`
    /// before Linux 5.14.
    #[must_use]
    pub fn netns_cookie(&self) -> Option<u64> {
        self.socket.netns_cookie()
    }

    /// Joins a multicast group of netfilter (`NFNLGRP_*`).
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn join(&self, group: u32) -> Result<(), Error> {
        Ok(self.socket.join(group)?)
    }

    /// Waits for the next datagram of events and hands each message to `each`.
    ///
    /// # Errors
    /// [`Error::Lost`] when events were lost: the caller must read everything again.
    pub fn wait_events(
        &mut self,
        mut each: impl FnMut(&Message<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Error> {
        let datagram = self.socket.receiver().wait(&mut self.buffer).map_err(lost)?;
        for message in Messages::new(datagram.unwrap_or_default()) {
            each(&message?)?;
        }
        Ok(())
    }

    /// Sends, growing the send buffer first where the default would not do.
    pub(super) fn send(&mut self, requests: &MessageBuilder) -> Result<(), Error> {
        let bytes = requests.as_bytes();
        let mut limit = DEFAULT_SEND;
        if bytes.len() > DEFAULT_SEND {
            // The kernel doubles what it is asked for, to pay for its own bookkeeping.
            limit = self.socket.grow_send_buffer(bytes.len() + 4096);
        }
        tracing::trace!(bytes = bytes.len(), "netlink request");
        let mut sent = self.socket.send(bytes);
        if let Err(SocketError::Send { cause: Errno::EMSGSIZE, .. }) = sent {
            // The default is smaller here than elsewhere.
            limit = self.socket.grow_send_buffer(bytes.len() + 4096);
            sent = self.socket.send(bytes);
        }
        match sent {
            Err(SocketError::Send { bytes, cause: Errno::EMSGSIZE }) => {
                Err(Error::TooLarge { bytes, limit })
            }
            other => Ok(other?),
        }
    }
}

pub(super) fn receive<'a>(
    receiver: Receiver<'_>,
    buffer: &'a mut [u8],
) -> Result<Option<&'a [u8]>, Error> {
    receiver.receive(buffer).map_err(lost)
}

fn lost(error: SocketError) -> Error {
    match error {
        SocketError::Receive(Errno::ENOBUFS) => Error::Lost,
        other => Error::Socket(other),
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
