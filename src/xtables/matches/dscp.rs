//! `-m dscp`: the class of service in the IP header (RFC 2474).

use super::conntrack_state::value_of;
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{masked, network};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, not};
use crate::xtables::test::{Test, network_field, only_test};
use crate::xtables::words::OptionSpec;

/// `ip dscp cs1`, `ip6 dscp cs1`.
pub(super) static DSCP: Module =
    Module::new("dscp", &[OptionSpec::value(&["dscp"]), OptionSpec::value(&["dscp-class"])], build)
        .read_by(21, read, |settings, _| {
            let class = settings.first();
            format!("DSCP match {}{}", class.map_or("", not), class.map_or("", Setting::value))
        });

const CLASSES: [(&str, u32); 22] = [
    ("BE", 0),
    ("CS0", 0),
    ("CS1", 8),
    ("CS2", 16),
    ("CS3", 24),
    ("CS4", 32),
    ("CS5", 40),
    ("CS6", 48),
    ("CS7", 56),
    ("AF11", 10),
    ("AF12", 12),
    ("AF13", 14),
    ("AF21", 18),
    ("AF22", 20),
    ("AF23", 22),
    ("AF31", 26),
    ("AF32", 28),
    ("AF33", 30),
    ("AF41", 34),
    ("AF42", 36),
    ("AF43", 38),
    ("EF", 46),
];

fn build(dscp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = dscp.only("--dscp or --dscp-class")?;
    let class = match given.spec.name() {
        "dscp" => number8(given.value())
            .filter(|class| *class < 64)
            .ok_or_else(|| given.bad(given.value(), "a class of service, 0 to 63"))?,
        _ => value_of(&CLASSES, given.value())
            .and_then(|class| u8::try_from(class).ok())
            .ok_or_else(|| given.bad(given.value(), "one of BE, EF, CS0 to CS7, AF11 to AF43"))?,
    };
    Ok(match dscp.context.version {
        IpVersion::V4 => masked(network((1, 1)), [0xfc], given.negated, [class << 2]),
        // Six bits that begin in the middle of the first byte.
        IpVersion::V6 => {
            let value = (u16::from(class) << 6).to_be_bytes();
            masked(network((0, 2)), [0x0f, 0xc0], given.negated, value)
        }
    })
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    let (negated, class) = match (span.context.version, network_field(field)?, test) {
        (IpVersion::V4, (1, 1), Test::Masked { mask: [0xfc], negated, value: [class] }) => {
            (negated, class >> 2)
        }
        (
            IpVersion::V6,
            (0, 2),
            Test::Masked { mask: [0x0f, 0xc0], negated, value: [high, low] },
        ) => (negated, high << 2 | low >> 6),
        _ => return None,
    };
    Some(vec![Setting::new("dscp", format!("0x{class:02x}")).negated(negated)])
}
