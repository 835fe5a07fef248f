//! `bench bridge`: bridge with host-local, and Podman's whole chain, beside Debian's plugins.
//!
//! The other containers come through each side's own plugins: at the peer's 130 ms each, 500 of
//! them take over a minute on each of its two hosts.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::measure::{Sample, medians, timed};
use super::report::{better, mib, ms, times};
use super::subject::{memory_floor, quietly};
use super::wires::{Chain, Host, Wire};
use crate::run::{cargo, target_dir};
use crate::{lab, setup};

const PEER: &str = "/usr/lib/cni";
const RUNS: usize = 11;
const FULL: &[usize] = &[0, 100, 500];
const QUICK: &[usize] = &[0, 20];

/// Set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    let (mut plugins, mut peer, mut scale) = (String::new(), PEER.to_owned(), "full");
    let mut rest = words;
    loop {
        rest = match rest {
            [] => break,
            [option, rest @ ..] if option == "--quick" => {
                scale = "quick";
                rest
            }
            [option, path, rest @ ..] if option == "--plugins" => {
                plugins.clone_from(path);
                rest
            }
            [option, path, rest @ ..] if option == "--peer" => {
                peer.clone_from(path);
                rest
            }
            [other, ..] => bail!("unexpected argument `{other}`"),
        };
    }
    setup::ensure()?;
    if plugins.is_empty() {
        cargo().args(["build", "--release"]).run()?;
        plugins = target_dir()?.join("release/portcullis").to_string_lossy().into_owned();
    }
    lab::reenter("__bench", &["bridge".to_owned(), plugins, peer, scale.to_owned()])
}

/// The part inside. `plugins` is a directory of plugins, or the one binary that is them all.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    let [plugins, peer, scale] = words else { bail!("__bench bridge wants plugins, peer, scale") };
    let sizes = if scale == "quick" { QUICK } else { FULL };
    let (plugins, peer) = (absolute(plugins)?, absolute(peer)?);
    let begin = Instant::now();
    lab::settle()?;
    // tuning is Debian's on both sides: portcullis has none.
    let own = |name: &str| match name {
        "tuning" => peer.join(name),
        _ if plugins.is_dir() => plugins.join(name),
        _ => plugins.clone(),
    };
    let mut hosts = [
        Host::make("portcullis", own, "nft")?,
        Host::make("iptables-nft", |name| peer.join(name), "nft")?,
        Host::make("iptables-legacy", |name| peer.join(name), "legacy")?,
    ];
    head();
    for size in sizes {
        for host in &mut hosts {
            host.fill(*size)?;
        }
        for chain in [Chain::Bridge, Chain::Podman] {
            measure(&hosts, chain, *size)?;
        }
    }
    memory(&hosts)?;
    floor()?;
    println!("\nThe whole bench took {:.0} s.", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn head() {
    println!("\n## bridge: whole processes\n");
    println!(
        "Medians of {RUNS} runs, wall ms [CPU ms with children], IPv4; the containers present"
    );
    println!("have Podman's chain; ratio: the better of the two peers / portcullis, in turns.\n");
    println!("| call, present | portcullis | iptables-nft | iptables-legacy | wall ratio | CPU |");
    println!("| --- | --- | --- | --- | --- | --- |");
}

fn absolute(path: &str) -> Result<PathBuf> {
    Path::new(path).canonicalize().with_context(|| format!("no plugins at {path}"))
}

/// ADD and DEL of one container, the hosts in turns, the first round thrown away.
fn measure(hosts: &[Host; 3], chain: Chain, size: usize) -> Result<()> {
    let mut samples = [(); 3].map(|()| (Vec::new(), Vec::new()));
    for round in 0..=RUNS {
        let mut turns: Vec<_> = hosts.iter().zip(&mut samples).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (host, (adds, dels)) in turns.into_iter().filter(|(host, _)| host.others == Some(size))
        {
            let wire = Wire::measured(host, chain);
            let (add, result) = host.add(&wire)?;
            let del = host.del(&wire, &result)?;
            if round > 0 {
                adds.push(add);
                dels.push(del);
            }
        }
    }
    let middle = |all: &Vec<Sample>| (!all.is_empty()).then(|| medians(all));
    row(&format!("ADD {}, {size}", chain.name()), [0, 1, 2].map(|n| middle(&samples[n].0)));
    row(&format!("DEL {}, {size}", chain.name()), [0, 1, 2].map(|n| middle(&samples[n].1)));
    Ok(())
}

fn row(what: &str, found: [Option<Sample>; 3]) {
    let [own, peers @ ..] = found;
    let [wall, cpu] = better(own, peers);
    let [own, nft, legacy] = found.map(times);
    println!("| {what} | {own} | {nft} | {legacy} | {wall} | {cpu} |");
}

fn memory(hosts: &[Host; 3]) -> Result<()> {
    println!("\nPeak resident memory of the largest process of bridge + host-local, MiB");
    println!("(floor of this measurement: {}):\n", mib(memory_floor()?));
    println!("| plugins | ADD | DEL |\n| --- | --- | --- |");
    for host in hosts {
        let (add, del) = host.memory()?;
        println!("| {} | {} | {} |", host.name, mib(add), mib(del));
    }
    Ok(())
}

/// What the kernel takes for a veth pair: the time of one `ip -batch` that makes (deletes) many,
/// less that of one which makes none, by their number.
fn floor() -> Result<()> {
    const PAIRS: u32 = 20;
    quietly("ip netns add floor")?;
    let pairs = 0..PAIRS;
    let adds = pairs.clone().map(|n| format!("link add v{n} type veth peer name w{n}\n"));
    let dels = pairs.map(|n| format!("link del v{n}\n"));
    let batches = [String::new(), adds.collect(), dels.collect()];
    let mut samples = [(); 3].map(|()| Vec::new());
    for _ in 0..RUNS {
        for (batch, samples) in batches.iter().zip(&mut samples) {
            std::fs::write("/run/wires/batch", batch).context("writing the batch")?;
            let words = ["-n", "floor", "-batch", "/run/wires/batch"];
            samples.push(timed(Command::new("ip").args(words))?);
        }
    }
    let [nothing, add, del] = samples.map(|samples| medians(&samples).wall);
    let each = |all: Duration| ms(all.saturating_sub(nothing) / PAIRS);
    println!("\nThe kernel's own floor, in one `ip -batch` of {PAIRS} each: a veth pair");
    println!("made {} ms, deleted {} ms.", each(add), each(del));
    Ok(())
}
