//! `-m mac`: the hardware address of the sender.

use crate::nft::Expr;
use crate::nft::expr::{MetaKey, Payload, PayloadBase};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal, meta};
use crate::xtables::module::{Module, Options};
use crate::xtables::words::OptionSpec;

/// `ether saddr 02:00:00:00:00:01`.
pub(super) static MAC: Module = Module::new("mac", &[OptionSpec::value(&["mac-source"])], build);

/// `ARPHRD_ETHER`: other interfaces never match, nor with the negation.
const ETHERNET: u16 = 1;

fn build(mac: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = mac.need("mac-source", "--mac-source")?;
    let expected = "a hardware address: expected six bytes as 02:00:00:00:00:01";
    let address = address(given.value()).ok_or_else(|| given.bad(given.value(), expected))?;
    let source = Payload { dreg: REGISTER, base: PayloadBase::Link, offset: 6, len: 6 };
    let mut exprs = equal(meta(MetaKey::Iiftype), false, ETHERNET.to_ne_bytes());
    exprs.extend(equal(source.into(), given.negated, address));
    Ok(exprs)
}

fn address(text: &str) -> Option<Vec<u8>> {
    let byte = |part: &str| {
        let hex = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u8::from_str_radix(part, 16).ok()).flatten()
    };
    let bytes: Vec<u8> = text.split(':').map(byte).collect::<Option<_>>()?;
    (bytes.len() == 6).then_some(bytes)
}
