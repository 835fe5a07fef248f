//! `-m pkttype`: to whom the frame was sent.

use super::conntrack_state::value_of;
use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{equal, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, is_meta, only_test};
use crate::xtables::words::OptionSpec;

/// `meta pkttype host`, which iptables calls unicast.
pub(super) static PKTTYPE: Module = Module::new(
    "pkttype",
    &[OptionSpec::value(&["pkt-type"])],
    build,
)
.read_by(23, read, |settings, _| {
    let kind = settings.first();
    let sign = if kind.is_some_and(|setting| setting.negated) { "!=" } else { "=" };
    format!("PKTTYPE {sign} {}", kind.map_or("", Setting::value))
});

/// `PACKET_*` of linux/if_packet.h.
const NAMES: [(&str, u32); 6] =
    [("unicast", 0), ("host", 0), ("broadcast", 1), ("bcast", 1), ("multicast", 2), ("mcast", 2)];

fn build(pkttype: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = pkttype.need("pkt-type", "--pkt-type")?;
    let number = value_of(&NAMES, given.value()).and_then(|number| u8::try_from(number).ok());
    let expected = "one of unicast, broadcast, multicast";
    let number = number.ok_or_else(|| given.bad(given.value(), expected))?;
    Ok(equal(meta(MetaKey::Pkttype), given.negated, [number]))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    let Test::Equal { negated, value: [number] } = test else { return None };
    let (name, _) = NAMES.iter().find(|(_, known)| *known == u32::from(*number))?;
    is_meta(field, MetaKey::Pkttype).then(|| vec![Setting::new("pkt-type", *name).negated(negated)])
}
