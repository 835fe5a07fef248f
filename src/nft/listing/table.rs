//! Rules, elements and whole tables.

use super::elements::{Reading, element_words};
use super::objects::object_lines;
use super::rule::{RuleListing, Sets};
use super::type_of::type_of;
use crate::nft::chain::AnyChain;
use crate::nft::expr::Expr;
use crate::nft::object::type_word;
use crate::nft::set::SetPolicy;
use crate::nft::{
    BaseChain, DataType, Element, Family, Hook, Object, Rule, Set, SetData, SetFlags, Table,
};

/// `NFT_TABLE_F_DORMANT`.
const DORMANT: u32 = 1;

/// A rule as nft lists it. `sets` finds the sets that it names, with their elements.
#[must_use]
pub fn list_rule<'a>(family: Family, rule: &Rule, sets: &'a Sets<'a>) -> String {
    list_into(RuleListing::new(family, sets), rule)
}

/// The same without what it has counted, as `nft -s list` prints it.
#[must_use]
pub fn list_stateless_rule<'a>(family: Family, rule: &Rule, sets: &'a Sets<'a>) -> String {
    list_into(RuleListing::new(family, sets).detached(), rule)
}

fn list_into(mut listing: RuleListing<'_>, rule: &Rule) -> String {
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
        let mut lines = chain_lines(family, chain);
        lines.extend(rules.iter().map(|rule| format!("\t{}", list_rule(family, rule, &find))));
        lines.push("}".to_owned());
        blocks.push(lines);
    }
    let mut text = format!("table {} {{\n", table.id);
    if table.flags & DORMANT != 0 {
        text.push_str("\tflags dormant\n");
    }
    if let Some(comment) = table.userdata.comment() {
        text.push_str(&format!("\tcomment \"{comment}\"\n"));
    }
    if table.flags & DORMANT != 0 && !(chains.is_empty() && sets.is_empty() && objects.is_empty()) {
        text.push('\n');
    }
    let blocks: Vec<String> = blocks
        .iter()
        .map(|lines| lines.iter().map(|line| format!("\t{line}\n")).collect::<String>())
        .collect();
    text.push_str(&blocks.join("\n"));
    text.push_str("}\n");
    text
}

/// A set as nft lists it, a line each, from `map NAME {` to `}`.
pub(in crate::nft) fn set_lines(family: Family, set: &Set, elements: &[Element]) -> Vec<String> {
    let words =
        |parts: &[DataType]| parts.iter().map(|part| part.word()).collect::<Vec<_>>().join(" . ");
    let (word, data) = match &set.data {
        None => ("set", String::new()),
        Some(SetData::Value(parts)) => ("map", format!(" : {}", words(parts))),
        Some(SetData::Verdict) => ("map", " : verdict".to_owned()),
        Some(SetData::Object(number)) => ("map", format!(" : {}", type_word(*number))),
    };
    let mut lines = vec![format!("{word} {} {{", set.name)];
    lines.push(match type_of(set) {
        Some(expressions) => format!("\ttypeof {expressions}"),
        None => format!("\ttype {}{data}", words(&set.key)),
    });
    // A constant set has the size and policy that follow from its elements.
    if !set.flags.has(SetFlags::CONSTANT) {
        lines.extend((set.policy == SetPolicy::Memory).then(|| "\tpolicy memory".to_owned()));
        lines.extend(set.size.map(|size| format!("\tsize {size}")));
    }
    lines.extend(flags_line(set));
    let none: &Sets<'_> = &|_| None;
    if !set.exprs.is_empty() {
        let mut listing = RuleListing::new(family, none).detached();
        set.exprs.iter().for_each(|expr| expr.list(&mut listing));
        lines.push(format!("\t{}", listing.finish()));
    }
    lines.extend((set.userdata.find_u32(AUTO_MERGE) == Some(1)).then(|| "\tauto-merge".to_owned()));
    let time = crate::nft::expr::listing_time;
    lines.extend(set.timeout.map(|timeout| format!("\ttimeout {}", time(timeout))));
    let interval = set.gc_interval.map(u64::from);
    lines.extend(interval.map(|interval| format!("\tgc-interval {}", time(interval))));
    lines.extend(set.userdata.set_comment().map(|comment| format!("\tcomment \"{comment}\"")));
    let words = element_words(family, set, elements, Reading::default());
    if !words.is_empty() {
        // Each line begins behind the brace of the first, as nft aligns them.
        let rows: Vec<String> = words.chunks(a_line(&set.key)).map(|row| row.join(", ")).collect();
        lines.push(format!("\telements = {{ {} }}", rows.join(",\n\t\t\t     ")));
    }
    lines.push("}".to_owned());
    lines
}

