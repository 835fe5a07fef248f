//! Insertions: rules of ours at the head of other people's base chains.
//!
//! An `accept` ends one base chain only. A packet that ours lets pass can still be dropped by
//! another program's chain on the same hook, unless a rule there lets it pass too. Such a rule is
//! known by its owner's mark, and by nothing else; nobody's other rule is touched.

use super::diff::Plan;
use super::owner::Owner;
use crate::nft::expr::{Immediate, Register, Verdict};
use crate::nft::{
    BaseChain, ChainKind, Change, Error, Expr, Family, Hook, Kernel, Listed, Policy, Rule, TableId,
};

/// A base chain of another table, with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignChain {
    /// Its table.
    pub table: TableId,
    /// The chain.
    pub chain: BaseChain,
    /// Its rules, in order.
    pub rules: Vec<Listed<Rule>>,
}

/// `NFT_TABLE_F_OWNER`: only the process that made the table may change it.
const OWNED: u32 = 2;

impl ForeignChain {
    /// Reads the filter chains for IP packets on a hook that run behind `priority`, but for those
    /// of `own` table and of tables that their makers keep to themselves.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read_all(
        kernel: &mut Kernel,
        own: &TableId,
        hook: Hook,
        priority: i32,
    ) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        for (table, chain) in kernel.base_chains()? {
            let sees_ip = matches!(table.family, Family::Ip | Family::Ip6 | Family::Inet);
            let is_filter = chain.kind == ChainKind::Filter && chain.hook == hook;
            if table == *own || !sees_ip || !is_filter || chain.priority <= priority {
                continue;
            }
            // A table that went away meanwhile is one less.
            let Some(there) = kernel.table(&table)? else { continue };
            if there.flags & OWNED != 0 {
                tracing::warn!(%table, "its owner alone can let forwarded packets of containers pass");
                continue;
            }
            let rules = kernel.rules(&table, Some(&chain.name))?;
            let rules = rules.into_iter().map(|(_, rule)| rule).collect();
            found.push(ForeignChain { table, chain, rules });
        }
        Ok(found)
    }

    /// Whether the chain may drop or reject a packet. Only policy accept and rules that are known
    /// to do neither tell that it does not: what a jump leads to, and what a target of iptables
    /// does (`-j REJECT`), is not asked.
    #[must_use]
    pub fn may_refuse(&self) -> bool {
        let mut exprs = self.rules.iter().flat_map(|rule| &rule.value.exprs);
        self.chain.policy == Policy::Drop || exprs.any(may_refuse)
    }
}

/// Whether an expression may end a packet's way, itself or by the chain that it leads to.
fn may_refuse(expr: &Expr) -> bool {
    match expr {
        // A queue's process may drop, and what is answered or taken away does not pass.
        Expr::Reject(_)
        | Expr::Objref(_)
        | Expr::Queue(_)
        | Expr::Synproxy(_)
        | Expr::Fwd(_)
        | Expr::Tproxy(_)
        | Expr::Other(_) => true,
        Expr::Immediate(Immediate::Verdict(verdict)) => match verdict {
            Verdict::Accept | Verdict::Continue | Verdict::Break | Verdict::Return => false,
            Verdict::Drop | Verdict::Jump(_) | Verdict::Goto(_) | Verdict::Other(_) => true,
        },
        Expr::Lookup(lookup) => lookup.dreg == Some(Register::VERDICT),
        Expr::Payload(_)
        | Expr::PayloadWrite(_)
        | Expr::Meta(_)
        | Expr::Cmp(_)
        | Expr::Range(_)
        | Expr::Bitwise(_)
        | Expr::Byteorder(_)
        | Expr::Immediate(Immediate::Value { .. })
        | Expr::Ct(_)
        | Expr::Fib(_)
        | Expr::Nat(_)
        | Expr::Masquerade(_)
        | Expr::Redirect(_)
        | Expr::Notrack(_)
        | Expr::Counter(_)
        | Expr::Log(_)
        | Expr::Limit(_)
        | Expr::Dynset(_)
        | Expr::Connlimit(_)
        | Expr::Dup(_)
        | Expr::Exthdr(_)
        | Expr::Hash(_)
        | Expr::Last(_)
        | Expr::Osf(_)
        | Expr::Quota(_)
        | Expr::Rt(_)
        | Expr::Socket(_)
        | Expr::Xfrm(_)
        | Expr::Numgen(_) => false,
    }
}

/// Where a rule in another program's chain must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    Head,
    /// Wherever it was put at first.
    Anywhere,
}

/// The changes by which each chain has in its place the rule that `wanted` gives for it, once, and
/// none where it gives none. One that is missing goes to the head. It is recognised by the owner
/// in its userdata.
#[must_use]
pub fn diff_insertions(
    chains: &[ForeignChain],
    owner: &Owner,
    place: Place,
    wanted: impl Fn(&ForeignChain) -> Option<Rule>,
) -> Plan {
    let mut changes = Vec::new();
    for foreign in chains {
        let wanted = wanted(foreign);
        let (table, name) = (&foreign.table, &foreign.chain.name);
        let is_ours = |rule: &Listed<Rule>| owns(owner, &rule.value);
        let is_wanted = |rule: &Listed<Rule>| {
            wanted.as_ref().is_some_and(|wanted| is_same(wanted, &rule.value))
        };
        let in_place = match place {
            Place::Head => &foreign.rules[..foreign.rules.len().min(1)],
            Place::Anywhere => &foreign.rules,
        };
        let kept = in_place.iter().find(|rule| is_ours(rule) && is_wanted(rule));
        let kept = kept.map(|rule| rule.handle);
        for rule in foreign.rules.iter().filter(|rule| is_ours(rule) && Some(rule.handle) != kept) {
            changes.push(Change::DeleteRule(table.clone(), name.clone(), rule.clone()));
        }
        if let (Some(rule), None) = (wanted, kept) {
            let (table, chain) = (table.clone(), name.clone());
            changes.push(Change::InsertRule { table, chain, rule: rule.into(), before: None });
        }
    }
    Plan::of_changes(changes)
}

/// Whether a rule bears an owner's mark. iptables-restore keeps of it the comment, as a match
/// `comment` that nft_compat runs.
fn owns(owner: &Owner, rule: &Rule) -> bool {
    let label = [owner.label().as_bytes(), &[0]].concat();
    let says_so = |expr: &Expr| match expr {
        Expr::Other(other) if other.name == "match" => {
            has(&other.data, b"comment\0") && has(&other.data, &label)
        }
        _ => false,
    };
    Owner::key_of(&rule.userdata) == Some(owner.key()) || rule.exprs.iter().any(says_so)
}

fn has(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|window| window == part)
}

/// Whether a rule does the same; its userdata may be what a reload of its listing left of it.
fn is_same(wanted: &Rule, there: &Rule) -> bool {
    wanted.exprs.len() == there.exprs.len()
        && wanted.exprs.iter().zip(&there.exprs).all(|(ours, theirs)| ours.is_same(theirs))
}
