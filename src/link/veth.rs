//! Making a veth pair, one end here and one in a container.
//!
//! The "container" may be the host's own namespace: the gateway of a VLAN is such a pair.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage,
};

use super::error::Error;
use super::links::Links;
use super::names;
use super::value::Link;
use crate::net::{IfName, Mac};
use crate::sys::NetnsFile;

/// A veth pair to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVeth {
    /// The name of the container's end.
    pub name: IfName,
    /// The hardware address of the container's end; the kernel draws one if absent.
    pub mac: Option<Mac>,
    /// The MTU of both ends in bytes; the kernel's default if absent.
    pub mtu: Option<u32>,
    /// The name of the host's end; drawn if absent: `veth` and eight digits in hex.
    pub host_name: Option<IfName>,
    /// The bridge whose port the host's end becomes.
    pub master: Option<Link>,
}

impl Links {
    /// Makes a veth pair in one request, and returns the name of the host's end:
    /// `ip link add HOSTNAME master BRIDGE type veth peer name NAME netns NETNS`. The host's end is
    /// a port of the bridge at once; both ends are down. The host's namespace is that of the
    /// calling thread.
    ///
    /// Down, for what is changed of a link that is up is told to all who listen in the kernel: IPv6
    /// then walks through all routes, of which each port has some, and the bridge lets a new port
    /// forward until it sees that the other end is down, which concerns all of its ports.
    ///
    /// # Errors
    /// [`Error::VethExists`] if the container's name is taken, [`Error::NoFreeName`],
    /// [`Error::KernelLacks`], [`Error::Refused`]; nothing is left of the pair then.
    pub fn create_veth(&self, new: &NewVeth, container: &NetnsFile) -> Result<IfName, Error> {
        for _ in 0..names::ATTEMPTS {
            let host_name = match &new.host_name {
                Some(name) => name.clone(),
                None => names::veth_name()?,
            };
            match self.create_pair(new, &host_name, container) {
                Err(error) if error.is(Errno::EEXIST) => {
                    // The kernel does not say which of the two names is taken.
                    if self.link(&host_name)?.is_none() {
                        let (name, peer) = (new.name.clone(), host_name);
                        return Err(Error::VethExists { name, peer });
                    }
                    if new.host_name.is_some() {
                        return Err(error);
                    }
                }
                Err(error @ Error::NoAnswer { .. }) => {
                    take_back(&host_name);
                    return Err(error);
                }
                made => return made.map(|()| host_name),
            }
        }
        Err(Error::NoFreeName { attempts: names::ATTEMPTS })
    }

    fn create_pair(
        &self,
        new: &NewVeth,
        host_name: &IfName,
        container: &NetnsFile,
    ) -> Result<(), Error> {
        let mut inner = LinkMessage::default();
        inner.attributes.push(LinkAttribute::IfName(new.name.as_str().to_owned()));
        inner.attributes.push(LinkAttribute::NetNsFd(container.as_fd().as_raw_fd()));
        inner.attributes.extend(new.mtu.map(LinkAttribute::Mtu));
        inner.attributes.extend(new.mac.map(|mac| LinkAttribute::Address(mac.bytes().to_vec())));
        // The host's end is the one that the request is about: of the other the kernel takes
        // no bridge.
        let mut message = LinkMessage::default();
        let attributes = &mut message.attributes;
        attributes.push(LinkAttribute::IfName(host_name.as_str().to_owned()));
        attributes.extend(new.mtu.map(LinkAttribute::Mtu));
        attributes.extend(new.master.as_ref().map(|link| LinkAttribute::Controller(link.index)));
        attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(inner))),
        ]));
        let words = || {
            let master = new.master.as_ref().map(|link| format!(" master {}", link.name));
            let master = master.unwrap_or_default();
            format!("link add {host_name}{master} type veth peer name {}", new.name)
        };
        let request = RouteNetlinkMessage::NewLink(message);
        let made = self.connection.change(request, NLM_F_CREATE | NLM_F_EXCL, words);
        made.map_err(|error| error.or_lacks("VETH"))
    }
}

/// Deletes a pair that the kernel may have made although its answer was lost. The name was drawn
/// for it, so that no other link has it. What carried the answer is gone as well: this takes
/// another connection.
fn take_back(host_name: &IfName) {
    let deleted = Links::open().and_then(|links| match links.link(host_name)? {
        Some(link) => links.delete(&link),
        None => Ok(()),
    });
    if let Err(error) = deleted {
        tracing::error!(%error, link = %host_name, "cannot delete a link whose making failed");
    }
}
