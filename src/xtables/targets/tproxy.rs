//! `-j TPROXY`: hands a packet to a socket of this host, and drops it where there is none.

use std::net::IpAddr;

use super::mark::{set_mark, value_and_mask};
use crate::net::IpVersion;
use crate::nft::expr::{Immediate, MetaKey, Register, Tproxy, Verdict};
use crate::nft::{Expr, Family, Name, Rule};
use crate::xtables::Error;
use crate::xtables::base_read::to_ip;
use crate::xtables::companion::{Companion, CompanionChain, jumped_to};
use crate::xtables::field::{equal, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::service;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::OptionSpec;

/// `jump tproxy-tcp-15001-7f000001-00000001-ffffffff`, and in that chain
/// `meta l4proto tcp tproxy to 127.0.0.1:15001 meta mark set 0x1 accept` and `drop`.
///
/// The expression of nf_tables lets a packet that no socket takes go on to the next rule, where
/// iptables drops it; so the second rule is needed, and both a chain.
pub(super) static TPROXY: Module = Module::new(
    "TPROXY",
    &[
        OptionSpec::setting(&["on-port"]),
        OptionSpec::setting(&["on-ip"]),
        OptionSpec::setting(&["tproxy-mark"]),
    ],
    |tproxy| Ok(vec![Immediate::Verdict(Verdict::Jump(Gate::of(tproxy)?.name()?)).into()]),
)
.after(&[TCP, UDP], "\"-p tcp\" or \"-p udp\" in the rule")
.beside(|tproxy| Ok(vec![Companion::Chain(Gate::of(tproxy)?.chain()?)]))
.read_by(156, read, list);

const TCP: u8 = 6;
const UDP: u8 = 17;
/// What the name of such a chain begins with.
const PREFIX: &str = "tproxy";

/// What the chain does, all of which its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gate {
    /// TCP or UDP.
    protocol: u8,
    /// The socket's port; 0 for that of the packet.
    port: u16,
    /// The socket's address; that of the incoming link if it is the unspecified one.
    address: IpAddr,
    /// The bits of the mark that are changed with it.
    mark: u32,
    /// The bits of the mark that are cleared before.
    mask: u32,
}

impl Gate {
    fn of(tproxy: &Options<'_>) -> Result<Self, Error> {
        let protocol = tproxy.context.protocol.unwrap_or_default();
        let given = tproxy.need("on-port", "--on-port")?;
        let port = port(given.value(), protocol);
        let port = port.ok_or_else(|| given.bad(given.value(), "a port"))?;
        let version = tproxy.context.version;
        let address = match tproxy.find("on-ip") {
            None => unspecified(version),
            Some(given) => given
                .value()
                .parse()
                .ok()
                .filter(|address| IpVersion::of(*address) == version)
                .ok_or_else(|| given.bad(given.value(), "an address"))?,
        };
        let (mark, mask) = tproxy.find("tproxy-mark").map_or(Ok((0, 0)), value_and_mask)?;
        Ok(Gate { protocol, port, address, mark, mask })
    }

    /// `tproxy-tcp-15001-7f000001-00000001-ffffffff`
    fn name(self) -> Result<Name, Error> {
        let Gate { port, mark, mask, .. } = self;
        let protocol = if self.protocol == TCP { "tcp" } else { "udp" };
        let bytes = self.address_bytes().into_iter();
        let address: String = bytes.map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{PREFIX}-{protocol}-{port}-{address}-{mark:08x}-{mask:08x}");
        // At most 70 bytes, none of them 0.
        Name::new(name).map_err(|_| Error::NoNativeTarget {
            name: TPROXY.name.to_owned(),
            reason: "the name of its chain is too long",
        })
    }

    /// Reads [`Gate::name`].
    fn parse(name: &Name) -> Option<Self> {
        let mut parts = name.as_str().split('-');
        let hex = |text: &str| u32::from_str_radix(text, 16).ok();
        if parts.next()? != PREFIX {
            return None;
        }
        let protocol = match parts.next()? {
            "tcp" => TCP,
            "udp" => UDP,
            _ => return None,
        };
        let port = parts.next()?.parse().ok()?;
        let digits = parts.next()?.as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let address = to_ip(&digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?)?;
        let (mark, mask) = (hex(parts.next()?)?, hex(parts.next()?)?);
        let gate = Gate { protocol, port, address, mark, mask };
        // Nothing behind it, and no other way to write it.
        gate.name().ok().filter(|written| written == name).map(|_| gate)
    }

    fn address_bytes(self) -> Vec<u8> {
        match self.address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        }
    }

    fn chain(self) -> Result<CompanionChain, Error> {
        let version = IpVersion::of(self.address);
        let mut exprs = equal(meta(MetaKey::L4proto), false, [self.protocol]);
        let (mut address, port) = (None, Register::word(4));
        if !self.address.is_unspecified() {
            exprs.push(Immediate::value(Register::R1, self.address_bytes()).into());
            address = Some(Register::R1);
        }
        exprs.push(Immediate::value(port, self.port.to_be_bytes()).into());
        let family = Family::of(version);
        exprs.push(Tproxy { family, address, port: Some(port) }.into());
        if (self.mark, self.mask) != (0, 0) {
            exprs.extend(set_mark(self.mask, self.mark));
        }
        exprs.push(Immediate::Verdict(Verdict::Accept).into());
        let drop = Rule::new(vec![Immediate::Verdict(Verdict::Drop).into()]);
        let (name, rules) = (self.name()?, vec![Rule::new(exprs), drop]);
        Ok(CompanionChain { name, rules })
    }
}

/// Whether a chain has such a name.
pub(in crate::xtables) fn is_gate(name: &Name) -> bool {
    Gate::parse(name).is_some()
}

/// Unlike ports elsewhere, iptables reads this one as a decimal number only.
fn port(text: &str, protocol: u8) -> Option<u16> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
    number.flatten().or_else(|| service::port(text, Some(protocol)))
}

fn unspecified(version: IpVersion) -> IpAddr {
    match version {
        IpVersion::V4 => IpAddr::from([0; 4]),
        IpVersion::V6 => IpAddr::from([0; 16]),
    }
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Immediate(Immediate::Verdict(verdict))] = span.exprs else { return None };
    let Gate { protocol, port, address, mark, mask } = Gate::parse(jumped_to(verdict)?)?;
    if IpVersion::of(address) != span.context.version || span.context.protocol != Some(protocol) {
        return None;
    }
    Some(vec![
        Setting::new("on-port", port.to_string()),
        Setting::new("on-ip", address.to_string()),
        Setting::new("tproxy-mark", format!("{mark:#x}/{mask:#x}")),
    ])
}

/// `TPROXY redirect 127.0.0.1:15001 mark 0x1/0xffffffff`
fn list(settings: &[Setting], _style: &Style) -> String {
    let value = |name| find(settings, name).map_or("", Setting::value);
    let (address, port, mark) = (value("on-ip"), value("on-port"), value("tproxy-mark"));
    format!("TPROXY redirect {address}:{port} mark {mark}")
}
