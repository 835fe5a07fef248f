//! The judge: a rule in the words of iptables, loaded by iptables-nft itself and by us.
//!
//! All rules of a test share one namespace for iptables-nft and one for us. It needs root, iptables
//! 1.8.9 and nft 1.0.6.

use portcullis::net::IpVersion;
use portcullis::nft::Kernel;
use portcullis::xtables;

use crate::forget;
use crate::rules::{Case, base, change, compile, listed, read, saved_by_iptables, saved_by_us};
use crate::tools::in_netns;

/// A rule that we print otherwise than iptables-nft-save does, and why.
pub struct Difference {
    pub at: &'static str,
    pub rule: &'static str,
    pub ours: &'static str,
    pub why: &'static str,
}

/// Every rule prints as iptables-nft-save prints it, compiles again to what it is, and lists in
/// `nft list ruleset` as nft can read it.
pub fn judge(version: IpVersion, cases: &[Case]) {
    judge_with(version, cases, &[]);
}

/// The same, with rules that differ.
pub fn judge_with(version: IpVersion, cases: &[Case], differences: &[Difference]) {
    let all: Vec<Case> =
        cases.iter().copied().chain(differences.iter().map(|d| (d.at, d.rule))).collect();
    let mut wrong = Vec::new();
    let theirs = in_netns(|| saved_by_iptables(version, &all));
    let (ours, mut complaints) = in_netns(|| saved_by_us(version, &all));
    wrong.append(&mut complaints);
    for (number, (at, rule)) in all.iter().enumerate() {
        let (expected, found) = (&theirs[number], &ours[number]);
        match differences.get(number.wrapping_sub(cases.len())) {
            None if expected == found => {}
            None => wrong.push(format!(
                "{at} {rule}\n  iptables {}\n  ours     {}",
                expected.join("; "),
                found.join("; ")
            )),
            Some(Difference { ours, why, .. }) => {
                if found.join("; ") != *ours || expected == found {
                    wrong.push(format!(
                        "{at} {rule} ({why})\n  iptables {}\n  ours     {}\n  expected {ours}",
                        expected.join("; "),
                        found.join("; ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules as iptables-nft itself makes them read as iptables-nft-save prints them, but for those
/// that differ: the rule, what we print.
pub fn judge_foreign(version: IpVersion, cases: &[Case], differences: &[(&str, &str)]) {
    let (theirs, ours) = in_netns(|| {
        let theirs = saved_by_iptables(version, cases);
        let mut kernel = Kernel::open().unwrap();
        let read = |(number, (at, _)): (usize, &Case)| read(&mut kernel, version, at, number);
        let ours: Vec<Vec<String>> = cases.iter().enumerate().map(read).collect();
        (theirs, ours)
    });
    let mut wrong = Vec::new();
    for ((at, rule), (theirs, ours)) in cases.iter().zip(theirs.iter().zip(&ours)) {
        let (theirs, ours) = (theirs.join("; "), ours.join("; "));
        let differs = differences.iter().find(|(known, _)| known == rule);
        let expected = differs.map_or(theirs.as_str(), |(_, expected)| expected);
        if ours != expected || (differs.is_some() && ours == theirs) {
            wrong.push(format!("{at} {rule}\n  iptables {theirs}\n  ours     {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Each rule is the same as the one that iptables-nft itself made of it, and as no other, in both
/// ways: the tables are the rules by their meaning, one line each.
pub fn judge_same(version: IpVersion, meanings: &[&[Case]]) {
    let all: Vec<Case> = meanings.iter().flat_map(|cases| cases.iter().copied()).collect();
    let meaning_of = |number: usize| {
        let mut ends = meanings.iter().scan(0, |end, cases| {
            *end += cases.len();
            Some(*end)
        });
        ends.position(|end| number < end)
    };
    let theirs = in_netns(|| {
        saved_by_iptables(version, &all);
        let mut kernel = Kernel::open().unwrap();
        let rules = |(number, (at, _)): (usize, &Case)| listed(&mut kernel, version, at, number);
        all.iter().enumerate().map(rules).collect::<Vec<_>>()
    });
    let ours = in_netns(|| {
        let mut kernel = Kernel::open().unwrap();
        all.iter().for_each(|(at, _)| {
            kernel.commit(&base(version, at), None).unwrap();
        });
        let rules = |(number, (at, rule)): (usize, &Case)| {
            let compiled = compile(version, rule).unwrap();
            kernel.commit(&change(version, at, number, &compiled), None).unwrap();
            (compiled, listed(&mut kernel, version, at, number))
        };
        all.iter().enumerate().map(rules).collect::<Vec<_>>()
    });
    let mut wrong = Vec::new();
    for (number, (compiled, _)) in ours.iter().enumerate() {
        for (other, (theirs, (_, ours))) in theirs.iter().zip(&ours).enumerate() {
            let expected = meaning_of(number) == meaning_of(other);
            let bare = forget::forgotten(&ours[0]);
            let rules = [("of iptables", &theirs[0]), ("of ours", &ours[0]), ("listed", &bare)];
            for (whose, listed) in rules {
                if xtables::same(&compiled[0], listed, version) != expected {
                    let not = if expected { "not " } else { "" };
                    let (rule, other) = (all[number].1, all[other].1);
                    wrong.push(format!("{rule}\n  is {not}the same as {other} {whose}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules that we refuse, with the error's text.
pub fn refused(version: IpVersion, cases: &[(&str, &str)]) {
    let told = |rule: &str| match compile(version, rule) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    };
    let wrong: Vec<String> = cases
        .iter()
        .map(|(rule, expected)| (rule, *expected, told(rule)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(rule, expected, found)| format!("{rule}\n  found    {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
