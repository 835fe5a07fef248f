//! Changing a link: `ip link set`.

use std::fmt::Write;

use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoBridgePort, InfoPortData, InfoPortKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use super::connection::Change;
use super::error::Error;
use super::links::Links;
use super::value::Link;
use crate::net::{IfName, Mac};

/// Changes of one link that are made in one request. The kernel makes them one after the other: of
/// a request that is refused some may stand.
#[derive(Debug, Clone, Default)]
#[must_use = "a change does nothing until it is given to Links::change"]
pub struct LinkChange {
    flags: LinkFlags,
    mask: LinkFlags,
    attributes: Vec<LinkAttribute>,
    words: String,
}

/// Changes of a bridge's port: `bridge link set dev NAME`.
#[derive(Debug, Clone, Default)]
#[must_use = "a change does nothing until it is given to Links::change_port or LinkChange::port"]
pub struct PortChange {
    data: Vec<InfoBridgePort>,
    words: String,
}

impl LinkChange {
    /// No change yet.
    pub fn new() -> Self {
        LinkChange::default()
    }

    /// `up`
    pub fn up(self) -> Self {
        self.flag(LinkFlags::Up, LinkFlags::Up, "up")
    }

    /// `down`
    pub fn down(self) -> Self {
        self.flag(LinkFlags::Up, LinkFlags::empty(), "down")
    }

    /// `promisc on`
    pub fn promiscuous(self) -> Self {
        self.flag(LinkFlags::Promisc, LinkFlags::Promisc, "promisc on")
    }

    /// `promisc off`
    pub fn not_promiscuous(self) -> Self {
        self.flag(LinkFlags::Promisc, LinkFlags::empty(), "promisc off")
    }

    /// `mtu BYTES`
    pub fn mtu(self, bytes: u32) -> Self {
        self.with(LinkAttribute::Mtu(bytes), format_args!("mtu {bytes}"))
    }

    /// `address MAC`. A bridge that was given one no longer follows its ports.
    pub fn mac(self, mac: Mac) -> Self {
        let bytes = mac.bytes().to_vec();
        self.with(LinkAttribute::Address(bytes), format_args!("address {mac}"))
    }

    /// `master NAME`
    pub fn master(self, master: &Link) -> Self {
        let attribute = LinkAttribute::Controller(master.index);
        self.with(attribute, format_args!("master {}", master.name))
    }

    /// `nomaster`
    pub fn no_master(self) -> Self {
        self.with(LinkAttribute::Controller(0), format_args!("nomaster"))
    }

    /// `alias TEXT`: at most 255 bytes.
    pub fn alias(self, text: &str) -> Self {
        self.with(LinkAttribute::IfAlias(text.to_owned()), format_args!("alias {text:?}"))
    }

    /// `name NAME`. Kernels before 6.2 want the link to be down.
    pub fn name(self, name: &IfName) -> Self {
        let attribute = LinkAttribute::IfName(name.as_str().to_owned());
        self.with(attribute, format_args!("name {name}"))
    }

    /// `type bridge_slave …`: the link is a port already, see [`Links::change_port`].
    pub fn port(self, change: PortChange) -> Self {
        if change.data.is_empty() {
            return self;
        }
        let attribute = LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(change.data)),
        ]);
        self.with(attribute, format_args!("type bridge_slave{}", change.words))
    }

    pub(super) fn request(self, link: &Link) -> Change {
        let mut message = LinkMessage::default();
        message.header.index = link.index;
        message.header.flags = self.flags;
        message.header.change_mask = self.mask;
        message.attributes = self.attributes;
        let words = format!("link set {}{}", link.name, self.words);
        Change { request: RouteNetlinkMessage::NewLink(message), flags: 0, words }
    }

    fn flag(mut self, mask: LinkFlags, flags: LinkFlags, words: &str) -> Self {
        self.mask |= mask;
        self.flags = (self.flags - mask) | flags;
        self.say(format_args!("{words}"))
    }

    fn with(mut self, attribute: LinkAttribute, words: std::fmt::Arguments<'_>) -> Self {
        self.attributes.push(attribute);
        self.say(words)
    }

    fn say(mut self, words: std::fmt::Arguments<'_>) -> Self {
        // Writing to a String cannot fail.
        let _written = write!(self.words, " {words}");
        self
    }
}

impl PortChange {
    /// No change yet.
    pub fn new() -> Self {
        PortChange::default()
    }

    /// `hairpin on`: packets may leave through the port that they came in by.
    pub fn hairpin(self) -> Self {
        self.with(InfoBridgePort::HairpinMode(true), "hairpin on")
    }

    /// `hairpin off`
    pub fn no_hairpin(self) -> Self {
        self.with(InfoBridgePort::HairpinMode(false), "hairpin off")
    }

    /// `isolated on`: no packets between this port and others that are isolated.
    pub fn isolated(self) -> Self {
        self.with(InfoBridgePort::Isolated(true), "isolated on")
    }

    /// `isolated off`
    pub fn not_isolated(self) -> Self {
        self.with(InfoBridgePort::Isolated(false), "isolated off")
    }

    fn with(mut self, datum: InfoBridgePort, words: &str) -> Self {
        self.data.push(datum);
        self.words.push(' ');
        self.words.push_str(words);
        self
    }
}

impl Links {
    /// Changes a link: `ip link set NAME …`. An empty change is not sent.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn change(&self, link: &Link, change: LinkChange) -> Result<(), Error> {
        if change.attributes.is_empty() && change.mask.is_empty() {
            return Ok(());
        }
        self.connection.change_all(vec![change.request(link)])
    }

    /// Changes a link as the port of its bridge: `ip link set NAME type bridge_slave …`. It must be
    /// one already: the kernel ignores the settings of what is none when they come, even if they
    /// come together with the bridge. An empty change is not sent.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn change_port(&self, link: &Link, change: PortChange) -> Result<(), Error> {
        self.change(link, LinkChange::new().port(change))
    }
}
