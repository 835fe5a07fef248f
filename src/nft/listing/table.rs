//! Rules, elements and whole tables.

use super::rule::{RuleListing, Sets};
use crate::nft::chain::AnyChain;
use crate::nft::datatype::list_concat;
use crate::nft::expr::Expr;
use crate::nft::object::type_word;
use crate::nft::{
    BaseChain, ChainKind, Element, ElementData, Family, Hook, Object, ObjectKind, Rule, Set,
    SetData, SetFlags, Table,
};

/// A rule as nft lists it. `sets` finds the sets that it names, with their elements.
#[must_use]
pub fn list_rule<'a>(
    family: Family,
    rule: &Rule,
    sets: &'a (dyn Fn(&str) -> Option<(&'a Set, &'a [Element])> + 'a),
) -> String {
    let mut listing = RuleListing::new(family, sets);
    for expr in &rule.exprs {
        if !matches!(expr, Expr::Cmp(_)) {
            listing.flush_lower_bound();
        }
        expr.list(&mut listing);
    }
    listing.flush_lower_bound();
    let text = listing.finish();
    match rule.userdata.comment() {
        Some(comment) => format!("{text} comment \"{comment}\""),
        None => text,
    }
}

/// An element as nft lists it in a set: `tcp . 8080 comment "…" : 10.88.0.2 . 80`.
#[must_use]
pub fn list_element(family: Family, set: &Set, element: &Element) -> String {
    let none: &Sets<'_> = &|_| None;
    let mut text = key_text(set, element);
    if let Some(timeout) = element.timeout {
        text.push_str(&format!(" timeout {}", crate::nft::expr::listing_time(timeout)));
    }
    for expr in &element.exprs {
        let mut listing = RuleListing::new(family, none);
        expr.list(&mut listing);
        text.push_str(&format!(" {}", listing.finish()));
    }
    if let Some(comment) = element.userdata.comment() {
        text.push_str(&format!(" comment \"{comment}\""));
    }
    match &element.data {
        None => {}
        Some(data) => text.push_str(&format!(" : {}", data_text(set, data))),
    }
    text
}

fn key_text(set: &Set, element: &Element) -> String {
    let key = list_concat(&set.key, &element.key);
    match &element.key_end {
        Some(end) if *end != element.key => format!("{key}-{}", list_concat(&set.key, end)),
        Some(_) | None => key,
    }
}

fn data_text(set: &Set, data: &ElementData) -> String {
    match (data, &set.data) {
        (ElementData::Value(value), Some(SetData::Value(parts))) => list_concat(parts, value),
        (ElementData::Value(value), _) => format!("{value:02x?}"),
        (ElementData::Verdict(verdict), _) => verdict.to_string(),
        (ElementData::Object(name), _) => format!("\"{name}\""),
    }
}

/// The elements of a set that belongs to a rule: `{ 80, 443 }`. An interval's end element closes
/// the range that the one before it opened.
pub(super) fn list_elements_inline(family: Family, set: &Set, elements: &[Element]) -> String {
    let mut sorted: Vec<&Element> = elements.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key).then(b.interval_end.cmp(&a.interval_end)));
    let mut words: Vec<String> = Vec::new();
    let mut open: Option<&Element> = None;
    for element in sorted {
        match open.take() {
            Some(from) if element.interval_end => words.push(interval(family, set, from, element)),
            Some(from) => words.push(list_element(family, set, from)),
            None => {}
        }
        if set.flags.has(SetFlags::INTERVAL) && !set.flags.has(SetFlags::CONCAT) {
            open = (!element.interval_end).then_some(element);
        } else {
            words.push(list_element(family, set, element));
        }
    }
    words.extend(open.map(|from| list_element(family, set, from)));
    format!("{{ {} }}", words.join(", "))
}

/// A range: the end element is one past its last key. A range that is a prefix prints as one.
fn interval(family: Family, set: &Set, from: &Element, end: &Element) -> String {
    let mut last = end.key.clone();
    for byte in last.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    if last == from.key {
        return list_element(family, set, from);
    }
    let differing: Vec<u8> = from.key.iter().zip(&last).map(|(low, high)| low ^ high).collect();
    let host: u32 = differing.iter().map(|byte| byte.count_ones()).sum();
    let mask_is_suffix = from.key.iter().zip(&differing).all(|(low, bits)| low & bits == 0)
        && differing.iter().map(|b| b.leading_zeros()).fold((0, true), |(n, open), zeros| {
            if open { (n + zeros, zeros == 8) } else { (n, false) }
        }).0 + host == (differing.len() * 8) as u32;
    let is_address = set.key.first().is_some_and(|part| super::fields::is_address(*part));
    let key = list_concat(&set.key, &from.key);
    if is_address && mask_is_suffix {
        format!("{key}/{}", (differing.len() * 8) as u32 - host)
    } else {
        format!("{key}-{}", list_concat(&set.key, &last))
    }
}

