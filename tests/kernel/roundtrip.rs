//! What nft makes: decodes, lists as nft lists it, encodes to the bytes that the kernel gave.

use std::fs;
use std::path::Path;

use portcullis::nft::expr::Exthdr;
use portcullis::nft::{Applied, Expr, Kernel};

use crate::tools::{bytecode_lines, fresh_netns, nft, nft_bytecode, nft_list, without_expiry};
use crate::whole::{Whole, table_id};

/// The lines in which two texts differ.
pub fn difference(theirs: &str, ours: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let mut text = String::new();
    for line in a.iter().filter(|line| !b.contains(line)) {
        text.push_str(&format!("  nft:  {}\n", line.trim()));
    }
    for line in b.iter().filter(|line| !a.contains(line)) {
        text.push_str(&format!("  ours: {}\n", line.trim()));
    }
    if text.is_empty() && theirs != ours {
        text = format!("  the order differs\n{theirs}\n{ours}");
    }
    text
}

/// Our bytes as the kernel writes them: nests without the flag that says so.
pub fn without_nested_flag(bytes: &mut [u8]) {
    let mut at = 0;
    while at + 4 <= bytes.len() {
        let length = usize::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]])).max(4);
        let kind = u16::from_ne_bytes([bytes[at + 2], bytes[at + 3]]);
        let end = (at + length).min(bytes.len());
        if kind & 0x8000 != 0 {
            bytes[at + 2..at + 4].copy_from_slice(&(kind & 0x7fff).to_ne_bytes());
            without_nested_flag(&mut bytes[at + 4..end]);
        }
        at += length.next_multiple_of(4);
    }
}

/// Checks one table that is there in the thread's namespace, made of `script` or otherwise;
/// returns how many rules it has and what is wrong.
pub fn check(name: &str) -> (usize, Vec<String>) {
    let id = table_id(name);
    let mut wrong = Vec::new();
    let mut kernel = Kernel::open().unwrap();
    let whole = Whole::read(&mut kernel, &id);
    let theirs = without_expiry(&nft_list(name));
    let ours = whole.listing();
    if theirs != ours {
        wrong.push(format!("{name}: listing:\n{}", difference(&theirs, &ours)));
    }
    let raw = kernel.raw_expressions(&id).unwrap();
    let mut text = Vec::new();
    for ((chain, rule), (_, _, raw)) in whole.rules().zip(&raw) {
        let mut encoded = rule.value.encode_expressions();
        without_nested_flag(&mut encoded);
        if encoded != *raw && !rule.value.exprs.iter().any(kernel_adds) {
            wrong.push(format!("{name} {chain} {}: bytes differ {:?}\n  kernel {raw:02x?}\n  ours   {encoded:02x?}", rule.handle, rule.value));
        }
        let dumped = kernel.bytecode(&id, chain, rule.handle).unwrap().unwrap_or_default();
        let sent = rule.value.bytecode(id.family).unwrap_or_default();
        if bytecode_lines(&dumped) != bytecode_lines(&sent) {
            wrong.push(format!("{name} {chain} {}: libnftnl: {dumped} {sent}", rule.handle));
        }
        text.extend(bytecode_lines(&sent));
    }
    if text != nft_bytecode(name) {
        let theirs = nft_bytecode(name).join("\n");
        let lines = difference(&theirs, &text.join("\n"));
        wrong.push(format!("{name}: bytecode differs from nft's:\n{lines}"));
    }
    fresh_netns();
    let mut second = Kernel::open().unwrap();
    match second.commit(&whole.rebuild(), None) {
        Ok(applied) => assert_eq!(applied, Applied::Committed),
        Err(error) => {
            wrong.push(format!("{name}: rebuild: {error:#}"));
            return (raw.len(), wrong);
        }
    }
    let again = without_expiry(&nft_list(name));
    if again != theirs {
        wrong.push(format!("{name}: rebuilt listing:\n{}", difference(&theirs, &again)));
    }
    for ((_, handle, first), (_, _, second)) in raw.iter().zip(second.raw_expressions(&id).unwrap())
    {
        if *first != second {
            wrong.push(format!("{name} {handle}: bytes of the rebuilt rule differ"));
        }
    }
    (raw.len(), wrong)
}

/// Whether the kernel lists something of 0 with an expression that it refuses when it is sent: the
/// timeout of an element without one, the flags of what has none or needs one.
fn kernel_adds(expr: &Expr) -> bool {
    match expr {
        Expr::Dynset(dynset) => dynset.timeout.is_none() || dynset.exprs.len() > 1,
        Expr::Exthdr(Exthdr::Write { .. } | Exthdr::Reset { .. }) => true,
        Expr::Osf(osf) => !osf.version,
        _ => false,
    }
}

fn corpus() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/corpus");
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|e| e == "nft")).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let script = fs::read_to_string(&path).unwrap();
            let line = script.lines().find(|line| line.starts_with("table ")).unwrap();
            let table = line.trim_start_matches("table ").trim_end_matches(" {").to_owned();
            (table, script)
        })
        .collect()
}

#[test]
fn rules_of_nft_when_decoded_then_list_and_encode_as_they_came() {
    let mut rules = 0;
    let mut wrong = Vec::new();
    for (table, script) in corpus() {
        fresh_netns();
        nft(&script);
        let (count, bad) = check(&table);
        rules += count;
        wrong.extend(bad);
    }
    println!("{rules} rules, {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rules >= 850, "the corpus shrank to {rules} rules");
}

#[test]
fn corpus_when_decoded_then_no_expression_is_unknown() {
    for (table, script) in corpus() {
        fresh_netns();
        nft(&script);
        let whole = Whole::read(&mut Kernel::open().unwrap(), &table_id(&table));
        for (chain, rule) in whole.rules() {
            let known = rule.value.exprs.iter().all(|expr| !matches!(expr, Expr::Other(_)));
            assert!(known, "{table} {chain} {rule:?}");
        }
    }
}
