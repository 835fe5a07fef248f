//! The general options of a rule, read from its first expressions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::base::Base;
use super::protocol;
use super::test::{Test, is_meta, network_field, test};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Meta, MetaKey};

/// `! -s 10.0.0.0/8`: which option, whether negated, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseSetting {
    /// Which.
    pub(super) base: Base,
    /// Whether `!` stands in front.
    pub(super) negated: bool,
    /// What follows; empty for `-f`.
    pub(super) value: String,
}

/// What iptables calls an interface that cannot be: the value of `! -i +`.
pub(super) const NEVER: &[u8] = b"INVAL/D\0";

/// Reads as many general options as there are at the front, each once, and says how many
/// expressions that took. They come in the order that iptables-save prints them.
pub(super) fn read_base(exprs: &[Expr], version: IpVersion) -> (Vec<BaseSetting>, usize) {
    let mut settings: Vec<BaseSetting> = Vec::new();
    let mut taken = 0;
    while let Some(rest) = exprs.get(taken..) {
        if is_any_interface(rest) {
            taken += 1;
            continue;
        }
        let Some((field, test, more)) = test(rest) else { break };
        match read_one(field, &test, version) {
            Some(setting) if settings.iter().all(|before| before.base != setting.base) => {
                settings.push(setting);
            }
            Some(_) | None => break,
        }
        taken += more;
    }
    settings.sort_by_key(|setting| setting.base.place());
    (settings, taken)
}

/// The number of the protocol that the settings ask for.
pub(super) fn protocol_of(settings: &[BaseSetting]) -> Option<u8> {
    let wanted = |setting: &&BaseSetting| setting.base == Base::Protocol && !setting.negated;
    settings.iter().find(wanted).and_then(|setting| protocol::protocol(&setting.value))
}

/// `-i +` as iptables-nft writes it: the name is loaded and not compared.
fn is_any_interface(exprs: &[Expr]) -> bool {
    let is_name =
        |field: &Expr| is_meta(field, MetaKey::Iifname) || is_meta(field, MetaKey::Oifname);
    exprs.first().is_some_and(is_name) && test(exprs).is_none()
}

fn read_one(field: &Expr, test: &Test<'_>, version: IpVersion) -> Option<BaseSetting> {
    let setting = |base, negated, value| Some(BaseSetting { base, negated, value });
    match field {
        Expr::Meta(Meta::Load { key: MetaKey::L4proto, .. }) => match test {
            Test::Equal { negated, value: [number] } => {
                setting(Base::Protocol, *negated, protocol::name(*number))
            }
            _ => None,
        },
        Expr::Meta(Meta::Load { key: MetaKey::Iifname, .. }) => interface(Base::In, test),
        Expr::Meta(Meta::Load { key: MetaKey::Oifname, .. }) => interface(Base::Out, test),
        _ => {
            let (offset, len) = network_field(field)?;
            if let (IpVersion::V4, (9, 1), Test::Equal { negated, value: [number] }) =
                (version, (offset, len), test)
            {
                return setting(Base::Protocol, *negated, protocol::name(*number));
            }
            if let (IpVersion::V4, (6, 2), Test::Masked { mask: [0x1f, 0xff], negated, value }) =
                (version, (offset, len), test)
            {
                return (value == &[0, 0]).then_some(BaseSetting {
                    base: Base::Fragment,
                    negated: !negated,
                    value: String::new(),
                });
            }
            let base = match (version, offset) {
                (IpVersion::V4, 12) | (IpVersion::V6, 8) => Base::Source,
                (IpVersion::V4, 16) | (IpVersion::V6, 24) => Base::Destination,
                _ => return None,
            };
            let (negated, value) = address(test, version)?;
            setting(base, negated, value)
        }
    }
}

/// `eth0`, `eth+`, `+`.
fn interface(base: Base, test: &Test<'_>) -> Option<BaseSetting> {
    let Test::Equal { negated, value } = test else { return None };
    if value.starts_with(NEVER) && !negated {
        return Some(BaseSetting { base, negated: true, value: "+".to_owned() });
    }
    let name = match value.iter().position(|byte| *byte == 0) {
        Some(end) => std::str::from_utf8(&value[..end]).ok()?.to_owned(),
        None if value.len() == 16 => return None,
        None => format!("{}+", std::str::from_utf8(value).ok()?),
    };
    Some(BaseSetting { base, negated: *negated, value: name })
}

/// An address or its front bytes, with a prefix or a mask: as iptables-save prints it, always with
/// the length of the prefix.
pub(super) fn address(test: &Test<'_>, version: IpVersion) -> Option<(bool, String)> {
    let whole = version.address_len();
    let (negated, front, prefix, mask) = match test {
        Test::Equal { negated, value } if value.len() <= whole && !value.is_empty() => {
            (*negated, *value, Some(value.len() * 8), *value)
        }
        Test::Masked { mask, negated, value } if mask.len() == whole && value.len() == whole => {
            (*negated, *value, super::address::prefix_len(mask), *mask)
        }
        _ => return None,
    };
    let mut bytes = [0; 16];
    bytes.get_mut(..front.len())?.copy_from_slice(front);
    let address = to_ip(&bytes[..whole])?;
    let text = match prefix {
        Some(bits) => format!("{address}/{bits}"),
        None => format!("{address}/{}", to_ip(mask)?),
    };
    Some((negated, text))
}

/// 4 or 16 bytes as an address.
pub(super) fn to_ip(bytes: &[u8]) -> Option<IpAddr> {
    match *bytes {
        [a, b, c, d] => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
        _ => <[u8; 16]>::try_from(bytes).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
    }
}
