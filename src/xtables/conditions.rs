//! Conditions of a published port: the words of a rule without its target.

use super::base::{self, Base};
use super::error::Error;
use super::field::{equal, meta};
use super::protocol;
use super::spec::Spec;
use super::words::{Given, Words};
use crate::net::{IpVersion, L4Proto};
use crate::nft::Expr;
use crate::nft::expr::MetaKey;

/// The expressions that match what iptables (or ip6tables) matches with these words, for a rule
/// of an inet table: `! -s 198.51.100.0/24` is
/// `meta nfproto ipv4 ip saddr != 198.51.100.0/24`.
///
/// # Errors
/// [`Error`], naming the word, for what is no condition or has no native form.
pub fn conditions(words: &[impl AsRef<str>], version: IpVersion) -> Result<Vec<Expr>, Error> {
    conditions_for(words, version, None)
}

/// The same for a rule whose protocol is known, as if `-p PROTO` stood in front of the words. The
/// protocol is tested (`meta l4proto`) where a word needs it or repeats it.
///
/// # Errors
/// [`Error`], as [`conditions`]; also [`Error::OtherProtocol`] for `-p` with another protocol.
pub fn conditions_for(
    words: &[impl AsRef<str>],
    version: IpVersion,
    proto: Option<L4Proto>,
) -> Result<Vec<Expr>, Error> {
    let mut spec = Spec::new(version);
    spec.protocol = proto.map(L4Proto::number);
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut words = Words::new(&words);
    while let Some(token) = words.token()? {
        if matches!(token.short(), Some('j' | 'g')) || matches!(token.long(), Some("jump" | "goto"))
        {
            return Err(Error::Target { word: token.word.to_owned() });
        }
        if spec.read(token, &mut words)?.is_some() {
            return Err(Error::Command { word: token.word.to_owned() });
        }
    }
    expressions(&spec, proto)
}

/// All expressions: the family, the general options, then the matches in their order, as the
/// order counts for those with a state of their own.
fn expressions(spec: &Spec<'_>, known: Option<L4Proto>) -> Result<Vec<Expr>, Error> {
    let family = [spec.version.family_number()];
    let mut exprs = equal(meta(MetaKey::Nfproto), false, family);
    for (base, given) in &spec.base {
        if *base == Base::Protocol {
            check_protocol(given, known)?;
        }
        exprs.extend(base::base_match(*base, given, spec.version)?);
    }
    let mut tested = spec.base.iter().any(|(base, _)| *base == Base::Protocol);
    for loaded in &spec.matches {
        let (protocols, needs) = loaded.protocols();
        if !protocols.is_empty() {
            let protocol = spec.protocol.filter(|number| protocols.contains(number));
            let missing = || Error::NeedsProtocol { name: loaded.name.to_owned(), needs };
            let number = protocol.ok_or_else(missing)?;
            if !tested {
                exprs.extend(equal(meta(MetaKey::L4proto), false, [number]));
                tested = true;
            }
        }
        let options = loaded.options(spec.context());
        exprs.extend((loaded.module.build)(&options)?);
        if !(loaded.module.companions)(&options)?.is_empty() {
            let reason = "it keeps a set in the table, and a condition is one rule";
            return Err(Error::UnsupportedMatch { name: loaded.name.to_owned(), reason });
        }
    }
    Ok(exprs)
}

/// `-p` may repeat the protocol that is known, and say no other.
fn check_protocol(given: &Given<'_>, known: Option<L4Proto>) -> Result<(), Error> {
    match known {
        Some(known)
            if protocol::protocol(given.value()) != Some(known.number()) || given.negated =>
        {
            let (word, value) = (given.word.to_owned(), given.value().to_owned());
            Err(Error::OtherProtocol { word, value, known })
        }
        Some(_) | None => Ok(()),
    }
}
