//! `-j TTL` and `-j HL`: how many hops a packet has left.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Checksum, Immediate, PayloadBase, PayloadWrite};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, network};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

const RELATIVE: &str = "nf_tables writes numbers into a header, it does not add to what is there";

/// `ip ttl set 64`.
pub(super) static TTL: Module = Module::new(
    "TTL",
    &[
        OptionSpec::setting(&["ttl-set"]),
        OptionSpec::refused(&["ttl-dec"], RELATIVE),
        OptionSpec::refused(&["ttl-inc"], RELATIVE),
    ],
    build,
)
.only(IpVersion::V4)
.read_by(148, read, list);

/// `ip6 hoplimit set 64`.
pub(super) static HL: Module = Module::new(
    "HL",
    &[
        OptionSpec::setting(&["hl-set"]),
        OptionSpec::refused(&["hl-dec"], RELATIVE),
        OptionSpec::refused(&["hl-inc"], RELATIVE),
    ],
    build,
)
.only(IpVersion::V6)
.read_by(149, read, list);

fn build(hops: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = hops.only(match hops.context.version {
        IpVersion::V4 => "--ttl-set",
        IpVersion::V6 => "--hl-set",
    })?;
    let number = number8(given.value())
        .ok_or_else(|| given.bad(given.value(), "a number of hops, 0 to 255"))?;
    Ok(write(hops.context.version, number))
}

/// As nft does: IPv4's checksum wants an even number of bytes, IPv6 has none.
fn write(version: IpVersion, hops: u8) -> Vec<Expr> {
    let write = |offset, len, kind, of_checksum| {
        let checksum = Checksum { kind, offset: of_checksum, flags: 0 };
        PayloadWrite { sreg: REGISTER, base: PayloadBase::Network, offset, len, checksum }.into()
    };
    match version {
        IpVersion::V4 => vec![
            network((8, 2)),
            Bitwise::mask_xor(REGISTER, vec![0, 0xff], vec![hops, 0]).into(),
            write(8, 2, 1, 10),
        ],
        IpVersion::V6 => vec![Immediate::value(REGISTER, [hops]).into(), write(7, 1, 0, 0)],
    }
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (name, hops) = match span.exprs {
        [_, Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { xor, .. }, .. }), _] => {
            ("ttl-set", xor.first()?)
        }
        [Expr::Immediate(Immediate::Value { data, .. }), _] => ("hl-set", data.first()?),
        _ => return None,
    };
    let written = write(span.context.version, *hops) == span.exprs;
    written.then(|| vec![Setting::new(name, hops.to_string())])
}

/// `TTL set to 64`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| match setting.name {
        "hl-set" => format!("HL set to {}", setting.value()),
        _ => format!("TTL set to {}", setting.value()),
    };
    settings.iter().map(word).collect()
}
