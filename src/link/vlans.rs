//! VLANs of a bridge and its ports: `bridge vlan`.

use nix::errno::Errno;
use rtnetlink::packet_route::link::{
    AfSpecBridge, BridgeFlag, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute, LinkMessage,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::error::Error;
use super::links::Links;
use super::value::Link;

/// VLAN ids from the first to the last, 1 to 4094; one if they are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vlan {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// What becomes of the tags.
    pub tagging: Tagging,
}

/// What becomes of the tags of packets that enter and leave by a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagging {
    /// They enter and leave with tags.
    Tagged,
    /// They enter without a tag and leave without: `pvid untagged`. One id only.
    PvidUntagged,
}

/// Whose VLANs are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VlanOwner {
    /// A port of a bridge.
    Port,
    /// The bridge itself, as the host's own port: `self`.
    Bridge,
}

impl Links {
    /// Lets VLANs pass: `bridge vlan add dev NAME vid FIRST-LAST`. What is there already stays.
    ///
    /// # Errors
    /// [`Error::KernelLacks`] if the kernel has no VLAN filtering, [`Error::Refused`].
    pub fn add_vlan(&self, link: &Link, owner: VlanOwner, vlan: Vlan) -> Result<(), Error> {
        let request = RouteNetlinkMessage::SetLink(message(link, owner, vlan));
        let words = || words("add", link, owner, vlan);
        clearer(self.connection.change(request, 0, words), words)
    }

    /// Lets VLANs pass no more: `bridge vlan delete dev NAME vid FIRST-LAST`. What is not there is
    /// no error.
    ///
    /// # Errors
    /// As [`Links::add_vlan`].
    pub fn delete_vlan(&self, link: &Link, owner: VlanOwner, vlan: Vlan) -> Result<(), Error> {
        let request = RouteNetlinkMessage::DelLink(message(link, owner, vlan));
        let words = || words("delete", link, owner, vlan);
        match clearer(self.connection.change(request, 0, words), words) {
            Err(error) if error.is(Errno::ENOENT) => Ok(()),
            other => other,
        }
    }
}

/// Says what the kernel lacks, where that is why it refused.
fn clearer(result: Result<(), Error>, words: impl Fn() -> String) -> Result<(), Error> {
    match result {
        Err(error) if error.is(Errno::EOPNOTSUPP) => {
            Err(Error::KernelLacks { request: words(), feature: "BRIDGE_VLAN_FILTERING" })
        }
        other => other,
    }
}

fn message(link: &Link, owner: VlanOwner, vlan: Vlan) -> LinkMessage {
    let flags = match vlan.tagging {
        Tagging::Tagged => BridgeVlanInfoFlags::empty(),
        Tagging::PvidUntagged => BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged,
    };
    let mut specs = Vec::new();
    match owner {
        VlanOwner::Port => {}
        VlanOwner::Bridge => specs.push(AfSpecBridge::Flags(BridgeFlag::LowerDev)),
    }
    let one = |vid, flags| AfSpecBridge::VlanInfo(BridgeVlanInfo { flags, vid });
    if vlan.first == vlan.last {
        specs.push(one(vlan.first, flags));
    } else {
        specs.push(one(vlan.first, flags | BridgeVlanInfoFlags::RangeBegin));
        specs.push(one(vlan.last, flags | BridgeVlanInfoFlags::RangeEnd));
    }
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    message.header.index = link.index;
    message.attributes.push(LinkAttribute::AfSpecBridge(specs));
    message
}

fn words(verb: &str, link: &Link, owner: VlanOwner, vlan: Vlan) -> String {
    let ids = if vlan.first == vlan.last {
        vlan.first.to_string()
    } else {
        format!("{}-{}", vlan.first, vlan.last)
    };
    let tagging = match vlan.tagging {
        Tagging::Tagged => "",
        Tagging::PvidUntagged => " pvid untagged",
    };
    let owner = match owner {
        VlanOwner::Port => "",
        VlanOwner::Bridge => " self",
    };
    format!("bridge vlan {verb} dev {} vid {ids}{tagging}{owner}", link.name)
}
