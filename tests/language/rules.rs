//! Rules of a test in the kernel: made by iptables-nft or by us, and read back.
//!
//! Each rule has a chain of its own, `caseN`, which the chain of the case jumps to, so that both
//! checks (of hooks, of tables) and several lines of one rule are seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portcullis::net::IpVersion;
use portcullis::nft::expr::{Immediate, Verdict};
use portcullis::nft::{
    BaseChain, Chain, ChainKind, Change, Family, Hook, Kernel, Name, Policy, Rule, Table, TableId,
    Transaction, list_rule,
};
use portcullis::xtables::{self, Compiled, Operation};

use crate::forget;
use crate::lab::split;
use crate::tools::{listing_complaints, run, tool};

/// `filter/INPUT` and a rule.
pub type Case = (&'static str, &'static str);

fn place(at: &str) -> (&str, &str) {
    at.split_once('/').expect("a case names TABLE/CHAIN")
}

fn chain_name(number: usize) -> String {
    format!("case{number}")
}

/// The chains that rules of the cases name as targets: `-j next`, `-g next`.
const USER_CHAINS: [&str; 2] = ["next", "DOCKER"];

/// Loads all rules by iptables-nft-restore, and gives the lines of each as iptables-nft-save
/// prints them, without `-A CHAIN`.
pub fn saved_by_iptables(version: IpVersion, cases: &[Case]) -> Vec<Vec<String>> {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for (number, (at, rule)) in cases.iter().enumerate() {
        let (table, chain) = place(at);
        let chains = USER_CHAINS.map(|chain| format!(":{chain} - [0:0]\n")).concat();
        let text = tables.entry(table).or_insert_with(|| format!("*{table}\n{chains}"));
        let own = chain_name(number);
        let _ = writeln!(text, ":{own} - [0:0]\n-A {own} {rule}\n-A {chain} -j {own}");
    }
    let mut saved = vec![Vec::new(); cases.len()];
    for (table, text) in tables {
        run(&tool(version, "-restore"), &[], &format!("{text}COMMIT\n"));
        let save = run(&tool(version, "-save"), &["-t", table], "");
        for line in save.lines() {
            let Some((chain, rule)) =
                line.strip_prefix("-A case").map(|rest| rest.split_once(' ').unwrap_or((rest, "")))
            else {
                continue;
            };
            saved[chain.parse::<usize>().unwrap()].push(rule.to_owned());
        }
    }
    saved
}

/// Commits all rules, and gives what we print of them; and what is wrong with what nft lists and
/// with what the printed words compile to.
pub fn saved_by_us(version: IpVersion, cases: &[Case]) -> (Vec<Vec<String>>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut kernel = Kernel::open().unwrap();
    for at in cases.iter().map(|(at, _)| at) {
        kernel.commit(&base(version, at), None).unwrap();
    }
    let (mut saved, mut all) = (Vec::new(), Vec::new());
    for (number, (at, rule)) in cases.iter().enumerate() {
        let rules = match compile(version, rule) {
            Ok(rules) => rules,
            Err(error) => {
                saved.push(vec![format!("error: {error}")]);
                continue;
            }
        };
        if let Err(error) = kernel.commit(&change(version, at, number, &rules), None) {
            saved.push(vec![format!("refused: {error:#}")]);
            continue;
        }
        let lines = read(&mut kernel, version, at, number);
        let is_read = |(line, _): &(&String, &Compiled)| !line.starts_with("unread: ");
        for (line, compiled) in lines.iter().zip(&rules).filter(is_read) {
            match compile(version, line) {
                Ok(again) if again.as_slice() == std::slice::from_ref(compiled) => {}
                Ok(again) => {
                    wrong.push(format!("{rule}\n  compiles {compiled:?}\n  again    {again:?}"));
                }
                Err(error) => wrong.push(format!("{rule}\n  printed {line}\n  {error}")),
            }
        }
        saved.push(lines);
        all.extend(rules);
    }
    wrong.extend(forget::complaints(version, &all));
    wrong.extend(listing_complaints());
    (saved, wrong)
}

