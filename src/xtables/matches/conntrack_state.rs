//! `-m state`, and the `--ctstate` of `-m conntrack`.

use super::conntrack_map::Listed;
use crate::nft::Expr;
use crate::nft::expr::CtKey;
use crate::xtables::Error;
use crate::xtables::field::{any_bit, ct};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, host_u32, is_ct, only_test};
use crate::xtables::words::{Given, OptionSpec};

/// `ct state new,related`.
pub(super) static STATE: Module = Module::new("state", &[OptionSpec::value(&["state"])], build)
    .read_by(12, read, |settings, _| {
        settings.iter().map(|setting| listed("state", setting)).collect()
    });

/// Bits of `ct state` (`NF_CT_STATE_*_BIT`), in the order of iptables-save.
pub(super) const STATES: [(&str, u32); 5] =
    [("INVALID", 1), ("NEW", 8), ("RELATED", 4), ("ESTABLISHED", 2), ("UNTRACKED", 64)];
/// Bits of `ct status` (`IPS_*_NAT`), which iptables calls states.
const TRANSLATIONS: [(&str, u32); 2] = [("SNAT", 16), ("DNAT", 32)];

/// The states of packets without a flow: INVALID and UNTRACKED.
const WITHOUT_FLOW: u32 = 1 | 64;

fn build(state: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = state.need("state", "--state")?;
    let expected = "a list of INVALID, ESTABLISHED, NEW, RELATED, UNTRACKED";
    let bits = bits(given, expected, |word| value_of(&STATES, word))?;
    Ok(any_bit(ct(CtKey::State), given.negated, bits))
}

/// `--ctstate NEW,RELATED`: `ct state related,new`; `--ctstate DNAT`: `ct status dnat`.
///
/// A list of both kinds means one or the other, negated neither, which also packets without a flow
/// match: two comparisons say it only where a negated list excludes those; else a map decides
/// ([`Listed`]).
pub(super) fn state_match(given: &Given<'_>, is_alone: IsAlone) -> Result<Vec<Expr>, Error> {
    const EXPECTED: &str = "a list of INVALID, ESTABLISHED, NEW, RELATED, UNTRACKED, SNAT, DNAT";
    let either = bits(given, EXPECTED, |word| {
        let translation = value_of(&TRANSLATIONS, word).map(|bit| bit << 16);
        value_of(&STATES, word).or(translation)
    })?;
    let (states, translations) = (either & 0xffff, either >> 16);
    let without_flow = if given.negated {
        states & WITHOUT_FLOW != WITHOUT_FLOW
    } else {
        states & WITHOUT_FLOW != 0
    };
    if without_flow && is_alone == IsAlone::No {
        return Err(given.unsupported(
            "iptables then skips the other options of this match for packets without a flow: \
             give those a \"-m conntrack\" of their own",
        ));
    }
    let state = || any_bit(ct(CtKey::State), given.negated, states);
    let status = || any_bit(ct(CtKey::Status), given.negated, translations);
    match (states, translations) {
        (_, 0) => Ok(state()),
        (0, _) if !given.negated => Ok(status()),
        (_, _) if given.negated && !without_flow => Ok([state(), status()].concat()),
        (_, _) if is_alone == IsAlone::No => Err(given.unsupported(
            "SNAT and DNAT are no states, and beside others a map decides, behind which the other \
             options of this match are not asked: give those a \"-m conntrack\" of their own in \
             front",
        )),
        (states, _) => Ok(Listed { negated: given.negated, states }.exprs(translations)),
    }
}

/// `NEW,RELATED,DNAT`.
pub(super) fn state_names(states: u32, translations: u32) -> String {
    let states = STATES.iter().filter(|(_, bit)| states & bit != 0);
    let translations = TRANSLATIONS.iter().filter(|(_, bit)| translations & bit != 0);
    states.chain(translations).map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// Which states a comparison of `ct state` asks for, and whether negated.
pub(super) fn read_states(test: &Test<'_>) -> Option<(bool, u32)> {
    match test {
        Test::Masked { mask, negated, value } if host_u32(value) == Some(0) => {
            let known = STATES.iter().fold(0, |bits, (_, bit)| bits | bit);
            Some((!negated, host_u32(mask)?)).filter(|(_, bits)| bits & !known == 0 && *bits != 0)
        }
        _ => None,
    }
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    let (negated, states) = read_states(&test).filter(|_| is_ct(field, CtKey::State))?;
    Some(vec![Setting::new("state", state_names(states, 0)).negated(negated)])
}

/// `! ctstate NEW`.
pub(super) fn listed(name: &str, setting: &Setting) -> String {
    let not = if setting.negated { "! " } else { "" };
    format!("{not}{name} {}", setting.value())
}

/// Whether a match has no option but the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsAlone {
    Yes,
    No,
}

/// The bits of a list of names.
pub(super) fn bits(
    given: &Given<'_>,
    expected: &'static str,
    bit: impl Fn(&str) -> Option<u32>,
) -> Result<u32, Error> {
    given.value().split(',').try_fold(0, |bits, word| {
        bit(word).map(|bit| bits | bit).ok_or_else(|| given.bad(word, expected))
    })
}

/// The value of a name, in upper or lower case.
pub(super) fn value_of(names: &[(&str, u32)], word: &str) -> Option<u32> {
    names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}
