//! The table of tracked flows of one network namespace.

use std::os::fd::{AsRawFd, RawFd};

use super::flow::{Flow, FlowFilter};
use crate::net::IpVersion;
use crate::netlink::{Answer, Connection, Error, MessageBuilder, NLM_F_ACK, NLM_F_DUMP};

const CTNETLINK: u16 = 1 << 8;
const GET: u16 = CTNETLINK | 1;
const DELETE: u16 = CTNETLINK | 2;
const GET_STATS: u16 = CTNETLINK | 5;
const CTA_STATS_GLOBAL_ENTRIES: u16 = 1;

/// Deletions sent together.
const AT_ONCE: usize = 128;

/// The table: `conntrack -L`, `conntrack -D`.
#[derive(Debug)]
pub struct Conntrack {
    connection: Connection,
}

impl Conntrack {
    /// Opens the table of the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn open() -> Result<Self, Error> {
        Ok(Conntrack { connection: Connection::open()? })
    }

    /// How many flows are tracked: `conntrack -C`. One request, whatever their number.
    ///
    /// # Errors
    /// [`Error`].
    pub fn count(&mut self) -> Result<u32, Error> {
        let seq = self.connection.next_seq();
        let mut request = MessageBuilder::new();
        request.message(GET_STATS, 0, seq, 0, 0);
        let answers = self.connection.ask(&request, &[seq], |message| {
            message
                .attributes()
                .need(CTA_STATS_GLOBAL_ENTRIES, "statistics without a count")?
                .be32()
        })?;
        match answers.into_iter().next() {
            Some(Answer::Found(count)) => Ok(count),
            Some(Answer::Refused(refusal)) => Err(Error::Refused(refusal)),
            None => Err(Error::NoAnswer { seq }),
        }
    }

    /// Lists the flows that a filter selects and that are `wanted`, in one pass over the table.
    /// Kernels from 5.8 on compare themselves; older ones hand out more, and the comparison is
    /// made here.
    ///
    /// # Errors
    /// [`Error`].
    pub fn list(
        &mut self,
        filter: &FlowFilter,
        wanted: impl Fn(&Flow) -> bool,
    ) -> Result<Vec<Flow>, Error> {
        let seq = self.connection.next_seq();
        let mut request = MessageBuilder::new();
        request.message(GET, NLM_F_DUMP, seq, filter.family(), 0);
        filter.encode(&mut request);
        let mut flows = Vec::new();
        // A table that changes while it is walked is the normal case; a flow that comes meanwhile
        // is translated by the new rules already.
        let _changed = self.connection.dump(&request, seq, |message| {
            let mut flow = Flow::decode(message)?;
            if filter.selects(&flow) && wanted(&flow) {
                flow.identify(message);
                flows.push(flow);
            }
            Ok(())
        })?;
        Ok(flows)
    }

    /// Forgets flows. One that is gone already is no error.
    ///
    /// # Errors
    /// [`Error`].
    pub fn delete(&mut self, flows: &[Flow]) -> Result<(), Error> {
        for some in flows.chunks(AT_ONCE) {
            let mut requests = MessageBuilder::new();
            let mut seqs = Vec::new();
            for flow in some {
                let seq = self.connection.next_seq();
                let family = IpVersion::of(flow.original.source).family_number();
                requests.message(DELETE, NLM_F_ACK, seq, family, 0);
                for (kind, value) in &flow.identity {
                    requests.put(*kind, value);
                }
                seqs.push(seq);
            }
            let refused = self.connection.acknowledge(&requests, &seqs)?;
            let gone = nix::errno::Errno::ENOENT as i32;
            if let Some(refusal) = refused.into_iter().find(|refusal| refusal.errno != gone) {
                return Err(Error::Refused(refusal));
            }
        }
        Ok(())
    }
}

impl AsRawFd for Conntrack {
    fn as_raw_fd(&self) -> RawFd {
        self.connection.as_raw_fd()
    }
}
