//! Rules of nft as rules that iptables could have: for one family, with what is in named sets and
//! maps written out, a rule for each element.
//!
//! Pure: expressions in, expressions out. What cannot be written out stays as it is, so that
//! whoever reads it next finds no words for it.

use super::segment::{Segment, segments};
use crate::net::IpVersion;
use crate::nft::expr::{
    Bitwise, Cmp, CmpOp, Ct, CtKey, Immediate, Lookup, Meta, MetaKey, Nat, Register, Verdict,
};
use crate::nft::{
    DataType, Element, ElementData, Expr, Family, Rule, Set, SetData, SetFlags, Userdata,
};

/// The most rules that one becomes.
const MOST: usize = 65_536;

/// The sets of a table with what is in them.
pub(super) type Sets = [(Set, Vec<Element>)];

/// The rules that one rule is for packets of a family; none where it is not for them.
pub(super) fn expand(rule: &Rule, sets: &Sets, version: IpVersion) -> Vec<Rule> {
    let mut done: Vec<Partial> = vec![Partial::of(rule)];
    for segment in segments(&rule.exprs) {
        let mut next = Vec::new();
        for partial in &done {
            match choices(&segment, sets, version) {
                Choices::Same => next.push(partial.with(segment.exprs(), None)),
                Choices::Always => next.push(partial.clone()),
                Choices::Never => {}
                Choices::Each(each) => {
                    next.extend(each.iter().map(|(exprs, label)| partial.with(exprs, *label)));
                }
            }
        }
        let several = next.len() > done.len();
        if next.len() > MOST || (several && !can_be_several(rule, &segment)) {
            return vec![rule.clone()];
        }
        done = next;
    }
    done.into_iter().map(Partial::finish).collect()
}

/// Whether several rules, of which a packet meets one, do what a rule does that meets it once.
/// What remembers must stay one; and where a mark is looked up, the rule must end the chain, or
/// else a later one would see the mark that an earlier one has set.
fn can_be_several(rule: &Rule, segment: &Segment<'_>) -> bool {
    let remembers = |expr: &Expr| {
        matches!(
            expr,
            Expr::Limit(_)
                | Expr::Quota(_)
                | Expr::Connlimit(_)
                | Expr::Numgen(_)
                | Expr::Dynset(_)
        )
    };
    let of_mark = |expr: &Expr| {
        matches!(
            expr,
            Expr::Meta(Meta::Load { key: MetaKey::Mark, .. })
                | Expr::Ct(Ct::Load { key: CtKey::Mark, .. })
        )
    };
    let ends = matches!(
        rule.exprs.last(),
        Some(Expr::Immediate(Immediate::Verdict(
            Verdict::Accept | Verdict::Drop | Verdict::Return | Verdict::Goto(_)
        )))
    );
    !rule.exprs.iter().any(remembers) && (ends || !segment.exprs().iter().any(of_mark))
}

/// A rule so far.
#[derive(Debug, Clone)]
struct Partial {
    exprs: Vec<Expr>,
    comment: Option<String>,
}

impl Partial {
    fn of(rule: &Rule) -> Self {
        Partial { exprs: Vec::new(), comment: rule.userdata.comment().map(str::to_owned) }
    }

    fn with(&self, exprs: &[Expr], comment: Option<&str>) -> Self {
        let mut more = self.clone();
        more.exprs.extend_from_slice(exprs);
        more.comment = more.comment.or_else(|| comment.map(str::to_owned));
        more
    }

    /// Tests of general options come first: iptables has no other place for them. Tests have no
    /// effects, so their order means nothing up to the first statement.
    fn finish(self) -> Rule {
        let parts = segments(&self.exprs);
        let tests = parts.iter().take_while(|part| part.is_test()).count();
        let (tests, rest) = parts.split_at(tests);
        let (base, other): (Vec<_>, Vec<_>) = tests.iter().partition(|part| part.is_general());
        let all = base.into_iter().chain(other).chain(rest);
        let exprs = all.flat_map(|part| part.exprs().iter().cloned()).collect();
        let mut userdata = Userdata::new();
        if let Some(comment) = self.comment {
            userdata = userdata.with_whole_comment(&comment);
        }
        Rule { exprs, userdata }
    }
}

