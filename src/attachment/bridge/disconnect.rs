//! Disconnecting a container: link, addresses and rules go, each whatever became of the others.

use std::collections::BTreeSet;

use super::connect::AddressManager;
use crate::attachment::error::{Error, Fault};
use crate::attachment::host::Host;
use crate::attachment::record::Netns;
use crate::attachment::unguard;
use crate::link::{Kind, Link, Links};
use crate::net::{IfName, Mac};
use crate::ruleset::Owner;

/// What a caller still knows of a container that goes.
#[derive(Debug, Clone)]
pub struct Remains {
    /// Whose all of it was.
    pub owner: Owner,
    /// Its namespace, unless that is gone.
    pub netns: Option<Netns>,
    /// The name of its interface.
    pub interface: IfName,
    /// The host's end of its pair, as the ADD reported it.
    pub port: Option<(IfName, Option<Mac>)>,
    /// Whether its network needs rules, as far as the configuration tells.
    pub has_rules: bool,
}

/// Disconnects a container. Link and rules go first, and an address is free only when nobody has it
/// any more: where the link cannot be deleted the addresses stay assigned. Nothing there is success.
///
/// Returns what failed.
pub fn disconnect<I: AddressManager>(remains: &Remains, ipam: Option<&mut I>) -> Vec<I::Error> {
    let link = delete_link(remains);
    let rules = delete_rules(remains);
    let released = match (&link, ipam) {
        (Ok(()), Some(ipam)) => ipam.release(),
        (Ok(()), None) | (Err(_), _) => Ok(()),
    };
    let own = [link, rules].into_iter().filter_map(Result::err).map(I::Error::from);
    own.chain(released.err()).collect()
}

/// Deletes links of owners whose labels begin with `prefix` and that are not `valid`.
///
/// # Errors
/// [`Error::Link`].
pub fn collect_links(prefix: &str, valid: &BTreeSet<Owner>) -> Result<(), Error> {
    let host = Links::open()?;
    for link in host.with_alias(prefix)? {
        let label = link.alias.as_deref().unwrap_or_default();
        if link.kind == Kind::Veth && !valid.contains(&Owner::from_label(label)) {
            host.delete(&link)?;
        }
    }
    Ok(())
}

/// Deletes the pair: by its end in the container, or else by the host's, which also serves where
/// the container's namespace cannot be entered.
fn delete_link(remains: &Remains) -> Result<(), Error> {
    let host = Links::open()?;
    let inside = delete_inside(&host, remains);
    if matches!(inside, Ok(true)) || delete_on_host(&host, remains)? {
        return Ok(());
    }
    inside.map(|_| ())
}

/// Deletes the end in the container, if it is there.
fn delete_inside(host: &Links, remains: &Remains) -> Result<bool, Error> {
    let netns = match &remains.netns {
        Some(netns) => netns.reopen_if_there()?,
        None => None,
    };
    let Some(netns) = netns else { return Ok(false) };
    let inside = Links::open_in(&netns)?;
    let link = inside.link(&remains.interface)?;
    match link {
        Some(link) if is_end_of(host, &link, &remains.owner)? => {
            inside.delete(&link)?;
            Ok(true)
        }
        Some(_) | None => Ok(false),
    }
}

/// Deletes the end on the host, if it is there: the one that the ADD reported, or those that bear
/// the owner's label.
fn delete_on_host(host: &Links, remains: &Remains) -> Result<bool, Error> {
    if let Some((name, mac)) = &remains.port
        && let Some(link) = host.link(name)?.filter(|link| is_port_of(link, &remains.owner, *mac))
    {
        host.delete(&link)?;
        return Ok(true);
    }
    let mut is_done = false;
    for link in host.with_alias(remains.owner.label())? {
        if link.kind == Kind::Veth && link.alias.as_deref() == Some(remains.owner.label()) {
            host.delete(&link)?;
            is_done = true;
        }
    }
    Ok(is_done)
}

/// Whether a link is the container's end of a pair, and the host's end is not marked as another
/// container's: a path may have come to lead to another namespace, in which another lives.
fn is_end_of(host: &Links, link: &Link, owner: &Owner) -> Result<bool, Error> {
    if link.kind != Kind::Veth {
        return Ok(false);
    }
    let port = match link.peer {
        Some(index) => host.link_at(index)?,
        None => None,
    };
    let port = port.filter(|port| port.kind == Kind::Veth && port.peer == Some(link.index));
    let alias = port.and_then(|port| port.alias);
    let kind = owner.parts().first().map_or(String::new(), |kind| Owner::prefix(&[kind]));
    let is_anothers = |alias: &String| alias.starts_with(&kind) && alias != owner.label();
    Ok(!alias.as_ref().is_some_and(is_anothers))
}

/// Whether a link is the port that an ADD reported and not another that has got its name: it bears
/// the owner's label; if others made it, the same hardware address.
fn is_port_of(link: &Link, owner: &Owner, mac: Option<Mac>) -> bool {
    link.kind == Kind::Veth
        && match &link.alias {
            Some(alias) => alias == owner.label(),
            None => mac.is_some() && link.mac == mac,
        }
}

fn delete_rules(remains: &Remains) -> Result<(), Error> {
    match Host::open().and_then(|mut host| unguard(&mut host, &remains.owner, None)) {
        Ok(_) => Ok(()),
        // A network without rules does not need what rules need.
        Err(error) if error.fault() == Fault::KernelLacks && !remains.has_rules => Ok(()),
        Err(error) => Err(error),
    }
}
