//! A namespace's links: looking them up and deleting them.

use nix::errno::Errno;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use super::connection::Connection;
use super::error::Error;
use super::value::Link;
use crate::net::IfName;
use crate::sys::{NetnsFile, in_netns};

/// A connection to the links of one network namespace.
///
/// It belongs to the namespace in which it was opened, wherever the thread that uses it is.
pub struct Links {
    pub(super) connection: Connection,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

impl Links {
    /// Opens the links of the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn open() -> Result<Self, Error> {
        Ok(Links { connection: Connection::open().map_err(Error::Open)? })
    }

    /// Opens the links of another network namespace. The calling thread is there only while the
    /// socket is made.
    ///
    /// # Errors
    /// [`Error::Enter`] where it cannot be entered, [`Error::Open`].
    pub fn open_in(netns: &NetnsFile) -> Result<Self, Error> {
        in_netns(netns, Links::open).map_err(Error::Enter)?
    }

    /// The link of a name: `ip link show NAME`. `None` if there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn link(&self, name: &IfName) -> Result<Option<Link>, Error> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.as_str().to_owned()));
        self.look_up(message, || format!("link show {name}"))
    }

    /// The link of an index. `None` if there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn link_at(&self, index: u32) -> Result<Option<Link>, Error> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        self.look_up(message, || format!("link show index {index}"))
    }

    /// As [`Links::link`], where it must be there.
    ///
    /// # Errors
    /// [`Error::NoSuchLink`] if it is not.
    pub fn existing(&self, name: &IfName) -> Result<Link, Error> {
        self.link(name)?.ok_or_else(|| Error::NoSuchLink { name: name.clone() })
    }

    /// Deletes a link, of a veth pair both ends: `ip link delete NAME`. That it is gone already is
    /// success: whoever deletes one end of a pair deletes the other.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn delete(&self, link: &Link) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = link.index;
        let request = RouteNetlinkMessage::DelLink(message);
        let deleted = self.connection.change(request, 0, || format!("link delete {}", link.name));
        match deleted {
            Err(error) if error.is(Errno::ENODEV) => Ok(()),
            other => other,
        }
    }

    fn look_up(
        &self,
        mut message: LinkMessage,
        words: impl Fn() -> String,
    ) -> Result<Option<Link>, Error> {
        // Counters are a third of the answer and not wanted.
        message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        match self.connection.ask(RouteNetlinkMessage::GetLink(message), &words)? {
            Ok(RouteNetlinkMessage::NewLink(message)) => Link::parse(message).map(Some),
            Ok(_) => Err(Error::Malformed { what: "an answer that is no link" }),
            Err(refusal) if refusal.errno == Errno::ENODEV as i32 => Ok(None),
            Err(refusal) => Err(Error::refused(words(), refusal)),
        }
    }
}
