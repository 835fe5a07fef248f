//! A link as the kernel describes it: `ip -details link show NAME`.

use std::fmt;

use rtnetlink::packet_route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoVlan, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage, State,
};

use super::error::Error;
use crate::net::{IfName, Mac};

/// One link, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: IfName,
    /// Its hardware address; absent where it is no EUI-48.
    pub mac: Option<Mac>,
    /// The longest packet in bytes.
    pub mtu: u32,
    /// What it is.
    pub kind: Kind,
    /// The index of the bridge (or bond, …) whose port it is.
    pub master: Option<u32>,
    /// The index of the other end of a veth pair, or of the link below a VLAN.
    pub peer: Option<u32>,
    /// The namespace of that, by the number that this namespace has for it; absent where it is in
    /// this namespace.
    pub peer_netns: Option<i32>,
    /// Whether it was set up.
    pub is_up: bool,
    /// Whether it can carry packets.
    pub state: OperState,
    /// Whether it was set to take every packet.
    pub is_promiscuous: bool,
    /// Its description.
    pub alias: Option<String>,
    /// What it is as a port of a bridge.
    pub port: Option<BridgePort>,
}

/// What a link is (`IFLA_INFO_KIND`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Software bridge.
    Bridge(VlanFiltering),
    /// One end of a veth pair.
    Veth,
    /// VLAN of another link, with its id.
    Vlan(u16),
    /// Hardware, the loopback interface and others that have no kind.
    None,
    /// Any other, by the kernel's name for it.
    Other(String),
}

/// Whether a bridge looks at VLAN tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VlanFiltering {
    /// It does.
    On,
    /// It could and does not.
    Off,
    /// The kernel cannot (built without `CONFIG_BRIDGE_VLAN_FILTERING`).
    Unsupported,
}

/// Settings of a bridge's port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BridgePort {
    /// Whether packets may leave through the port that they came in by.
    pub is_hairpin: bool,
    /// Whether it can reach only those ports that are not isolated.
    pub is_isolated: bool,
}

/// Operational state (RFC 2863, `IF_OPER_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperState {
    /// Not told by the driver; the loopback interface is always so.
    Unknown,
    /// The hardware is not there.
    NotPresent,
    /// Down.
    Down,
    /// The link below, or the other end, is down.
    LowerLayerDown,
    /// Under test.
    Testing,
    /// Waits for something outside, such as 802.1X.
    Dormant,
    /// Packets can be sent.
    Up,
    /// A state that is newer than this program.
    Other(u8),
}

impl Link {
    /// Whether it is a bridge.
    #[must_use]
    pub fn is_bridge(&self) -> bool {
        matches!(self.kind, Kind::Bridge(_))
    }

    /// Reads a message of the kernel.
    pub(super) fn parse(message: LinkMessage) -> Result<Self, Error> {
        let flags = message.header.flags;
        let mut name = None;
        let mut link = Unnamed {
            is_up: flags.contains(LinkFlags::Up),
            is_promiscuous: flags.contains(LinkFlags::Promisc),
            ..Unnamed::default()
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = Some(text),
                other => link.take(other),
            }
        }
        let index = message.header.index;
        let name = name.ok_or(Error::Malformed { what: "a link without a name" })?;
        let name = IfName::new(&name)
            .map_err(|_| Error::Malformed { what: "a link with a name that none can have" })?;
        Ok(link.named(index, name))
    }
}

/// A link while its attributes are being read.
#[derive(Default)]
struct Unnamed {
    mac: Option<Mac>,
    mtu: u32,
    kind: Option<Kind>,
    master: Option<u32>,
    peer: Option<u32>,
    peer_netns: Option<i32>,
    is_up: bool,
    state: Option<OperState>,
    is_promiscuous: bool,
    alias: Option<String>,
    port: Option<BridgePort>,
}

