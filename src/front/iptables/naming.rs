//! Which rules name the sets that came with rules.

use std::collections::BTreeSet;

use crate::nft::{Error, Expr, Name, RawRule, Rule, Set};

/// A rule that names a set.
#[derive(Debug)]
pub(super) struct Naming {
    pub(super) set: Name,
    pub(super) chain: Name,
    /// The handle of the rule.
    pub(super) rule: u64,
}

/// The rules that name these sets, or others that are called like them. Of thousands only those
/// are decoded that have the beginning of such a name in them.
pub(super) fn naming(rules: &[(Name, Vec<RawRule>)], sets: &[&Set]) -> Result<Vec<Naming>, Error> {
    let beginning = |set: &&Set| set.name.as_str().split_inclusive('-').next().map(str::to_owned);
    let beginnings: BTreeSet<String> = sets.iter().filter_map(beginning).collect();
    let mut naming = Vec::new();
    for (chain, rules) in rules {
        for rule in rules {
            if !beginnings.iter().any(|beginning| rule.may_name(beginning)) {
                continue;
            }
            let (named, rule) = (rule.decode()?.value, rule.handle);
            let of = |set: &Name| Naming { set: set.clone(), chain: chain.clone(), rule };
            naming.extend(names(&named).map(of));
        }
    }
    Ok(naming)
}

/// The sets that a rule names.
fn names(rule: &Rule) -> impl Iterator<Item = &Name> {
    rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Dynset(dynset) => Some(&dynset.set),
        expr => expr.set_ref().map(crate::nft::expr::SetRef::name),
    })
}
