//! `-j SYNPROXY`: answers a SYN itself, and asks the server when the client has answered.

use crate::net::IpVersion;
use crate::nft::DataType;
use crate::nft::Expr;
use crate::nft::expr::{Bitwise, Lookup, Payload, PayloadBase, Synproxy};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, transport};
use crate::xtables::interval::one_of;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::{number8, number16};
use crate::xtables::setting::Setting;
use crate::xtables::words::OptionSpec;

/// `tcp flags & (fin | syn | rst | ack) == { syn, ack } synproxy mss 1460 wscale 7 timestamp
/// sack-perm`: iptables looks at these flags itself, and lets other packets go on.
pub(super) static SYNPROXY: Module = Module::new(
    "SYNPROXY",
    &[
        OptionSpec::flag(&["sack-perm"]),
        OptionSpec::flag(&["timestamp"]),
        OptionSpec::setting(&["wscale"]),
        OptionSpec::setting(&["mss"]),
        OptionSpec::refused(&["ecn"], "nft has no word for it"),
    ],
    build,
)
.after(&[6], "\"-p tcp\" in the rule")
.read_by(154, read, |settings, _| {
    let word = |setting: &Setting| match setting.values.as_slice() {
        [number, ..] => format!("{} {number} ", setting.name),
        [] => format!("{} ", setting.name),
    };
    let words: String = settings.iter().map(word).collect();
    format!("SYNPROXY {words}")
});

/// Where the flags are in the header.
const FLAGS: (u32, u32) = (13, 1);
const LOOKED_AT: u8 = 0x17;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

fn build(synproxy: &Options<'_>) -> Result<Vec<Expr>, Error> {
    if synproxy.context.version == IpVersion::V6 {
        return Err(Error::NoNativeTarget {
            name: synproxy.name.to_owned(),
            // `nft_synproxy_do_eval` calls nf_ip_checksum() for both families, seen on Linux 6.18.
            // No expression verifies the checksum before it.
            reason: "for IPv6 the kernel compares with the checksum of IPv4, and drops every packet \
                     whose checksum the network card has not verified",
        });
    }
    let mut wanted = Synproxy::default();
    for given in &synproxy.given {
        match given.spec.name() {
            "sack-perm" => wanted.flags |= Synproxy::SACK_PERM,
            "timestamp" => wanted.flags |= Synproxy::TIMESTAMP,
            "wscale" => {
                wanted.flags |= Synproxy::WSCALE;
                let scale = number8(given.value()).filter(|scale| *scale < 15);
                wanted.wscale =
                    scale.ok_or_else(|| given.bad(given.value(), "a scale, 0 to 14"))?;
            }
            _ => {
                wanted.flags |= Synproxy::MSS;
                let size = number16(given.value());
                wanted.mss =
                    size.ok_or_else(|| given.bad(given.value(), "a number of bytes, 0 to 65535"))?;
            }
        }
    }
    let mut exprs = vec![transport(FLAGS), Bitwise::and(REGISTER, vec![LOOKED_AT]).into()];
    let one = one_of(transport(FLAGS), false, DataType::TcpFlag, vec![vec![SYN], vec![ACK]]);
    exprs.extend(one.into_iter().skip(1));
    exprs.push(wanted.into());
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [
        Expr::Payload(Payload { base: PayloadBase::Transport, offset: 13, len: 1, .. }),
        Expr::Bitwise(mask),
        Expr::Lookup(Lookup { set, dreg: None, inverted: false, .. }),
        Expr::Synproxy(synproxy),
    ] = span.exprs
    else {
        return None;
    };
    if *mask != Bitwise::and(REGISTER, vec![LOOKED_AT]) || !set.is_anonymous() {
        return None;
    }
    let has = |flag: u32| synproxy.flags & flag != 0;
    let settings = [
        has(Synproxy::SACK_PERM).then(|| Setting::flag("sack-perm")),
        has(Synproxy::TIMESTAMP).then(|| Setting::flag("timestamp")),
        has(Synproxy::WSCALE).then(|| Setting::new("wscale", synproxy.wscale.to_string())),
        has(Synproxy::MSS).then(|| Setting::new("mss", synproxy.mss.to_string())),
    ];
    Some(settings.into_iter().flatten().collect())
}