impl Unnamed {
    fn take(&mut self, attribute: LinkAttribute) {
        match attribute {
            LinkAttribute::Address(bytes) => self.mac = bytes.try_into().ok().map(Mac::new),
            LinkAttribute::Mtu(mtu) => self.mtu = mtu,
            LinkAttribute::Controller(index) => self.master = Some(index),
            LinkAttribute::Link(index) => self.peer = Some(index),
            LinkAttribute::LinkNetNsId(id) => self.peer_netns = Some(id),
            LinkAttribute::OperState(state) => self.state = Some(OperState::from(state)),
            LinkAttribute::IfAlias(text) => self.alias = Some(text),
            LinkAttribute::LinkInfo(infos) => {
                for info in &infos {
                    self.inform(info);
                }
            }
            // Of the some sixty attributes of a link these are the ones that matter here.
            _ => {}
        }
    }

    fn inform(&mut self, info: &LinkInfo) {
        match info {
            LinkInfo::Kind(InfoKind::Bridge) => {
                self.kind = Some(Kind::Bridge(VlanFiltering::Unsupported));
            }
            LinkInfo::Kind(InfoKind::Veth) => self.kind = Some(Kind::Veth),
            LinkInfo::Kind(InfoKind::Vlan) => self.kind = Some(Kind::Vlan(0)),
            LinkInfo::Kind(other) => self.kind = Some(Kind::Other(other.to_string())),
            LinkInfo::Data(InfoData::Bridge(data)) => {
                let filtering = filtering(data);
                self.kind = Some(Kind::Bridge(filtering));
            }
            LinkInfo::Data(InfoData::Vlan(data)) => {
                let id = data.iter().find_map(|datum| match datum {
                    InfoVlan::Id(id) => Some(*id),
                    _ => None,
                });
                self.kind = Some(Kind::Vlan(id.unwrap_or(0)));
            }
            LinkInfo::PortData(InfoPortData::BridgePort(data)) => self.port = Some(port(data)),
            _ => {}
        }
    }

    fn named(self, index: u32, name: IfName) -> Link {
        // A veth whose peer is in this namespace has no IFLA_LINK_NETNSID.
        Link {
            index,
            name,
            mac: self.mac,
            mtu: self.mtu,
            kind: self.kind.unwrap_or(Kind::None),
            master: self.master,
            peer: self.peer,
            peer_netns: self.peer_netns,
            is_up: self.is_up,
            state: self.state.unwrap_or(OperState::Unknown),
            is_promiscuous: self.is_promiscuous,
            alias: self.alias,
            port: self.port,
        }
    }
}

/// A kernel without VLAN filtering says that it is off, but names no protocol for the tags.
fn filtering(data: &[InfoBridge]) -> VlanFiltering {
    let is_on = data.contains(&InfoBridge::VlanFiltering(true));
    let is_known = data.iter().any(|datum| matches!(datum, InfoBridge::VlanProtocol(_)));
    match (is_known, is_on) {
        (false, _) => VlanFiltering::Unsupported,
        (true, true) => VlanFiltering::On,
        (true, false) => VlanFiltering::Off,
    }
}

fn port(data: &[InfoBridgePort]) -> BridgePort {
    let mut port = BridgePort::default();
    for datum in data {
        match datum {
            InfoBridgePort::HairpinMode(on) => port.is_hairpin = *on,
            InfoBridgePort::Isolated(on) => port.is_isolated = *on,
            _ => {}
        }
    }
    port
}

impl From<State> for OperState {
    fn from(state: State) -> Self {
        match state {
            State::Unknown => OperState::Unknown,
            State::NotPresent => OperState::NotPresent,
            State::Down => OperState::Down,
            State::LowerLayerDown => OperState::LowerLayerDown,
            State::Testing => OperState::Testing,
            State::Dormant => OperState::Dormant,
            State::Up => OperState::Up,
            other => OperState::Other(other.into()),
        }
    }
}

impl fmt::Display for OperState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OperState::Unknown => "unknown",
            OperState::NotPresent => "not-present",
            OperState::Down => "down",
            OperState::LowerLayerDown => "lower-layer-down",
            OperState::Testing => "testing",
            OperState::Dormant => "dormant",
            OperState::Up => "up",
            OperState::Other(state) => return write!(f, "state {state}"),
        })
    }
}
