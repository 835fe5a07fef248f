//! `-m conntrack` read from expressions, and listed.

use super::conntrack::STATUSES;
use super::conntrack_map::Listed;
use super::conntrack_state::{listed, read_states, state_names};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Ct, CtDirection, CtKey, Lookup, Register};
use crate::xtables::base_read::address;
use crate::xtables::module::Span;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, host_u32, is_ct, network_u32, only_test, test};

/// Bits of `ct status` that iptables calls states.
const TRANSLATED: u32 = 0x30;

pub(super) fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    if let Some(setting) = decided(span.exprs) {
        return Some(vec![setting]);
    }
    let mut settings: Vec<Setting> = Vec::new();
    let mut rest = span.exprs;
    while !rest.is_empty() {
        let (field, test, taken) = test(rest)?;
        let setting = one(field, &test, span.context.version)?;
        rest = rest.get(taken..)?;
        match settings.iter_mut().find(|before| before.name == setting.name) {
            None => settings.push(setting),
            // Negated states and translations are two comparisons.
            Some(before) if before.name == "ctstate" && before.negated && setting.negated => {
                before.values = vec![format!("{},{}", before.value(), setting.value())];
            }
            Some(_) => return None,
        }
    }
    (!settings.is_empty()).then_some(settings)
}

/// States and translations, with a map that decides.
fn decided(exprs: &[Expr]) -> Option<Setting> {
    let [state, Expr::Lookup(Lookup { set, dreg: Some(Register::VERDICT), .. }), rest @ ..] = exprs
    else {
        return None;
    };
    let Listed { negated, states } =
        Listed::of(set.name()).filter(|_| is_ct(state, CtKey::State))?;
    let (field, test) = only_test(rest)?;
    let Test::Masked { mask, negated: some, value } = test else { return None };
    let fits = is_ct(field, CtKey::Status) && host_u32(value) == Some(0) && some != negated;
    let translations =
        host_u32(mask).filter(|bits| fits && *bits != 0 && bits & !TRANSLATED == 0)?;
    Some(Setting::new("ctstate", state_names(states, translations)).negated(negated))
}

fn one(field: &Expr, test: &Test<'_>, version: IpVersion) -> Option<Setting> {
    let Expr::Ct(Ct::Load { key, direction, .. }) = field else { return None };
    match (key, direction) {
        (CtKey::State, None) => {
            let (negated, states) = read_states(test)?;
            Some(Setting::new("ctstate", state_names(states, 0)).negated(negated))
        }
        (CtKey::Status, None) => status(test),
        (CtKey::Protocol, _) => match test {
            Test::Equal { negated, value: [number] } => {
                Some(Setting::new("ctproto", number.to_string()).negated(*negated))
            }
            _ => None,
        },
        (CtKey::Expiration, None) => expiration(test),
        (CtKey::Direction, None) => match test {
            Test::Equal { negated: false, value: [0] } => Some(Setting::new("ctdir", "ORIGINAL")),
            Test::Equal { negated: false, value: [1] } => Some(Setting::new("ctdir", "REPLY")),
            _ => None,
        },
        (key, Some(direction)) => of_direction(*key, *direction, test, version),
        _ => None,
    }
}

fn of_direction(
    key: CtKey,
    direction: CtDirection,
    test: &Test<'_>,
    version: IpVersion,
) -> Option<Setting> {
    use CtDirection::{Original, Reply};
    use CtKey::{Dst, DstIp, DstIp6, ProtoDst, ProtoSrc, Src, SrcIp, SrcIp6};
    let name = match (direction, key) {
        (Original, Src | SrcIp | SrcIp6) => "ctorigsrc",
        (Original, Dst | DstIp | DstIp6) => "ctorigdst",
        (Reply, Src | SrcIp | SrcIp6) => "ctreplsrc",
        (Reply, Dst | DstIp | DstIp6) => "ctrepldst",
        (Original, ProtoSrc) => "ctorigsrcport",
        (Original, ProtoDst) => "ctorigdstport",
        (Reply, ProtoSrc) => "ctreplsrcport",
        (Reply, ProtoDst) => "ctrepldstport",
        _ => return None,
    };
    if matches!(key, ProtoSrc | ProtoDst) {
        let port = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
        let (negated, first, last) = match test {
            Test::Equal { negated, value } => (*negated, port(value)?, port(value)?),
            Test::Between { negated, first, last } => (*negated, port(first)?, port(last)?),
            Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => return None,
        };
        return Some(range(name, negated, u32::from(first), u32::from(last)));
    }
    let (negated, text) = address(test, version)?;
    // iptables leaves out the length of a whole address.
    let whole = format!("/{}", version.bits());
    let text = text.strip_suffix(&whole).unwrap_or(&text).to_owned();
    Some(Setting::new(name, text).negated(negated))
}

/// `--ctstatus ASSURED`, `--ctstate DNAT`.
fn status(test: &Test<'_>) -> Option<Setting> {
    let Test::Masked { mask, negated, value } = test else { return None };
    let bits = host_u32(mask).filter(|_| host_u32(value) == Some(0))?;
    if bits != 0 && bits & !TRANSLATED == 0 {
        return Some(Setting::new("ctstate", state_names(0, bits)).negated(!negated));
    }
    let known = STATUSES.iter().fold(0, |bits, (_, bit)| bits | bit);
    let names: Vec<&str> = STATUSES
        .iter()
        .filter(|(_, bit)| bits & bit != 0 || (bits == 0 && *bit == 0))
        .map(|(name, _)| *name)
        .collect();
    (bits & !known == 0).then(|| Setting::new("ctstatus", names.join(",")).negated(!negated))
}

/// Milliseconds that are whole seconds.
fn expiration(test: &Test<'_>) -> Option<Setting> {
    let Test::Between { negated, first, last } = test else { return None };
    let (first, last) = (network_u32(first)?, network_u32(last)?);
    let last = match last {
        u32::MAX => u32::MAX,
        last if last % 1000 == 999 => last / 1000,
        _ => return None,
    };
    (first % 1000 == 0).then(|| range("ctexpire", *negated, first / 1000, last))
}

fn range(name: &'static str, negated: bool, first: u32, last: u32) -> Setting {
    let text = if first == last { first.to_string() } else { format!("{first}:{last}") };
    Setting::new(name, text).negated(negated)
}

/// `ctstate NEW ! ctorigdst 10.0.0.0/8`.
pub(super) fn list(settings: &[Setting], _style: &Style) -> String {
    settings.iter().map(|setting| listed(setting.name, setting)).collect::<Vec<_>>().join(" ")
}
