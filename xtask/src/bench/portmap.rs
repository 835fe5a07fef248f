//! What is measured, in which order, within which bounds.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use super::measure::{Sample, median};
use super::options::{self, Options, absolute};
use super::others::{add_containers, restore_containers, track_flows};
use super::report::{Cell, Memory, Report};
use super::subject::{Call, Subject, memory_floor, prepare};
use crate::lab;

const PEER: &str = "/usr/lib/cni/portmap";

/// How much is measured.
struct Scale {
    /// Other containers on the host.
    others: &'static [usize],
    /// The most that the peer's host gets.
    peer_others: usize,
    runs: usize,
    flows: u32,
    flow_runs: usize,
}

/// The most that the legacy peer's host gets: it reads and writes whole tables for each rule, and
/// more would take hours.
const LEGACY_OTHERS: usize = 100;

const FULL: Scale = Scale {
    others: &[0, 100, 1_000, 10_000],
    peer_others: 1_000,
    runs: 21,
    flows: 50_000,
    flow_runs: 11,
};
const QUICK: Scale =
    Scale { others: &[0, 1_000], peer_others: 1_000, runs: 11, flows: 10_000, flow_runs: 11 };

/// Set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    let Options { scale, paths: [plugin, peer] } = Options::read(words, ["--plugin", "--peer"])?;
    let (plugin, peer) = (options::prepare(plugin)?, peer.unwrap_or_else(|| PEER.to_owned()));
    lab::reenter("__bench", &[plugin, peer, scale.to_owned()])
}

/// The part inside.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    let [plugin, peer, scale] = words else { bail!("__bench wants two plugins and a scale") };
    let scale = if scale == "quick" { QUICK } else { FULL };
    let (plugin, peer) = (absolute(plugin)?, absolute(peer)?);
    let begin = Instant::now();
    lab::settle()?;
    prepare()?;
    let mut report = Report::new(&plugin, &peer)?;
    report.runs = scale.runs;

    let mut subjects = [
        Subject::make("portcullis", "host-portcullis", &plugin)?,
        Subject::make("peer", "host-peer", &peer)?,
        Subject::make("legacy", "host-legacy", &peer)?.with_legacy(),
    ];
    for others in scale.others {
        fill(&mut subjects, *others, scale.peer_others)?;
        let here: Vec<&Subject> =
            subjects.iter().filter(|subject| subject.others == Some(*others)).collect();
        if here.is_empty() {
            continue;
        }
        for ports in [1, 10] {
            eprintln!("{others} other containers, {ports} ports");
            let call = Call::measured("tcp", ports);
            let circumstances = format!("{others} containers");
            report.cells.extend(measure(&here, &call, scale.runs, &circumstances)?);
        }
        report.memory.extend(memory(&here, *others)?);
    }
    report.cells.extend(with_flows(&plugin, &peer, &scale)?);
    report.memory_floor = memory_floor()?;
    println!("\n{report}");
    println!("The whole bench took {:.0} s.", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// Bring both hosts to that many containers. One call first, since the peer's rules hang in the
/// chains that it makes.
fn fill(subjects: &mut [Subject; 3], others: usize, peer_others: usize) -> Result<()> {
    let [own, peer, legacy] = subjects;
    add_containers(own, others)?;
    let call = Call::measured("tcp", 1);
    if others <= LEGACY_OTHERS {
        legacy.call("ADD", &call)?;
        legacy.call("DEL", &call)?;
        restore_containers(legacy, others)?;
    }
    peer.call("ADD", &call)?;
    peer.call("DEL", &call)?;
    restore_containers(peer, others.min(peer_others))
}

/// ADD and DEL of one container, the subjects in turns, the first round thrown away.
fn measure(
    subjects: &[&Subject],
    call: &Call,
    runs: usize,
    circumstances: &str,
) -> Result<Vec<Cell>> {
    const VERBS: [&str; 2] = ["ADD", "DEL"];
    let mut samples = VERBS.map(|_| vec![Vec::<Sample>::new(); subjects.len()]);
    for round in 0..=runs {
        for (verb, samples) in VERBS.into_iter().zip(&mut samples) {
            let mut turns: Vec<_> = subjects.iter().zip(samples).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for (subject, samples) in turns {
                let sample = subject.call(verb, call)?;
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
    }
    let cell = |(verb, samples): (&str, Vec<Vec<Sample>>)| {
        let names = subjects.iter().map(|subject| subject.name.as_str());
        let (ports, protocol) = (call.ports.len(), call.protocol);
        Cell::new(format!("{verb} {ports} {protocol}, {circumstances}"), names.zip(samples))
    };
    Ok(VERBS.into_iter().zip(samples).map(cell).collect())
}

fn memory(subjects: &[&Subject], others: usize) -> Result<Vec<Memory>> {
    let call = Call::measured("tcp", 10);
    let mut found = Vec::new();
    for subject in subjects {
        let mut rounds = [const { Vec::new() }; 2];
        for _ in 0..3 {
            for (verb, values) in ["ADD", "DEL"].into_iter().zip(&mut rounds) {
                values.push(subject.memory(verb, &call)?);
            }
        }
        let [add, del] = rounds.map(median);
        found.push(Memory { subject: subject.name.clone(), others, add, del });
    }
    Ok(found)
}

/// Ten UDP ports on fresh hosts whose kernel tracks many flows.
fn with_flows(plugin: &Path, peer: &Path, scale: &Scale) -> Result<Vec<Cell>> {
    let subjects = [
        Subject::make("portcullis", "flows-portcullis", plugin)?,
        Subject::make("peer", "flows-peer", peer)?,
    ];
    let mut tracked = Vec::new();
    for subject in &subjects {
        tracked.push(track_flows(subject, scale.flows)?);
    }
    let fewest = tracked.into_iter().min().unwrap_or_default();
    eprintln!("10 UDP ports, {fewest} UDP flows");
    let call = Call::measured("udp", 10);
    let [own, peer] = &subjects;
    measure(&[own, peer], &call, scale.flow_runs, &format!("{fewest} UDP flows"))
}