/// Everything in a table, in nft's order: objects, sets, chains. What `nft list table` prints,
/// handles left out.
#[must_use]
pub fn list_table(
    table: &Table,
    objects: &[Object],
    sets: &[(Set, Vec<Element>)],
    chains: &[(AnyChain, Vec<Rule>)],
) -> String {
    let find = |name: &str| {
        let found = sets.iter().find(|(set, _)| set.name.as_str() == name);
        found.map(|(set, elements)| (set, elements.as_slice()))
    };
    let family = table.id.family;
    let mut blocks: Vec<Vec<String>> = Vec::new();
    blocks.extend(objects.iter().map(object_lines));
    let named = sets.iter().filter(|(set, _)| !set.is_anonymous());
    blocks.extend(named.map(|(set, elements)| set_lines(family, set, elements)));
    for (chain, rules) in chains {
        let mut lines = vec![format!("chain {} {{", chain.name())];
        if let AnyChain::Base(base) = chain {
            lines.push(format!("\t{}", hook_line(family, base)));
        }
        lines.extend(rules.iter().map(|rule| format!("\t{}", list_rule(family, rule, &find))));
        lines.push("}".to_owned());
        blocks.push(lines);
    }
    let mut text = format!("table {} {{\n", table.id);
    if let Some(comment) = table.userdata.comment() {
        text.push_str(&format!("\tcomment \"{comment}\"\n\n"));
    }
    let blocks: Vec<String> = blocks
        .iter()
        .map(|lines| lines.iter().map(|line| format!("\t{line}\n")).collect::<String>())
        .collect();
    text.push_str(&blocks.join("\n"));
    text.push_str("}\n");
    text
}

fn object_lines(object: &Object) -> Vec<String> {
    let mut lines = vec![format!("{} {} {{", type_word(object.kind.number()), object.name)];
    lines.extend(object.userdata.comment().map(|comment| format!("\tcomment \"{comment}\"")));
    match &object.kind {
        ObjectKind::Counter { packets, bytes } => {
            lines.push(format!("\tpackets {packets} bytes {bytes}"));
        }
        ObjectKind::Other { .. } => {}
    }
    lines.push("}".to_owned());
    lines
}

fn set_lines(family: Family, set: &Set, elements: &[Element]) -> Vec<String> {
    let words = |parts: &[crate::nft::DataType]| {
        parts.iter().map(|part| part.word()).collect::<Vec<_>>().join(" . ")
    };
    let (word, data) = match &set.data {
        None => ("set", String::new()),
        Some(SetData::Value(parts)) => ("map", format!(" : {}", words(parts))),
        Some(SetData::Verdict) => ("map", " : verdict".to_owned()),
        Some(SetData::Object(number)) => ("map", format!(" : {}", type_word(*number))),
    };
    let mut lines = vec![format!("{word} {} {{", set.name)];
    lines.push(format!("\ttype {}{data}", words(&set.key)));
    lines.extend(set.size.map(|size| format!("\tsize {size}")));
    let flags: Vec<&str> = [
        (SetFlags::CONSTANT, "constant"),
        (SetFlags::INTERVAL, "interval"),
        (SetFlags::TIMEOUT, "timeout"),
        (SetFlags::EVAL, "dynamic"),
    ]
    .into_iter()
    .filter(|(flag, _)| set.flags.has(*flag))
    .map(|(_, word)| word)
    .collect();
    if !flags.is_empty() {
        lines.push(format!("\tflags {}", flags.join(",")));
    }
    for expr in &set.exprs {
        lines.push(format!("\t{}", expr.name()));
    }
    if !elements.is_empty() {
        let mut text: Vec<String> =
            elements.iter().map(|element| list_element(family, set, element)).collect();
        text.sort();
        // One element a line, each behind the brace of the first, as nft aligns them.
        let joined = text.join(",\n\t\t\t     ");
        lines.push(format!("\telements = {{ {joined} }}"));
    }
    lines.push("}".to_owned());
    lines
}

fn hook_line(family: Family, chain: &BaseChain) -> String {
    let device = chain.device.as_ref().map(|d| format!(" device \"{d}\"")).unwrap_or_default();
    format!(
        "type {} hook {}{device} priority {}; policy {};",
        chain.kind.as_str(),
        chain.hook.word(),
        priority_text(family, chain),
        chain.policy.word()
    )
}

/// Priorities by name where nft knows one, with an offset of up to ten.
fn priority_text(family: Family, chain: &BaseChain) -> String {
    let named: &[(i32, &str)] = match (family, chain.hook, &chain.kind) {
        (Family::Bridge, ..) => {
            &[(-300, "dstnat"), (-200, "filter"), (100, "out"), (300, "srcnat")]
        }
        (Family::Netdev | Family::Arp, ..) => &[(0, "filter")],
        (_, Hook::Prerouting, _) => {
            &[(-300, "raw"), (-150, "mangle"), (-100, "dstnat"), (0, "filter"), (50, "security")]
        }
        (_, Hook::Postrouting, _) => {
            &[(-300, "raw"), (-150, "mangle"), (0, "filter"), (50, "security"), (100, "srcnat")]
        }
        (_, _, ChainKind::Nat) => &[],
        _ => &[(-300, "raw"), (-150, "mangle"), (0, "filter"), (50, "security")],
    };
    for (number, name) in named {
        match chain.priority - number {
            0 => return (*name).to_owned(),
            above @ 1..=10 => return format!("{name} + {above}"),
            below @ -10..=-1 => return format!("{name} - {}", -below),
            _ => {}
        }
    }
    chain.priority.to_string()
}