/// Type 2 of a set's userdata: ranges that touch become one.
const AUTO_MERGE: u8 = 2;

fn flags_line(set: &Set) -> Option<String> {
    // A timeout of the set says that elements may time out.
    let hidden = if set.timeout.is_some() { SetFlags::TIMEOUT.0 } else { 0 };
    let flags = [
        (SetFlags::CONSTANT, "constant"),
        (SetFlags::EVAL, "dynamic"),
        (SetFlags::INTERVAL, "interval"),
        (SetFlags::TIMEOUT, "timeout"),
    ];
    flags.iter().find(|(flag, _)| set.flags.0 & !hidden & flag.0 != 0)?;
    let words = flags.iter().filter(|(flag, _)| set.flags.has(*flag)).map(|(_, word)| *word);
    Some(format!("\tflags {}", words.collect::<Vec<_>>().join(",")))
}

/// How many elements nft writes on a line, by the type of the key.
fn a_line(key: &[DataType]) -> usize {
    match key {
        [DataType::Ipv4Addr | DataType::CtState | DataType::CtStatus | DataType::PktType] => 2,
        [
            DataType::NfProto
            | DataType::Integer(_)
            | DataType::HostInteger
            | DataType::ArpOp
            | DataType::InetProto
            | DataType::InetService
            | DataType::TcpFlag
            | DataType::Mark
            | DataType::IfaceIndex
            | DataType::ClassId
            | DataType::Uid
            | DataType::Gid
            | DataType::CtDir,
        ] => 5,
        _ => 1,
    }
}

fn chain_lines(family: Family, chain: &AnyChain) -> Vec<String> {
    let mut lines = vec![format!("chain {} {{", chain.name())];
    let userdata = match chain {
        AnyChain::Base(chain) => &chain.userdata,
        AnyChain::Regular(chain) => &chain.userdata,
    };
    lines.extend(userdata.comment().map(|comment| format!("\tcomment \"{comment}\"")));
    if let AnyChain::Base(base) = chain {
        lines.push(format!("\t{}", hook_line(family, base)));
    }
    lines
}

fn hook_line(family: Family, chain: &BaseChain) -> String {
    let device = chain.device.as_ref().map(|d| format!(" device \"{d}\"")).unwrap_or_default();
    format!(
        "type {} hook {}{device} priority {}; policy {};",
        chain.kind.as_str(),
        hook_word(family, chain.hook),
        priority_text(family, chain),
        chain.policy.word()
    )
}

/// The hook's name, which of a number depends on the family.
fn hook_word(family: Family, hook: Hook) -> &'static str {
    match (family, hook) {
        (Family::Netdev, Hook::Input) => "egress",
        (Family::Netdev, _) => "ingress",
        (Family::Arp, Hook::Prerouting) => "input",
        (Family::Arp, Hook::Input) => "output",
        (_, hook) => hook.word(),
    }
}

/// Priorities by name where nft knows one, with an offset of up to ten.
fn priority_text(family: Family, chain: &BaseChain) -> String {
    let everywhere: &[(i32, &str)] = match family {
        Family::Bridge => &[(-200, "filter")],
        Family::Netdev | Family::Arp => &[(0, "filter")],
        _ => &[(-300, "raw"), (-150, "mangle"), (0, "filter"), (50, "security")],
    };
    let here = match (family, chain.hook) {
        (Family::Netdev | Family::Arp, _) => None,
        (Family::Bridge, Hook::Prerouting) => Some((-300, "dstnat")),
        (Family::Bridge, Hook::Output) => Some((100, "out")),
        (Family::Bridge, Hook::Postrouting) => Some((300, "srcnat")),
        (_, Hook::Prerouting) => Some((-100, "dstnat")),
        (_, Hook::Postrouting) => Some((100, "srcnat")),
        _ => None,
    };
    for (number, name) in everywhere.iter().copied().chain(here) {
        match chain.priority - number {
            0 => return name.to_owned(),
            above @ 1..=10 => return format!("{name} + {above}"),
            below @ -10..=-1 => return format!("{name} - {}", -below),
            _ => {}
        }
    }
    chain.priority.to_string()
}
