//! A rule that others made: read by its looks.
//!
//! iptables-nft writes general options, then matches, the counter and the target; what it does not
//! write as native expressions are structures, which [`super::compat`] puts into words. nft writes
//! whatever it was told, in that order. What is about the same packets is read the same; a rule with
//! anything else is not read at all.

use super::base_read::{BaseSetting, protocol_of, read_base};
use super::compat;
use super::extension::Extension;
use super::module::{Context, Module, Span};
use super::rule::{Rule, Target, counters, verdict_target};
use super::setting::Setting;
use super::{matches, targets};
use crate::net::IpVersion;
use crate::nft::expr::Opaque;
use crate::nft::{Expr, Rule as NftRule};

/// Reads a rule without a shape; `None` where the words of iptables do not say what it does.
pub(super) fn read_foreign(rule: &NftRule, version: IpVersion) -> Option<Rule> {
    let mut read = Rule {
        version,
        base: Vec::new(),
        matches: Vec::new(),
        target: Target::None,
        counters: None,
    };
    let mut rest = rule.exprs.as_slice();
    while !rest.is_empty() {
        let (base, taken) = read_base(rest, version);
        if taken > 0 {
            add_base(&mut read, base)?;
            rest = rest.get(taken..)?;
            continue;
        }
        if let [counter @ Expr::Counter(_), behind @ ..] = rest {
            // What stands behind the counter does not decide what is counted.
            if read.counters.is_some() {
                return None;
            }
            read.counters = counters(counter);
            rest = behind;
            continue;
        }
        let protocol = protocol_of(&read.base);
        let context = Context { version, protocol, translates: None };
        if let Some(target) = target(rest, context) {
            read.target = target;
            break;
        }
        let (extension, taken) = one_match(rest, context)?;
        read.matches.push(extension);
        rest = rest.get(taken..)?;
    }
    if let (Some(comment), Ok(module)) =
        (rule.userdata.comment(), matches::find("comment", version))
    {
        let settings = vec![Setting::text("comment", comment)];
        read.matches.push(Extension::Known { module, settings });
    }
    Some(read)
}

/// General options may stand in several places, each only once.
fn add_base(rule: &mut Rule, base: Vec<BaseSetting>) -> Option<()> {
    for setting in base {
        if rule.base.iter().any(|before| before.base == setting.base) {
            return None;
        }
        rule.base.push(setting);
    }
    rule.base.sort_by_key(|setting| setting.base.place());
    Some(())
}

fn target(rest: &[Expr], context: Context) -> Option<Target> {
    if let [Expr::Other(other)] = rest
        && other.name == "target"
    {
        return left(other, context.version).map(Target::Extension);
    }
    verdict_target(rest).or_else(|| {
        let (extension, taken) = native(&targets::all(context.version), rest, context)?;
        (taken == rest.len()).then_some(Target::Extension(extension))
    })
}

fn one_match(rest: &[Expr], context: Context) -> Option<(Extension, usize)> {
    match rest {
        [Expr::Other(other), ..] if other.name == "match" => {
            Some((left(other, context.version)?, 1))
        }
        rest => native(&matches::all(context.version), rest, context),
    }
}

/// A structure of nft_compat.
fn left(other: &Opaque, version: IpVersion) -> Option<Extension> {
    Some(Extension::Left { words: compat::words(other, version).ok()? })
}

/// The first expressions as a match or target, as many of them as one takes.
fn native(
    modules: &(impl Iterator<Item = &'static Module> + Clone),
    exprs: &[Expr],
    context: Context,
) -> Option<(Extension, usize)> {
    let fits = |module: &&'static Module| {
        module.protocols.is_empty()
            || context.protocol.is_some_and(|number| module.protocols.contains(&number))
    };
    (1..=exprs.len()).rev().find_map(|length| {
        let span = Span { exprs: exprs.get(..length)?, note: &[], context };
        let mut read =
            modules.clone().filter(fits).filter_map(|module| Extension::read(module, &span));
        Some((read.next()?, length))
    })
}
