//! Sets without their elements, as the kernel lists a rule: the rule still says what is in them.

use portcullis::net::IpVersion;
use portcullis::nft::expr::SetRef;
use portcullis::nft::{Expr, Name, Rule};
use portcullis::xtables::{self, Compiled};

/// A rule as the kernel lists it, where a set that came with it has only a name.
pub fn forgotten(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    for expr in &mut rule.exprs {
        if let Expr::Lookup(lookup) = expr
            && lookup.set.is_anonymous()
        {
            lookup.set = SetRef::Named(Name::literal("__set0"));
        }
    }
    rule
}

/// What is wrong with rules whose sets have only names: each reads as the whole rule does, and
/// is the same as no rule of other words.
pub fn complaints(version: IpVersion, rules: &[Compiled]) -> Vec<String> {
    let said = |rule: &Rule| xtables::Rule::read(rule, version).map(|rule| rule.saved());
    let all: Vec<_> = rules.iter().map(|compiled| (compiled, said(&compiled.rule))).collect();
    let mut wrong = Vec::new();
    for (compiled, words) in &all {
        let listed = forgotten(&compiled.rule);
        let found = said(&listed);
        if found != *words {
            wrong.push(format!("{words:?}\n  without its set's elements reads {found:?}"));
        }
        for (other, others) in all.iter().filter(|(other, _)| other.rule.is_same(&listed)) {
            if others != words {
                wrong.push(format!("{words:?} of the kernel\n  is the same as {others:?}"));
            }
            assert!(xtables::same(other, &listed, version), "{others:?}");
        }
    }
    wrong
}
