//! Dumps: one request, and as many datagrams of answers as it takes.
//!
//! The kernel makes the next datagram when the one before is taken, in the time of whoever takes
//! it. So of a long dump another thread takes them, and one's own works on what is there already.

use std::sync::mpsc::sync_channel;
use std::thread::{Builder, scope};

use super::attribute::Malformed;
use super::connection::{Connection, DATAGRAM, receive};
use super::error::{Error, Refusal};
use super::message::{Message, Messages, NLMSG_DONE, NLMSG_ERROR};
use crate::sys::{MessageBuilder, Receiver};

const NLM_F_DUMP_INTR: u16 = 0x10;

/// So many datagrams are worth a thread, which takes 0.1 ms to begin: some thousand rules.
const WORTH_A_THREAD: usize = 24;
/// How many datagrams of up to 32 KiB wait for one's own thread.
const AHEAD: usize = 32;

/// A dump on its way.
struct Dump<F> {
    seq: u32,
    interrupted: bool,
    each: F,
}

impl Connection {
    /// Sends one dump request and hands each message to `each`. Returns whether the kernel says
    /// that the list changed meanwhile (`NLM_F_DUMP_INTR`).
    ///
    /// # Errors
    /// [`Error::Refused`] if the kernel refuses the dump.
    pub fn dump(
        &mut self,
        request: &MessageBuilder,
        seq: u32,
        each: impl FnMut(&Message<'_>) -> Result<(), Malformed>,
    ) -> Result<bool, Error> {
        self.send(request)?;
        let mut dump = Dump { seq, interrupted: false, each };
        let receiver = self.socket.receiver();
        if dump.take_up_to(WORTH_A_THREAD, receiver, &mut self.buffer)? {
            return Ok(dump.interrupted);
        }
        dump.take_rest(receiver, &mut self.buffer)?;
        Ok(dump.interrupted)
    }
}

impl<F: FnMut(&Message<'_>) -> Result<(), Malformed>> Dump<F> {
    /// Takes so many datagrams; whether one of them was the last.
    fn take_up_to(
        &mut self,
        most: usize,
        receiver: Receiver<'_>,
        buffer: &mut [u8],
    ) -> Result<bool, Error> {
        for _ in 0..most {
            let datagram = receive(receiver, buffer)?;
            if self.take(datagram.ok_or(Error::NoAnswer { seq: self.seq })?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes all datagrams that there still are, as another thread receives them.
    fn take_rest(&mut self, receiver: Receiver<'_>, buffer: &mut [u8]) -> Result<(), Error> {
        let (full, datagrams) = sync_channel(AHEAD);
        let receive_all = move || {
            let mut buffer = vec![0; DATAGRAM];
            // Nothing is queued behind the last one.
            while let Some(datagram) = receive(receiver, &mut buffer).transpose() {
                let datagram = datagram.map(<[u8]>::to_vec);
                let is_over = datagram.is_err();
                // Nobody listens once one's own thread has failed.
                if full.send(datagram).is_err() || is_over {
                    break;
                }
            }
        };
        scope(|scope| {
            if Builder::new().spawn_scoped(scope, receive_all).is_err() {
                // No more threads may be had: one's own will do.
                return self.take_up_to(usize::MAX, receiver, buffer).map(|_| ());
            }
            for datagram in datagrams {
                if self.take(&datagram?)? {
                    return Ok(());
                }
            }
            Err(Error::NoAnswer { seq: self.seq })
        })
    }

    /// Takes the messages of a datagram; whether the last of all is among them.
    fn take(&mut self, datagram: &[u8]) -> Result<bool, Error> {
        for message in Messages::new(datagram) {
            let message = message?;
            if message.seq != self.seq {
                continue;
            }
            self.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            match message.kind {
                NLMSG_DONE => return Ok(true),
                NLMSG_ERROR => {
                    let refusal = Refusal::parse(&message)?;
                    return if refusal.errno == 0 {
                        Ok(true)
                    } else {
                        Err(Error::Refused(refusal))
                    };
                }
                _ => (self.each)(&message)?,
            }
        }
        Ok(false)
    }
}
