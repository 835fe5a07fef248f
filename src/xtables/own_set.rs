//! Names of sets that belong to one rule: complete once the rule is.

use super::companion::Companion;
use super::compile::Compiled;
use super::error::Error;
use super::rule::Rule;
use crate::net::IpVersion;
use crate::nft::{Expr, Name};

/// Completes the names that end with `-`: with a hash of the chain and of the rule's words, so that
/// the same words name the same set, and other rules have one of their own.
pub(super) fn name_own_sets(
    compiled: &mut Compiled,
    chain: &str,
    version: IpVersion,
) -> Result<(), Error> {
    let is_own = |name: &Name| name.as_str().ends_with('-');
    let has_own = compiled.companions.iter().any(|companion| match companion {
        Companion::Set(set) => is_own(&set.name),
        Companion::Chain(_) | Companion::Object(_) => false,
    });
    if !has_own {
        return Ok(());
    }
    let words = Rule::read(&compiled.rule, version).map(|rule| rule.words()).unwrap_or_default();
    let hash = hash(std::iter::once(chain).chain(words.iter().map(String::as_str)));
    let complete = |name: &Name, number: usize| {
        let text = format!("{name}{hash:016x}-{number}");
        Name::new(text).map_err(|_| Error::UnsupportedMatch {
            name: name.to_string(),
            reason: "the name of its set is too long",
        })
    };
    let mut number = 0;
    for companion in &mut compiled.companions {
        if let Companion::Set(set) = companion
            && is_own(&set.name)
        {
            set.name = complete(&set.name, number)?;
            number += 1;
        }
    }
    number = 0;
    for expr in &mut compiled.rule.exprs {
        if let Expr::Dynset(dynset) = expr
            && is_own(&dynset.set)
        {
            dynset.set = complete(&dynset.set, number)?;
            number += 1;
        }
    }
    Ok(())
}

/// FNV-1a of the words, each with its end: it need not be secret, only stay the same.
fn hash<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    let bytes = words.flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
