//! Making a veth pair, one end here and one in another namespace.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use super::error::Error;
use super::links::Links;
use super::names;
use crate::net::{IfName, Mac};
use crate::sys::NetnsFile;

/// A veth pair to be. Its near end is in the namespace of the [`Links`] that makes it: the
/// container's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVeth {
    /// The name of the near end.
    pub name: IfName,
    /// The name of the far end; drawn if absent: `veth` and eight digits in hex.
    pub peer_name: Option<IfName>,
    /// The hardware address of the near end; the kernel draws one if absent.
    pub mac: Option<Mac>,
    /// The MTU of both ends in bytes; the kernel's default if absent.
    pub mtu: Option<u32>,
}

impl Links {
    /// Makes a veth pair with its far end in another namespace, in one request, and returns the
    /// name of the far end: `ip link add NAME type veth peer name PEER netns NETNS`. The near end
    /// is down, the far end is up already.
    ///
    /// # Errors
    /// [`Error::VethExists`] if the near end's name is taken, [`Error::NoFreeName`],
    /// [`Error::Refused`].
    pub fn create_veth(&self, new: &NewVeth, far: &NetnsFile) -> Result<IfName, Error> {
        for _ in 0..names::ATTEMPTS {
            let peer = match &new.peer_name {
                Some(name) => name.clone(),
                None => names::veth_name()?,
            };
            match self.create_pair(new, &peer, far) {
                Err(error) if error.is(Errno::EEXIST) => {
                    // The kernel does not say which of the two names is taken.
                    if self.link(&new.name)?.is_some() {
                        return Err(Error::VethExists { name: new.name.clone(), peer });
                    }
                    if new.peer_name.is_some() {
                        return Err(error);
                    }
                }
                made => return made.map(|()| peer),
            }
        }
        Err(Error::NoFreeName { attempts: names::ATTEMPTS })
    }

    fn create_pair(&self, new: &NewVeth, peer: &IfName, far: &NetnsFile) -> Result<(), Error> {
        let mut other = LinkMessage::default();
        other.header.flags = LinkFlags::Up;
        other.header.change_mask = LinkFlags::Up;
        other.attributes.push(LinkAttribute::IfName(peer.as_str().to_owned()));
        other.attributes.push(LinkAttribute::NetNsFd(far.as_fd().as_raw_fd()));
        other.attributes.extend(new.mtu.map(LinkAttribute::Mtu));
        let mut message = LinkMessage::default();
        let attributes = &mut message.attributes;
        attributes.push(LinkAttribute::IfName(new.name.as_str().to_owned()));
        attributes.extend(new.mtu.map(LinkAttribute::Mtu));
        attributes.extend(new.mac.map(|mac| LinkAttribute::Address(mac.bytes().to_vec())));
        attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other))),
        ]));
        let words = || format!("link add {} type veth peer name {peer}", new.name);
        let request = RouteNetlinkMessage::NewLink(message);
        self.connection.change(request, NLM_F_CREATE | NLM_F_EXCL, words)
    }
}
