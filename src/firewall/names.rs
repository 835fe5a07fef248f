//! The names of everything in our table, each in one place.

use super::class::{Place, Rank, Reach};
use crate::net::{IpVersion, Mark};
use crate::nft::{Family, Name, TableId};
use crate::ruleset::Owner;

/// `inet portcullis`: the table of the native fronts.
#[must_use]
pub fn table() -> TableId {
    TableId { family: Family::Inet, name: Name::literal("portcullis") }
}

/// Before routing, for packets from outside.
#[must_use]
pub fn prerouting() -> Name {
    Name::literal("prerouting")
}

/// For packets that this host makes.
#[must_use]
pub fn output() -> Name {
    Name::literal("output")
}

/// As packets leave.
#[must_use]
pub fn postrouting() -> Name {
    Name::literal("postrouting")
}

/// Where published ports are looked up.
#[must_use]
pub fn dnat() -> Name {
    Name::literal("CNI-HOSTPORT-DNAT")
}

/// Where marked packets are masqueraded.
#[must_use]
pub fn masq() -> Name {
    Name::literal("CNI-HOSTPORT-MASQ")
}

/// `bridge portcullis`: what concerns frames on a bridge.
#[must_use]
pub fn bridge_table() -> TableId {
    TableId { family: Family::Bridge, name: Name::literal("portcullis") }
}

/// Where packets of containers that leave their network are masqueraded; called by its hook.
#[must_use]
pub fn network_masq() -> Name {
    Name::literal("CNI-MASQ")
}

/// For packets that pass through this host.
#[must_use]
pub fn forward() -> Name {
    Name::literal("forward")
}

/// Where packets from and to containers are accepted.
#[must_use]
pub fn network_forward() -> Name {
    Name::literal("CNI-FORWARD")
}

/// Where packets from bridges that are apart from others are looked at.
#[must_use]
pub fn isolation_from() -> Name {
    Name::literal("CNI-ISOLATION-STAGE-1")
}

/// Where they end if another such bridge is where they go.
#[must_use]
pub fn isolation_to() -> Name {
    Name::literal("CNI-ISOLATION-STAGE-2")
}

/// The container addresses that packets may come from and answers go to.
#[must_use]
pub fn forwarded(version: IpVersion) -> Name {
    named(format!("forwarded{}", version.digit()))
}

/// The bridges that are apart from each other.
#[must_use]
pub fn isolated_bridges() -> Name {
    Name::literal("isolated_bridges")
}

/// The same bridges, each paired with itself.
#[must_use]
pub fn same_bridge() -> Name {
    Name::literal("same_bridge")
}

/// The bridges, paired with themselves, whose own containers are apart from each other.
#[must_use]
pub fn closed_bridges() -> Name {
    Name::literal("closed_bridges")
}

/// The container addresses that are masqueraded.
#[must_use]
pub fn masquerade(version: IpVersion) -> Name {
    named(format!("masquerade{}", version.digit()))
}

/// Container addresses, each with a network of such a prefix that they reach as themselves.
#[must_use]
pub fn unmasqueraded(version: IpVersion, prefix: u8) -> Name {
    named(format!("unmasqueraded{}_{prefix}", version.digit()))
}

/// The bridge ports whose frames must have a known source address.
#[must_use]
pub fn checked_ports() -> Name {
    Name::literal("checked_ports")
}

/// Bridge ports, each with a source address that its frames may have.
#[must_use]
pub fn port_addresses() -> Name {
    Name::literal("port_addresses")
}

/// Where packets get a mark: the default one, or the mark in the name.
#[must_use]
pub fn setmark(mark: Mark) -> Name {
    if mark == Mark::PORTMAP_DEFAULT {
        return Name::literal("CNI-HOSTPORT-SETMARK");
    }
    named(format!("CNI-HOSTPORT-SETMARK-{mark}"))
}

/// A container's conditions.
#[must_use]
pub fn conditions(owner: &Owner) -> Name {
    named(format!("CNI-CN-{}", owner.hash(21)))
}

/// What holds under a container's conditions: its marks and translations.
#[must_use]
pub fn conditional(owner: &Owner) -> Name {
    named(format!("CNI-DN-{}", owner.hash(21)))
}

/// The map of published ports.
#[must_use]
pub fn hostports(version: IpVersion, place: Place) -> Name {
    let (digit, suffix) = (version.digit(), place.rank.suffix());
    named(match place.reach {
        Reach::AnyAddress => format!("hostports{digit}{suffix}"),
        Reach::OneAddress => format!("hostip_ports{digit}{suffix}"),
    })
}

/// The verdict map of ports that are published under conditions.
#[must_use]
pub fn conditional_ports(version: IpVersion, place: Place) -> Name {
    let (digit, suffix) = (version.digit(), place.rank.suffix());
    named(match place.reach {
        Reach::AnyAddress => format!("conditional_ports{digit}{suffix}"),
        Reach::OneAddress => format!("conditional_hostip_ports{digit}{suffix}"),
    })
}

/// The maps of a version that packets to one address of the host are looked up in first.
#[must_use]
pub fn host_address_maps(version: IpVersion) -> [Name; 2] {
    let place = Place { reach: Reach::OneAddress, rank: Rank::FIRST };
    [hostports(version, place), conditional_ports(version, place)]
}

/// A name made here. They are all short and without NUL, which the tests go through; the other
/// branch cannot be reached.
fn named(name: String) -> Name {
    Name::new(name).unwrap_or_else(|_| Name::literal("portcullis"))
}
