//! `-m pkttype`: to whom the frame was sent.

use super::conntrack_state::value_of;
use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{equal, meta};
use crate::xtables::module::{Module, Options};
use crate::xtables::words::OptionSpec;

/// `meta pkttype host`, which iptables calls unicast.
pub(super) static PKTTYPE: Module =
    Module::new("pkttype", &[OptionSpec::value(&["pkt-type"])], build);

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
