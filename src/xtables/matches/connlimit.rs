//! `-m connlimit`: how many flows an address, or a network of addresses, has.

use crate::net::{IpVersion, Subnet};
use crate::nft::expr::{Bitwise, BitwiseOp, Connlimit, Dynset, DynsetOp};
use crate::nft::{Expr, Name, Set, SetFlags};
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, data_type, prefix_len};
use crate::xtables::companion::Companion;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::{number8, number32};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::network_field;
use crate::xtables::words::OptionSpec;

/// `add @connlimit-… { ip saddr & 255.255.255.0 ct count over 3 }`, with a set for each rule, as
/// each rule of iptables counts for itself.
///
/// The set holds 65,535 addresses; of more the rule does not match any.
pub(super) static CONNLIMIT: Module = Module::new(
    "connlimit",
    &[
        OptionSpec::value(&["connlimit-upto"]),
        OptionSpec::value(&["connlimit-above"]),
        OptionSpec::setting(&["connlimit-mask"]),
        OptionSpec::flag(&["connlimit-saddr"]),
        OptionSpec::flag(&["connlimit-daddr"]),
    ],
    build,
)
.beside(|connlimit| {
    let mut set = Set::new(Name::literal(NAME), vec![data_type(connlimit.context.version)]);
    set.flags = SetFlags::EVAL;
    set.size = Some(SIZE);
    Ok(vec![Companion::Set(set)])
})
.read_by(85, read, list);

/// What the name of a rule's own set begins with; compiling the rule completes it.
const NAME: &str = "connlimit-";
/// The kernel asks for a size; this is what nft takes for one.
const SIZE: u32 = 65_535;

fn build(connlimit: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let version = connlimit.context.version;
    let given = match (connlimit.find("connlimit-upto"), connlimit.find("connlimit-above")) {
        (Some(first), Some(second)) => return Err(conflict(second, first)),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => return Err(connlimit.incomplete("--connlimit-above or --connlimit-upto")),
    };
    let bad = || given.bad(given.value(), "a number of flows");
    let count = number32(given.value()).ok_or_else(bad)?;
    let bits = match connlimit.find("connlimit-mask") {
        None => version.bits(),
        Some(mask) => number8(mask.value())
            .filter(|bits| *bits <= version.bits())
            .ok_or_else(|| mask.bad(mask.value(), "the length of a prefix"))?,
    };
    let side = match (connlimit.find("connlimit-saddr"), connlimit.find("connlimit-daddr")) {
        (Some(first), Some(second)) => return Err(conflict(second, first)),
        (None, Some(_)) => Side::Destination,
        (Some(_) | None, None) => Side::Source,
    };
    let over = (given.spec.name() == "connlimit-above") != given.negated;
    let mut exprs = address(version, side, bits);
    let exprs_of_element = vec![Connlimit { count, over }.into()];
    exprs.push(
        Dynset {
            set: Name::literal(NAME),
            op: DynsetOp::Add,
            key: REGISTER,
            data: None,
            timeout: None,
            flags: None,
            exprs: exprs_of_element,
        }
        .into(),
    );
    Ok(exprs)
}

/// `ip saddr & 255.255.255.0` in the first register.
fn address(version: IpVersion, side: Side, bits: u8) -> Vec<Expr> {
    let mut exprs = vec![Place::Packet(side).load(version, version.address_len() as u32)];
    if bits < version.bits() {
        exprs.push(Bitwise::and(REGISTER, Subnet::netmask(version, bits)).into());
    }
    exprs
}

/// Reads what [`address`] makes.
fn read_address(exprs: &[Expr], version: IpVersion) -> Option<(Side, u8)> {
    let (load, mask) = exprs.split_first()?;
    let (offset, _) = network_field(load)?;
    let side = match (version, offset) {
        (IpVersion::V4, 12) | (IpVersion::V6, 8) => Side::Source,
        (IpVersion::V4, 16) | (IpVersion::V6, 24) => Side::Destination,
        _ => return None,
    };
    let bits = match mask {
        [] => version.bits(),
        [Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, .. }, .. })] => {
            u8::try_from(prefix_len(mask)?).ok()?
        }
        _ => return None,
    };
    (address(version, side, bits) == exprs).then_some((side, bits))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (Expr::Dynset(dynset), key) = span.exprs.split_last()? else { return None };
    let [Expr::Connlimit(Connlimit { count, over })] = dynset.exprs.as_slice() else {
        return None;
    };
    if dynset.op != DynsetOp::Add || dynset.data.is_some() || dynset.timeout.is_some() {
        return None;
    }
    let (side, bits) = read_address(key, span.context.version)?;
    let name = if *over { "connlimit-above" } else { "connlimit-upto" };
    Some(vec![
        Setting::new(name, count.to_string()),
        Setting::new("connlimit-mask", bits.to_string()),
        Setting::flag(match side {
            Side::Source => "connlimit-saddr",
            Side::Destination => "connlimit-daddr",
        }),
    ])
}

/// `#conn src/32 > 3`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let side = if find(settings, "connlimit-daddr").is_some() { "dst" } else { "src" };
    let mask = find(settings, "connlimit-mask").map_or("", Setting::value);
    match (find(settings, "connlimit-above"), find(settings, "connlimit-upto")) {
        (Some(above), _) => format!("#conn {side}/{mask} > {}", above.value()),
        (None, Some(upto)) => format!("#conn {side}/{mask} <= {}", upto.value()),
        (None, None) => String::new(),
    }
}
