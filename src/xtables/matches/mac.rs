//! `-m mac`: the hardware address of the sender.

use crate::nft::Expr;
use crate::nft::expr::{MetaKey, Payload, PayloadBase};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, is_meta, tests};
use crate::xtables::words::OptionSpec;

/// `ether saddr 02:00:00:00:00:01`.
pub(super) static MAC: Module = Module::new("mac", &[OptionSpec::value(&["mac-source"])], build)
    .read_by(16, read, |settings, _| {
        let source = settings.first();
        let not = if source.is_some_and(|setting| setting.negated) { "! " } else { "" };
        format!("MAC {not}{}", source.map_or("", Setting::value))
    });

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

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let tests = tests(span.exprs)?;
    let [(kind, Test::Equal { negated: false, value }), (source, address)] = tests.as_slice()
    else {
        return None;
    };
    let Expr::Payload(Payload { base: PayloadBase::Link, offset: 6, len: 6, .. }) = source else {
        return None;
    };
    let Test::Equal { negated, value: address } = address else { return None };
    if !is_meta(kind, MetaKey::Iiftype) || *value != ETHERNET.to_ne_bytes() {
        return None;
    }
    let bytes: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(vec![Setting::new("mac-source", bytes.join(":")).negated(*negated)])
}
