//! Rules and packets on both hosts, and where the outcomes differ.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis::net::IpVersion;

use super::effects::WATCH;
use super::generate::Rule;
use super::lab::packet::Packet;
use super::refused::{self, Refused};
use super::side::{Count, Side, Who};
use super::traffic::Hosts;

pub static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// What a round has shown.
pub struct Outcome {
    pub rules: Vec<Rule>,
    /// What each rule counted: the xt modules, and ours.
    pub counts: Vec<(Count, Count)>,
    /// Packets that left the one host and not the other, in words.
    pub frames: Vec<String>,
    /// Rules that we refuse, and the entry of the list that says so.
    pub refused: Vec<(Rule, &'static Refused)>,
    /// Rules that we refuse and should not, with our words.
    pub unexpected: Vec<(Rule, String)>,
    /// Rules that iptables itself refuses, with its words.
    pub wrong: Vec<(Rule, String)>,
}

impl Outcome {
    /// The numbers of the rules that count differently.
    pub fn different(&self) -> Vec<usize> {
        let differs = |at: &usize| self.counts[*at].0 != self.counts[*at].1;
        (0..self.rules.len()).filter(differs).collect()
    }
}

/// A rule for both hosts, or one that ours reads otherwise: a fault, to be seen.
pub type Fault<'a> = &'a dyn Fn(&Rule) -> Rule;

/// What rules count of some packets where one of the three loads them.
pub fn counted(who: Who, version: IpVersion, rules: &[Rule], packets: &[Packet]) -> Vec<u64> {
    let mut side = Side::new(who, version, NUMBER.fetch_add(1, Ordering::Relaxed));
    let refused = side.load(rules);
    assert!(refused.is_empty(), "{refused:?}");
    side.play(packets, |_, _| {});
    side.counts(rules).into_iter().map(|(packets, _)| packets).collect()
}

/// Loads `fixed` and `rules` on both hosts, sends the packets through both, counts.
pub fn play(
    version: IpVersion,
    fixed: &[Rule],
    rules: &[Rule],
    packets: &[Packet],
    fault: Fault<'_>,
) -> Outcome {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let all: Vec<Rule> = fixed.iter().chain(rules).cloned().collect();
    let mut theirs = Side::new(Who::Theirs, version, number);
    let refused_by_them = theirs.load(&all);
    let wrong: Vec<_> =
        refused_by_them.iter().map(|(at, error)| (all[*at].clone(), error.clone())).collect();
    let valid: Vec<Rule> = without(&all, &refused_by_them);
    let changed: Vec<Rule> = valid
        .iter()
        .enumerate()
        .map(|(at, rule)| if at < fixed.len() { rule.clone() } else { fault(rule) })
        .collect();
    let mut ours = Side::new(Who::Ours, version, number);
    let refused_by_us = ours.load(&changed);
    let (mut refused, mut unexpected) = (Vec::new(), Vec::new());
    for (at, error) in &refused_by_us {
        match refused::reason(&valid[*at].words, error) {
            Some(entry) => refused.push((valid[*at].clone(), entry)),
            None => unexpected.push((valid[*at].clone(), error.clone())),
        }
    }
    let kept = without(&valid, &refused_by_us);
    if kept.len() < all.len() {
        theirs = Side::new(Who::Theirs, version, NUMBER.fetch_add(1, Ordering::Relaxed));
        theirs.load(&kept);
    }
    let mut counts = Vec::new();
    let mut notes = Vec::new();
    for side in [&mut theirs, &mut ours] {
        side.host().nft(WATCH);
        side.play(packets, |_, _| {});
        side.speak(1234, 77, Hosts::of(version).far);
        side.answer();
        counts.push(side.counts(&kept));
        notes.push(side.notes());
    }
    let counts = counts[0].iter().copied().zip(counts[1].iter().copied()).collect();
    let mut frames = differing_frames(&theirs, &ours);
    frames.extend(only_in(&notes[0], &notes[1], "only xt:   "));
    frames.extend(only_in(&notes[1], &notes[0], "only ours: "));
    Outcome { rules: kept, counts, frames, refused, unexpected, wrong }
}

fn without(rules: &[Rule], refused: &[(usize, String)]) -> Vec<Rule> {
    let stays = |at: usize| refused.iter().all(|(number, _)| *number != at);
    rules.iter().enumerate().filter(|(at, _)| stays(*at)).map(|(_, rule)| rule.clone()).collect()
}

fn only_in(these: &[String], those: &[String], head: &str) -> Vec<String> {
    these.iter().filter(|note| !those.contains(note)).map(|note| format!("{head}{note}")).collect()
}

/// Frames as they are compared, in order; a missing one on one side is not all that follow.
fn differing_frames(theirs: &Side, ours: &Side) -> Vec<String> {
    let of = |side: &Side| -> Vec<String> {
        side.captured.iter().map(|(link, bytes)| frame(*link, bytes)).collect()
    };
    let (theirs, ours) = (of(theirs), of(ours));
    let mut said = Vec::new();
    let mut rest = ours.clone();
    for frame in &theirs {
        match rest.iter().position(|other| other == frame) {
            Some(at) => {
                rest.remove(at);
            }
            None => said.push(format!("only xt:   {frame}")),
        }
    }
    said.extend(rest.into_iter().map(|frame| format!("only ours: {frame}")));
    said
}

/// A packet in hex, without what a host chooses by chance: the identification of IPv4 and the
/// checksum over it, and the cookie in the SYN ACK of a SYNPROXY.
pub fn frame(link: usize, bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    if bytes[0] >> 4 == 4 {
        bytes[4..6].fill(0);
        bytes[10..12].fill(0);
    }
    let tcp = match bytes[0] >> 4 {
        4 if bytes[9] == 6 => Some(usize::from(bytes[0] & 15) * 4),
        6 if bytes[6] == 6 => Some(40),
        _ => None,
    };
    if let Some(tcp) = tcp.and_then(|at| bytes.get_mut(at..at + 20)) {
        let number = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        if tcp[13] & 0x12 == 0x12 && number > 10_000 {
            tcp[4..8].fill(0);
            tcp[16..18].fill(0);
        }
    }
    let mut text = format!("e{link}");
    for (at, byte) in bytes.iter().enumerate() {
        if at % 4 == 0 {
            text.push(' ');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Everything that differs, with the packet that shows it.
pub fn report(version: IpVersion, fixed: &[Rule], outcome: &Outcome, packets: &[Packet]) -> String {
    let mut text = String::new();
    for (rule, error) in &outcome.unexpected {
        let _ = writeln!(text, "refused {rule}\n  {error}");
    }
    let different = outcome.different();
    for (turn, at) in different.iter().enumerate() {
        let (xt, ours) = outcome.counts[*at];
        let _ = writeln!(text, "{}\n  xt {xt:?} ours {ours:?}", outcome.rules[*at]);
        if turn < SHOWN {
            text += &first_packet(version, fixed, &outcome.rules[*at], packets);
        }
    }
    for said in outcome.frames.iter().take(20) {
        let _ = writeln!(text, "{said}");
    }
    if !text.is_empty() {
        let (rules, frames) = (different.len(), outcome.frames.len());
        let _ =
            writeln!(text, "{rules} rules of {} and {frames} frames differ", outcome.rules.len());
    }
    text
}

/// How many differences are reproduced alone, which takes a second each.
const SHOWN: usize = 4;

/// Plays one rule alone and names the first packet that it takes on one side only.
fn first_packet(version: IpVersion, fixed: &[Rule], rule: &Rule, packets: &[Packet]) -> String {
    const STEP: usize = 32;
    let all = packets.len();
    let coarse = |at: usize| at % STEP == STEP - 1 || at == all - 1;
    let Some((end, ..)) = first_step(version, fixed, rule, packets, &coarse) else {
        return "  alone it counts the same\n".to_owned();
    };
    let fine = |at: usize| at + STEP >= end;
    let found = first_step(version, fixed, rule, &packets[..=end], &fine);
    found.map_or_else(String::new, |(at, xt, ours)| {
        format!(
            "  alone: packet {at} makes it {xt:?} in xt and {ours:?} in ours: {:?}\n",
            packets[at]
        )
    })
}

/// The first of some packets behind which the counters differ.
fn first_step(
    version: IpVersion,
    fixed: &[Rule],
    rule: &Rule,
    packets: &[Packet],
    read: &dyn Fn(usize) -> bool,
) -> Option<(usize, Count, Count)> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let rules: Vec<Rule> = fixed.iter().cloned().chain([rule.clone()]).collect();
    let place = |other: &&Rule| (other.table, other.chain) == (rule.table, rule.chain);
    let chain: Vec<Rule> = rules.iter().filter(place).cloned().collect();
    let steps = [Who::Theirs, Who::Ours].map(|who| {
        let mut side = Side::new(who, version, number);
        side.load(&rules);
        let mut steps = Vec::new();
        side.play(packets, |side, at| {
            if read(at) {
                steps.push((at, *side.counts(&chain).last().unwrap()));
            }
        });
        steps
    });
    let [xt, ours] = steps;
    xt.into_iter()
        .zip(ours)
        .find(|((_, xt), (_, ours))| xt != ours)
        .map(|((at, xt), (_, ours))| (at, xt, ours))
}
