//! Lists of links, for the rare cases that no name or index is known for.

use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use super::error::Error;
use super::links::Links;
use super::value::Link;

impl Links {
    /// The ports of a bridge: `ip link show master NAME`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn ports(&self, bridge: &Link) -> Result<Vec<Link>, Error> {
        let words = || format!("link show master {}", bridge.name);
        let mut links = self.list(vec![LinkAttribute::Controller(bridge.index)], words)?;
        // The kernel filters (Linux 4.20); an older one lists every link.
        links.retain(|link| link.master == Some(bridge.index));
        Ok(links)
    }

    /// The links whose alias begins with a text: `ip link show`. Lists all links of the namespace.
    ///
    /// # Errors
    /// [`Error`].
    pub fn with_alias(&self, begin: &str) -> Result<Vec<Link>, Error> {
        let mut links = self.list(vec![], || "link show".to_owned())?;
        links.retain(|link| link.alias.as_deref().is_some_and(|alias| alias.starts_with(begin)));
        Ok(links)
    }

    fn list(
        &self,
        filter: Vec<LinkAttribute>,
        words: impl Fn() -> String,
    ) -> Result<Vec<Link>, Error> {
        let mut message = LinkMessage::default();
        message.attributes = filter;
        message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        let listed = self.connection.list(&RouteNetlinkMessage::GetLink(message), words)?;
        let links = listed.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(message) => Some(Link::parse(message)),
            _ => None,
        });
        links.collect()
    }
}
