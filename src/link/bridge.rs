//! Making a bridge, or finding it made.

use nix::errno::Errno;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage,
};

use super::error::Error;
use super::links::Links;
use super::value::{Kind, Link, VlanFiltering};
use crate::net::{IfName, Mac};

/// A bridge to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBridge {
    /// Its name.
    pub name: IfName,
    /// Its MTU in bytes; the kernel's default if absent.
    pub mtu: Option<u32>,
    /// Its hardware address; if absent it follows that of its ports.
    pub mac: Option<Mac>,
    /// Whether it looks at VLAN tags.
    pub has_vlan_filtering: bool,
}

/// A bridge that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensured {
    /// It was there.
    Found(Link),
    /// It was made.
    Made(Link),
}

impl Ensured {
    /// The bridge.
    #[must_use]
    pub fn into_link(self) -> Link {
        match self {
            Ensured::Found(link) | Ensured::Made(link) => link,
        }
    }
}

impl Links {
    /// The bridge of that name, made if it is not there: `ip link add NAME type bridge`. One that
    /// is there is taken as it is, its settings included; so many processes can ask for the same
    /// bridge at once. It is left down where it is new. `making` is called before it is made, for
    /// the kernel may make it and its answer be lost.
    ///
    /// # Errors
    /// [`Error::NotABridge`] if another link has the name, [`Error::KernelLacks`] where VLAN
    /// filtering is wanted and the kernel has none, [`Error::Refused`].
    pub fn ensure_bridge(&self, new: &NewBridge, making: impl FnOnce()) -> Result<Ensured, Error> {
        if let Some(link) = self.link(&new.name)? {
            return checked(link, new).map(Ensured::Found);
        }
        making();
        let is_made = match self.create_bridge(new) {
            // Somebody else was faster.
            Err(error) if error.is(Errno::EEXIST) => false,
            created => created.map(|()| true)?,
        };
        let link = checked(self.existing(&new.name)?, new)?;
        Ok(if is_made { Ensured::Made(link) } else { Ensured::Found(link) })
    }

    /// Has a bridge look at VLAN tags: `ip link set NAME type bridge vlan_filtering 1`.
    ///
    /// # Errors
    /// [`Error::KernelLacks`] if the kernel has no VLAN filtering, [`Error::Refused`].
    pub fn filter_vlans(&self, bridge: &Link) -> Result<(), Error> {
        self.set_filtering(bridge, true)
    }

    /// Has a bridge pass on frames whatever their tags: `ip link set NAME type bridge
    /// vlan_filtering 0`.
    ///
    /// # Errors
    /// As [`Links::filter_vlans`].
    pub fn ignore_vlans(&self, bridge: &Link) -> Result<(), Error> {
        self.set_filtering(bridge, false)
    }

    fn set_filtering(&self, bridge: &Link, on: bool) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = bridge.index;
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Bridge),
            LinkInfo::Data(InfoData::Bridge(vec![InfoBridge::VlanFiltering(on)])),
        ]));
        let words =
            || format!("link set {} type bridge vlan_filtering {}", bridge.name, u8::from(on));
        match self.connection.change(RouteNetlinkMessage::NewLink(message), 0, words) {
            Err(error) if error.is(Errno::EOPNOTSUPP) => Err(lacks(words())),
            other => other,
        }
    }

    /// Makes a bridge: `ip link add NAME type bridge`. It is down.
    ///
    /// # Errors
    /// [`Error::Refused`], with `EEXIST` where the name is taken, [`Error::KernelLacks`].
    pub fn create_bridge(&self, new: &NewBridge) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        let attributes = &mut message.attributes;
        attributes.push(LinkAttribute::IfName(new.name.as_str().to_owned()));
        attributes.extend(new.mtu.map(LinkAttribute::Mtu));
        attributes.extend(new.mac.map(|mac| LinkAttribute::Address(mac.bytes().to_vec())));
        let mut info = vec![LinkInfo::Kind(InfoKind::Bridge)];
        if new.has_vlan_filtering {
            let data = vec![InfoBridge::VlanFiltering(true)];
            info.push(LinkInfo::Data(InfoData::Bridge(data)));
        }
        attributes.push(LinkAttribute::LinkInfo(info));
        let request = RouteNetlinkMessage::NewLink(message);
        let made = self.connection.change(request, NLM_F_CREATE | NLM_F_EXCL, || words(new));
        match made.map_err(|error| error.or_lacks("BRIDGE")) {
            Err(error) if new.has_vlan_filtering && error.is(Errno::EOPNOTSUPP) => {
                Err(lacks(words(new)))
            }
            other => other,
        }
    }
}

/// The link, if it is a bridge that can do what is wanted.
fn checked(link: Link, new: &NewBridge) -> Result<Link, Error> {
    match link.kind {
        Kind::Bridge(VlanFiltering::Unsupported) if new.has_vlan_filtering => {
            Err(lacks(words(new)))
        }
        Kind::Bridge(VlanFiltering::On | VlanFiltering::Off | VlanFiltering::Unsupported) => {
            Ok(link)
        }
        Kind::Veth | Kind::Vlan(_) | Kind::None | Kind::Other(_) => {
            Err(Error::NotABridge { name: link.name })
        }
    }
}

fn lacks(request: String) -> Error {
    Error::KernelLacks { request, feature: "BRIDGE_VLAN_FILTERING" }
}

fn words(new: &NewBridge) -> String {
    let filtering = if new.has_vlan_filtering { " vlan_filtering 1" } else { "" };
    let mtu = new.mtu.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
    format!("link add {}{mtu} type bridge{filtering}", new.name)
}