/// What a part of a rule becomes.
enum Choices<'a> {
    /// Itself.
    Same,
    /// Nothing: it is always true.
    Always,
    /// No rule: it is never true.
    Never,
    /// A rule for each, with the comment of the element.
    Each(Vec<(Vec<Expr>, Option<&'a str>)>),
}

fn choices<'a>(segment: &Segment<'_>, sets: &'a Sets, version: IpVersion) -> Choices<'a> {
    match segment.exprs() {
        [Expr::Meta(Meta::Load { key: MetaKey::Nfproto, .. }), Expr::Cmp(cmp)] => {
            let is_ours = cmp.data.first() == Some(&Family::of(version).number());
            match (cmp.op, is_ours) {
                (CmpOp::Eq, true) | (CmpOp::Neq, false) => Choices::Always,
                (CmpOp::Eq, false) | (CmpOp::Neq, true) => Choices::Never,
                _ => Choices::Same,
            }
        }
        [.., Expr::Nat(Nat { family, .. })] if *family != Family::of(version) => Choices::Never,
        _ => match segment.lookup() {
            Some((at, lookup)) => look_up(segment, at, lookup, sets).unwrap_or(Choices::Same),
            None => Choices::Same,
        },
    }
}

fn look_up<'a>(
    segment: &Segment<'_>,
    at: usize,
    lookup: &Lookup,
    sets: &'a Sets,
) -> Option<Choices<'a>> {
    let (set, elements) = sets.iter().find(|(set, _)| set.name == *lookup.set.name())?;
    let behind = segment.exprs().get(at + 1..)?;
    let fields = segment.fields(at, lookup.sreg, &set.key)?;
    let keys = ranges(set, elements)?;
    // One comparison is its own opposite; of several, one rule cannot say that none is true.
    if lookup.inverted && keys.len() != 1 {
        return keys.is_empty().then_some(Choices::Always);
    }
    let mut each = Vec::new();
    for (first, last, element) in keys {
        let mut exprs = Vec::new();
        let mut place = 0;
        for (part, field) in set.key.iter().zip(&fields) {
            let (from, to) = (first.get(place..)?, last.get(place..)?);
            exprs.extend(test(
                field,
                from.get(..part.len())?,
                to.get(..part.len())?,
                lookup.inverted,
            )?);
            place += part.len().next_multiple_of(4);
        }
        if let Some(register) = lookup.dreg {
            exprs.extend(value(set, element, register)?);
        }
        exprs.extend_from_slice(behind);
        each.push((exprs, element.userdata.comment()));
    }
    Some(Choices::Each(each))
}

/// What a map holds for an element.
fn value(set: &Set, element: &Element, register: Register) -> Option<Vec<Expr>> {
    match (element.data.as_ref()?, set.data.as_ref()?) {
        (ElementData::Verdict(verdict), _) => (*verdict != Verdict::Continue)
            .then(|| vec![Immediate::Verdict(verdict.clone()).into()]),
        (ElementData::Value(bytes), SetData::Value(parts)) => {
            let (mut exprs, mut place) = (Vec::new(), 0);
            for part in parts {
                let word = register.index() + u32::try_from(place / 4).ok()?;
                let data = bytes.get(place..)?.get(..part.len())?;
                exprs.push(Immediate::value(Register::word(word), data).into());
                place += part.len().next_multiple_of(4);
            }
            Some(exprs)
        }
        (ElementData::Value(_) | ElementData::Object(_), _) => None,
    }
}

type KeyRange<'a> = (Vec<u8>, Vec<u8>, &'a Element);

/// The first and the last key of each element.
fn ranges<'a>(set: &Set, elements: &'a [Element]) -> Option<Vec<KeyRange<'a>>> {
    if !set.flags.has(SetFlags::INTERVAL) || set.key.len() > 1 {
        let one = |element: &'a Element| {
            let last = element.key_end.clone().unwrap_or_else(|| element.key.clone());
            (element.key.clone(), last, element)
        };
        return Some(elements.iter().map(one).collect());
    }
    let mut sorted: Vec<&Element> = elements.iter().collect();
    sorted.sort_by(|a, b| (&a.key, !a.interval_end).cmp(&(&b.key, !b.interval_end)));
    let mut all: Vec<KeyRange<'a>> = Vec::new();
    let mut open: Option<&Element> = None;
    for element in sorted {
        match (open.take(), element.interval_end) {
            (Some(start), _) => {
                all.push((start.key.clone(), before(&element.key)?, start));
                open = (!element.interval_end).then_some(element);
            }
            (None, true) => {}
            (None, false) => open = Some(element),
        }
    }
    // Up to the last key there is.
    all.extend(open.map(|start| (start.key.clone(), vec![0xff; start.key.len()], start)));
    Some(all)
}

/// The key in front of one, in network order.
fn before(key: &[u8]) -> Option<Vec<u8>> {
    let mut key = key.to_vec();
    for byte in key.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            return Some(key);
        }
    }
    None
}

/// A field compared with one value, with a network, or with a range.
fn test(field: &[Expr], from: &[u8], to: &[u8], negated: bool) -> Option<Vec<Expr>> {
    let mut exprs = field.to_vec();
    let op = if negated { CmpOp::Neq } else { CmpOp::Eq };
    if from == to {
        exprs.push(Cmp { sreg: Register::R1, op, data: from.to_vec() }.into());
    } else if let Some(mask) = network_mask(from, to) {
        exprs.push(Bitwise::and(Register::R1, mask).into());
        exprs.push(Cmp { sreg: Register::R1, op, data: from.to_vec() }.into());
    } else if negated {
        return None;
    } else {
        let bound = |op, data: &[u8]| Cmp { sreg: Register::R1, op, data: data.to_vec() }.into();
        exprs.extend([bound(CmpOp::Gte, from), bound(CmpOp::Lte, to)]);
    }
    Some(exprs)
}

/// The mask of a range that is a network of addresses; ranges of ports stay ranges.
fn network_mask(from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mask: Vec<u8> = from.iter().zip(to).map(|(a, b)| !(a ^ b)).collect();
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).take_while(|n| *n == 8).sum();
    let at = usize::try_from(ones / 8).ok()?;
    let partial = mask.get(at).map_or(0, |byte| byte.leading_ones());
    let is_prefix = mask.iter().map(|byte| byte.count_ones()).sum::<u32>() == ones + partial;
    let is_whole = from.iter().zip(&mask).all(|(byte, mask)| byte & !mask == 0)
        && to.iter().zip(&mask).all(|(byte, mask)| byte | mask == 0xff);
    let is_address =
        DataType::Ipv4Addr.len() == from.len() || DataType::Ipv6Addr.len() == from.len();
    (is_prefix && is_whole && is_address).then_some(mask)
}