/// What of chain `caseN` we print.
pub fn read(kernel: &mut Kernel, version: IpVersion, at: &str, number: usize) -> Vec<String> {
    let family = table(version, at).family;
    let rules = listed(kernel, version, at, number);
    let line = |rule: &Rule| match xtables::Rule::read(rule, version) {
        Some(read) => read.saved(),
        None => format!("unread: {}", list_rule(family, rule, &|_| None)),
    };
    rules.iter().map(line).collect()
}

/// The rules of chain `caseN`, with the sets that are theirs.
pub fn listed(kernel: &mut Kernel, version: IpVersion, at: &str, number: usize) -> Vec<Rule> {
    let id = table(version, at);
    let chain = Name::new(chain_name(number)).unwrap();
    let rules = kernel.rules(&id, Some(&chain)).unwrap();
    let mut all = Vec::new();
    for (_, listed) in rules {
        let mut own = BTreeMap::new();
        for expr in &listed.value.exprs {
            let portcullis::nft::Expr::Lookup(lookup) = expr else { continue };
            let sets = kernel.sets(&id).unwrap();
            if let Some(set) = sets.iter().find(|set| set.name == *lookup.set.name()) {
                let elements = kernel.elements(&id, &set.name).unwrap();
                own.insert(set.name.clone(), (set.clone(), elements));
            }
        }
        all.push(listed.value.with_own_sets(|name| own.get(name).cloned()));
    }
    all
}

/// What `-A CHAIN` with this rule compiles to.
pub fn compile(version: IpVersion, rule: &str) -> Result<Vec<Compiled>, xtables::Error> {
    match xtables::command(&split(&format!("-A case {rule}")), version)?.operation {
        Operation::Append { rules, .. } => Ok(rules),
        other => panic!("-A is {other:?}"),
    }
}

fn table(version: IpVersion, at: &str) -> TableId {
    TableId { family: Family::of(version), name: Name::new(place(at).0).unwrap() }
}

/// The table, its base chain and the chains that rules jump to.
pub fn base(version: IpVersion, at: &str) -> Transaction {
    let id = table(version, at);
    let (table, chain) = place(at);
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        other => panic!("no chain {other}"),
    };
    let (kind, priority) = match (table, hook) {
        ("filter", _) => (ChainKind::Filter, 0),
        ("nat", Hook::Prerouting | Hook::Output) => (ChainKind::Nat, -100),
        ("nat", _) => (ChainKind::Nat, 100),
        ("mangle", Hook::Output) => (ChainKind::Route, -150),
        ("mangle", _) => (ChainKind::Filter, -150),
        ("raw", _) => (ChainKind::Filter, -300),
        ("security", _) => (ChainKind::Filter, 150),
        (other, _) => panic!("no table {other}"),
    };
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(id.clone())));
    for chain in USER_CHAINS {
        transaction.push(Change::AddChain(id.clone(), Chain::new(Name::literal(chain))));
    }
    let name = Name::new(chain).unwrap();
    let chain = BaseChain {
        name,
        kind,
        hook,
        priority,
        policy: Policy::Accept,
        device: None,
        userdata: Default::default(),
    };
    transaction.push(Change::AddBaseChain(id, chain));
    transaction
}

/// Chain `caseN` with its rules, and the jump to it.
pub fn change(version: IpVersion, at: &str, number: usize, rules: &[Compiled]) -> Transaction {
    let id = table(version, at);
    let chain = Name::new(chain_name(number)).unwrap();
    let mut transaction = Transaction::new();
    transaction.push(Change::AddChain(id.clone(), Chain::new(chain.clone())));
    for Compiled { rule, companions } in rules {
        for companion in companions {
            companion.clone().changes(&id).into_iter().for_each(|change| transaction.push(change));
        }
        let (table, chain, rule) = (id.clone(), chain.clone(), rule.clone());
        transaction.push(Change::AddRule { table, chain, rule, after: None });
    }
    let jump = Rule::new(vec![Immediate::Verdict(Verdict::Jump(chain)).into()]);
    let from = Name::new(place(at).1).unwrap();
    transaction.push(Change::AddRule { table: id, chain: from, rule: jump.into(), after: None });
    transaction
}
